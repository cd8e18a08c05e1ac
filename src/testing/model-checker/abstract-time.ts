// Time, abstracted away: the clock of every node stands still at NOW, and a timer expires because the search says so, by a
// state whose deadline or contact is moved into the past. `forgetTime` makes states that differ in times alone the same.
// The README says for each field why nothing that safety needs is lost.
import type { CoreState } from '../../core/state.js'

/** The clock that every event carries, ms. */
export const NOW = 1_000
export const ELECTION_TIMEOUT_MS = 100
export const HEARTBEAT_INTERVAL_MS = 30

/** The times of a state that nothing but timers and freshness depend on, all alike. Keeps whether a leader was heard. */
export function forgetTime(state: CoreState, keepsContact: boolean): void {
  state.now = NOW
  state.wallTime = 0
  state.wallAheadMs = 0
  state.clockJumpedAt = Number.NEGATIVE_INFINITY
  state.leaseNotBefore = Number.NEGATIVE_INFINITY
  state.leaseWantedUntil = Number.NEGATIVE_INFINITY
  state.promisedUntil = Number.NEGATIVE_INFINITY
  state.promisedTerm = -1
  state.prng = 1
  state.electionDeadline = NOW + 2 * ELECTION_TIMEOUT_MS
  state.heartbeatDeadline = NOW + HEARTBEAT_INTERVAL_MS
  state.quorumCheckSince = NOW
  const isContact = keepsContact && Number.isFinite(state.leaderContactAt)
  state.leaderContactAt = isContact ? NOW : Number.NEGATIVE_INFINITY
  state.freshAt = Number.NEGATIVE_INFINITY
  state.freshPending = null
  if (state.transfer !== null) {
    const toldAt = state.transfer.toldAt === null ? null : NOW
    state.transfer = { ...state.transfer, startedAt: NOW, toldAt }
  }
  for (const id of state.forwardedReads.keys()) state.forwardedReads.set(id, NOW)
  for (const progress of state.progress.values()) {
    progress.waitingSince = NOW
    progress.transferAt = NOW
    progress.transferPauseMs = 0
    progress.busyAt = Number.NEGATIVE_INFINITY
    progress.contactAt = null
    progress.confirmedAt = Number.NEGATIVE_INFINITY
    progress.promisedUntil = Number.NEGATIVE_INFINITY
    progress.peerSentMs = -1
    progress.peerBoot = 0
  }
}

/** The election timeout of a node that doesn't lead is over. */
export function expireElectionTimer(state: CoreState): void {
  state.electionDeadline = NOW
  state.leaderContactAt = Number.NEGATIVE_INFINITY
}

/** A leader heard nobody for an election timeout. */
export function expireQuorumContact(state: CoreState): void {
  state.quorumCheckSince = NOW - ELECTION_TIMEOUT_MS
  for (const progress of state.progress.values()) progress.contactAt = null
}

/** The next heartbeat is due. */
export function expireHeartbeat(state: CoreState): void {
  state.heartbeatDeadline = NOW
}

/** Handing over took an election timeout. */
export function expireTransfer(state: CoreState): void {
  if (state.transfer === null) return
  state.transfer = { ...state.transfer, startedAt: NOW - ELECTION_TIMEOUT_MS }
}

/** The leader was last heard longer ago than it is defended. */
export function expireLeaderContact(state: CoreState): void {
  state.leaderContactAt = Number.NEGATIVE_INFINITY
}

/** Nothing was heard of what is in flight to any peer for a heartbeat interval. */
export function expireWaits(state: CoreState): void {
  for (const progress of state.progress.values()) progress.waitingSince = NOW - HEARTBEAT_INTERVAL_MS
}
