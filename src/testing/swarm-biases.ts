// What the runs of the swarm are bent towards, because chance alone hardly gets there: small clusters of a kind of trouble
// that one family of mistakes needs. Each draws what it cares about and leaves the rest as it was drawn without it.
import type { NemesisKind } from './nemesis-kinds.js'
import { drawLease } from './lease-bias.js'
import { drawSessions } from './session-bias.js'
import { type Bent, type Draw, type SwarmBias, workloadOf } from './swarm-draw.js'
import { CALM_LINKS } from './virtual-network.js'

/**
 * `figure8`: five voters, tiny batches, leaders that crash with work half done. `staleReads`: leaders that are cut off or
 * stand still while old answers still trickle in and clients read from them (H62, H65, H121). `elections`: leaders fall
 * faster than votes travel, so that late and doubled answers meet later elections (H4, H10, H24). `lateCopies`: every other
 * message arrives twice, some of them late, and leaders come and go meanwhile (H115). `divergence`: leaders that are cut
 * off take what nobody else has, on slow disks, and find their logs replaced (figure 7, H25, H26). `shortLives`: processes
 * die and come back faster than what was meant for them travels (H66, H115). `liveness`: leaders hand over while others are
 * slow, down or cut off, and clients go on (H20); it has no part in the mix. `snapshots`: logs that are compacted every few
 * entries, processes that die meanwhile, disks that fail under it (H51, H53); it has none either. `membership`: nodes come,
 * go, come again and change sides, faster than changes take, and the leader is among them (H39-H48); nor has it. `storage`:
 * disks are what goes wrong, and lives end at every moment, those of a start too (H1, H26, H78-H81, H86, H87); nor has it.
 * `sessions`: clients repeat themselves on other nodes until they know, while leaders die and logs are compacted (H72, H114);
 * nor has it. `lease`: clients read by lease while leaders are cut off, stand still or sleep, hand over and are replaced (H68, H69,
 * H117); nor has it.
 */
export type Bias =
  | 'figure8'
  | 'staleReads'
  | 'elections'
  | 'lateCopies'
  | 'divergence'
  | 'shortLives'
  | 'liveness'
  | 'snapshots'
  | 'membership'
  | 'storage'
  | 'sessions'
  | 'lease'

export const BIASES: Readonly<Record<Bias, SwarmBias>> = {
  figure8: { voters: [5], draw: drawFigure8 },
  staleReads: { voters: [1, 2, 3, 3, 5, 5, 5, 7], draw: drawStaleReads },
  elections: { voters: [3, 4, 5, 5, 6, 7], draw: drawElections },
  lateCopies: { voters: [1, 2, 3, 3, 3, 4, 5, 5], draw: drawLateCopies },
  divergence: { voters: [3, 3, 5, 5, 5], draw: drawDivergence },
  shortLives: { voters: [2, 3, 3, 3, 5], draw: drawShortLives },
  liveness: { voters: [1, 2, 3, 3, 3, 4, 5, 5, 7], draw: drawLiveness },
  snapshots: { voters: [1, 2, 3, 3, 3, 4, 5, 5, 7], draw: drawSnapshots },
  membership: { voters: [1, 2, 3, 3, 3, 4, 5], draw: drawMembership },
  storage: { voters: [1, 2, 3, 3, 3, 4, 5, 5, 7], draw: drawStorage },
  sessions: { voters: [1, 2, 3, 3, 3, 4, 5, 5, 7], draw: drawSessions },
  lease: { voters: [1, 2, 3, 3, 3, 4, 5, 5], draw: drawLease },
}

function drawFigure8({ random, unitMs, drawn }: Draw): Partial<Bent> {
  const bulkLossRatio = random.pick([0.3, 0.5, 0.7, 0.85])
  const latencyMs = [unitMs / 100, unitMs / random.pick([10, 40])] as const
  const kinds: NemesisKind[] = ['strandLeader', 'crashLeader']
  return {
    limits: { ...drawn.limits, appendEntries: 1, inflightMessages: random.pick([1, 2]) },
    links: { ...drawn.links, lossRatio: 0, bulkLossRatio, latencyMs },
    nemesis: { kinds, intervalMs: [unitMs / 4, unitMs * 2], durationMs: [unitMs / 3, unitMs * 1.5] },
  }
}

function drawStaleReads({ random, unitMs }: Draw): Partial<Bent> {
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
  const workload = workloadOf(unitMs, {
    clients: random.integer(4, 10),
    thinkMs: [unitMs / 100, unitMs / 10],
    timeoutMs: [unitMs / 2, unitMs * 6],
    readRatio: 0.7,
    burst: 2,
  })
  return { links, nemesis, workload }
}

