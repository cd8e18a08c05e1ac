// What one event, or a batch of them, asks the driver to do. Durability is a field name: what stands in
// `messagesAfterPersist` leaves only when this Output's `append` and `hardState` *and every write handed out before*
// are durable (H111). This file holds the merge rule of each field, and nothing else decides how two Outputs become one.
import { assert } from './assert.js'
import type { AppendRange, Envelope, InstallSnapshot, InstallSnapshotResponse, ProposeRefusal } from './messages.js'
import type { Configuration, HardState, LogEntry, LogIndex, NodeId, Role, SnapshotMeta, Term } from './types.js'

/** Entries to write: contiguous; the stored suffix from the first one on is dropped in the same write. */
export interface Append {
  readonly entries: readonly LogEntry[]
  /** Rises with each truncation; goes back in PersistedEvent. */
  readonly epoch: number
}

/** What became of a propose event, or of a forward of this node (by its `number`). */
export type ProposeResult =
  | { readonly type: 'appended'; readonly id: number; readonly firstIndex: LogIndex; readonly term: Term }
  | { readonly type: 'forwarded'; readonly id: number; readonly number: number; readonly term: Term }
  | { readonly type: 'noLeader'; readonly id: number }
  /** Not taken while leadership is being handed over, or the cluster founded: propose again when that has ended. */
  | { readonly type: 'transferring'; readonly id: number }
  | { readonly type: 'accepted'; readonly number: number; readonly firstIndex: LogIndex; readonly term: Term }
  | { readonly type: 'refused'; readonly number: number; readonly refusal: ProposeRefusal }

/** `ready`: linearizable once `readIndex` is applied here. `retry`: ask again with a new id, when a leader is known. */
export type ReadOutcome =
  | {
      readonly type: 'ready'
      readonly id: number
      readonly readIndex: LogIndex
      /** By this node's own lease, which may be over when the query was run (F20). @defaultValue false */
      readonly isByOwnLease?: boolean | undefined
    }
  | { readonly type: 'retry'; readonly id: number }

/** Why a transfer was not begun. */
export type TransferRefusal = 'notLeader' | 'transferring' | 'self' | 'notVoter' | 'onlyVoter' | 'nobodyHeard'

/** `steppedDown`: this node does not lead any more, which is what was wanted if the target does. The rest: it goes on leading. */
export type TransferEndReason = 'steppedDown' | 'timeout' | 'unreachable' | 'notVoter'

/** What became of a transfer event. `ended` follows `begun`, once; `wasTold`: a TimeoutNow left, the target may still win. */
export type TransferOutcome =
  | { readonly type: 'refused'; readonly id: number; readonly reason: TransferRefusal }
  | { readonly type: 'begun'; readonly id: number; readonly to: NodeId }
  | {
      readonly type: 'ended'
      readonly id: number
      readonly to: NodeId
      readonly reason: TransferEndReason
      readonly wasTold: boolean
    }

/** The newest snapshot of this node is to be sent to `to`, as long as that peer's progress names this transfer. */
export interface SendSnapshot {
  readonly to: NodeId
  readonly term: Term
  readonly addedAt: LogIndex
  readonly transfer: number
}

/** What a peer says of a transfer that is under way. */
export interface SnapshotAnswer extends Pick<InstallSnapshotResponse, 'transfer' | 'outcome' | 'offset'> {
  readonly from: NodeId
}

/** A chunk that the leader of this term sent and that is of use. */
export interface ReceivedChunk {
  readonly from: NodeId
  readonly message: InstallSnapshot
}

/**
 * `install`: commit it to the store, reset the log to it, restore the state machine, then say so. `discard`: the log holds
 * what it holds. `keep`: nothing may be decided now; it comes again.
 */
export type SnapshotDecision = 'install' | 'discard' | 'keep'

/** Why a change of the membership was not begun; `invalid` comes with a problem in words. */
export type ChangeRefusal = 'notLeader' | 'pending' | 'transferring' | 'invalid'

