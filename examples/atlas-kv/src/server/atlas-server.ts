// One server: the node, its storage and transport, RESP, HTTP, and what keeps them going. It opens in an order in which
// each failure leaves nothing behind, and closes in the reverse one. It never ends the process: its caller does.
import type { Logger, RaftError } from 'helios-raft'
import { RaftNode } from 'helios-raft'
import { levelStorage } from 'helios-raft/level'
import { TcpTransport } from 'helios-raft/tcp'
import { Administration } from '../admin/administration.js'
import type { AtlasOptions } from '../config/options.js'
import type { Address } from '../config/values.js'
import { formatAddress, isWildcard } from '../config/values.js'
import { HttpServer } from '../http/http-server.js'
import { COMMAND_BYTES } from '../resp/limits.js'
import { RespServer } from '../resp/resp-server.js'
import type { KvCommand, KvResult } from '../state-machine/command.js'
import { kvCommandCodec } from '../state-machine/command-codec.js'
import { KvStateMachine } from '../state-machine/kv-state-machine.js'
import { kvResultCodec } from '../state-machine/result-codec.js'
import { Announcer } from './announcer.js'
import { ExpiryTicker } from './expiry-ticker.js'
import { type Founding, readFounding, writeFounding } from './founding-record.js'
import { JoinLoop } from './join-loop.js'
import { LogClock } from './log-clock.js'
import { makeDirectory } from './make-directory.js'
import { directoryError, listenError, nodeError } from './start-error.js'
import { VERSION } from './version.js'
import { Writer } from './writer.js'

/** How long commands that were taken up may still wait for their quorum at the end. */
const DRAIN_MS = 1_500
/** How long clients may then take to receive their last answers. */
const FAREWELL_MS = 500
/** What a session adds to a command of the log: its id, of up to 128 bytes, and some numbers. */
const SESSION_BYTES = 256

export interface AtlasServerOptions {
  readonly options: AtlasOptions
  /** For the node and for the server itself. */
  readonly raftLogger: Logger
  readonly logger: Logger
  /** The node has failed for good: close and end. */
  readonly onFatal: (error: RaftError) => void
}

export class AtlasServer {
  readonly #options: AtlasOptions
  readonly #logger: Logger
  readonly #founding: Founding
  /** It was in a cluster before: what the flags say of peers is not looked at. */
  readonly #isRecorded: boolean
  readonly #node: RaftNode<KvCommand, KvResult>
  readonly #machine = new KvStateMachine()
  readonly #transport: TcpTransport
  readonly #admin: Administration
  readonly #resp: RespServer
  readonly #http: HttpServer | null
  readonly #ticker: ExpiryTicker
  readonly #clock: LogClock
  #announcer: Announcer | null = null
  #joining: JoinLoop | null = null

