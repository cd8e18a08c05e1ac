// The one place that decides when a message may leave (design: durability is a field name). Vote requests, grants and
// acknowledgements wait until all that was handed out is durable; what promises nothing may leave at once, but no
// message of a term before (currentTerm, votedFor) of that term is durable (H1, H26, H111).
import { assert } from './assert.js'
import type { Core } from './core.js'
import type { AppendRange, OutboundMessage } from './messages.js'
import type { CoreState } from './state.js'
import type { NodeId } from './types.js'

/** Puts a message into the slot that its promise demands. */
export function send(core: Core, to: NodeId, message: OutboundMessage): void {
  const slot = isTermDurable(core.state) && !isPromise(message) ? 'messages' : 'messagesAfterPersist'
  core.output.push(slot, { to, message })
}

/** A leader's range leaves before its own entries are durable (thesis §10.2.1). Returns whether it joined the one before. */
export function sendRange(core: Core, to: NodeId, range: AppendRange): boolean {
  assert(isTermDurable(core.state), `term ${range.term} is durable before it is led`)
  return core.output.pushRange(to, range, core.options.appendEntries)
}

/** Whether a crash now would keep (currentTerm, votedFor). */
export function isTermDurable({ currentTerm, votedFor, persistedHardState }: CoreState): boolean {
  return persistedHardState.currentTerm === currentTerm && persistedHardState.votedFor === votedFor
}

/** A candidate that claims an unpersisted log, crashes and returns shorter could win on an old grant: requests wait too. */
function isPromise(message: OutboundMessage): boolean {
  if (message.type === 'appendEntriesResponse') return message.outcome === 'success'
  if (message.type === 'installSnapshotResponse') return message.outcome === 'installed'
  return message.type === 'requestVote' || message.type === 'requestVoteResponse'
}
