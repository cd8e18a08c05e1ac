// Reads in whole nodes (F19, F21): verified leadership, local reads that may be old, and every way in which a read that
// waits comes to an end.
import { afterEach, describe, expect, it } from 'vitest'
import { bytes, errorOf, TestCluster, type TestClusterOptions } from '../../unit/node/harness.js'

let cluster: TestCluster
const begin = async (options: TestClusterOptions = {}) => {
  cluster = new TestCluster(options)
  return cluster.start()
}
afterEach(() => cluster.stop())

const total = (id: string) => () => cluster.machine(id).total
const LOCAL = { consistency: 'local' } as const

describe('leadership', () => {
  it('is verified by a round of heartbeats', async () => {
    await begin()
    await cluster.clock.run(5)
    const { leader, network } = cluster
    const from = network.sent.length
    const read = leader.read(total(leader.id))
    await cluster.clock.run(0)
    const round = network.sent.slice(from).map(({ to, message }) => [to, message.type])
    expect(round).toEqual(cluster.ids.filter((id) => id !== leader.id).map((id) => [id, 'heartbeat']))
    expect(await cluster.settled(read)).toMatchObject({ value: 0 })
  })

  it('of one voter is verified by itself', async () => {
    await begin({ ids: ['a'] })
    const { leader, network } = cluster
    await cluster.settled(leader.propose(bytes(3)))
    expect(await cluster.settled(leader.read(total('a')))).toEqual({ value: 3, index: 2 })
    expect(network.sent).toEqual([])
  })

  it('by lease needs no round, outlives a cut by what was promised at most, and nobody else leads before', async () => {
    await begin()
    const { leader, network, clock } = cluster
    const read = () => cluster.settled(leader.read(total(leader.id), { consistency: 'lease', timeoutMs: 20 }))
    await read()
    await clock.run(120)
    const from = network.sent.length
    await read()
    expect(network.sent.slice(from)).toEqual([])

    network.isolate(leader.id)
    const since = clock.now()
    while (leader.status().leaseRemainingMs > 0) {
      expect(await read()).toMatchObject({ value: 0 })
      expect(cluster.followers.filter((node) => node.isLeader)).toEqual([])
      await clock.run(1)
    }
    // What was promised, less the drift.
    expect(clock.now() - since).toBeLessThanOrEqual(150 / 1.1 + 1)
    expect(leader.isLeader).toBe(true)
    expect(await errorOf(read())).toMatchObject({ code: 'RAFT_TIMEOUT', outcome: 'rejected' })
    await cluster.runUntil(() => cluster.ids.some((id) => id !== leader.id && cluster.nodes.get(id)?.isLeader))
  })

  it('is not verified when a follower is in a later term: the leader steps down and knows no leader', async () => {
    await begin({ ids: ['a', 'b'] })
    const { leader, network } = cluster
    const [follower] = cluster.followers
    const { currentTerm } = leader.status()
    let ran = false
    const read = leader.read(() => void (ran = true), { timeoutMs: 20 })
    const ended = errorOf(read)
    // The round is answered, in a later term.
    network.isLost = () => true
    const clocks = { sentMs: 0, boot: 1, echoMs: 0, leaseMs: 0 }
    const stray = { type: 'heartbeatResponse', addedAt: 0, round: 1, index: -1, ...clocks } as const
    network.inject(follower!.id, leader.id, { ...stray, term: currentTerm + 1 })
    await cluster.clock.run(0)
    expect(leader.isLeader).toBe(false)
    expect(leader.status().leader).toBeNull()
    expect(await cluster.settled(ended)).toMatchObject({ code: 'RAFT_NO_LEADER', outcome: 'rejected' })
    expect(ran).toBe(false)
  })

  it('is verified by a majority: one of three may be cut off, and two may not', async () => {
    await begin()
    const { leader, network } = cluster
    const [one, other] = cluster.followers.map(({ id }) => id)
    network.isolate(one!)
    expect(await cluster.settled(leader.read(total(leader.id)))).toMatchObject({ value: 0 })
    network.isolate(one!, other!)
    const error = await errorOf(cluster.settled(leader.read(total(leader.id), { timeoutMs: 100 })))
    expect(error).toMatchObject({ code: 'RAFT_TIMEOUT', outcome: 'rejected' })
  })
})

