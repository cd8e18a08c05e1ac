// What a driver tells its owner.
import type { Term } from '../core/types.js'
import type { RaftError } from '../errors.js'
import type { RaftNodeEvents } from './node-events.js'

export interface DriverHooks {
  /** Tells the listeners. Never throws. */
  readonly emit: <Name extends keyof RaftNodeEvents>(event: Name, ...args: RaftNodeEvents[Name]) => void
  /** After each turn: the term that this node leads and whose first entry it has applied; null for none. Never throws. */
  readonly onLeading: (term: Term | null) => void
  /** The driver came to its end and has closed itself. */
  readonly onFailure: (error: RaftError) => void
}
