// The short, stable names of everything that a simulation holds against the library: what went wrong is told in words,
// which check said so by one of these. The table of seeded bugs counts by them.

export type Check =
  // Figure 3 and the rules around it, after each event
  | 'election-safety'
  | 'one-vote-a-term'
  /** A leader of a term without the votes of a quorum of its configuration. */
  | 'elected-by-quorum'
  /** Somebody was elected while another one held a lease (thesis §6.4.1). */
  | 'lease-exclusivity'
  | 'leader-completeness'
  | 'log-matching'
  | 'state-machine-safety'
  | 'committed-in-order'
  | 'committed-is-durable'
  /** A configuration that may not follow the one before it, or not yet (§6). */
  | 'legal-configuration'
  /** A core counts by another configuration than the newest one in its log. */
  | 'configuration-in-force'
  /** An answer of another replication session moved something (F12). */
  | 'other-session'
  /** A request to change the members acted a second time. */
  | 'change-acts-once'
  | 'counted-is-durable'
  | 'log-time'
  | 'applied-in-order'
  | 'applied-is-committed'
  | 'applied-is-durable'
  | 'same-results'
  | 'same-states'
  | 'user-invariant'
  /** A snapshot is not what it says, or not what was applied. */
  | 'snapshot-place'
  /** A log forgot what no durable snapshot holds. */
  | 'snapshot-is-durable'
  /** A log forgot what it has to keep for others. */
  | 'kept-for-others'
  /** One step of one core did what no step may do; see `checkStep` of the core. */
  | 'step'
  /** A core or a node stopped itself by an assertion (`RAFT_INVARIANT`). */
  | 'assertion'
  /** A node failed although its disk did not. */
  | 'unexpected-end'
  // Between a node and its disk
  | 'term-is-durable'
  | 'vote-is-durable'
  | 'persisted-is-durable'
  | 'acknowledged-is-durable'
  | 'request-is-durable'
  | 'restored-as-stored'
  | 'written-as-logged'
  | 'silent-after-failure'
  | 'store-contract'
  // What a node does with its time and its leadership
  | 'stood-still'
  | 'sent-as-leader'
  | 'handed-over'
  // What calls were told
  | 'call-settles'
  | 'call-deadline'
  | 'call-error'
  | 'call-order'
  | 'call-place'
  | 'call-result'
  | 'call-count'
  | 'call-real-time'
  /** A command of a session was applied twice. */
  | 'session-once'
  /** What the client of a session was told of a command is not what happened to it. */
  | 'session-answer'
  /** More voters were said to hold an entry than do. */
  | 'replica-count'
  /** A change of the membership resolved, and is not what is committed. */
  | 'change-result'
  | 'known-outcome'
  | 'stale-read'
  | 'linearizability'
  | 'read-value'
  | 'read-minimum'
  | 'read-staleness'
  // The cluster as a whole
  | 'liveness'
  | 'leader-changes'
  | 'agreement'
  | 'stop'
  | 'hello'
  /** A store without a configuration takes no part in elections. */
  | 'voter-is-member'
  | 'exception'
  | 'unhandled-rejection'

/** What went wrong, and which check said so. */
export interface Violation {
  readonly check: Check
  /** In words. */
  readonly problem: string
}
