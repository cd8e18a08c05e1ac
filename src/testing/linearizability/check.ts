// The judge: gives each key's history a search, and turns to the searches one after the other with slices that grow, so
// that a key whose search explodes doesn't hide an illegal one that is easy to find. Only here is a clock looked at.
import { RaftError } from '../../errors.js'
import { checkArray, checkMethods, refuse } from '../option-checks.js'
import type { Operation } from '../report.js'
import { MemoBudget } from './failed-configurations.js'
import type { LinearizabilityModel, LinearizabilityResult } from './model.js'
import { type Partition, partitionByKey } from './partition.js'
import { ListMemory } from './pending-list.js'
import { Search } from './search.js'
import { failureOf } from './smallest-window.js'

/** @defaultValue of `timeoutMs` */
const TIMEOUT_MS = 60_000
/** Steps between two looks at the clock. */
const CLOCK_STEPS = 4_096
/** Of the first slice: enough for any key whose operations are answered as they come. */
const FIRST_SLICE_STEPS = 16_384
const FIRST_SLICE_STEPS_PER_OPERATION = 64
const SLICE_GROWTH = 4

/**
 * Looks for a legal order of `history` that respects real time: an operation that returned before another one was invoked
 * stands before it (Herlihy and Wing). A return and an invocation of the same time count as concurrent. Operations of
 * unknown outcome may stand anywhere after their invocation or nowhere; rejected ones never took effect.
 *
 * Memory: less than 100 bytes for each operation of the keys that are not decided yet, and at most 128 MiB beside the
 * model's states for what the searches remember, however long they take.
 *
 * @param options.timeoutMs - of the search, 0 to Infinity; the verdict is `undecided` only when it ran out.
 *   `@defaultValue` 60,000
 * @throws RaftError RAFT_INVALID_OPTION for a time or an outcome that is none; whatever the model throws
 */
export function checkLinearizability<State, Input, Output>(
  model: LinearizabilityModel<State, Input, Output>,
  history: readonly Operation<Input, Output>[],
  options: { timeoutMs?: number | undefined } = {},
): LinearizabilityResult<Input, Output> {
  const { timeoutMs = TIMEOUT_MS } = options
  if (typeof model === 'function') refuse('the model is a function: call it first, models.kv()')
  checkMethods('the model', model, ['init', 'step'])
  checkArray('the history', history, 'an array of operations')
  if (!(timeoutMs >= 0)) {
    throw new RaftError('RAFT_INVALID_OPTION', `timeoutMs is ${timeoutMs}: use 0 or more milliseconds, or Infinity`)
  }
  const deadlineMs = performance.now() + timeoutMs
  const shared = { budget: new MemoBudget(), memory: new ListMemory() }
  let waiting = partitionByKey(model, history).map((partition) => new Trial(model, partition, shared))
  for (let growth = 1; waiting.length > 0; growth *= SLICE_GROWTH) {
    const undecided: Trial<State, Input, Output>[] = []
    for (const trial of waiting) {
      const verdict = trial.run({ growth, deadlineMs })
      if (verdict === 'illegal') return { verdict, failure: trial.failure() }
      if (verdict === 'running') undecided.push(trial)
    }
    waiting = undecided
    if (waiting.length > 0 && performance.now() >= deadlineMs) return { verdict: 'undecided', failure: null }
  }
  return { verdict: 'ok', failure: null }
}

/** The search of one key, made when its first slice begins. */
class Trial<State, Input, Output> {
  readonly #model: LinearizabilityModel<State, Input, Output>
  readonly #partition: Partition<Input, Output>
  readonly #shared: { readonly budget: MemoBudget; readonly memory: ListMemory }
  #search: Search<State, Input, Output> | null = null

  constructor(
    model: LinearizabilityModel<State, Input, Output>,
    partition: Partition<Input, Output>,
    shared: { readonly budget: MemoBudget; readonly memory: ListMemory },
  ) {
    this.#model = model
    this.#partition = partition
    this.#shared = shared
  }

  run({ growth, deadlineMs }: { growth: number; deadlineMs: number }): 'ok' | 'illegal' | 'running' {
    if (performance.now() >= deadlineMs) return 'running'
    this.#search ??= new Search(this.#model, this.#partition, this.#shared.budget, this.#shared.memory)
    const operationCount = this.#partition.required.length
    const slice = growth * Math.max(FIRST_SLICE_STEPS, FIRST_SLICE_STEPS_PER_OPERATION * operationCount)
    const end = this.#search.steps + slice
    while (this.#search.steps < end) {
      const verdict = this.#search.run(CLOCK_STEPS)
      if (verdict !== 'running') {
        if (verdict === 'ok') this.#end()
        return verdict
      }
      if (performance.now() >= deadlineMs) return 'running'
    }
    return 'running'
  }

  #end(): void {
    this.#search?.release()
    this.#search = null
  }

  /** Once illegal. */
  failure(): LinearizabilityResult<Input, Output>['failure'] {
    if (this.#search === null) return null
    const { furthest } = this.#search
    this.#end()
    return failureOf(this.#model, this.#partition, furthest)
  }
}