function drawElections({ random, unitMs }: Draw): Partial<Bent> {
  const slowest = unitMs / random.pick([3, 6, 20])
  const links = {
    ...CALM_LINKS,
    latencyMs: [slowest / 10, slowest],
    duplicateRatio: random.pick([0.1, 0.5]),
    straggleRatio: random.pick([0.05, 0.2, 0.5]),
    straggleMs: unitMs * random.pick([2, 5]),
    answerStraggleRatio: random.pick([0, 0.5, 0.8]),
    keepsOrder: false,
  } as const
  const kinds = random.pick<NemesisKind[]>([
    ['crashLeader', 'strandLeader'],
    ['crashCandidate', 'crashNewLeader', 'crashLeader'],
    ['pauseLeader', 'strandCandidate'],
    ['crashLeader', 'pauseLeader', 'isolateLeader', 'strandCandidate', 'partition'],
  ])
  const nemesis = { kinds, intervalMs: [unitMs / 2, unitMs * 3], durationMs: [unitMs / 4, unitMs * 1.5] } as const
  const workload = workloadOf(unitMs, {
    clients: random.integer(1, 4),
    thinkMs: [unitMs / 20, unitMs / 2],
    timeoutMs: [unitMs, unitMs * 6],
    readRatio: 0.2,
    burst: 1,
  })
  return { links, nemesis, workload }
}

function drawLateCopies({ random, unitMs }: Draw): Partial<Bent> {
  const straggle = { straggleRatio: random.pick([0.1, 0.25, 0.4]), straggleMs: unitMs * random.pick([1, 2, 3]) }
  const latencyMs = [unitMs / 200, unitMs / 30] as const
  const copies = { lossRatio: 0.05, duplicateRatio: 0.5, answerStraggleRatio: random.pick([0, 0.5]) }
  const links = { ...CALM_LINKS, ...straggle, ...copies, latencyMs, keepsOrder: false }
  const kinds = random.pick<NemesisKind[]>([
    ['crashLeader'],
    ['crashLoop'],
    ['deafLeader', 'isolateLeader'],
    ['isolateLeader', 'pauseLeader', 'partition'],
    ['crashLeader', 'crashLoop', 'reset'],
  ])
  const nemesis = { kinds, intervalMs: [unitMs / 2, unitMs * 3], durationMs: [unitMs / 2, unitMs * 1.6] } as const
  const workload = workloadOf(unitMs, {
    clients: random.integer(4, 8),
    thinkMs: [unitMs / 100, unitMs / 20],
    timeoutMs: [unitMs, unitMs * 4],
    readRatio: 0.3,
    burst: 3,
    paddingBytes: [0, random.pick([0, 60])],
  })
  return { links, nemesis, workload }
}

function drawDivergence({ random, unitMs, drawn }: Draw): Partial<Bent> {
  const latencyMs = [unitMs / 200, unitMs / random.pick([10, 40])] as const
  const straggle = { straggleRatio: random.pick([0, 0.1, 0.4]), straggleMs: unitMs * random.pick([1, 4, 8]) }
  const copies = {
    duplicateRatio: random.pick([0, 0.5]),
    bulkLossRatio: random.pick([0, 0.4, 0.8]),
    answerStraggleRatio: random.pick([0, 0.5]),
  }
  const kinds = random.pick<NemesisKind[]>([
    ['isolateLeader', 'crashLeader'],
    ['strandWrites', 'isolateLeader'],
    ['strandLeader', 'isolateLeader'],
    ['isolateLeader', 'strandWrites', 'crashAll', 'reset'],
  ])
  const slowest = random.pick([unitMs / 50, unitMs / 3])
  const windows = { inflightMessages: random.pick([1, 2, 4]), uncommittedBytes: random.pick([256, 512, 1024]) }
  const small = { appendEntries: random.pick([1, 1, 2, 64]), ...windows }
  return {
    limits: { ...drawn.limits, ...small },
    links: { ...CALM_LINKS, ...straggle, ...copies, latencyMs, keepsOrder: false },
    disk: { ...drawn.disk, writeMs: [slowest / 10, slowest] },
    nemesis: { kinds, intervalMs: [unitMs / 2, unitMs * 2.5], durationMs: [unitMs / 2, unitMs * 2] },
    workload: workloadOf(unitMs, {
      clients: random.integer(3, 6),
      thinkMs: [unitMs / 100, unitMs / 10],
      timeoutMs: [unitMs / 2, unitMs * 3],
      readRatio: 0.1,
      burst: random.pick([1, 3]),
    }),
  }
}

