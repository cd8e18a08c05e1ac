// What strangers, broken peers and dead ones can do to a node over TCP: nothing (security.md, promises 3 and 5).
import { encodeMessage } from 'helios-raft'
import { afterEach, describe, expect, it, vi } from 'vitest'
import { bulk, control, frame, hello, KIND, Node, Stranger, StrangeServer, until } from './tcp-support.js'

const cleanups: (() => unknown)[] = []

async function started(id: string, options?: ConstructorParameters<typeof Node>[1]): Promise<Node> {
  const node = new Node(id, options)
  await node.transport.start(node)
  cleanups.push(() => node.transport.stop())
  return node
}

async function stranger(node: Node): Promise<Stranger> {
  const each = await Stranger.to(node.address)
  cleanups.push(() => each.socket.destroy())
  return each
}

async function accepted(node: Node, id: string, lane?: 'control' | 'bulk'): Promise<Stranger> {
  const each = await Stranger.accepted(node, id, lane)
  cleanups.push(() => each.socket.destroy())
  return each
}

async function server(id: string | null): Promise<StrangeServer> {
  const each = await (id === null ? StrangeServer.listen() : StrangeServer.answering(id))
  cleanups.push(() => each.close())
  return each
}

/** Only the sweeps: what is real goes on meanwhile. */
function holdSweeps(): void {
  vi.useFakeTimers({ toFake: ['setInterval', 'clearInterval'] })
}

/** One sweep after the other, with time for what they cause. */
async function sweep(count: number): Promise<void> {
  for (let done = 0; done < count; done += 1) {
    vi.advanceTimersByTime(500)
    for (let turn = 0; turn < 5; turn += 1) await new Promise((resolve) => setImmediate(resolve))
  }
}

afterEach(async () => {
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup()
  vi.useRealTimers()
})

