// How many voters hold an entry (F47), asked on any node.
import { afterEach, describe, expect, it } from 'vitest'
import { bytes, errorOf, TestCluster } from './harness.js'

let cluster: TestCluster
afterEach(async () => cluster?.stop())

describe('replicas', () => {
  it('resolves as soon as so many voters hold the entry durably, on the leader and elsewhere', async () => {
    cluster = await new TestCluster().start()
    for (const node of [cluster.leader, cluster.followers[0]!]) {
      const { index } = await cluster.settled(node.propose(bytes(1)))
      expect(await cluster.settled(node.replicas(index, 3))).toBe(3)
      expect(await cluster.settled(node.replicas(index, 0))).toBeGreaterThanOrEqual(0)
    }
  })

  it('gives what there is when the time is up, and rejects nobody for that', async () => {
    cluster = await new TestCluster().start()
    const [down, other] = cluster.followers
    cluster.network.isolate(down!.id)
    for (const node of [cluster.leader, other!]) {
      const { index } = await cluster.settled(node.propose(bytes(1)))
      const began = cluster.clock.now()
      expect(await cluster.settled(node.replicas(index, 3, { timeoutMs: 300 }))).toBe(2)
      expect(cluster.clock.now() - began).toBeGreaterThanOrEqual(300)
    }
  })

  it('waits for one that comes back, and does not count what is in memory only', async () => {
    cluster = await new TestCluster().start()
    const [slow] = cluster.followers
    const store = cluster.store(slow!.id)
    store.isHeld = true
    const { index } = await cluster.settled(cluster.leader.propose(bytes(1)))
    let count = 0
    const counted = cluster.leader.replicas(index, 3, { timeoutMs: 60_000 }).then((value) => (count = value))
    await cluster.clock.run(300)
    expect(count).toBe(0)
    store.isHeld = false
    store.release()
    expect(await cluster.settled(counted)).toBe(3)
  })

  it('asks again where the question or its answer was lost', async () => {
    cluster = await new TestCluster().start()
    const [follower] = cluster.followers
    const { index } = await cluster.settled(follower!.propose(bytes(1)))
    const lost = { replicasRequest: 0, replicasResponse: 0 }
    cluster.network.isLost = ({ message: { type } }) => {
      return (type === 'replicasRequest' || type === 'replicasResponse') && lost[type]++ === 0
    }
    expect(await cluster.settled(follower!.replicas(index, 3))).toBe(3)
    expect(lost.replicasResponse).toBeGreaterThan(1)
  })

  it('of a cluster without a leader gives nothing, and says why it ends early', async () => {
    cluster = await new TestCluster().start()
    const [follower] = cluster.followers
    cluster.network.isolate(follower!.id)
    await cluster.runUntil(() => follower!.leader === null)
    expect(await cluster.settled(follower!.replicas(1, 1, { timeoutMs: 100 }))).toBe(0)
    const abort = new AbortController()
    const aborted = errorOf(follower!.replicas(1, 1, { signal: abort.signal }))
    const stopped = errorOf(follower!.replicas(1, 1))
    abort.abort()
    expect(await aborted).toMatchObject({ code: 'RAFT_ABORTED' })
    await follower!.stop({ transferMs: 0 })
    expect(await stopped).toMatchObject({ code: 'RAFT_STOPPED' })
    for (const [index, count] of [
      [-1, 1],
      [1, 1.5],
      ['1', 1],
    ] as never as readonly [number, number][]) {
      expect(await errorOf(cluster.leader.replicas(index, count))).toMatchObject({ code: 'RAFT_INVALID_OPTION' })
    }
  })
})
