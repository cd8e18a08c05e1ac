// Reads by lease on whole nodes (F20): what travels, what is stored, and what becomes of a query that outlives its lease.
import { afterEach, describe, expect, test } from 'vitest'
import { bytes, errorOf, TestCluster, type TestClusterOptions } from './harness.js'

let cluster: TestCluster
/** A cluster whose leader holds a lease. */
const begin = async (options: TestClusterOptions = {}): Promise<TestCluster> => {
  cluster = new TestCluster(options)
  await cluster.start()
  await cluster.settled(cluster.leader.read(() => 1, { consistency: 'lease' }))
  await cluster.runUntil(() => cluster.leader.status().leaseRemainingMs > 0)
  return cluster
}
afterEach(() => cluster.stop())

const typesSince = (count: number): string[] => cluster.network.sent.slice(count).map(({ message }) => message.type)

describe('a read by lease', () => {
  test('sends nothing on the leader, and asks the leader alone on a follower', async () => {
    await begin()
    const { leader } = cluster
    const [follower] = cluster.followers
    await cluster.clock.run(5)
    let sent = cluster.network.sent.length
    const own = leader.read(() => cluster.machine(leader.id).total, { consistency: 'lease' })
    await cluster.clock.run(0)
    expect(await own).toMatchObject({ value: 0 })
    expect(typesSince(sent)).toEqual([])
    sent = cluster.network.sent.length
    const other = follower!.read(() => 1, { consistency: 'lease' })
    await cluster.clock.run(4)
    expect(await other).toMatchObject({ value: 1 })
    expect(typesSince(sent)).not.toContain('heartbeat')
    expect(typesSince(sent)).toEqual(expect.arrayContaining(['readIndexRequest', 'readIndexResponse']))
  })

  test('sees every write that was acknowledged before it began, on each node', async () => {
    await begin()
    for (let value = 1; value <= 5; value++) {
      await cluster.settled(cluster.leader.propose(bytes(value)))
      const expected = (value * (value + 1)) / 2
      for (const [id, node] of cluster.nodes) {
        const read = await cluster.settled(node.read(() => cluster.machine(id).total, { consistency: 'lease' }))
        expect(read.value).toBe(expected)
      }
    }
  })

  test('is not served by a leader whose lease is over, whatever its role says (H68)', async () => {
    await begin()
    const { leader } = cluster
    cluster.network.isolate(leader.id)
    await cluster.runUntil(() => leader.status().leaseRemainingMs === 0)
    expect(leader.isLeader).toBe(true)
    const read = leader.read(() => 1, { consistency: 'lease', timeoutMs: 5 })
    expect(await errorOf(cluster.settled(read))).toMatchObject({ code: 'RAFT_TIMEOUT', outcome: 'rejected' })
  })

  test('runs its query once more, by a round, when that outlived the lease', async () => {
    await begin()
    const { leader, network } = cluster
    const finish: (() => void)[] = []
    const query = (): Promise<number> => new Promise((resolve) => finish.push(() => resolve(finish.length)))
    const read = leader.read(query, { consistency: 'lease' })
    await cluster.runUntil(() => finish.length === 1)
    // Heartbeats go on and are answered, but not in time: none of the answers renews the lease.
    network.isLost = ({ message }) => message.type === 'heartbeatResponse'
    await cluster.runUntil(() => leader.status().leaseRemainingMs === 0)
    finish[0]!()
    network.heal()
    await cluster.runUntil(() => finish.length === 2)
    finish[1]!()
    expect(await cluster.settled(read)).toMatchObject({ value: 2 })
    expect(finish.length).toBe(2)
  })

  test('makes each voter store its promise once, as long as the election timeout of the leader', async () => {
    await begin()
    const stored = (id: string): readonly number[] =>
      cluster
        .store(id)
        .writes.map(({ identity }) => identity?.leasePromiseMs ?? 0)
        .filter((ms) => ms > 0)
    for (let round = 0; round < 5; round++) {
      await cluster.clock.run(60)
      await cluster.settled(cluster.leader.read(() => 1, { consistency: 'lease' }))
    }
    for (const { id } of cluster.followers) expect(stored(id)).toEqual([150])
    expect(stored(cluster.leader.id)).toEqual([])
  })

  test('costs a node that restarts its vote for as long as it ever promised (H69)', async () => {
    await begin({ options: { electionTimeoutMs: 600, heartbeatIntervalMs: 150 } })
    const { leader } = cluster
    const [one, other] = cluster.followers.map(({ id }) => id)
    for (const id of [one!, other!]) await cluster.node(id).stop({ transferMs: 0 })
    cluster.network.isolate(leader.id)
    const before = cluster.clock.now()
    for (const id of [one!, other!]) await cluster.make(id).start()
    await cluster.runUntil(() => [one!, other!].some((id) => cluster.node(id).isLeader))
    expect(cluster.clock.now() - before).toBeGreaterThanOrEqual(600)
  })
})