/**
 * Why a change ended before it was made. `unreachable`: a learner was not heard for long. `tooSlow`: it did not catch up.
 * Both stay learners. `noQuorum`: too few voters would be reachable. `cancelled`: whoever asked gave up, or a learner that
 * was waited for, `member`, is to be removed. `steppedDown`: the next leader may finish it.
 */
export type ChangeEndReason = 'unreachable' | 'tooSlow' | 'noQuorum' | 'cancelled' | 'steppedDown'

/** What became of a changeMembership event of this node, wherever its leader is. */
export type ChangeOutcome =
  | { readonly type: 'refused'; readonly id: number; readonly reason: ChangeRefusal; readonly problem: string }
  | {
      readonly type: 'progress'
      readonly id: number
      readonly member: NodeId
      readonly matchIndex: LogIndex
      readonly lastIndex: LogIndex
    }
  /** Committed. `index` is that of the configuration. */
  | { readonly type: 'done'; readonly id: number; readonly index: LogIndex; readonly configuration: Configuration }
  | { readonly type: 'ended'; readonly id: number; readonly reason: ChangeEndReason; readonly member: NodeId }
  /** The leader that was asked is none any more, or never was heard: ask again when one is known. */
  | { readonly type: 'retry'; readonly id: number }

/** How many voters hold the entry that a replicas event asked about, as the leader of that moment says. */
export interface ReplicaCount {
  readonly id: number
  readonly count: number
}

export interface RoleChange {
  readonly role: Role
  readonly previous: Role
  readonly term: Term
  /** In words, for logs. */
  readonly reason: string
}

export class Output {
  append: Append | undefined
  hardState: HardState | undefined
  /** To be stored with this node's identity, beside what it promised before; comes back in PersistedEvent (F20). */
  leasePromiseMs: number | undefined
  /** May leave at once, in this order. */
  readonly messages: Envelope[] = []
  /** Leave, in this order, when everything handed out so far is durable. */
  readonly messagesAfterPersist: Envelope[] = []
  /** Entries up to here are committed; applying them waits for their own durability. */
  commitIndex: LogIndex | undefined
  /** The store may forget entries up to here; the core has. */
  compactTo: LogIndex | undefined
  readonly reads: ReadOutcome[] = []
  readonly results: ProposeResult[] = []
  readonly roles: RoleChange[] = []
  readonly transfers: TransferOutcome[] = []
  /** Snapshots to send. */
  readonly sendSnapshots: SendSnapshot[] = []
  /** For the senders of snapshots. */
  readonly snapshotAnswers: SnapshotAnswer[] = []
  /** For the receiver of snapshots. */
  readonly chunks: ReceivedChunk[] = []
  /** About the snapshot that was received. */
  snapshotDecision: SnapshotDecision | undefined
  /** The log now begins behind this snapshot, which a leader sent, and everything in it is committed and applied. */
  installed: SnapshotMeta | undefined
  readonly changes: ChangeOutcome[] = []
  readonly replicas: ReplicaCount[] = []
  /** Came into force, at the index of its entry; a truncation brings an earlier one back. */
  configuration: { readonly index: LogIndex; readonly configuration: Configuration } | undefined
  /** The cluster that this node founds holds its first members: nothing is founded any more, and proposals are taken. */
  isFounded: boolean = false
  /** The leader as this node now knows it; undefined when that did not change. */
  leader: { readonly id: NodeId | null; readonly term: Term } | undefined
  /** A tick is due at the latest at this time, ms of the event's clock. */
  deadline: number = Number.POSITIVE_INFINITY
  /**
   * Set by an event that changed term or role or truncated. Nothing merges across it: `step` gave that event an Output of
   * its own, and the driver hands it out before the next event.
   */
  endsBatch: boolean = false
  /** Where in `messages` the last range and the heartbeat of each peer stand. */
  readonly #lastRanges = new Map<NodeId, number>()
  readonly #heartbeats = new Map<NodeId, number>()

  /** A later hard state of the same batch replaces the earlier one; terms never fall and a vote is never taken back. */
  setHardState(hardState: HardState): void {
    const earlier = this.hardState
    assert(earlier === undefined || hardState.currentTerm >= earlier.currentTerm, 'currentTerm never falls')
    this.hardState = hardState
  }

