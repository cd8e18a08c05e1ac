// Where clients reach a node. It travels with the membership: each node writes its own addresses into its member's
// metadata, so that every node can name the leader's without being configured with it.
import type { Member } from 'helios-raft'

/** `host:port`; empty where that server is off, or not known yet. */
export interface NodeAddresses {
  readonly resp: string
  readonly http: string
}

/** What the membership says of a member; nothing of nobody. */
export function addressesOf(member: Pick<Member, 'metadata'> | null | undefined): NodeAddresses {
  const { resp = '', http = '' } = member?.metadata ?? {}
  return { resp, http }
}
