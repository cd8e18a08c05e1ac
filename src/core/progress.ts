// What a leader knows of one peer (figure 2, "volatile state on leaders") and how much it may send it (F7). `probe`: one
// append at a time, until one fits. `replicate`: a window of ranges, sent before the earlier ones are answered. `snapshot`:
// the log does not hold any more what the peer needs next (§7): a snapshot is sent, and no entries before it got there.
import { assert } from './assert.js'
import type { LogIndex } from './types.js'

export interface Progress {
  state: 'probe' | 'replicate' | 'snapshot'
  nextIndex: LogIndex
  /** Only rises within a replication session (H24). */
  matchIndex: LogIndex
  /** Index of the entry that added the peer: names the replication session together with the term (F12). */
  readonly addedAt: LogIndex
  /** Last index of each range in flight, rising. */
  readonly inflight: LogIndex[]
  /** When it last answered `busy`, ms: the window is one range after that, and twice as wide with each heartbeat interval (F13). */
  busyAt: number
  /** `snapshot`: number of the transfer under way; 0 for none. */
  transfer: number
  /** Of a transfer under way: what it brings ends here or later, so that what lies behind it will be needed. */
  transferIndex: LogIndex
  /** `snapshot`: no transfer begins before this time, ms (H57). */
  transferAt: number
  /** How long the last failed transfer in a row made the next one wait, ms; 0 for none that failed. */
  transferPauseMs: number
  /** `probe`: one was sent and nothing came back yet. */
  probeSent: boolean
  /** Since when something is unanswered or nothing was heard of it, ms: after a heartbeat interval it may be lost. */
  waitingSince: number
  /** When the peer was last heard in this term, ms; null for never. */
  contactAt: number | null
  /** Newest time at which we sent something that the peer answered in this term (F21). */
  confirmedAt: number
  /** Until then, by this leader's clock, the peer elects nobody else (F20). */
  promisedUntil: number
  /** Newest ReadIndex round that the peer answered. */
  confirmedRound: number
  /** Newest `sentMs` that came from it, and of which boot; -1 and 0 for none. */
  peerSentMs: number
  peerBoot: number
  /** The store that it was first heard with when it held something; undefined before that, and where it does not say. */
  storeId: string | undefined
  /** The peer waits to learn that this index is committed: a forward or a read of its own depends on it. */
  awaitsCommit: LogIndex
  /** The highest commit index that a message which the peer can use has told it. */
  toldCommit: LogIndex
}

/** When the leader last heard of the peer, ms. One that just began, or woke from a stall, counts from `quorumCheckSince` on. */
export function heardAt(state: { readonly quorumCheckSince: number }, progress: Progress | undefined): number {
  return Math.max(state.quorumCheckSince, progress?.contactAt ?? Number.NEGATIVE_INFINITY)
}

/** A peer of a new leader: nextIndex is just after the leader's last entry (figure 2). */
export function newProgress(lastIndex: LogIndex, addedAt: LogIndex): Progress {
  return {
    state: 'probe',
    nextIndex: lastIndex + 1,
    matchIndex: 0,
    addedAt,
    inflight: [],
    busyAt: Number.NEGATIVE_INFINITY,
    transfer: 0,
    transferIndex: 0,
    transferAt: 0,
    transferPauseMs: 0,
    probeSent: false,
    waitingSince: 0,
    contactAt: null,
    confirmedAt: Number.NEGATIVE_INFINITY,
    promisedUntil: Number.NEGATIVE_INFINITY,
    confirmedRound: 0,
    peerSentMs: -1,
    peerBoot: 0,
    storeId: undefined,
    awaitsCommit: 0,
    toldCommit: 0,
  }
}

/** Starts over from `nextIndex`, but not below what is known to match. */
export function becomeProbe(progress: Progress, nextIndex: LogIndex): void {
  progress.state = 'probe'
  progress.nextIndex = Math.max(nextIndex, progress.matchIndex + 1)
  progress.probeSent = false
  progress.inflight.length = 0
}

/** What the peer needs next was compacted: `nextIndex` stays where it is, at or below `baseIndex`. */
export function needSnapshot(progress: Progress, baseIndex: LogIndex): void {
  if (progress.nextIndex > baseIndex) return
  progress.state = 'snapshot'
  progress.probeSent = false
  progress.inflight.length = 0
}

/**
 * What is in flight may be lost: starts over from what is known to match. Where that is not known yet the same probe is
 * made again; from matchIndex, which is still 0, the whole log would travel once more (F8).
 */
export function restartProbe(progress: Progress): void {
  becomeProbe(progress, progress.state === 'replicate' ? progress.matchIndex + 1 : progress.nextIndex)
}

export interface WindowOptions {
  /** Ranges in flight at most. */
  readonly inflightMessages: number
  readonly heartbeatIntervalMs: number
}

/** Whether another range may be sent at `now`. A full window for a peer that is over its limits would be refused again. */
export function maySend(progress: Progress, now: number, options: WindowOptions): boolean {
  if (progress.state === 'snapshot') return false
  if (progress.state === 'probe') return !progress.probeSent
  const intervals = Math.floor((now - progress.busyAt) / options.heartbeatIntervalMs)
  return progress.inflight.length < Math.min(2 ** intervals, options.inflightMessages)
}

/** A range up to `last` was put out; `joined` when it became part of the one before. */
export function sentRange(progress: Progress, last: LogIndex, joined: boolean): void {
  assert(last >= progress.nextIndex, `range up to ${last} begins at ${progress.nextIndex}`)
  if (progress.state === 'probe') {
    progress.probeSent = true
    return
  }
  if (joined) progress.inflight.pop()
  progress.inflight.push(last)
  progress.nextIndex = last + 1
}

/**
 * The peer holds everything up to `index`, durably. Returns whether that is news. In `probe` an answer that reaches
 * matchIndex proves that the logs meet there; an older one proves nothing about what is in flight. In `snapshot` it is the
 * caller who sees whether the log goes on behind it.
 */
export function acknowledge(progress: Progress, index: LogIndex): boolean {
  if (index < progress.matchIndex) return false
  const moved = index > progress.matchIndex
  progress.matchIndex = index
  if (progress.state !== 'replicate') {
    progress.state = 'replicate'
    progress.probeSent = false
    progress.nextIndex = index + 1
    return moved
  }
  progress.nextIndex = Math.max(progress.nextIndex, index + 1)
  const unanswered = progress.inflight.findIndex((last) => last > index)
  progress.inflight.splice(0, unanswered === -1 ? progress.inflight.length : unanswered)
  return moved
}
