// One socket: the hello both ways before anything else, then frames of messages, and pings when the other end is silent
// (H95). It says who the peer is, what came, and how it ended; which connection is used for what is not its concern.
// What is sent within one turn leaves in one system call.
import type { Socket } from 'node:net'
import { decodeMessage } from '../../codec/message-codec.js'
import { MAX_HELLO_BYTES } from '../../codec/hello.js'
import type { Message } from '../../core/messages.js'
import type { NodeId } from '../../core/types.js'
import { isRaftError } from '../../errors.js'
import type { TcpCounters } from './counters.js'
import { type FrameKind, FrameParser, makeFrame } from './frame.js'
import { HELLO_SWEEPS, MAX_QUEUED_BEFORE_PONG_BYTES, PING_SWEEPS, SILENT_SWEEPS, STOP_GRACE_MS } from './limits.js'

export type LaneName = 'control' | 'bulk'

/** Whom we dialled, for which lane; absent for a connection that was accepted. */
export interface Dialled {
  readonly id: NodeId
  readonly address: string
  readonly lane: LaneName
}

/** `reset`: the other side ended it. `closed`: we did, or the network between. */
export interface Ending {
  readonly status: 'closed' | 'reset'
  /** What to count it as, if it is worth counting. */
  readonly counter: keyof TcpCounters | null
  readonly reason: string
}

export interface ConnectionOwner {
  readonly maxPayloadBytes: number
  /** Read anew for each connection. */
  ownHello(): Uint8Array
  /** Who the peer is. Throws to refuse it. */
  accept(connection: Connection, hello: Uint8Array): NodeId
  onEstablished(connection: Connection): void
  onMessage(connection: Connection, message: Message): void
  /** Once, whoever ended it, unless `shutdown` did. */
  onEnded(connection: Connection, ending: Ending): void
}

/** Ends by the network between, not by the peer's will. */
const NETWORK_ERRORS: ReadonlySet<string> = new Set(['ETIMEDOUT', 'EHOSTUNREACH', 'ENETUNREACH', 'ENETDOWN'])

export class Connection {
  readonly dialled: Dialled | null
  /** `host:port` of the other end, for messages. */
  readonly remote: string
  readonly #socket: Socket
  readonly #owner: ConnectionOwner
  readonly #parser: FrameParser
  #lane: LaneName | null
  #peer: NodeId | null = null
  /** `confirming`: the peer's hello is good and ours is on its way; what comes next says that the peer took it. */
  #state: 'hello' | 'confirming' | 'established' | 'ended' = 'hello'
  #establishedAtMs: number | null = null
  #wasHeard = false
  #silentSweeps = 0
  #unsent: Uint8Array[] = []
  #unsentBytes = 0

