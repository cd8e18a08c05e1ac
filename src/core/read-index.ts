// Linearizable reads without a log entry (§8, thesis §6.4), and how fresh a local one is (F19, F21). A read is answered
// with an index at which a quorum still followed this leader *after* the read arrived.
import type { Core } from './core.js'
import { broadcastHeartbeat } from './heartbeat.js'
import type { ReadEvent } from './event.js'
import { hasLease } from './lease.js'
import type { ReadIndexRequest, ReadIndexResponse } from './messages.js'
import { isSoleVoter, quorumValue } from './quorum.js'
import { send } from './send.js'
import type { CoreState, PendingRead } from './state.js'
import type { LogIndex, NodeId } from './types.js'

/** Reads that wait at once; beyond it they are asked to come again. */
export const MAX_PENDING_READS = 16_384

/** A read of this node: on the leader it waits for a round, unless it has a lease; on a follower the leader is asked. */
export function onRead(core: Core, { id, byLease }: Pick<ReadEvent, 'id' | 'byLease'>): void {
  const { state, options, output } = core
  const waiting = state.reads.length + state.forwardedReads.size
  if (state.leaderId === null || waiting >= MAX_PENDING_READS) {
    output.reads.push({ type: 'retry', id })
  } else if (state.role === 'leader' && byLease && hasLease(core)) {
    output.reads.push({ type: 'ready', id, readIndex: state.commitIndex, isByOwnLease: true })
  } else if (state.role === 'leader') {
    state.reads.push({ id, origin: null, boot: options.boot, round: null, readIndex: 0 })
    startRound(core)
  } else {
    state.forwardedReads.set(id, state.now)
    send(core, state.leaderId, {
      type: 'readIndexRequest',
      term: state.currentTerm,
      boot: options.boot,
      number: id,
      byLease,
    })
  }
}

/** A follower's read. */
export function handleReadIndexRequest(core: Core, from: NodeId, message: ReadIndexRequest): void {
  const { state } = core
  const { boot, number } = message
  if (state.role !== 'leader' || message.term !== state.currentTerm || state.reads.length >= MAX_PENDING_READS) {
    send(core, from, { type: 'readIndexResponse', term: state.currentTerm, boot, number, readIndex: -1 })
    return
  }
  const read = { id: number, origin: from, boot }
  if (message.byLease && hasLease(core)) {
    finish(core, { ...read, readIndex: state.commitIndex })
    return
  }
  state.reads.push({ ...read, round: null, readIndex: 0 })
  startRound(core)
}

/** The leader's answer; one to an earlier boot, or to a read that was started again since, is nobody's (H65, H66). */
export function handleReadIndexResponse(core: Core, message: ReadIndexResponse): void {
  const { state, options, output } = core
  if (message.boot !== options.boot || !state.forwardedReads.delete(message.number)) return
  const { number: id, readIndex } = message
  output.reads.push(readIndex < 0 ? { type: 'retry', id } : { type: 'ready', id, readIndex })
}

/**
 * Gives the waiting reads a round, unless one is under way: they wait for its end or for the next heartbeat. A read takes
 * a number above the last one sent, never one that is on its way: joining that would be stale on asymmetric links (H121).
 */
export function startRound(core: Core): void {
  const { state, options } = core
  if (state.reads.length === 0 || state.reads[0]?.round !== null) return
  // Before an entry of its own term is committed a leader doesn't know how much is (H63).
  if (state.commitIndex < state.termFirstIndex) return
  numberWaitingReads(state)
  if (isSoleVoter(state.quorum, options.id)) finishConfirmedReads(core)
  else broadcastHeartbeat(core)
}

/** A heartbeat is due: it opens a round for the reads that wait, also while an earlier one may be lost. */
export function heartbeatRound(core: Core): void {
  if (core.state.commitIndex >= core.state.termFirstIndex) numberWaitingReads(core.state)
  broadcastHeartbeat(core)
}

