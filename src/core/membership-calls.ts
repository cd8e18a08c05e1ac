// Who asks for a change of the membership, and how the answer gets there (F22, F23): a client of the leader, or of a node
// that passes it on. Asked for again until it is answered; the leader remembers the last request of each node, so that a
// copy of one never acts a second time: a `remove` that comes late would take out who was added since.
import type { Core } from './core.js'
import type { ChangeMembershipEvent } from './event.js'
import { MAX_FORWARD_ORIGINS } from './forwarding.js'
import { beginChange, cancelChange, repeatChange, supersedeChange } from './membership.js'
import type { MembershipRequest, MembershipResponse } from './messages.js'
import { answerTo } from './membership-answers.js'
import type { ChangeOutcome } from './output.js'
import { send } from './send.js'
import type { NodeId } from './types.js'

/** A client of this node: begun here, or passed on to the leader. */
export function onChangeMembership(core: Core, { id, change: asked, force }: ChangeMembershipEvent): void {
  const { state, output } = core
  if (state.role === 'leader') {
    beginChange(core, { id, origin: null, boot: 0, asked, force })
  } else if (state.leaderId === null) {
    output.changes.push({ type: 'retry', id })
  } else if (state.forwardedChange !== null) {
    output.changes.push({ type: 'refused', id, reason: 'pending', problem: '' })
  } else {
    state.forwardedChange = { id, asked, force, sentAt: state.now }
    askLeader(core, state.leaderId)
  }
}

/** Whoever asked gave up. */
export function onCancelChange(core: Core, id: number): void {
  const { state, options } = core
  cancelChange(core, id, null)
  if (state.forwardedChange?.id !== id) return
  state.forwardedChange = null
  if (state.leaderId === null) return
  const [term, boot] = [state.currentTerm, options.boot]
  send(core, state.leaderId, { type: 'membershipRequest', term, boot, number: id, change: null, force: false })
}

/**
 * The request or its answer may be lost: it is repeated, with the same number, once in an election timeout, also while
 * progress is told: the leader knows by it that somebody waits.
 */
export function repeatForwardedChange(core: Core): void {
  const { state, options } = core
  const { forwardedChange, leaderId } = state
  if (forwardedChange === null || leaderId === null) return
  if (state.now < forwardedChange.sentAt + options.electionTimeoutMs) return
  state.forwardedChange = { ...forwardedChange, sentAt: state.now }
  askLeader(core, leaderId)
}

/** Another leader or role: the one that was asked may not answer any more, the next one is to be asked anew. */
export function restartForwardedChange({ state, output }: Core): void {
  if (state.forwardedChange === null) return
  output.changes.push({ type: 'retry', id: state.forwardedChange.id })
  state.forwardedChange = null
}

/** Another node asks. A number that was answered gets that answer again, an earlier one silence. */
export function handleMembershipRequest(core: Core, from: NodeId, message: MembershipRequest): void {
  const { state } = core
  const { boot, number, change: asked, force } = message
  if (state.role !== 'leader' || message.term !== state.currentTerm) {
    send(core, from, { ...answerTo(core, message), outcome: 'notLeader' })
    return
  }
  const known = state.changeOrigins.get(from)
  if (known === undefined && state.changeOrigins.size >= MAX_FORWARD_ORIGINS) return
  if (known !== undefined && (boot < known.boot || (boot === known.boot && number < known.number))) return
  if (known?.boot === boot && known.number === number) {
    if (asked === null) cancelChange(core, number, from)
    else if (known.answer !== null) send(core, from, known.answer)
    else repeatChange(core, number, from)
    return
  }
  supersedeChange(core, from)
  if (asked === null) {
    // It has overtaken what it cancels, which must not act when it comes.
    state.changeOrigins.set(from, { boot, number, answer: { ...answerTo(core, message), outcome: 'cancelled' } })
    return
  }
  state.changeOrigins.set(from, { boot, number, answer: null })
  beginChange(core, { id: number, origin: from, boot, asked, force })
}

/** The leader's word. One to an earlier boot, or to what nobody waits for any more, says nothing. */
export function handleMembershipResponse(core: Core, message: MembershipResponse): void {
  const { state, options, output } = core
  const { forwardedChange } = state
  if (forwardedChange === null || message.boot !== options.boot || message.number !== forwardedChange.id) return
  output.changes.push(outcomeOf(message))
  if (message.outcome !== 'progress') state.forwardedChange = null
}

function askLeader(core: Core, leader: NodeId): void {
  const { state, options } = core
  if (state.forwardedChange === null) return
  const { id: number, asked: change, force } = state.forwardedChange
  send(core, leader, { type: 'membershipRequest', term: state.currentTerm, boot: options.boot, number, change, force })
}

function outcomeOf({
  number: id,
  outcome,
  problem,
  member,
  index,
  lastIndex,
  configuration,
}: MembershipResponse): ChangeOutcome {
  switch (outcome) {
    case 'done':
      return configuration === null ? { type: 'retry', id } : { type: 'done', id, index, configuration }
    case 'progress':
      return { type: 'progress', id, member, matchIndex: index, lastIndex }
    case 'notLeader':
    case 'steppedDown':
      return { type: 'retry', id }
    case 'pending':
    case 'transferring':
    case 'invalid':
      return { type: 'refused', id, reason: outcome, problem }
    default:
      return { type: 'ended', id, reason: outcome, member }
  }
}
