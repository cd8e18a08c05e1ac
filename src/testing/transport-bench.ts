// What testTransport works with: nodes that are nothing but a transport and a record of what it told them, and waiting
// for a condition without a sleep. It knows the Transport interface and nothing of what is behind it.
import { decodeHello, encodeHello } from '../codec/hello.js'
import type { Message, ProposeRequest, ReadIndexRequest } from '../core/messages.js'
import type { NodeId } from '../core/types.js'
import { RaftError } from '../errors.js'
import type { Transport, TransportLocal } from '../interfaces/transport.js'

/** Gives each node a transport, not started, and an address that the others reach it at. */
export interface TransportFactory {
  /** A second call for one id is that node's next run: the first one's transport has been stopped. */
  transport(id: NodeId): Promise<{ readonly transport: Transport; readonly address: string }>
  /** After the case, also when it failed, when every transport is stopped. */
  destroy?(): Promise<void>
}

export type PeerState = 'up' | 'closed' | 'reset'

/** How long something may take that must happen, ms. */
const PATIENCE_MS = 15_000
/** How often a message is sent again until it arrives: a transport may lose messages. */
const REPEAT_MS = 20

/** One run of a node that only listens. */
export class BenchNode implements TransportLocal {
  readonly id: NodeId
  readonly clusterId = 'conformance'
  readonly storeId: string
  readonly transport: Transport
  readonly address: string
  readonly received: { readonly from: NodeId; readonly message: Message }[] = []
  readonly statuses: { readonly id: NodeId; readonly status: PeerState }[] = []
  /** `bootCount` of each hello that was taken. */
  readonly bootsSeen: number[] = []
  /** Goes out in the next hello. */
  bootCount = 1
  /** Refuses every hello. */
  isRefusing = false
  refusals = 0
  /** Called with each message, within `receive`. */
  onReceive: (from: NodeId, message: Message) => void = () => undefined
  readonly #onChange: () => void

  constructor(id: NodeId, { transport, address }: { transport: Transport; address: string }, onChange: () => void) {
    this.id = id
    this.storeId = `store-of-${id}`
    this.transport = transport
    this.address = address
    this.#onChange = onChange
  }

  get hello(): Uint8Array<ArrayBuffer> {
    return encodeHello({
      minVersion: 1,
      maxVersion: 1,
      clusterId: this.clusterId,
      nonce: '',
      nodeId: this.id,
      storeId: this.storeId,
      bootCount: this.bootCount,
      bootstrapDigest: '',
      maxMessageBytes: Math.min(this.transport.maxMessageBytes, Number.MAX_SAFE_INTEGER),
    })
  }

  accept(hello: Uint8Array): NodeId {
    const { nodeId, bootCount } = decodeHello(hello)
    if (this.isRefusing) {
      this.refusals += 1
      this.#onChange()
      throw new RaftError('RAFT_IDENTITY', `'${this.id}' takes nobody in this case`)
    }
    this.bootsSeen.push(bootCount)
    this.#onChange()
    return nodeId
  }

  receive(from: NodeId, message: Message): void {
    this.received.push({ from, message })
    this.onReceive(from, message)
    this.#onChange()
  }

  peerStatus(id: NodeId, status: PeerState): void {
    this.statuses.push({ id, status })
    this.#onChange()
  }

  /** With the address. */
  sendTo(peer: BenchNode, message: Message): void {
    this.transport.send({ id: peer.id, address: peer.address }, message)
  }

  /** The numbers of the numbered messages from `id`, in the order of their arrival. */
  numbersFrom(id: NodeId): readonly number[] {
    return this.received.flatMap(({ from, message }) => (from === id && 'number' in message ? [message.number] : []))
  }

  statusesOf(peer: NodeId): readonly PeerState[] {
    return this.statuses.filter(({ id }) => id === peer).map(({ status }) => status)
  }
}

/** The nodes of one case. */
export class TransportBench {
  readonly #factory: Promise<TransportFactory>
  readonly #nodes: BenchNode[] = []
  readonly #waiting = new Set<() => void>()

  constructor(factory: Promise<TransportFactory>) {
    this.#factory = factory
    // A case that fails to await it must not hide its own error behind this one.
    factory.catch(() => undefined)
  }

  /** A node whose transport is not started. */
  async node(id: NodeId): Promise<BenchNode> {
    const factory = await this.#factory
    const node = new BenchNode(id, await factory.transport(id), () => {
      for (const look of [...this.#waiting]) look()
    })
    this.#nodes.push(node)
    return node
  }

  async started(id: NodeId): Promise<BenchNode> {
    const node = await this.node(id)
    await node.transport.start(node)
    return node
  }

  /** Two started nodes that have exchanged a message on each lane, in both directions. */
  async pair(): Promise<readonly [BenchNode, BenchNode]> {
    const [a, b] = [await this.started('a'), await this.started('b')]
    await this.connect(a, b)
    await this.connect(b, a)
    return [a, b]
  }

  /** Sends on both lanes until both have arrived. */
  async connect(from: BenchNode, to: BenchNode): Promise<void> {
    const before = to.received.length
    await this.until(
      () => {
        const types = to.received.slice(before).flatMap((each) => (each.from === from.id ? [each.message.type] : []))
        return types.includes('readIndexRequest') && types.includes('proposeRequest')
      },
      `messages of '${from.id}' arrive at '${to.id}' on both lanes`,
      () => {
        from.sendTo(to, control(0))
        from.sendTo(to, bulk(0, 1))
      },
    )
  }

  /** Resolves when `condition` holds; looks after each thing that a node is told. `repeat` runs now and again until then. */
  until(condition: () => boolean, what: string, repeat: () => void = () => undefined): Promise<void> {
    return new Promise((resolve, reject) => {
      const end = (error: Error | null): void => {
        clearInterval(repeating)
        clearTimeout(giveUp)
        this.#waiting.delete(look)
        if (error === null) resolve()
        else reject(error)
      }
      const look = (): void => {
        if (condition()) end(null)
      }
      const repeating = setInterval(() => {
        repeat()
        look()
      }, REPEAT_MS)
      const giveUp = setTimeout(() => end(new Error(`waited ${PATIENCE_MS} ms in vain until ${what}`)), PATIENCE_MS)
      this.#waiting.add(look)
      repeat()
      look()
    })
  }

  /** Lets everything that is on its way arrive: a round trip of later messages on both lanes. */
  async settle(from: BenchNode, to: BenchNode): Promise<void> {
    await this.connect(from, to)
    await this.connect(to, from)
  }

  async finish(): Promise<void> {
    const results = await Promise.allSettled(this.#nodes.map(({ transport }) => transport.stop()))
    const factory = await this.#factory.catch(() => null)
    await factory?.destroy?.()
    for (const result of results) if (result.status === 'rejected') throw result.reason
  }
}

/** A small message of the control lane that says which one it is. */
export function control(number: number): ReadIndexRequest {
  return { type: 'readIndexRequest', term: 1, boot: 1, number, byLease: false }
}

/** A message of the bulk lane with `sizeBytes` of payload. */
export function bulk(number: number, sizeBytes: number): ProposeRequest {
  return {
    type: 'proposeRequest',
    term: 1,
    boot: 1,
    number,
    entryType: 'command',
    commands: [new Uint8Array(sizeBytes).fill(number)],
  }
}
