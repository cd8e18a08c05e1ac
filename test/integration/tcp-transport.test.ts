// The life of TcpTransport on real sockets: listening, dialling, losing and finding peers, stopping.
import { createServer } from 'node:net'
import { encodeMessage } from 'helios-raft'
import { TcpTransport } from 'helios-raft/tcp'
import { afterEach, describe, expect, it, vi } from 'vitest'
import { bulk, control, frame, KIND, Node, Stranger, StrangeServer, until } from './tcp-support.js'

const cleanups: (() => unknown)[] = []

async function started(id: string, options?: ConstructorParameters<typeof Node>[1]): Promise<Node> {
  const node = new Node(id, options)
  await node.transport.start(node)
  cleanups.push(() => node.transport.stop())
  return node
}

afterEach(async () => {
  vi.useRealTimers()
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup()
})

describe('TcpTransport, listening', () => {
  it('says where it listens once it does', async () => {
    const transport = new TcpTransport({ listen: '127.0.0.1:0' })
    cleanups.push(() => transport.stop())
    expect(() => transport.address).toThrow(/await listen\(\) or start\(\) first/)
    const address = await transport.listen()
    expect(address).toMatch(/^127\.0\.0\.1:[1-9]\d*$/)
    expect(await transport.listen()).toBe(address)
    expect(transport.address).toBe(address)
  })

  it('says in one line that a port is taken, and can try again', async () => {
    const other = createServer()
    await new Promise<void>((resolve) => {
      other.listen(0, '127.0.0.1', resolve)
    })
    const bound = other.address()
    const port = typeof bound === 'object' && bound !== null ? bound.port : 0
    const node = new Node('a', { listen: `127.0.0.1:${port}` })
    cleanups.push(() => node.transport.stop())
    const expected = {
      code: 'RAFT_INVALID_OPTION',
      message: `Can't listen on 127.0.0.1:${port} (EADDRINUSE): the port is taken: stop the other program or choose another port.`,
      cause: expect.objectContaining({ code: 'EADDRINUSE' }),
    }
    await expect(node.transport.start(node)).rejects.toMatchObject(expected)
    await new Promise<void>((resolve) => {
      other.close(() => resolve())
    })
    await node.transport.start(node)
    expect(node.address).toBe(`127.0.0.1:${port}`)
  })

  it('turns away who dials before it is started', async () => {
    const a = new Node('a')
    cleanups.push(() => a.transport.stop())
    const early = await Stranger.to(await a.transport.listen())
    await until(() => early.isClosed, 'it is turned away')
  })

  it('warns when other machines can reach it', async () => {
    const warnings: string[] = []
    const onWarning = (warning: string): void => void warnings.push(warning)
    const transport = new TcpTransport({ listen: '0.0.0.0:0', insecure: true, onWarning })
    cleanups.push(() => transport.stop())
    expect(transport.isInsecure).toBe(true)
    await transport.listen()
    expect(warnings).toEqual([expect.stringMatching(/^0\.0\.0\.0:\d+ takes messages from every machine/)])
  })

  it('warns by the process when nobody else listens to warnings', async () => {
    const emitWarning = vi.spyOn(process, 'emitWarning').mockImplementation(() => undefined)
    try {
      const transport = new TcpTransport({ listen: '0.0.0.0:0', insecure: true })
      cleanups.push(() => transport.stop())
      await transport.listen()
      expect(emitWarning).toHaveBeenCalledExactlyOnceWith(expect.stringMatching(/takes messages/), 'HeliosRaftWarning')
    } finally {
      emitWarning.mockRestore()
    }
  })

  it('starts once', async () => {
    const a = await started('a')
    await expect(a.transport.start(a)).rejects.toThrow(/started twice/)
  })

  it('stops while it starts, and leaves the port free', async () => {
    const a = new Node('a')
    const starting = a.transport.start(a)
    await Promise.all([a.transport.stop(), expect(starting).rejects.toMatchObject({ code: 'RAFT_STOPPED' })])
    await expect(a.transport.start(a)).rejects.toMatchObject({ code: 'RAFT_STOPPED' })
    await expect(a.transport.listen()).rejects.toMatchObject({ code: 'RAFT_STOPPED' })
  })

  it('frees its port and ends every socket when it stops, half-open ones too', async () => {
    const a = await started('a')
    const { address } = a
    const halfOpen = await Stranger.to(address)
    const peer = await Stranger.accepted(a, 'b')
    await until(() => a.statuses.length === 1, 'b is up')
    await a.transport.stop()
    await until(() => halfOpen.isClosed && peer.isClosed, 'both are closed')
    const next = await started('a', { listen: address })
    expect(next.address).toBe(address)
  })

  it('ends what it dialled and what never said hello, when it stops', async () => {
    const server = await StrangeServer.listen()
    const a = await started('a')
    cleanups.push(() => server.close())
    a.transport.send({ id: 'b', address: server.address }, control(1))
    await until(() => server.accepted[0]?.kinds[0] === KIND.controlHello, 'a has said hello')
    await a.transport.stop()
    await until(() => server.accepted[0]?.isClosed === true, 'it is closed')
    expect(a.statuses).toEqual([])
    expect(server.accepted[0]?.kinds).toEqual([KIND.controlHello])
  })
})

