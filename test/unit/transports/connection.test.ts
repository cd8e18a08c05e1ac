// What a Connection does that real sockets can't show at will: here the kernel never takes a byte.
import type { Socket } from 'node:net'
import { Duplex } from 'node:stream'
import { describe, expect, it } from 'vitest'
import { Connection, type ConnectionOwner, type Ending } from '../../../src/transports/tcp/connection.js'
import { makeFrame } from '../../../src/transports/tcp/frame.js'
import { MAX_QUEUED_BEFORE_PONG_BYTES } from '../../../src/transports/tcp/limits.js'

/** Takes what is written and never says that it has left. */
class StuckSocket extends Duplex {
  readonly remoteAddress = '10.0.0.1'
  readonly remotePort = 7
  override _read(): void {}
  override _write(): void {}
  override _writev(): void {}
}

function connection(): { socket: StuckSocket; connection: Connection; endings: Ending[] } {
  const socket = new StuckSocket()
  const endings: Ending[] = []
  const owner: ConnectionOwner = {
    maxPayloadBytes: 1000,
    ownHello: () => new Uint8Array(10),
    accept: () => 'b',
    onEstablished: () => undefined,
    onMessage: () => undefined,
    onEnded: (_, ending) => void endings.push(ending),
  }
  return { socket, connection: new Connection(socket as unknown as Socket, null, owner), endings }
}

const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve))

describe('Connection', () => {
  it('piles up no answers for a peer that pings and never reads (H93)', async () => {
    const { socket, connection: each } = connection()
    socket.push(makeFrame('controlHello', new Uint8Array(5)))
    const pings = Buffer.concat(Array.from({ length: 1000 }, () => makeFrame('ping')))
    for (let round = 0; round < 20; round += 1) {
      socket.push(pings)
      await turn()
    }
    expect(each.isEstablished).toBe(true)
    expect(each.queuedBytes).toBeGreaterThan(MAX_QUEUED_BEFORE_PONG_BYTES / 2)
    expect(each.queuedBytes).toBeLessThanOrEqual(MAX_QUEUED_BEFORE_PONG_BYTES + 12)
  })

  it('counts what it holds and what the kernel has not taken as queued', async () => {
    const { connection: each } = connection()
    each.send(new Uint8Array(100))
    expect(each.queuedBytes).toBe(100)
    await turn()
    each.send(new Uint8Array(30))
    expect(each.queuedBytes).toBe(130)
  })

  it.each([
    ['ECONNRESET', 'reset'],
    ['EPIPE', 'reset'],
    ['ETIMEDOUT', 'closed'],
    ['EHOSTUNREACH', 'closed'],
  ] as const)('tells an end by the peer from one by the network: %s is %s', async (code, status) => {
    const { socket, endings } = connection()
    socket.destroy(Object.assign(new Error(code), { code }))
    await turn()
    expect(endings).toEqual([{ status, counter: null, reason: code }])
  })
})
