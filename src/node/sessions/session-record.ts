// What every node knows of one session. Records are never changed, only replaced: a snapshot keeps those of its moment
// while commands go on.
import type { LogIndex, Term } from '../../core/types.js'

/** What became of one command, as it is kept until the client has it. */
export interface SessionAnswer {
  readonly sequence: number
  /** Where the command stood when it ran. */
  readonly index: LogIndex
  readonly term: Term
  /** `none`: it returned undefined. `value`: encoded. `unencodable`: the reason, as UTF-8; the command did run. */
  readonly type: 'none' | 'value' | 'unencodable'
  readonly data: Uint8Array
}

export interface SessionRecord {
  readonly id: string
  /** Index of the entry that opened it. */
  readonly openedAt: LogIndex
  readonly ttlMs: number
  /** Log time of its last entry. */
  readonly activeAt: number
  /** The client needs no answer up to here any more: a command up to here never runs. */
  readonly acknowledged: number
  /** Highest sequence that ran. */
  readonly lastSequence: number
  /** Of the sequences above `acknowledged` that ran, rising. */
  readonly answers: readonly SessionAnswer[]
  /** Of those, as `answersBytes` counts. */
  readonly answersBytes: number
}

/** What a session costs in memory beside its answers, about, bytes. */
const RECORD_BYTES = 256
/** And an answer beside its data. */
const ANSWER_BYTES = 64

/** What it counts for in the bound of the table. */
export function recordBytes(record: Pick<SessionRecord, 'answersBytes'>): number {
  return RECORD_BYTES + record.answersBytes
}

/** Kept for one session, bytes. */
export function answersBytes(answers: readonly SessionAnswer[]): number {
  let bytes = 0
  for (const { data } of answers) bytes += ANSWER_BYTES + data.length
  return bytes
}
