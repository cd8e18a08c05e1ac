// The shell of the protocol: the term rule (figure 2, "rules for all servers"), then dispatch to one file per concern.
import type { CoreEvent } from './event.js'
import { Output } from './output.js'
import type { CoreOptions, CoreState, RestoredState } from './state.js'

export class RaftCore {
  readonly state: CoreState
  constructor(options: CoreOptions, restored: RestoredState, now: number) {
    throw new Error('being written' + options.id + restored.lastIndex + now)
  }
  /** One event in, one output out; a batch passes one Output through. @throws InvariantViolation */
  step(event: CoreEvent, output: Output = new Output()): Output {
    return output
  }
}
