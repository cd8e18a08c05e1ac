// How messages travel. A transport may lose, delay, duplicate and reorder; it must not corrupt, block or throw.
import type { Message } from '../core/messages.js'
import type { NodeId } from '../core/types.js'

/** What the node hands to its transport. */
export interface TransportLocal {
  readonly id: NodeId
  readonly clusterId: string
  readonly storeId: string
  /**
   * The first bytes on each connection, from both ends, before any message; at most 512. They can change: read them anew
   * for each connection.
   */
  readonly hello: Uint8Array<ArrayBuffer>
  /**
   * Checks a peer's hello and says who it is. Binding the id to a credential is the transport's. Throws RAFT_IDENTITY,
   * RAFT_VERSION or RAFT_CORRUPTION: close the connection.
   */
  accept(hello: Uint8Array): NodeId
  /** Takes ownership of the message. Never throws. */
  receive(from: NodeId, message: Message): void
  /** A connection came up, was closed by us, or was ended by the other side, FIN or RST (F3). */
  peerStatus(id: NodeId, status: 'up' | 'closed' | 'reset'): void
}

export interface Transport {
  /** Largest encoded message that it carries, bytes. */
  readonly maxMessageBytes: number
  /** Where it listens, `host:port`, for those that know; asked after `start` only. A node warns where its members dial another port. */
  readonly address?: string | undefined
  /**
   * What is wrong with an address that no node could ever be dialled at, as an end of "the address … "; null for nothing.
   * Asked before an address enters a configuration. Without it every address is taken.
   */
  addressProblem?(address: string): string | null
  /** Called once. Rejects when it can't listen. */
  start(local: TransportLocal): Promise<void>
  /**
   * Never throws and never waits. Without `address`: on the connection by which that peer last spoke. The node does not
   * change the message afterwards.
   */
  send(to: { readonly id: NodeId; readonly address?: string | undefined }, message: Message): void
  /** Ends every connection and timer. Idempotent. A node waits for it for 2 × electionTimeoutMs, no longer. */
  stop(): Promise<void>
}
