// What may stand between a simulated node and the parts that it is given: seeded bugs of stores, transports, clocks and
// state machines are wrappers of the right ones. None of them exists in a run without a bug.
import type { NodeId } from '../core/types.js'
import type { Clock } from '../interfaces/clock.js'
import type { LogStore } from '../interfaces/log-store.js'
import type { SnapshotStore } from '../interfaces/snapshot-store.js'
import type { StateMachine } from '../interfaces/state-machine.js'
import type { Transport } from '../interfaces/transport.js'
import type { SimulationRandom } from './prng.js'
import type { Timeline } from './timeline.js'
import type { VirtualDisk } from './virtual-disk.js'

/** The process whose part is wrapped: one incarnation of it. */
export interface WrappedProcess {
  readonly id: NodeId
  readonly incarnation: number
  readonly timeline: Timeline
  /** What survives the incarnation. */
  readonly disk: VirtualDisk
  readonly clock: Clock
  readonly random: SimulationRandom
}

/** Each makes what the node gets from what it would have got. */
export interface ProcessWrappers {
  readonly logStore?: ((store: LogStore, process: WrappedProcess) => LogStore) | undefined
  readonly snapshotStore?: ((store: SnapshotStore, process: WrappedProcess) => SnapshotStore) | undefined
  readonly transport?: ((transport: Transport, process: WrappedProcess) => Transport) | undefined
  readonly clock?: ((clock: Clock, process: WrappedProcess) => Clock) | undefined
  readonly stateMachine?:
    | ((machine: StateMachine<unknown, unknown>, process: WrappedProcess) => StateMachine<unknown, unknown>)
    | undefined
}
