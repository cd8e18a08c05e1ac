// Members as callers write them: what they must look like, and copies that nobody changes afterwards.
import { isNodeId, MAX_ADDRESS_LENGTH, MAX_METADATA_LENGTH } from '../core/configuration.js'
import type { Member, MemberSpec, NodeId } from '../core/types.js'
import type { Transport } from '../interfaces/transport.js'
import { checkKeys, refuse, show } from './option-checks.js'

/** @param where - begins the message of an error. @throws RaftError RAFT_INVALID_OPTION */
export function resolveMember(spec: MemberSpec, where: string): Member {
  if (typeof spec !== 'object' || spec === null) refuse(`${where} has ${show(spec)} where a member belongs`)
  checkKeys(spec, ['id', 'address', 'suffrage', 'metadata'], 'field of a member')
  const { id, address, suffrage = 'voter', metadata } = spec
  if (suffrage !== 'voter' && suffrage !== 'learner') {
    refuse(`${where}: the suffrage of '${String(id)}' is ${show(suffrage)}: use 'voter' or 'learner'`)
  }
  if (!isNodeId(id)) refuse(`${where}: '${String(id)}' is not a node id (1 to 64 of A-Z a-z 0-9 . _ -)`)
  checkAddress(address, `${where}: the address of '${id}'`)
  return Object.freeze({ id, address, suffrage, ...resolveMetadata(metadata, `${where}: the metadata of '${id}'`) })
}

/** A whole list of them. @throws RaftError RAFT_INVALID_OPTION */
export function resolveMembers(list: readonly MemberSpec[], where: string): readonly Member[] {
  if (!Array.isArray(list)) refuse(`${where} is given ${show(list)}: give a list of members`)
  if (list.length === 0) refuse(`${where} is given no member: a cluster has at least one voter`)
  return (list as readonly MemberSpec[]).map((spec) => resolveMember(spec, where))
}

/** A member of which only the id counts. @throws RaftError RAFT_INVALID_OPTION */
export function namedMember(id: NodeId, where: string): Member {
  if (!isNodeId(id)) refuse(`${where}: ${show(id)} is not a node id (1 to 64 of A-Z a-z 0-9 . _ -)`)
  return { id, address: '', suffrage: 'voter' }
}

/** What `updateMember` changes. */
export interface MemberUpdate {
  /** Where peers dial it from now on. @defaultValue the one that it has */
  address?: string | undefined
  /** Instead of those that it has. @defaultValue those */
  metadata?: Readonly<Record<string, string>> | undefined
}

/** What is to be changed of a member; an empty address stands for the one that it has. @throws RaftError RAFT_INVALID_OPTION */
export function resolveUpdate(id: NodeId, changes: MemberUpdate): Member {
  const named = namedMember(id, 'updateMember')
  if (typeof changes !== 'object' || changes === null) refuse(`updateMember is given ${show(changes)}: give an object`)
  checkKeys(changes, ['address', 'metadata'], 'change of a member')
  const { address, metadata } = changes
  if (address === undefined && metadata === undefined) refuse('updateMember is given nothing to change')
  if (address !== undefined) checkAddress(address, `updateMember: the address of '${id}'`)
  const facts = resolveMetadata(metadata, `updateMember: the metadata of '${id}'`)
  return { ...named, address: address ?? '', ...facts }
}

/** That each can be dialled, as far as its transport can tell. @throws RaftError RAFT_INVALID_OPTION */
export function checkDialable(members: readonly Member[], transport: Pick<Transport, 'addressProblem'>): void {
  for (const { id, address } of members) {
    const problem = address === '' ? null : (transport.addressProblem?.(address) ?? null)
    if (problem !== null) refuse(`the address of '${id}', ${show(address)}, ${problem}`)
  }
}

/** @throws RaftError RAFT_INVALID_OPTION */
function checkAddress(address: unknown, what: string): asserts address is string {
  if (typeof address === 'string' && address !== '' && address.length <= MAX_ADDRESS_LENGTH) return
  refuse(`${what} is ${show(address)}: use 1 to ${MAX_ADDRESS_LENGTH} characters`)
}

/** @throws RaftError RAFT_INVALID_OPTION */
function resolveMetadata(given: MemberSpec['metadata'], what: string): Pick<Member, 'metadata'> {
  if (given === undefined) return {}
  const isObject = typeof given === 'object' && given !== null
  if (!isObject || !Object.values(given).every((value) => typeof value === 'string')) {
    refuse(`${what} must be an object of strings`)
  }
  const length = Object.entries(given).reduce((sum, [name, value]) => sum + name.length + value.length, 0)
  if (length > MAX_METADATA_LENGTH)
    refuse(`${what} have ${length} characters: at most ${MAX_METADATA_LENGTH} are allowed`)
  return { metadata: Object.freeze({ ...given }) }
}
