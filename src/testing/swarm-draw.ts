// What a bias of the swarm draws from and may bend.
import type { SnapshotPolicy } from '../node/snapshot-policy.js'
import type { SimulationRandom } from './prng.js'
import type { SessionSettings } from './session-clients.js'
import type { SwarmLimits, SwarmSettings } from './swarm.js'
import type { WorkloadSettings } from './workload.js'

/** What a bias may bend. */
export type Bent = Pick<SwarmSettings, 'links' | 'disk' | 'levelRatio' | 'workload' | 'nemesis'> & {
  readonly limits: SwarmLimits
  readonly snapshot?: SnapshotPolicy | undefined
  readonly learners?: number | undefined
  readonly sessions?: SessionSettings | undefined
  /** Each life of a node draws an election timeout of its own. */
  readonly mixesTimings?: boolean | undefined
}

export interface Draw {
  readonly random: SimulationRandom
  /** The election timeout, ms: the unit of everything. */
  readonly unitMs: number
  /** What the run would be without the bias. */
  readonly drawn: Bent
}

export interface SwarmBias {
  /** Sizes of the cluster. A minority of several is half of what a sleeping leader needs to be believed. */
  readonly voters: readonly number[]
  readonly draw: (draw: Draw) => Partial<Bent>
}

/** Clients with short commands. */
export function workloadOf(
  unitMs: number,
  drawn: Omit<WorkloadSettings, 'longestStalenessMs' | 'paddingBytes'> & Partial<WorkloadSettings>,
): WorkloadSettings {
  return { longestStalenessMs: 4 * unitMs, paddingBytes: [0, 0], ...drawn }
}
