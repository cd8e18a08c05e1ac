// What a seed decides before a run begins (swarm testing, assurance §1): the size of the cluster, its limits, which kinds
// of faults exist and how often. A run with every fault at once rarely reaches deep states; a draw of few often does.
import type { ClusterShape } from './fault-plan.js'
import { NEMESIS_KINDS, type NemesisSettings } from './nemesis-kinds.js'
import type { SimulationRandom } from './prng.js'
import { BIASES, type Bias } from './swarm-biases.js'
import type { SessionSettings } from './session-clients.js'
import type { DiskSpeed } from './virtual-disk.js'
import type { LinkFaults } from './virtual-network.js'
import type { WorkloadSettings } from './workload.js'

export interface SwarmLimits {
  readonly appendEntries: number
  readonly inflightMessages: number
  readonly appendBytes: number
  readonly inflightBytes: number
  readonly commandBytes: number
  readonly uncommittedBytes: number
}

/** Everything that is drawn for one run. */
export interface SwarmSettings {
  /** Null for none. */
  readonly bias: Bias | null
  readonly shape: ClusterShape & {
    readonly options: { readonly electionTimeoutMs: number; readonly heartbeatIntervalMs: number }
  }
  readonly links: LinkFaults
  readonly disk: DiskSpeed
  /** Share of the runs like this one whose disks hold the records of the shipped LevelLogStore. */
  readonly levelRatio: number
  readonly nemesis: NemesisSettings
  readonly workload: WorkloadSettings
  /** Clients that write through sessions; none where it is not given. */
  readonly sessions?: SessionSettings | undefined
  /** Each life of a node draws an election timeout of its own. */
  readonly mixesTimings?: boolean | undefined
  /** Length of the part with faults, ms, and most events in it. */
  readonly durationMs: number
  readonly maxEvents: number
}

/** Most events of the part with faults. */
const MAX_EVENTS = 4_000

/** What the runs are like: `default` is a mix of everything, the others are runs of one bias alone. */
export type Profile = 'default' | Bias

export const PROFILES: readonly Profile[] = ['default', ...(Object.keys(BIASES) as Bias[])]

/** Each is as frequent as it stands here. */
const MIX: readonly (Bias | null)[] = [
  null,
  null,
  'figure8',
  'figure8',
  'staleReads',
  'elections',
  'lateCopies',
  'divergence',
  'shortLives',
]

/** Most runs keep entries on their disks as they are, which is faster. */
export const LEVEL_RATIO = 0.25

/** Sizes of a cluster without a bias. */
const VOTERS = [1, 2, 3, 3, 3, 3, 4, 5, 5, 5, 6, 7] as const

/** Draws a run. */
export function drawSwarm(random: SimulationRandom, profile: Profile = 'default'): SwarmSettings {
  const name = profile === 'default' ? random.pick(MIX) : profile
  const bias = name === null ? null : BIASES[name]
  const electionTimeoutMs = random.pick([150, 500, 1_000, 3_000, 10_000])
  const heartbeatIntervalMs = Math.floor(electionTimeoutMs / random.pick([3, 3, 4, 6]))
  const voters = random.pick(bias?.voters ?? VOTERS)
  const unitMs = electionTimeoutMs
  const durationMs = unitMs * random.integer(20, 80)
  const drawn = {
    limits: drawLimits(random),
    links: drawLinks(random, unitMs),
    disk: drawDisk(random, unitMs),
    levelRatio: LEVEL_RATIO,
    workload: drawWorkload(random, unitMs),
    nemesis: drawNemesis(random, unitMs),
  }
  const { limits, snapshot, learners, ...bent } = { ...drawn, ...bias?.draw({ random, unitMs, drawn }) }
  const policy = snapshot === undefined ? {} : { snapshot }
  const more = learners === undefined ? {} : { learners }
  const shape = { voters, ...more, options: { electionTimeoutMs, heartbeatIntervalMs, limits, ...policy } }
  return { bias: name, shape, ...bent, durationMs, maxEvents: MAX_EVENTS }
}

function drawLimits(random: SimulationRandom): SwarmLimits {
  return {
    appendEntries: random.pick([1, 2, 3, 8, 1024]),
    inflightMessages: random.pick([1, 2, 4, 256]),
    appendBytes: random.pick([16, 128, 1024 * 1024]),
    inflightBytes: random.pick([64, 1024, 8 * 1024 * 1024]),
    commandBytes: 256,
    uncommittedBytes: random.pick([256, 1024, 4096, 64 * 1024 * 1024]),
  }
}

function drawLinks(random: SimulationRandom, unitMs: number): LinkFaults {
  const maybe = (probability: number, most: number): number => (random.chance(probability) ? random.next() * most : 0)
  const shortest = random.pick([0.1, 1, unitMs / 50])
  return {
    lossRatio: maybe(0.5, 0.2),
    bulkLossRatio: maybe(0.2, 0.7),
    duplicateRatio: maybe(0.5, 0.3),
    latencyMs: [shortest, shortest + random.pick([0.5, unitMs / 50, unitMs / 8])],
    straggleRatio: maybe(0.4, 0.1),
    straggleMs: unitMs * random.pick([0.5, 2, 6]),
    keepsOrder: random.chance(0.4),
    damageRatio: maybe(0.2, 0.05),
  }
}

function drawDisk(random: SimulationRandom, unitMs: number): DiskSpeed {
  const longest = random.pick([0.5, 2, unitMs / 10, unitMs / 3])
  return { writeMs: [longest / 10, longest], readMs: [0.01, random.pick([0.1, unitMs / 20, Math.min(unitMs, 1_000)])] }
}

function drawNemesis(random: SimulationRandom, unitMs: number): NemesisSettings {
  const kinds = NEMESIS_KINDS.filter(() => random.chance(0.4))
  const pace = unitMs * random.pick([0.7, 1.5, 4])
  const length = unitMs * random.pick([0.3, 1, 3])
  return { kinds, intervalMs: [pace / 4, pace * 2], durationMs: [length / 4, length * 2] }
}

function drawWorkload(random: SimulationRandom, unitMs: number): WorkloadSettings {
  const think = unitMs * random.pick([0.02, 0.1, 0.5])
  return {
    clients: random.integer(1, 6),
    thinkMs: [think / 10, think],
    timeoutMs: [unitMs * random.pick([0.2, 2]), unitMs * random.pick([2, 6])],
    longestStalenessMs: 4 * unitMs,
    readRatio: random.pick([0.1, 0.4, 0.8]),
    burst: random.pick([1, 1, 3, 8]),
    paddingBytes: [0, random.pick([0, 12, 60])],
  }
}
