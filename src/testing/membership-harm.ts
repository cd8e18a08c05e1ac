// Which change of the membership a nemesis asks for next: drawn as the cluster goes, at any node, by callers who give up soon
// or never, and wrong as often as an operator may be. What each does is in `cluster.ts`.
import type { NodeId } from '../core/types.js'
import type { StateMachine } from '../interfaces/state-machine.js'
import type { Cluster } from './cluster.js'
import { MAX_VOTERS } from './cluster-shape.js'
import type { Asked, ChangeFault } from './fault-plan.js'
import type { MembershipHarm } from './nemesis-kinds.js'
import type { SimulationRandom } from './prng.js'
import { currentMembers } from './quorum-view.js'

/** Most nodes that a whole membership is drawn from; small ones lose their quorum and get it back. */
const MAX_REPLACED = 5

interface Draw {
  readonly random: SimulationRandom
  /** Of what can be undone, ms. */
  readonly longestMs: number
}

/** What to ask for, one after the other; nothing where there is nobody to name. */
export function drawChanges<Command, Result, SM extends StateMachine<Command, Result>>(
  kind: MembershipHarm,
  cluster: Cluster<Command, Result, SM>,
  { random, longestMs }: Draw,
): readonly ChangeFault[] {
  const members = currentMembers(cluster).members.map(({ id }) => id)
  const all = Array.from({ length: MAX_VOTERS }, (_, at) => `n${at + 1}`)
  const asked = drawAsked(cluster.ids, { random, longestMs })
  // Mostly somebody of whom it makes sense, now and then anybody.
  const pick = (likely: readonly NodeId[]): NodeId =>
    random.pick(likely.length > 0 && random.chance(0.8) ? likely : all)
  const strangers = all.filter((id) => !members.includes(id))
  switch (kind) {
    case 'add':
      return [{ type: 'add', node: pick(strangers), suffrage: random.pick(['voter', 'voter', 'learner']), ...asked }]
    case 'remove':
      return [{ type: 'remove', node: pick(members), ...asked }]
    case 'promote':
    case 'demote':
      return [{ type: kind, node: pick(members), ...asked }]
    case 'removeLeader':
      return [{ type: 'remove', node: 'leader', ...asked }]
    case 'readd': {
      const node = pick(members)
      return [
        { type: 'remove', node, ...asked },
        { type: 'add', node, ...asked },
      ]
    }
    case 'replace':
      return [{ type: 'members', ...drawMembers(all, members, random), ...asked }]
  }
}

function drawAsked(ids: readonly NodeId[], { random, longestMs }: Draw): Asked {
  return {
    ...(random.chance(0.4) ? { via: random.pick(ids) } : {}),
    ...(random.chance(0.3) ? { timeoutMs: random.integer(1, Math.max(1, Math.ceil(longestMs))) } : {}),
  }
}

/** Some who are there and some who aren't, so that both halves of the joint configuration often share a few. */
function drawMembers(
  all: readonly NodeId[],
  members: readonly NodeId[],
  random: SimulationRandom,
): { readonly voters: readonly NodeId[]; readonly learners?: readonly NodeId[] } {
  const kept = random.shuffle(members).slice(0, random.integer(0, members.length))
  const rest = random.shuffle(all.filter((id) => !kept.includes(id)))
  const drawn = random.shuffle([...kept, ...rest.slice(0, random.integer(0, 3))])
  const some = drawn.length === 0 ? [random.pick(all)] : drawn
  const voters = some.slice(0, MAX_REPLACED)
  const learners = random.chance(0.2) ? some.slice(MAX_REPLACED) : []
  return learners.length === 0 ? { voters } : { voters, learners }
}
