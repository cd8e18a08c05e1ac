// The decisions around the core, one function each, in one table beside `core/rules.ts`: what a call is told, when a query
// or an entry may run, what may still be sent. They are pure. A harness replaces one of them to prove that it would
// notice; nothing else ever does.
import type { LogIndex, Term } from '../core/types.js'
import type { EndReason } from './pending-call.js'
import type { ProposalStage } from './proposal-call.js'

/** What the applier is doing. */
export interface ApplierWork {
  /** The state machine's promise of an entry is open. */
  readonly isApplying: boolean
  /** Entries are being read from the store. */
  readonly isFetching: boolean
  /** The state machine makes ready for a snapshot. */
  readonly isHeld: boolean
  /** Queries that go on after their turn. */
  readonly queryCount: number
}

export interface NodeRules {
  /** What of an encoded command the log keeps: the codec may have given the caller's own buffer (H96). */
  keepEncoded(encoded: Uint8Array): Uint8Array
  /** Whether the entry that was applied at a call's index is the call's own, not one that took its place (H35). */
  isOwnEntry(callTerm: Term, entryTerm: Term): boolean
  /** What a proposal is told that ends before its result is known: `rejected` only where nobody has seen it (H36). */
  outcomeOfEnded(stage: ProposalStage): 'rejected' | 'unknown'
  /** Whether a call ends for that reason: every one does, so that no promise stays open (H101). */
  ends(reason: EndReason): boolean
  /** Whether what is applied must be kept: an unanswered forward may turn out to be in it (H116). */
  keepsResults(openForwards: number): boolean
  /** The index that a read waits for, of those that it was given (H67). */
  readIndexOf(wanted: LogIndex, given: LogIndex): LogIndex
  /** Up to where entries may be applied: what is committed, and durable here. */
  applicable(commitIndex: LogIndex, persistedIndex: LogIndex): LogIndex
  /** Whether an entry may be applied now: one at a time, beside no query and no checkpoint (H52, H76, H130). */
  mayApply(work: ApplierWork): boolean
  /** Whether a query may run now: between two applies, and not for ever before the next (H130). */
  mayQuery(work: ApplierWork, isCaughtUp: boolean): boolean
  /** Whether a range may be sent that was asked for in a term and session of which `isCurrent` tells (H98, H128). */
  maySendRange(isCurrent: boolean): boolean
  /** Whether a message that holds `entryCount` entries takes no other: something always fits an empty one (H124). */
  endsMessage(entryCount: number, isOverLimits: boolean): boolean
  /** Whether a peer comes with the store that the member of its name was added with (H19, H112). */
  isMembersStore(expected: string, said: string): boolean
  /** Whether a listed peer's store belongs to no cluster yet, by the nonce that it says it belongs to (F25). */
  isEmptyStore(nonce: string): boolean
  /** Whether a session that had no entry for that long of log time is over (H72). */
  isSessionExpired(idleMs: number, ttlMs: number): boolean
  /** Whether what a command of a session returned is kept until the client has it (§8). */
  isSessionAnswerKept(): boolean
  /** Whether a snapshot holds the sessions too (H51). */
  keepsSessionsInSnapshots(): boolean
  /** The number under which a command of a session is sent for the `attempt`-th time (H114). */
  sequenceOfAttempt(sequence: number, attempt: number): number
  /** Whether the stores stay open until the write under way is over (H109). */
  awaitsWrites(): boolean
}

export const NODE_RULES: NodeRules = Object.freeze({
  keepEncoded: (encoded: Uint8Array) => new Uint8Array(encoded),
  isOwnEntry: (callTerm: Term, entryTerm: Term) => callTerm === entryTerm,
  outcomeOfEnded: (stage: ProposalStage) => (stage === 'waiting' ? 'rejected' : 'unknown'),
  ends: () => true,
  keepsResults: (openForwards: number) => openForwards > 0,
  readIndexOf: (wanted: LogIndex, given: LogIndex) => Math.max(wanted, given),
  applicable: (commitIndex: LogIndex, persistedIndex: LogIndex) => Math.min(commitIndex, persistedIndex),
  mayApply: ({ isApplying, isFetching, isHeld, queryCount }: ApplierWork) => {
    return !isApplying && !isFetching && !isHeld && queryCount === 0
  },
  mayQuery: ({ isApplying, queryCount }: ApplierWork, isCaughtUp: boolean) => {
    return !isApplying && (queryCount === 0 || isCaughtUp)
  },
  maySendRange: (isCurrent: boolean) => isCurrent,
  endsMessage: (entryCount: number, isOverLimits: boolean) => entryCount > 0 && isOverLimits,
  isMembersStore: (expected: string, said: string) => expected === said,
  isEmptyStore: (nonce: string) => nonce === '',
  isSessionExpired: (idleMs: number, ttlMs: number) => idleMs > ttlMs,
  isSessionAnswerKept: () => true,
  keepsSessionsInSnapshots: () => true,
  sequenceOfAttempt: (sequence: number) => sequence,
  awaitsWrites: () => true,
})
