// Elections (§5.2, §5.4.1, thesis §9.6): PreVote, RequestVote and their answers. PreVote, CheckQuorum and stickiness are
// one mechanism and always on (F1): without any of them a node behind a bad link can depose leaders for ever (H9, H13).
import { type Core, currentConfiguration, isPromotable } from './core.js'
import { forbidsVote, isBound } from './lease.js'
import { lastTerm } from './log-trail.js'
import type { PreVote, PreVoteResponse, RequestVote, RequestVoteResponse, TimeoutNow } from './messages.js'
import { nextRandom } from './prng.js'
import { becomeCandidate, becomeFollower, becomeLeader, becomePreCandidate } from './roles.js'
import { isTermDurable, send } from './send.js'
import { electionDueAt, quorumContactAt, resetElectionTimer } from './timers.js'
import type { HardState, NodeId } from './types.js'

/** Whether the election timeout, or the loss of a quorum, asks for a change of role now. */
export function checkElectionTimers(core: Core): void {
  const { state, options } = core
  if (state.role === 'leader') {
    if (state.now - quorumContactAt(core) < options.electionTimeoutMs) return
    becomeFollower(core, state.currentTerm, 'no quorum heard within an election timeout')
  } else if (isPromotable(core)) {
    if (state.now >= electionDueAt(core)) campaign(core)
  }
}

/** Asks whether an election could be won; begins it at once where this node is every majority. */
function campaign(core: Core): void {
  const { state, rules } = core
  becomePreCandidate(core)
  if (rules.hasWon(state.quorum, state.votes)) {
    requestVotes(core, false)
    return
  }
  const { lastIndex: lastLogIndex } = state.log
  const lastLogTerm = lastTerm(state.log)
  const [term, round] = [state.currentTerm + 1, state.preVoteRound]
  for (const to of otherVoters(core)) send(core, to, { type: 'preVote', term, round, lastLogIndex, lastLogTerm })
}

function requestVotes(core: Core, leadershipTransfer: boolean): void {
  const { state } = core
  becomeCandidate(core, leadershipTransfer)
  const { lastIndex: lastLogIndex } = state.log
  const [term, lastLogTerm] = [state.currentTerm, lastTerm(state.log)]
  for (const to of otherVoters(core)) {
    send(core, to, { type: 'requestVote', term, lastLogIndex, lastLogTerm, leadershipTransfer })
  }
}

/**
 * The leader of this term hands over: this node campaigns at once and without a pre-vote, which those that hear the leader
 * would refuse (thesis §3.10). One of an earlier term is of a leader of the past, and who has no vote has no use for it.
 */
export function handleTimeoutNow(core: Core, from: NodeId, message: TimeoutNow): void {
  const { state } = core
  const isOfItsLeader = message.term === state.currentTerm && (state.leaderId === null || state.leaderId === from)
  const mayCampaign = isPromotable(core) && (state.role === 'follower' || state.role === 'preCandidate')
  const candidacy = { term: state.currentTerm + 1, leadershipTransfer: true }
  if (isOfItsLeader && mayCampaign && !forbidsVote(core, candidacy)) requestVotes(core, true)
}

/**
 * Somebody would like to campaign. Nothing of the voter changes, whatever the answer (H11). One whose vote is still on its
 * way to the disk agrees to no next election: it would overtake the one that it is about to answer (H125).
 */
export function handlePreVote(core: Core, from: NodeId, message: PreVote): void {
  const { state, rules } = core
  const { term, round } = message
  const mayVote = currentConfiguration(state) !== null && !isLed(core) && !isBound(core) && isTermDurable(state)
  const voteGranted = mayVote && term > state.currentTerm && rules.isUpToDate(message, state.log)
  send(core, from, { type: 'preVoteResponse', term: voteGranted ? term : state.currentTerm, round, voteGranted })
}

/** A grant counts for the round that asked for it only (H12). */
export function handlePreVoteResponse(core: Core, from: NodeId, message: PreVoteResponse): void {
  const { state, rules } = core
  const isOfThisRound = message.round === state.preVoteRound && message.term === state.currentTerm + 1
  if (state.role !== 'preCandidate' || !message.voteGranted || !isOfThisRound) return
  state.votes.add(from)
  if (rules.hasWon(state.quorum, state.votes)) requestVotes(core, false)
}

