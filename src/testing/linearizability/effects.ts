// What the model says of each operation's effect, as small numbers that the search can look up.
import type { Operation } from '../report.js'
import type { LinearizabilityModel } from './model.js'

export const DEPENDS = 0
export const NONE = 1
export const OVERWRITES = 2

/** What the model is told of the answer: nothing unless there was one. */
export function outputOf<Output>(operation: Operation<unknown, Output>): Output | undefined {
  return operation.outcome === 'ok' ? operation.output : undefined
}

/** One of the constants above for each operation. */
export function effectsOf<State, Input, Output>(
  model: LinearizabilityModel<State, Input, Output>,
  operations: readonly Operation<Input, Output>[],
): Uint8Array {
  const effects = new Uint8Array(operations.length)
  if (model.effect === undefined) return effects
  for (let at = 0; at < operations.length; at++) {
    const operation = operations[at] as Operation<Input, Output>
    const effect = model.effect(operation.input, outputOf(operation))
    effects[at] = effect === 'none' ? NONE : effect === 'overwrites' ? OVERWRITES : DEPENDS
  }
  return effects
}
