import { afterEach, describe, expect, it, vi } from 'vitest'
import type { Message } from '../../../src/core/index.js'
import type { Transport, TransportLocal } from '../../../src/interfaces/transport.js'
import { MemoryNetwork, type MemoryNetworkOptions } from '../../../src/transports/memory/index.js'

class Node implements TransportLocal {
  readonly clusterId = 'c'
  readonly storeId = 's'
  readonly id: string
  readonly transport: Transport
  readonly told: (string | number)[] = []
  accepts = 0
  isRefusing = false

  constructor(id: string, transport: Transport) {
    this.id = id
    this.transport = transport
  }

  get hello(): Uint8Array<ArrayBuffer> {
    return new TextEncoder().encode(this.id)
  }

  accept(hello: Uint8Array): string {
    this.accepts += 1
    if (this.isRefusing) throw new Error('no')
    return new TextDecoder().decode(hello)
  }

  receive(_: string, message: Message): void {
    this.told.push('number' in message ? message.number : -1)
  }

  peerStatus(id: string, status: string): void {
    this.told.push(`${id} ${status}`)
  }

  send(id: string, number: number): void {
    this.transport.send({ id }, { type: 'readIndexRequest', term: 1, boot: 1, number, byLease: false })
  }

  sendBulk(id: string, number: number, sizeBytes = 0): void {
    const commands = [new Uint8Array(sizeBytes)]
    this.transport.send({ id }, { type: 'proposeRequest', term: 1, boot: 1, number, entryType: 'command', commands })
  }

  get numbers(): number[] {
    return this.told.filter((each) => typeof each === 'number')
  }
}

async function start(network: MemoryNetwork, id: string): Promise<Node> {
  const node = new Node(id, network.transport(id))
  await node.transport.start(node)
  return node
}

async function threeNodes(options?: MemoryNetworkOptions): Promise<[MemoryNetwork, Node, Node, Node]> {
  const network = new MemoryNetwork(options)
  return [network, await start(network, 'a'), await start(network, 'b'), await start(network, 'c')]
}

/** The next macrotask: everything that is due at once has been delivered. */
const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve))

afterEach(() => {
  vi.useRealTimers()
})

