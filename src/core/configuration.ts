// Configurations (§6): the bootstrap list as configuration 0, the checks that every configuration passes, and who is in
// one. What a change makes of one is in membership-change.ts.
import type { Configuration, Member, MemberSpec, NodeId } from './types.js'

/** Most members of a cluster; a bound on every per-peer map. */
export const MAX_MEMBERS = 64

/** Longest address of a member, and most of all names and values of its metadata, in UTF-16 code units. */
export const MAX_ADDRESS_LENGTH = 255
export const MAX_METADATA_LENGTH = 1_024

const ID_PATTERN = /^[A-Za-z0-9._-]{1,64}$/

/** Whether `id` may name a node. */
export function isNodeId(id: unknown): id is NodeId {
  return typeof id === 'string' && ID_PATTERN.test(id)
}

/** The configuration that a bootstrap list stands for, members sorted by id. */
export function bootstrapConfiguration(list: readonly MemberSpec[]): Configuration {
  const members = list.map((spec): Member => ({ ...spec, suffrage: spec.suffrage ?? 'voter' }))
  return { members: members.sort((a, b) => (a.id < b.id ? -1 : 1)), votersOutgoing: [] }
}

/** What is wrong with a configuration, in words; null when nothing is (H48). */
export function configurationProblem(configuration: Configuration): string | null {
  const { members, votersOutgoing } = configuration
  if (members.length > MAX_MEMBERS) return `${members.length} members are more than ${MAX_MEMBERS}`
  const seen = new Set<NodeId>()
  for (const member of members) {
    if (!isNodeId(member.id)) return `'${member.id}' is not a node id (1 to 64 of A-Z a-z 0-9 . _ -)`
    if (seen.has(member.id)) return `member '${member.id}' is listed twice`
    seen.add(member.id)
    const problem = memberProblem(member)
    if (problem !== null) return problem
  }
  if (!members.some((member) => member.suffrage === 'voter')) return 'there is no voter'
  if (new Set(votersOutgoing.map((member) => member.id)).size < votersOutgoing.length)
    return 'an outgoing voter is listed twice'
  return null
}

function memberProblem({ id, address, metadata }: Member): string | null {
  if (address.length > MAX_ADDRESS_LENGTH) return `the address of '${id}' has ${address.length} characters`
  let length = 0
  for (const [name, value] of Object.entries(metadata ?? {})) length += name.length + value.length
  return length > MAX_METADATA_LENGTH ? `the metadata of '${id}' have ${length} characters` : null
}

/** Every other node that receives the log: members and outgoing voters. */
export function peersOf(configuration: Configuration, self: NodeId): readonly NodeId[] {
  const ids = [...configuration.members, ...configuration.votersOutgoing].map((member) => member.id)
  return [...new Set(ids)].filter((id) => id !== self)
}

/** The member or outgoing voter of that id. */
export function findMember(configuration: Configuration | null, id: NodeId): Member | null {
  if (configuration === null) return null
  const named = (member: Member) => member.id === id
  return configuration.members.find(named) ?? configuration.votersOutgoing.find(named) ?? null
}
