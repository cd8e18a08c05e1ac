// The smallest window of an illegal history: a set of operations that has no legal order even if all others may or may not
// have happened. It starts from the shortest illegal prefix by return time and makes operations optional, in big pieces
// first, as long as what remains is illegal. Only that way of leaving out is sound: a read would be illegal without the
// write that it saw, and would say nothing. Reads are left out as they are, because nobody depends on them.
import type { Operation } from '../report.js'
import { effectsOf, NONE } from './effects.js'
import { MemoBudget } from './failed-configurations.js'
import { failureText } from './failure-text.js'
import type { LinearizabilityFailure, LinearizabilityModel } from './model.js'
import type { Partition } from './partition.js'
import { ListMemory } from './pending-list.js'
import { Search } from './search.js'

/** Steps that all searches for a smaller window may take together, and one of them. */
const WINDOW_STEPS = 20_000_000
const TRIAL_STEPS = 1_000_000
/** What it costs to set up a search, in steps for each operation. */
const SETUP_STEPS = 4
/** Words of the memo of each of those searches. */
const TRIAL_MEMO_WORDS = 2 * 1024 * 1024

/** @param furthest - position in `required` of the first to return that no order explains */
export function failureOf<State, Input, Output>(
  model: LinearizabilityModel<State, Input, Output>,
  partition: Partition<Input, Output>,
  furthest: number,
): LinearizabilityFailure<Input, Output> {
  const culprit = partition.required[furthest] as Operation<Input, Output>
  const window = new WindowSearch(model, partition, culprit).smallest()
  const text = failureText(model, { key: partition.key, window, culprit, total: partition.required.length })
  return { key: partition.key, window, text }
}

class WindowSearch<State, Input, Output> {
  readonly #model: LinearizabilityModel<State, Input, Output>
  readonly #culprit: Operation<Input, Output>
  /** Pending at the culprit's return, or unknown: optional from the start. */
  readonly #optional: readonly Operation<Input, Output>[]
  /** All that returned before the culprit, by return. */
  readonly #returned: readonly Operation<Input, Output>[]
  readonly #reads: ReadonlySet<Operation<Input, Output>>
  readonly #memory = new ListMemory()
  #stepsLeft = WINDOW_STEPS

  constructor(
    model: LinearizabilityModel<State, Input, Output>,
    { required, optional }: Partition<Input, Output>,
    culprit: Operation<Input, Output>,
  ) {
    const { returnedMs } = culprit
    const isInvoked = (operation: Operation<Input, Output>): boolean => operation.invokedMs <= returnedMs
    this.#model = model
    this.#culprit = culprit
    // The same order of returns as that of the search, also among those of the same time.
    const byReturn = [...required].sort((a, b) =>
      a.returnedMs < b.returnedMs ? -1 : a.returnedMs > b.returnedMs ? 1 : 0,
    )
    const rank = byReturn.indexOf(culprit)
    this.#returned = byReturn.slice(0, rank)
    this.#optional = [...optional, ...byReturn.slice(rank + 1)].filter(isInvoked)
    const effects = effectsOf(model, required)
    this.#reads = new Set(required.filter((_, at) => effects[at] === NONE))
  }

  /** By invocation. */
  smallest(): readonly Operation<Input, Output>[] {
    let kept = this.#withoutReads(this.#returned)
    kept = this.#shortestSuffix(kept)
    for (let size = Math.ceil(kept.length / 2); size >= 1; size = size === 1 ? 0 : Math.ceil(size / 2)) {
      kept = this.#withoutPieces(kept, size)
    }
    return [...kept, this.#culprit].sort(byInvocation)
  }

  #withoutReads(kept: readonly Operation<Input, Output>[]): readonly Operation<Input, Output>[] {
    const writes = kept.filter((operation) => !this.#reads.has(operation))
    return writes.length < kept.length && this.#isIllegal(writes) ? writes : kept
  }

  #shortestSuffix(kept: readonly Operation<Input, Output>[]): readonly Operation<Input, Output>[] {
    for (let length = 0; length < kept.length; length = Math.max(1, 2 * length)) {
      const suffix = kept.slice(kept.length - length)
      if (this.#isIllegal(suffix)) return suffix
    }
    return kept
  }

  /** Goes through `kept` from the oldest on and leaves out each piece that isn't needed. */
  #withoutPieces(kept: readonly Operation<Input, Output>[], size: number): readonly Operation<Input, Output>[] {
    let rest = kept
    for (let at = 0; at < rest.length; ) {
      const fewer = [...rest.slice(0, at), ...rest.slice(at + size)]
      if (this.#isIllegal(fewer)) rest = fewer
      else at += size
    }
    return rest
  }

  /** True only if it is certain that these have no legal order although all others are optional. */
  #isIllegal(kept: readonly Operation<Input, Output>[]): boolean {
    const setupSteps = SETUP_STEPS * (this.#returned.length + this.#optional.length)
    if (this.#stepsLeft <= setupSteps) return false
    const required = [...kept, this.#culprit].sort(byInvocation)
    const isKept = new Set(kept)
    const loosened = this.#returned.filter((other) => !isKept.has(other) && !this.#reads.has(other))
    const optional = [...this.#optional, ...loosened].sort(byInvocation)
    const search = new Search(this.#model, { required, optional }, new MemoBudget(TRIAL_MEMO_WORDS), this.#memory)
    const verdict = search.run(Math.min(TRIAL_STEPS, this.#stepsLeft - setupSteps))
    this.#stepsLeft -= search.steps + setupSteps
    search.release()
    return verdict === 'illegal'
  }
}

function byInvocation(a: Operation<unknown, unknown>, b: Operation<unknown, unknown>): number {
  return a.invokedMs - b.invokedMs
}
