// The whole state of a core as plain data: figure 2's fields in figure 2's order and words, then what the thesis adds.
// It can be cloned, hashed and compared; every function of the core takes it and nothing hides beside it.
import { assert } from './assert.js'
import { decodeConfiguration } from './configuration-codec.js'
import { type LogTrail, termAt } from './log-trail.js'
import type { MembershipChange } from './membership-change.js'
import type { MembershipResponse, ProposeResponse } from './messages.js'
import type { Progress } from './progress.js'
import { type Quorum, quorumOf } from './quorum.js'
import type { Configuration, HardState, LogEntry, LogIndex, Member, NodeId, Role, SnapshotMeta, Term } from './types.js'

/** What the driver knows before the first event. `reconfigure` may change timings and bounds later. */
export interface CoreOptions {
  readonly id: NodeId
  /** Each timeout is drawn from [t, 2t) (§9.3 of the thesis). */
  readonly electionTimeoutMs: number
  readonly heartbeatIntervalMs: number
  /** Of the election jitter, 32 bits. */
  readonly seed: number
  /** The durable boot counter: the nonce of this incarnation's forwards and reads. */
  readonly boot: number
  /** Of this node's store. @defaultValue unknown: it is whatever member has its id */
  readonly storeId?: string | undefined
  /** How much faster or slower the clocks of two nodes may run, as a ratio: what a lease is shortened by (F20). */
  readonly maxClockDriftRatio: number
  /** Most entries in one AppendRange. */
  readonly appendEntries: number
  /** Most ranges in flight to one peer. */
  readonly inflightMessages: number
}

/** What the stores held. */
export interface RestoredState {
  readonly hardState: HardState
  readonly firstIndex: LogIndex
  readonly lastIndex: LogIndex
  /** Term at `firstIndex - 1`. */
  readonly previousTerm: Term
  readonly termRuns: readonly { readonly first: LogIndex; readonly term: Term }[]
  /** Timestamp of the last entry; 0 for an empty log. */
  readonly logTime: number
  /**
   * Of the snapshot that the state machine was restored to; within the log or just before it. Everything up to it is
   * committed, applied and durable. @defaultValue `firstIndex - 1`
   */
  readonly lastIncludedIndex?: LogIndex | undefined
  /** Of the snapshot, or of the bootstrap list at index 0; null where neither is known. */
  readonly configuration: { readonly index: LogIndex; readonly configuration: Configuration } | null
  /** The configuration entries of the log, rising. @defaultValue none */
  readonly configurationEntries?: readonly LogEntry[] | undefined
  /** Longest lease ever promised, ms; it may have been promised a moment before. @defaultValue 0 */
  readonly leasePromiseMs?: number | undefined
  /** Whom the founder had still to bring in when it stopped. @defaultValue nobody */
  readonly founding?: readonly Member[] | undefined
}

/** A hand-over of leadership that is under way (thesis §3.10). Never changed, only replaced. */
export interface Transfer {
  /** Of the event that asked for it; 0 for a leader that is left out of the configuration, which nobody asked. */
  readonly id: number
  readonly to: NodeId
  /** ms of the events' clock. */
  readonly startedAt: number
  /** When TimeoutNow was last sent, ms; null for never: the target has not caught up. */
  readonly toldAt: number | null
}

/** The transfer that a chunk of a snapshot came with: `term` has one leader, which numbers its transfers (H56). */
export interface SnapshotSource {
  readonly from: NodeId
  readonly term: Term
  readonly addedAt: LogIndex
  readonly transfer: number
}

/** How one learner that is to vote catches up (thesis §4.2.1). Never changed, only replaced. */
export interface CatchUp {
  readonly id: NodeId
  /** From 1; 0 when it has caught up. */
  readonly round: number
  /** The round ends when the learner has this entry. */
  readonly upTo: LogIndex
  /** ms of the events' clock. */
  readonly startedAt: number
}

/** A change of the membership that this leader is making (§6). Never changed, only replaced. */
export interface Change {
  /** Of the event or the request that asked for it. */
  readonly id: number
  /** The node that asked; null for this one. */
  readonly origin: NodeId | null
  /** Boot counter of `origin`: each of its lives counts its requests anew. 0 for this node. */
  readonly boot: number
  readonly asked: MembershipChange
  /** Whoever asked takes it on himself that too few voters are reachable afterwards. */
  readonly force: boolean
  /** When `origin` was last heard to ask for it, ms of the events' clock: it repeats that as long as somebody waits. */
  readonly askedAt: number
  /**
   * `waiting`: for the configuration in force to be committed and simple. `adding`: the new voters become learners.
   * `catchingUp`: they get the log. `voting`: the wanted configuration, or the joint one on the way to it, is appended.
   */
  readonly phase: 'waiting' | 'adding' | 'catchingUp' | 'voting'
  readonly wanted: readonly Member[]
  readonly catchUps: readonly CatchUp[]
}

/** What a leader remembers of the last change that an origin asked for, to tell a copy from a new one. */
export interface ChangeOrigin {
  readonly boot: number
  readonly number: number
  /** Null while it is being made. */
  readonly answer: MembershipResponse | null
}