function drawShortLives({ random, unitMs }: Draw): Partial<Bent> {
  const latencyMs = [unitMs / 200, unitMs / 30] as const
  const straggle = { straggleRatio: random.pick([0.2, 0.4]), straggleMs: unitMs * random.pick([0.5, 1.5]) }
  const kinds = random.pick<NemesisKind[]>([
    ['crashLoop'],
    ['crashLeader'],
    ['crashLeader', 'crashLoop'],
    ['crashNewLeader', 'crashLoop', 'isolateLeader'],
  ])
  return {
    links: { ...CALM_LINKS, ...straggle, latencyMs, duplicateRatio: 0.5, keepsOrder: false },
    nemesis: { kinds, intervalMs: [unitMs / 2, unitMs * 2], durationMs: [unitMs / 2, unitMs] },
    workload: workloadOf(unitMs, {
      clients: random.integer(4, 10),
      thinkMs: [unitMs / 100, unitMs / 20],
      timeoutMs: [unitMs, unitMs * 4],
      readRatio: random.pick([0.2, 0.6]),
      burst: 2,
    }),
  }
}

function drawLiveness({ random, unitMs, drawn }: Draw): Partial<Bent> {
  const slowest = unitMs / random.pick([100, 30, 8])
  const links = {
    ...CALM_LINKS,
    latencyMs: [slowest / 10, slowest],
    lossRatio: random.pick([0, 0.05, 0.2]),
    bulkLossRatio: random.pick([0, 0.3]),
    duplicateRatio: random.pick([0, 0.3]),
    straggleRatio: random.pick([0, 0.1]),
    straggleMs: unitMs * random.pick([1, 3]),
    keepsOrder: random.chance(0.5),
  } as const
  const kinds = random.pick<NemesisKind[]>([
    ['transfer'],
    ['transfer', 'transfer', 'crashLeader', 'crash'],
    ['transfer', 'transfer', 'stop', 'reset'],
    ['transfer', 'transfer', 'isolateLeader', 'partition', 'cut'],
    ['transfer', 'transfer', 'slowDisk', 'hangDisk', 'pauseLeader'],
    ['transfer', 'transfer', 'crashCandidate', 'crashNewLeader', 'deafLeader'],
  ])
  const pace = unitMs * random.pick([0.3, 1, 3])
  return {
    links,
    disk: drawn.disk,
    nemesis: { kinds, intervalMs: [pace / 4, pace * 2], durationMs: [unitMs / 2, unitMs * 3] },
    workload: workloadOf(unitMs, {
      clients: random.integer(3, 8),
      thinkMs: [unitMs / 200, unitMs / random.pick([10, 40])],
      timeoutMs: [unitMs * random.pick([0.5, 2]), unitMs * 6],
      readRatio: random.pick([0.1, 0.4]),
      burst: random.pick([1, 3, 8]),
    }),
  }
}

function drawSnapshots({ random, unitMs, drawn }: Draw): Partial<Bent> {
  const slowest = unitMs / random.pick([200, 50, 10])
  const kinds = random.pick<NemesisKind[]>([
    ['snapshot'],
    ['snapshot', 'crash', 'crashLeader', 'crashAtEffect'],
    ['snapshot', 'crashAtEffect', 'crashAtEffect', 'crashLoop'],
    ['snapshot', 'crashAll', 'crashAtEffect', 'stop'],
    ['snapshot', 'isolateLeader', 'crashLeader', 'partition'],
    ['snapshot', 'slowDisk', 'failWrite', 'fullDisk', 'hangDisk'],
    ['snapshot', 'crashRotten', 'crashAll'],
    ['snapshot', 'pause', 'pauseLeader', 'strandWrites'],
  ])
  const pace = unitMs * random.pick([0.2, 0.7, 2])
  return {
    snapshot: {
      everyEntries: random.pick([random.integer(1, 5), random.integer(6, 40)]),
      trailingEntries: random.pick([0, random.integer(1, 20), random.integer(100, 400)]),
    },
    disk: { ...drawn.disk, writeMs: [slowest / 10, slowest] },
    nemesis: { kinds, intervalMs: [pace / 4, pace * 2], durationMs: [unitMs / 4, unitMs * 2] },
    workload: workloadOf(unitMs, {
      clients: random.integer(3, 8),
      thinkMs: [unitMs / 200, unitMs / random.pick([10, 40])],
      timeoutMs: [unitMs, unitMs * 6],
      readRatio: random.pick([0.1, 0.4]),
      burst: random.pick([1, 3]),
    }),
  }
}

