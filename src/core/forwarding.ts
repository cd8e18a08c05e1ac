// Proposals, where they arrive and where they are passed on to (§8, F16). Transports may duplicate and reorder: within
// its term a leader remembers each origin's requests by number and repeats its answer instead of acting again.
import type { Core } from './core.js'
import type { ProposeEvent } from './event.js'
import type { ProposeRefusal, ProposeRequest, ProposeResponse } from './messages.js'
import { broadcastAppends, appendToOwnLog } from './replication.js'
import { send } from './send.js'
import type { CoreState, ForwardOrigin } from './state.js'
import type { LogIndex, NodeId, ProposedType } from './types.js'

/** Numbers of one origin that a leader remembers, and so the most that an origin may have unanswered: part of the protocol. */
export const FORWARD_WINDOW = 4_096

/** Origins that a leader remembers in one term; nobody beyond them gets an answer. More than a cluster has members. */
export const MAX_FORWARD_ORIGINS = 256

/** Commands of this node's own clients: appended here, or passed on once to the leader. */
export function onPropose(core: Core, { id, entryType, commands }: Omit<ProposeEvent, 'type'>): void {
  const { state, options, output, rules } = core
  if (state.role === 'leader' && !rules.takesProposals(isHeldUp(state))) {
    output.results.push({ type: 'transferring', id })
  } else if (state.role === 'leader') {
    const firstIndex = appendCommands(core, entryType, commands)
    output.results.push({ type: 'appended', id, firstIndex, term: state.currentTerm })
  } else if (state.leaderId === null) {
    output.results.push({ type: 'noLeader', id })
  } else {
    state.forwardNumber += 1
    const [term, boot, number] = [state.currentTerm, options.boot, state.forwardNumber]
    send(core, state.leaderId, { type: 'proposeRequest', term, boot, number, entryType, commands })
    output.results.push({ type: 'forwarded', id, number, term })
  }
}

/** A follower passes commands on. */
export function handleProposeRequest(core: Core, from: NodeId, message: ProposeRequest, budgetBytes: number): void {
  const { state } = core
  // A copy of it may have been accepted before a restart or in an earlier leadership; to refuse this one would be a lie.
  if (message.term <= state.forgottenTerm) return
  if (message.term !== state.ledTerm) {
    send(core, from, answerTo(core, message, { refusal: 'notLeader' }))
    return
  }
  const origin = originOf(core, from, message.boot)
  if (origin === null) return
  const held = origin.answers.get(message.number)
  if (held !== undefined) {
    send(core, from, held)
    return
  }
  // Below the window it is not known any more whether it was taken: silence is the only honest answer.
  if (message.number <= origin.highestSeen - FORWARD_WINDOW) return
  const refusal = state.role === 'leader' ? refusalOf(core, origin, { message, budgetBytes }) : 'notLeader'
  const answer = answerTo(
    core,
    message,
    refusal === null ? { firstIndex: take(core, from, origin, message) } : { refusal },
  )
  remember(origin, answer)
  send(core, from, answer)
}

/** A new leadership begins with an empty memory; what the earlier one accepted can't be told any more. */
export function forgetForwards({ state }: Core): void {
  state.forgottenTerm = Math.max(state.forgottenTerm, state.ledTerm)
  state.ledTerm = state.currentTerm
  state.forwardOrigins.clear()
}

/** What became of a forward. An answer to an earlier boot is nobody's. */
export function handleProposeResponse(core: Core, message: ProposeResponse): void {
  const { options, output } = core
  if (message.boot !== options.boot) return
  const { number, refusal, firstIndex, entryTerm: term } = message
  output.results.push(
    refusal === null ? { type: 'accepted', number, firstIndex, term } : { type: 'refused', number, refusal },
  )
}

/** Leadership is being handed over, or the founder is still alone: one disk is not what the list promises (F25). */
function isHeldUp({ transfer, founding }: CoreState): boolean {
  return transfer !== null || founding !== null
}

function take(core: Core, from: NodeId, origin: ForwardOrigin, message: ProposeRequest): LogIndex {
  origin.highestAccepted = message.number
  const firstIndex = appendCommands(core, message.entryType, message.commands)
  const progress = core.state.progress.get(from)
  // The origin answers its client from its own apply, so it wants to know at once that this is committed.
  if (progress !== undefined) progress.awaitsCommit = core.state.log.lastIndex
  return firstIndex
}

function appendCommands(core: Core, type: ProposedType, commands: readonly Uint8Array[]): LogIndex {
  const first = appendToOwnLog(
    core,
    commands.map((data) => ({ type, data })),
  )
  broadcastAppends(core)
  return first
}

/** A number below one already accepted would overtake in the log what it followed in the calls (F17). */
function refusalOf(
  { state, rules }: Core,
  origin: ForwardOrigin,
  { message, budgetBytes }: { readonly message: ProposeRequest; readonly budgetBytes: number },
): ProposeRefusal | null {
  if (message.number < origin.highestAccepted) return 'reordered'
  if (!rules.takesProposals(isHeldUp(state))) return 'transferring'
  let bytes = 0
  for (const command of message.commands) bytes += command.length
  return bytes > budgetBytes ? 'overloaded' : null
}

/** Null for an earlier boot of that node, which nobody waits for any more, and for one origin too many. */
function originOf({ state }: Core, from: NodeId, boot: number): ForwardOrigin | null {
  const held = state.forwardOrigins.get(from)
  if (held !== undefined && boot < held.boot) return null
  if (held?.boot === boot) return held
  if (held === undefined && state.forwardOrigins.size >= MAX_FORWARD_ORIGINS) return null
  const origin: ForwardOrigin = { boot, highestAccepted: 0, highestSeen: 0, answers: new Map() }
  state.forwardOrigins.set(from, origin)
  return origin
}

function remember(origin: ForwardOrigin, answer: ProposeResponse): void {
  const highestSeen = Math.max(origin.highestSeen, answer.number)
  for (let number = origin.highestSeen - FORWARD_WINDOW + 1; number <= highestSeen - FORWARD_WINDOW; number++) {
    if (!origin.answers.delete(number) && origin.answers.size === 0) break
  }
  origin.highestSeen = highestSeen
  origin.answers.set(answer.number, answer)
}

function answerTo(
  { state }: Core,
  { boot, number }: ProposeRequest,
  verdict: { refusal: ProposeRefusal } | { firstIndex: LogIndex },
): ProposeResponse {
  const common = { type: 'proposeResponse', term: state.currentTerm, boot, number } as const
  if ('refusal' in verdict) return { ...common, refusal: verdict.refusal, firstIndex: 0, entryTerm: 0 }
  return { ...common, refusal: null, firstIndex: verdict.firstIndex, entryTerm: state.currentTerm }
}
