// What a seed decides before a run begins (swarm testing, assurance §1): the size of the cluster, its limits, which kinds
// of faults exist and how often. A run with every fault at once rarely reaches deep states; a draw of few often does.
import type { ClusterShape } from './fault-plan.js'
import { NEMESIS_KINDS, type NemesisKind, type NemesisSettings } from './nemesis.js'
import type { SimulationRandom } from './prng.js'
import type { DiskSpeed } from './virtual-disk.js'
import { CALM_LINKS, type LinkFaults } from './virtual-network.js'
import type { WorkloadSettings } from './workload.js'

/** Everything that is drawn for one run. */
export interface SwarmSettings {
  readonly bias: SwarmBias
  readonly shape: ClusterShape & {
    readonly options: { readonly electionTimeoutMs: number; readonly heartbeatIntervalMs: number }
  }
  readonly links: LinkFaults
  readonly disk: DiskSpeed
  readonly nemesis: NemesisSettings
  readonly workload: WorkloadSettings
  /** Length of the part with faults, ms, and most events in it. */
  readonly durationMs: number
  readonly maxEvents: number
}

/** Most events of the part with faults. */
const MAX_EVENTS = 12_000

/**
 * What a run is bent towards. `figure8`: five voters, tiny batches, leaders that crash with work half done. `staleReads`:
 * leaders that are cut off or stand still while old answers still trickle in and clients read from them (H62, H65, H121).
 * `elections`: leaders fall faster than votes travel, so that late and doubled answers meet later elections (H4, H10, H24).
 * `lateCopies`: every other message arrives twice, some of them late, and leaders come and go meanwhile (H115).
 */
export type SwarmBias = 'none' | 'figure8' | 'staleReads' | 'elections' | 'lateCopies'

/** Sizes of the cluster. A minority of several is half of what a sleeping leader needs to be believed. */
const VOTERS: Readonly<Record<SwarmBias, readonly number[]>> = {
  none: [1, 2, 3, 3, 3, 3, 4, 5, 5, 5, 6, 7],
  figure8: [5],
  staleReads: [1, 2, 3, 3, 5, 5, 5, 7],
  elections: [3, 4, 5, 5, 6, 7],
  lateCopies: [1, 2, 3, 3, 3, 4, 5, 5],
}

/** Draws a run. */
export function drawSwarm(random: SimulationRandom): SwarmSettings {
  const bias = random.pick<SwarmBias>(['none', 'none', 'figure8', 'figure8', 'staleReads', 'elections', 'lateCopies'])
  const electionTimeoutMs = random.pick([150, 500, 1_000, 3_000, 10_000])
  const unitMs = electionTimeoutMs
  const shape = drawShape(random, electionTimeoutMs, bias)
  const common = { bias, shape, durationMs: unitMs * random.integer(20, 80), maxEvents: MAX_EVENTS }
  const [links, disk, workload] = [drawLinks(random, unitMs), drawDisk(random, unitMs), drawWorkload(random, unitMs)]
  switch (bias) {
    case 'none':
      return { ...common, links, disk, workload, nemesis: drawNemesis(random, unitMs) }
    case 'figure8':
      return { ...common, links: figure8Links(random, unitMs, links), disk, workload, nemesis: figure8Nemesis(unitMs) }
    case 'staleReads':
      return { ...common, ...drawStaleReads(random, unitMs), disk }
    case 'elections':
      return { ...common, ...drawElections(random, unitMs), disk }
    case 'lateCopies':
      return { ...common, ...drawLateCopies(random, unitMs), disk }
  }
}

