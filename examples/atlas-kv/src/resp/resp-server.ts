// The listener of RESP and its connections. It knows the node only through RaftNode's public calls; a command is
// answered when the node says so, never earlier.
import type { AddressInfo, Server, Socket } from 'node:net'
import { createServer } from 'node:net'
import type { CallOptions, LogIndex, Proposed, RaftNode, RaftStatus } from 'helios-raft'
import type { Administration } from '../admin/administration.js'
import type { Address } from '../config/values.js'
import { addressesOf } from '../server/node-addresses.js'
import type { Writer } from '../server/writer.js'
import type { KvCommand, KvResult } from '../state-machine/command.js'
import type { KvState } from '../state-machine/kv-state.js'
import type { KvStateMachine } from '../state-machine/kv-state-machine.js'
import { RespConnection, type RespBackend } from './connection.js'
import { hashSlot } from './hash-slot.js'
import { MAX_CONNECTIONS } from './limits.js'
import { LOADING } from './raft-errors.js'
import type { RespCounters, RespSettings, Session } from './session.js'
import type { ReadStep, ReadValue, WriteStep } from './step.js'

/** The calls of RaftNode that the server makes. */
export type KvNode = Pick<RaftNode<KvCommand, KvResult>, 'read' | 'replicas' | 'status' | 'isLeader' | 'leader'>

export interface RespServerOptions {
  readonly node: KvNode
  readonly writer: Pick<Writer, 'write' | 'endsAppend'>
  readonly machine: KvStateMachine
  readonly admin: Administration
  readonly readConsistency: RespSettings['readConsistency']
  readonly followerWrites: RespSettings['followerWrites']
  readonly version: string
  /** Log time as it stands, ms: what TTLs are counted from. */
  readonly logTime: () => number
  /** Ms of a monotonic clock. */
  readonly now: () => number
  /** Takes unexpected errors. Never throws. */
  readonly report: (error: unknown) => void
}

export class RespServer implements RespBackend {
  readonly counters: RespCounters = { connectionsReceived: 0, connectionsRejected: 0, commandsProcessed: 0 }
  readonly #options: RespServerOptions
  readonly #server: Server
  readonly #connections = new Set<RespConnection>()
  #nextId = 1
  #isServing = false

  constructor(options: RespServerOptions) {
    this.#options = options
    this.#server = createServer({ allowHalfOpen: true }, (socket) => this.#accept(socket))
  }

  /** Answers LOADING until `serve`. Rejects with the system's error. */
  listen(address: Address): Promise<void> {
    return new Promise((resolve, reject) => {
      this.#server.once('error', reject)
      const { host, port } = address
      this.#server.listen({ port, exclusive: true, ...(host === '' ? {} : { host }) }, () => {
        this.#server.off('error', reject)
        // From here on it is an error of accepting (too many open files), which concerns that connection only.
        this.#server.on('error', (error) => this.#options.report(error))
        resolve()
      })
    })
  }

  /** From now on commands are run. */
  serve(): void {
    this.#isServing = true
  }

  /** Stops listening, answers what was taken up, closes. Idempotent. */
  async close(): Promise<void> {
    const closed = new Promise<void>((resolve) => this.#server.close(() => resolve()))
    await Promise.all([...this.#connections].map((connection) => connection.drain()))
    await closed
  }

  /** Ends what `close` still waits for. */
  destroy(): void {
    for (const connection of this.#connections) connection.destroy()
  }

  /** The port that it listens on. */
  get port(): number {
    return (this.#server.address() as AddressInfo | null)?.port ?? 0
  }

  get version(): string {
    return this.#options.version
  }

  get settings(): RespSettings {
    const { readConsistency, followerWrites } = this.#options
    return { port: this.port, readConsistency, followerWrites }
  }

  get isLoading(): boolean {
    return !this.#isServing
  }

  get state(): KvState {
    return this.#options.machine.state
  }

  get admin(): Administration {
    return this.#options.admin
  }

  now(): number {
    return this.#options.now()
  }

  status(): RaftStatus {
    return this.#options.node.status()
  }

  replicas(index: LogIndex, count: number, options: CallOptions): Promise<number> {
    return this.#options.node.replicas(index, count, options)
  }

  *sessions(): Iterable<Session> {
    for (const connection of this.#connections) yield connection.session
  }

  report(error: unknown): void {
    this.#options.report(error)
  }

  refusal(step: ReadStep | WriteStep): string | null {
    if (!this.#isServing) return LOADING
    const { node, followerWrites } = this.#options
    if (step.kind === 'read' || followerWrites === 'forward' || node.isLeader) return null
    if (followerWrites === 'reject') return "READONLY You can't write against a read only replica."
    const leader = node.leader
    if (leader === null) return 'CLUSTERDOWN No raft leader'
    const address = addressesOf(leader).resp
    if (address === '') return `CLUSTERDOWN the RESP address of leader ${leader.id} is not known yet`
    return `MOVED ${hashSlot(firstKey(step.command))} ${address}`
  }

  endsAppend(step: WriteStep): boolean {
    return this.#options.writer.endsAppend(step.command)
  }

  write(steps: readonly WriteStep[]): Promise<readonly Proposed<KvResult>[]> {
    return this.#options.writer.write(steps.map((step) => step.command))
  }

  async read(steps: readonly ReadStep[], session: Session): Promise<readonly ReadValue[]> {
    const { node, machine, logTime } = this.#options
    const consistency = session.readConsistency ?? this.#options.readConsistency
    const query = (): readonly ReadValue[] => {
      const now = logTime()
      return steps.map((step) => step.query(machine.state, now))
    }
    // Also a connection that takes what is there sees its own writes.
    const options = consistency === 'local' ? { consistency, minIndex: session.lastWriteIndex } : { consistency }
    return (await node.read(query, options)).value
  }

  #accept(socket: Socket): void {
    this.counters.connectionsReceived += 1
    if (this.#connections.size >= MAX_CONNECTIONS) {
      this.counters.connectionsRejected += 1
      socket.on('error', () => socket.destroy())
      socket.end('-ERR max number of clients reached\r\n')
      return
    }
    const session: Session = {
      id: this.#nextId++,
      address: `${socket.remoteAddress}:${socket.remotePort}`,
      localAddress: `${socket.localAddress}:${socket.localPort}`,
      connectedAt: this.#options.now(),
      name: '',
      libraryName: '',
      libraryVersion: '',
      lastCommand: '',
      protocol: 2,
      isClosing: false,
      readConsistency: null,
      lastWriteIndex: 0,
      host: this,
    }
    const connection = new RespConnection(socket, session, this)
    this.#connections.add(connection)
    socket.on('close', () => this.#connections.delete(connection))
  }
}

function firstKey(command: KvCommand): string {
  if ('key' in command) return command.key
  if (command.type === 'delete') return command.keys[0] ?? ''
  return command.type === 'setMany' ? (command.pairs[0]?.[0] ?? '') : ''
}
