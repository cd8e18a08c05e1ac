// The leader's side of §5.3 and §5.4.2: its own log, the window of each peer, and what is committed.
import { assert } from './assert.js'
import type { Core } from './core.js'
import { announceCommit, sendHeartbeat } from './heartbeat.js'
import { appendRun, lastIndexOfTermAtMost, termAt } from './log-trail.js'
import type { AppendEntriesResponse, HeartbeatResponse } from './messages.js'
import { notePromise, restartLease } from './lease.js'
import { acknowledge, becomeProbe, maySend, needSnapshot, type Progress, restartProbe, sentRange } from './progress.js'
import { finishConfirmedReads, startRound } from './read-index.js'
import { sendRange } from './send.js'
import { continueSnapshot, forgetFailures } from './snapshot-transfer.js'
import { continueTransfer } from './transfer.js'
import type { LogEntry, LogIndex, NodeId } from './types.js'

/** Appends to the leader's own log, at consecutive indexes of its term, with log time (F34). Returns the first index. */
export function appendToOwnLog(core: Core, payloads: readonly Pick<LogEntry, 'type' | 'data'>[]): LogIndex {
  assert(core.state.role === 'leader' && payloads.length > 0, 'only a leader appends, and something')
  return appendNext(core, payloads)
}

/** Entries of this node's own at the end of its log. Only a leader's, but for the one that founds a cluster (F25). */
export function appendNext(core: Core, payloads: readonly Pick<LogEntry, 'type' | 'data'>[]): LogIndex {
  const { state, output } = core
  const first = state.log.lastIndex + 1
  state.logTime = Math.max(state.logTime, state.wallTime)
  const common = { term: state.currentTerm, timestamp: state.logTime }
  const entries = payloads.map(({ type, data }, at): LogEntry => ({ index: first + at, type, data, ...common }))
  appendRun(state.log, { first, last: first + entries.length - 1, term: state.currentTerm })
  output.addEntries(entries, state.epoch)
  return first
}

/** To every peer whose window has room. */
export function broadcastAppends(core: Core): void {
  for (const [peer, progress] of core.state.progress) replicateTo(core, peer, progress)
}

/** Sends what the peer does not have, as far as its window allows (F7, F9). */
export function replicateTo(core: Core, peer: NodeId, progress: Progress): void {
  const { state, options } = core
  while (progress.nextIndex <= state.log.lastIndex && maySend(progress, state.now, options)) {
    if (progress.inflight.length === 0) progress.waitingSince = state.now
    const last = Math.min(state.log.lastIndex, progress.nextIndex + options.appendEntries - 1)
    const joined = sendAppend(core, peer, progress, last)
    sentRange(progress, last, joined)
  }
}

/** The answer to AppendEntries. One of another replication session changes nothing (F12). */
export function handleAppendEntriesResponse(core: Core, from: NodeId, message: AppendEntriesResponse): void {
  const { state } = core
  const progress = sessionWith(core, from, message)
  if (progress === null || message.index > state.log.lastIndex) return
  progress.contactAt = state.now
  if (message.outcome === 'busy') {
    progress.busyAt = state.now
    restartProbe(progress)
    needSnapshot(progress, state.log.baseIndex)
    waitForHeartbeat(core, progress)
  } else if (message.outcome === 'success') {
    onAcknowledged(core, from, message.index)
  } else if (backtrack(core, progress, message)) {
    replicateTo(core, from, progress)
    continueTransfer(core)
  }
  continueSnapshot(core, from, progress)
}

/** The peer holds everything up to `index`, durably, as it says by entries or by a snapshot. */
export function onAcknowledged(core: Core, peer: NodeId, index: LogIndex): void {
  const { state } = core
  const progress = state.progress.get(peer)
  assert(progress !== undefined, `${peer} has a replication session`)
  const moved = acknowledge(progress, index)
  needSnapshot(progress, state.log.baseIndex)
  continueSnapshot(core, peer, progress)
  if (moved) {
    progress.storeId ??= state.stores.get(peer)
    progress.waitingSince = state.now
    advanceCommit(core)
  }
  replicateTo(core, peer, progress)
  continueTransfer(core)
}

/**
 * The answer to a heartbeat moves no index (F7). It confirms the round, and when nothing was heard of what is in flight
 * for a heartbeat interval, it asks whether it arrived (H29).
 */
export function handleHeartbeatResponse(core: Core, from: NodeId, message: HeartbeatResponse): void {
  const { state, options } = core
  const progress = sessionWith(core, from, message)
  if (progress === null) return
  progress.contactAt = state.now
  if (message.echoMs > state.clockJumpedAt) progress.confirmedAt = Math.max(progress.confirmedAt, message.echoMs)
  progress.confirmedRound = Math.max(progress.confirmedRound, message.round)
  notePromise(core, progress, { sentMs: message.echoMs, leaseMs: message.leaseMs })
  rememberClock(progress, message)
  finishConfirmedReads(core)
  continueSnapshot(core, from, progress)
  if (state.now - progress.waitingSince < options.heartbeatIntervalMs) return
  progress.waitingSince = state.now
  if (progress.state === 'replicate' && progress.inflight.length === 0) return
  if (progress.state === 'probe') progress.probeSent = false
  askForMatch(core, from, progress)
}