/** Answers every read whose round a quorum has confirmed, and opens the next round. */
export function finishConfirmedReads(core: Core): void {
  const { state, options } = core
  if (state.reads.length === 0) return
  const confirmed = quorumValue(state.quorum, (id) =>
    id === options.id ? state.readRound : (state.progress.get(id)?.confirmedRound ?? 0),
  )
  const isConfirmed = (read: PendingRead) => read.round !== null && read.round <= confirmed
  const waiting = state.reads.findIndex((read) => !isConfirmed(read))
  for (const read of state.reads.splice(0, waiting === -1 ? state.reads.length : waiting)) finish(core, read)
  startRound(core)
}

/** A change of term or role: every read starts again with a new index; a follower asks again for its own (F19). */
export function restartReads(core: Core): void {
  const { state, output } = core
  for (const read of state.reads) if (read.origin === null) output.reads.push({ type: 'retry', id: read.id })
  for (const id of state.forwardedReads.keys()) output.reads.push({ type: 'retry', id })
  state.reads.length = 0
  state.forwardedReads.clear()
}

/** The request or its answer may be lost: after an election timeout the read is asked again with a new id. */
export function expireForwardedReads(core: Core): void {
  const { state, options, output } = core
  for (const [id, sentAt] of state.forwardedReads) {
    if (state.now < sentAt + options.electionTimeoutMs) return
    state.forwardedReads.delete(id)
    output.reads.push({ type: 'retry', id })
  }
}

/**
 * A heartbeat proved that the leader had committed no more than `commitIndex` at `at`, by this node's own clock. Its
 * arrival proves nothing: a process that was paused reads old heartbeats (F21).
 */
export function observeFreshness(state: CoreState, at: number, commitIndex: LogIndex): void {
  if (state.lastApplied >= commitIndex) state.freshAt = Math.max(state.freshAt, at)
  else state.freshPending ??= { at, commitIndex }
}

/**
 * Age in ms of what this node has applied: its state held everything that was committed that long ago. Infinity when
 * that is not known (F21).
 */
export function freshness(state: CoreState, now: number): number {
  return state.role === 'leader' ? leaderFreshness(state, now) : now - state.freshAt
}

/** More was applied: it may be what the leader had committed. */
export function settleFreshness(state: CoreState): void {
  if (state.freshPending === null || state.lastApplied < state.freshPending.commitIndex) return
  state.freshAt = Math.max(state.freshAt, state.freshPending.at)
  state.freshPending = null
}

/** A leader knows everything committed as of when a quorum surely followed it, once its own term has committed. */
function leaderFreshness(state: CoreState, now: number): number {
  if (state.lastApplied < state.commitIndex || state.commitIndex < state.termFirstIndex) return Number.POSITIVE_INFINITY
  return (
    now -
    quorumValue(state.quorum, (id) => {
      return id === state.leaderId ? now : (state.progress.get(id)?.confirmedAt ?? Number.NEGATIVE_INFINITY)
    })
  )
}

function numberWaitingReads(state: CoreState): void {
  if (state.reads.at(-1)?.round !== null) return
  state.readRound += 1
  for (let at = state.reads.length - 1; at >= 0 && state.reads[at]?.round === null; at--) {
    const read = state.reads[at] as PendingRead
    read.round = state.readRound
    read.readIndex = state.commitIndex
  }
}

function finish(core: Core, read: Omit<PendingRead, 'round'>): void {
  const { state, output } = core
  const { id, origin, boot, readIndex } = read
  if (origin === null) {
    output.reads.push({ type: 'ready', id, readIndex })
    return
  }
  const progress = state.progress.get(origin)
  if (progress !== undefined) progress.awaitsCommit = Math.max(progress.awaitsCommit, readIndex)
  send(core, origin, { type: 'readIndexResponse', term: state.currentTerm, boot, number: id, readIndex })
}
