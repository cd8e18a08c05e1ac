// The log that is durable on a simulated disk: where it begins, its entries, and what a batch, a compaction and a reset
// make of it. It knows no time, no faults and no crashes; those are the disk's.
import { isConfiguration } from '../stores/log-shape.js'
import type { HardState, LogEntry, LogIndex, Term } from '../core/types.js'
import type { LogWrite, RestoredLog } from '../interfaces/log-store.js'

/** Survives with the disk that it lies on. */
export class DurableLog {
  /** The last entry that was forgotten; 0 and term 0 for none. */
  #base: { readonly index: LogIndex; readonly term: Term } = { index: 0, term: 0 }
  #entries: LogEntry[] = []

  get baseIndex(): LogIndex {
    return this.#base.index
  }

  get lastIndex(): LogIndex {
    return this.#base.index + this.#entries.length
  }

  /** What is left of it. */
  get entries(): readonly LogEntry[] {
    return this.#entries
  }

  /** The entry at `index`; undefined for one that was forgotten. */
  at(index: LogIndex): LogEntry | undefined {
    return this.#entries[index - this.#base.index - 1]
  }

  /** A batch takes effect: reset, truncation, entries. */
  apply({ resetTo, entries }: LogWrite): void {
    if (resetTo !== undefined) {
      this.#base = resetTo
      this.#entries = []
    }
    const first = entries?.[0]
    if (entries === undefined || first === undefined) return
    this.#entries.length = Math.min(this.#entries.length, Math.max(0, first.index - this.#base.index - 1))
    this.#entries.push(...entries)
  }

  /** Forgets entries up to and including `index`, at most up to the last one. */
  compact(index: LogIndex): void {
    const last = this.at(Math.min(index, this.lastIndex))
    if (last === undefined) return
    this.#entries = this.#entries.slice(last.index - this.#base.index)
    this.#base = { index: last.index, term: last.term }
  }

  /** As a store restores it. */
  restored(): Pick<RestoredLog, 'firstIndex' | 'lastIndex' | 'previousTerm' | 'termRuns' | 'configurations'> {
    const termRuns: { first: LogIndex; term: Term }[] = []
    for (const { index, term } of this.#entries)
      if (termRuns.at(-1)?.term !== term) termRuns.push({ first: index, term })
    const { index, term: previousTerm } = this.#base
    const configurations = this.#entries.filter(isConfiguration)
    return { firstIndex: index + 1, lastIndex: this.lastIndex, previousTerm, termRuns, configurations }
  }

  /** What must be true of a batch beside what is durable already; null when all is well. */
  problemOf(batch: LogWrite, hardState: HardState): string | null {
    const next = batch.hardState
    if (next !== undefined) {
      if (next.currentTerm < hardState.currentTerm)
        return `currentTerm fell from ${hardState.currentTerm} to ${next.currentTerm}`
      const isSameTerm = next.currentTerm === hardState.currentTerm
      if (isSameTerm && hardState.votedFor !== null && next.votedFor !== hardState.votedFor) {
        return `the vote of term ${next.currentTerm} changed from ${hardState.votedFor} to ${next.votedFor}`
      }
    }
    const { entries, resetTo } = batch
    const first = entries?.[0]
    if (entries === undefined || first === undefined) return null
    const [baseIndex, lastIndex] =
      resetTo === undefined ? [this.baseIndex, this.lastIndex] : [resetTo.index, resetTo.index]
    if (first.index > lastIndex + 1) return `entry ${first.index} leaves a gap behind ${lastIndex}`
    if (first.index <= baseIndex) return `entry ${first.index} is in front of the log, which begins behind ${baseIndex}`
    const isContiguous = entries.every((entry, at) => entry.index === first.index + at)
    return isContiguous ? null : `entries from ${first.index} on are not contiguous`
  }
}