  /** Appends merge when contiguous and of one epoch; a truncation ends the batch, so nothing else can occur. */
  addEntries(entries: readonly LogEntry[], epoch: number): void {
    assert(entries.length > 0, 'an append has entries')
    if (this.append === undefined) {
      this.append = { entries: entries.slice(), epoch }
      return
    }
    const held = this.append.entries as LogEntry[]
    assert(this.append.epoch === epoch, 'appends of two epochs never merge')
    assert((held.at(-1) as LogEntry).index + 1 === (entries[0] as LogEntry).index, 'appends are contiguous')
    for (const entry of entries) held.push(entry)
  }

  /** Later messages follow earlier ones of their slot; a later heartbeat to the same peer replaces an earlier one. */
  push(slot: 'messages' | 'messagesAfterPersist', envelope: Envelope): void {
    if (envelope.message.type === 'heartbeat' && slot === 'messages') {
      const held = this.#heartbeats.get(envelope.to)
      if (held !== undefined) {
        this.messages[held] = envelope
        return
      }
      this.#heartbeats.set(envelope.to, this.messages.length)
    }
    this[slot].push(envelope)
  }

  /**
   * A range that continues the one last put out for that peer becomes part of it, up to `maxEntries`, so that a batch of
   * proposals is one message per peer (F9). Returns whether it did.
   */
  pushRange(to: NodeId, range: AppendRange, maxEntries: number): boolean {
    const position = this.#lastRanges.get(to)
    const earlier = position === undefined ? undefined : this.messages[position]?.message
    if (position !== undefined && earlier?.type === 'appendRange' && continues(earlier, range, maxEntries)) {
      const leaderCommit = Math.max(earlier.leaderCommit, range.leaderCommit)
      this.messages[position] = { to, message: { ...earlier, last: range.last, leaderCommit } }
      return true
    }
    this.#lastRanges.set(to, this.messages.length)
    this.messages.push({ to, message: range })
    return false
  }

  /** The highest commit index wins. */
  setCommitIndex(index: LogIndex): void {
    assert(this.commitIndex === undefined || index >= this.commitIndex, 'commitIndex never falls')
    this.commitIndex = index
  }

  /** The longest one wins. */
  setLeasePromise(leaseMs: number): void {
    this.leasePromiseMs = Math.max(this.leasePromiseMs ?? 0, leaseMs)
  }

  /** The highest one wins: a log never gets back what it forgot. */
  setCompactTo(index: LogIndex): void {
    assert(this.compactTo === undefined || index > this.compactTo, 'the base of the log only rises')
    this.compactTo = index
  }

  /** One snapshot is received at a time, and asked about once. */
  setSnapshotDecision(decision: SnapshotDecision): void {
    assert(this.snapshotDecision === undefined, 'one snapshot is decided about at a time')
    this.snapshotDecision = decision
  }

  /** True when there is nothing for the driver to do but to set its timer. */
  get isEmpty(): boolean {
    return (
      this.append === undefined &&
      this.hardState === undefined &&
      this.leasePromiseMs === undefined &&
      this.messages.length === 0 &&
      this.messagesAfterPersist.length === 0 &&
      this.commitIndex === undefined &&
      this.compactTo === undefined &&
      this.reads.length === 0 &&
      this.results.length === 0 &&
      this.roles.length === 0 &&
      this.transfers.length === 0 &&
      this.sendSnapshots.length === 0 &&
      this.snapshotAnswers.length === 0 &&
      this.chunks.length === 0 &&
      this.snapshotDecision === undefined &&
      this.installed === undefined &&
      this.changes.length === 0 &&
      this.replicas.length === 0 &&
      this.configuration === undefined &&
      !this.isFounded &&
      this.leader === undefined
    )
  }
}

function continues(earlier: AppendRange, range: AppendRange, maxEntries: number): boolean {
  const sameSession = earlier.term === range.term && earlier.addedAt === range.addedAt
  const bothHoldEntries = earlier.last >= earlier.first && range.last >= range.first
  return (
    sameSession && bothHoldEntries && earlier.last + 1 === range.first && range.last - earlier.first + 1 <= maxEntries
  )
}
