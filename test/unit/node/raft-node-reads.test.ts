import { afterEach, describe, expect, test } from 'vitest'
import { bytes, errorOf, TestCluster, type TestClusterOptions } from './harness.js'

let cluster: TestCluster
const begin = async (options: TestClusterOptions = {}) => {
  cluster = new TestCluster(options)
  return cluster.start()
}
afterEach(() => cluster.stop())

describe('a linearizable read', () => {
  test('sees every write that was acknowledged before it began, on each node (F19)', async () => {
    await begin()
    for (let value = 1; value <= 5; value++) {
      await cluster.settled(cluster.leader.propose(bytes(value)))
      const expected = (value * (value + 1)) / 2
      for (const [id, node] of cluster.nodes) {
        const read = await cluster.settled(node.read(() => cluster.machine(id).total))
        expect(read.value).toBe(expected)
      }
    }
  })

  test('shares one round with all reads of its turn', async () => {
    await begin()
    await cluster.clock.run(5)
    const { leader } = cluster
    const before = cluster.network.sent.length
    const reads = Promise.all(Array.from({ length: 20 }, () => leader.read(() => 1)))
    await cluster.clock.run(0)
    const rounds = cluster.network.sent.slice(before).filter(({ message }) => message.type === 'heartbeat')
    expect(rounds.length).toBe(2)
    await cluster.settled(reads)
    const [follower] = cluster.followers
    const again = cluster.network.sent.length
    const others = Promise.all(Array.from({ length: 20 }, () => follower!.read(() => 1)))
    await cluster.clock.run(0)
    expect(cluster.network.sent.slice(again).filter(({ message }) => message.type === 'readIndexRequest').length).toBe(
      1,
    )
    await cluster.settled(others)
  })

  test('is not served by a leader that no quorum follows, whatever its role says (H62)', async () => {
    await begin()
    const old = cluster.leader
    cluster.network.isolate(old.id)
    let ran = false
    const read = old.read(() => void (ran = true), { timeoutMs: 100 })
    expect(await errorOf(cluster.settled(read))).toMatchObject({
      code: 'RAFT_TIMEOUT',
      outcome: 'rejected',
      retryable: true,
    })
    expect(ran).toBe(false)
  })

  test('starts again under a new leader and then sees its writes (H65, H121)', async () => {
    await begin()
    const old = cluster.leader
    cluster.network.isolate(old.id)
    const read = old.read(() => cluster.machine(old.id).total, { timeoutMs: 60_000 })
    const others = [...cluster.nodes.values()].filter((node) => node !== old)
    await cluster.runUntil(() => others.some((node) => node.isLeader))
    await cluster.settled(others.find((node) => node.isLeader)!.propose(bytes(7)))
    cluster.network.heal()
    expect((await cluster.settled(read)).value).toBe(7)
  })

  test('ends at its deadline without a leader: RAFT_NO_LEADER', async () => {
    cluster = new TestCluster()
    await cluster.node('a').start()
    const error = await errorOf(cluster.settled(cluster.node('a').read(() => 1, { timeoutMs: 50 })))
    expect(error).toMatchObject({ code: 'RAFT_NO_LEADER', outcome: 'rejected', retryable: true })
  })

  test('rejects with what the query throws, and the node goes on', async () => {
    await begin()
    const failure = new Error('mine')
    const read = cluster.leader.read(() => {
      throw failure
    })
    expect(await errorOf(cluster.settled(read))).toBe(failure)
    expect(await errorOf(cluster.settled(cluster.leader.read(() => Promise.reject(failure))))).toBe(failure)
    await cluster.settled(cluster.leader.propose(bytes(1)))
  })

  test('holds the next apply back while its promise is pending (F19, H130)', async () => {
    await begin()
    const { leader } = cluster
    const machine = cluster.machine(leader.id)
    let finish = (_total: number): void => undefined
    const seen: number[] = []
    const read = leader.read(async () => {
      seen.push(machine.total)
      await new Promise((resolve) => (finish = resolve))
      seen.push(machine.total)
      return machine.total
    })
    await cluster.runUntil(() => seen.length === 1)
    const proposal = leader.propose(bytes(5))
    await cluster.clock.run(20)
    expect(leader.status().commitIndex).toBeGreaterThan(leader.status().lastApplied)
    finish(0)
    expect((await cluster.settled(read)).value).toBe(0)
    expect(seen).toEqual([0, 0])
    expect((await cluster.settled(proposal)).result).toBe(5)
  })

  test('lets the apply go on at its deadline, even if its promise never settles', async () => {
    await begin()
    const { leader } = cluster
    const read = leader.read(() => new Promise(() => undefined), { timeoutMs: 50 })
    await cluster.clock.run(5)
    const proposal = leader.propose(bytes(5))
    expect(await errorOf(cluster.settled(read))).toMatchObject({ code: 'RAFT_TIMEOUT' })
    expect((await cluster.settled(proposal)).result).toBe(5)
  })

  test('never runs in the middle of an asynchronous apply (H130)', async () => {
    await begin()
    const { leader } = cluster
    const machine = cluster.machine(leader.id)
    let finish = (): void => undefined
    machine.onApply = () => new Promise<void>((resolve) => (finish = resolve))
    const proposal = leader.propose(bytes(5))
    await cluster.runUntil(() => machine.calls.length === 1)
    const read = leader.read(() => machine.total, { consistency: 'local' })
    await cluster.clock.run(10)
    finish()
    expect((await cluster.settled(read)).value).toBe(5)
    await cluster.settled(proposal)
  })
})

