import { describe, expect, it } from 'vitest'
import type { Message } from '../../../src/core/messages.js'
import type { TransportLocal } from '../../../src/interfaces/transport.js'
import { SimulationRandom } from '../../../src/testing/prng.js'
import { ProcessGate } from '../../../src/testing/process-gate.js'
import { Timeline } from '../../../src/testing/timeline.js'
import {
  CALM_LINKS,
  type LinkFaults,
  VirtualNetwork,
  type VirtualTransport,
} from '../../../src/testing/virtual-network.js'

const vote = (term: number): Message => ({
  type: 'requestVote',
  term,
  lastLogIndex: 0,
  lastLogTerm: 0,
  leadershipTransfer: false,
})

class Lab {
  readonly timeline = new Timeline()
  readonly refused: string[] = []
  readonly faults: string[] = []
  readonly network = new VirtualNetwork({
    timeline: this.timeline,
    random: new SimulationRandom(5n),
    watch: {
      onHello: (by, other, error) => {
        if (error !== null) this.refused.push(`${by.id} refused ${other.id}`)
      },
      onFault: (name) => this.faults.push(name),
    },
  })
  readonly seen: string[] = []

  constructor(links: Partial<LinkFaults> = {}) {
    this.network.setLinks({ ...CALM_LINKS, ...links })
  }

  join(
    id: string,
    accept: (hello: Uint8Array) => string = (hello) => new TextDecoder().decode(hello),
  ): VirtualTransport {
    const transport = this.network.transport(id, new ProcessGate(this.timeline))
    const local: TransportLocal = {
      id,
      clusterId: 'lab',
      storeId: id,
      hello: new TextEncoder().encode(id),
      accept,
      receive: (from, message) => this.seen.push(`${from}>${id} ${message.term}`),
      peerStatus: (peer, status) => this.seen.push(`${id}: ${peer} ${status}`),
    }
    void transport.start(local)
    return transport
  }

  send(from: VirtualTransport, to: string, message: Message): void {
    from.send({ id: to, address: VirtualNetwork.addressOf(to) }, message)
  }

  run(): string[] {
    while (this.timeline.step(Number.POSITIVE_INFINITY));
    return this.seen.splice(0)
  }
}

const messagesOf = (seen: readonly string[]): string[] => seen.filter((line) => line.includes('>'))

