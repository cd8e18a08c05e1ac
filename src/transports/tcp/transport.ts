// Messages over TCP (F37): frames with a CRC, two connections per pair so that control never waits behind bulk (H94),
// bounded queues, reconnects. This file owns the life of a transport: listen, start, stop, each of them once.
import { MAX_HELLO_BYTES } from '../../codec/hello.js'
import type { Message } from '../../core/messages.js'
import type { NodeId } from '../../core/types.js'
import { RaftError } from '../../errors.js'
import type { Transport, TransportLocal } from '../../interfaces/transport.js'
import { Ledger, type TcpCounters } from './counters.js'
import { FRAME_HEADER_BYTES } from './frame.js'
import { Hub } from './hub.js'
import { Listener } from './listener.js'
import { parseHostPort, type ResolvedTcpOptions, resolveOptions, type TcpTransportOptions } from './options.js'

/** Carries the messages of one run of one node; the next run takes a new one. */
export class TcpTransport implements Transport {
  /** What fits a frame: `maxFrameBytes` without its header. */
  readonly maxMessageBytes: number
  /** True when it listens for other machines and nothing protects it. */
  readonly isInsecure: boolean
  readonly #options: ResolvedTcpOptions
  readonly #ledger: Ledger
  #opening: Promise<Listener> | null = null
  #listener: Listener | null = null
  #isStarted = false
  #hub: Hub | null = null
  #stopping: Promise<void> | null = null

  /** Checks the options, touches nothing. @throws RaftError RAFT_INVALID_OPTION */
  constructor(options: TcpTransportOptions) {
    this.#options = resolveOptions(options)
    this.maxMessageBytes = this.#options.maxFrameBytes - FRAME_HEADER_BYTES
    this.isInsecure = !this.#options.isLoopback
    this.#ledger = new Ledger(this.#options.onWarning)
  }

  /** The bound `host:port`. @throws RaftError RAFT_INVALID_OPTION before `listen` has resolved */
  get address(): string {
    if (this.#listener !== null) return this.#listener.address
    throw new RaftError('RAFT_INVALID_OPTION', 'A TcpTransport has no address yet: await listen() or start() first.')
  }

  /** What was refused and dropped so far. */
  get counters(): TcpCounters {
    return this.#ledger.counters
  }

  /**
   * Binds before the node starts, so that port 0 can be in `bootstrap`; who dials before `start` is turned away.
   * Resolves to `address`. @throws RaftError RAFT_INVALID_OPTION when the port can't be had, RAFT_STOPPED after `stop`
   */
  async listen(): Promise<string> {
    if (this.#stopping !== null) throw stopped()
    this.#opening ??= this.#open()
    const { address } = await this.#opening
    return address
  }

  /** Listens, if that is still to be done, and takes and gives messages from then on. Once. */
  async start(local: TransportLocal): Promise<void> {
    if (this.#stopping !== null) throw stopped()
    if (this.#isStarted) {
      throw new RaftError('RAFT_INVALID_OPTION', 'A TcpTransport was started twice: each run takes a new one.')
    }
    if (local.hello.byteLength > MAX_HELLO_BYTES) {
      const sizes = `${local.hello.byteLength} bytes, more than ${MAX_HELLO_BYTES}`
      throw new RaftError('RAFT_INVALID_OPTION', `The hello of '${local.id}' has ${sizes}.`)
    }
    this.#isStarted = true
    try {
      await this.listen()
    } catch (error) {
      this.#isStarted = false
      throw error
    }
    if (this.#isStopping()) throw stopped()
    this.#hub = new Hub({
      local,
      maxPayloadBytes: this.maxMessageBytes,
      maxQueuedBytes: this.#options.maxQueuedBytes,
      ledger: this.#ledger,
    })
  }

  /** Never throws and never waits; dials when there is no connection. What can't be sent is counted and dropped. */
  send(to: { readonly id: NodeId; readonly address?: string | undefined }, message: Message): void {
    this.#hub?.send(to, message)
  }

  /** Names are not looked up: that can fail today and work tomorrow. */
  addressProblem(address: string): string | null {
    const place = parseHostPort(address)
    if (place === null) return "is no host:port: write it as 'host:7000' or '[::1]:7000'"
    return place.port === 0 ? 'names port 0, where nobody can be dialled: name the port that it listens on' : null
  }

  /** Ends every connection and timer and frees the port. What was sent just before has half a second to leave. */
  stop(): Promise<void> {
    this.#stopping ??= this.#end()
    return this.#stopping
  }

  async #open(): Promise<Listener> {
    try {
      const listener = await Listener.open(this.#options, (socket) => {
        if (this.#hub === null) socket.destroy()
        else this.#hub.admit(socket)
      })
      this.#listener = listener
      if (this.isInsecure) this.#warnOfInsecurity(listener.address)
      return listener
    } catch (error) {
      this.#opening = null
      throw error
    }
  }

  /** Never silent (security.md, promise 1). */
  #warnOfInsecurity(address: string): void {
    const warning = `${address} takes messages from every machine that reaches it: nothing encrypts or authenticates them`
    if (this.#options.onWarning === null) process.emitWarning(warning, 'HeliosRaftWarning')
    else this.#options.onWarning(warning)
  }

  async #end(): Promise<void> {
    const opening = this.#opening
    const closing = this.#hub?.stop()
    // A bind that fails leaves nothing to close; whoever asked for it was told.
    const listener = await opening?.catch(() => null)
    await Promise.all([closing, listener?.close()])
  }

  /** A getter would be narrowed across the await before it. */
  #isStopping(): boolean {
    return this.#stopping !== null
  }
}

function stopped(): RaftError {
  return new RaftError('RAFT_STOPPED', 'This TcpTransport was stopped: each run takes a new one.')
}
