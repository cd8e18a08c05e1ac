// The worst that may stay broken while a cluster must still work (assurance §1, liveness): a random quorum is healed,
// and everybody else is left dead, standing still or half connected for ever. Random faults that heal hide what permanent
// one-way cuts show (H13).
import type { NodeId } from '../core/types.js'
import type { StateMachine } from '../interfaces/state-machine.js'
import type { Cluster } from './cluster.js'
import { heal } from './liveness.js'
import type { SimulationRandom } from './prng.js'
import { canGoOn } from './quorum-view.js'
import type { SimulatedProcess } from './simulated-process.js'
import { CALM_LINKS } from './virtual-network.js'

/** What is left of a node outside of the quorum. `mute` hears everybody and reaches nobody; `deaf` is its mirror image. */
const REMAINS = ['dead', 'paused', 'mute', 'deaf', 'isolated', 'diskHangs', 'diskFull'] as const

type Remains = (typeof REMAINS)[number]

/** A leader goes on while its disk hangs: nobody takes over from it yet (F32). */
const REMAINS_OF_LEADERS: readonly Remains[] = REMAINS.filter((remains) => remains !== 'diskHangs')

/** Heals a random quorum, breaks the others for ever, and returns the ids of the quorum. */
export function healRandomQuorum<Command, Result, SM extends StateMachine<Command, Result>>(
  cluster: Cluster<Command, Result, SM>,
  random: SimulationRandom,
): readonly NodeId[] {
  const { ids } = cluster
  const sound = random.shuffle(cluster.soundIds)
  const smallest = sound.findIndex((_, last) => canGoOn(cluster, sound.slice(0, last + 1))) + 1
  const least = smallest === 0 ? sound.length : smallest
  const size = random.integer(least, Math.max(least, Math.min(sound.length, ids.length - 1)))
  // One more may bring a configuration that needs others too.
  const enough = sound.findIndex((_, last) => last + 1 >= size && canGoOn(cluster, sound.slice(0, last + 1))) + 1
  const quorum = sound.slice(0, enough === 0 ? sound.length : enough)
  cluster.network.heal()
  cluster.setLinks(CALM_LINKS)
  for (const id of ids) {
    const process = cluster.process(id)
    if (process === null) continue
    heal(process)
    if (!quorum.includes(id)) leave(cluster, id, random.pick(mayLead(process) ? REMAINS_OF_LEADERS : REMAINS))
  }
  return quorum
}

function mayLead<Command, Result, SM extends StateMachine<Command, Result>>(
  process: SimulatedProcess<Command, Result, SM>,
): boolean {
  const role = process.current?.witness.state?.role
  return role === 'leader' || role === 'candidate'
}

function leave<Command, Result, SM extends StateMachine<Command, Result>>(
  cluster: Cluster<Command, Result, SM>,
  node: NodeId,
  remains: Remains,
): void {
  cluster.coverage.count(`remains.${remains}`)
  if (remains === 'dead') return cluster.inject({ type: 'crash', node })
  if (remains === 'paused') return cluster.inject({ type: 'pause', node, forMs: Number.POSITIVE_INFINITY })
  if (remains === 'diskHangs') return cluster.inject({ type: 'hangDisk', node })
  if (remains === 'diskFull') return cluster.inject({ type: 'fullDisk', node })
  for (const other of cluster.ids) {
    if (other === node) continue
    if (remains !== 'deaf') cluster.inject({ type: 'cut', from: node, to: other })
    if (remains !== 'mute') cluster.inject({ type: 'cut', from: other, to: node })
  }
}
