// Faults as data, so that a test can print, keep and replay them. What each does is in `cluster.ts`.
import type { NodeId } from '../core/types.js'

/** Of whom a change of the membership is asked: `via`, or the leader, or else some node that runs; and how long it may take. */
export interface Asked {
  readonly via?: NodeId
  /** @defaultValue 20 election timeouts */
  readonly timeoutMs?: number
}

/** A change of the membership. */
export type ChangeFault = Extract<FaultKind, { type: 'add' | 'promote' | 'demote' | 'remove' | 'members' }>

export type FaultKind =
  /** Begins where there is no life; a full disk has space again. */
  | { readonly type: 'restart'; readonly node: NodeId | 'leader' }
  /** Ends it at once, or in place of the effect (a message sent, a write begun) that follows the next `afterEffects`. */
  | { readonly type: 'crash'; readonly node: NodeId | 'leader'; readonly afterEffects?: number }
  /** `failWrite` fails one write (F31), `fullDisk` all of them, `hangDisk` lets none end: until the node is restarted. */
  | { readonly type: 'hangDisk' | 'failWrite' | 'fullDisk'; readonly node: NodeId | 'leader' }
  /** A durable entry is damaged for ever. Only for a minority of the nodes: a majority of damaged logs is no log. */
  | { readonly type: 'rotDisk'; readonly node: NodeId | 'leader' }
  /**
   * The process dies and its disk is empty: `restart` brings it back with a new store, which whoever knows the member refuses
   * until it is removed and added again (F25). Only where the others are enough.
   */
  | { readonly type: 'wipeDisk'; readonly node: NodeId | 'leader' }
  /** Ms of its monotonic clock in one of the simulation, from 0.95 to 1.05 (`maxClockDriftRatio` between two nodes). */
  | { readonly type: 'clockRate'; readonly node: NodeId; readonly ratio: number }
  /** What goes one way waits, and then arrives at once. */
  | { readonly type: 'clog'; readonly from: NodeId; readonly to: NodeId; readonly forMs: number }
  /** Somebody of another cluster, or of another version, connects. */
  | { readonly type: 'stranger'; readonly node: NodeId | 'leader' }
  /** A graceful stop; `restart` brings the node back. */
  | { readonly type: 'stop'; readonly node: NodeId | 'leader' }
  /** A leader is asked to hand over, to `to` or to the best voter; another node refuses (F4). */
  | { readonly type: 'transfer'; readonly node: NodeId | 'leader'; readonly to?: NodeId }
  /** A node is asked for a snapshot of its state. */
  | { readonly type: 'snapshot'; readonly node: NodeId | 'leader' }
  /** A node becomes a member (F23); one that isn't there yet starts for it, without a bootstrap list. */
  | ({ readonly type: 'add'; readonly node: NodeId; readonly suffrage?: 'voter' | 'learner' } & Asked)
  /** A learner becomes a voter, a voter a learner, a member none; a process that is removed goes on. */
  | ({ readonly type: 'promote' | 'demote' | 'remove'; readonly node: NodeId | 'leader' } & Asked)
  /** These are the members, and nobody else; whoever isn't there yet starts. */
  | ({ readonly type: 'members'; readonly voters: readonly NodeId[]; readonly learners?: readonly NodeId[] } & Asked)
  /** The process gets nothing for a while, then everything at once. */
  | { readonly type: 'pause'; readonly node: NodeId | 'leader'; readonly forMs: number }
  /** As a pause, and its monotonic clock stands still meanwhile, as that of a suspended machine does. */
  | { readonly type: 'suspend'; readonly node: NodeId | 'leader'; readonly forMs: number }
  /** Ends a pause early. */
  | { readonly type: 'resume'; readonly node: NodeId }
  /** Only nodes of one group reach each other. */
  | { readonly type: 'partition'; readonly groups: readonly (readonly NodeId[])[] }
  /** One way. */
  | { readonly type: 'cut'; readonly from: NodeId; readonly to: NodeId }
  /** Ends every partition and cut. */
  | { readonly type: 'heal' }
  /** Both ends of the connection between two nodes see it end. */
  | { readonly type: 'reset'; readonly nodes: readonly [NodeId, NodeId] }
  /** How long writes take from now on. */
  | {
      readonly type: 'slowDisk'
      readonly node: NodeId | 'leader'
      readonly writeMs: readonly [min: number, max: number]
    }
  /** What all links do from now on. */
  | {
      readonly type: 'link'
      readonly lossRatio: number
      readonly duplicateRatio: number
      readonly latencyMs: readonly [min: number, max: number]
      /** Share of messages that arrive damaged and end their connection. @defaultValue 0 */
      readonly damageRatio?: number
    }

/** As a record, so that the compiler asks for each type that `FaultKind` has. */
const TYPES: Readonly<Record<FaultKind['type'], true>> = {
  crash: true,
  restart: true,
  stop: true,
  transfer: true,
  snapshot: true,
  add: true,
  promote: true,
  demote: true,
  remove: true,
  members: true,
  pause: true,
  suspend: true,
  resume: true,
  partition: true,
  cut: true,
  heal: true,
  reset: true,
  link: true,
  slowDisk: true,
  failWrite: true,
  hangDisk: true,
  fullDisk: true,
  rotDisk: true,
  wipeDisk: true,
  clockRate: true,
  clog: true,
  stranger: true,
}

/** Every type of fault that there is. */
export const FAULT_TYPES: readonly FaultKind['type'][] = Object.freeze(Object.keys(TYPES) as FaultKind['type'][])

/** At a time of the simulation, ms. */
export type Fault = { readonly atMs: number } & FaultKind

export interface FaultPlan {
  readonly faults: readonly Fault[]
}

export type ClusterOptions = {
  readonly electionTimeoutMs?: number | undefined
  readonly heartbeatIntervalMs?: number | undefined
  readonly limits?: import('../node/options.js').Limits | undefined
  /** When snapshots are taken, and how much of the log is kept behind them. */
  readonly snapshot?: import('../node/snapshot-policy.js').SnapshotPolicy | undefined
}

export interface ClusterShape {
  /** 1 to 7. */
  readonly voters: number
  /** Named behind the voters; together at most 7. @defaultValue 0 */
  readonly learners?: number | undefined
  readonly options: ClusterOptions
}
