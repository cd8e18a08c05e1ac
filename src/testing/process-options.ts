// What a simulated process is made with: the world that it shares with the others, and the options of its nodes.
import type { MemberSpec, NodeId, Role } from '../core/types.js'
import type { Codec } from '../interfaces/codec.js'
import type { ApplyContext, StateMachine } from '../interfaces/state-machine.js'
import type { Internals } from '../node/internals.js'
import type { Limits } from '../node/options.js'
import type { SnapshotPolicy } from '../node/snapshot-policy.js'
import type { Coverage } from './coverage.js'
import type { History } from './history.js'
import type { Invariants } from './invariants.js'
import type { MachineHost } from './machine-host.js'
import type { ProcessWrappers } from './process-wrappers.js'
import type { Timeline } from './timeline.js'
import type { Trace } from './trace/trace.js'
import type { VirtualNetwork } from './virtual-network.js'

/** Everything that the processes of one simulation share. */
export interface ProcessWorld {
  readonly timeline: Timeline
  readonly network: VirtualNetwork
  readonly invariants: Invariants
  readonly history: History
  readonly trace: Trace
  readonly coverage: Coverage
  /** A node took that role. */
  readonly onRole: (id: NodeId, role: Role) => void
}

/** How each node of the cluster is made. */
export interface ProcessOptions<Command, Result, SM extends StateMachine<Command, Result>> {
  readonly stateMachine: (host: MachineHost) => SM
  /** Checked after each apply: throws to report. */
  readonly invariant: ((stateMachine: SM, context: ApplyContext) => void) | undefined
  readonly codec: Codec<Command> | undefined
  /** None for a node that joins. */
  readonly bootstrap: readonly MemberSpec[] | undefined
  readonly electionTimeoutMs: number | undefined
  readonly heartbeatIntervalMs: number | undefined
  /** Between the clocks of two nodes. */
  readonly maxClockDriftRatio: number
  /** Each life of a node draws an election timeout of its own. */
  readonly mixesTimings: boolean
  readonly limits: Limits | undefined
  readonly snapshot: SnapshotPolicy | undefined
  readonly internals: Internals
  readonly wrappers: ProcessWrappers
  /** Whether the disks hold the records of the shipped LevelLogStore. */
  readonly usesLevel: boolean
}
