// A node that was away while the others forgot what it needs is brought up by a snapshot, with real clocks: in one process,
// and over TCP with LevelDB and files, where it is stopped half way and goes on where it was.
import { mkdtemp, readdir, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import {
  MemoryNetwork,
  memoryStorage,
  type Message,
  RaftNode,
  type RaftNodeOptions,
  type StateMachine,
  type Transport,
} from 'helios-raft'
import { levelStorage } from 'helios-raft/level'
import { TcpTransport } from 'helios-raft/tcp'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'

const IDS = ['a', 'b', 'c'] as const
const encoder = new TextEncoder()

/** A list of texts. */
class Texts implements StateMachine<string, number> {
  values: string[] = []
  restoreCount = 0

  readonly apply = (value: string): number => this.values.push(value)

  async *snapshot(): AsyncIterable<Uint8Array> {
    const values = this.values.slice()
    for (const value of values) yield encoder.encode(`${value}\n`)
  }

  async restore(chunks: AsyncIterable<Uint8Array>): Promise<void> {
    const decoder = new TextDecoder()
    let text = ''
    for await (const chunk of chunks) text += decoder.decode(chunk, { stream: true })
    this.values = text.split('\n').slice(0, -1)
    this.restoreCount += 1
  }
}

interface Member {
  readonly node: RaftNode<string, number>
  readonly machine: Texts
}

type Options = Partial<RaftNodeOptions<string, number>> &
  Pick<RaftNodeOptions<string, number>, 'id' | 'bootstrap' | 'transport' | 'logStore' | 'snapshotStore'>

async function startNode(options: Options): Promise<Member> {
  const machine = new Texts()
  const node = new RaftNode<string, number>({
    stateMachine: machine,
    snapshot: { everyEntries: 40, trailingEntries: 10 },
    electionTimeoutMs: 300,
    heartbeatIntervalMs: 50,
    ...options,
  })
  await node.start()
  return { node, machine }
}

async function expectSame(members: readonly Member[]): Promise<void> {
  const [first] = members
  const { index } = (await first?.node.propose('the last one')) ?? { index: 0 }
  await Promise.all(members.map(({ node }) => node.waitFor(({ lastApplied }) => lastApplied >= index)))
  for (const { machine } of members) expect(machine.values).toEqual(first?.machine.values)
}

describe('snapshots that travel', () => {
  it('bring up a node that was away, while writes go on', { timeout: 60_000 }, async () => {
    const network = new MemoryNetwork()
    const bootstrap = IDS.map((id) => ({ id, address: id }))
    const stores = IDS.map(() => memoryStorage())
    const start = (at: number): Promise<Member> =>
      startNode({ id: IDS[at] ?? 'a', bootstrap, transport: network.transport(IDS[at] ?? 'a'), ...stores[at]! })
    const members = await Promise.all(IDS.map((_, at) => start(at)))
    await Promise.all(members.map(({ node }) => node.ready()))
    await members[2]?.node.stop()
    for (let value = 0; value < 150; value++) await members[value % 2]?.node.propose(`away ${value}`)
    // Who was heard a moment ago is waited for: only then is what it needs forgotten.
    await Promise.all(members.slice(0, 2).map(({ node }) => node.waitFor(({ firstIndex }) => firstIndex > 20)))

    const returned = await start(2)
    const origins: string[] = []
    returned.node.on('snapshot', (_, origin) => origins.push(origin))
    for (let value = 0; value < 100; value++) await members[value % 2]?.node.propose(`back ${value}`)
    const all = [...members.slice(0, 2), returned]
    await expectSame(all)
    expect(origins).toContain('leader')
    expect(returned.machine.restoreCount).toBeGreaterThan(0)
    await Promise.all(all.map(({ node }) => node.stop()))
  })

  describe('over TCP, with LevelDB and files', () => {
    let directory: string
    beforeEach(async () => {
      directory = await mkdtemp(join(tmpdir(), 'helios-travel-'))
    })
    afterEach(() => rm(directory, { recursive: true, force: true }))

    it('go on where they were when the receiver was restarted', { timeout: 120_000 }, async () => {
      const probes = IDS.map(() => new TcpTransport({ listen: '127.0.0.1:0' }))
      const addresses = await Promise.all(probes.map((probe) => probe.listen()))
      await Promise.all(probes.map((probe) => probe.stop()))
      const bootstrap = IDS.map((id, at) => ({ id, address: addresses[at] ?? '' }))
      const start = (at: number, transport?: Transport): Promise<Member> => {
        const id = IDS[at] ?? 'a'
        return startNode({
          id,
          bootstrap,
          transport: transport ?? new TcpTransport({ listen: addresses[at] ?? '' }),
          limits: { snapshotChunkBytes: 16 * 1024 },
          ...levelStorage({ directory: join(directory, id) }),
        })
      }
      const members = await Promise.all(IDS.map((_, at) => start(at)))
      await Promise.all(members.map(({ node }) => node.ready()))
      await members[2]?.node.stop()
      const [one, other] = members
      for (let value = 0; value < 119; value++) await one?.node.propose(`${value} ${'x'.repeat(10_000)}`)
      await other?.node.waitFor(({ firstIndex }) => firstIndex > 20)

      // Its first life takes 20 chunks and no more.
      const deaf = new DeafTransport(addresses[2] ?? '', 20)
      const first = await start(2, deaf)
      await deaf.isDeaf
      await first.node.stop()
      const left = await readdir(join(directory, 'c', 'snapshots'))
      expect(left.filter((name) => name.endsWith('.partial'))).toHaveLength(1)

      const second = new DeafTransport(addresses[2] ?? '', Number.POSITIVE_INFINITY)
      const returned = await start(2, second)
      const all = [...members.slice(0, 2), returned]
      for (let value = 0; value < 5; value++) await one?.node.propose(`after ${value}`)
      await expectSame(all)
      expect(returned.machine.restoreCount).toBe(1)
      expect(Math.min(...second.offsets)).toBeGreaterThan(0)
      await Promise.all(all.map(({ node }) => node.stop()))
    })
  })
})

/** TCP, but deaf to chunks after the first ones. */
class DeafTransport implements Transport {
  readonly offsets: number[] = []
  readonly isDeaf: Promise<void>
  readonly #transport: TcpTransport
  readonly #most: number
  #becomesDeaf: () => void = () => {}

  constructor(listen: string, most: number) {
    this.#transport = new TcpTransport({ listen })
    this.#most = most
    this.isDeaf = new Promise((resolve) => {
      this.#becomesDeaf = resolve
    })
  }

  get maxMessageBytes(): number {
    return this.#transport.maxMessageBytes
  }

  start(local: Parameters<Transport['start']>[0]): Promise<void> {
    const receive = (from: string, message: Message): void => {
      if (message.type === 'installSnapshot' && message.chunk.length > 0) {
        if (this.offsets.length >= this.#most) return this.#becomesDeaf()
        this.offsets.push(message.offset)
      }
      local.receive(from, message)
    }
    const heard = Object.create(local, { receive: { value: receive } }) as typeof local
    return this.#transport.start(heard)
  }

  send(...args: Parameters<Transport['send']>): void {
    this.#transport.send(...args)
  }

  stop(): Promise<void> {
    return this.#transport.stop()
  }
}
