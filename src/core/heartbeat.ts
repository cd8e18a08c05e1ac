// The leader's heartbeat (§5.2): it keeps followers from campaigning, carries commitIndex to idle ones and is the
// ReadIndex round. It never waits behind entries, so it says only what is true whatever they are (F7, H129).
import type { Core } from './core.js'
import { leaseAsked } from './lease.js'
import { type LogTrail, termAt } from './log-trail.js'
import type { Progress } from './progress.js'
import { assert } from './assert.js'
import { send } from './send.js'
import { quorumConfirmedAt } from './timers.js'
import type { LogIndex, NodeId, Term } from './types.js'

/** To every peer, with the newest round. */
export function broadcastHeartbeat(core: Core): void {
  const { state, options } = core
  state.heartbeatDeadline = state.now + options.heartbeatIntervalMs
  for (const [peer, progress] of state.progress) sendHeartbeat(core, peer, progress)
}

/** To one peer: also the way in which it learns at once of a commit that it waits for. */
export function sendHeartbeat(core: Core, peer: NodeId, progress: Progress): void {
  const { state } = core
  const { prevLogIndex, prevLogTerm } = knownMatch(state.log, progress.matchIndex)
  progress.toldCommit = Math.min(state.commitIndex, progress.matchIndex)
  // Before an entry of its own term is committed a leader doesn't know how much is, nor as of when before a quorum has
  // answered it: so nobody may call that fresh (H63, H121).
  const confirmedAt = quorumConfirmedAt(core)
  const knowsCommit = state.commitIndex >= state.termFirstIndex && confirmedAt > Number.NEGATIVE_INFINITY
  send(core, peer, {
    type: 'heartbeat',
    term: state.currentTerm,
    addedAt: progress.addedAt,
    prevLogIndex,
    prevLogTerm,
    leaderCommit: state.commitIndex,
    round: state.readRound,
    sentMs: state.now,
    echoMs: knowsCommit ? progress.peerSentMs : -1,
    echoBoot: knowsCommit ? progress.peerBoot : 0,
    leaseMs: leaseAsked(core),
    quorumAgeMs: knowsCommit ? Math.max(0, state.now - confirmedAt) : 0,
  })
}

/**
 * Where the logs surely meet. Of what a peer acknowledged and this log has compacted since, the term is forgotten: then it
 * is the beginning, where all logs meet, and the heartbeat commits nothing.
 */
function knownMatch(log: LogTrail, matchIndex: LogIndex): { prevLogIndex: LogIndex; prevLogTerm: Term } {
  if (matchIndex < log.baseIndex) return { prevLogIndex: 0, prevLogTerm: 0 }
  const prevLogTerm = termAt(log, matchIndex)
  assert(prevLogTerm !== null, `the log holds ${matchIndex}, which a peer acknowledged`)
  return { prevLogIndex: matchIndex, prevLogTerm }
}

/** Tells the peers whose forwards or reads wait for it that more is committed; others learn it with the next heartbeat. */
export function announceCommit(core: Core): void {
  const { state } = core
  for (const [peer, progress] of state.progress) {
    if (progress.awaitsCommit <= progress.toldCommit) continue
    if (Math.min(state.commitIndex, progress.matchIndex) > progress.toldCommit) sendHeartbeat(core, peer, progress)
  }
}
