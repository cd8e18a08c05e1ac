// For the tests of TcpTransport: a node that only listens, strangers that speak raw bytes, and frames made by hand, so
// that the format is checked against something that isn't the code under test.
import { connect, createServer, type Server, type Socket } from 'node:net'
import { crc32 } from 'node:zlib'
import { RaftError, type Message, type TransportLocal } from 'helios-raft'
import { TcpTransport, type TcpTransportOptions } from 'helios-raft/tcp'

export const KIND = { controlHello: 0, bulkHello: 1, message: 2, ping: 3, pong: 4, refused: 5 } as const

/** A frame by the book: "HR", version 1, kind, length, CRC-32 of these and of the payload. */
export function frame(kind: number, payload: Uint8Array = new Uint8Array(0)): Buffer {
  const header = Buffer.alloc(12)
  header.write('HR')
  header[2] = 1
  header[3] = kind
  header.writeUInt32BE(payload.byteLength, 4)
  header.writeUInt32BE(crc32(payload, crc32(header.subarray(0, 8))), 8)
  return Buffer.concat([header, payload])
}

/** The hello of these tests: opaque to a transport. */
export function hello(id: string, lane: 'control' | 'bulk' = 'control'): Buffer {
  return frame(lane === 'bulk' ? KIND.bulkHello : KIND.controlHello, Buffer.from(`hello ${id}`))
}

const now = performance.now.bind(performance)

/** Looks again until it holds; fails after ten seconds. */
export async function until(condition: () => boolean, what: string): Promise<void> {
  const deadline = now() + 10_000
  while (!condition()) {
    if (now() > deadline) throw new Error(`waited in vain until ${what}`)
    await new Promise((resolve) => setImmediate(resolve))
  }
}

export function control(number: number): Message {
  return { type: 'readIndexRequest', term: 1, boot: 1, number, byLease: false }
}

export function bulk(number: number, sizeBytes: number): Message {
  return {
    type: 'proposeRequest',
    term: 1,
    boot: 1,
    number,
    entryType: 'command',
    commands: [new Uint8Array(sizeBytes)],
  }
}

export class Node implements TransportLocal {
  readonly clusterId = 'c'
  readonly storeId = 's'
  readonly id: string
  readonly transport: TcpTransport
  readonly received: string[] = []
  readonly statuses: string[] = []
  readonly warnings: string[] = []
  readonly refused = new Set<string>()

  constructor(id: string, options: Partial<TcpTransportOptions> = {}) {
    this.id = id
    const onWarning = (warning: string): void => void this.warnings.push(warning)
    this.transport = new TcpTransport({ listen: '127.0.0.1:0', onWarning, ...options })
  }

  get hello(): Uint8Array<ArrayBuffer> {
    return new TextEncoder().encode(`hello ${this.id}`)
  }

  accept(bytes: Uint8Array): string {
    const match = /^hello (\S+)$/.exec(new TextDecoder().decode(bytes))
    const id = match?.[1]
    if (id === undefined) throw new RaftError('RAFT_CORRUPTION', 'this is no hello')
    if (this.refused.has(id)) throw new RaftError('RAFT_IDENTITY', `'${id}' is not welcome`)
    return id
  }

  receive(from: string, message: Message): void {
    this.received.push(`${from} ${message.type} ${'number' in message ? message.number : ''}`)
  }

  peerStatus(id: string, status: string): void {
    this.statuses.push(`${id} ${status}`)
  }

  get address(): string {
    return this.transport.address
  }

  send(to: Node, message: Message): void {
    this.transport.send({ id: to.id, address: to.address }, message)
  }
}

/** A socket that speaks whatever a test wants. */
export class Stranger {
  readonly socket: Socket
  received: Buffer = Buffer.alloc(0)
  chunks = 0
  isClosed = false

  constructor(socket: Socket) {
    this.socket = socket
    socket.on('data', (chunk: Buffer) => {
      this.received = Buffer.concat([this.received, chunk])
      this.chunks += 1
    })
    socket.on('error', () => undefined)
    socket.once('close', () => {
      this.isClosed = true
    })
  }

  static async to(address: string): Promise<Stranger> {
    const port = Number(address.split(':').at(-1))
    const socket = connect({ host: '127.0.0.1', port, noDelay: true })
    const stranger = new Stranger(socket)
    await until(() => !socket.connecting, 'the stranger is connected')
    return stranger
  }

  /** As a peer that was accepted: hello, the node's hello back, a pong that confirms it. */
  static async accepted(node: Node, id: string, lane: 'control' | 'bulk' = 'control'): Promise<Stranger> {
    const stranger = await Stranger.to(node.address)
    stranger.socket.write(hello(id, lane))
    await until(() => stranger.received.equals(hello(node.id, lane)), 'the node has said hello')
    stranger.socket.write(frame(KIND.pong))
    stranger.received = Buffer.alloc(0)
    return stranger
  }

  get kinds(): number[] {
    const kinds: number[] = []
    for (let offset = 0; offset + 12 <= this.received.length; ) {
      kinds.push(this.received[offset + 3] ?? -1)
      offset += 12 + this.received.readUInt32BE(offset + 4)
    }
    return kinds
  }
}

/** A server that accepts and otherwise does what a test wants. */
export class StrangeServer {
  readonly accepted: Stranger[] = []
  readonly #server: Server

  private constructor(onAccept: (stranger: Stranger) => void) {
    this.#server = createServer({ noDelay: true }, (socket) => {
      const stranger = new Stranger(socket)
      this.accepted.push(stranger)
      onAccept(stranger)
    })
  }

  static async listen(onAccept: (stranger: Stranger) => void = () => undefined): Promise<StrangeServer> {
    const server = new StrangeServer(onAccept)
    await new Promise<void>((resolve) => {
      server.#server.listen(0, '127.0.0.1', resolve)
    })
    return server
  }

  /** One that answers each hello as node `id`. */
  static answering(id: string): Promise<StrangeServer> {
    return StrangeServer.listen((stranger) => {
      stranger.socket.once('data', (chunk: Buffer) => {
        stranger.socket.write(hello(id, chunk[3] === KIND.bulkHello ? 'bulk' : 'control'))
      })
    })
  }

  get address(): string {
    const bound = this.#server.address()
    return `127.0.0.1:${typeof bound === 'object' && bound !== null ? bound.port : 0}`
  }

  close(): Promise<void> {
    for (const { socket } of this.accepted) socket.destroy()
    return new Promise((resolve) => {
      this.#server.close(() => resolve())
    })
  }
}