function drawShape(random: SimulationRandom, electionTimeoutMs: number, bias: SwarmBias): SwarmSettings['shape'] {
  const isFigure8 = bias === 'figure8'
  const voters = random.pick(VOTERS[bias])
  const heartbeatIntervalMs = Math.floor(electionTimeoutMs / random.pick([3, 3, 4, 6]))
  const appendEntries = isFigure8 ? 1 : random.pick([1, 2, 3, 8, 1024])
  const inflightMessages = isFigure8 ? random.pick([1, 2]) : random.pick([1, 2, 4, 256])
  const limits = {
    appendEntries,
    inflightMessages,
    appendBytes: random.pick([16, 128, 1024 * 1024]),
    inflightBytes: random.pick([64, 1024, 8 * 1024 * 1024]),
    commandBytes: 256,
    uncommittedBytes: random.pick([256, 1024, 4096, 64 * 1024 * 1024]),
  }
  return { voters, options: { electionTimeoutMs, heartbeatIntervalMs, limits } }
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

function figure8Links(random: SimulationRandom, unitMs: number, links: LinkFaults): LinkFaults {
  const bulkLossRatio = random.pick([0.3, 0.5, 0.7, 0.85])
  return { ...links, lossRatio: 0, bulkLossRatio, latencyMs: [unitMs / 100, unitMs / random.pick([10, 40])] }
}

function figure8Nemesis(unitMs: number): NemesisSettings {
  const kinds: NemesisKind[] = ['strandLeader', 'crashLeader']
  return { kinds, intervalMs: [unitMs / 4, unitMs * 2], durationMs: [unitMs / 3, unitMs * 1.5] }
}

function drawStaleReads(
  random: SimulationRandom,
  unitMs: number,
): Pick<SwarmSettings, 'links' | 'nemesis' | 'workload'> {
  const straggleRatio = random.pick([0.05, 0.2, 0.5])
  const latencyMs = [unitMs / 200, unitMs / random.pick([20, 60])] as const
  const links = { ...CALM_LINKS, latencyMs, straggleRatio, straggleMs: unitMs * random.pick([3, 6]), keepsOrder: false }
  const kinds = random.pick<NemesisKind[]>([
    ['isolateLeader'],
    ['pauseLeader'],
    ['sleepingMinority'],
    ['sleepingMinority', 'crashLoop'],
    ['isolateLeader', 'pauseLeader', 'crashLeader'],
  ])
  const nemesis = { kinds, intervalMs: [unitMs, unitMs * 5], durationMs: [unitMs * 2, unitMs * 6] } as const
  const workload = {
    clients: random.integer(4, 10),
    thinkMs: [unitMs / 100, unitMs / 10],
    timeoutMs: [unitMs / 2, unitMs * 6],
    longestStalenessMs: 4 * unitMs,
    readRatio: 0.7,
    burst: 2,
    paddingBytes: [0, 0],
  } as const
  return { links, nemesis, workload }
}

function drawElections(
  random: SimulationRandom,
  unitMs: number,
): Pick<SwarmSettings, 'links' | 'nemesis' | 'workload'> {
  const slowest = unitMs / random.pick([3, 6, 20])
  const links = {
    ...CALM_LINKS,
    latencyMs: [slowest / 10, slowest],
    duplicateRatio: random.pick([0.1, 0.5]),
    straggleRatio: random.pick([0.05, 0.2, 0.5]),
    straggleMs: unitMs * random.pick([2, 5]),
    voteStraggleRatio: random.pick([0, 0.5, 0.8]),
    keepsOrder: false,
  } as const
  const kinds = random.pick<NemesisKind[]>([
    ['crashLeader', 'strandLeader'],
    ['crashCandidate', 'crashNewLeader', 'crashLeader'],
    ['pauseLeader', 'strandCandidate'],
    ['crashLeader', 'pauseLeader', 'isolateLeader', 'strandCandidate', 'partition'],
  ])
  const nemesis = { kinds, intervalMs: [unitMs / 2, unitMs * 3], durationMs: [unitMs / 4, unitMs * 1.5] } as const
  const workload = {
    clients: random.integer(1, 4),
    thinkMs: [unitMs / 20, unitMs / 2],
    timeoutMs: [unitMs, unitMs * 6],
    longestStalenessMs: 4 * unitMs,
    readRatio: 0.2,
    burst: 1,
    paddingBytes: [0, 0],
  } as const
  return { links, nemesis, workload }
}

function drawLateCopies(
  random: SimulationRandom,
  unitMs: number,
): Pick<SwarmSettings, 'links' | 'nemesis' | 'workload'> {
  const straggle = { straggleRatio: random.pick([0.1, 0.25]), straggleMs: unitMs * random.pick([1, 3]) }
  const latencyMs = [unitMs / 200, unitMs / 30] as const
  const links = { ...CALM_LINKS, ...straggle, latencyMs, lossRatio: 0.05, duplicateRatio: 0.5, keepsOrder: false }
  const kinds = random.pick<NemesisKind[]>([
    ['crashLeader'],
    ['crashLoop'],
    ['deafLeader'],
    ['isolateLeader', 'pauseLeader', 'deafLeader'],
    ['crashLeader', 'crashLoop', 'reset'],
  ])
  const nemesis = { kinds, intervalMs: [unitMs, unitMs * 4], durationMs: [unitMs / 4, unitMs * 1.5] } as const
  const workload = {
    clients: random.integer(4, 8),
    thinkMs: [unitMs / 100, unitMs / 20],
    timeoutMs: [unitMs, unitMs * 4],
    longestStalenessMs: 4 * unitMs,
    readRatio: 0.3,
    burst: 3,
    paddingBytes: [0, random.pick([0, 60])],
  } as const
  return { links, nemesis, workload }
}