describe('TcpTransport and strangers', () => {
  it.each([
    ['HTTP', Buffer.from('GET / HTTP/1.1\r\nHost: x\r\n\r\n'), /it begins with 0x4745, which is not ours/],
    ['zeros', Buffer.alloc(100), /it begins with 0x0000/],
    ['a message before the hello', frame(KIND.message, encodeMessage(control(1))), /a message came before the hello/],
    ['a ping before the hello', frame(KIND.ping), /a ping came before the hello/],
    ['a refusal before the hello', frame(KIND.refused), /a refusal came before the hello/],
    ['a broken CRC', Buffer.concat([hello('n').subarray(0, -1), Buffer.from('!')]), /its CRC is/],
  ])('closes the connection of who sends %s', async (_, bytes, reason) => {
    const a = await started('a')
    const attacker = await stranger(a)
    attacker.socket.write(bytes)
    await until(() => attacker.isClosed, 'the stranger is cut off')
    expect(attacker.received).toHaveLength(0)
    expect(a.transport.counters.rejectedFrames).toBe(1)
    expect(a.warnings).toEqual([expect.stringMatching(reason)])
    expect([a.received, a.statuses]).toEqual([[], []])
  })

  it('closes on the header alone when more than 512 bytes are claimed before the hello (H91)', async () => {
    const a = await started('a')
    const attacker = await stranger(a)
    attacker.socket.write(frame(KIND.controlHello, Buffer.alloc(513)).subarray(0, 12))
    await until(() => attacker.isClosed, 'the stranger is cut off')
    expect(a.warnings).toEqual([expect.stringMatching(/it claims 513 bytes, 512 are allowed here/)])
  })

  it('closes on the header alone when a peer claims more than a frame may have (H91)', async () => {
    const a = await started('a', { maxFrameBytes: 4096 })
    const peer = await accepted(a, 'b')
    const tooLong = frame(KIND.message, Buffer.alloc(4096 - 12 + 1)).subarray(0, 12)
    peer.socket.write(tooLong)
    await until(() => peer.isClosed, 'the peer is cut off')
    expect(a.warnings).toEqual([expect.stringMatching(/it claims 4085 bytes, 4084 are allowed here/)])
    await until(() => a.statuses.length === 2, 'the node is told')
    expect(a.statuses).toEqual(['b up', 'b closed'])
  })

  it('closes a peer whose message is none, and no other (H103)', async () => {
    const a = await started('a')
    const broken = await accepted(a, 'constructor')
    const healthy = await accepted(a, '__proto__')
    broken.socket.write(frame(KIND.message, Buffer.from([1, 99, 0, 0, 0, 0, 0, 0])))
    await until(() => broken.isClosed, 'the broken peer is cut off')
    healthy.socket.write(frame(KIND.message, encodeMessage(control(5))))
    await until(() => a.received.length === 1, 'the other peer is heard')
    expect(a.received).toEqual(['__proto__ readIndexRequest 5'])
    expect(a.statuses).toEqual(['constructor up', '__proto__ up', 'constructor closed'])
    expect(a.warnings).toEqual([expect.stringMatching(/'constructor' at 127\.0\.0\.1:\d+ .*its type 99 is unknown/)])
  })

  it('refuses a hello with the code of the error and nothing else', async () => {
    const a = await started('a')
    a.refused.add('b')
    const attacker = await stranger(a)
    attacker.socket.write(Buffer.concat([hello('b'), frame(KIND.message, encodeMessage(control(1)))]))
    await until(() => attacker.isClosed, 'the stranger is cut off')
    expect(attacker.received).toEqual(frame(KIND.refused, Buffer.from('RAFT_IDENTITY')))
    expect([a.received, a.statuses]).toEqual([[], []])
    expect(a.transport.counters.rejectedHellos).toBe(1)
  })

  it('refuses who calls itself as this node', async () => {
    const a = await started('a')
    const attacker = await stranger(a)
    attacker.socket.write(hello('a'))
    await until(() => attacker.isClosed, 'the stranger is cut off')
    expect(a.warnings).toEqual([expect.stringMatching(/calls itself 'a', as this node does/)])
  })

  it('counts nobody up whose hello is good and who never confirms ours', async () => {
    const a = await started('a')
    const attacker = await stranger(a)
    attacker.socket.write(hello('b'))
    await until(() => attacker.received.length > 0, 'the node has said hello')
    attacker.socket.destroy()
    const peer = await accepted(a, 'c')
    await until(() => a.statuses.length > 0, 'the next peer is up')
    expect(a.statuses).toEqual(['c up'])
    peer.socket.destroy()
  })

  it('does not take a peer for lost because somebody else began to speak in its name', async () => {
    const a = await started('a')
    await accepted(a, 'b')
    await until(() => a.statuses.length === 1, 'b is up')
    const attacker = await stranger(a)
    attacker.socket.write(hello('b'))
    await until(() => attacker.received.length > 0, 'the node has said hello')
    attacker.socket.destroy()
    await until(() => attacker.isClosed, 'the stranger is gone')
    await accepted(a, 'c')
    await until(() => a.statuses.length === 2, 'something later was told')
    expect(a.statuses).toEqual(['b up', 'c up'])
  })

  it('lives on when strangers go away in the middle of their hello, and keeps no place for them', async () => {
    const a = await started('a')
    const whole = hello('b')
    // Twice as many as one address has places for.
    for (let cut = 0; cut < 16; cut++) {
      const stranger = await Stranger.to(a.address)
      stranger.socket.write(whole.subarray(0, cut))
      if (cut % 2 === 0) stranger.socket.resetAndDestroy()
      else stranger.socket.end()
      await until(() => stranger.isClosed, 'it is gone')
    }
    await Stranger.accepted(a, 'b')
    await until(() => a.statuses.length === 1, 'b is up')
    expect(a.statuses).toEqual(['b up'])
  })

  it('cuts off who says no whole hello within five seconds (slow loris)', async () => {
    holdSweeps()
    const a = await started('a')
    const attacker = await stranger(a)
    const bytes = hello('b')
    for (let second = 0; second < 9; second += 1) {
      attacker.socket.write(bytes.subarray(second, second + 1))
      await sweep(1)
    }
    expect(attacker.isClosed).toBe(false)
    await sweep(1)
    await until(() => attacker.isClosed, 'the stranger is cut off')
    expect(a.transport.counters.lateHellos).toBe(1)
  })

  it('gives one address eight places for who has not said hello, and takes them back', async () => {
    holdSweeps()
    const a = await started('a')
    const silent = await Promise.all(Array.from({ length: 8 }, () => stranger(a)))
    const ninth = await stranger(a)
    await until(() => ninth.isClosed, 'the ninth is refused')
    expect(a.transport.counters.rejectedConnections).toBe(1)
    expect(silent.some(({ isClosed }) => isClosed)).toBe(false)
    await sweep(10)
    await until(() => silent.every(({ isClosed }) => isClosed), 'the eight are cut off')
    await accepted(a, 'b')
  })
})

