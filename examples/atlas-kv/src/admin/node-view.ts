// The members of a cluster as one node sees them: what the membership says of each, and, on the leader, how far each is.
// Pure.
import type { Configuration, Member, RaftStatus } from 'helios-raft'
import { addressesOf } from '../server/node-addresses.js'

/** One member. Numbers are null where this node can't know them: only a leader follows the others. */
export interface NodeView {
  readonly id: string
  /** Where Raft dials it. */
  readonly address: string
  /** Whether its vote counts now. */
  readonly suffrage: 'voter' | 'learner'
  /** What the joint change that is under way makes of a voter: a new one, a learner, or nobody. Null otherwise (§6). */
  readonly change: 'joining' | 'demoting' | 'leaving' | null
  readonly isLeader: boolean
  /** `host:port` for clients; null where unknown. */
  readonly http: string | null
  readonly resp: string | null
  readonly matchIndex: number | null
  /** `snapshot`: it needs entries that the leader's log does not hold any more, so the state comes first. */
  readonly replication: 'probe' | 'replicate' | 'snapshot' | null
  /** Entries that it lacks: 0 is caught up. */
  readonly lag: number | null
  readonly lastContactMs: number | null
}

/** The membership as one node sees it. */
export interface ClusterView {
  readonly leader: string | null
  readonly term: number
  readonly commitIndex: number
  /** Id of the node whose view it is. */
  readonly seenBy: string
  /** From one set of voters to another, and both must agree until it is over (§6). */
  readonly isJoint: boolean
  readonly nodes: readonly NodeView[]
}

export function clusterView(status: RaftStatus): ClusterView {
  const { id, leader, currentTerm, commitIndex, configuration } = status
  const isJoint = configuration.votersOutgoing.length > 0
  const nodes = nodeViews(status)
  return { leader: leader?.id ?? null, term: currentTerm, commitIndex, seenBy: id, isJoint, nodes }
}

/** The members by a node's status, by id. Who leaves in a joint change is still among them: its vote still counts. */
function nodeViews(status: RaftStatus): readonly NodeView[] {
  const { configuration, leader, lastIndex } = status
  const present = new Set(configuration.members.map(({ id }) => id))
  const outgoing = new Set(configuration.votersOutgoing.map(({ id }) => id))
  const leaving = configuration.votersOutgoing.filter(({ id }) => !present.has(id))
  const peers = new Map(status.peers.map((peer) => [peer.id, peer]))
  return [...configuration.members, ...leaving].map((member): NodeView => {
    const { http, resp } = addressesOf(member)
    const isSelf = member.id === status.id
    const peer = peers.get(member.id)
    const leads = status.role === 'leader'
    const matchIndex = leads && isSelf ? lastIndex : (peer?.matchIndex ?? null)
    const contact = peer?.lastContactMs ?? null
    return {
      id: member.id,
      address: member.address,
      suffrage: outgoing.has(member.id) ? 'voter' : member.suffrage,
      change:
        outgoing.size === 0
          ? null
          : changeOf(member, { stays: present.has(member.id), votedBefore: outgoing.has(member.id) }),
      isLeader: member.id === leader?.id,
      http: http === '' ? null : http,
      resp: resp === '' ? null : resp,
      matchIndex,
      replication: peer?.state ?? null,
      lag: matchIndex === null ? null : Math.max(0, lastIndex - matchIndex),
      lastContactMs: leads && isSelf ? 0 : contact === null ? null : Math.round(contact),
    }
  })
}

/** A learner that stays one is no part of the change. */
function changeOf(
  { suffrage }: Member,
  { stays, votedBefore }: { readonly stays: boolean; readonly votedBefore: boolean },
): NodeView['change'] {
  if (!stays) return 'leaving'
  if (suffrage === 'voter') return votedBefore ? null : 'joining'
  return votedBefore ? 'demoting' : null
}

/** Who has a vote now: in a joint configuration the voters of both sides (§6). */
export function countMembers({ members, votersOutgoing }: Configuration): {
  readonly voters: number
  readonly learners: number
} {
  const voters = new Set(votersOutgoing.map(({ id }) => id))
  for (const { id, suffrage } of members) if (suffrage === 'voter') voters.add(id)
  return { voters: voters.size, learners: members.filter(({ id }) => !voters.has(id)).length }
}
