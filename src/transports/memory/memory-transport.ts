// One node's end of a memory network. Two runs of nodes that meet exchange hellos first, as on a wire, and a refusal
// keeps them apart; a run that stops is seen by those it has met as a connection that the other side ended (F3), unless
// they can't reach it: then they learn it when its next run meets them.
import { decodeMessage, encodeMessage, messageLane } from '../../codec/message-codec.js'
import type { Message } from '../../core/messages.js'
import type { NodeId } from '../../core/types.js'
import { RaftError } from '../../errors.js'
import type { Transport, TransportLocal } from '../../interfaces/transport.js'
import type { Links } from './links.js'
import type { Mailbox } from './mailbox.js'

/** What the transports of one network share. */
export interface Exchange {
  readonly links: Links
  readonly mailbox: Mailbox
  readonly started: Map<NodeId, MemoryTransport>
}

/** Largest message, bytes: like a TCP frame. */
const MAX_MESSAGE_BYTES = 8 * 1024 * 1024
/** Bytes under way from one node to another; beyond it the newest are lost, as in a full queue. */
const MAX_QUEUED_BYTES = 16 * 1024 * 1024
/** After a refused hello nothing is tried for so long, ms. */
const REFUSED_RETRY_MS = 100

/** What one run knows of the run of another node. */
interface Link {
  readonly peer: MemoryTransport
  queuedBytes: number
  state: 'new' | 'met' | 'refused'
  retryAtMs: number
  /** When the last message of each lane arrives: nothing may overtake it. */
  readonly lastDueMs: { control: number; bulk: number }
}

export class MemoryTransport implements Transport {
  readonly maxMessageBytes: number = MAX_MESSAGE_BYTES
  readonly #id: NodeId
  readonly #exchange: Exchange
  readonly #links = new Map<NodeId, Link>()
  #local: TransportLocal | null = null
  #isStopped = false

  constructor(id: NodeId, exchange: Exchange) {
    this.#id = id
    this.#exchange = exchange
  }

  async start(local: TransportLocal): Promise<void> {
    if (this.#isStopped || this.#local !== null) {
      refuse(`The transport of '${this.#id}' was used before: each run takes a new one from the network.`)
    }
    if (local.id !== this.#id) refuse(`The transport of '${this.#id}' was given to node '${local.id}'.`)
    if (this.#exchange.started.has(this.#id))
      refuse(`A node '${this.#id}' runs on this network already: stop it first.`)
    this.#local = local
    this.#exchange.started.set(this.#id, this)
  }

  send(to: { readonly id: NodeId }, message: Message): void {
    const { links, mailbox, started } = this.#exchange
    const peer = started.get(to.id)
    if (!this.#isRunning || peer === undefined || peer === this) return
    if (!links.reaches(this.#id, to.id) || links.loses()) return
    const bytes = encodeOrDrop(message)
    const link = this.#linkTo(peer)
    if (
      bytes === null ||
      bytes.byteLength > MAX_MESSAGE_BYTES ||
      link.queuedBytes + bytes.byteLength > MAX_QUEUED_BYTES
    )
      return
    link.queuedBytes += bytes.byteLength
    const lane = messageLane(message)
    const delayMs = links.latencyMs()
    // Behind a message that is delayed, the next one is, too.
    const isDelayed = delayMs > 0 || link.lastDueMs[lane] > 0
    const dueAtMs = !isDelayed ? 0 : Math.max(link.lastDueMs[lane], performance.now() + delayMs)
    link.lastDueMs[lane] = dueAtMs
    const deliver = (): void => {
      link.queuedBytes -= bytes.byteLength
      peer.#arrive(this, bytes)
    }
    mailbox.post(lane, { dueAtMs, deliver })
  }

  async stop(): Promise<void> {
    this.#isStopped = true
    const { links, mailbox, started } = this.#exchange
    if (started.get(this.#id) === this) started.delete(this.#id)
    for (const { peer, state } of this.#links.values()) {
      if (state !== 'met' || !links.reaches(this.#id, peer.#id)) continue
      // Behind what was sent before, like the end of a stream.
      mailbox.post('bulk', { dueAtMs: 0, deliver: () => peer.#lose(this) })
    }
    this.#links.clear()
  }

  get #isRunning(): boolean {
    return this.#local !== null && !this.#isStopped
  }

  #linkTo(peer: MemoryTransport): Link {
    const known = this.#links.get(peer.#id)
    if (known?.peer === peer) return known
    // The end of the earlier run was not seen, because it could not be reached then.
    if (known?.state === 'met') this.#tellLater(peer.#id, 'reset')
    const link: Link = { peer, queuedBytes: 0, state: 'new', retryAtMs: 0, lastDueMs: { control: 0, bulk: 0 } }
    this.#links.set(peer.#id, link)
    return link
  }

  /** Never within a call of the node. */
  #tellLater(id: NodeId, status: 'reset'): void {
    const deliver = (): void => {
      if (this.#isRunning) this.#local?.peerStatus(id, status)
    }
    this.#exchange.mailbox.post('control', { dueAtMs: 0, deliver })
  }

  #arrive(sender: MemoryTransport, bytes: Uint8Array): void {
    if (!this.#isRunning || !this.#exchange.links.reaches(sender.#id, this.#id)) return
    if (this.#meet(sender)) this.#local?.receive(sender.#id, decodeMessage(bytes))
  }

  /** True when both have accepted each other's hello, now or before. */
  #meet(sender: MemoryTransport): boolean {
    const link = this.#links.get(sender.#id)
    if (link?.peer === sender && link.state === 'met') return true
    // What a run sent before it stopped still arrives, but nobody meets a run that is gone.
    if (!sender.#isRunning) return false
    const [own, theirs] = [this.#linkTo(sender), sender.#linkTo(this)]
    const now = performance.now()
    if (own.state === 'refused' && now < own.retryAtMs) return false
    const isAccepted = this.#accepts(sender) && sender.#accepts(this)
    for (const end of [own, theirs]) {
      end.state = isAccepted ? 'met' : 'refused'
      end.retryAtMs = now + REFUSED_RETRY_MS
    }
    if (isAccepted) {
      this.#local?.peerStatus(sender.#id, 'up')
      sender.#local?.peerStatus(this.#id, 'up')
    }
    return isAccepted
  }

  #accepts(peer: MemoryTransport): boolean {
    const hello = peer.#local?.hello
    if (hello === undefined || this.#local === null) return false
    try {
      return this.#local.accept(hello.slice()) === peer.#id
    } catch {
      // The node says what was wrong with it; here it only means that the two don't talk.
      return false
    }
  }

  #lose(peer: MemoryTransport): void {
    const link = this.#links.get(peer.#id)
    if (link?.peer !== peer) return
    this.#links.delete(peer.#id)
    if (this.#isRunning && link.state === 'met') this.#local?.peerStatus(peer.#id, 'reset')
  }
}

/** `send` never throws: a message that can't be encoded is a message lost. */
function encodeOrDrop(message: Message): Uint8Array | null {
  try {
    return encodeMessage(message)
  } catch {
    return null
  }
}

function refuse(message: string): never {
  throw new RaftError('RAFT_INVALID_OPTION', message)
}
