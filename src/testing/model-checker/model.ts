// What one search is bounded by. Everything that is not bounded here is unbounded: messages are reordered, duplicated and
// lost without limit, timers fire at any moment, writes take any time.
import type { HardState, LogIndex, NodeId, Term } from '../../core/types.js'

/** A disk as an earlier run may have left it. Nothing of it may be committed. */
export interface StartDisk {
  readonly hardState: HardState
  /** Terms of the entries, from index 1 on. */
  readonly terms: readonly Term[]
  /** Which of the entries are configurations, by their voters' positions; rising by index. @defaultValue none */
  readonly configurations?: readonly { readonly index: LogIndex; readonly voters: readonly number[] }[]
}

/**
 * Where the runs begin. `disks`: every node starts on its disk, on an empty one beyond the end of the list. `led`: the first
 * node leads term 1, everybody follows it and holds what it committed, and its next heartbeats are on their way. `elected`:
 * as `disks`, but `leader` has just won an election in which `voters`, by position, had a say; its first entry is on its way.
 * `unfounded`: every store is empty, and the first node may found the cluster of all.
 */
export type Start =
  | { readonly type: 'disks'; readonly disks: readonly StartDisk[] }
  | { readonly type: 'led' }
  | { readonly type: 'unfounded' }
  | {
      readonly type: 'elected'
      readonly disks: readonly StartDisk[]
      readonly leader: number
      readonly voters: readonly number[]
    }

export interface Model {
  readonly name: string
  /** What it is there for, in a line. */
  readonly description: string
  /** 1 to 5, together with the learners. */
  readonly voters: number
  /** Nodes that come after the voters, and learn until a change makes voters of them. */
  readonly learners: number
  readonly start: Start
  /** No election for a later term begins. */
  readonly maxTerm: number
  /** Off: nothing arrives of what a leader of `maxTerm` sends. What it lacks is seen when it is elected. */
  readonly lastTermReplicates: boolean
  /** A leader takes no command when its log is this long; the no-op that opens a term comes on top. */
  readonly maxEntries: number
  /** Crashes in one run, over all nodes. */
  readonly crashes: number
  /** A crash may take the whole disk with it: what starts again has no configuration, and does not vote (F25). */
  readonly wipes: boolean
  /** Linearizable reads in one run, on any node. */
  readonly reads: number
  /**
   * Steps that all clocks go on together in one run, each half a lease (F20). With any, leaders ask for promises, each that has
   * a lease is asked to read, as often as one likes, and `reads` are by lease where there is one.
   */
  readonly leases: number
  /** What any leader may be asked for: these voters and nobody else. At most 16. */
  readonly changes: readonly (readonly number[])[]
  /** Changes that are asked for in one run, over all nodes. */
  readonly maxChanges: number
  /** Any leader may be asked to hand over to anybody, and gives that up, at any time. */
  readonly transfers: boolean
  /** The nodes that take snapshots, at any time, and compact their logs behind them. */
  readonly snapshotters: readonly number[]
  /** The nodes whose election timeout may end; null for all. */
  readonly candidates: readonly number[] | null
  /**
   * `real`: PreVote's messages travel, and stickiness holds. `assumed`: whoever times out is granted every pre-vote at once,
   * and every leader was heard too long ago to be defended: each election that PreVote could allow is allowed.
   */
  readonly preVote: 'real' | 'assumed'
  /** `slow`: a write becomes durable at any later moment, or is lost in a crash. `instant`: within the step. */
  readonly disks: 'slow' | 'instant'
  /**
   * `any`: one may be due at any time. `beforeLastTerm`: none of `maxTerm` arrives, whose leader nobody replaces. `lost`: no
   * heartbeat ever arrives.
   */
  readonly heartbeats: 'any' | 'beforeLastTerm' | 'lost'
  /** A leader that waited long enough for an answer asks again. Off: it never does. */
  readonly resends: boolean
  /** Most entries in one AppendEntries. */
  readonly appendEntries: number
  /** Ranges in flight to one peer. */
  readonly inflightMessages: number
  /** The search gives up beyond it. */
  readonly maxStates: number
}

/** Most nodes: their permutations are all tried for symmetry. */
export const MAX_NODES = 5

const NAMES: readonly NodeId[] = ['a', 'b', 'c', 'd', 'e']

/** Voters and learners. */
export function nodeCount({ voters, learners }: Model): number {
  return voters + learners
}

/** Its position. */
export function nodeNumber(id: NodeId): number {
  return NAMES.indexOf(id)
}

/** @param node - its position */
export function nodeId(node: number): NodeId {
  return NAMES[node] ?? `#${node}`
}
