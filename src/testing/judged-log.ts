// The log of one node with payloads, as the judge of a simulation follows it: its Outputs say what is appended, what is
// replaced and what is forgotten. What lies at or below its base is committed, and is looked up there.
import type { LogEntry, LogIndex } from '../core/types.js'
import { chainOf, type CommittedLog, EMPTY_CHAIN, type JudgedEntry } from './committed-log.js'

/** Of one incarnation. */
export class JudgedLog {
  readonly #committed: CommittedLog
  #baseIndex: LogIndex = 0
  #entries: JudgedEntry[] = []

  constructor(committed: CommittedLog) {
    this.#committed = committed
  }

  get lastIndex(): LogIndex {
    return this.#baseIndex + this.#entries.length
  }

  /** The entry at `index`, also of what was forgotten; undefined beyond the end. */
  at(index: LogIndex): JudgedEntry | undefined {
    return index <= this.#baseIndex ? this.#committed.at(index) : this.#entries[index - this.#baseIndex - 1]
  }

  /** Begins anew, behind what is committed up to `baseIndex`. */
  reset(baseIndex: LogIndex): void {
    this.#baseIndex = baseIndex
    this.#entries = []
  }

  /** The suffix from its index on is replaced by it. */
  append(entry: LogEntry): JudgedEntry {
    this.#entries.length = Math.min(this.#entries.length, Math.max(0, entry.index - this.#baseIndex - 1))
    const judged = { entry, chain: chainOf(this.at(this.lastIndex)?.chain ?? EMPTY_CHAIN, entry) }
    this.#entries.push(judged)
    return judged
  }
}