  constructor({ options, raftLogger, logger, onFatal }: AtlasServerOptions) {
    this.#options = options
    this.#logger = logger
    const { raft, insecure, nodeId } = options
    const listen = formatAddress(raft.host === '' ? { ...raft, host: '0.0.0.0' } : raft)
    const recorded = readFounding(options.dataDirectory)
    this.#isRecorded = recorded !== undefined
    this.#founding = recorded === undefined ? foundingOf(options, listen) : recorded
    this.#transport = new TcpTransport({ listen, insecure })
    this.#node = new RaftNode<KvCommand, KvResult>({
      id: nodeId,
      stateMachine: this.#machine,
      ...levelStorage({ directory: options.raftDirectory }),
      transport: this.#transport,
      bootstrap: this.#founding ?? undefined,
      codec: kvCommandCodec,
      resultCodec: kvResultCodec,
      electionTimeoutMs: options.electionTimeoutMs,
      heartbeatIntervalMs: options.heartbeatIntervalMs,
      limits: { commandBytes: COMMAND_BYTES + SESSION_BYTES },
      logger: raftLogger,
    })
    const now = (): number => performance.now()
    this.#clock = new LogClock({ logTime: () => this.#machine.state.logTime, now })
    this.#ticker = new ExpiryTicker({ node: this.#node, machine: this.#machine })
    this.#admin = new Administration({ node: this.#node })
    const shared = {
      node: this.#node,
      writer: new Writer({ node: this.#node, now }),
      admin: this.#admin,
      machine: this.#machine,
      version: VERSION,
      readConsistency: options.readConsistency,
      report: (error: unknown): void => logger.error({ error }, 'Unexpected error'),
    }
    this.#resp = new RespServer({
      ...shared,
      followerWrites: options.followerWrites,
      logTime: () => this.#clock.now(),
      now,
    })
    this.#http =
      options.http === null ? null : new HttpServer({ ...shared, address: options.http, commandBytes: COMMAND_BYTES })
    this.#watch(onFatal)
  }

  /** Resolves when clients are served; there may be no leader yet. Rejects with a StartError, everything closed. */
  async start(): Promise<void> {
    try {
      await this.#open()
    } catch (error) {
      await this.stop()
      throw error
    }
  }

  /** Answers what was taken up, hands what still waits its outcome, closes. Idempotent; takes about 2 s at most. */
  async stop(): Promise<void> {
    this.#joining?.stop()
    this.#announcer?.stop()
    this.#ticker.stop()
    const served = Promise.all([this.#resp.close(), this.#http?.close()])
    await within(DRAIN_MS, served)
    // Calls that wait for a quorum end here, and their clients are told.
    await this.#node.stop()
    await this.#transport.stop()
    await within(FAREWELL_MS, served)
    // Who doesn't take an answer by now gets none.
    this.#resp.destroy()
    this.#http?.destroy()
    await served
  }

  async #open(): Promise<void> {
    const { dataDirectory, raftDirectory, resp, http, raft, nodeId, peers, join, warnings } = this.#options
    for (const warning of warnings) this.#logger.warn({}, warning)
    if (peers.length === 0 && this.#founding?.length === 1)
      this.#logger.info({}, 'no peers configured: running as a single-node cluster')
    for (const [directory, flag] of [
      [dataDirectory, '--data-dir'],
      [raftDirectory, '--raft-data-dir'],
    ] as const) {
      await makeDirectory(directory).catch((error: unknown) => {
        throw directoryError(error, directory, flag)
      })
    }
    await this.#resp.listen(resp).catch((error: unknown) => {
      throw listenError(error, 'RESP', resp, '--listen')
    })
    if (http !== null) {
      await this.#http?.listen().catch((error: unknown) => {
        throw listenError(error, 'HTTP', http, '--http')
      })
    }
    await this.#transport.listen().catch((error: unknown) => {
      throw listenError(error, 'Raft', raft, '--raft-addr')
    })
    await this.#node.start().catch((error: unknown) => {
      throw nodeError(error, raftDirectory)
    })
    this.#resp.serve()
    const addresses = { resp: this.#reachable(resp, this.#resp.port), http: '' }
    if (http !== null) addresses.http = this.#reachable(http, this.#http?.port ?? 0)
    this.#logger.info({ node: nodeId, ...addresses }, 'Serving clients')
    this.#announcer = new Announcer({ node: this.#node, addresses })
    void this.#announcer.run()
    this.#recordFounding()
    if (join.length === 0) return
    const joiner = { id: nodeId, address: formatAddress(raft), addresses }
    this.#joining = new JoinLoop({ node: this.#node, members: join, joiner, logger: this.#logger })
    void this.#joining.run()
  }

  /** Once this node is one of its cluster, it is for good. */
  #recordFounding(): void {
    const { dataDirectory, peers } = this.#options
    if (this.#isRecorded) {
      const known = new Set(this.#founding?.map(({ id }) => id))
      const other = peers.find(({ id }) => !known.has(id))
      if (other === undefined) return
      this.#logger.warn(
        { peer: other.id },
        'A member already: peers of the flags are not looked at; see RAFT NODES and RAFT ADD',
      )
      return
    }
    this.#node
      .ready()
      .then(() => writeFounding(dataDirectory, this.#founding))
      .catch((error: unknown) => this.#logger.debug({ error }, 'Not recorded how this node came into its cluster'))
  }

  #watch(onFatal: (error: RaftError) => void): void {
    this.#node.on('applied', () => {
      this.#clock.observe()
      this.#ticker.observe()
    })
    this.#node.on('role', ({ role }) => {
      if (role === 'leader') this.#ticker.begin()
      else this.#ticker.observe()
    })
    this.#node.on('snapshot', () => this.#admin.observeSnapshot())
    this.#node.on('fatal', onFatal)
  }

  /** Where others reach a server: one that listens everywhere is found where Raft is. */
  #reachable(address: Address, port: number): string {
    const host = isWildcard(address) ? this.#options.raft.host : address.host
    return isWildcard({ host, port }) ? '' : formatAddress({ host, port })
  }
}

function foundingOf({ nodeId, peers, join }: AtlasOptions, listen: string): Founding {
  return join.length > 0 ? null : [{ id: nodeId, address: listen }, ...peers]
}

/** Resolves with the promise, or after that time. */
async function within(ms: number, promise: Promise<unknown>): Promise<void> {
  let timer: NodeJS.Timeout | undefined
  const late = new Promise<void>((resolve) => {
    timer = setTimeout(resolve, ms)
  })
  await Promise.race([promise, late])
  clearTimeout(timer)
}
