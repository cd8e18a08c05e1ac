// What a node has written and what it still writes, as plain data, by the rules of the driver's LogWriter: one write at a
// time, what is handed out meanwhile becomes the next one, and answers wait for their own write and every one before.
import { assert } from '../../core/assert.js'
import { decodeConfiguration } from '../../core/configuration-codec.js'
import type { Envelope } from '../../core/messages.js'
import type { Output } from '../../core/output.js'
import type { HardState, LogEntry, LogIndex, Term } from '../../core/types.js'
import type { HeldConfiguration } from './configurations.js'
import type { Snapshot } from './snapshots.js'

/** One write, merged from one Output or several; never changed once made. */
export interface PendingWrite {
  readonly hardState: HardState | null
  /** Index of the first entry; 0 where there is none. */
  readonly first: LogIndex
  readonly terms: readonly Term[]
  /** Which of the entries are configurations; rising by index. */
  readonly configurations: readonly HeldConfiguration[]
  readonly epoch: number
  /** Longest lease promise; undefined where it holds none. */
  readonly leasePromiseMs?: number | undefined
  /** What leaves when it is durable. */
  readonly waiting: readonly Envelope[]
}

export interface Disk {
  readonly hardState: HardState
  /** Longest lease ever promised, ms (F20). */
  readonly leasePromiseMs: number
  /** The newest snapshot; null for none. */
  readonly snapshot: Snapshot | null
  /** The log begins behind it: 0, or the last entry that was compacted or that a snapshot stands for. */
  readonly baseIndex: LogIndex
  /** Terms of the durable entries, from index 1 on: those up to the base are what the state machine has of them. */
  readonly terms: readonly Term[]
  /** Which of them are configurations; rising by index. */
  readonly configurations: readonly HeldConfiguration[]
  /** The write under way. */
  readonly running: PendingWrite | null
  /** What the next one will hold. */
  readonly next: PendingWrite | null
  /** A snapshot that takes the place of the log just now; nobody remembers that after a crash. */
  readonly installing: Snapshot | null
  /** It took the place of one that was lost. */
  readonly isWiped: boolean
}

/** When the answers of an Output may leave; a wrong one is a seeded bug. */
export type AnswersWait = (position: {
  readonly writes: boolean
  readonly hasEarlierWrites: boolean
  readonly answers: readonly Envelope[]
}) => boolean

export const ANSWERS_WAIT: AnswersWait = ({ writes, hasEarlierWrites }) => writes || hasEarlierWrites

export const EMPTY_DISK: Disk = {
  hardState: { currentTerm: 0, votedFor: null },
  leasePromiseMs: 0,
  snapshot: null,
  baseIndex: 0,
  terms: [],
  configurations: [],
  running: null,
  next: null,
  installing: null,
  isWiped: false,
}

/** What is there where a disk was lost. */
export const WIPED_DISK: Disk = { ...EMPTY_DISK, isWiped: true }

const NOTHING: PendingWrite = { hardState: null, first: 0, terms: [], configurations: [], epoch: 0, waiting: [] }

type Handed = Pick<Output, 'append' | 'hardState' | 'messagesAfterPersist' | 'leasePromiseMs'>

/** Takes what an Output wants written: a promise first, then the rest. Returns what may leave at once. */
export function submit(
  before: Disk,
  output: Handed,
  answersWait: AnswersWait = ANSWERS_WAIT,
): { readonly disk: Disk; readonly released: readonly Envelope[] } {
  const { messagesAfterPersist: answers, leasePromiseMs } = output
  const disk = leasePromiseMs === undefined ? before : submitPromise(before, leasePromiseMs)
  const writes = output.append !== undefined || output.hardState !== undefined
  const hasEarlierWrites = disk.running !== null || disk.next !== null
  let { running, next } = disk
  if (writes) next = merge(next ?? NOTHING, output)
  let released: readonly Envelope[] = []
  if (answers.length > 0) {
    if (!answersWait({ writes, hasEarlierWrites, answers }) || (next === null && running === null)) released = answers
    else if (next !== null) next = { ...next, waiting: [...next.waiting, ...answers] }
    else if (running !== null) running = { ...running, waiting: [...running.waiting, ...answers] }
  }
  if (running === null) [running, next] = [next, null]
  return { disk: { ...disk, running, next }, released }
}

function submitPromise(disk: Disk, leasePromiseMs: number): Disk {
  const write = { ...(disk.next ?? NOTHING), leasePromiseMs }
  return disk.running === null ? { ...disk, running: write } : { ...disk, next: write }
}

/** The write under way is durable, and the next one begins. Returns it, with what may leave now. */
export function complete(disk: Disk): { readonly disk: Disk; readonly write: PendingWrite } {
  const { running: write } = disk
  assert(write !== null, 'a write is under way')
  return { disk: { ...durable(disk, write), running: disk.next, next: null }, write }
}

/** What is found after a crash. A write under way is there whole or not at all: so LogStore promises. */
export function afterCrash(disk: Disk, survives: boolean): Disk {
  const kept = survives && disk.running !== null ? durable(disk, disk.running) : disk
  return { ...kept, running: null, next: null, installing: null }
}

function durable(disk: Disk, write: PendingWrite): Disk {
  const hardState = write.hardState ?? disk.hardState
  const leasePromiseMs = write.leasePromiseMs ?? disk.leasePromiseMs
  const { first } = write
  if (write.terms.length === 0) return { ...disk, hardState, leasePromiseMs }
  const terms = disk.terms.slice(0, first - 1)
  assert(terms.length === first - 1, `the log on disk reaches ${first}`)
  const configurations = heldBefore(disk.configurations, first)
  return {
    ...disk,
    hardState,
    leasePromiseMs,
    terms: [...terms, ...write.terms],
    configurations: [...configurations, ...write.configurations],
  }
}

/** A later run of entries replaces what it overlaps, as in the store. */
function merge(write: PendingWrite, { append, hardState }: Pick<Output, 'append' | 'hardState'>): PendingWrite {
  const merged = { ...write, hardState: hardState ?? write.hardState }
  if (append === undefined) return merged
  const { epoch } = append
  const added = append.entries.map((entry) => entry.term)
  const start = append.entries[0]?.index ?? 0
  const kept = start - (write.first === 0 ? start : write.first)
  const configurations = [...heldBefore(write.configurations, start), ...configurationsOf(append.entries)]
  if (kept <= 0) return { ...merged, first: start, terms: added, configurations, epoch }
  return { ...merged, terms: [...write.terms.slice(0, kept), ...added], configurations, epoch }
}

function heldBefore(held: readonly HeldConfiguration[], first: LogIndex): readonly HeldConfiguration[] {
  return held.filter(({ index }) => index < first)
}

function configurationsOf(entries: readonly LogEntry[]): readonly HeldConfiguration[] {
  return entries.flatMap(({ type, index, data }) => {
    if (type !== 'configuration') return []
    const configuration = decodeConfiguration(data)
    assert(configuration !== null, `entry ${index} is a configuration`)
    return [{ index, configuration }]
  })
}
