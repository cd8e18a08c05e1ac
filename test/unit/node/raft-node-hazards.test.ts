// Moments at which code of the application runs in the middle of the node's work, and states at the edge of what is
// possible: outcomes stay true, what is stopped stays stopped, and a cluster always finds a leader.
import type { Message } from 'helios-raft'
import { afterEach, describe, expect, test } from 'vitest'
import { bytes, errorOf, TestCluster } from './harness.js'

let cluster: TestCluster | null = null
afterEach(async () => {
  await cluster?.stop()
  cluster = null
})

describe('the outcome of a proposal', () => {
  test('is unknown when its signal fires while it is being sent (H36)', async () => {
    cluster = await new TestCluster().start()
    const { leader, network, clock, ids } = cluster
    const controller = new AbortController()
    network.isLost = ({ message }) => {
      if (message.type === 'appendEntries' && message.entries.length > 0) controller.abort()
      return false
    }
    const error = await errorOf(cluster.settled(leader.propose(bytes(5), { signal: controller.signal })))
    await clock.run(200)
    expect(error).toMatchObject({ code: 'RAFT_ABORTED', outcome: 'unknown' })
    for (const id of ids) expect(cluster.machine(id).total).toBe(5)
  })

  test('is unknown when the store fails within the call that hands it over (H36)', async () => {
    cluster = await new TestCluster().start()
    const { leader, clock, ids } = cluster
    cluster.store(leader.id).write = () => {
      throw new Error('EIO')
    }
    const error = await errorOf(cluster.settled(leader.propose(bytes(5))))
    expect(error).toMatchObject({ code: 'RAFT_STOPPED', outcome: 'unknown' })
    const others = ids.filter((id) => id !== leader.id)
    await cluster.runUntil(() => others.some((id) => cluster?.node(id).isLeader))
    await clock.run(500)
    for (const id of others) expect(cluster.machine(id).total).toBe(5)
  })
})

describe('a node that a listener stops while it starts', () => {
  test('never begins: no timer, no election, no event (H99, H109)', async () => {
    cluster = new TestCluster({ ids: ['a'] })
    const node = cluster.node('a')
    const roles: string[] = []
    node.on('role', ({ role }) => roles.push(role))
    let stopping: Promise<void> | undefined
    node.on('configuration', () => void (stopping = node.stop()))
    await node.start()
    await stopping
    await cluster.clock.run(2_000)
    expect(roles).toEqual([])
    expect(cluster.clock.timerCount).toBe(0)
  })
})

describe('elections', () => {
  test('end although every node was given the same seed (H8)', async () => {
    for (const seed of [0, 7, -1]) {
      cluster = await new TestCluster({ options: { seed } }).start()
      expect(cluster.leader.status().currentTerm).toBeLessThan(10)
      await cluster.stop()
    }
  })

  test('end in an empty cluster whose term is the highest that an empty store takes (F33, H102)', async () => {
    cluster = new TestCluster()
    const { network } = cluster
    for (const node of cluster.nodes.values()) await node.start()
    network.inject('b', 'a', { type: 'preVoteResponse', term: 2 ** 52, round: 0, voteGranted: false })
    await cluster.runUntil(() => [...cluster!.nodes.values()].every((node) => node.status().ready))
    expect(cluster.leader.status().currentTerm).toBeGreaterThan(2 ** 52)
    expect(await cluster.settled(cluster.leader.propose(bytes(1)))).toMatchObject({ result: 1 })
  })
})

describe('the leader event', () => {
  test('names the leader that was heard, also when the next message of the turn deposed it', async () => {
    cluster = new TestCluster()
    cluster.store('a').hardState = { currentTerm: 1, votedFor: 'c' }
    const node = cluster.node('a')
    await node.start()
    await cluster.clock.run(0)
    const heard: [string | undefined, number][] = []
    node.on('leader', (leader, term) => heard.push([leader?.address, term]))
    const heartbeat: Message = {
      type: 'heartbeat',
      term: 1,
      ...{ addedAt: 0, prevLogIndex: 0, prevLogTerm: 0, leaderCommit: 0 },
      ...{ round: 0, sentMs: 1, echoMs: -1, echoBoot: 0, quorumAgeMs: 0, leaseMs: 0 },
    }
    cluster.network.inject('c', 'a', heartbeat)
    cluster.network.inject('b', 'a', { type: 'preVoteResponse', term: 2, round: 0, voteGranted: false })
    await cluster.clock.run(0)
    expect(heard).toEqual([
      ['c:1', 1],
      [undefined, 2],
    ])
  })
})
