// What a change of the membership makes of a configuration (§6, thesis §4.3), as pure functions: which members are wanted,
// and whether the way there needs joint consensus. Decides nothing about when.
import { configurationProblem } from './configuration.js'
import type { Configuration, LogIndex, Member, NodeId } from './types.js'

/**
 * What a client wants of the members. `add`: these as well, with their suffrage. `update`: another address, unless empty,
 * and other metadata, unless undefined. `promote`, `demote`, `remove`: only the ids count. `set`: these and nobody else.
 * Asking for what is changes nothing.
 */
export interface MembershipChange {
  readonly type: 'add' | 'update' | 'promote' | 'demote' | 'remove' | 'set'
  /** At least one. */
  readonly members: readonly Member[]
}

/** The members that a change asks for, or why it can't be had, in words. */
export type Wanted = { readonly members: readonly Member[] } | { readonly problem: string }

/** The members of `current`, which is not joint, after `change`. */
export function wantedMembers(current: Configuration, { type, members: asked }: MembershipChange): Wanted {
  if (type === 'set') return checked(asked.map((member) => merged(find(current.members, member.id), member)))
  let members = current.members
  for (const member of asked) {
    const held = find(members, member.id)
    const changed = applied(type, held, member)
    if (typeof changed === 'string') return { problem: changed }
    members = members.filter(({ id }) => id !== member.id)
    if (changed !== null) members = [...members, changed]
  }
  const voters = votersOf(current.members)
  if (voters.length > 0 && votersOf(members).length === 0) {
    const [names, are] = [
      voters.map((id) => `'${id}'`).join(', '),
      voters.length === 1 ? 'is the last voter' : 'are the last voters',
    ]
    return { problem: `${names} ${are}: add another one first` }
  }
  return checked(members)
}

/** What becomes of one member: null for nothing left, a text for what is wrong. */
function applied(type: MembershipChange['type'], held: Member | null, asked: Member): Member | null | string {
  const { id } = asked
  if (type === 'remove') return null
  if (type === 'add') return held === null ? merged(null, asked) : added(held, asked)
  if (held === null) return `'${id}' is not a member: add it first`
  if (type === 'update')
    return merged(held, { ...asked, address: asked.address || held.address, suffrage: held.suffrage })
  return { ...held, suffrage: type === 'promote' ? 'voter' : 'learner' }
}

function added(held: Member, asked: Member): Member | string {
  const { id, suffrage } = held
  if (asked.address !== held.address) return `'${id}' is a member at ${held.address} already: update or remove it`
  if (suffrage === 'voter' && asked.suffrage === 'learner') return `'${id}' is a voter already: demote it`
  return merged(held, asked)
}

/** What the library has set stays with the member, and so do the metadata where none are given. */
function merged(held: Member | null, asked: Member): Member {
  const { storeId: _storeId, addedAt: _addedAt, metadata, ...own } = asked
  const facts = metadata ?? held?.metadata
  return {
    ...own,
    ...(facts === undefined ? {} : { metadata: facts }),
    ...(held?.storeId === undefined ? {} : { storeId: held.storeId }),
    ...(held?.addedAt === undefined ? {} : { addedAt: held.addedAt }),
  }
}

function checked(unsorted: readonly Member[]): Wanted {
  const members = unsorted.toSorted((a, b) => (a.id < b.id ? -1 : 1))
  const problem = configurationProblem({ members, votersOutgoing: [] })
  return problem === null ? { members } : { problem }
}

/** Whether both say the same of the same members. What the library sets is not compared. */
export function isSameMembers(one: readonly Member[], other: readonly Member[]): boolean {
  return one.length === other.length && one.every((member) => isSame(member, find(other, member.id)))
}

function isSame(one: Member, other: Member | null): boolean {
  if (other === null || one.address !== other.address || one.suffrage !== other.suffrage) return false
  const [facts, others] = [Object.entries(one.metadata ?? {}), new Map(Object.entries(other.metadata ?? {}))]
  return facts.length === others.size && facts.every(([name, value]) => others.get(name) === value)
}

/** The ids of the voters among `members`. */
export function votersOf(members: readonly Member[]): readonly NodeId[] {
  return members.filter(({ suffrage }) => suffrage === 'voter').map(({ id }) => id)
}

/** Voters that `to` has and `from` has not. */
export function joiningVoters(from: readonly Member[], to: readonly Member[]): readonly NodeId[] {
  const before = new Set(votersOf(from))
  return votersOf(to).filter((id) => !before.has(id))
}

/** `current` with those who will vote and are no members yet as learners (thesis §4.2.1); null when there is nobody. */
export function withNewLearners(
  current: Configuration,
  wanted: readonly Member[],
  index: LogIndex,
): Configuration | null {
  const isNew = ({ id, suffrage }: Member) => suffrage === 'voter' && find(current.members, id) === null
  const learners = wanted.filter(isNew).map((member): Member => ({ ...member, suffrage: 'learner', addedAt: index }))
  if (learners.length === 0) return null
  const members = [...current.members, ...learners].sort((a, b) => (a.id < b.id ? -1 : 1))
  return { members, votersOutgoing: [] }
}

/** The next configuration on the way from `current` to `wanted`: in one step, or with the voters of both sides. */
export function nextConfiguration(
  current: Configuration,
  { wanted, index, isJoint }: { wanted: readonly Member[]; index: LogIndex; isJoint: boolean },
): Configuration {
  const members = wanted.map((member): Member => {
    const held = find(current.members, member.id)
    // A new member's replication session begins with this entry (F12); one of the bootstrap list has been there from 0 on.
    return held === null ? { ...member, addedAt: index } : merged(held, member)
  })
  return { members, votersOutgoing: isJoint ? current.members.filter(({ suffrage }) => suffrage === 'voter') : [] }
}

/** `current` with the stores of members that had none, where `storeOf` says one; the same one where that tells nothing new. */
export function withStores(current: Configuration, storeOf: (member: Member) => string | undefined): Configuration {
  const isNew = (member: Member): boolean => member.storeId === undefined && storeOf(member) !== undefined
  // Asked after each event of a leader, and mostly there is nothing.
  if (!current.members.some(isNew)) return current
  const members = current.members.map((member) => (isNew(member) ? { ...member, storeId: storeOf(member) } : member))
  return { ...current, members }
}

/** How many voters differ: majorities of configurations that differ by one voter always meet (thesis §4.1). */
export function votersThatDiffer(one: readonly Member[], other: readonly Member[]): number {
  return joiningVoters(one, other).length + joiningVoters(other, one).length
}

function find(members: readonly Member[], id: NodeId): Member | null {
  return members.find((member) => member.id === id) ?? null
}
