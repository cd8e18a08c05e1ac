// How much of the log is kept behind a snapshot (F27): the trailing entries of the policy for anyone, and more for a peer that
// catches up, but no more bytes than it would get with a snapshot. Counts bytes; entries and peers are the core's to judge.
import type { SnapshotTakenEvent } from '../core/event.js'
import type { LogIndex } from '../core/types.js'
import type { ResolvedSnapshotPolicy } from './snapshot-policy.js'

/** Payload that is kept for peers at most, bytes; behind a larger snapshot as much as that has. */
export const MAX_BYTES_KEPT_FOR_PEERS: number = 1024 * 1024 * 1024
/** Marks that are told apart within that. */
const MARKS = 64

export interface Taken {
  readonly lastIncludedIndex: LogIndex
  /** Of the snapshot. */
  readonly sizeBytes: number
  /** Payload that was applied since the start, up to there or a little further. */
  readonly appliedBytes: number
}

/** Read whenever it counts: it may change. */
export interface RetentionSettings {
  readonly snapshot: Pick<ResolvedSnapshotPolicy, 'trailingEntries'>
}

export class LogRetention {
  readonly #settings: RetentionSettings
  /** Where the log was when so many bytes had been applied, rising. What was applied before the start counts nothing. */
  #marks: { readonly index: LogIndex; readonly bytes: number }[] = []

  constructor(settings: RetentionSettings) {
    this.#settings = settings
  }

  /** What the log may forget behind a durable snapshot. */
  onTaken({ lastIncludedIndex, sizeBytes, appliedBytes }: Taken): Omit<SnapshotTakenEvent, 'type' | 'now'> {
    const mostBytes = Math.max(MAX_BYTES_KEPT_FOR_PEERS, sizeBytes)
    const floor = this.#marks.findLastIndex(({ bytes }) => appliedBytes - bytes >= mostBytes)
    const expendableIndex = this.#marks[floor]?.index ?? 0
    this.#marks.splice(0, floor)
    const newest = this.#marks.at(-1)
    if (newest === undefined || appliedBytes - newest.bytes >= mostBytes / MARKS)
      this.#marks.push({ index: lastIncludedIndex, bytes: appliedBytes })
    const compactableIndex = Math.max(0, lastIncludedIndex - this.#settings.snapshot.trailingEntries)
    return { lastIncludedIndex, compactableIndex, expendableIndex }
  }
}
