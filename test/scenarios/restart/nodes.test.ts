// Restarts as the application sees them: whole nodes whose stores outlive them. What was written and not committed comes back
// and is decided by the next leader; what a store refused was never there.
import { afterEach, describe, expect, test } from 'vitest'
import { bytes, errorOf, TestCluster } from '../../unit/node/harness.js'

let cluster: TestCluster | null = null
afterEach(async () => {
  await cluster?.stop()
  cluster = null
})

/** A new life of every node, over the store that its last one left. */
async function restartAll(all: TestCluster): Promise<void> {
  await all.settled(all.stop())
  all.network.heal()
  for (const id of all.ids) all.make(id)
  await all.start()
}

const valuesOf = (all: TestCluster, id: string) =>
  all
    .store(id)
    .entries.filter(({ type }) => type === 'command')
    .map(({ data }) => data[0])

describe('an entry that was not committed when all nodes died', () => {
  test('is committed by the next leader where a majority had written it', async () => {
    cluster = await new TestCluster().start()
    const { leader, network } = cluster
    const [has, lacks] = cluster.followers.map(({ id }) => id) as [string, string]
    // One follower writes it; nobody hears that it did.
    network.isLost = ({ from, to }) => from !== leader.id || to === lacks
    const proposal = errorOf(leader.propose(bytes(5)))
    await cluster.runUntil(() => valuesOf(cluster!, has).length === 1)
    expect(leader.status().commitIndex).toBeLessThan(leader.status().lastIndex)
    network.isLost = () => true
    await restartAll(cluster)
    expect(await proposal).toMatchObject({ code: 'RAFT_STOPPED', outcome: 'unknown' })
    expect(cluster.leader.id).not.toBe(lacks)
    for (const id of cluster.ids) expect(valuesOf(cluster, id)).toEqual([5])
    expect(await cluster.settled(cluster.leader.propose(bytes(1)))).toMatchObject({ result: 6 })
  })

  test('gives way where only its leader had written it and the others go on without', async () => {
    cluster = await new TestCluster().start()
    const { leader, network, clock } = cluster
    network.isolate(leader.id)
    const proposal = errorOf(leader.propose(bytes(5)))
    await clock.run(10)
    expect(valuesOf(cluster, leader.id)).toEqual([5])
    const old = leader.id
    await cluster.settled(leader.stop({ transferMs: 0 }))
    expect(await proposal).toMatchObject({ code: 'RAFT_STOPPED', outcome: 'unknown' })
    network.heal()
    await cluster.runUntil(() => [...cluster!.nodes.values()].some((node) => node.isLeader))
    await cluster.settled(cluster.leader.propose(bytes(1)))
    // It comes back with an entry that was never committed, and takes what was.
    const again = cluster.make(old)
    await again.start()
    expect(again.status().lastApplied).toBe(0)
    await cluster.runUntil(() => again.status().lastApplied === cluster!.leader.status().lastIndex)
    expect(valuesOf(cluster, old)).toEqual([1])
    expect(cluster.machine(old).total).toBe(1)
  })
})

describe('an entry that the store refused', () => {
  test('is in no memory of the next life, and another one takes its place', async () => {
    cluster = await new TestCluster({ ids: ['a'] }).start()
    const { leader } = cluster
    await cluster.settled(leader.propose(bytes(1)))
    const { lastIndex } = leader.status()
    cluster.store('a').failure = new Error('EIO: i/o error')
    const refused = leader.propose(bytes(50))
    expect(await errorOf(cluster.settled(refused))).toMatchObject({ code: 'RAFT_STOPPED', outcome: 'unknown' })
    expect(valuesOf(cluster, 'a')).toEqual([1])
    await restartAll(cluster)
    const { index, result } = await cluster.settled(cluster.leader.propose(bytes(2)))
    // Behind the first entry of the new term.
    expect({ index, result }).toEqual({ index: lastIndex + 2, result: 3 })
    expect(valuesOf(cluster, 'a')).toEqual([1, 2])
  })
})