describe('a local read', () => {
  it('on a follower whose disk is slow is old, and says of which index', async () => {
    await begin()
    const [slow] = cluster.followers
    const before = slow!.status().lastApplied
    cluster.store(slow!.id).isHeld = true
    const { index } = await cluster.settled(cluster.leader.propose(bytes(5)))
    expect(await cluster.settled(slow!.read(total(slow!.id), LOCAL))).toEqual({ value: 0, index: before })
    const waits = slow!.read(total(slow!.id), { ...LOCAL, minIndex: index })
    cluster.store(slow!.id).isHeld = false
    cluster.store(slow!.id).release()
    expect(await cluster.settled(waits)).toMatchObject({ value: 5 })
  })

  it('on a leader that was replaced without knowing is old; a linearizable one there is not served', async () => {
    await begin()
    const old = cluster.leader
    // The others see its connection end and elect early; its own clock has not run out yet.
    const others = cluster.followers
    cluster.network.isolate(old.id)
    for (const { id } of others) cluster.network.local(id).peerStatus(old.id, 'reset')
    await cluster.runUntil(() => others.some((node) => node.isLeader))
    expect(old.isLeader).toBe(true)
    const next = others.find((node) => node.isLeader)
    await cluster.settled(next!.propose(bytes(7)))
    expect(await cluster.settled(old.read(total(old.id), LOCAL))).toMatchObject({ value: 0 })
    const error = await errorOf(cluster.settled(old.read(total(old.id), { timeoutMs: 100 })))
    expect(error).toMatchObject({ outcome: 'rejected' })
    expect(await cluster.settled(next!.read(total(next!.id)))).toMatchObject({ value: 7 })
  })
})

describe('a read of an index that is not there yet', () => {
  it.each(['local', 'linearizable'] as const)('waits for it and sees it: %s', async (consistency) => {
    await begin()
    const { leader } = cluster
    const minIndex = leader.status().lastIndex + 2
    const read = leader.read(total(leader.id), { consistency, minIndex })
    await cluster.settled(leader.propose(bytes(1)))
    let settled = false
    read.then(
      () => void (settled = true),
      () => undefined,
    )
    await cluster.clock.run(100)
    expect(settled).toBe(false)
    await cluster.settled(leader.propose(bytes(2)))
    expect(await cluster.settled(read)).toEqual({ value: 3, index: minIndex })
  })

  it.each(['local', 'linearizable'] as const)('ends at its deadline when it never comes: %s', async (consistency) => {
    await begin()
    const { leader } = cluster
    let ran = false
    const options = { consistency, minIndex: leader.status().lastIndex + 1_000, timeoutMs: 80 }
    const began = cluster.clock.now()
    const error = await errorOf(cluster.settled(leader.read(() => void (ran = true), options)))
    expect(error).toMatchObject({ code: 'RAFT_TIMEOUT', outcome: 'rejected' })
    expect(cluster.clock.now() - began).toBeGreaterThanOrEqual(80)
    expect(cluster.clock.now() - began).toBeLessThan(120)
    await cluster.settled(leader.propose(bytes(1)))
    expect(ran).toBe(false)
  })

  it.each(['local', 'linearizable'] as const)('ends when the node stops: %s', async (consistency) => {
    await begin()
    const { leader } = cluster
    const read = leader.read(total(leader.id), { consistency, minIndex: leader.status().lastIndex + 1 })
    const ended = errorOf(read)
    await cluster.clock.run(5)
    await leader.stop({ transferMs: 0 })
    expect(await ended).toMatchObject({ code: 'RAFT_STOPPED', outcome: 'rejected' })
  })
})
