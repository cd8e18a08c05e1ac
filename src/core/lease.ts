// Leases (thesis §6.4.1, F20): a promise of each voter, not an opinion of the leader. Who promised helps nobody to another
// leader until its time is over; a leader to whom a quorum promised answers reads without a round. This file holds both ends:
// the voter's promise, which outlives its restart, and the leader's lease, which counts from when it *sent* what was answered.
import type { Core } from './core.js'
import type { Heartbeat, RequestVote } from './messages.js'
import type { Progress } from './progress.js'
import { quorumValue } from './quorum.js'
import type { CoreState } from './state.js'

/** After a read by lease a leader goes on asking for promises for that long, ms. */
export const LEASE_DEMAND_MS = 10_000

/** Longest promise that a voter makes, ms: what a leader asks for is how long a cluster may be without one. */
export const MAX_LEASE_MS = 60_000

/** What a heartbeat asks of its receiver: a promise of that many ms; 0 for none. */
export function leaseAsked({ state, options }: Core): number {
  const isWanted = state.now < state.leaseWantedUntil && !state.hasEndedLease
  return isWanted ? Math.min(options.electionTimeoutMs, MAX_LEASE_MS) : 0
}

/**
 * The leader of this term asks for a promise. Returns what is promised, ms from now; 0 for nothing. The longest promise ever
 * made is durable before it is made, because it binds the next life of this node too (H69).
 */
export function promiseTo({ state, rules, output }: Core, { leaseMs }: Heartbeat): number {
  if (leaseMs <= 0 || leaseMs > MAX_LEASE_MS) return 0
  if (leaseMs > state.leasePromiseMs) {
    state.leasePromiseMs = leaseMs
    output.setLeasePromise(leaseMs)
  }
  if (!rules.isPromiseDurable(leaseMs, state.persistedLeasePromiseMs)) return 0
  state.promisedUntil = Math.max(state.promisedUntil, state.now + leaseMs)
  state.promisedTerm = state.currentTerm
  return leaseMs
}

/** This voter owes its leader that nobody else is elected: it votes for nobody, itself included. */
export function isBound({ state, rules }: Core): boolean {
  return rules.isPromiseKept(state.now, state.promisedUntil)
}

/**
 * Whether a promise forbids this vote. It does not where the leader that it was made to asked for the election itself, in
 * the term right after its own: it counts on no promise from then on (H20). After a restart nobody knows whose it was.
 */
export function forbidsVote(
  core: Core,
  { term, leadershipTransfer }: Pick<RequestVote, 'term' | 'leadershipTransfer'>,
): boolean {
  const isAskedFor = leadershipTransfer && term === core.state.promisedTerm + 1
  return isBound(core) && !isAskedFor
}

/**
 * A peer answered a heartbeat that was sent at `sentMs`, by this leader's clock. Its own may be faster: by that the promise
 * ends earlier.
 */
export function notePromise(
  { state, options, rules }: Core,
  progress: Progress,
  promise: { sentMs: number; leaseMs: number },
): void {
  const { sentMs, leaseMs } = promise
  if (leaseMs <= 0 || sentMs <= state.leaseNotBefore) return
  const until = rules.leaseBegins(sentMs, state.now) + leaseMs / (1 + options.maxClockDriftRatio)
  progress.promisedUntil = Math.max(progress.promisedUntil, until)
}

/** When this node's lease ends, ms of the events' clock; -Infinity where it has none, Infinity for the only voter. */
export function leaseEnd(state: CoreState): number {
  const isSettled = (state.log.configurations.at(-1)?.index ?? 0) <= state.commitIndex
  const knowsCommit = state.role === 'leader' && state.commitIndex >= state.termFirstIndex
  if (!knowsCommit || !isSettled || state.hasEndedLease) return Number.NEGATIVE_INFINITY
  return quorumValue(state.quorum, (id) => {
    // As long as it leads it votes for nobody, and a vote that it was asked for ends its leadership first.
    if (id === state.leaderId) return Number.POSITIVE_INFINITY
    return state.progress.get(id)?.promisedUntil ?? Number.NEGATIVE_INFINITY
  })
}

/** This leader answers reads without a round just now. Asking means that somebody reads by lease: promises are asked for. */
export function hasLease({ state }: Core): boolean {
  state.leaseWantedUntil = state.now + LEASE_DEMAND_MS
  return state.now < leaseEnd(state)
}

/** A TimeoutNow leaves: from here on others may be elected at any time, and there is no lease in this term any more (H117). */
export function endLease({ state }: Core): void {
  state.hasEndedLease = true
}

/** What was promised before counts no more: to other voters, or to a clock that stood still. */
export function restartLease({ state }: Core): void {
  state.leaseNotBefore = state.now
  for (const progress of state.progress.values()) progress.promisedUntil = Number.NEGATIVE_INFINITY
}
