// The sessions of the cluster (§8, F18): part of the replicated state, changed by entries of the log alone and so the same on
// every node. Decides whether a command runs, gets its first answer again, or is refused; never runs one twice. Its bounds
// are constants of the format, and its only clock is log time.
import type { LogEntry, LogIndex } from '../../core/types.js'
import type { NodeRules } from '../node-rules.js'
import type { SessionEntry } from './session-entry.js'
import { answersBytes, recordBytes, type SessionAnswer, type SessionRecord } from './session-record.js'
import { SessionRing } from './session-ring.js'

/** Answers that are kept for one session; another command waits for an acknowledgement. */
export const MAX_ANSWERS = 1_024
/** Their bytes; the last one may go beyond. */
export const MAX_ANSWER_BYTES: number = 1024 * 1024
/** All sessions together, bytes as `recordBytes` counts; about a quarter of a million of those that keep nothing. */
export const MAX_TABLE_BYTES: number = 64 * 1024 * 1024
/** Sessions that are looked at for expiry beside each entry, and before one is refused for want of room. */
const SWEPT_PER_ENTRY = 2
const SWEPT_WHEN_FULL = 64

/** Why a step of a session had no effect: `expired` may also never have been; `overtaken` never ran, a later one did. */
export type SessionRefusal = 'expired' | 'acknowledged' | 'overtaken' | 'answersFull' | 'tableFull'

/** What an entry of a session became: the result of its apply. */
export type SessionReply =
  | {
      readonly type: 'opened'
      readonly openedAt: LogIndex
      readonly acknowledged: number
      readonly lastSequence: number
    }
  | { readonly type: 'answered'; readonly answer: SessionAnswer }
  | { readonly type: 'refused'; readonly reason: SessionRefusal }
  | { readonly type: 'closed' }

type Command = Extract<SessionEntry, { readonly type: 'command' }>

/** What is to be done with a command. */
export type CommandVerdict = { readonly type: 'run'; readonly record: SessionRecord } | SessionReply

export type SessionTableRules = Pick<NodeRules, 'isSessionExpired' | 'isSessionAnswerKept'>

export class SessionTable {
  readonly #rules: SessionTableRules
  #records = new SessionRing()
  #bytes = 0

  constructor(rules: SessionTableRules) {
    this.#rules = rules
  }

  get size(): number {
    return this.#records.size
  }

  get bytes(): number {
    return this.#bytes
  }