describe('TcpTransport and wrong peers', () => {
  it('sends nothing to a node that is not the one dialled: swapped addresses (H47)', async () => {
    const [a, b, c] = [await started('a'), await started('b'), await started('c')]
    a.transport.send({ id: 'b', address: c.address }, control(1))
    await until(() => a.transport.counters.rejectedHellos === 1, 'a has refused c')
    await until(() => c.transport.counters.refusedByPeers === 1, 'c was told')
    expect(a.warnings).toEqual([
      expect.stringMatching(/the node at 127\.0\.0\.1:\d+ is 'c', not 'b': check the addresses/),
    ])
    expect([b.received, c.received, a.statuses, c.statuses]).toEqual([[], [], [], []])
  })

  it('learns by its code why a peer refuses it', async () => {
    const [a, b] = [await started('a'), await started('b')]
    b.refused.add('a')
    a.send(b, control(1))
    await until(() => a.transport.counters.refusedByPeers === 1, 'a was refused')
    expect(a.warnings).toEqual([expect.stringMatching(/'b' at .* refused our hello with RAFT_IDENTITY/)])
    expect([a.statuses, b.statuses, b.received]).toEqual([[], [], []])
  })

  it('keeps a bounded queue for a peer that never reads (H93)', async () => {
    const a = await started('a', { maxFrameBytes: 1024 * 1024, maxQueuedBytes: 4 * 1024 * 1024 })
    const deaf = await server('b')
    const healthy = await started('c')
    a.transport.send({ id: 'b', address: deaf.address }, bulk(0, 1))
    await until(() => a.statuses.includes('b up'), 'b is up')
    for (const { socket } of deaf.accepted) socket.pause()
    const message = bulk(1, 256 * 1024)
    const before = process.memoryUsage().arrayBuffers
    let grownBytes = 0
    for (let round = 0; round < 40; round += 1) {
      for (let count = 0; count < 40; count += 1) {
        a.transport.send({ id: 'b', address: deaf.address }, message)
        a.transport.send({ id: 'b', address: deaf.address }, control(count))
      }
      a.send(healthy, control(round))
      await new Promise((resolve) => setImmediate(resolve))
      grownBytes = Math.max(grownBytes, process.memoryUsage().arrayBuffers - before)
    }
    // 400 MiB were offered. What the queue holds is bounded; the rest is garbage of messages that were dropped.
    expect(a.transport.counters.droppedMessages).toBeGreaterThan(1400)
    expect(grownBytes).toBeLessThan(200 * 1024 * 1024)
    await until(() => healthy.received.length === 40, 'the other peer has got everything')
    expect(a.statuses).not.toContain('b closed')
  })

  it('closes a connection that died without a word, and dials again (H95)', async () => {
    holdSweeps()
    const a = await started('a')
    const dead = await server('b')
    a.transport.send({ id: 'b', address: dead.address }, control(1))
    await until(() => a.statuses.length === 1, 'b is up')
    for (const { socket } of dead.accepted) socket.removeAllListeners('data').pause()
    await sweep(12)
    expect(a.statuses).toEqual(['b up'])
    await sweep(1)
    await until(() => a.statuses.length === 2, 'the node is told')
    expect(a.statuses).toEqual(['b up', 'b closed'])
    expect(a.transport.counters.silentPeers).toBe(1)
    await until(() => {
      a.transport.send({ id: 'b', address: dead.address }, control(2))
      return a.statuses.length === 3
    }, 'b is up again')
    expect(dead.accepted).toHaveLength(2)
  })

  it('asks a silent peer for a sign of life, and keeps one that answers', async () => {
    holdSweeps()
    const [a, b] = [await started('a'), await started('b')]
    a.send(b, control(1))
    a.send(b, bulk(2, 10))
    await until(() => b.received.length === 2, 'b has got both')
    await sweep(60)
    a.send(b, control(3))
    a.send(b, bulk(4, 10))
    await until(() => b.received.length === 4, 'b has got the others')
    expect([a.statuses, b.statuses]).toEqual([['b up'], ['a up']])
    expect(a.transport.counters.silentPeers + b.transport.counters.silentPeers).toBe(0)
  })
})
