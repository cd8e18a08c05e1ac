// What the transport is given: who this node is, whom it accepts, and the way into its inbox (F25, F33). What nobody could
// honestly say is dropped here.
import type { Message } from '../core/messages.js'
import type { CoreState } from '../core/state.js'
import type { NodeId, Term } from '../core/types.js'
import { decodeHello } from '../codec/hello.js'
import { isRaftError, type RaftError } from '../errors.js'
import type { Clock } from '../interfaces/clock.js'
import type { StoreIdentity } from '../interfaces/log-store.js'
import type { TransportLocal } from '../interfaces/transport.js'
import type { InboxItem } from './event-loop.js'
import type { Identity } from './identity.js'
import type { Narrator } from './narrator.js'

/** How far ahead of ours a peer's term may be: a damaged or hostile one would end the terms for ever (F33). */
const MAX_TERM_LEAD: number = 2 ** 32
/** The same for a node without entries, which may have a lot to catch up. */
const MAX_FIRST_TERM: number = 2 ** 52

/** Ids of which the last refusal is remembered; the oldest is forgotten beyond them. More than a cluster has members. */
export const MAX_REMEMBERED_REFUSALS = 128

/** A hello that was not accepted, of who calls itself by some id. */
export interface Refusal {
  readonly error: RaftError
  readonly storeId: string
  /** Monotonic, ms. */
  readonly at: number
}

export interface ReceptionContext {
  readonly id: NodeId
  readonly clock: Pick<Clock, 'now'>
  readonly identity: Identity
  readonly narrator: Narrator
  /** The core's own state, to be read only. */
  readonly state: CoreState
  /** The node has ended: nothing is heard any more. */
  readonly isClosed: () => boolean
  /** Before anything that is answered from now on. */
  readonly adopt: (identity: StoreIdentity) => void
  /** A connection came up or ended. */
  readonly onPeerStatus: (peer: NodeId, status: 'up' | 'closed' | 'reset') => void
  /** Into the inbox. */
  readonly push: (item: InboxItem) => void
}

export class Reception {
  readonly #context: ReceptionContext
  #lastRefusal: string | null = null
  readonly #refusals = new Map<NodeId, Refusal>()
  readonly #upSince = new Map<NodeId, number>()

  constructor(context: ReceptionContext) {
    this.#context = context
  }

  /** Why the last peer was refused; null for none. */
  get lastRefusal(): string | null {
    return this.#lastRefusal
  }

  /** The last refusal of who calls itself `peer`, if it came within `withinMs`, and nobody of that id was accepted since. */
  refusalOf(peer: NodeId, withinMs: number): Refusal | null {
    const refusal = this.#refusals.get(peer)
    return refusal === undefined || this.#context.clock.now() - refusal.at > withinMs ? null : refusal
  }

  /** Peers whose connection is up. */
  get connected(): readonly NodeId[] {
    return [...this.#upSince.keys()]
  }

  /** Peers whose connection has been up for so long. */
  connectedFor(ms: number): readonly NodeId[] {
    const now = this.#context.clock.now()
    return [...this.#upSince].filter(([, since]) => now - since >= ms).map(([peer]) => peer)
  }

  get local(): TransportLocal {
    const { id, identity } = this.#context
    return {
      id,
      get clusterId() {
        return identity.clusterId
      },
      storeId: identity.storeId,
      get hello() {
        return identity.hello
      },
      accept: (hello) => this.#accept(hello),
      receive: (from, message) => this.#receive(from, message),
      peerStatus: (peer, status) => this.#onPeerStatus(peer, status),
    }
  }

  #receive(from: NodeId, message: Message): void {
    const { identity, narrator, state, isClosed, push, adopt } = this.#context
    const counts = isAnswer(message)
    if (isClosed() || identity.isStranger(from, counts)) return
    if (!identity.isFounded && isOfLeader(message) && !this.#isFounding) {
      const adopted = identity.adoptFrom(from)
      // It has not said which cluster it leads: nothing may be acknowledged to it (F25).
      if (adopted === null) return
      narrator.onAdopted(adopted.clusterId, from)
      adopt(adopted)
    }
    if (counts && identity.hasOtherStore(from)) return
    if (message.term > mostPlausibleTerm(state)) narrator.onImplausibleTerm(from, message.term)
    else push({ type: 'receive', from, message })
  }

  /** This node leads by itself, and has its own cluster to offer. */
  get #isFounding(): boolean {
    return this.#context.state.log.configurations.length > 0
  }

  #onPeerStatus(peer: NodeId, status: 'up' | 'closed' | 'reset'): void {
    if (this.#context.isClosed()) return
    const { narrator, push, identity } = this.#context
    narrator.onPeerStatus(peer, status)
    if (status !== 'up') this.#upSince.delete(peer)
    else if (!this.#upSince.has(peer)) this.#upSince.set(peer, this.#context.clock.now())
    const storeId = status === 'up' ? identity.heardOf(peer)?.storeId : undefined
    push({ type: 'peerStatus', peer, status, storeId })
    this.#context.onPeerStatus(peer, status)
  }

  #accept(hello: Uint8Array): NodeId {
    try {
      const peer = this.#context.identity.accept(hello)
      this.#refusals.delete(peer)
      return peer
    } catch (error) {
      if (isRaftError(error)) {
        this.#lastRefusal = error.message
        // Of damaged bytes nobody knows whose they are.
        if (error.code !== 'RAFT_CORRUPTION') this.#remember(hello, error)
        this.#context.narrator.onRefusal(error.code, error.message)
      }
      throw error
    }
  }

  #remember(hello: Uint8Array, error: RaftError): void {
    const { nodeId, storeId } = decodeHello(hello)
    this.#refusals.delete(nodeId)
    this.#refusals.set(nodeId, { error, storeId, at: this.#context.clock.now() })
    const [oldest] = this.#refusals.keys()
    if (this.#refusals.size > MAX_REMEMBERED_REFUSALS && oldest !== undefined) this.#refusals.delete(oldest)
  }
}

/** What counts as a vote or as an acknowledgement. */
function isAnswer({ type }: Message): boolean {
  switch (type) {
    case 'preVoteResponse':
    case 'requestVoteResponse':
    case 'appendEntriesResponse':
    case 'heartbeatResponse':
    case 'installSnapshotResponse':
      return true
    default:
      return false
  }
}

function isOfLeader({ type }: Message): boolean {
  return type === 'appendEntries' || type === 'heartbeat' || type === 'installSnapshot'
}

function mostPlausibleTerm({ currentTerm, log }: CoreState): Term {
  // The lead counts for an empty log too: at the first limit the cluster could never elect anybody again.
  return Math.max(currentTerm + MAX_TERM_LEAD, log.lastIndex === 0 ? MAX_FIRST_TERM : 0)
}
