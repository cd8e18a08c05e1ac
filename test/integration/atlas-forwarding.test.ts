// Writes through a node that does not lead, while the leader is killed and leadership moves again and again: the node sends
// again what was caught, so its clients notice nothing but the time, and nothing is applied twice (F16, F18).
import { afterEach, describe, expect, it } from 'vitest'
import { COMMAND_BYTES } from '../../examples/atlas-kv/src/resp/limits.js'
import { commandSize } from '../../examples/atlas-kv/src/state-machine/command-codec.js'
import { type Reply, RespClient } from '../../examples/atlas-kv/src/tools/resp-client.js'
import { AtlasCluster, cleanUp, poll } from './atlas-process.js'

const CLIENTS = 8
/** INCRs that each of them has under way at a time. */
const DEPTH = 4

/** A client that counts on a key of its own: whatever is lost, doubled or out of order shows in a reply. */
class CountingClient {
  readonly key: string
  count = 0
  isOver = false
  readonly running: Promise<void>

  constructor(key: string, port: number) {
    this.key = key
    this.running = this.#run(port)
  }

  async #run(port: number): Promise<void> {
    const client = await RespClient.connect(port)
    while (!this.isOver) {
      const replies = await Promise.all(Array.from({ length: DEPTH }, () => client.call('INCR', this.key)))
      expect(replies).toEqual(Array.from({ length: DEPTH }, (_, i): Reply => this.count + i + 1))
      this.count += DEPTH
    }
    client.close()
  }
}

describe('writes through a follower', () => {
  afterEach(cleanUp)

  it('are each acknowledged and counted once, though the leader is killed and moved', {
    timeout: 120_000,
  }, async () => {
    const cluster = await AtlasCluster.start()
    await cluster.join('node-4', cluster.node('node-1').resp)
    const port = cluster.node('node-4').resp
    const operator = await RespClient.connect(port)
    // A learner never leads.
    expect(await operator.call('RAFT', 'DEMOTE', 'node-4')).toBe('OK')
    const clients = Array.from({ length: CLIENTS }, (_, i) => new CountingClient(`n-${i}`, port))
    const failed = Promise.all(clients.map(({ running }) => running)).then(() => {})
    const progress = async (): Promise<void> => {
      const targets = clients.map(({ count }) => count + 2 * DEPTH)
      await Promise.race([failed, poll(async () => clients.every(({ count }, i) => count >= (targets[i] ?? 0)))])
    }
    for (let round = 0; round < 2; round++) {
      await progress()
      const leader = await cluster.leader()
      await cluster.kill(leader)
      await progress()
      cluster.startNode(leader)
      await cluster.ready()
      for (const { id } of cluster.nodes.slice(0, 3)) {
        await operator.call('RAFT', 'TRANSFER', id)
        await progress()
      }
    }
    for (const client of clients) client.isOver = true
    await failed
    const voter = await RespClient.connect(cluster.node('node-1').resp)
    for (const { key, count } of clients) expect(await voter.call('GET', key)).toBe(String(count))
    expect(await operator.call('INFO', 'replication')).toContain('role:slave')
    voter.close()
    operator.close()
  })

  it('are as large, and answered as exactly, as on the leader', { timeout: 60_000 }, async () => {
    const cluster = await AtlasCluster.start()
    const command = { type: 'set', key: 'large', condition: 'always', expiry: null, returnPrevious: true } as const
    const room = COMMAND_BYTES - commandSize({ ...command, value: new Uint8Array(0) })
    const large = 'x'.repeat(room - 8)
    expect(commandSize({ ...command, value: Buffer.from(large) })).toBeGreaterThan(COMMAND_BYTES - 16)
    for (const { id, resp, http } of cluster.nodes) {
      const client = await RespClient.connect(resp)
      const lines = ['SET n 9223372036854775806', 'INCR n', 'INCR n', 'SET n 1 GET', 'SET n 2 GET', 'INCR n']
      const replies = await Promise.all(lines.map((line) => client.call(...line.split(' '))))
      // The client of the tests reads numbers: this one as the nearest that it has.
      expect(replies.slice(0, 2)).toEqual(['OK', 2 ** 63])
      expect(String(replies[2])).toBe('Error: ERR increment or decrement would overflow')
      expect(replies.slice(3)).toEqual(['9223372036854775807', '1', 3])
      await client.call('DEL', 'large')
      expect(await client.call('SET', 'large', large, 'GET')).toBe(null)
      expect(await client.call('SET', 'large', large, 'GET')).toBe(large)
      const request = { method: 'PUT', body: JSON.stringify({ value: large }), headers: { 'Idempotency-Key': id } }
      expect((await fetch(`http://127.0.0.1:${http}/kv/large`, request)).status).toBe(200)
      client.close()
    }
  })
})
