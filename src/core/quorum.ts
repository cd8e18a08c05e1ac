// Majorities, simple and joint (§5.2, §6). Every decision that needs one, votes, pre-votes, commit, ReadIndex and
// CheckQuorum, asks the same Quorum, so that none of them can forget the second half (H41).
import { assert } from './assert.js'
import type { Configuration, NodeId } from './types.js'

export interface Quorum {
  readonly incoming: readonly NodeId[]
  /** Not empty while the cluster is in joint consensus: both majorities must agree. */
  readonly outgoing: readonly NodeId[]
}

const NOBODY: Quorum = { incoming: [], outgoing: [] }

/** The quorum of a configuration; nobody's where none is known. */
export function quorumOf(configuration: Configuration | null): Quorum {
  if (configuration === null) return NOBODY
  const incoming = configuration.members.filter((member) => member.suffrage === 'voter').map((member) => member.id)
  return { incoming, outgoing: configuration.votersOutgoing.map((member) => member.id) }
}

/** Votes of this node count. */
export function isVoter(quorum: Quorum, id: NodeId): boolean {
  return quorum.incoming.includes(id) || quorum.outgoing.includes(id)
}

/** This node alone is every majority (F5). */
export function isSoleVoter(quorum: Quorum, id: NodeId): boolean {
  const only = (half: readonly NodeId[]) => half.every((voter) => voter === id)
  return quorum.incoming.length > 0 && only(quorum.incoming) && only(quorum.outgoing)
}

/** Whether the voters in `supporters` are a quorum. Anybody else in the set counts for nothing (H4). */
export function hasQuorum(quorum: Quorum, supporters: ReadonlySet<NodeId>): boolean {
  return quorumValue(quorum, (id) => (supporters.has(id) ? 1 : 0)) === 1
}

/**
 * The largest value that a quorum has reached: with matchIndex as `valueOf` the committed index, with contact times the
 * newest moment since which a quorum was heard, with rounds the newest confirmed round. -Infinity where nobody votes.
 */
export function quorumValue(quorum: Quorum, valueOf: (id: NodeId) => number): number {
  if (quorum.incoming.length === 0) return Number.NEGATIVE_INFINITY
  const incoming = majorityValue(quorum.incoming, valueOf)
  return quorum.outgoing.length === 0 ? incoming : Math.min(incoming, majorityValue(quorum.outgoing, valueOf))
}

function majorityValue(voters: readonly NodeId[], valueOf: (id: NodeId) => number): number {
  const values = voters.map(valueOf).sort((a, b) => b - a)
  const value = values[Math.floor(values.length / 2)]
  assert(value !== undefined, 'a majority has a voter')
  return value
}
