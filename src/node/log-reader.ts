// Reads of the log store by whoever needs an old entry, and its compaction. A store promises nothing about two of these at
// once, so there is one; at most one read of each peer, one of apply and one compaction wait for it.
import type { LogEntry, LogIndex } from '../core/types.js'
import { RaftError } from '../errors.js'
import type { LogStore } from '../interfaces/log-store.js'
import { LEAVE_OFF } from './failures.js'

export class LogReader {
  readonly #store: LogStore
  #last: Promise<unknown> = Promise.resolve()
  /** Where the next compaction goes to; 0 when none waits. */
  #compactTo: LogIndex = 0

  constructor(store: LogStore) {
    this.#store = store
  }

  /**
   * Entries from `first`, up to `last`, as far as `maxBytes` goes; [] when the store does not hold `first`.
   * @throws RaftError RAFT_CORRUPTION when the store answers with other entries than it was asked for; else what it throws
   */
  read(first: LogIndex, last: LogIndex, maxBytes: number): Promise<readonly LogEntry[]> {
    const reading = this.#last.then(async () => {
      const entries = await this.#store.read(first, last, maxBytes)
      entries.forEach((entry, at) => {
        if (entry.index === first + at) return
        throw new RaftError(
          'RAFT_CORRUPTION',
          `the log store was asked for entries ${first}..${last} and gave ${entry.index} where ${first + at} belongs: ` +
            LEAVE_OFF,
        )
      })
      return entries
    })
    this.#last = reading.catch(() => undefined)
    return reading
  }

  /** Forgets entries up to `index`; one that waits goes as far itself. @throws what the store throws */
  async compact(index: LogIndex): Promise<void> {
    const waits = this.#compactTo > 0
    this.#compactTo = Math.max(this.#compactTo, index)
    if (waits) return
    const compacting = this.#last.then(async () => {
      const to = this.#compactTo
      this.#compactTo = 0
      await this.#store.compact(to)
    })
    this.#last = compacting.catch(() => undefined)
    await compacting
  }

  /** When the running read or compaction is over, so that the store may be closed. Never rejects. */
  async idle(): Promise<void> {
    await this.#last
  }
}
