// Proposals in whole nodes: which nets commit them, where they may be made, how far what is not committed grows, and how
// they are cut for the wire and for the state machine (F9, F13-F17).
import { afterEach, describe, expect, it } from 'vitest'
import { bytes, errorOf, TestCluster, type TestClusterOptions } from '../../unit/node/harness.js'

let cluster: TestCluster
const begin = async (options: TestClusterOptions = {}) => {
  cluster = new TestCluster(options)
  return cluster.start()
}
afterEach(() => cluster.stop())

/** Values that a node applied, in order, without the gaps of the no-ops. */
const valuesOf = (id: string) => cluster.machine(id).calls.map(({ value }) => value)
const sizeOf = (entries: readonly { data: Uint8Array }[]) => entries.reduce((sum, { data }) => sum + data.length, 0)

describe('a proposal', () => {
  it.each([
    { ids: ['a'], down: 0, commits: true },
    { ids: ['a', 'b', 'c'], down: 0, commits: true },
    { ids: ['a', 'b', 'c'], down: 1, commits: true },
    { ids: ['a', 'b', 'c'], down: 2, commits: false },
    { ids: ['a', 'b', 'c', 'd'], down: 1, commits: true },
    { ids: ['a', 'b', 'c', 'd'], down: 2, commits: false },
    { ids: ['a', 'b', 'c', 'd', 'e'], down: 2, commits: true },
    { ids: ['a', 'b', 'c', 'd', 'e'], down: 3, commits: false },
  ])('with $down of $ids down commits: $commits', async ({ ids, down, commits }) => {
    await begin({ ids })
    const { leader } = cluster
    const downs = ids.filter((id) => id !== leader.id).slice(0, down)
    cluster.network.isolate(...downs)
    const proposal = leader.propose(bytes(7), { timeoutMs: 100 })
    if (commits) expect(await cluster.settled(proposal)).toMatchObject({ result: 7 })
    else expect(await errorOf(cluster.settled(proposal))).toMatchObject({ code: 'RAFT_TIMEOUT', outcome: 'unknown' })
    cluster.network.heal()
    await cluster.runUntil(() => ids.every((id) => cluster.machine(id).total === 7))
  })

  it('to any node is applied by all, one by one, at once, and from all nodes together', async () => {
    await begin()
    const everybody = [...cluster.nodes.values()]
    for (const node of everybody) await cluster.settled(node.propose(bytes(1)))
    await cluster.settled(Promise.all(Array.from({ length: 100 }, () => cluster.leader.propose(bytes(2)))))
    const results = await cluster.settled(
      Promise.all(everybody.flatMap((node) => [3, 3, 3].map((value) => node.propose(bytes(value))))),
    )
    expect(new Set(results.map(({ index }) => index)).size).toBe(9)
    await cluster.clock.run(100)
    const expected = [...Array<number>(3).fill(1), ...Array<number>(100).fill(2), ...Array<number>(9).fill(3)]
    for (const id of cluster.ids) expect(valuesOf(id), id).toEqual(expected)
  })

  it('to a follower commits with one node down too', async () => {
    await begin()
    const [follower, other] = cluster.followers
    cluster.network.isolate(other!.id)
    expect(await cluster.settled(follower!.propose(bytes(4)))).toMatchObject({ result: 4 })
  })
})

describe('a leader that is cut off from its quorum', () => {
  it('takes no more than limits.uncommittedBytes, and all that it took is applied when it is back in time', async () => {
    await begin({ options: { limits: { uncommittedBytes: 64, commandBytes: 16 } } })
    const { leader, network, clock } = cluster
    network.isolate(leader.id)
    const taken: Promise<unknown>[] = []
    let refused = 0
    for (let count = 1; count <= 20; count++) {
      const proposal = leader.propose(new Uint8Array(16).fill(count), { timeoutMs: 60_000 })
      proposal.catch((error: { code: string }) => void (refused += error.code === 'RAFT_OVERLOADED' ? 1 : 0))
      taken.push(proposal)
      await clock.run(1)
      expect(leader.status().uncommittedBytes).toBeLessThanOrEqual(64)
    }
    expect(refused).toBe(16)
    expect(leader.status().lastIndex).toBe(5)
    network.heal()
    const settled = await cluster.settled(Promise.allSettled(taken))
    expect(settled.filter(({ status }) => status === 'fulfilled')).toHaveLength(4)
    await clock.run(200)
    for (const id of cluster.ids) expect(valuesOf(id)).toEqual([1, 2, 3, 4])
    await cluster.settled(leader.propose(bytes(5)))
  })
})

describe('a long log', () => {
  it('travels in messages of at most appendBytes, most of them full', async () => {
    const limits = { appendBytes: 100, commandBytes: 40 }
    await begin({ options: { limits } })
    const [behind] = cluster.followers
    cluster.network.isolate(behind!.id)
    for (let round = 0; round < 6; round++) {
      await cluster.settled(Promise.all(Array.from({ length: 10 }, () => cluster.leader.propose(new Uint8Array(20)))))
    }
    const from = cluster.network.sent.length
    cluster.network.heal()
    const { lastIndex } = cluster.leader.status()
    await cluster.runUntil(() => behind!.status().lastApplied === lastIndex)
    const sizes = cluster.network.sent.slice(from).flatMap(({ to, message }) => {
      return to === behind!.id && message.type === 'appendEntries' ? [sizeOf(message.entries)] : []
    })
    expect(Math.max(...sizes)).toBeLessThanOrEqual(100)
    expect(sizes.filter((size) => size === 100).length).toBeGreaterThanOrEqual(60 / 5 - 1)
  })

  it('is applied whole and in order after a restart, over pages of the store and with a leader that goes on', async () => {
    const commandBytes = 300 * 1024
    await begin({ options: { limits: { commandBytes } } })
    const [follower] = cluster.followers
    for (let value = 1; value <= 12; value++) {
      await cluster.settled(cluster.leader.propose(new Uint8Array(commandBytes).fill(value)))
    }
    await cluster.runUntil(() => valuesOf(follower!.id).length === 12)
    await follower!.stop()
    await cluster.settled(cluster.leader.propose(bytes(13)))
    const again = cluster.make(follower!.id)
    await again.start()
    await cluster.settled(again.ready())
    await cluster.settled(cluster.leader.propose(bytes(14)))
    await cluster.runUntil(() => valuesOf(follower!.id).length === 14)
    expect(valuesOf(follower!.id)).toEqual(Array.from({ length: 14 }, (_, at) => at + 1))
    const pages = cluster.store(follower!.id).log.filter((line) => line.startsWith('read'))
    expect(pages.length).toBeGreaterThan(2)
  })

  it('is applied as far as it is durable while writes are under way, each entry once', async () => {
    await begin()
    const { leader } = cluster
    const store = cluster.store(leader.id)
    store.isHeld = true
    const proposals: Promise<unknown>[] = []
    for (let value = 1; value <= 5; value++) {
      proposals.push(leader.propose(bytes(value)))
      await cluster.clock.run(3)
    }
    // A quorum of the others holds all of it; here nothing is durable.
    const { lastIndex } = leader.status()
    expect(leader.status()).toMatchObject({ commitIndex: lastIndex, lastApplied: lastIndex - 5 })
    expect(valuesOf(leader.id)).toEqual([])
    store.release()
    await cluster.clock.run(3)
    expect(valuesOf(leader.id)).toEqual([1])
    store.isHeld = false
    store.release()
    await cluster.settled(Promise.all(proposals))
    expect(valuesOf(leader.id)).toEqual([1, 2, 3, 4, 5])
  })
})
