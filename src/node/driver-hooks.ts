// What a driver tells its owner.
import type { RaftError } from '../errors.js'
import type { RaftNodeEvents } from './node-events.js'

export interface DriverHooks {
  /** Tells the listeners. Never throws. */
  readonly emit: <Name extends keyof RaftNodeEvents>(event: Name, ...args: RaftNodeEvents[Name]) => void
  /** The driver came to its end and has closed itself. */
  readonly onFailure: (error: RaftError) => void
}
