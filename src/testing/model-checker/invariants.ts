// What must hold in every state and after every step (figure 3 of the paper, and what durability and reads add). The
// checks of one node alone stand here; those over all nodes are in cluster-checks.ts.
import type { CoreState } from '../../core/state.js'
import type { Disk } from './disk.js'
import type { NodeState } from './node-state.js'
import { nodeNumber } from './model.js'
import { messageText, type Packet } from './packet.js'
import { termsHeld } from './snapshots.js'

export type Invariant =
  /** checkState and the other assertions within the core: the node stops. */
  | 'core assertion'
  /** checkStep. */
  | 'a step changes what it may'
  | 'election safety'
  | 'log matching'
  | 'leader completeness'
  | 'state machine safety'
  | 'committed is durable on a quorum'
  | 'votes are never changed'
  | 'durable before sent'
  | 'what the core takes for durable is durable'
  | 'who is led helps nobody'
  | 'a pre-vote changes nothing'
  | 'a candidate asked a quorum first'
  | 'reads are linearizable'

export interface Broken {
  readonly invariant: Invariant
  /** What was seen, in words. */
  readonly detail: string
}

/** A vote and a term on disk only ever move on, also over crashes. */
export function checkDisk(before: Disk, after: Disk): Broken | null {
  const { currentTerm, votedFor } = before.hardState
  const now = after.hardState
  const isKept =
    now.currentTerm > currentTerm ||
    (now.currentTerm === currentTerm && (votedFor === null || votedFor === now.votedFor))
  if (isKept) return null
  const detail = `(${currentTerm}, ${votedFor}) on disk became (${now.currentTerm}, ${now.votedFor})`
  return { invariant: 'votes are never changed', detail }
}

/** Own vote, own entries and what is applied: all of it is on the disk when the core counts it. */
export function checkDurable({ core, disk }: NodeState): Broken | null {
  const invariant = 'what the core takes for durable is durable'
  const { persistedHardState: held, persistedIndex } = core
  const { hardState, terms, leasePromiseMs } = disk
  const isTermKept =
    held.currentTerm < hardState.currentTerm ||
    (held.currentTerm === hardState.currentTerm && (held.votedFor === hardState.votedFor || held.votedFor === null))
  if (!isTermKept) return { invariant, detail: `(${held.currentTerm}, ${held.votedFor}) is not on disk` }
  if (core.persistedLeasePromiseMs > leasePromiseMs) {
    return { invariant, detail: `a promise of ${core.persistedLeasePromiseMs} ms is not on disk` }
  }
  const logTerms = termsHeld(core, disk)
  for (let at = 0; at < persistedIndex; at++) {
    if (terms[at] !== logTerms[at])
      return { invariant, detail: `entry ${at + 1} of term ${logTerms[at]} is not on disk` }
  }
  return null
}

/** Nothing that promises something leaves before it is kept, and nothing in the name of a term that a crash would undo. */
export function checkSent({ from, to, message }: Packet, { hardState, terms, leasePromiseMs }: Disk): Broken | null {
  const broken = (): Broken => ({ invariant: 'durable before sent', detail: messageText(message) })
  const { currentTerm, votedFor } = hardState
  if (message.type === 'preVote') return message.term - 1 <= currentTerm ? null : broken()
  if (message.type === 'preVoteResponse' && message.voteGranted) return null
  if (message.term > currentTerm) return broken()
  // A write that was merged with a later term's was overtaken by it: the promise is void, and harms nobody.
  if (message.term < currentTerm) return null
  const votedForNumber = votedFor === null ? -1 : nodeNumber(votedFor)
  if (message.type === 'requestVote') return votedForNumber === from ? null : broken()
  if (message.type === 'requestVoteResponse' && message.voteGranted) return votedForNumber === to ? null : broken()
  if (message.type === 'appendEntriesResponse' && message.outcome === 'success') {
    return terms.length >= message.index ? null : broken()
  }
  if (message.type === 'heartbeatResponse') return leasePromiseMs >= message.leaseMs ? null : broken()
  if (message.type === 'installSnapshotResponse' && message.outcome === 'installed') {
    return terms.length >= message.index ? null : broken()
  }
  return null
}

/** What a voter may not do with a question of a candidate (thesis §4.2.3 and §9.6). */
export function checkAsked(
  before: CoreState,
  after: CoreState,
  { message }: Packet,
  sent: readonly Packet[],
): Broken | null {
  if (message.type !== 'preVote' && message.type !== 'requestVote') return null
  const isChanged =
    after.currentTerm !== before.currentTerm || after.votedFor !== before.votedFor || after.role !== before.role
  if (message.type === 'preVote' && isChanged)
    return { invariant: 'a pre-vote changes nothing', detail: messageText(message) }
  const isLed = before.role === 'leader' || before.leaderContactAt > 0
  if (message.type === 'requestVote' && message.leadershipTransfer) return null
  const grants = sent.some(({ message: answer }) => 'voteGranted' in answer && answer.voteGranted)
  const isNewTerm = message.term > before.currentTerm
  if (isLed && isNewTerm && (isChanged || grants)) {
    return { invariant: 'who is led helps nobody', detail: messageText(message) }
  }
  return null
}