/** A change that was passed on to the leader and is asked for again until it is answered. */
export interface ForwardedChange {
  readonly id: number
  readonly asked: MembershipChange
  readonly force: boolean
  readonly sentAt: number
}

/** A linearizable read that waits for its round; `origin` is null for this node's own. */
export interface PendingRead {
  readonly id: number
  readonly origin: NodeId | null
  /** Boot counter of the origin. */
  readonly boot: number
  /** Round that must be answered by a quorum; null until the term's first entry is committed. */
  round: number | null
  readIndex: LogIndex
}

/** What a leader remembers of one origin's forwards of the term that it led (F16). */
export interface ForwardOrigin {
  readonly boot: number
  highestAccepted: number
  highestSeen: number
  readonly answers: Map<number, ProposeResponse>
}

export interface CoreState {
  // Persistent state on all servers
  currentTerm: Term
  votedFor: NodeId | null
  /** The log without its payloads. */
  readonly log: LogTrail
  /** What of the above is durable. `persistedIndex` never passes an entry that was overwritten since. */
  persistedHardState: HardState
  persistedIndex: LogIndex
  /** Rises with each truncation. */
  epoch: number
  /** Longest lease ever promised, ms, and what of that is durable (F20). */
  leasePromiseMs: number
  persistedLeasePromiseMs: number
  /** Last index of the newest snapshot, which is durable; never behind the base of the log. */
  snapshotIndex: LogIndex
  /** Entries up to here may be compacted as far as the policy goes; never beyond `snapshotIndex`. */
  compactableIndex: LogIndex
  /** Of these, entries up to here are not kept for a peer either. */
  expendableIndex: LogIndex

  // Volatile state on all servers
  /** A snapshot that takes the place of log and state just now: no index moves meanwhile. Never changed, only replaced. */
  installing: { readonly source: SnapshotSource; readonly meta: SnapshotMeta } | null
  commitIndex: LogIndex
  lastApplied: LogIndex
  role: Role
  leaderId: NodeId | null
  /** When a leader of this term was last heard; -Infinity for never, and after its connection was reset. */
  leaderContactAt: number
  /** Until then this voter elects nobody, as it promised the leader of that term; -1 where it does not know whose (F20). */
  promisedUntil: number
  promisedTerm: Term
  quorum: Quorum
  /** Null but on the founder of a cluster that does not hold its first members yet: whom it brings in (F25). */
  founding: readonly Member[] | null
  /** The store that each peer said it has, of those that are connected. */
  readonly stores: Map<NodeId, string>
  /** Largest timestamp ever seen in an entry; not lowered by truncation (F34). */
  logTime: number

  // Volatile state on candidates
  /** Voters who granted in (currentTerm, role), and for a preCandidate in `preVoteRound` too. */
  readonly votes: Set<NodeId>
  /** Voters of this node in currentTerm, also while it asks for pre-votes for the next one. */
  readonly grants: Set<NodeId>
  preVoteRound: number

  // Volatile state on leaders: nextIndex and matchIndex are in here, for each peer
  readonly progress: Map<NodeId, Progress>
  /** Index of the no-op that opened this leader's term; 0 elsewhere. */
  termFirstIndex: LogIndex
  readRound: number
  /** A leader asks for promises until then, ms: for a while after each read by lease (F20). */
  leaseWantedUntil: number
  /** Only what was sent after this time counts for its lease, ms. */
  leaseNotBefore: number
  /** It told somebody to take over: there is no lease in this term any more. */
  hasEndedLease: boolean
  /** Number of the last transfer of a snapshot that was begun in this boot. */
  lastTransfer: number
  /** Null but on a leader that hands over. */
  transfer: Transfer | null
  /** Null but on a leader that changes the membership. */
  change: Change | null
  /** Of the newest configuration that this leadership knows to be committed; -1 for none. */
  settledIndex: LogIndex
  /** Since when those that it leaves out may hear so; null when they have, or nobody waits for it any more. */
  departingSince: number | null
  /** By the node that asked; of this leadership. */
  readonly changeOrigins: Map<NodeId, ChangeOrigin>

  // Forwards that came here (F16). What is remembered outlives the leadership: a late copy must get the first one's answer
  /** The last term that this node led in this boot; 0 for none. */
  ledTerm: Term
  /** Copies of forwards of terms up to here may have been accepted, and nobody remembers: they get no answer. */
  forgottenTerm: Term
  readonly forwardOrigins: Map<NodeId, ForwardOrigin>

  // Reads: on the leader those that wait for a round, elsewhere those that wait for the leader's answer
  readonly reads: PendingRead[]
  /** Sent to the leader: id and when. */
  readonly forwardedReads: Map<number, number>
  /** Number of the last forwarded proposal. */
  forwardNumber: number
  /** Null but on a node that asked the leader for a change of the membership. */
  forwardedChange: ForwardedChange | null

  // Freshness of a follower's state (F21), by its own clock
  /** This state held all that the leader had committed at this time; -Infinity for never. */
  freshAt: number
  /** Becomes `freshAt` when `commitIndex` of it is applied. */
  freshPending: { readonly at: number; readonly commitIndex: LogIndex } | null

