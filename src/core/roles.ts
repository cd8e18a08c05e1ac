// The changes of role (figure 4), and nothing that happens within one. A change of role or term ends the batch, starts
// the waiting reads again, and is the only thing that touches currentTerm and votedFor together.
import { assert } from './assert.js'
import { findMember, peersOf } from './configuration.js'
import { type Core, currentConfiguration, isPromotable } from './core.js'
import { forgetForwards } from './forwarding.js'
import { broadcastHeartbeat } from './heartbeat.js'
import { endChange } from './membership.js'
import { restartForwardedChange } from './membership-calls.js'
import { newProgress } from './progress.js'
import { restartReads } from './read-index.js'
import { appendToOwnLog, broadcastAppends } from './replication.js'
import { resetElectionTimer } from './timers.js'
import { endTransfer } from './transfer.js'
import type { NodeId, Role, Term } from './types.js'

/** A higher term was seen, a leader of this term was heard, or the quorum was lost. The vote survives within a term (H2). */
export function becomeFollower(core: Core, term: Term, reason: string): void {
  const { state } = core
  assert(term >= state.currentTerm, `term ${term} is not behind ${state.currentTerm}`)
  const wasLeader = state.role === 'leader'
  if (term > state.currentTerm) setTermAndVote(core, term, null)
  changeRole(core, 'follower', reason)
  if (wasLeader) resetElectionTimer(core)
}

/** Asks for pre-votes in the next round; term and vote stay as they are (thesis §9.6, H11). */
export function becomePreCandidate(core: Core): void {
  const { state, options } = core
  assert(isPromotable(core) && state.role !== 'leader', 'only a voter that does not lead campaigns')
  state.preVoteRound += 1
  changeRole(core, 'preCandidate', 'election timeout')
  state.votes.add(options.id)
  resetElectionTimer(core)
}

/**
 * Begins an election: a new term and a vote for itself, which counts when it is durable (H6). Either a quorum would vote
 * for this node, or its leader told it to try (`isToldTo`, thesis §3.10).
 */
export function becomeCandidate(core: Core, isToldTo: boolean): void {
  const { state, options, rules } = core
  const hasPreVotes = state.role === 'preCandidate' && rules.hasWon(state.quorum, state.votes)
  assert(isToldTo || hasPreVotes, 'a quorum would vote for this node')
  assert(isPromotable(core) && state.role !== 'leader', 'only a voter that does not lead campaigns')
  setTermAndVote(core, state.currentTerm + 1, options.id)
  changeRole(core, 'candidate', isToldTo ? 'told to by its leader, which hands over' : 'won the pre-vote')
  resetElectionTimer(core)
}

/** Won the election: progress of each peer starts over, and a no-op opens the term so that it can commit (§5.4.2, §8). */
export function becomeLeader(core: Core): void {
  const { state, options, rules } = core
  assert(
    (state.role === 'candidate' || state.role === 'preCandidate') && rules.hasWon(state.quorum, state.grants),
    'a quorum voted for this node in this term',
  )
  assert(state.currentTerm > Math.max(state.ledTerm, state.forgottenTerm), 'a term is led once, and of this boot')
  const configuration = currentConfiguration(state)
  assert(configuration !== null, 'a leader knows its configuration')
  changeRole(core, 'leader', 'won the election')
  for (const peer of peersOf(configuration, options.id)) {
    state.progress.set(peer, newProgress(state.log.lastIndex, findMember(configuration, peer)?.addedAt ?? 0))
  }
  state.quorumCheckSince = state.now
  forgetForwards(core)
  setLeader(core, options.id)
  state.termFirstIndex = appendToOwnLog(core, [{ type: 'noop', data: new Uint8Array(0) }])
  broadcastHeartbeat(core)
  broadcastAppends(core)
}

/** Tells the driver when the leader that this node follows is another one than before. */
export function setLeader(core: Core, leaderId: NodeId | null): void {
  const { state, output } = core
  if (state.leaderId === leaderId) return
  state.leaderId = leaderId
  output.leader = { id: leaderId, term: state.currentTerm }
}

function setTermAndVote(core: Core, term: Term, votedFor: NodeId | null): void {
  const { state, output } = core
  assert(term > state.currentTerm, `term ${term} is after ${state.currentTerm}`)
  state.currentTerm = term
  state.votedFor = votedFor
  state.grants.clear()
  output.setHardState({ currentTerm: term, votedFor })
  output.endsBatch = true
  setLeader(core, null)
  state.leaderContactAt = Number.NEGATIVE_INFINITY
}

function changeRole(core: Core, role: Role, reason: string): void {
  const { state, output } = core
  const previous = state.role
  state.role = role
  state.votes.clear()
  state.progress.clear()
  state.termFirstIndex = 0
  state.leaseWantedUntil = Number.NEGATIVE_INFINITY
  state.hasEndedLease = false
  state.settledIndex = -1
  state.departingSince = null
  state.changeOrigins.clear()
  endTransfer(core, 'steppedDown')
  endChange(core, 'steppedDown')
  if (role !== 'follower') state.leaderContactAt = Number.NEGATIVE_INFINITY
  if (previous === 'leader' || role === 'preCandidate') setLeader(core, null)
  restartReads(core)
  restartForwardedChange(core)
  output.endsBatch = true
  if (role !== previous) output.roles.push({ role, previous, term: state.currentTerm, reason })
}
