// A history cut into the histories of its keys, which are linearizable exactly if the whole is (Herlihy and Wing's
// locality; Lowe's P-compositionality). Rejected operations never took effect: they are in none of them.
import { RaftError } from '../../errors.js'
import { refuse, show } from '../option-checks.js'
import type { Operation } from '../report.js'
import type { LinearizabilityModel } from './model.js'

/** The operations of one key, by invocation. */
export interface Partition<Input, Output> {
  readonly key: string
  /** Answered: each must be placed between its invocation and its return. */
  readonly required: readonly Operation<Input, Output>[]
  /** Of unknown outcome: each may be placed anywhere after its invocation, or left out. */
  readonly optional: readonly Operation<Input, Output>[]
}

/** In the order in which the keys appear. @throws RaftError RAFT_INVALID_OPTION for times and outcomes that are none */
export function partitionByKey<State, Input, Output>(
  model: LinearizabilityModel<State, Input, Output>,
  history: readonly Operation<Input, Output>[],
): Partition<Input, Output>[] {
  const found = new Map<
    string,
    { key: string; required: Operation<Input, Output>[]; optional: Operation<Input, Output>[] }
  >()
  for (const operation of history) {
    if (operation === null || typeof operation !== 'object') refuse(`an operation is ${show(operation)}: use an object`)
    if (operation.outcome === 'rejected') continue
    if (operation.outcome !== 'ok' && operation.outcome !== 'unknown') {
      refuse(`an operation has the outcome ${show(operation.outcome)}: use 'ok', 'rejected' or 'unknown'`)
    }
    checkTimes(operation)
    const key = model.key === undefined ? '' : model.key(operation.input)
    let partition = found.get(key)
    if (partition === undefined) found.set(key, (partition = { key, required: [], optional: [] }))
    if (operation.outcome === 'ok') partition.required.push(operation)
    else partition.optional.push(operation)
  }
  const partitions = [...found.values()]
  for (const { required, optional } of partitions) {
    sortByInvocation(required)
    sortByInvocation(optional)
  }
  return partitions
}

function checkTimes({ invokedMs, returnedMs, outcome }: Operation<unknown, unknown>): void {
  if (invokedMs < Number.POSITIVE_INFINITY && (outcome === 'unknown' || returnedMs >= invokedMs)) return
  throw new RaftError(
    'RAFT_INVALID_OPTION',
    `an operation was invoked at ${invokedMs} and returned at ${returnedMs}: use a finite time, and one that isn't before it`,
  )
}

/** Histories mostly come sorted, or nearly so. */
function sortByInvocation(operations: Operation<unknown, unknown>[]): void {
  let previousMs = Number.NEGATIVE_INFINITY
  for (const { invokedMs } of operations) {
    if (invokedMs < previousMs) {
      operations.sort((a, b) => a.invokedMs - b.invokedMs)
      return
    }
    previousMs = invokedMs
  }
}
