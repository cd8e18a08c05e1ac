// The members of a cluster as one node sees them: what the membership says of each, and, on the leader, how far each is.
// Pure.
import type { Configuration, RaftStatus } from 'helios-raft'
import { addressesOf } from '../server/node-addresses.js'

/** One member. Numbers are null where this node can't know them: only a leader follows the others. */
export interface NodeView {
  readonly id: string
  /** Where Raft dials it. */
  readonly address: string
  readonly suffrage: 'voter' | 'learner'
  readonly isLeader: boolean
  /** `host:port` for clients; null where unknown. */
  readonly http: string | null
  readonly resp: string | null
  readonly matchIndex: number | null
  /** Entries that it lacks. */
  readonly lag: number | null
  readonly lastContactMs: number | null
}

/** The members by a node's status, by id. Who leaves in a joint change is still among them: its vote still counts. */
export function nodeViews(status: RaftStatus): readonly NodeView[] {
  const { configuration, leader, lastIndex } = status
  const present = new Set(configuration.members.map(({ id }) => id))
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
      suffrage: member.suffrage,
      isLeader: member.id === leader?.id,
      http: http === '' ? null : http,
      resp: resp === '' ? null : resp,
      matchIndex,
      lag: matchIndex === null ? null : Math.max(0, lastIndex - matchIndex),
      lastContactMs: leads && isSelf ? 0 : contact === null ? null : Math.round(contact),
    }
  })
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