  // Timers, ms of the events' clock
  now: number
  /** Newest wall clock that an event brought, ms since 1970; 0 for none. */
  wallTime: number
  /** By how much it was ahead of `now` then. */
  wallAheadMs: number
  /** When the clocks last told of a suspended machine; -Infinity for never. What was sent before is older than it seems. */
  clockJumpedAt: number
  electionDeadline: number
  heartbeatDeadline: number
  /** A quorum is checked against contacts after this time: when it became leader or woke from a stall. */
  quorumCheckSince: number
  prng: number
}

/** A follower of whatever the stores held; nothing behind the snapshot is known to be committed yet (§5.3). */
export function initialState(options: CoreOptions, restored: RestoredState, now: number): CoreState {
  const { hardState } = restored
  const log: LogTrail = {
    baseIndex: restored.firstIndex - 1,
    baseTerm: restored.previousTerm,
    lastIndex: restored.lastIndex,
    runs: restored.termRuns.map(({ first, term }) => ({ first, term })),
    configurations: restoredConfigurations(restored),
  }
  assert(log.lastIndex >= log.baseIndex, `the log ends at ${log.lastIndex} and begins after ${log.baseIndex}`)
  const { lastIncludedIndex = log.baseIndex } = restored
  assert(
    lastIncludedIndex >= log.baseIndex && lastIncludedIndex <= log.lastIndex,
    `the snapshot of ${lastIncludedIndex} lies in the log that begins after ${log.baseIndex} and ends at ${log.lastIndex}`,
  )
  assert(log.lastIndex === log.baseIndex || termAt(log, log.baseIndex + 1) !== null, 'term runs begin with the log')
  return {
    currentTerm: hardState.currentTerm,
    votedFor: hardState.votedFor,
    log,
    persistedHardState: hardState,
    persistedIndex: restored.lastIndex,
    epoch: 0,
    ...promisesOf(restored, now),
    snapshotIndex: lastIncludedIndex,
    compactableIndex: log.baseIndex,
    expendableIndex: 0,
    installing: null,
    commitIndex: lastIncludedIndex,
    lastApplied: lastIncludedIndex,
    role: 'follower',
    leaderId: null,
    leaderContactAt: Number.NEGATIVE_INFINITY,
    quorum: quorumOf(log.configurations.at(-1)?.configuration ?? null),
    founding: restored.founding ?? null,
    stores: new Map(),
    logTime: restored.logTime,
    votes: new Set(),
    grants: new Set(),
    preVoteRound: 0,
    ...nothingLed(),
    ledTerm: 0,
    forgottenTerm: hardState.currentTerm,
    forwardOrigins: new Map(),
    reads: [],
    forwardedReads: new Map(),
    forwardNumber: 0,
    forwardedChange: null,
    freshAt: Number.NEGATIVE_INFINITY,
    freshPending: null,
    now,
    wallTime: 0,
    wallAheadMs: 0,
    clockJumpedAt: Number.NEGATIVE_INFINITY,
    electionDeadline: now,
    heartbeatDeadline: now,
    quorumCheckSince: now,
    prng: options.seed >>> 0,
  }
}

/** The longest promise may have been made a moment before, and nobody knows to whom (H69). */
function promisesOf(
  { leasePromiseMs = 0 }: RestoredState,
  now: number,
): Pick<CoreState, 'leasePromiseMs' | 'persistedLeasePromiseMs' | 'promisedUntil' | 'promisedTerm'> {
  const promisedUntil = now + leasePromiseMs
  return { leasePromiseMs, persistedLeasePromiseMs: leasePromiseMs, promisedUntil, promisedTerm: -1 }
}

/** What only leaders have. */
function nothingLed(): Pick<
  CoreState,
  | 'progress'
  | 'termFirstIndex'
  | 'readRound'
  | 'leaseWantedUntil'
  | 'leaseNotBefore'
  | 'hasEndedLease'
  | 'lastTransfer'
  | 'transfer'
  | 'change'
  | 'settledIndex'
  | 'departingSince'
  | 'changeOrigins'
> {
  return {
    progress: new Map(),
    termFirstIndex: 0,
    readRound: 0,
    leaseWantedUntil: Number.NEGATIVE_INFINITY,
    leaseNotBefore: Number.NEGATIVE_INFINITY,
    hasEndedLease: false,
    lastTransfer: 0,
    transfer: null,
    change: null,
    settledIndex: -1,
    departingSince: null,
    changeOrigins: new Map(),
  }
}

/** The base and what the log adds to it: a truncation goes back along this (H43). */
function restoredConfigurations({
  configuration,
  configurationEntries = [],
}: RestoredState): LogTrail['configurations'] {
  const base = configuration === null ? [] : [configuration]
  const added = configurationEntries.filter(({ index }) => configuration === null || index > configuration.index)
  return [
    ...base,
    ...added.map(({ index, data }) => {
      const held = decodeConfiguration(data)
      assert(held !== null, `entry ${index} is a configuration`)
      return { index, configuration: held }
    }),
  ]
}
