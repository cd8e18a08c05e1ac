// Leadership transfer (thesis §3.10), the leader's side: it takes no more proposals, brings the target up to date, tells it
// to campaign at once, and goes on leading when that came to nothing within an election timeout (F4, H20). Never decides
// who leads next: the target must still win an election. Its own side is in election.ts.
import type { Core } from './core.js'
import { endLease } from './lease.js'
import type { TransferEndReason, TransferRefusal } from './output.js'
import { heardAt } from './progress.js'
import { isVoter } from './quorum.js'
import { send } from './send.js'
import type { NodeId } from './types.js'

/** A client of this node wants another leader: `to`, or the best one for null. The answer comes in `Output.transfers`. */
export function onTransfer(core: Core, id: number, to: NodeId | null): void {
  const { state, output } = core
  const target = targetOf(core, to)
  if ('refusal' in target) {
    output.transfers.push({ type: 'refused', id, reason: target.refusal })
    return
  }
  state.transfer = { id, to: target.id, startedAt: state.now, toldAt: null }
  output.transfers.push({ type: 'begun', id, to: target.id })
  continueTransfer(core)
}

/** The target may have caught up, or the last TimeoutNow may be lost: it is told again once in a heartbeat interval. */
export function continueTransfer(core: Core): void {
  const { state, options, rules } = core
  const { transfer } = state
  if (transfer === null) return
  const progress = state.progress.get(transfer.to)
  // A change of the configuration may have taken it out, or taken its vote.
  if (progress === undefined || !state.quorum.incoming.includes(transfer.to)) {
    endTransfer(core, 'notVoter')
    return
  }
  if (!rules.isCaughtUp(progress.matchIndex, state.log.lastIndex)) return
  // Its clients wait for what it appended: once it is left out it does not hear any more that it was committed.
  if (!isVoter(state.quorum, options.id) && state.commitIndex < state.log.lastIndex) return
  if (transfer.toldAt !== null && state.now - transfer.toldAt < options.heartbeatIntervalMs) return
  state.transfer = { ...transfer, toldAt: state.now }
  endLease(core)
  send(core, transfer.to, { type: 'timeoutNow', term: state.currentTerm })
}

/**
 * A leader that a committed configuration leaves out takes no more proposals, and tells the best voter to take over.
 * Returns whether that is done, or can't be: then it steps down.
 */
export function hasHandedOver(core: Core): boolean {
  const { state, options, output } = core
  if (state.transfer === null) {
    const best = bestOf(
      core,
      state.quorum.incoming.filter((id) => id !== options.id),
    )
    if (best === null) return true
    state.transfer = { id: 0, to: best, startedAt: state.now, toldAt: null }
    output.transfers.push({ type: 'begun', id: 0, to: best })
  }
  continueTransfer(core)
  return state.transfer !== null && state.transfer.toldAt !== null
}

/** Gives up after one election timeout: clients have waited long enough (thesis §3.10). */
export function checkTransferTimer(core: Core): void {
  const { state, options, rules } = core
  if (state.transfer === null) return
  // Compared with the very sum that the tick was asked for: a difference may be rounded to less than a timeout.
  const isDue = state.now >= transferDeadline(core)
  const sinceStartMs = isDue ? options.electionTimeoutMs : state.now - state.transfer.startedAt
  if (rules.isTransferOver(sinceStartMs, options.electionTimeoutMs)) endTransfer(core, 'timeout')
}

/** The target's own side ended its connection: it was stopped or killed and hears nobody now. */
export function onTargetReset(core: Core, peer: NodeId): void {
  if (core.state.transfer?.to === peer) endTransfer(core, 'unreachable')
}

/** Proposals are taken again, here or by whoever leads next. */
export function endTransfer(core: Core, reason: TransferEndReason): void {
  const { state, output } = core
  if (state.transfer === null) return
  const { id, to, toldAt } = state.transfer
  state.transfer = null
  output.transfers.push({ type: 'ended', id, to, reason, wasTold: toldAt !== null })
}

/** When the transfer is given up, ms; Infinity without one. */
export function transferDeadline({ state, options }: Core): number {
  return state.transfer === null ? Number.POSITIVE_INFINITY : state.transfer.startedAt + options.electionTimeoutMs
}

function targetOf(core: Core, to: NodeId | null): { readonly id: NodeId } | { readonly refusal: TransferRefusal } {
  const { state, options } = core
  if (state.role !== 'leader') return { refusal: 'notLeader' }
  if (state.transfer !== null) return { refusal: 'transferring' }
  const others = state.quorum.incoming.filter((id) => id !== options.id && state.progress.has(id))
  if (to !== null) return others.includes(to) ? { id: to } : { refusal: to === options.id ? 'self' : 'notVoter' }
  if (others.length === 0) return { refusal: 'onlyVoter' }
  const best = bestOf(core, others)
  return best === null ? { refusal: 'nobodyHeard' } : { id: best }
}

/** The most up to date of those that were heard within an election timeout, and of equals the one heard last. */
function bestOf({ state, options }: Core, others: readonly NodeId[]): NodeId | null {
  const heard = others
    .map((id) => ({
      id,
      matchIndex: state.progress.get(id)?.matchIndex ?? 0,
      heardAt: heardAt(state, state.progress.get(id)),
    }))
    .filter(({ heardAt: at }) => state.now - at < options.electionTimeoutMs)
  heard.sort((one, other) => other.matchIndex - one.matchIndex || other.heardAt - one.heardAt)
  return heard[0]?.id ?? null
}
