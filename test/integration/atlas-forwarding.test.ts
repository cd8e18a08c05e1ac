// Writes through a node that does not lead, while the leader is killed and leadership moves again and again: the node sends
// again what was caught, so its clients notice nothing but the time, and nothing is applied twice (F16, F18).
import { afterEach, describe, expect, it } from 'vitest'
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
    for (let round = 0; round < 3; round++) {
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
})
