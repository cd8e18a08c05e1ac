// transferLeadership and a stop that hands over, on whole nodes (F4, H20, H109).
import { afterEach, describe, expect, test } from 'vitest'
import type { RaftError } from 'helios-raft'
import { bytes, errorOf, settle, TestCluster, type TestClusterOptions } from './harness.js'

let cluster: TestCluster
const begin = (settings: TestClusterOptions = {}): Promise<TestCluster> => {
  cluster = new TestCluster(settings)
  return cluster.start()
}
afterEach(() => cluster.stop())

/** Lets time pass until the promise settles, and gives its error. */
const failure = (promise: Promise<unknown>): Promise<RaftError> =>
  errorOf(cluster.settled(promise)) as Promise<unknown> as Promise<RaftError>
const valuesOf = (id: string) => cluster.machine(id).calls.map(({ value }) => value)
/** Nothing of the hand-over arrives. */
const loseTimeoutNow = () => {
  cluster.network.isLost = ({ message }) => message.type === 'timeoutNow'
}

describe('transferLeadership', () => {
  test('resolves when the named voter leads, in a few messages and not a timeout', async () => {
    const { leader, clock } = await begin()
    await cluster.settled(leader.propose(bytes(1)))
    const [, target] = cluster.followers
    const since = clock.now()
    await cluster.settled(leader.transferLeadership(target!.id))
    expect(leader.leader?.id).toBe(target!.id)
    expect(target!.isLeader).toBe(true)
    expect(clock.now() - since).toBeLessThan(20)
    await cluster.settled(leader.propose(bytes(2)))
    expect(cluster.leader.status().currentTerm).toBe(2)
  })

  test('without a name resolves when any other voter leads', async () => {
    const { leader } = await begin()
    await cluster.settled(leader.transferLeadership())
    expect(leader.isLeader).toBe(false)
    expect(leader.leader?.id).not.toBe(leader.id)
  })

  test('is refused in words: not the leader, itself, nobody of that name, wrong options', async () => {
    const { leader } = await begin()
    const [follower] = cluster.followers
    expect(await errorOf(follower!.transferLeadership())).toMatchObject({
      code: 'RAFT_NOT_LEADER',
      name: 'NotLeaderError',
      leader: { id: leader.id },
    })
    for (const to of [leader.id, 'nobody', 'no id!', 7 as never]) {
      expect(await failure(leader.transferLeadership(to))).toMatchObject({ code: 'RAFT_INVALID_OPTION' })
    }
    const wrong = { minIndex: 1 } as never
    expect(await errorOf(leader.transferLeadership(undefined, wrong))).toMatchObject({ code: 'RAFT_INVALID_OPTION' })
    expect(leader.isLeader).toBe(true)
  })

  test('of the only voter is refused', async () => {
    const { leader } = await begin({ ids: ['a'] })
    expect(await failure(leader.transferLeadership())).toMatchObject({
      code: 'RAFT_INVALID_OPTION',
      message: expect.stringContaining('only voter') as string,
    })
    for (const to of ['a', 'nobody'])
      expect((await failure(leader.transferLeadership(to))).message).toMatch(/there is no other voter, add one first$/)
  })

  test('a second one meanwhile is refused with RAFT_TRANSFERRING, and the first one goes on', async () => {
    const { leader } = await begin()
    const first = leader.transferLeadership('b' === leader.id ? 'c' : 'b')
    const second = leader.transferLeadership()
    expect(await failure(second)).toMatchObject({ code: 'RAFT_TRANSFERRING', outcome: 'rejected', retryable: true })
    await cluster.settled(first)
  })

  test('gives up after an election timeout, says that the target may still win, and leads on', async () => {
    const { leader, clock } = await begin()
    loseTimeoutNow()
    const since = clock.now()
    expect(await failure(leader.transferLeadership())).toMatchObject({ code: 'RAFT_TIMEOUT', outcome: 'unknown' })
    expect(clock.now() - since).toBeLessThanOrEqual(152)
    expect(leader.isLeader).toBe(true)
  })

  test('gives up on a target that does not catch up: nothing was done', async () => {
    const { leader, network } = await begin()
    const [behind] = cluster.followers
    network.isLost = ({ to, message }) => to === behind!.id && message.type === 'appendEntries'
    const proposal = cluster.settled(leader.propose(bytes(1)))
    await proposal
    expect(await failure(leader.transferLeadership(behind!.id))).toMatchObject({
      code: 'RAFT_TIMEOUT',
      outcome: 'rejected',
      retryable: true,
    })
    expect(network.sent.filter(({ message }) => message.type === 'timeoutNow')).toEqual([])
  })

  test('ends with its signal and its deadline, and when the node stops at once', async () => {
    const { leader } = await begin()
    loseTimeoutNow()
    const controller = new AbortController()
    const aborted = leader.transferLeadership(undefined, { signal: controller.signal })
    await cluster.clock.run(1)
    controller.abort()
    expect(await errorOf(aborted)).toMatchObject({ code: 'RAFT_ABORTED', outcome: 'unknown' })
    await cluster.clock.run(200)
    expect(await failure(leader.transferLeadership(undefined, { timeoutMs: 20 }))).toMatchObject({
      code: 'RAFT_TIMEOUT',
    })
    await cluster.clock.run(200)
    const stopped = leader.transferLeadership()
    await Promise.all([leader.stop({ transferMs: 0 }), errorOf(stopped)])
    expect(await errorOf(stopped)).toMatchObject({ code: 'RAFT_STOPPED' })
  })
})

