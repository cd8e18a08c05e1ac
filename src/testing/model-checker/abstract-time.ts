// Time, abstracted away: a timer expires because the search says so, by a state whose deadline or contact is moved into the
// past, and `forgetTime` makes states that differ in times alone the same. All clocks stand still at NOW, but in models of
// leases: there they go on together, a few steps in a run, and promises are kept until they are over. The README says for
// each field why nothing that safety needs is lost.
import type { CoreState } from '../../core/state.js'

/** What every clock says in the beginning, ms; and for ever where there are no leases. */
export const NOW = 1_000
export const ELECTION_TIMEOUT_MS = 100
export const HEARTBEAT_INTERVAL_MS = 30
/** One step of all clocks. A lease is an election timeout long, which is two: one may be halfway. */
export const TIME_STEP_MS: number = ELECTION_TIMEOUT_MS / 2

/** What of the times of a state is not forgotten. */
export interface KeptTimes {
  /** Whether a leader was heard. */
  readonly contact: boolean
  /** Promises to a leader, and its own side of them; somebody reads by lease all the time. */
  readonly leases: boolean
}

/** The times of a state that nothing but timers and freshness depend on, all alike. */
export function forgetTime(state: CoreState, keeps: KeptTimes): void {
  const { now } = state
  state.wallTime = 0
  state.wallAheadMs = 0
  state.clockJumpedAt = Number.NEGATIVE_INFINITY
  forgetLeases(state, keeps.leases)
  state.prng = 1
  state.electionDeadline = now + 2 * ELECTION_TIMEOUT_MS
  state.heartbeatDeadline = now + HEARTBEAT_INTERVAL_MS
  state.quorumCheckSince = now
  const isContact = keeps.contact && Number.isFinite(state.leaderContactAt)
  state.leaderContactAt = isContact ? now : Number.NEGATIVE_INFINITY
  state.freshAt = Number.NEGATIVE_INFINITY
  state.freshPending = null
  if (state.transfer !== null) {
    const toldAt = state.transfer.toldAt === null ? null : now
    state.transfer = { ...state.transfer, startedAt: now, toldAt }
  }
  for (const id of state.forwardedReads.keys()) state.forwardedReads.set(id, now)
  for (const progress of state.progress.values()) {
    progress.waitingSince = now
    progress.transferAt = now
    progress.transferPauseMs = 0
    progress.busyAt = Number.NEGATIVE_INFINITY
    progress.contactAt = null
    progress.confirmedAt = Number.NEGATIVE_INFINITY
    if (progress.promisedUntil <= now) progress.promisedUntil = Number.NEGATIVE_INFINITY
    progress.peerSentMs = -1
    progress.peerBoot = 0
  }
}

/** A promise that is over is none. What was sent a lease ago promises nothing any more, and needs no bar. */
function forgetLeases(state: CoreState, isKept: boolean): void {
  const { now } = state
  if (state.promisedUntil <= now) {
    state.promisedUntil = Number.NEGATIVE_INFINITY
    state.promisedTerm = -1
  }
  const isBarred = isKept && state.leaseNotBefore + ELECTION_TIMEOUT_MS > now
  if (!isBarred) state.leaseNotBefore = Number.NEGATIVE_INFINITY
  state.leaseWantedUntil = isKept ? Number.POSITIVE_INFINITY : Number.NEGATIVE_INFINITY
}

/** The clock of this node goes on. */
export function passTime(state: CoreState): void {
  state.now += TIME_STEP_MS
}

/** How often the clocks went on since the beginning. */
export function stepsPassed({ now }: CoreState): number {
  return (now - NOW) / TIME_STEP_MS
}

/** The election timeout of a node that doesn't lead is over. */
export function expireElectionTimer(state: CoreState): void {
  state.electionDeadline = state.now
  state.leaderContactAt = Number.NEGATIVE_INFINITY
}

/** A leader heard nobody for an election timeout. */
export function expireQuorumContact(state: CoreState): void {
  state.quorumCheckSince = state.now - ELECTION_TIMEOUT_MS
  for (const progress of state.progress.values()) progress.contactAt = null
}

/** The next heartbeat is due. */
export function expireHeartbeat(state: CoreState): void {
  state.heartbeatDeadline = state.now
}

/** Handing over took an election timeout. */
export function expireTransfer(state: CoreState): void {
  if (state.transfer === null) return
  state.transfer = { ...state.transfer, startedAt: state.now - ELECTION_TIMEOUT_MS }
}

/** The leader was last heard longer ago than it is defended. */
export function expireLeaderContact(state: CoreState): void {
  state.leaderContactAt = Number.NEGATIVE_INFINITY
}

/** Nothing was heard of what is in flight to any peer for a heartbeat interval. */
export function expireWaits(state: CoreState): void {
  for (const progress of state.progress.values()) progress.waitingSince = state.now - HEARTBEAT_INTERVAL_MS
}
