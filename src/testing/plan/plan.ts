// A run of the simulator as data: what nemesis and workload did, and when, so that it can be kept, shortened and run again.
// Network, disks and clocks still draw from the seed, each from its own stream.
import type { NodeId } from '../../core/types.js'
import type { ReadConsistency } from '../../node/calls.js'
import type { Check } from '../checks.js'
import type { Fault } from '../fault-plan.js'
import { LEVEL_RATIO, type SwarmSettings } from '../swarm.js'
import { CALM_DISK } from '../virtual-disk.js'
import { CALM_LINKS } from '../virtual-network.js'

/** A command of the simulator's own workload: its number, in four bytes, and its length. */
export interface PlannedCommand {
  readonly number: number
  readonly sizeBytes: number
}

export interface PlannedCall {
  readonly atMs: number
  readonly client: number
  readonly on: NodeId
  readonly timeoutMs: number
  readonly action:
    | { readonly type: 'propose'; readonly commands: readonly PlannedCommand[] }
    | {
        readonly type: 'read'
        readonly consistency: ReadConsistency
        readonly minIndex?: number | undefined
        readonly maxStalenessMs?: number | undefined
        /** The query takes its time. */
        readonly isSlow: boolean
      }
}

/** Everything of the drawn settings but who does what when. */
export type PlanSettings = Omit<SwarmSettings, 'bias' | 'nemesis' | 'workload'>

export interface SimulationPlan {
  /** Of everything that is not in the plan. */
  readonly seed: bigint
  readonly settings: PlanSettings
  /** By time, as `calls`. */
  readonly faults: readonly Fault[]
  readonly calls: readonly PlannedCall[]
  /** How it failed when it was found. */
  readonly found?: { readonly bug: string | null; readonly check: Check } | undefined
}

/** More than a run has: no snapshot is taken, nothing is forgotten. */
const MAX_ENTRIES = 1_000_000_000

/** What a plan has where it says nothing. */
export const PLAN_DEFAULTS: PlanSettings = Object.freeze({
  shape: {
    voters: 3,
    learners: 0,
    options: {
      electionTimeoutMs: 500,
      heartbeatIntervalMs: 100,
      limits: {
        appendEntries: 1024,
        inflightMessages: 256,
        appendBytes: 1024 * 1024,
        inflightBytes: 8 * 1024 * 1024,
        commandBytes: 256,
        uncommittedBytes: 64 * 1024 * 1024,
      },
      snapshot: { everyEntries: MAX_ENTRIES, trailingEntries: MAX_ENTRIES },
    },
  },
  links: { ...CALM_LINKS, damageRatio: 0, answerStraggleRatio: 0 },
  disk: CALM_DISK,
  levelRatio: LEVEL_RATIO,
  mixesTimings: false,
  durationMs: 0,
  maxEvents: 100_000,
})

/** The drawn settings that a plan stands for: nothing beside it is drawn. */
export function swarmSettingsOf({ settings, calls }: SimulationPlan): SwarmSettings {
  const longestMs = Math.max(1, ...calls.map(({ timeoutMs }) => timeoutMs))
  const workload = {
    clients: 0,
    thinkMs: [1, 1],
    timeoutMs: [longestMs, longestMs],
    longestStalenessMs: 1,
    readRatio: 0,
    burst: 1,
    paddingBytes: [0, 0],
  } as const
  return { ...settings, bias: null, workload, nemesis: { kinds: [], intervalMs: [1, 1], durationMs: [1, 1] } }
}