describe('proposals during a transfer', () => {
  test('of the leader wait and go to the next one, in their order', async () => {
    const { leader } = await begin()
    const transfer = leader.transferLeadership()
    await settle()
    const proposals = [1, 2, 3].map((value) => leader.propose(bytes(value)))
    const placed = await cluster.settled(Promise.all(proposals))
    await cluster.settled(transfer)
    expect(placed.map(({ term }) => term)).toEqual([2, 2, 2])
    expect(valuesOf(leader.id)).toEqual([1, 2, 3])
  })

  test('of the leader are taken here when it comes to nothing', async () => {
    const { leader } = await begin()
    loseTimeoutNow()
    const transfer = errorOf(leader.transferLeadership())
    await settle()
    const proposals = [1, 2, 3].map((value) => leader.propose(bytes(value)))
    const placed = await cluster.settled(Promise.all(proposals))
    expect(placed.map(({ term }) => term)).toEqual([1, 1, 1])
    expect(valuesOf(leader.id)).toEqual([1, 2, 3])
    expect(await transfer).toMatchObject({ code: 'RAFT_TIMEOUT' })
  })

  test('end at their own deadline, as what nobody has seen', async () => {
    const { leader } = await begin()
    loseTimeoutNow()
    const transfer = errorOf(leader.transferLeadership())
    await settle()
    const late = leader.propose(bytes(1), { timeoutMs: 50 })
    expect(await failure(late)).toMatchObject({ code: 'RAFT_TIMEOUT', outcome: 'rejected', retryable: true })
    await cluster.settled(transfer)
    await cluster.settled(leader.propose(bytes(2)))
    expect(valuesOf(leader.id)).toEqual([2])
  })

  test('of a follower are held back there and passed on again, in their order', async () => {
    const { leader } = await begin()
    const [follower] = cluster.followers
    loseTimeoutNow()
    const transfer = errorOf(leader.transferLeadership(follower!.id))
    await cluster.clock.run(1)
    const proposals: Promise<{ term: number }>[] = []
    for (let value = 1; value <= 6; value++) {
      proposals.push(follower!.propose(bytes(value)))
      await cluster.clock.run(1)
    }
    const placed = await cluster.settled(Promise.all(proposals))
    expect(placed.map(({ term }) => term)).toEqual([1, 1, 1, 1, 1, 1])
    expect(valuesOf(follower!.id)).toEqual([1, 2, 3, 4, 5, 6])
    await transfer
  })

  test('of a follower go to the next leader', async () => {
    const { leader, network } = await begin()
    const [third, target] = cluster.followers
    loseTimeoutNow()
    const transfer = leader.transferLeadership(target!.id)
    await cluster.clock.run(1)
    const forwarded = third!.propose(bytes(1))
    await cluster.clock.run(5)
    network.heal()
    expect(await cluster.settled(forwarded)).toMatchObject({ term: 2, result: 1 })
    await cluster.settled(transfer)
  })
})

describe('a stop of the leader', () => {
  test('hands over first: another one leads when it resolves, and what was proposed is kept', async () => {
    const { leader } = await begin()
    const proposal = leader.propose(bytes(1))
    await cluster.clock.run(0)
    const stopping = leader.stop()
    expect(await errorOf(leader.propose(bytes(2)))).toMatchObject({ code: 'RAFT_STOPPED', outcome: 'rejected' })
    await cluster.settled(stopping)
    expect(await proposal).toMatchObject({ term: 1, result: 1 })
    expect(cluster.leader.id).not.toBe(leader.id)
    await cluster.clock.run(200)
    expect(cluster.followers.concat(cluster.leader).map((node) => valuesOf(node.id))).toEqual([[1], [1]])
  })

  test('waits no longer than transferMs, and not at all for 0', async () => {
    const { leader, clock } = await begin()
    loseTimeoutNow()
    const since = clock.now()
    await cluster.settled(leader.stop({ transferMs: 60 }))
    expect(clock.now() - since).toBeLessThanOrEqual(70)
    await cluster.runUntil(() => [...cluster.nodes.values()].some((node) => node.isLeader))
    const next = cluster.leader
    await next.stop({ transferMs: 0 })
    expect(next.status().role).toBe('stopped')
  })

  test('gives up at once where nobody was heard, and where the target was stopped too', async () => {
    const { leader, clock, network } = await begin()
    network.isolate(leader.id)
    await clock.run(140)
    const since = clock.now()
    await cluster.settled(leader.stop())
    expect(clock.now() - since).toBeLessThanOrEqual(310)
    expect(leader.status().role).toBe('stopped')
  })

  test.each([-1, Number.NaN, Number.POSITIVE_INFINITY, '5' as never])('refuses transferMs %s', async (transferMs) => {
    const { leader } = await begin()
    expect(await errorOf(leader.stop({ transferMs }))).toMatchObject({ code: 'RAFT_INVALID_OPTION' })
    expect(leader.isLeader).toBe(true)
  })
})

describe('a stop on a disk that hangs', () => {
  test('hands over, stops the transport and resolves; the stores are closed when the write ends (H109)', async () => {
    const { leader, clock } = await begin()
    const store = cluster.store(leader.id)
    store.isHeld = true
    const proposal = leader.propose(bytes(1))
    proposal.catch(() => undefined)
    await clock.run(5)
    const since = clock.now()
    await cluster.settled(leader.stop())
    // At most 2 × 150 ms for the hand-over, and as much for the write.
    expect(clock.now() - since).toBeLessThanOrEqual(620)
    expect(cluster.leader.id).not.toBe(leader.id)
    expect(leader.status().role).toBe('stopped')
    expect([store.isOpen, store.closeCount]).toEqual([true, 0])
    store.isHeld = false
    store.release()
    await settle()
    expect([store.isOpen, store.closeCount]).toEqual([false, 1])
  })
})