function drawMembership({ random, unitMs, drawn }: Draw): Partial<Bent> {
  const slowest = unitMs / random.pick([100, 30, 8])
  const links = {
    ...CALM_LINKS,
    latencyMs: [slowest / 10, slowest],
    lossRatio: random.pick([0, 0.05, 0.2]),
    bulkLossRatio: random.pick([0, 0, 0.3]),
    duplicateRatio: random.pick([0, 0.3]),
    straggleRatio: random.pick([0, 0.1, 0.3]),
    straggleMs: unitMs * random.pick([1, 3, 6]),
    keepsOrder: random.chance(0.5),
  } as const
  const trouble = random.pick<NemesisKind[]>([
    [],
    ['crash', 'crashLeader'],
    ['crashLeader', 'crashNewLeader', 'crashAtEffect'],
    ['strandLeader', 'isolateLeader'],
    ['isolateLeader', 'partition', 'cut', 'reset'],
    ['transfer', 'crashCandidate', 'pauseLeader'],
    ['crashLoop', 'crashAll', 'stop'],
    ['strandWrites', 'slowDisk', 'hangDisk'],
  ])
  const changes = random.pick<NemesisKind[]>([
    ['add', 'remove', 'promote', 'demote', 'replace', 'removeLeader', 'readd'],
    ['replace', 'replace', 'removeLeader'],
    ['add', 'remove', 'add', 'remove'],
    ['readd', 'removeLeader', 'add'],
    ['promote', 'demote', 'add'],
  ])
  const mayCompact = random.chance(0.5)
  const everyEntries = random.pick([random.integer(1, 5), random.integer(6, 40)])
  const snapshot = { everyEntries, trailingEntries: random.pick([0, random.integer(1, 20)]) }
  const pace = unitMs * random.pick([0.3, 1, 3])
  const learners = random.pick([0, 0, 0, 1, 2])
  const workload = workloadOf(unitMs, {
    clients: random.integer(2, 6),
    thinkMs: [unitMs / 200, unitMs / random.pick([5, 20])],
    timeoutMs: [unitMs * random.pick([0.5, 2]), unitMs * 6],
    readRatio: random.pick([0.1, 0.4]),
    burst: random.pick([1, 3]),
  })
  const wipes: NemesisKind[] = random.chance(0.3) ? ['wipeDisk', 'wipeDisk'] : []
  const kinds = [...changes, ...trouble, ...wipes, ...(mayCompact ? (['snapshot'] as const) : [])]
  return {
    links,
    disk: drawn.disk,
    learners,
    ...(mayCompact ? { snapshot } : {}),
    nemesis: { kinds, intervalMs: [pace / 4, pace * 2], durationMs: [unitMs / 2, unitMs * 3] },
    workload,
  }
}

function drawStorage({ random, unitMs, drawn }: Draw): Partial<Bent> {
  const slowest = unitMs / random.pick([200, 50, 10, 3])
  const kinds = random.pick<NemesisKind[]>([
    ['crashLoop', 'crashAtEffect', 'failWrite', 'slowDisk'],
    ['crashStarting', 'crashAtEffect', 'crashRotten'],
    ['crashStarting', 'crashAll', 'failWrite', 'fullDisk'],
    ['failWrite', 'failWrite', 'crashAtEffect', 'crashLeader'],
    ['failWrite', 'fullDisk', 'hangDisk', 'crashAll'],
    ['hangDisk', 'slowDisk', 'strandWrites', 'crashLeader'],
    ['rotDisk', 'crashRotten', 'crashAtEffect', 'crash'],
    ['crashRotten', 'crashRotten', 'crashAll', 'failWrite', 'stop'],
    ['wipeDisk', 'crashAtEffect', 'crashLeader'],
    ['wipeDisk', 'wipeDisk', 'crashAll', 'crashStarting', 'isolateLeader'],
    ['crashAtEffect', 'crashStarting', 'crashAll', 'crashRotten', 'failWrite', 'fullDisk', 'hangDisk', 'slowDisk'],
  ])
  const everyEntries = random.pick([random.integer(1, 5), random.integer(6, 30)])
  const snapshot = { everyEntries, trailingEntries: random.pick([0, random.integer(1, 10)]) }
  const mayCompact = random.chance(0.7)
  const pace = unitMs * random.pick([0.15, 0.5, 1.5])
  return {
    ...(mayCompact ? { snapshot } : {}),
    links: { ...drawn.links, damageRatio: 0 },
    disk: { ...drawn.disk, writeMs: [slowest / 10, slowest] },
    levelRatio: 0.6,
    nemesis: {
      kinds: mayCompact ? [...kinds, 'snapshot'] : kinds,
      intervalMs: [pace / 4, pace * 2],
      durationMs: [unitMs / 10, unitMs * random.pick([0.5, 2])],
    },
    workload: workloadOf(unitMs, {
      clients: random.integer(3, 8),
      thinkMs: [unitMs / 200, unitMs / random.pick([10, 40])],
      timeoutMs: [unitMs, unitMs * 6],
      readRatio: random.pick([0.1, 0.4]),
      burst: random.pick([1, 3, 8]),
    }),
  }
}
