// The unique-value shortcut: an unknown write whose value nobody can have seen is left out of the search. It is sound
// exactly because of what is checked here, whatever the values are:
//   the write overwrites, so it leads to one state S from everywhere; in S no answered operation that may come after it is
//   possible, unless it overwrites too; and no other unknown operation changes S, unless it overwrites too.
// In any legal order that has the write, it and the unknown operations behind it that leave S alone are then followed by
// an overwriting one or by nothing, and the order without them is as legal. A del that answered `true`, or a refused cas,
// may have seen the write without reading it: such an operation is possible in S, so the write is kept.
import type { Operation } from '../report.js'
import { outputOf, OVERWRITES } from './effects.js'
import type { LinearizabilityModel } from './model.js'
import type { OptionalOperations } from './optional-operations.js'
import { structurallyEqual } from './structural.js'

export interface WriteSurroundings<Input, Output> {
  /** The required operations that don't overwrite. */
  readonly observers: readonly Operation<Input, Output>[]
  readonly optional: OptionalOperations<Input, Output>
}

/** Whether class `number` of the optional operations can be left out. Never true for one that doesn't overwrite. */
export function isUnseenWrite<State, Input, Output>(
  model: LinearizabilityModel<State, Input, Output>,
  { observers, optional }: WriteSurroundings<Input, Output>,
  number: number,
): boolean {
  if (optional.effects[number] !== OVERWRITES) return false
  const write = optional.first(number)
  const written = model.step(model.init(), write.input, outputOf(write))
  if (written === null) return false
  for (const { input, output, returnedMs } of observers) {
    if (returnedMs >= write.invokedMs && model.step(written, input, output) !== null) return false
  }
  for (const other of optional.dependent) {
    const operation = optional.first(other)
    const changed = model.step(written, operation.input, outputOf(operation))
    if (changed !== null && !areSame(model, changed, written)) return false
  }
  return true
}

/** Equal as the model sees it, or structurally. */
export function areSame<State>(
  model: Pick<LinearizabilityModel<State, never, never>, 'equal'>,
  a: State,
  b: State,
): boolean {
  return Object.is(a, b) || (model.equal === undefined ? structurallyEqual(a, b) : model.equal(a, b))
}