describe('a local read', () => {
  test('serves this node as it is, without a quorum, and tells its index', async () => {
    await begin()
    const { index } = await cluster.settled(cluster.leader.propose(bytes(3)))
    cluster.network.isolate(...cluster.ids)
    const { leader } = cluster
    const read = await cluster.settled(leader.read(() => cluster.machine(leader.id).total, { consistency: 'local' }))
    expect(read).toEqual({ value: 3, index })
  })

  test('waits for minIndex: read-your-writes on another node (F21)', async () => {
    await begin()
    const [follower] = cluster.followers
    cluster.network.isLost = ({ to }) => to === follower!.id
    const { index } = await cluster.settled(cluster.leader.propose(bytes(3)))
    const read = follower!.read(() => cluster.machine(follower!.id).total, { consistency: 'local', minIndex: index })
    await cluster.clock.run(30)
    cluster.network.heal()
    expect(await cluster.settled(read)).toMatchObject({ value: 3 })
  })

  test('is RAFT_STALE when the state is older than maxStalenessMs, on a follower and on a leader (F21, H121)', async () => {
    await begin()
    await cluster.clock.run(200)
    const options = { consistency: 'local', maxStalenessMs: 120 } as const
    const { leader } = cluster
    const [follower] = cluster.followers
    for (const node of [leader, follower!]) await cluster.settled(node.read(() => 1, options))
    cluster.network.isolate(...cluster.ids)
    await cluster.clock.run(140)
    for (const node of [leader, follower!]) {
      expect(await errorOf(cluster.settled(node.read(() => 1, options)))).toMatchObject({
        code: 'RAFT_STALE',
        retryable: true,
      })
    }
  })

  test('of a leader with maxStalenessMs counts what it is just applying', async () => {
    await begin()
    await cluster.clock.run(200)
    const { leader } = cluster
    const options = { consistency: 'local', maxStalenessMs: 1_000 } as const
    for (let round = 0; round < 10; round++) {
      const proposal = leader.propose(bytes(1))
      await cluster.clock.run(round % 4)
      await cluster.settled(leader.read(() => 1, options))
      await cluster.settled(proposal)
    }
  })

  test('of a leader with maxStalenessMs is not refused because more is committed while it waits', async () => {
    await begin()
    await cluster.clock.run(200)
    const { leader } = cluster
    const machine = cluster.machine(leader.id)
    let release: (() => void)[] = []
    const value = () =>
      new Promise<void>((resolve) => {
        release.push(() => resolve())
      })
    Object.defineProperty(machine, 'apply', { value })
    const { lastApplied: index } = leader.status()
    const first = leader.propose(bytes(1))
    await cluster.clock.run(5)
    const read = leader.read(() => machine.total, { consistency: 'local', maxStalenessMs: 1_000 })
    const second = leader.propose(bytes(2))
    await cluster.clock.run(5)
    expect(release).toHaveLength(1)
    const [one] = release
    release = []
    one!()
    expect(await cluster.settled(read)).toMatchObject({ value: 0, index: index + 1 })
    for (const next of release) next()
    await cluster.settled(Promise.all([first, second]))
  })

  test('refuses options that make no sense', async () => {
    await begin()
    for (const options of [
      { consistency: 'stale' },
      { consistency: 'lease', maxStalenessMs: 5 },
      { minIndex: -1 },
      { minIndex: 1.5 },
      { maxStalenessMs: 5 },
      { timeoutMs: Number.NaN },
      { timeout: 5 },
    ]) {
      expect(await errorOf(cluster.leader.read(() => 1, options as never))).toMatchObject({
        code: 'RAFT_INVALID_OPTION',
      })
    }
  })
})

describe('ready', () => {
  test('waits until what was committed is applied here', async () => {
    await begin()
    const [follower] = cluster.followers
    const other = cluster.followers[1]!
    await cluster.settled(cluster.leader.propose(bytes(5)))
    await follower!.stop()
    await cluster.settled(cluster.leader.proposeMany([bytes(1), bytes(2)]))
    const { commitIndex } = cluster.leader.status()
    const again = cluster.make(follower!.id)
    await again.start()
    expect(again.status()).toMatchObject({ ready: false })
    await cluster.settled(again.ready())
    expect(again.status().lastApplied).toBeGreaterThanOrEqual(commitIndex)
    expect(other.status().ready).toBe(true)
  })

  test('ends at its deadline and says what the node waits for', async () => {
    cluster = new TestCluster()
    await cluster.node('a').start()
    const error = await errorOf(cluster.settled(cluster.node('a').ready({ timeoutMs: 1_000 })))
    expect(error).toMatchObject({ code: 'RAFT_TIMEOUT' })
    expect(error.message).toContain('1 of 3 voters')
  })

  test('does not hold any more when the leader is lost', async () => {
    await begin()
    cluster.network.isolate(...cluster.ids)
    const { leader } = cluster
    expect(leader.status().ready).toBe(true)
    await cluster.clock.run(1_000)
    expect(leader.status().ready).toBe(false)
    expect(leader.status().explanation).toContain('No leader is known')
  })
})

describe('waitFor', () => {
  test('resolves with the first status that holds, looked at after each change', async () => {
    await begin()
    const [follower] = cluster.followers
    const target = cluster.leader.status().lastApplied + 3
    const waiting = follower!.waitFor((status) => status.lastApplied >= target)
    await cluster.settled(cluster.leader.proposeMany([bytes(1), bytes(1), bytes(1)]))
    expect((await cluster.settled(waiting)).lastApplied).toBe(target)
  })

  test('rejects with what the condition throws', async () => {
    await begin()
    const failure = new Error('mine')
    const waiting = cluster.leader.waitFor(() => {
      throw failure
    })
    expect(await errorOf(waiting)).toBe(failure)
  })
})
