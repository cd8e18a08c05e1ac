// All connections of a started transport: who may open one, which peer and lane it belongs to, what is said of it to
// the node. It knows peers by the id of their hello only, in a Map, so that one peer's faults and names never touch
// another's (H103). The node is told of peers in a microtask, never within its own call of `send` (H99).
import { connect, type Socket } from 'node:net'
import { decodeHello } from '../../codec/hello.js'
import { encodeMessageAfter, messageLane } from '../../codec/message-codec.js'
import type { Message } from '../../core/messages.js'
import type { NodeId } from '../../core/types.js'
import { RaftError } from '../../errors.js'
import type { TransportLocal } from '../../interfaces/transport.js'
import { Connection, type ConnectionOwner, type Dialled, type Ending } from './connection.js'
import type { Ledger } from './counters.js'
import { FRAME_HEADER_BYTES, sealFrame } from './frame.js'
import { HalfOpen } from './half-open.js'
import { KEEP_ALIVE_MS, MAX_ACCEPTED, SWEEP_MS } from './limits.js'
import { parseHostPort } from './options.js'
import { Peer } from './peer.js'

export interface HubContext {
  readonly local: TransportLocal
  readonly maxPayloadBytes: number
  readonly maxQueuedBytes: number
  readonly ledger: Ledger
}

export class Hub implements ConnectionOwner {
  readonly maxPayloadBytes: number
  readonly #context: HubContext
  readonly #ledger: Ledger
  readonly #peers = new Map<NodeId, Peer>()
  readonly #stores = new WeakMap<Connection, string>()
  readonly #connections = new Set<Connection>()
  readonly #halfOpen = new HalfOpen()
  /** Connections that hold a place among the half-open, by the address that it counts for. */
  readonly #places = new Map<Connection, string>()
  readonly #timer: ReturnType<typeof setInterval>
  #acceptedCount = 0
  #isStopped = false

  constructor(context: HubContext) {
    this.#context = context
    this.maxPayloadBytes = context.maxPayloadBytes
    this.#ledger = context.ledger
    this.#timer = setInterval(() => this.#sweep(), SWEEP_MS)
  }

