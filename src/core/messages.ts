// Every message between two nodes, as plain data (figure 2's RPCs and what thesis §6.4 and §9.6 add). A request and
// its answer are two one-way messages: the transport may lose, delay, duplicate and reorder each of them.
import type { MembershipChange } from './membership-change.js'
import type { ChangeEndReason, ChangeRefusal } from './output.js'
import type { Configuration, LogEntry, LogIndex, NodeId, ProposedType, SnapshotMeta, Term } from './types.js'

/** Would you vote for me in `term`? Changes nothing on the voter (thesis §9.6). `term` is the one *asked about*. */
export interface PreVote {
  readonly type: 'preVote'
  readonly term: Term
  /** Tells one attempt from the next, so that a late grant does not count (H12). */
  readonly round: number
  readonly lastLogIndex: LogIndex
  readonly lastLogTerm: Term
}

/** A grant repeats the term asked about; a refusal carries the voter's own current term. */
export interface PreVoteResponse {
  readonly type: 'preVoteResponse'
  readonly term: Term
  readonly round: number
  readonly voteGranted: boolean
}

/** RequestVote RPC (§5.2, §5.4.1). */
export interface RequestVote {
  readonly type: 'requestVote'
  readonly term: Term
  readonly lastLogIndex: LogIndex
  readonly lastLogTerm: Term
  /** The leader itself asked for this election by TimeoutNow: a voter that hears it answers all the same (thesis §4.2.3). */
  readonly leadershipTransfer: boolean
}

export interface RequestVoteResponse {
  readonly type: 'requestVoteResponse'
  readonly term: Term
  readonly voteGranted: boolean
}

/** The leader of `term` asks the receiver, which has caught up, to campaign at once (thesis §3.10). Without an answer. */
export interface TimeoutNow {
  readonly type: 'timeoutNow'
  readonly term: Term
}

/** AppendEntries RPC with its entries (§5.3). May be empty: then it only asks whether `prevLogIndex` is there. */
export interface AppendEntries {
  readonly type: 'appendEntries'
  readonly term: Term
  /** Index of the entry that added the receiver; with `term` it names the replication session (F12). */
  readonly addedAt: LogIndex
  readonly prevLogIndex: LogIndex
  readonly prevLogTerm: Term
  readonly leaderCommit: LogIndex
  readonly entries: readonly LogEntry[]
}

export interface AppendEntriesResponse {
  readonly type: 'appendEntriesResponse'
  readonly term: Term
  readonly addedAt: LogIndex
  /** `busy`: the receiver is over its limits, took nothing and judged nothing (F13). */
  readonly outcome: 'success' | 'mismatch' | 'busy'
  /** `success`: the last index verified in that very message, durable. `mismatch`, `busy`: the `prevLogIndex` asked. */
  readonly index: LogIndex
  /** `mismatch`: the largest index of the receiver, at or below `prevLogIndex`, whose term is at most `prevLogTerm`. */
  readonly hintIndex: LogIndex
  /** `mismatch`: the receiver's term at `hintIndex`. */
  readonly hintTerm: Term
}

/**
 * AppendEntries without entries, as heartbeat and ReadIndex round (§5.2, thesis §6.4). `prevLogIndex` is the
 * receiver's matchIndex, never nextIndex - 1: it may overtake entries and must not look like a conflict (F7, H129).
 */
export interface Heartbeat {
  readonly type: 'heartbeat'
  readonly term: Term
  readonly addedAt: LogIndex
  readonly prevLogIndex: LogIndex
  readonly prevLogTerm: Term
  readonly leaderCommit: LogIndex
  /** ReadIndex round that an answer confirms. */
  readonly round: number
  /** The leader's own monotonic clock at sending, ms, finite, not negative, may have fractions; comes back in `echoMs`. */
  readonly sentMs: number
  /** The newest `sentMs` that the leader had from this follower, by the follower's own clock; -1 for none (F21). */
  readonly echoMs: number
  /** `boot` of the answer that `echoMs` came with; 0 for none. A restarted clock starts anew. */
  readonly echoBoot: number
  /** How long ago the leader last knew a quorum behind it, ms, finite, not negative, may have fractions (F21). */
  readonly quorumAgeMs: number
  /** The leader asks for a promise to elect nobody else for that long, ms, may have fractions; 0 for none (F20). */
  readonly leaseMs: number
}

export interface HeartbeatResponse {
  readonly type: 'heartbeatResponse'
  readonly term: Term
  readonly addedAt: LogIndex
  readonly round: number
  /** min(prev verified, persisted); -1 when `prevLogIndex` was not found. Moves no index on the leader (F7). */
  readonly index: LogIndex
  /** The follower's own monotonic clock at sending, ms, finite, not negative, may have fractions. */
  readonly sentMs: number
  /** Boot counter of the follower; comes back in `echoBoot`. */
  readonly boot: number
  /** `sentMs` of the heartbeat that this answers, by the leader's clock. */
  readonly echoMs: number
  /** What was promised, ms from when the heartbeat came; 0 for nothing (F20). */
  readonly leaseMs: number
}

/**
 * InstallSnapshot RPC (figure 13): a chunk of a snapshot, in place of entries that the leader's log does not hold any more.
 * An empty chunk asks how much is there. It is the last one when `offset` and the chunk reach `sizeBytes`.
 */
