// The configurations of a model: the one that all nodes begin with, the changes that may be asked for, and the renamings
// of nodes that leave both as they are. Decides nothing about when one comes into force: the core does.
import { bootstrapConfiguration } from '../../core/configuration.js'
import type { MembershipChange } from '../../core/membership-change.js'
import type { LogTrail } from '../../core/log-trail.js'
import type { Quorum } from '../../core/quorum.js'
import type { Configuration, Member, NodeId } from '../../core/types.js'
import { type Model, nodeCount, nodeId, nodeNumber } from './model.js'
import type { Permutation } from './node-state.js'
import { permutationsOf } from './symmetry.js'

/** A configuration and the index of its entry; 0 for the one that all begin with. */
export type HeldConfiguration = LogTrail['configurations'][number]

/** What a node is called in a text. */
export type NameOf = (id: NodeId) => string

/** The one before the first entry: voters, then learners. */
export function initialConfiguration(model: Model): Configuration {
  const specs = Array.from({ length: nodeCount(model) }, (_, node) => {
    const id = nodeId(node)
    return { id, address: id, suffrage: node < model.voters ? 'voter' : 'learner' } as const
  })
  return bootstrapConfiguration(specs)
}

/** These voters and nobody else. @param voters - positions of nodes */
export function configurationOf(voters: readonly number[]): Configuration {
  return bootstrapConfiguration(voters.map((node) => ({ id: nodeId(node), address: nodeId(node) })))
}

/** What a client asks for. */
export function changeTo(voters: readonly number[]): MembershipChange {
  return { type: 'set', members: configurationOf(voters).members }
}

/** By this text two configurations are the same. */
export function configurationText({ members, votersOutgoing }: Configuration, name: NameOf): string {
  const incoming = members.map((member) => memberText(member, name)).sort()
  const outgoing = votersOutgoing.map(({ id }) => name(id)).sort()
  return `{${incoming.join(' ')}${outgoing.length === 0 ? '' : ` from ${outgoing.join(' ')}`}}`
}

function memberText({ id, suffrage, addedAt }: Member, name: NameOf): string {
  return `${name(id)}${suffrage === 'learner' ? '?' : ''}${addedAt === undefined ? '' : `@${addedAt}`}`
}

/** Those of entries, each behind its index; the one that all begin with is left out. */
export function configurationsText(held: readonly HeldConfiguration[], name: NameOf): string {
  let text = ''
  for (const { index, configuration } of held) {
    if (index > 0) text += `${index}${configurationText(configuration, name)}`
  }
  return text
}

/** Its halves as sets of positions. */
export function quorumSets({ incoming, outgoing }: Quorum): { readonly incoming: number; readonly outgoing: number } {
  const setOf = (ids: readonly NodeId[]): number => ids.reduce((set, id) => set | (1 << nodeNumber(id)), 0)
  return { incoming: setOf(incoming), outgoing: setOf(outgoing) }
}

/**
 * The renamings under which a model says the same: voters stay voters, learners learners, and what may be asked for and who
 * may campaign is the same as a whole. The identity first.
 */
export function symmetriesOf(model: Model): readonly Permutation[] {
  const { voters, changes, candidates, snapshotters, start } = model
  const founder = start.type === 'unfounded' ? [0] : []
  const setOf = (nodes: readonly number[], permutation: Permutation): string =>
    nodes
      .map((node) => permutation[node])
      .sort()
      .join()
  const rulesUnder = (permutation: Permutation): string => {
    const learners = permutation.slice(voters)
    const wanted = changes.map((each) => setOf(each, permutation)).sort()
    return `${[...learners].sort().join()}/${wanted.join(' ')}/${setOf(candidates ?? [], permutation)}/${setOf(snapshotters, permutation)}/${setOf(founder, permutation)}`
  }
  const all = permutationsOf(nodeCount(model))
  const [identity = []] = all
  return all.filter((permutation) => rulesUnder(permutation) === rulesUnder(identity))
}