/** The vote: granted once a term, to a log that is up to date, and sent when it is durable. */
export function handleRequestVote(core: Core, from: NodeId, message: RequestVote): void {
  const { state, output, rules } = core
  const isOfThisTerm = message.term === state.currentTerm
  const mayVote = currentConfiguration(state) !== null && isOfThisTerm && !forbidsVote(core, message)
  const voteGranted = mayVote && rules.hasVoteFor(state.votedFor, from) && rules.isUpToDate(message, state.log)
  if (voteGranted) {
    if (state.votedFor !== from) {
      state.votedFor = from
      output.setHardState({ currentTerm: state.currentTerm, votedFor: from })
    }
    resetElectionTimer(core)
  }
  send(core, from, { type: 'requestVoteResponse', term: state.currentTerm, voteGranted })
}

export function handleRequestVoteResponse(core: Core, from: NodeId, message: RequestVoteResponse): void {
  if (message.voteGranted && message.term === core.state.currentTerm) countVote(core, from)
}

/** This node's own vote counts when it is durable, as everybody else's does (H6, H7). */
export function countOwnVote(core: Core, durable: HardState): void {
  const { state, options } = core
  if (durable.currentTerm !== state.currentTerm || durable.votedFor !== options.id) return
  // The requests leave now, however long the disk took: the others have a whole timeout to answer.
  if (state.role === 'candidate') resetElectionTimer(core)
  countVote(core, options.id)
}

/**
 * The leader's connection was ended by its side: what a killed process leaves. This node asks early whether the others
 * saw it too; a quorum must still agree (F3). The jitter keeps the followers from asking all at once. Who promised it a lease
 * asks when that is over (F20).
 */
export function onLeaderConnectionReset(core: Core, peer: NodeId): void {
  const { state, options } = core
  if (state.role !== 'follower' || state.leaderId !== peer) return
  state.leaderContactAt = Number.NEGATIVE_INFINITY
  const from = isBound(core) ? state.promisedUntil : state.now
  const soon = from + (nextRandom(state) * options.heartbeatIntervalMs) / 2
  state.electionDeadline = Math.min(state.electionDeadline, soon)
}

/**
 * A request for votes of the next term is not heard at all: it would make this node leave the term of its leader. It is where
 * that leader itself asked for the election (thesis §4.2.3), but for what was promised to another.
 */
export function mustIgnore(core: Core, message: RequestVote): boolean {
  if (message.term <= core.state.currentTerm) return false
  return forbidsVote(core, message) || (isLed(core) && !core.rules.overrulesStickiness(message.leadershipTransfer))
}

/** This node leads, or heard its leader within the shortest election timeout: it helps nobody to replace it (thesis §4.2.3). */
function isLed({ state, options, rules }: Core): boolean {
  return state.role === 'leader' || rules.isSticky(state.now - state.leaderContactAt, options.electionTimeoutMs)
}

/**
 * A vote that comes when the candidate asks for pre-votes already is still a vote in this term: where disks are slower than
 * election timeouts no other ever comes. A term that this node led is over for it, whoever votes for it late; and of a term
 * that it was in before its restart it can't know whether it led it and lost entries that others still hold.
 */
function countVote(core: Core, from: NodeId): void {
  const { state, options, rules } = core
  if (state.role !== 'candidate' && state.role !== 'preCandidate') return
  if (state.votedFor !== options.id || state.currentTerm <= Math.max(state.ledTerm, state.forgottenTerm)) return
  state.grants.add(from)
  if (state.role === 'candidate') state.votes.add(from)
  if (rules.hasWon(state.quorum, state.grants) && isTermDurable(state)) becomeLeader(core)
}

function otherVoters({ state, options }: Core): readonly NodeId[] {
  const voters = new Set([...state.quorum.incoming, ...state.quorum.outgoing])
  return [...voters].filter((id) => id !== options.id)
}
