// Whole nodes that fall behind, are loaded, or lose their leader, and come together again.
import { afterEach, describe, expect, it } from 'vitest'
import { bytes, errorOf, TestCluster, type TestClusterOptions } from '../../unit/node/harness.js'

let cluster: TestCluster
const begin = async (options: TestClusterOptions = {}) => {
  cluster = new TestCluster(options)
  return cluster.start()
}
afterEach(() => cluster.stop())

const valuesOf = (id: string) => cluster.machine(id).calls.map(({ value }) => value)
const proposeMany = async (values: readonly number[]) => {
  for (const value of values) await cluster.settled(cluster.leader.propose(bytes(value)))
}

describe('a cluster', () => {
  it.each([
    ['one', ['a']],
    ['three', ['a', 'b', 'c']],
  ] as const)('of %s elects, commits and applies', async (_size, ids) => {
    await begin({ ids })
    expect([...cluster.nodes.values()].filter((node) => node.isLeader)).toHaveLength(1)
    expect(await cluster.settled(cluster.leader.propose(bytes(9)))).toEqual({ index: 2, term: 1, result: 9 })
    await cluster.clock.run(100)
    for (const id of ids) expect(valuesOf(id)).toEqual([9])
  })

  it('whose leader is cut off goes on under a new one; the old one follows it and forgets what it could not commit', async () => {
    await begin()
    await proposeMany([1])
    const old = cluster.leader
    const term = old.status().currentTerm
    cluster.network.isolate(old.id)
    const lost = old.propose(bytes(100), { timeoutMs: 60_000 })
    const ended = errorOf(lost)
    await cluster.runUntil(() => !old.isLeader && cluster.followers.length === 2)
    await proposeMany([2])
    expect(cluster.leader.status().currentTerm).toBeGreaterThan(term)
    cluster.network.heal()
    expect(await cluster.settled(ended)).toMatchObject({ code: 'RAFT_LEADERSHIP_LOST', outcome: 'rejected' })
    await cluster.clock.run(200)
    for (const id of cluster.ids) expect(valuesOf(id), id).toEqual([1, 2])
    expect(old.status().leader?.id).toBe(cluster.leader.id)
  })
})

describe('a follower that was away', () => {
  it('catches up with hundreds of entries, and nobody is deposed for it', async () => {
    await begin()
    const [behind] = cluster.followers
    const { currentTerm } = cluster.leader.status()
    cluster.network.isolate(behind!.id)
    for (let round = 0; round < 20; round++) {
      await cluster.settled(Promise.all(Array.from({ length: 20 }, () => cluster.leader.propose(bytes(1)))))
    }
    expect(valuesOf(behind!.id)).toHaveLength(0)
    cluster.network.heal()
    await cluster.runUntil(() => valuesOf(behind!.id).length === 400, 1_000)
    expect(cluster.leader.status().currentTerm).toBe(currentTerm)
  })

  it('is asked at the pace of heartbeats while it is away, and gets the stream again when it is back', async () => {
    await begin()
    const [behind] = cluster.followers
    cluster.network.isolate(behind!.id)
    // What was streaming is told to be lost.
    cluster.network.local(cluster.leader.id).peerStatus(behind!.id, 'closed')
    await cluster.clock.run(10)
    const from = cluster.network.sent.length
    for (let round = 0; round < 30; round++) {
      await cluster.settled(cluster.leader.propose(bytes(1)))
      await cluster.clock.run(10)
    }
    const toBehind = () => {
      return cluster.network.sent
        .slice(from)
        .filter(({ to, message }) => to === behind!.id && message.type === 'appendEntries')
    }
    expect(toBehind().length).toBeLessThanOrEqual(1)
    cluster.network.heal()
    await cluster.runUntil(() => valuesOf(behind!.id).length === 30, 500)
    const streamed = toBehind().length
    for (let round = 0; round < 10; round++) await cluster.settled(cluster.leader.propose(bytes(2)))
    expect(toBehind().length - streamed).toBe(10)
  })

  it('and whose disk is slower than the rest holds nobody up and catches up', async () => {
    await begin()
    const [slow] = cluster.followers
    const store = cluster.store(slow!.id)
    store.isHeld = true
    await proposeMany([1, 2, 3, 4, 5])
    expect(valuesOf(slow!.id)).toEqual([])
    store.isHeld = false
    store.release()
    await cluster.runUntil(() => valuesOf(slow!.id).length === 5, 500)
    expect(valuesOf(slow!.id)).toEqual([1, 2, 3, 4, 5])
  })
})

describe('a leader under load', () => {
  it('keeps its heartbeats going and its leadership', async () => {
    await begin({ options: { limits: { inflightMessages: 4, appendEntries: 8 } } })
    const { leader, clock, network } = cluster
    const { currentTerm } = leader.status()
    const from = network.sent.length
    let settled = 0
    for (let ms = 0; ms < 300; ms++) {
      for (let burst = 0; burst < 5; burst++) void leader.propose(bytes(1)).then(() => (settled += 1))
      await clock.run(1)
    }
    await cluster.runUntil(() => settled === 1_500)
    expect(leader.status()).toMatchObject({ currentTerm, role: 'leader' })
    const beats = network.sent
      .slice(from)
      .filter(({ to, message }) => message.type === 'heartbeat' && to === cluster.followers[0]!.id)
    expect(beats.length).toBeGreaterThanOrEqual(300 / 50 - 1)
  })
})

describe('a write while the leader quits', () => {
  it('ends in one of three outcomes, and what was acknowledged is kept', async () => {
    await begin()
    const { leader } = cluster
    const [follower] = cluster.followers
    const writes = Array.from({ length: 10 }, (_, at) => leader.propose(bytes(at + 1)))
    const forwarded = Array.from({ length: 10 }, (_, at) => follower!.propose(bytes(at + 101), { timeoutMs: 2_000 }))
    await cluster.clock.run(1)
    const stopping = leader.stop()
    const ends = await cluster.settled(Promise.allSettled([...writes, ...forwarded]))
    await cluster.settled(stopping)
    await cluster.runUntil(() => [...cluster.nodes.values()].some((node) => node.isLeader))
    await cluster.settled(cluster.leader.propose(bytes(200)))
    await cluster.clock.run(100)
    for (const id of cluster.ids.filter((one) => one !== leader.id)) {
      const kept = valuesOf(id)
      ends.forEach((end, at) => {
        const value = at < 10 ? at + 1 : at + 91
        const times = kept.filter((held) => held === value).length
        if (end.status === 'fulfilled') expect(times, `${value} was acknowledged`).toBe(1)
        else {
          const { outcome } = end.reason as { outcome: string }
          expect(['rejected', 'unknown']).toContain(outcome)
          expect(times, `${value} is ${outcome}`).toBeLessThanOrEqual(outcome === 'rejected' ? 0 : 1)
        }
      })
    }
  })
})
