// The smallest cluster: `raft-example node-1`, `node-2`, `node-3` in three terminals. Raft ports only, LevelDB in
// data/node-N, log lines on the terminal, and three sample keys that the first leader writes once.
import { join } from 'node:path'
import type { Logger } from 'helios-raft'
import { RaftNode } from 'helios-raft'
import { levelStorage } from 'helios-raft/level'
import { TcpTransport } from 'helios-raft/tcp'
import { UsageError } from './config/usage-error.js'
import { quote } from './config/flags.js'
import { addressOf } from './config/values.js'
import { textLogger } from './log/text-logger.js'
import { ExpiryTicker } from './server/expiry-ticker.js'
import { exitWith, runService } from './server/program.js'
import { listenError, nodeError } from './server/start-error.js'
import { bytesOf } from './state-machine/bytes.js'
import type { KvCommand, KvResult, SetCommand } from './state-machine/command.js'
import { kvCommandCodec } from './state-machine/command-codec.js'
import { KvStateMachine } from './state-machine/kv-state-machine.js'

const NAME = 'raft-example'
const MEMBERS = [
  { id: 'node-1', address: '127.0.0.1:9001' },
  { id: 'node-2', address: '127.0.0.1:9002' },
  { id: 'node-3', address: '127.0.0.1:9003' },
] as const
/** Written last: where it stands, the samples have been written, even if one of them has expired since. */
const MARKER = 'raft-example:seeded'
const BOB_TTL_MS = 5 * 60 * 1000
/** Between two attempts to write the samples. */
const RETRY_MS = 1_000

const SAMPLES: readonly SetCommand[] = [
  sample('user:1:name', 'Alice'),
  sample('user:2:name', 'Bob', BOB_TTL_MS),
  sample('counter', '1'),
  sample(MARKER, '1'),
]

function sample(key: string, value: string, ttlMs?: number): SetCommand {
  const expiry = ttlMs === undefined ? null : { inMs: ttlMs }
  return { type: 'set', key, value: bytesOf(value), condition: 'absent', expiry, returnPrevious: false }
}

class Example {
  readonly #node: RaftNode<KvCommand, KvResult>
  readonly #machine = new KvStateMachine()
  readonly #transport: TcpTransport
  readonly #ticker: ExpiryTicker
  readonly #member: (typeof MEMBERS)[number]
  readonly #directory: string
  readonly #logger: Logger
  #isSeeding = false
  #isStopped = false

  constructor(member: (typeof MEMBERS)[number], logger: Logger, fail: (error: unknown) => void) {
    this.#member = member
    this.#logger = logger
    this.#directory = join('data', member.id)
    this.#transport = new TcpTransport({ listen: member.address })
    this.#node = new RaftNode<KvCommand, KvResult>({
      id: member.id,
      stateMachine: this.#machine,
      ...levelStorage({ directory: this.#directory }),
      transport: this.#transport,
      bootstrap: MEMBERS,
      codec: kvCommandCodec,
      logger,
    })
    this.#ticker = new ExpiryTicker({ node: this.#node, machine: this.#machine })
    this.#node.on('applied', () => this.#ticker.observe())
    this.#node.on('fatal', fail)
    this.#node.on('role', ({ role }) => {
      if (role !== 'leader') return this.#ticker.observe()
      this.#ticker.begin()
      void this.#seed()
    })
  }

  async start(): Promise<void> {
    await this.#transport.listen().catch((error: unknown) => {
      throw listenError(error, 'Raft', addressOf(this.#member.address, 'the address'), 'built in')
    })
    await this.#node.start().catch(async (error: unknown) => {
      await this.stop()
      throw nodeError(error, this.#directory)
    })
  }

  async stop(): Promise<void> {
    this.#isStopped = true
    this.#ticker.stop()
    await this.#node.stop()
    await this.#transport.stop()
  }

  /** Each key only where it is absent, and the marker behind them in the same append: twice does no harm. */
  async #seed(): Promise<void> {
    if (this.#isSeeding) return
    this.#isSeeding = true
    while (this.#node.isLeader && !this.#isStopped) {
      try {
        const seeded = await this.#node.read(() => this.#machine.state.get(MARKER) !== null)
        if (seeded.value) {
          this.#logger.info({}, 'Sample keys are there already')
        } else {
          const written = await this.#node.proposeMany(SAMPLES)
          this.#logger.info({ index: written.at(-1)?.index }, 'Sample keys written')
        }
        break
      } catch (error) {
        this.#logger.debug({ error }, 'Sample keys not written yet')
        await new Promise((resolve) => setTimeout(resolve, RETRY_MS))
      }
    }
    this.#isSeeding = false
  }
}

async function main(): Promise<void> {
  const [id, ...rest] = process.argv.slice(2)
  const member = MEMBERS.find((candidate) => candidate.id === id)
  const usage = 'usage: raft-example node-1 (or node-2, node-3)'
  if (id === '--help' || id === '-help') return void process.stdout.write(`${usage}\n`)
  if (id === undefined) throw new UsageError(`which node is this? ${usage}`)
  if (member === undefined) throw new UsageError(`there is no node ${quote(id)}; ${usage}`)
  if (rest.length > 0) throw new UsageError(`unexpected argument ${quote(rest[0] ?? '')}; ${usage}`)
  await runService(NAME, textLogger({ source: 'example' }), (fail) => new Example(member, textLogger(), fail))
}

main().catch((error: unknown) => exitWith(NAME, error))
