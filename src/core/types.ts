// The nouns of the paper as plain data: who is in the cluster, what is durable, what an entry is. Everything above
// the core re-exports them from here; nothing here has behaviour.

/** Name of a node, unique in its cluster: 1 to 64 of `A-Z a-z 0-9 . _ -`. */
export type NodeId = string
/** Raft's logical clock: a safe integer, 0 before the first election. */
export type Term = number
/** Position in the log: a safe integer, 1-based; 0 means "before the first entry". */
export type LogIndex = number
/** `preCandidate` asks whether an election could be won, without changing anything (thesis §9.6). */
export type Role = 'follower' | 'preCandidate' | 'candidate' | 'leader'

/** A member of the cluster, as the configuration holds it. */
export interface Member {
  readonly id: NodeId
  /** Where peers dial it; a hint, never an identity. */
  readonly address: string
  /** Only voters count in majorities; a learner receives the log and serves reads. */
  readonly suffrage: 'voter' | 'learner'
  /** The application's own facts, replicated with the configuration. At most 1 KiB in all. */
  readonly metadata?: Readonly<Record<string, string>> | undefined
  /** Set by the library: the store that the member was added with; another one under this id is refused. */
  readonly storeId?: string | undefined
  /** Set by the library: index of the entry that added the member. With the term it names a replication session. */
  readonly addedAt?: LogIndex | undefined
}

/** A member as an embedder writes it. @defaultValue suffrage: `voter` */
export type MemberSpec = Pick<Member, 'id' | 'address' | 'metadata'> & {
  readonly suffrage?: Member['suffrage'] | undefined
}

/** Who votes. While `votersOutgoing` is not empty the cluster is in joint consensus: both majorities must agree (§6). */
export interface Configuration {
  readonly members: readonly Member[]
  readonly votersOutgoing: readonly Member[]
}

/** What must be durable before a vote or an acknowledgement leaves this node (figure 2, "persistent state"). */
export interface HardState {
  readonly currentTerm: Term
  readonly votedFor: NodeId | null
}

/** What clients propose: a command for the state machine as it is, or a step of a session (§8). */
export type ProposedType = 'command' | 'session'

/** One entry of the replicated log. The core looks into the `data` of configurations only. */
export interface LogEntry {
  readonly index: LogIndex
  readonly term: Term
  readonly type: ProposedType | 'noop' | 'configuration'
  /** Leader's wall clock at append in ms since 1970, never decreasing along the log. */
  readonly timestamp: number
  readonly data: Uint8Array
}

/** Position and configuration that a snapshot stands for (§7). */
export interface SnapshotMeta {
  readonly lastIncludedIndex: LogIndex
  readonly lastIncludedTerm: Term
  /** Log time goes on from here when no entry is left (F34). */
  readonly lastIncludedTimestamp: number
  readonly configuration: Configuration
  readonly configurationIndex: LogIndex
}
