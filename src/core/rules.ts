// The decisions of figure 2, one function each, in one table: this is the page to check against the paper. They are
// pure. A harness replaces one of them to prove that it would notice; nothing else ever does.
import { hasEntry, lastTerm, type LogTrail, termAt } from './log-trail.js'
import { hasQuorum, type Quorum, quorumValue } from './quorum.js'
import type { LogEntry, LogIndex, NodeId, SnapshotMeta, Term } from './types.js'

export interface Rules {
  /** §5.4.1: a candidate's log is up to date when its last term is larger, or equal and its log at least as long. */
  isUpToDate(candidate: { lastLogIndex: LogIndex; lastLogTerm: Term }, log: LogTrail): boolean
  /** §5.2: one vote a term, first come first served; a repeated request of the same candidate is granted again (H5). */
  hasVoteFor(votedFor: NodeId | null, candidate: NodeId): boolean
  /** §5.2: an election is won with the votes of a majority; anybody else's count for nothing (H4, H31). */
  hasWon(quorum: Quorum, votes: ReadonlySet<NodeId>): boolean
  /** §5.3: where the entries first differ from the log or go beyond it, as a position in `entries`; -1 where they don't. */
  firstNewEntry(entries: readonly LogEntry[], log: LogTrail): number
  /** §5.3: a follower commits no further than what this very message verified (H23). */
  followerCommit(leaderCommit: LogIndex, lastVerified: LogIndex): LogIndex
  /** §5.3: the largest index that a majority holds, by the matchIndex of each (H31, H32). */
  replicatedIndex(quorum: Quorum, matchIndexOf: (id: NodeId) => LogIndex): LogIndex
  /** §5.4.2: replicas are counted only for entries of the leader's own term (figure 8, H21). */
  countsForCommit(entryTerm: Term, currentTerm: Term): boolean
  /** §5.3: what a follower acknowledges: the last entry of the message, never the last one that it holds (H25). */
  acknowledgedIndex(prevLogIndex: LogIndex, entries: readonly LogEntry[]): LogIndex
  /** Thesis §4.2.3: a node that heard its leader within the shortest election timeout helps nobody to replace it. */
  isSticky(sinceLeaderContactMs: number, electionTimeoutMs: number): boolean
  /** Thesis §4.2.3: whether a vote is asked for in spite of that: only when the leader asked for the election. */
  overrulesStickiness(leadershipTransfer: boolean): boolean
  /** Thesis §3.10: the target of a transfer campaigns when it has all that the leader has, or it could not win. */
  isCaughtUp(matchIndex: LogIndex, lastIndex: LogIndex): boolean
  /**
   * Thesis §3.10: a leader that hands over takes no proposals, or the target would never catch up. Nor does a founder, before
   * those that it is to found the cluster with vote (F25).
   */
  takesProposals(isHeldUp: boolean): boolean
  /** Thesis §3.10: a transfer that takes longer than an election timeout is given up. */
  isTransferOver(sinceStartMs: number, electionTimeoutMs: number): boolean
  /** §6, raft-dev 2015: no configuration is appended before an entry of the leader's own term is committed (H39). */
  mayChangeMembers(commitIndex: LogIndex, termFirstIndex: LogIndex): boolean
  /** §6: the next configuration waits until the one in force is committed (H40, H42). */
  isConfigurationCommitted(configurationIndex: LogIndex, commitIndex: LogIndex): boolean
  /** §6, thesis §4.1: majorities of two configurations meet by themselves only where at most one voter differs. */
  needsJointConsensus(votersThatDiffer: number): boolean
  /** Thesis §4.2.1: a learner may vote when its last round of catching up took less than an election timeout (H46). */
  isFastEnough(roundMs: number, electionTimeoutMs: number): boolean
  /** §7: a snapshot is not installed where the log holds what it holds, or entries behind it would be lost (H54). */
  holdsSnapshot(snapshot: SnapshotMeta, log: LogTrail, commitIndex: LogIndex): boolean
  /** §6: a leader whose committed configuration leaves it out of the voters steps down. */
  mustDepart(isVoter: boolean): boolean
  /** A configuration that names the node with another store means the node before its disk was lost (H19). */
  isOwnStore(expected: string, own: string): boolean
  /** Thesis §6.4.1: a voter that promised a leader its time helps nobody to replace it before that is over (H117). */
  isPromiseKept(now: number, promisedUntil: number): boolean
  /** A promise is made when the store knows that such long ones are: a restart forgets it otherwise (H69). */
  isPromiseDurable(leaseMs: number, durableMs: number): boolean
  /** Thesis §6.4.1: a lease counts from when the leader sent what was answered, never from when the answer came (H68). */
  leaseBegins(sentMs: number, receivedMs: number): number
  /** The wall clock gained that on the monotonic one between two events: the machine was suspended, or its clock set (H117). */
  isClockJump(gainedMs: number): boolean
  /** §7: a leader keeps what a peer that it heard within an election timeout still needs (F27). */
  isWaitedFor(sinceContactMs: number, electionTimeoutMs: number): boolean
}