describe('TcpTransport, connections', () => {
  it('dials again after a connection that was reset under its writes', async () => {
    const server = await StrangeServer.answering('b')
    const a = await started('a')
    cleanups.push(() => server.close())
    const b = { id: 'b', address: server.address }
    a.transport.send(b, control(1))
    await until(() => server.accepted[0]?.kinds.length === 3, 'the first message has come')
    // What a killed process leaves: the next writes fail.
    server.accepted[0]?.socket.resetAndDestroy()
    let number = 1
    const isDialledAgain = (): boolean => {
      a.transport.send(b, control((number += 1)))
      return server.accepted[1]?.kinds.includes(KIND.message) === true
    }
    await until(isDialledAgain, 'a message has come on another connection')
    expect(a.statuses.slice(0, 3)).toEqual(['b up', 'b reset', 'b up'])
  })

  it('dials only when there is something to send, once for each lane', async () => {
    const server = await StrangeServer.answering('b')
    const a = await started('a')
    cleanups.push(() => server.close())
    for (let number = 0; number < 10; number += 1)
      a.transport.send({ id: 'b', address: server.address }, control(number))
    await until(() => server.accepted[0]?.kinds.length === 12, 'hello, confirmation and ten messages have come')
    expect(server.accepted).toHaveLength(1)
    a.transport.send({ id: 'b', address: server.address }, bulk(1, 10))
    await until(() => server.accepted[1]?.kinds.length === 3, 'the bulk message has come on a connection of its own')
    expect(server.accepted.map(({ kinds }) => kinds[0])).toEqual([KIND.controlHello, KIND.bulkHello])
    expect(server.accepted[0]?.kinds.slice(1)).toEqual([KIND.pong, ...new Array<number>(10).fill(KIND.message)])
    expect(a.statuses).toEqual(['b up'])
  })

  it('puts the golden bytes of a message on the wire', async () => {
    const server = await StrangeServer.answering('b')
    const a = await started('a')
    cleanups.push(() => server.close())
    a.transport.send({ id: 'b', address: server.address }, control(5))
    await until(() => server.accepted[0]?.kinds.length === 3, 'the message has come')
    const golden = frame(KIND.message, encodeMessage(control(5)))
    expect(server.accepted[0]?.received.subarray(-golden.length)).toEqual(golden)
  })

  it('uses the connection that the peer has opened and does not dial it', async () => {
    const [a, b] = [await started('a'), await started('b')]
    a.send(b, control(1))
    await until(() => b.received.length === 1, 'b is reached')
    const dead = { id: 'a', address: '127.0.0.1:1' }
    b.transport.send(dead, control(2))
    await until(() => a.received.length === 1, 'a is answered')
    expect(b.transport.counters.failedDials).toBe(0)
  })

  it('gives a restarted peer the newer of its connections', async () => {
    const a = await started('a')
    const first = await Stranger.accepted(a, 'b')
    await until(() => a.statuses.length === 1, 'b is up')
    const second = await Stranger.accepted(a, 'b')
    await until(() => first.isClosed, 'the old connection is closed')
    a.transport.send({ id: 'b' }, control(1))
    a.transport.send({ id: 'b', address: '127.0.0.1:1' }, control(2))
    await until(() => second.kinds.filter((kind) => kind === KIND.message).length === 2, 'the new one is used')
    expect(a.statuses).toEqual(['b up'])
    second.socket.destroy()
    await until(() => a.statuses.length === 2, 'the node is told')
    expect(a.statuses).toEqual(['b up', 'b reset'])
  })

  it.each(['destroy', 'resetAndDestroy'] as const)(
    'says reset at once and once when a process is killed (%s)',
    async (how) => {
      const a = await started('a')
      const both = [await Stranger.accepted(a, 'b', 'control'), await Stranger.accepted(a, 'b', 'bulk')]
      await until(() => a.statuses.length === 1, 'b is up')
      for (const { socket } of both) socket[how]()
      const c = await Stranger.accepted(a, 'c')
      await until(() => a.statuses.includes('c up'), 'something later was told')
      expect(a.statuses.filter((status) => status.startsWith('b'))).toEqual(['b up', 'b reset'])
      c.socket.destroy()
    },
  )

  it('follows a member to another address', async () => {
    const [a, old] = [await started('a'), await started('b')]
    a.send(old, control(1))
    await until(() => old.received.length === 1, 'the old place is reached')
    const moved = await started('b')
    await until(() => {
      a.send(moved, control(2))
      return moved.received.length > 0
    }, 'the new place is reached')
    expect(old.received).toEqual(['a readIndexRequest 1'])
    expect(a.statuses.slice(0, 2)).toEqual(['b up', 'b closed'])
  })

  it('dials a dead address again only after a pause, and drops what waited', async () => {
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'performance'] })
    const a = await started('a')
    const gone = new Node('b')
    const address = await gone.transport.listen()
    await gone.transport.stop()
    for (let number = 0; number < 1000; number += 1) a.transport.send({ id: 'b', address }, control(number))
    await until(() => a.transport.counters.failedDials === 1, 'the dial has failed')
    expect(a.transport.counters.droppedMessages).toBe(1000)
    expect(a.warnings).toEqual([expect.stringMatching(/'b' at 127\.0\.0\.1:\d+ was given up: ECONNREFUSED/)])
    a.transport.send({ id: 'b', address }, control(1))
    a.transport.send({ id: 'b', address }, control(2))
    for (let turn = 0; turn < 200; turn += 1) await new Promise((resolve) => setImmediate(resolve))
    expect(a.transport.counters.failedDials).toBe(1)
    vi.advanceTimersByTime(50)
    await until(() => a.transport.counters.failedDials === 2, 'it was tried again by itself')
    expect(a.transport.counters.droppedMessages).toBe(1002)
  })

  it('drops the newest bulk beyond its budget while it dials, and no control', async () => {
    const a = await started('a', { maxFrameBytes: 1024 * 1024, maxQueuedBytes: 1024 * 1024 })
    const b = await started('b')
    for (let number = 1; number <= 20; number += 1) a.send(b, bulk(number, 100 * 1024))
    expect(a.transport.counters.droppedMessages).toBe(10)
    a.send(b, control(99))
    await until(() => b.received.length === 11, 'what was within the budget has come')
    const bulkSeen = b.received.filter((each) => each.includes('proposeRequest'))
    expect(bulkSeen).toEqual(Array.from({ length: 10 }, (_, place) => `a proposeRequest ${place + 1}`))
    expect(b.received).toContain('a readIndexRequest 99')
    expect(a.transport.counters.droppedMessages).toBe(10)
  })

  it('delivers what was sent just before it stopped', async () => {
    const [a, b] = [await started('a'), await started('b')]
    a.send(b, control(1))
    await until(() => b.received.length === 1, 'they are connected')
    for (let number = 2; number <= 100; number += 1) a.send(b, control(number))
    await a.transport.stop()
    await until(() => b.statuses.includes('a reset'), 'b is told')
    expect(b.received).toHaveLength(100)
  })

  it('sends what was sent in one turn in few pieces', async () => {
    const a = await started('a')
    const peer = await Stranger.accepted(a, 'b')
    await until(() => a.statuses.length === 1, 'b is up')
    peer.chunks = 0
    for (let number = 0; number < 200; number += 1) a.transport.send({ id: 'b' }, control(number))
    await until(() => peer.kinds.length === 200, 'all have come')
    expect(peer.chunks).toBeLessThan(10)
    peer.socket.destroy()
  })

  it('counts what it cannot send and goes on', async () => {
    const [a, b] = [await started('a', { maxFrameBytes: 4096 }), await started('b')]
    a.send(b, bulk(1, 4096))
    a.send(b, { type: 'readIndexRequest', term: -1, boot: 1, number: 2, byLease: false })
    a.transport.send({ id: 'nobody' }, control(3))
    a.transport.send({ id: 'b', address: 'no address' }, control(4))
    a.transport.send({ id: 'b', address: '127.0.0.1:0' }, control(5))
    expect(a.transport.counters).toMatchObject({ unsendableMessages: 2, droppedMessages: 3, failedDials: 2 })
    a.send(b, control(6))
    await until(() => b.received.length > 0, 'the next one arrives')
    expect(b.received).toEqual(['a readIndexRequest 6'])
  })
})