/** The driver gave up sending from `index` on: it is asked for again after the next heartbeat, so that this can't spin. */
export function onOutboundDropped(core: Core, peer: NodeId, index: LogIndex): void {
  const progress = core.state.progress.get(peer)
  if (progress === undefined || index >= progress.nextIndex) return
  becomeProbe(progress, index)
  needSnapshot(progress, core.state.log.baseIndex)
  waitForHeartbeat(core, progress)
}

/** What was in flight on a lost connection may be lost; a new one is used at once (F7). */
export function onPeerConnection(core: Core, peer: NodeId, isUp: boolean): void {
  const progress = core.state.progress.get(peer)
  if (progress === undefined) return
  restartProbe(progress)
  needSnapshot(progress, core.state.log.baseIndex)
  if (!isUp) return
  sendHeartbeat(core, peer, progress)
  askForMatch(core, peer, progress)
}

/** Commits what a quorum holds durably, if it is of the leader's own term (§5.3, §5.4.2, H21), and tells who waits for it. */
export function advanceCommit(core: Core): void {
  const { state, options, rules } = core
  const match = rules.replicatedIndex(state.quorum, (id) => {
    return id === options.id ? state.persistedIndex : (state.progress.get(id)?.matchIndex ?? 0)
  })
  if (match > state.commitIndex) {
    const term = termAt(state.log, match)
    assert(term !== null, `a quorum holds ${match}, and so does the leader`)
    if (rules.countsForCommit(term, state.currentTerm)) setCommitIndex(core, match)
    startRound(core)
  }
  announceCommit(core)
}

/** commitIndex rises, here and on followers alike. */
export function setCommitIndex(core: Core, index: LogIndex): void {
  const { state, output } = core
  assert(index > state.commitIndex && index <= state.log.lastIndex, `commitIndex rises within the log: ${index}`)
  const configurationIndex = state.log.configurations.at(-1)?.index ?? 0
  // Its voters are others than those who promised (F20).
  if (configurationIndex > state.commitIndex && configurationIndex <= index) restartLease(core)
  state.commitIndex = index
  output.setCommitIndex(index)
}

/** The progress that an answer is about; null for one of another leadership or session (F12). */
export function sessionWith(
  core: Core,
  from: NodeId,
  message: { readonly term: number; readonly addedAt: LogIndex },
): Progress | null {
  const { state } = core
  if (state.role !== 'leader' || message.term !== state.currentTerm) return null
  const progress = state.progress.get(from)
  return progress === undefined || progress.addedAt !== message.addedAt ? null : progress
}

/** nextIndex goes back by a whole term at a time, never to what is known to match (F8, H24, H28). */
function backtrack(core: Core, progress: Progress, message: AppendEntriesResponse): boolean {
  const { log } = core.state
  const { index: prevLogIndex, hintIndex, hintTerm } = message
  const isStale = progress.state === 'probe' && prevLogIndex !== progress.nextIndex - 1
  if (isStale || progress.state === 'snapshot' || prevLogIndex <= progress.matchIndex) return false
  const highest = Math.min(hintIndex, prevLogIndex)
  // Where the logs meet below the base, nobody can tell from here, and need not: those entries are gone.
  const meets = highest < log.baseIndex ? highest : lastIndexOfTermAtMost(log, highest, hintTerm)
  becomeProbe(progress, Math.min(meets + 1, prevLogIndex))
  needSnapshot(progress, log.baseIndex)
  return true
}

/** The newest clock of the peer's newest boot: what the next heartbeat echoes. */
function rememberClock(progress: Progress, { boot, sentMs }: HeartbeatResponse): void {
  if (boot < progress.peerBoot || (boot === progress.peerBoot && sentMs <= progress.peerSentMs)) return
  // Whoever restarted it may have mended what made its transfers fail.
  if (progress.peerBoot > 0 && boot > progress.peerBoot) forgetFailures(progress)
  progress.peerBoot = boot
  progress.peerSentMs = sentMs
}

/**
 * Until the answer to the next heartbeat, not sooner than half an interval from now: a whole one would miss the next answer
 * by a hair and take the one after it, and under linearizable reads heartbeats are closer together.
 */
function waitForHeartbeat({ state, options }: Core, progress: Progress): void {
  progress.probeSent = true
  progress.waitingSince = state.now - options.heartbeatIntervalMs / 2
}

/**
 * Sends what is missing or, where everything was sent already, an empty append that asks whether it is there. Who needs
 * what was compacted is asked about the base, in case it got there in a way that was not answered.
 */
function askForMatch(core: Core, peer: NodeId, progress: Progress): void {
  if (progress.state === 'probe' && progress.nextIndex <= core.state.log.lastIndex) {
    replicateTo(core, peer, progress)
    return
  }
  sendAppend(core, peer, progress, firstToSend(core, progress) - 1)
  if (progress.state === 'probe') progress.probeSent = true
}

function firstToSend({ state }: Core, progress: Progress): LogIndex {
  return progress.state === 'snapshot' ? state.log.baseIndex + 1 : progress.nextIndex
}

function sendAppend(core: Core, peer: NodeId, progress: Progress, last: LogIndex): boolean {
  const { state } = core
  const first = firstToSend(core, progress)
  const prevLogIndex = first - 1
  const prevLogTerm = termAt(state.log, prevLogIndex)
  assert(prevLogTerm !== null, `the log holds ${prevLogIndex}, which ${peer} is asked about`)
  return sendRange(core, peer, {
    type: 'appendRange',
    term: state.currentTerm,
    addedAt: progress.addedAt,
    prevLogIndex,
    prevLogTerm,
    first,
    last,
    leaderCommit: state.commitIndex,
  })
}
