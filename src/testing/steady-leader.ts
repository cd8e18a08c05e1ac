// Nobody who hears its leader helps to replace it (thesis §4.2.3, §9.6): one node is left half connected for many election
// timeouts while everything else is well, and leadership must not move. Disruption takes time to show (H9, H13, H14).
import type { NodeId } from '../core/types.js'
import type { StateMachine } from '../interfaces/state-machine.js'
import type { Cluster } from './cluster.js'
import type { SimulationRandom } from './prng.js'
import { canGoOn } from './quorum-view.js'

/** Election timeouts for which one node stays half connected. */
const STEADY_TIMEOUTS = 12

/** `deaf` hears nobody; the others are parted from the leader only: both ways, or one. */
const PARTINGS = ['deaf', 'parted', 'leaderUnheard', 'unheardByLeader'] as const

/** Runs a while with one outcast; everybody must be healed before. Does nothing where a majority needs the outcast. */
export async function expectSteadyLeader<Command, Result, SM extends StateMachine<Command, Result>>(
  cluster: Cluster<Command, Result, SM>,
  { electionTimeoutMs, random }: { readonly electionTimeoutMs: number; readonly random: SimulationRandom },
): Promise<void> {
  const { invariants, soundIds } = cluster
  const leader = cluster.leader?.id
  const mayMiss = (outcast: NodeId): boolean =>
    canGoOn(
      cluster,
      soundIds.filter((id) => id !== outcast),
    )
  const others = soundIds.filter((id) => id !== leader && mayMiss(id))
  if (leader === undefined || others.length === 0) return
  const outcast = random.pick(others)
  const parting = random.pick(PARTINGS)
  cluster.coverage.count(`steady.${parting}`)
  part(cluster, { leader, outcast }, parting)
  const [changesBefore, configurationsBefore] = [invariants.leaderChanges, invariants.configurations.version]
  await cluster.run(cluster.nowMs + STEADY_TIMEOUTS * electionTimeoutMs)
  const changes = invariants.leaderChanges - changesBefore
  // A wish that was long on its way may still move the leader, or take it out.
  if (invariants.configurations.version !== configurationsBefore) return cluster.network.heal()
  const trouble = `${outcast} was ${parting}, and all others heard ${leader}`
  if (changes > 0) invariants.fail('leader-changes', `leadership moved ${changes} times while ${trouble} (H9, H14)`)
  // Who steps down without a successor changes no count.
  if (cluster.leader?.id !== leader)
    invariants.fail('leader-changes', `${leader} leads no more, and nobody followed it, while ${trouble} (H9)`)
  cluster.network.heal()
}

function part<Command, Result, SM extends StateMachine<Command, Result>>(
  cluster: Cluster<Command, Result, SM>,
  { leader, outcast }: { readonly leader: NodeId; readonly outcast: NodeId },
  parting: (typeof PARTINGS)[number],
): void {
  const cut = (from: NodeId, to: NodeId): void => cluster.inject({ type: 'cut', from, to })
  if (parting === 'deaf') for (const id of cluster.ids) if (id !== outcast) cut(id, outcast)
  if (parting === 'parted' || parting === 'leaderUnheard') cut(leader, outcast)
  if (parting === 'parted' || parting === 'unheardByLeader') cut(outcast, leader)
}