describe('MemoryNetwork', () => {
  it('delivers in the next turn, control first, each lane in order', async () => {
    const [, a, b] = await threeNodes()
    a.sendBulk('b', 1)
    a.send('b', 2)
    a.sendBulk('b', 3)
    a.send('b', 4)
    expect(b.told).toEqual([])
    await turn()
    expect(b.told).toEqual(['a up', 2, 4, 1, 3])
    expect(a.told).toEqual(['b up'])
  })

  it('lets only nodes of one group reach each other, and nobody a node in no group', async () => {
    const [network, a, b, c] = await threeNodes()
    network.partition(['a', 'b'])
    a.send('b', 1)
    a.send('c', 2)
    c.send('a', 3)
    await turn()
    expect([a.numbers, b.numbers, c.numbers]).toEqual([[], [1], []])
    network.partition(['a'], ['b', 'c'])
    a.send('b', 4)
    b.send('c', 5)
    await turn()
    expect([a.numbers, b.numbers, c.numbers]).toEqual([[], [1], [5]])
    network.heal()
    a.send('b', 6)
    await turn()
    expect(b.numbers).toEqual([1, 6])
  })

  it('refuses a node in two groups', () => {
    expect(() => new MemoryNetwork().partition(['a', 'b'], ['b'])).toThrow(/lists without a node in common/)
  })

  it('cuts one way, also what is under way', async () => {
    const [network, a, b] = await threeNodes()
    a.send('b', 1)
    await turn()
    a.send('b', 2)
    network.cut('a', 'b')
    a.send('b', 3)
    b.send('a', 4)
    await turn()
    expect(b.numbers).toEqual([1])
    expect(a.numbers).toEqual([4])
    network.heal()
    a.send('b', 5)
    await turn()
    expect(b.numbers).toEqual([1, 5])
  })

  it('loses the same messages for the same seed, about the share that was asked for', async () => {
    const run = async (seed: number): Promise<number[]> => {
      const [, a, b] = await threeNodes({ seed, lossRatio: 0.3 })
      for (let number = 0; number < 1000; number += 1) a.send('b', number)
      await turn()
      return b.numbers
    }
    const first = await run(1)
    expect(await run(1)).toEqual(first)
    expect(await run(2)).not.toEqual(first)
    expect(first.length).toBeGreaterThan(620)
    expect(first.length).toBeLessThan(780)
  })

  it('delays by its latency and keeps the order of each lane', async () => {
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'performance'] })
    const [, a, b] = await threeNodes({ latencyMs: [10, 50] })
    for (let number = 0; number < 100; number += 1) a.send('b', number)
    vi.advanceTimersByTime(9)
    expect(b.numbers).toEqual([])
    vi.advanceTimersByTime(42)
    expect(b.numbers).toEqual(Array.from({ length: 100 }, (_, number) => number))
  })

  it('lets messages of different links overtake each other', async () => {
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'performance'] })
    const [, a, b, c] = await threeNodes({ seed: 3, latencyMs: [1, 100] })
    for (let number = 0; number < 10; number += 1) {
      a.send('c', number)
      b.send('c', 100 + number)
      vi.advanceTimersByTime(200)
    }
    const fromA = c.numbers.map((number) => number < 100)
    expect(c.numbers).toHaveLength(20)
    // Not always a first, although a always sent first.
    expect(fromA).not.toEqual(fromA.map((_, place) => place % 2 === 0))
  })

  it('drops the newest beyond 16 MiB under way to one node, and no more than that', async () => {
    const [, a, b, c] = await threeNodes()
    const size = 1024 * 1024
    for (let number = 1; number <= 20; number += 1) a.sendBulk('b', number, size)
    a.sendBulk('c', 21, size)
    await turn()
    expect(b.numbers).toEqual(Array.from({ length: 15 }, (_, place) => place + 1))
    expect(c.numbers).toEqual([21])
    a.sendBulk('b', 22, size)
    await turn()
    expect(b.numbers.at(-1)).toBe(22)
  })

  it('tries a refused hello again only after a while', async () => {
    vi.useFakeTimers({ toFake: ['performance'] })
    const [, a, b] = await threeNodes()
    b.isRefusing = true
    for (let number = 0; number < 5; number += 1) {
      a.send('b', number)
      await turn()
    }
    expect(b.accepts).toBe(1)
    b.isRefusing = false
    vi.advanceTimersByTime(100)
    a.send('b', 9)
    await turn()
    expect(b.told).toEqual(['a up', 9])
  })

  it('delivers what was sent before a stop, then the end of the connection', async () => {
    const [, a, b] = await threeNodes()
    a.send('b', 1)
    await turn()
    a.send('b', 2)
    await a.transport.stop()
    await turn()
    expect(b.told).toEqual(['a up', 1, 2, 'a reset'])
  })

  it('tells of a run whose end could not be seen when its next run is met', async () => {
    const [network, a, b] = await threeNodes()
    a.send('b', 1)
    await turn()
    network.partition(['a'], ['b'])
    await b.transport.stop()
    await turn()
    expect(a.told).toEqual(['b up'])
    network.heal()
    await start(network, 'b')
    a.send('b', 2)
    await turn()
    expect(a.told).toEqual(['b up', 'b reset', 'b up'])
  })

  it('refuses a second run of a running node, a used transport and that of another', async () => {
    const [network, a] = await threeNodes()
    await expect(start(network, 'a')).rejects.toMatchObject({ code: 'RAFT_INVALID_OPTION' })
    await expect(a.transport.start(a)).rejects.toMatchObject({ code: 'RAFT_INVALID_OPTION' })
    const other = new Node('x', network.transport('y'))
    await expect(other.transport.start(other)).rejects.toThrow(/transport of 'y' was given to node 'x'/)
    await a.transport.stop()
    await expect(start(network, 'a')).resolves.toBeDefined()
  })

  it.each([
    ['seed', { seed: 0.5 }],
    ['latencyMs', { latencyMs: -1 }],
    ['latencyMs', { latencyMs: [5, 4] as const }],
    ['lossRatio', { lossRatio: 1.1 }],
    ['lossRatio', { lossRatio: Number.NaN }],
  ])('refuses a wrong %s', (name, options) => {
    expect(() => new MemoryNetwork(options)).toThrow(new RegExp(`option ${name} is`))
  })
})