export interface InstallSnapshot {
  readonly type: 'installSnapshot'
  readonly term: Term
  readonly addedAt: LogIndex
  /** Rises with each transfer of the leader; with `term`, which has one leader, it names the transfer (H56). */
  readonly transfer: number
  /** Of the snapshot that the chunk was read from. */
  readonly meta: SnapshotMeta
  /** SHA-256 of the whole content. */
  readonly digest: Uint8Array
  /** Of the whole content. */
  readonly sizeBytes: number
  readonly offset: number
  readonly chunk: Uint8Array
  /** CRC-32 of the chunk. */
  readonly chunkCrc: number
}

/**
 * `continue`: send from `offset` on. `installed`: everything up to `index` is here, durably, by the snapshot or by the log.
 * `busy`: another one is being installed. `refused`: this transfer has failed; a new one may begin.
 */
export interface InstallSnapshotResponse {
  readonly type: 'installSnapshotResponse'
  readonly term: Term
  readonly addedAt: LogIndex
  readonly transfer: number
  readonly outcome: 'continue' | 'installed' | 'busy' | 'refused'
  /** `continue`: bytes that the receiver has; else 0. */
  readonly offset: number
  /** `installed`: lastIncludedIndex; else 0. */
  readonly index: LogIndex
}

/** Commands that a follower passes on to the leader of `term` (F16). */
export interface ProposeRequest {
  readonly type: 'proposeRequest'
  /** Of the leader that it is meant for; a leader of another term refuses it. */
  readonly term: Term
  /** Boot counter of the origin: answers to an earlier incarnation are nobody's. */
  readonly boot: number
  /** Rises by one with each request of this boot. */
  readonly number: number
  /** What kind of entry each of them becomes. */
  readonly entryType: ProposedType
  readonly commands: readonly Uint8Array[]
}

/** `transferring`: the leader is handing over, see TimeoutNow. */
export type ProposeRefusal = 'notLeader' | 'overloaded' | 'reordered' | 'transferring'

/** Where the commands were appended, which promises nothing, or why they never will be. */
export interface ProposeResponse {
  readonly type: 'proposeResponse'
  readonly term: Term
  readonly boot: number
  readonly number: number
  readonly refusal: ProposeRefusal | null
  /** Of the first command; 0 when refused. */
  readonly firstIndex: LogIndex
  /** Term of the entries; 0 when refused. */
  readonly entryTerm: Term
}

/** A read on a follower asks the leader of `term` for a read index (thesis §6.4). */
export interface ReadIndexRequest {
  readonly type: 'readIndexRequest'
  readonly term: Term
  readonly boot: number
  readonly number: number
  /** The leader's lease will do; without one it is a round as always (F20). */
  readonly byLease: boolean
}

export interface ReadIndexResponse {
  readonly type: 'readIndexResponse'
  readonly term: Term
  readonly boot: number
  readonly number: number
  /** -1: this node is not the leader of that term; ask again. */
  readonly readIndex: LogIndex
}

/** A node asks the leader of `term` how many voters hold `index` durably (F47). */
export interface ReplicasRequest {
  readonly type: 'replicasRequest'
  readonly term: Term
  readonly boot: number
  readonly number: number
  readonly index: LogIndex
}

export interface ReplicasResponse {
  readonly type: 'replicasResponse'
  readonly term: Term
  readonly boot: number
  readonly number: number
  readonly count: number
}

/** A follower asks the leader of `term` for other members, again and again until it is answered (F22). */
export interface MembershipRequest {
  readonly type: 'membershipRequest'
  readonly term: Term
  readonly boot: number
  /** Rises with each change that this boot asks for; a repeated one has the same. */
  readonly number: number
  /** Null to cancel that number. */
  readonly change: MembershipChange | null
  readonly force: boolean
}

export interface MembershipResponse {
  readonly type: 'membershipResponse'
  readonly term: Term
  readonly boot: number
  readonly number: number
  /** `progress` says how far `member` is; `done` brings the configuration; the others say why. */
  readonly outcome: 'progress' | 'done' | ChangeRefusal | ChangeEndReason
  /** `invalid`: what is wrong, in words; else empty. */
  readonly problem: string
  /** `progress`, and an end that a learner was the reason for; else empty. */
  readonly member: NodeId
  /** Of the configuration, or how far `member` is. */
  readonly index: LogIndex
  /** `progress`: of the leader's log. */
  readonly lastIndex: LogIndex
  readonly configuration: Configuration | null
}

/** What travels between nodes. */
export type Message =
  | PreVote
  | PreVoteResponse
  | RequestVote
  | RequestVoteResponse
  | TimeoutNow
  | AppendEntries
  | AppendEntriesResponse
  | Heartbeat
  | HeartbeatResponse
  | InstallSnapshot
  | InstallSnapshotResponse
  | ProposeRequest
  | ProposeResponse
  | ReadIndexRequest
  | ReadIndexResponse
  | MembershipRequest
  | MembershipResponse
  | ReplicasRequest
  | ReplicasResponse

/**
 * An AppendEntries whose entries the core does not hold: the driver fills `first..last` from its cache or the store,
 * and may cut it into several, each valid by itself. `last` is `first - 1` when it only asks about `prevLogIndex`.
 */
export interface AppendRange {
  readonly type: 'appendRange'
  readonly term: Term
  readonly addedAt: LogIndex
  readonly prevLogIndex: LogIndex
  readonly prevLogTerm: Term
  readonly first: LogIndex
  readonly last: LogIndex
  readonly leaderCommit: LogIndex
}

/** What the core puts into an Output: a message, or a range for the driver to fill. Snapshots it asks for by `SendSnapshot`. */
export type OutboundMessage = Exclude<Message, AppendEntries | InstallSnapshot> | AppendRange

export interface Envelope {
  readonly to: string
  readonly message: OutboundMessage
}