  send(to: { readonly id: NodeId; readonly address?: string | undefined }, message: Message): void {
    if (this.#isStopped) return
    const frame = this.#encode(message)
    if (frame === null) return
    const peer = to.address === undefined ? this.#peers.get(to.id) : this.#peer(to.id)
    const isTaken = peer?.send(messageLane(message), frame, to.address) ?? false
    if (!isTaken) this.#ledger.note('droppedMessages')
  }

  /** Takes a socket that was accepted, or closes it when there are too many. */
  admit(socket: Socket): void {
    const address = socket.remoteAddress
    // Without an address it is gone already.
    if (this.#isStopped || address === undefined) return void socket.destroy()
    const isFull = this.#acceptedCount >= MAX_ACCEPTED || !this.#halfOpen.admit(address)
    if (isFull) {
      socket.destroy()
      return this.#ledger.note('rejectedConnections', `a connection from ${address} was refused: too many are open`)
    }
    const connection = new Connection(socket, null, this)
    this.#places.set(connection, address)
    this.#connections.add(connection)
    this.#acceptedCount += 1
  }

  /** Resolves when every socket is closed. */
  async stop(): Promise<void> {
    this.#isStopped = true
    clearInterval(this.#timer)
    for (const peer of this.#peers.values()) peer.clear()
    this.#peers.clear()
    await Promise.all([...this.#connections].map((connection) => connection.shutdown()))
    this.#connections.clear()
  }

  ownHello(): Uint8Array {
    return this.#context.local.hello
  }

  accept(connection: Connection, hello: Uint8Array): NodeId {
    const { local } = this.#context
    const id = local.accept(new Uint8Array(hello))
    if (id === local.id) throw identityError(`${connection.remote} calls itself '${id}', as this node does`)
    const expected = connection.dialled?.id ?? id
    if (id === expected) {
      this.#endOthers(connection, { id, storeId: storeIn(hello) })
      return id
    }
    throw identityError(`the node at ${connection.remote} is '${id}', not '${expected}': check the addresses of both`)
  }

  /** Another store speaks under that id from now on: nothing that the earlier one says may be taken for its word (H19). */
  #endOthers(connection: Connection, { id, storeId }: { readonly id: NodeId; readonly storeId: string | null }): void {
    if (storeId === null) return
    this.#stores.set(connection, storeId)
    const isOfAnother = (other: Connection): boolean => other.peer === id && this.#stores.get(other) !== storeId
    for (const other of [...this.#connections].filter(isOfAnother)) {
      this.onEnded(other, { status: 'reset', counter: null, reason: 'another store speaks under its id' })
      other.abandon()
    }
  }

  onEstablished(connection: Connection): void {
    this.#giveBackPlace(connection)
    const { peer: id, lane } = connection
    if (id === null || lane === null) return
    const { isNew, replaced } = this.#peer(id).established(lane, connection)
    if (replaced !== null) {
      this.#remove(replaced)
      replaced.abandon()
    }
    if (isNew) this.#report(id, 'up')
  }

  onMessage(connection: Connection, message: Message): void {
    const { peer: id, lane } = connection
    if (id === null || lane === null || this.#isStopped) return
    this.#peers.get(id)?.heardOn(lane, connection)
    this.#context.local.receive(id, message)
  }

  onEnded(connection: Connection, { status, counter, reason }: Ending): void {
    this.#giveBackPlace(connection)
    this.#remove(connection)
    const id = connection.peer ?? connection.dialled?.id ?? null
    if (counter !== null) {
      const who = id === null ? 'a stranger' : `'${id}'`
      this.#ledger.note(counter, `the connection with ${who} at ${connection.remote} was given up: ${reason}`)
    }
    if (id === null || connection.lane === null) return
    if (this.#peers.get(id)?.ended(connection.lane, connection) === true) this.#report(id, status)
  }

  #encode(message: Message): Uint8Array | null {
    let frame: Uint8Array<ArrayBuffer>
    try {
      frame = encodeMessageAfter(message, FRAME_HEADER_BYTES)
    } catch (error) {
      this.#ledger.note('unsendableMessages', error instanceof Error ? error.message : String(error))
      return null
    }
    const size = frame.byteLength - FRAME_HEADER_BYTES
    if (size > this.maxPayloadBytes) {
      const sizes = `has ${size} bytes, more than the ${this.maxPayloadBytes} that fit a frame`
      this.#ledger.note('unsendableMessages', `a message of type ${message.type} ${sizes}: raise maxFrameBytes`)
      return null
    }
    sealFrame('message', frame)
    return frame
  }

  #peer(id: NodeId): Peer {
    const known = this.#peers.get(id)
    if (known !== undefined) return known
    const peer = new Peer({
      maxQueuedBytes: this.#context.maxQueuedBytes,
      dial: (lane, address) => this.#dial({ id, lane, address }),
      onDropped: (count) => {
        for (let dropped = 0; dropped < count; dropped += 1) this.#ledger.note('droppedMessages')
      },
    })
    this.#peers.set(id, peer)
    return peer
  }

  #dial(target: Dialled): Connection | null {
    const place = parseHostPort(target.address)
    if (place === null || place.port === 0) {
      this.#ledger.note(
        'failedDials',
        `'${target.id}' can't be dialled: its address '${target.address}' is no host:port`,
      )
      return null
    }
    const socket = connect({ ...place, noDelay: true, keepAlive: true, keepAliveInitialDelay: KEEP_ALIVE_MS })
    const connection = new Connection(socket, target, this)
    this.#connections.add(connection)
    return connection
  }

  #sweep(): void {
    for (const connection of this.#connections) connection.sweep()
    const now = performance.now()
    for (const [id, peer] of this.#peers) if (peer.isForgettable(now)) this.#peers.delete(id)
  }

  #remove(connection: Connection): void {
    if (this.#connections.delete(connection) && connection.dialled === null) this.#acceptedCount -= 1
  }

  #giveBackPlace(connection: Connection): void {
    const address = this.#places.get(connection)
    if (address === undefined) return
    this.#places.delete(connection)
    this.#halfOpen.release(address)
  }

  #report(id: NodeId, status: 'up' | 'closed' | 'reset'): void {
    queueMicrotask(() => {
      if (!this.#isStopped) this.#context.local.peerStatus(id, status)
    })
  }
}

function identityError(message: string): RaftError {
  return new RaftError('RAFT_IDENTITY', message)
}

/** What a hello is, the node decides; null for one that says no store to us. */
function storeIn(hello: Uint8Array): string | null {
  try {
    return decodeHello(hello).storeId
  } catch {
    return null
  }
}
