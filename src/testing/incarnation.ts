// One life of a simulated node: everything that a crash takes with it.
import type { RaftNode } from '../node/raft-node.js'
import type { ProcessGate } from './process-gate.js'
import type { VirtualClock } from './virtual-clock.js'
import type { VirtualTransport } from './virtual-network.js'
import type { Witness } from './witness.js'

/** One life of a node, from its start to its crash. */
export interface Incarnation<Command, Result, SM> {
  readonly number: number
  readonly node: RaftNode<Command, Result>
  readonly stateMachine: SM
  readonly gate: ProcessGate
  readonly transport: VirtualTransport
  readonly clock: VirtualClock
  readonly witness: Witness
  /** Pauses so far: a call that one of them fell into may be late. */
  pauseCount: number
  /** Its clock stands still since then, ms of the simulation; null while it doesn't. */
  suspendedSinceMs: number | null
}