describe('VirtualNetwork', () => {
  it('lets both ends check each other before the first message, once for each connection', () => {
    const lab = new Lab()
    const [a] = [lab.join('a'), lab.join('b')]
    lab.send(a as VirtualTransport, 'b', vote(1))
    expect(lab.run()).toEqual(['b: a up', 'a>b 1', 'a: b up'])
    lab.send(a as VirtualTransport, 'b', vote(2))
    expect(lab.run()).toEqual(['a>b 2'])
  })

  it('delivers nothing over a connection that one end refuses', () => {
    const lab = new Lab()
    const a = lab.join('a')
    lab.join('b', () => {
      throw new Error('another cluster')
    })
    lab.send(a, 'b', vote(1))
    expect(lab.run()).toEqual([])
    expect(lab.refused).toEqual(['b refused a'])
  })

  it('carries messages by value', () => {
    const timeline = new Timeline()
    const network = new VirtualNetwork({ timeline, random: new SimulationRandom(1n) })
    const received: Message[] = []
    const create = (id: string): VirtualTransport => {
      const transport = network.transport(id, new ProcessGate(timeline))
      const hello = new TextEncoder().encode(id)
      const accept = (bytes: Uint8Array): string => new TextDecoder().decode(bytes)
      const receive = (_from: string, message: Message): void => void received.push(message)
      void transport.start({ id, clusterId: 'lab', storeId: id, hello, accept, receive, peerStatus: () => {} })
      return transport
    }
    const [a] = [create('a'), create('b')]
    const data = Uint8Array.of(1, 2, 3)
    a?.send(
      { id: 'b', address: VirtualNetwork.addressOf('b') },
      { type: 'proposeRequest', term: 1, boot: 1, number: 1, entryType: 'command', commands: [data] },
    )
    data.fill(9)
    while (timeline.step(Number.POSITIVE_INFINITY));
    expect(received).toMatchObject([{ commands: [Uint8Array.of(1, 2, 3)] }])
  })

  it('answers without an address on the connection by which the peer last spoke, and not without one', () => {
    const lab = new Lab()
    const [a, b] = [lab.join('a'), lab.join('b')]
    b.send({ id: 'a' }, vote(1))
    expect(lab.run()).toEqual([])
    lab.send(a, 'b', vote(2))
    lab.run()
    b.send({ id: 'a' }, vote(3))
    expect(lab.run()).toEqual(['b>a 3'])
  })

  it('keeps the order of a link when told so, and mixes it up otherwise', () => {
    const numbers = Array.from({ length: 30 }, (_, at) => at + 1)
    const orderOf = (keepsOrder: boolean): number[] => {
      const lab = new Lab({ keepsOrder, latencyMs: [1, 50] })
      const [a] = [lab.join('a'), lab.join('b')]
      for (const number of numbers) lab.send(a as VirtualTransport, 'b', vote(number))
      return messagesOf(lab.run()).map((line) => Number(line.split(' ')[1]))
    }
    expect(orderOf(true)).toEqual(numbers)
    expect(orderOf(false)).not.toEqual(numbers)
    expect(orderOf(false).sort((one, other) => one - other)).toEqual(numbers)
  })

  it('loses and duplicates about as many messages as drawn, and never one that it was not given', () => {
    const lab = new Lab({ lossRatio: 0.3, duplicateRatio: 0.2 })
    const [a] = [lab.join('a'), lab.join('b')]
    for (let number = 1; number <= 1_000; number++) lab.send(a as VirtualTransport, 'b', vote(number))
    const arrived = messagesOf(lab.run())
    expect(arrived.length).toBeGreaterThan(750)
    expect(arrived.length).toBeLessThan(930)
    expect(new Set(arrived).size).toBeLessThan(arrived.length)
  })

  it('loses messages with entries more often when told so, and no others', () => {
    const lab = new Lab({ bulkLossRatio: 1 })
    const [a] = [lab.join('a'), lab.join('b')]
    const entry = { index: 1, term: 1, type: 'noop', timestamp: 0, data: new Uint8Array(0) } as const
    const append = {
      type: 'appendEntries',
      term: 7,
      addedAt: 0,
      prevLogIndex: 0,
      prevLogTerm: 0,
      leaderCommit: 0,
    } as const
    lab.send(a as VirtualTransport, 'b', { ...append, entries: [entry] })
    lab.send(a as VirtualTransport, 'b', { ...append, entries: [] })
    expect(messagesOf(lab.run())).toEqual(['a>b 7'])
    expect(lab.faults).toEqual(['bulkLoss'])
  })

  it('cuts one way only, and lets what is under way arrive', () => {
    const lab = new Lab()
    const [a, b] = [lab.join('a'), lab.join('b')]
    lab.send(a, 'b', vote(1))
    lab.network.cut('a', 'b')
    lab.send(a, 'b', vote(2))
    lab.send(b, 'a', vote(3))
    expect(messagesOf(lab.run()).sort()).toEqual(['a>b 1', 'b>a 3'])
    lab.network.heal()
    lab.send(a, 'b', vote(4))
    expect(messagesOf(lab.run())).toEqual(['a>b 4'])
  })

  it('lets only nodes of one group reach each other, and a node in no group nobody', () => {
    const lab = new Lab()
    const nodes = ['a', 'b', 'c', 'd'].map((id) => lab.join(id))
    lab.network.partition([['a', 'b'], ['c']])
    for (const node of nodes) for (const to of ['a', 'b', 'c', 'd']) if (to !== node.id) lab.send(node, to, vote(1))
    expect(messagesOf(lab.run()).sort()).toEqual(['a>b 1', 'b>a 1'])
  })

  it('tells both ends of a reset, and connects anew with the next message', () => {
    const lab = new Lab()
    const [a] = [lab.join('a'), lab.join('b')]
    lab.send(a as VirtualTransport, 'b', vote(1))
    lab.run()
    lab.network.reset('a', 'b')
    expect(lab.run().sort()).toEqual(['a: b reset', 'b: a reset'])
    lab.send(a as VirtualTransport, 'b', vote(2))
    expect(lab.run()).toEqual(['b: a up', 'a>b 2', 'a: b up'])
  })

  it('keeps packets of a dead process from opening a connection, but not from arriving by an open one', () => {
    const lab = new Lab({ latencyMs: [5, 5] })
    const [a] = [lab.join('a'), lab.join('b'), lab.join('c')]
    lab.send(a as VirtualTransport, 'b', vote(1))
    lab.run()
    for (let number = 2; number < 40; number++) {
      lab.send(a as VirtualTransport, 'b', vote(number))
      lab.send(a as VirtualTransport, 'c', vote(number))
    }
    a?.gate.kill()
    lab.network.crash(a as VirtualTransport)
    const arrived = messagesOf(lab.run())
    expect(arrived.every((line) => line.startsWith('a>b'))).toBe(true)
    expect(arrived.length).toBeGreaterThan(5)
    // The tail of the connection is lost in part.
    expect(arrived.length).toBeLessThan(33)
  })

  it('sends and receives nothing after stop', async () => {
    const lab = new Lab()
    const [a, b] = [lab.join('a'), lab.join('b')]
    lab.send(a, 'b', vote(1))
    lab.run()
    await b.stop()
    expect(lab.run()).toEqual(['a: b reset'])
    lab.send(a, 'b', vote(2))
    lab.send(b, 'a', vote(3))
    expect(lab.run()).toEqual([])
  })
})
