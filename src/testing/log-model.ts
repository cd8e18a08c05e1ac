// A log in its plainest form: an array, and what the contract of LogStore says about it. The random case of the log
// store suite runs a store beside it. Written from the contract, not from a store; correct before it is fast.
import type { HardState, LogEntry, LogIndex } from '../core/types.js'
import type { LogWrite, RestoredLog, StoreIdentity } from '../interfaces/log-store.js'

/** What a LogStore must hold after the same calls. */
export class LogModel {
  hardState: HardState = { currentTerm: 0, votedFor: null }
  identity: StoreIdentity | null = null
  baseIndex = 0
  baseTerm = 0
  entries: LogEntry[] = []

  get lastIndex(): LogIndex {
    return this.baseIndex + this.entries.length
  }

  get lastTerm(): number {
    return this.entries.at(-1)?.term ?? this.baseTerm
  }

  write(batch: LogWrite): void {
    if (batch.resetTo !== undefined) {
      this.entries = []
      this.baseIndex = batch.resetTo.index
      this.baseTerm = batch.resetTo.term
    }
    const [first] = batch.entries ?? []
    if (first !== undefined) {
      this.entries = this.entries.filter((entry) => entry.index < first.index)
      this.entries.push(...(batch.entries ?? []))
    }
    this.hardState = batch.hardState ?? this.hardState
    this.identity = batch.identity ?? this.identity
  }

  compact(index: LogIndex): void {
    const forgotten = this.entries.filter((entry) => entry.index <= index)
    const last = forgotten.at(-1)
    if (last === undefined) return
    this.entries = this.entries.slice(forgotten.length)
    this.baseIndex = last.index
    this.baseTerm = last.term
  }

  range(first: LogIndex, last: LogIndex): readonly LogEntry[] {
    if (first <= this.baseIndex || first > this.lastIndex) return []
    return this.entries.filter((entry) => entry.index >= first && entry.index <= last)
  }

  restored(): RestoredLog {
    const starts = this.entries.filter((entry, i) => i === 0 || this.entries[i - 1]?.term !== entry.term)
    return {
      hardState: this.hardState,
      identity: this.identity,
      firstIndex: this.baseIndex + 1,
      lastIndex: this.lastIndex,
      previousTerm: this.baseTerm,
      termRuns: starts.map((entry) => ({ first: entry.index, term: entry.term })),
      configurations: this.entries.filter((entry) => String(entry.type) === 'configuration'),
    }
  }
}
