// The runs of the profile `lease`: clients read by lease while leaders are cut off, stand still or are suspended, hand over and
// are replaced, and voters forget and remember what they promised (H68, H69, H117).
import type { NemesisKind } from './nemesis-kinds.js'
import { type Bent, type Draw, workloadOf } from './swarm-draw.js'
import { CALM_LINKS } from './virtual-network.js'

export function drawLease({ random, unitMs, drawn }: Draw): Partial<Bent> {
  const fastest = unitMs / random.pick([400, 100, 30])
  const links = {
    ...CALM_LINKS,
    latencyMs: [fastest / 10, fastest],
    lossRatio: random.pick([0, 0, 0.1]),
    duplicateRatio: random.pick([0, 0.3]),
    straggleRatio: random.pick([0, 0.05, 0.2]),
    answerStraggleRatio: random.pick([0, 0, 0.5]),
    straggleMs: unitMs * random.pick([0.5, 1, 3]),
    keepsOrder: random.chance(0.5),
  } as const
  const kinds = random.pick<NemesisKind[]>([
    ['isolateLeader', 'partition'],
    ['isolateLeader', 'reset', 'crash'],
    ['isolateLeader', 'crashLoop', 'crashLoop'],
    ['pauseLeader', 'sleepingMinority', 'deafLeader'],
    ['suspendLeader', 'suspend'],
    ['suspendLeader', 'isolateLeader', 'clockRate'],
    ['clockRate', 'clockRate', 'isolateLeader'],
    ['transfer', 'transfer', 'isolateLeader'],
    ['transfer', 'clog', 'pauseLeader', 'reset'],
    ['removeLeader', 'replace', 'add', 'isolateLeader'],
    ['promote', 'demote', 'add', 'remove', 'partition', 'crash'],
  ])
  const slowest = unitMs / random.pick([200, 50, 10])
  return {
    links,
    disk: { ...drawn.disk, writeMs: [slowest / 10, slowest] },
    mixesTimings: random.chance(0.4),
    nemesis: { kinds, intervalMs: [unitMs / 2, unitMs * 4], durationMs: [unitMs / 2, unitMs * 3] },
    workload: workloadOf(unitMs, {
      clients: random.integer(3, 8),
      thinkMs: [unitMs / 200, unitMs / 20],
      timeoutMs: [unitMs / 2, unitMs * 6],
      readRatio: random.pick([0.5, 0.8]),
      leaseRatio: random.pick([0.7, 1]),
      burst: random.pick([1, 2]),
    }),
  }
}
