import { afterEach, describe, expect, test } from 'vitest'
import { bytes, TestCluster } from './harness.js'

let cluster: TestCluster | undefined
const begin = async (options = {}) => {
  cluster = new TestCluster(options)
  return cluster.start()
}
afterEach(async () => {
  await cluster?.stop()
  cluster = undefined
})

describe('status', () => {
  test('names every fact that it promises', async () => {
    const { leader } = await begin()
    const [follower] = cluster!.followers
    await cluster!.settled(leader.propose(bytes(1)))
    await cluster!.clock.run(100)
    expect(leader.status()).toMatchObject({
      id: leader.id,
      role: 'leader',
      suffrage: 'voter',
      ready: true,
      quorumOk: true,
      leaderContactMs: 0,
      currentTerm: 1,
      votedFor: leader.id,
      firstIndex: 1,
      lastIndex: 2,
      persistedIndex: 2,
      commitIndex: 2,
      lastApplied: 2,
      snapshotIndex: 0,
      leaseRemainingMs: 0,
      pendingProposals: 0,
      uncommittedBytes: 0,
      explanation: null,
    })
    expect(leader.status().peers.map(({ state, matchIndex }) => [state, matchIndex])).toEqual([
      ['replicate', 2],
      ['replicate', 2],
    ])
    expect(follower!.status()).toMatchObject({ role: 'follower', peers: [], leader: { id: leader.id }, quorumOk: true })
    expect(follower!.status().leaderContactMs).toBeLessThanOrEqual(50)
  })

  test('says that a leader hears no quorum', async () => {
    const { leader, network, clock } = await begin()
    network.isLost = ({ to }) => to === leader.id
    await clock.run(149)
    await clock.run(10)
    expect(leader.status().explanation).toMatch(/heard no quorum|No leader is known/)
    expect(leader.status().quorumOk).toBe(false)
  })
})

describe('a candidate that voters can hear and do not agree with', () => {
  test('is told that it may have been removed, when they had time to answer', async () => {
    const { network, clock } = await begin()
    const [asking, deaf] = cluster!.followers
    network.local(asking!.id).peerStatus(deaf!.id, 'up')
    network.isolate(asking!.id)
    await cluster!.runUntil(() => asking!.status().role === 'preCandidate')
    expect(asking!.status().explanation).not.toMatch(/removed/)
    await clock.run(750)
    await cluster!.runUntil(() => asking!.status().role === 'preCandidate')
    expect(asking!.status().explanation).toContain(
      `'${deaf!.id}' can be reached and did not agree: this node may have been removed from the cluster, ask it for the members`,
    )
    network.local(asking!.id).peerStatus(deaf!.id, 'closed')
    expect(asking!.status().explanation).not.toMatch(/removed/)
  })
})

describe('late timers', () => {
  test('a node whose process stood still hears what arrived before it judges its leader (H105, H16)', async () => {
    const { leader, clock } = await begin()
    const terms = () => [...cluster!.nodes.values()].map((node) => node.status().currentTerm)
    for (let pause = 0; pause < 10; pause++) {
      clock.jump(3_000)
      await clock.run(20)
      expect(terms()).toEqual([1, 1, 1])
    }
    expect(leader.isLeader).toBe(true)
  })

  test('wall clocks that jump by a day change nothing but timestamps, which never fall (H106, H127)', async () => {
    const { leader, clock } = await begin()
    await cluster!.settled(leader.propose(bytes(1)))
    clock.wallOffset += 86_400_000
    await cluster!.settled(leader.propose(bytes(1)))
    clock.wallOffset -= 2 * 86_400_000
    await cluster!.settled(leader.propose(bytes(1)))
    await clock.run(500)
    const { calls } = cluster!.machine(leader.id)
    const stamps = calls.map(({ timestamp }) => timestamp)
    expect(stamps).toEqual(stamps.toSorted((a, b) => a - b))
    expect(leader.status().currentTerm).toBe(1)
  })
})

describe('a follower at its limit', () => {
  test('takes the entries without which those that it holds can not be committed (F13)', async () => {
    const limits = { limits: { uncommittedBytes: 20, commandBytes: 10 }, electionTimeoutMs: 600 }
    const { leader, network, clock } = await begin({ perNode: { a: limits, b: limits } })
    expect(leader.id).toBe('c')
    const propose = () => leader.propose(new Uint8Array(10), { timeoutMs: 60_000 })
    network.isLost = ({ message }) => message.type === 'appendEntriesResponse'
    const proposals = [propose(), propose()]
    await clock.run(5)
    network.isLost = ({ message }) => message.type === 'appendEntries'
    proposals.push(propose())
    await clock.run(5)
    network.isolate('a', 'b', 'c')
    await cluster!.runUntil(() => !leader.isLeader)
    network.isLost = ({ from, to }) => from !== 'c' && to !== 'c'
    await cluster!.runUntil(() => leader.isLeader)
    expect(leader.status().currentTerm).toBeGreaterThan(1)
    expect(await cluster!.settled(Promise.all(proposals))).toMatchObject([{ index: 2 }, { index: 3 }, { index: 4 }])
  })
})
