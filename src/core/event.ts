// Everything that can happen to a core. One event in, one Output out; each carries `now`, a monotonic clock in ms that
// never goes back, because the core has no clock of its own.
import type { MembershipChange } from './membership-change.js'
import type { Message } from './messages.js'
import type { SnapshotSource } from './state.js'
import type { HardState, LogIndex, Member, NodeId, ProposedType, SnapshotMeta } from './types.js'

/** Time has passed; sent at the latest at `Output.deadline`. */
export interface TickEvent {
  readonly type: 'tick'
  readonly now: number
}

/** A message of an authenticated peer arrived. */
export interface ReceiveEvent {
  readonly type: 'receive'
  readonly now: number
  /** Wall clock in ms since 1970, read after `now`: for the timestamps of forwarded commands (F34). */
  readonly wallTime: number
  readonly from: NodeId
  readonly message: Message
  /** Bytes of entries or commands that the node can still take in; beyond it the core answers busy or overloaded (F13). */
  readonly budgetBytes: number
}

/** Commands of a client of this node: consecutive entries of one term, or one forward to the leader (F16, F17). */
export interface ProposeEvent {
  readonly type: 'propose'
  readonly now: number
  readonly wallTime: number
  /** Comes back in `Output.results`. */
  readonly id: number
  /** What kind of entry each of them becomes. */
  readonly entryType: ProposedType
  /** At least one. */
  readonly commands: readonly Uint8Array[]
}

/** A write that contained `hardState` and entries up to `index` is durable, and so is every write before it. */
export interface PersistedEvent {
  readonly type: 'persisted'
  readonly now: number
  /** Of the write; null when it held none. */
  readonly hardState: HardState | null
  /** Last entry of the write; 0 when it held none. */
  readonly index: LogIndex
  /** `Output.append.epoch` of that entry: a completion for an overwritten entry is ignored (H26). */
  readonly epoch: number
  /** The longest lease promise that the write held; undefined for none. */
  readonly leasePromiseMs?: number | undefined
}

/** The state machine has applied everything up to `index`. */
export interface AppliedEvent {
  readonly type: 'applied'
  readonly now: number
  readonly index: LogIndex
}

/** A linearizable read wants a read index (thesis §6.4). The answer comes in `Output.reads` with the same id. */
export interface ReadEvent {
  readonly type: 'read'
  readonly now: number
  /** Both clocks together tell that the machine was suspended (F20). */
  readonly wallTime: number
  /** Never used twice in one boot (H65). */
  readonly id: number
  /** A lease will do; where the leader has none it is a round as always (F20). */
  readonly byLease: boolean
}

/** Somebody wants to know how many voters hold `index` durably (F47). The answer comes in `Output.replicas`, or not at all. */
export interface ReplicasEvent {
  readonly type: 'replicas'
  readonly now: number
  /** Never used twice in one boot. */
  readonly id: number
  readonly index: LogIndex
}

/** A connection came up, was closed by us, or was ended by the other side (F3, F7). */
export interface PeerStatusEvent {
  readonly type: 'peerStatus'
  readonly now: number
  readonly peer: NodeId
  readonly status: 'up' | 'closed' | 'reset'
  /** The store that the peer says it has; with `up`, where that is known. */
  readonly storeId?: string | undefined
}

/** The driver gave up sending entries from `index` on to `peer`: they must be asked for again (F7). */
export interface OutboundDroppedEvent {
  readonly type: 'outboundDropped'
  readonly now: number
  readonly peer: NodeId
  readonly index: LogIndex
}

/** A snapshot of this node's own state became durable: what it holds may be forgotten by the log (§7). */
export interface SnapshotTakenEvent {
  readonly type: 'snapshotTaken'
  readonly now: number
  /** Applied here; the whole state up to it is in the snapshot. */
  readonly lastIncludedIndex: LogIndex
  /** Entries up to here need not be kept: `lastIncludedIndex` less the trailing entries of the policy; 0 for none. */
  readonly compactableIndex: LogIndex
  /** Of these, entries up to here are not kept for a peer that catches up either: they would be too many bytes. @defaultValue 0 */
  readonly expendableIndex?: LogIndex | undefined
}

/** The driver gave up sending a snapshot: another try is due after a pause (H57). */
export interface SnapshotUnsentEvent {
  readonly type: 'snapshotUnsent'
  readonly now: number
  readonly peer: NodeId
  readonly transfer: number
}

/** A chunk of a snapshot that a leader sends was taken in, or the transfer has failed here. */
export interface SnapshotWrittenEvent {
  readonly type: 'snapshotWritten'
  readonly now: number
  readonly source: SnapshotSource
  /** `busy`: one is being put in the store already. */
  readonly outcome: 'continue' | 'busy' | 'refused'
  /** `continue`: bytes that are held; else 0. */
  readonly offset: number
}

/** All of a snapshot that a leader sends is here, and nothing of it is visible. The answer comes in `Output.snapshotDecision`. */
export interface SnapshotReceivedEvent {
  readonly type: 'snapshotReceived'
  readonly now: number
  readonly source: SnapshotSource
  readonly meta: SnapshotMeta
}

/** Store, log and state machine hold the snapshot that is being installed; or its content was not what it should be. */
export interface SnapshotInstalledEvent {
  readonly type: 'snapshotInstalled'
  readonly now: number
  /** `failed`: nothing was replaced. */
  readonly outcome: 'installed' | 'failed'
}

/** A client of this node wants another leader. What becomes of it comes in `Output.transfers` with the same id (F4). */
export interface TransferEvent {
  readonly type: 'transfer'
  readonly now: number
  readonly id: number
  /** A voter; null for the best one. */
  readonly to: NodeId | null
}

/** A client of this node wants other members. What becomes of it comes in `Output.changes` with the same id (§6, F22). */
export interface ChangeMembershipEvent {
  readonly type: 'changeMembership'
  readonly now: number
  readonly wallTime: number
  /** Rising; never used twice in one boot. */
  readonly id: number
  readonly change: MembershipChange
  /** Also where too few voters would be reachable afterwards. */
  readonly force: boolean
}

/** Whoever asked for that change does not wait any more: it ends where it may still end (F23). */
export interface CancelChangeEvent {
  readonly type: 'cancelChange'
  readonly now: number
  readonly id: number
}

/** This node, whose store is empty, founds the cluster: nobody else ever does (F25). */
export interface FoundEvent {
  readonly type: 'found'
  readonly now: number
  readonly wallTime: number
  /** Whom the cluster is to begin with, this node and the stores of all others included. */
  readonly members: readonly Member[]
}

/** Other timings and bounds from here on (F43). All of them are given, changed or not. Nothing of the membership changes. */
export interface ReconfigureEvent {
  readonly type: 'reconfigure'
  readonly now: number
  readonly electionTimeoutMs: number
  readonly heartbeatIntervalMs: number
  readonly appendEntries: number
  readonly inflightMessages: number
}

export type CoreEvent =
  | TickEvent
  | ReceiveEvent
  | ProposeEvent
  | PersistedEvent
  | AppliedEvent
  | ReadEvent
  | ReplicasEvent
  | PeerStatusEvent
  | OutboundDroppedEvent
  | SnapshotTakenEvent
  | SnapshotUnsentEvent
  | SnapshotWrittenEvent
  | SnapshotReceivedEvent
  | SnapshotInstalledEvent
  | TransferEvent
  | ChangeMembershipEvent
  | CancelChangeEvent
  | FoundEvent
  | ReconfigureEvent
