// The newest entries in memory: at least those that are not durable yet, which only live here, and a bounded tail for
// followers that keep up and for apply. Truncation drops them here as in the store.
import type { LogEntry, LogIndex } from '../core/types.js'

/** Payload and overhead of the durable entries that are kept, bytes. */
export const ENTRY_CACHE_BYTES: number = 16 * 1024 * 1024
/** What an entry costs in memory beside its payload, about. */
const ENTRY_COST_BYTES = 128

export class EntryCache {
  readonly #limitBytes: number
  /** Contiguous. Those before `#head` are gone. */
  #entries: (LogEntry | undefined)[] = []
  #head = 0
  #firstIndex: LogIndex = 1
  #sizeBytes = 0

  constructor(limitBytes: number = ENTRY_CACHE_BYTES) {
    this.#limitBytes = limitBytes
  }

  /** First index that is held; one beyond the last when nothing is. */
  get firstIndex(): LogIndex {
    return this.#firstIndex
  }

  get lastIndex(): LogIndex {
    return this.#firstIndex + this.#entries.length - this.#head - 1
  }

  get sizeBytes(): number {
    return this.#sizeBytes
  }

  /** Takes entries as they are handed to the writer: what is held from the first of them on is dropped. */
  append(entries: readonly LogEntry[]): void {
    const first = entries[0]
    if (first === undefined) return
    if (first.index < this.#firstIndex || first.index > this.lastIndex + 1) this.#clear(first.index)
    while (this.lastIndex >= first.index) this.#sizeBytes -= costOf(this.#entries.pop())
    for (const entry of entries) {
      this.#entries.push(entry)
      this.#sizeBytes += costOf(entry)
    }
  }

  get(index: LogIndex): LogEntry | undefined {
    return index < this.#firstIndex ? undefined : this.#entries[this.#head + index - this.#firstIndex]
  }

  /** Entries from `first` up to `last`, as far as `maxBytes` of payload goes but at least one; [] when `first` isn't held. */
  slice(range: { first: LogIndex; last: LogIndex }, maxBytes: number): readonly LogEntry[] {
    const entries: LogEntry[] = []
    let bytes = 0
    for (let index = range.first; index <= range.last; index++) {
      const entry = this.get(index)
      if (entry === undefined) break
      bytes += entry.data.length
      if (entries.length > 0 && bytes > maxBytes) break
      entries.push(entry)
    }
    return entries
  }

  /** The log was replaced by a snapshot of `index`. */
  reset(index: LogIndex): void {
    this.#clear(index + 1)
  }

  /** Forgets the oldest durable entries, as far as the bound demands it. */
  trim(persistedIndex: LogIndex): void {
    while (
      this.#sizeBytes > this.#limitBytes &&
      this.#firstIndex <= persistedIndex &&
      this.#head < this.#entries.length
    ) {
      this.#sizeBytes -= costOf(this.#entries[this.#head])
      this.#entries[this.#head] = undefined
      this.#head += 1
      this.#firstIndex += 1
    }
    if (this.#head > 1024 && this.#head * 2 > this.#entries.length) {
      this.#entries = this.#entries.slice(this.#head)
      this.#head = 0
    }
  }

  #clear(nextIndex: LogIndex): void {
    this.#entries = []
    this.#head = 0
    this.#firstIndex = nextIndex
    this.#sizeBytes = 0
  }
}

function costOf(entry: LogEntry | undefined): number {
  return entry === undefined ? 0 : entry.data.length + ENTRY_COST_BYTES
}
