// Deadlines, in ms of the events' own clock (§5.2, §9.3 of the thesis). The core asks for a tick; it never waits.
import { type Core, isPromotable } from './core.js'
import { isBound, restartLease } from './lease.js'
import { nextRandom } from './prng.js'
import { heardAt } from './progress.js'
import { isSoleVoter, quorumValue } from './quorum.js'
import { isTermDurable } from './send.js'
import { transferDeadline } from './transfer.js'

/** Draws a new election timeout from [t, 2t), so that split votes are rare and never repeat in step (H8). */
export function resetElectionTimer(core: Core): void {
  const { electionTimeoutMs } = core.options
  core.state.electionDeadline = core.state.now + electionTimeoutMs * (1 + nextRandom(core.state))
}

/** The event loop stood still for longer than an election timeout: what the timers would say is hearsay (F2, H105). */
export function restartTimersAfterStall(core: Core): void {
  resetElectionTimer(core)
  core.state.quorumCheckSince = core.state.now
  restartLease(core)
}

/**
 * The newest moment at which a quorum, this node included, was heard. A leader that just began, or woke from a stall,
 * has one election timeout to hear from its peers.
 */
export function quorumContactAt({ state, options }: Core): number {
  return quorumValue(state.quorum, (id) => {
    if (id === options.id) return state.now
    return heardAt(state, state.progress.get(id))
  })
}

/**
 * The newest moment at which a quorum surely followed this leader: by when it sent what they answered, not by arrival.
 * -Infinity where it knows of none: it just began, or its machine was suspended.
 */
export function quorumConfirmedAt({ state, options }: Core): number {
  return quorumValue(state.quorum, (id) => {
    return id === options.id ? state.now : (state.progress.get(id)?.confirmedAt ?? Number.NEGATIVE_INFINITY)
  })
}

/**
 * When a voter that doesn't lead campaigns. One voter waits for nobody (F5), and a candidate whose vote is not durable yet
 * waits for its disk: with slow disks everywhere it would otherwise never be elected. What it promised binds it too (F20).
 */
export function electionDueAt(core: Core): number {
  const { state, options } = core
  if (state.role === 'candidate' && !isTermDurable(state)) return Number.POSITIVE_INFINITY
  const isAlone = state.role === 'follower' && isSoleVoter(state.quorum, options.id)
  const dueAt = isAlone ? state.now : state.electionDeadline
  return isBound(core) ? Math.max(dueAt, state.promisedUntil) : dueAt
}

/** When the next tick is due at the latest. Never further away than half a timeout, so that a stall can be told from quiet. */
export function nextDeadline(core: Core): number {
  const { state, options } = core
  const soon = state.now + options.electionTimeoutMs / 2
  if (state.role === 'leader') return Math.min(soon, state.heartbeatDeadline, transferDeadline(core))
  const due = Math.min(soon, forwardedDueAt(core))
  return isPromotable(core) ? Math.min(due, electionDueAt(core)) : due
}

/** When something that was passed on to the leader is asked for again: its heartbeats would put off any other tick for ever. */
function forwardedDueAt({ state, options }: Core): number {
  const { value: oldestRead = Number.POSITIVE_INFINITY } = state.forwardedReads.values().next()
  const askedAt = state.forwardedChange?.sentAt ?? Number.POSITIVE_INFINITY
  return Math.min(oldestRead, askedAt) + options.electionTimeoutMs
}