  constructor(socket: Socket, dialled: Dialled | null, owner: ConnectionOwner) {
    this.#socket = socket
    this.dialled = dialled
    this.remote = dialled?.address ?? `${socket.remoteAddress ?? 'unknown'}:${socket.remotePort ?? 0}`
    this.#lane = dialled?.lane ?? null
    this.#owner = owner
    this.#parser = new FrameParser({
      maxPayloadBytes: () => (this.#state === 'hello' ? MAX_HELLO_BYTES : owner.maxPayloadBytes),
      onFrame: (kind, payload) => this.#onFrame(kind, payload),
    })
    if (dialled !== null) socket.once('connect', () => this.#sayHello())
    socket.on('data', (chunk: Uint8Array) => this.#onData(chunk))
    socket.once('end', () => this.#onLost('the other side ended it'))
    socket.on('error', (error: NodeJS.ErrnoException) => this.#onLost(error.code ?? error.message))
    socket.once('close', () => this.#onLost('it was closed'))
  }

  /** Whose hello was accepted; null before. */
  get peer(): NodeId | null {
    return this.#peer
  }

  /** Null until the first frame of an accepted connection says it. */
  get lane(): LaneName | null {
    return this.#lane
  }

  get isEstablished(): boolean {
    return this.#state === 'established'
  }

  /** Also when it has ended since. */
  get wasEstablished(): boolean {
    return this.#establishedAtMs !== null
  }

  /** How long it has been of use, ms. */
  get livedMs(): number {
    return this.#establishedAtMs === null ? 0 : performance.now() - this.#establishedAtMs
  }

  /** Bytes that were given to `send` and that the kernel has not taken yet. */
  get queuedBytes(): number {
    return this.#unsentBytes + this.#socket.writableLength
  }

  /** Takes the frame; it leaves with all others of this turn. */
  send(frame: Uint8Array): void {
    if (this.#state === 'ended') return
    if (this.#unsent.length === 0) queueMicrotask(() => this.#flush())
    this.#unsent.push(frame)
    this.#unsentBytes += frame.byteLength
  }

  /** Called every SWEEP_MS. */
  sweep(): void {
    if (this.#state === 'ended') return
    this.#silentSweeps = this.#wasHeard && this.isEstablished ? 0 : this.#silentSweeps + 1
    this.#wasHeard = false
    if (!this.isEstablished) {
      if (this.#silentSweeps < HELLO_SWEEPS) return
      this.close({ status: 'closed', counter: 'lateHellos', reason: 'no hello came in time' })
    } else if (this.#silentSweeps >= SILENT_SWEEPS) {
      this.close({ status: 'closed', counter: 'silentPeers', reason: 'nothing was heard for too long' })
    } else if (this.#silentSweeps >= PING_SWEEPS) {
      this.send(makeFrame('ping'))
    }
  }

  /** Ends it at once; what was not sent is lost. */
  close(ending: Ending): void {
    if (this.#state === 'ended') return
    this.#state = 'ended'
    this.#socket.destroy()
    this.#owner.onEnded(this, ending)
  }

  /** Ends it at once and in silence: a newer connection has taken its place. */
  abandon(): void {
    this.#state = 'ended'
    this.#socket.destroy()
  }

  /** Ends it in silence; what was sent has STOP_GRACE_MS to leave. */
  shutdown(): Promise<void> {
    const wasEstablished = this.isEstablished
    if (wasEstablished) this.#flush()
    this.#state = 'ended'
    if (this.#socket.closed) return Promise.resolve()
    return new Promise((resolve) => {
      const timer = setTimeout(() => this.#socket.destroy(), STOP_GRACE_MS)
      this.#socket.once('close', () => {
        clearTimeout(timer)
        resolve()
      })
      if (wasEstablished) this.#socket.destroySoon()
      else this.#socket.destroy()
    })
  }

  #flush(): void {
    const frames = this.#unsent
    this.#unsent = []
    this.#unsentBytes = 0
    if (this.#state === 'ended') return
    this.#socket.cork()
    for (const frame of frames) this.#socket.write(frame)
    this.#socket.uncork()
  }

  #sayHello(): void {
    if (this.#state === 'ended') return
    this.send(makeFrame(this.#lane === 'bulk' ? 'bulkHello' : 'controlHello', this.#owner.ownHello()))
  }

  #onData(chunk: Uint8Array): void {
    if (this.#state === 'ended') return
    this.#wasHeard = true
    try {
      this.#parser.push(chunk)
    } catch (error) {
      // Anything else is a fault of this program and must not look like one of the peer.
      if (!isRaftError(error, 'RAFT_CORRUPTION')) throw error
      this.close({ status: 'closed', counter: 'rejectedFrames', reason: error.message })
    }
  }

  #onFrame(kind: FrameKind, payload: Uint8Array): boolean {
    const isHello = kind === 'controlHello' || kind === 'bulkHello'
    const isExpected = isHello === (this.#state === 'hello')
    if (kind === 'refused') this.#onRefused(payload)
    else if (!isExpected) this.#reject(`a ${kind} came ${isHello ? 'after' : 'before'} the hello`)
    else if (isHello) this.#onHello(kind, payload)
    else this.#onFrameOfPeer(kind, payload)
    return this.#state !== 'ended'
  }

  #onFrameOfPeer(kind: FrameKind, payload: Uint8Array): void {
    if (this.#state === 'confirming') this.#establish()
    if (kind === 'message') this.#owner.onMessage(this, decodeMessage(payload))
    else if (kind === 'ping') this.#onPing()
  }

  #onPing(): void {
    if (this.queuedBytes < MAX_QUEUED_BEFORE_PONG_BYTES) this.send(makeFrame('pong'))
  }

  #onHello(kind: 'controlHello' | 'bulkHello', hello: Uint8Array): void {
    const lane = kind === 'bulkHello' ? 'bulk' : 'control'
    if (this.#lane !== null && this.#lane !== lane) return this.#reject(`the answer to a hello came as a ${kind}`)
    this.#lane = lane
    try {
      this.#peer = this.#owner.accept(this, hello)
    } catch (error) {
      return this.#refuse(error)
    }
    if (this.dialled === null) {
      this.#state = 'confirming'
      return this.#sayHello()
    }
    this.send(makeFrame('pong'))
    this.#establish()
  }

  #establish(): void {
    this.#state = 'established'
    this.#establishedAtMs = performance.now()
    this.#owner.onEstablished(this)
  }

  /** Says the code only: a stranger learns nothing of this node. */
  #refuse(error: unknown): void {
    const code = isRaftError(error) ? error.code : 'RAFT_IDENTITY'
    const reason = error instanceof Error ? error.message : String(error)
    this.#state = 'ended'
    this.#socket.write(makeFrame('refused', new TextEncoder().encode(code)))
    this.#socket.destroySoon()
    this.#owner.onEnded(this, { status: 'closed', counter: 'rejectedHellos', reason })
  }

  #onRefused(payload: Uint8Array): void {
    // A stranger that refuses us before we said anything has nothing to say.
    if (this.dialled === null && this.#state === 'hello') return this.#reject('a refusal came before the hello')
    const code = new TextDecoder().decode(payload).replace(/[^A-Z_]/g, '?')
    this.close({ status: 'closed', counter: 'refusedByPeers', reason: `it refused our hello with ${code}` })
  }

  #reject(reason: string): void {
    this.close({ status: 'closed', counter: 'rejectedFrames', reason })
  }

  #onLost(reason: string): void {
    const counter = this.dialled !== null && !this.isEstablished ? 'failedDials' : null
    this.close({ status: NETWORK_ERRORS.has(reason) ? 'closed' : 'reset', counter, reason })
  }
}
