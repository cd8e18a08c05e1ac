// The description of a command: its name and shape as COMMAND tells them, and how its arguments become a step.
import type { Arguments } from './arguments.js'
import type { Session } from './session.js'
import type { Step } from './step.js'

export interface CommandSpec {
  /** Lower case. */
  readonly name: string
  /** Arguments with the name; negative: at least that many. */
  readonly arity: number
  /** Positions of its keys, as COMMAND tells them. */
  readonly keys: readonly [first: number, last: number, step: number]
  readonly flags: readonly string[]
  /** Throws CommandError. */
  step(args: Arguments, session: Session): Step
}
