// The log of one node with payloads, as the judge of a simulation follows it: its Outputs say what is appended, what is
// replaced and what is forgotten. What lies at or below its base is committed, and is looked up there.
import type { LogEntry, LogIndex } from '../core/types.js'
import {
  chainOf,
  type CommittedLog,
  configurationIn,
  EMPTY_CHAIN,
  type HeldConfiguration,
  type JudgedEntry,
} from './committed-log.js'

/** Of one incarnation. */
export class JudgedLog {
  readonly #committed: CommittedLog
  #baseIndex: LogIndex = 0
  #entries: JudgedEntry[] = []
  #configurations: HeldConfiguration[] = []

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

  /** The newest configuration in it; null where none is known. */
  get configuration(): HeldConfiguration | null {
    return this.#configurations.at(-1) ?? null
  }

  /** The newest configuration in front of `index`. */
  configurationBefore(index: LogIndex): HeldConfiguration | null {
    return this.#configurations.findLast((held) => held.index < index) ?? null
  }

  /** Begins anew, behind what is committed up to `baseIndex`, with the configuration of that place. */
  reset(baseIndex: LogIndex, configuration: HeldConfiguration | null = null): void {
    this.#baseIndex = baseIndex
    this.#entries = []
    this.#configurations = configuration === null ? [] : [configuration]
  }

  /** The suffix from its index on is replaced by it. */
  append(entry: LogEntry): JudgedEntry {
    this.#entries.length = Math.min(this.#entries.length, Math.max(0, entry.index - this.#baseIndex - 1))
    // A truncation takes configurations back (H43).
    while ((this.configuration?.index ?? 0) >= entry.index) this.#configurations.pop()
    const configuration = configurationIn(entry)
    if (configuration !== null) this.#configurations.push(configuration)
    const judged = { entry, chain: chainOf(this.at(this.lastIndex)?.chain ?? EMPTY_CHAIN, entry) }
    this.#entries.push(judged)
    return judged
  }
}