  open(
    { index, timestamp }: LogEntry,
    { id, openedAt, ttlMs }: Extract<SessionEntry, { readonly type: 'open' }>,
  ): SessionReply {
    this.#sweep(timestamp)
    const held = this.#living(id, timestamp)
    if (openedAt !== 0 && held?.openedAt !== openedAt) return { type: 'refused', reason: 'expired' }
    if (held !== null) {
      this.#put({ ...held, activeAt: Math.max(held.activeAt, timestamp) })
      return openedOf(held)
    }
    if (!this.#hasRoom(timestamp)) return { type: 'refused', reason: 'tableFull' }
    const life = { openedAt: index, ttlMs, activeAt: timestamp }
    const record = { id, ...life, acknowledged: 0, lastSequence: 0, answers: [], answersBytes: 0 }
    this.#put(record)
    return openedOf(record)
  }

  close({ timestamp }: LogEntry, { id, openedAt }: Extract<SessionEntry, { readonly type: 'close' }>): SessionReply {
    this.#sweep(timestamp)
    if (this.#records.get(id)?.openedAt === openedAt) this.#delete(id)
    return { type: 'closed' }
  }

  /** Before a command runs, or instead of it. */
  judge({ timestamp }: LogEntry, command: Command): CommandVerdict {
    const { id, openedAt, sequence } = command
    this.#sweep(timestamp)
    const held = this.#living(id, timestamp)
    if (held === null || held.openedAt !== openedAt) return { type: 'refused', reason: 'expired' }
    const record = this.#acknowledge(held, command.acknowledged, timestamp)
    this.#put(record)
    if (sequence <= record.acknowledged) return { type: 'refused', reason: 'acknowledged' }
    const answer = answerTo(record, sequence)
    if (answer !== undefined) return { type: 'answered', answer }
    if (sequence <= record.lastSequence) return { type: 'refused', reason: 'overtaken' }
    const isFull = record.answers.length >= MAX_ANSWERS || record.answersBytes >= MAX_ANSWER_BYTES
    if (isFull) return { type: 'refused', reason: 'answersFull' }
    if (!this.#hasRoom(timestamp)) return { type: 'refused', reason: 'tableFull' }
    return { type: 'run', record }
  }

  /** The command of that record ran. */
  answered(record: SessionRecord, answer: SessionAnswer): SessionReply {
    const { sequence } = answer
    const kept = this.#rules.isSessionAnswerKept() ? [answer] : []
    const answers = [...record.answers, ...kept]
    this.#put({ ...record, lastSequence: sequence, answers, answersBytes: record.answersBytes + answersBytes(kept) })
    return { type: 'answered', answer }
  }

  /** All of them at this moment, in their order. */
  capture(): readonly SessionRecord[] {
    return this.#records.toArray()
  }

  /** Takes the place of all. */
  replace(records: readonly SessionRecord[]): void {
    this.#records = new SessionRing()
    this.#bytes = 0
    for (const record of records) this.#put(record)
  }

  #living(id: string, timestamp: number): SessionRecord | null {
    const held = this.#records.get(id)
    return held === undefined || this.#isExpired(held, timestamp) ? null : held
  }

  #isExpired({ activeAt, ttlMs }: SessionRecord, timestamp: number): boolean {
    return this.#rules.isSessionExpired(timestamp - activeAt, ttlMs)
  }

  #acknowledge(record: SessionRecord, upTo: number, timestamp: number): SessionRecord {
    const activeAt = Math.max(record.activeAt, timestamp)
    if (upTo <= record.acknowledged) return { ...record, activeAt }
    const answers = record.answers.filter(({ sequence }) => sequence > upTo)
    // A client that counts further than anything that ran means it: none of those will run.
    const lastSequence = Math.max(record.lastSequence, upTo)
    return { ...record, activeAt, acknowledged: upTo, lastSequence, answers, answersBytes: answersBytes(answers) }
  }

  #hasRoom(timestamp: number): boolean {
    if (this.#bytes < MAX_TABLE_BYTES) return true
    for (let count = 0; count < SWEPT_WHEN_FULL; count++) this.#lookAtNext(timestamp)
    return this.#bytes < MAX_TABLE_BYTES
  }

  #sweep(timestamp: number): void {
    for (let count = 0; count < SWEPT_PER_ENTRY; count++) this.#lookAtNext(timestamp)
  }

  /** The one that was not looked at for longest: gone, or behind all others. */
  #lookAtNext(timestamp: number): void {
    const record = this.#records.turn()
    if (record !== undefined && this.#isExpired(record, timestamp)) this.#delete(record.id)
  }

  #put(record: SessionRecord): void {
    const before = this.#records.get(record.id)
    if (before !== undefined) this.#bytes -= recordBytes(before)
    this.#records.set(record)
    this.#bytes += recordBytes(record)
  }

  #delete(id: string): void {
    const held = this.#records.get(id)
    if (held === undefined) return
    this.#records.delete(id)
    this.#bytes -= recordBytes(held)
  }
}

function openedOf({ openedAt, acknowledged, lastSequence }: SessionRecord): SessionReply {
  return { type: 'opened', openedAt, acknowledged, lastSequence }
}

/** The answers are in the order of their sequences. */
function answerTo({ answers }: SessionRecord, sequence: number): SessionAnswer | undefined {
  let [low, high] = [0, answers.length]
  while (low < high) {
    const middle = (low + high) >>> 1
    if ((answers[middle]?.sequence ?? 0) < sequence) low = middle + 1
    else high = middle
  }
  return answers[low]?.sequence === sequence ? answers[low] : undefined
}
