// The runs of the profile `sessions`: clients repeat themselves on other nodes until they know what became of a command, while
// leaders die, messages are lost and logs are compacted (H72, H114). No disk hangs while clients are at work:
// whoever leads with one goes on leading, and where its limits are small nobody writes any more. At the end one may: seed 2733.
import type { NemesisKind } from './nemesis-kinds.js'
import { type Bent, type Draw, workloadOf } from './swarm-draw.js'

export function drawSessions({ random, unitMs, drawn }: Draw): Partial<Bent> {
  const slowest = unitMs / random.pick([200, 50, 10])
  const kinds = random.pick<NemesisKind[]>([
    [],
    ['crash', 'crashLeader', 'crashAtEffect'],
    ['isolateLeader', 'strandWrites', 'partition'],
    ['crashLoop', 'crashAll', 'stop'],
    ['pause', 'pauseLeader', 'clockRate'],
    ['transfer', 'crashNewLeader', 'slowDisk'],
    ['snapshot', 'crashAtEffect', 'crashLeader'],
  ])
  const pace = unitMs * random.pick([0.3, 1, 3])
  const everyEntries = random.pick([random.integer(1, 5), random.integer(6, 40)])
  const snapshot = { everyEntries, trailingEntries: random.pick([0, random.integer(1, 20)]) }
  return {
    ...(random.chance(0.7) ? { snapshot } : {}),
    links: { ...drawn.links, bulkLossRatio: random.pick([0, 0.3, 0.6]) },
    disk: { ...drawn.disk, writeMs: [slowest / 10, slowest] },
    nemesis: { kinds, intervalMs: [pace / 4, pace * 2], durationMs: [unitMs / 4, unitMs * 2] },
    workload: workloadOf(unitMs, {
      clients: random.integer(0, 3),
      thinkMs: [unitMs / 100, unitMs / 10],
      timeoutMs: [unitMs, unitMs * 4],
      readRatio: random.pick([0.1, 0.4]),
      burst: random.pick([1, 3]),
    }),
    sessions: {
      clients: random.integer(2, 8),
      thinkMs: [0, unitMs / random.pick([4, 40, 400])],
      timeoutMs: [unitMs / random.pick([20, 4]), unitMs * random.pick([1, 8])],
      ttlMs: [unitMs / 4, unitMs * random.pick([2, 8])],
      expiringRatio: random.pick([0, 0.3, 0.8]),
    },
  }
}