export const RULES: Rules = Object.freeze({
  isUpToDate(candidate: { lastLogIndex: LogIndex; lastLogTerm: Term }, log: LogTrail): boolean {
    const term = lastTerm(log)
    return candidate.lastLogTerm > term || (candidate.lastLogTerm === term && candidate.lastLogIndex >= log.lastIndex)
  },
  hasVoteFor(votedFor: NodeId | null, candidate: NodeId): boolean {
    return votedFor === null || votedFor === candidate
  },
  hasWon: hasQuorum,
  firstNewEntry(entries: readonly LogEntry[], log: LogTrail): number {
    // What lies below the base is committed and so the same.
    return entries.findIndex((entry) => entry.index > log.baseIndex && termAt(log, entry.index) !== entry.term)
  },
  followerCommit(leaderCommit: LogIndex, lastVerified: LogIndex): LogIndex {
    return Math.min(leaderCommit, lastVerified)
  },
  replicatedIndex: quorumValue,
  countsForCommit(entryTerm: Term, currentTerm: Term): boolean {
    return entryTerm === currentTerm
  },
  acknowledgedIndex(prevLogIndex: LogIndex, entries: readonly LogEntry[]): LogIndex {
    return prevLogIndex + entries.length
  },
  isSticky(sinceLeaderContactMs: number, electionTimeoutMs: number): boolean {
    return sinceLeaderContactMs < electionTimeoutMs
  },
  overrulesStickiness: (leadershipTransfer: boolean) => leadershipTransfer,
  isCaughtUp: (matchIndex: LogIndex, lastIndex: LogIndex) => matchIndex === lastIndex,
  takesProposals: (isHeldUp: boolean) => !isHeldUp,
  isTransferOver: (sinceStartMs: number, electionTimeoutMs: number) => sinceStartMs >= electionTimeoutMs,
  mayChangeMembers: (commitIndex: LogIndex, termFirstIndex: LogIndex) => commitIndex >= termFirstIndex,
  isConfigurationCommitted: (configurationIndex: LogIndex, commitIndex: LogIndex) => configurationIndex <= commitIndex,
  needsJointConsensus: (votersThatDiffer: number) => votersThatDiffer > 1,
  isFastEnough: (roundMs: number, electionTimeoutMs: number) => roundMs < electionTimeoutMs,
  holdsSnapshot({ lastIncludedIndex, lastIncludedTerm }: SnapshotMeta, log: LogTrail, commitIndex: LogIndex): boolean {
    return lastIncludedIndex <= commitIndex || hasEntry(log, lastIncludedIndex, lastIncludedTerm)
  },
  mustDepart: (isVoter: boolean) => !isVoter,
  isOwnStore: (expected: string, own: string) => expected === own,
  isPromiseKept: (now: number, promisedUntil: number) => now < promisedUntil,
  isPromiseDurable: (leaseMs: number, durableMs: number) => leaseMs <= durableMs,
  leaseBegins: (sentMs: number) => sentMs,
  // What two readings of the clocks, one after the other, may differ by on a busy machine; far below any lease.
  isClockJump: (gainedMs: number) => gainedMs > 10,
  isWaitedFor: (sinceContactMs: number, electionTimeoutMs: number) => sinceContactMs < electionTimeoutMs,
})
