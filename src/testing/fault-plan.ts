// Faults as data, so that a test can print, keep and replay them. What each does is in `cluster.ts`.
import type { NodeId } from '../core/types.js'

export type FaultKind =
  /** `restart` begins where there is no life, `crash` ends it; `failWrite` fails an fsync (F31), `hangDisk` all of them. */
  | { readonly type: 'crash' | 'restart' | 'hangDisk' | 'failWrite'; readonly node: NodeId | 'leader' }
  /** A graceful stop; `restart` brings the node back. */
  | { readonly type: 'stop'; readonly node: NodeId | 'leader' }
  /** The process gets nothing for a while, then everything at once. */
  | { readonly type: 'pause'; readonly node: NodeId | 'leader'; readonly forMs: number }
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
    }

/** As a record, so that the compiler asks for each type that `FaultKind` has. */
const TYPES: Readonly<Record<FaultKind['type'], true>> = {
  crash: true,
  restart: true,
  stop: true,
  pause: true,
  partition: true,
  cut: true,
  heal: true,
  reset: true,
  link: true,
  slowDisk: true,
  failWrite: true,
  hangDisk: true,
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
}

export interface ClusterShape {
  /** 1 to 7. */
  readonly voters: number
  /** Only 0 in this version. @defaultValue 0 */
  readonly learners?: number | undefined
  readonly options: ClusterOptions
}
