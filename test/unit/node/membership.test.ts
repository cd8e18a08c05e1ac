// Changes of the membership for a new member that does not catch up: they must not block the others, not when whoever asked
// is gone, and not when whoever operates the cluster takes that member out (F23).
import { bytesCodec, memoryStorage, RaftNode } from 'helios-raft'
import { afterEach, describe, expect, it } from 'vitest'
import { Adder, errorOf, TestCluster, type TestNode } from './harness.js'

const open: { stop(): Promise<void> }[] = []
afterEach(async () => {
  await Promise.all(open.splice(0).map((each) => each.stop()))
})

/** Three nodes, and d: it answers heartbeats and never says that it has an entry, like one whose disk is full. */
async function start(): Promise<{ cluster: TestCluster; leader: TestNode; asking: TestNode }> {
  const cluster = new TestCluster()
  await cluster.start()
  const { network, clock, leader } = cluster
  const joiner = new RaftNode<Uint8Array, number>({
    id: 'd',
    stateMachine: new Adder(),
    codec: bytesCodec,
    transport: network.transport('d'),
    clock,
    seed: 4,
    electionTimeoutMs: 150,
    heartbeatIntervalMs: 50,
    ...memoryStorage(),
  })
  await joiner.start()
  open.push(joiner, cluster)
  const [ofLeader, ofJoiner] = [network.local(leader.status().id), network.local('d')]
  ofLeader.accept(ofJoiner.hello)
  ofJoiner.accept(ofLeader.hello)
  network.isLost = ({ from, message }) => from === 'd' && message.type === 'appendEntriesResponse'
  return { cluster, leader, asking: cluster.followers[0]! }
}

const isLearner = (node: TestNode): boolean =>
  node.status().configuration.members.some(({ id, suffrage }) => id === 'd' && suffrage === 'learner')

describe('F23: a member that is added and does not catch up', () => {
  it('blocks nothing when the node that was asked for it has stopped', async () => {
    const { cluster, leader, asking } = await start()
    const added = errorOf(asking.addMember({ id: 'd', address: 'd:1' }))
    await cluster.runUntil(() => isLearner(leader))
    // Longer than a node is waited for that says nothing.
    await cluster.clock.run(2_000)
    await asking.stop({ transferMs: 0 })
    expect(await added).toMatchObject({ code: 'RAFT_STOPPED', outcome: 'unknown' })
    const early = errorOf(leader.updateMember('d', { metadata: { zone: 'z' } }))
    expect(await cluster.settled(early)).toMatchObject({ code: 'RAFT_CONFIGURATION_PENDING' })
    await cluster.clock.run(1_000)
    const { members } = await cluster.settled(leader.updateMember('d', { metadata: { zone: 'z' } }))
    expect(members.find(({ id }) => id === 'd')).toMatchObject({ suffrage: 'learner', metadata: { zone: 'z' } })
    expect(leader.isLeader).toBe(true)
  })

  it('can be removed while somebody waits for it, who is told', async () => {
    const { cluster, leader, asking } = await start()
    const added = errorOf(asking.addMember({ id: 'd', address: 'd:1' }))
    await cluster.runUntil(() => isLearner(leader))
    await cluster.clock.run(2_000)
    const { members } = await cluster.settled(leader.removeMember('d'))
    expect(members.map(({ id }) => id)).toEqual(['a', 'b', 'c'])
    expect(await cluster.settled(added)).toMatchObject({
      code: 'RAFT_ABORTED',
      outcome: 'rejected',
      message: expect.stringContaining("'d' was removed before it had caught up"),
    })
  })
})

describe('F22: a member that is there and is refused', () => {
  it('is not told to be started: the refusal is named', async () => {
    const cluster = new TestCluster()
    await cluster.start()
    const { network, clock, leader } = cluster
    const stranger = new RaftNode<Uint8Array, number>({
      id: 'd',
      bootstrap: [{ id: 'd', address: 'd:1' }],
      stateMachine: new Adder(),
      codec: bytesCodec,
      transport: network.transport('d'),
      clock,
      clusterId: 'another',
      seed: 4,
      electionTimeoutMs: 150,
      heartbeatIntervalMs: 50,
      ...memoryStorage(),
    })
    await stranger.start()
    open.push(stranger, cluster)
    // What a transport does after a refusal.
    network.isolate('d', 'e')
    const unheard = await cluster.settled(errorOf(leader.addMember({ id: 'e', address: 'e:1' })))
    expect(unheard.message).toMatch(/'e' was not heard for 1500 ms: .* start it, check its address/)
    const added = errorOf(leader.addMember({ id: 'd', address: 'd:1' }))
    await clock.run(500)
    expect(() => network.local(leader.id).accept(network.local('d').hello)).toThrow(/another/)
    expect(await cluster.settled(added)).toMatchObject({
      code: 'RAFT_TIMEOUT',
      message: expect.stringMatching(
        /'d' was not heard .* it is there, and was refused: peer 'd' belongs to cluster 'another'/,
      ),
      cause: { code: 'RAFT_IDENTITY' },
    })
  })

  it('says which voter is the last one', async () => {
    const cluster = new TestCluster({ ids: ['a'] })
    await cluster.start()
    open.push(cluster)
    for (const type of ['removeMember', 'demote'] as const) {
      expect(await cluster.settled(errorOf(cluster.leader[type]('a')))).toMatchObject({
        code: 'RAFT_INVALID_CONFIGURATION',
        message: "'a' is the last voter: add another one first",
      })
    }
  })
})
