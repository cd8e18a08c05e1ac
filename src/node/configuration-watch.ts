// Tells of each configuration once, when it is committed (H45: not before); of the one that a node starts with, at once.
import type { LogTrail } from '../core/log-trail.js'
import type { Configuration, LogIndex } from '../core/types.js'

type Held = { readonly index: LogIndex; readonly configuration: Configuration }

export class ConfigurationWatch {
  #told: Held | null

  /** @param inForce - at the start, which the caller tells of */
  constructor(inForce: Held | null) {
    this.#told = inForce
  }

  /** The newest committed one, when it has not been told yet. */
  next(log: LogTrail, commitIndex: LogIndex): Held | null {
    const held = log.configurations.findLast(({ index }) => index <= commitIndex) ?? null
    if (held === null || held === this.#told || held.index === this.#told?.index) return null
    // What was in force at the start may not be committed yet: what lies before it is no news.
    if (this.#told !== null && this.#told.index > held.index && log.configurations.includes(this.#told)) return null
    this.#told = held
    return held
  }
}
