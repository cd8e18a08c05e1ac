import { afterEach, describe, expect, test } from 'vitest'
import { bytes, errorOf, TestCluster, type TestClusterOptions } from './harness.js'

let cluster: TestCluster
const begin = async (options: TestClusterOptions = {}) => {
  cluster = new TestCluster(options)
  return cluster.start()
}
afterEach(() => cluster.stop())

describe('propose on the leader', () => {
  test('resolves with index, term and the result of the local apply', async () => {
    await begin()
    const first = await cluster.settled(cluster.leader.propose(bytes(5)))
    const second = await cluster.settled(cluster.leader.propose(bytes(2)))
    expect(first).toEqual({ index: 2, term: 1, result: 5 })
    expect(second).toEqual({ index: 3, term: 1, result: 7 })
    await cluster.clock.run(100)
    for (const id of cluster.ids) expect(cluster.machine(id).total).toBe(7)
  })

  test('puts all proposals of a turn into one write and one message per peer (F9)', async () => {
    await begin()
    const store = cluster.store(cluster.leader.id)
    const writesBefore = store.writes.length
    cluster.network.sent.length = 0
    await cluster.settled(Promise.all([1, 2, 3, 4].map((value) => cluster.leader.propose(bytes(value)))))
    const appends = cluster.network.sent.filter(({ message }) => message.type === 'appendEntries')
    expect(store.writes.length - writesBefore).toBe(1)
    expect(appends.map(({ message }) => message.type === 'appendEntries' && message.entries.length)).toEqual([4, 4])
  })

  test('keeps the order of the calls, on a follower too (F17)', async () => {
    await begin()
    for (const node of [cluster.leader, cluster.followers[0]!]) {
      const proposals = [1, 2, 3, 4, 5].map((value) => node.propose(bytes(value)))
      const many = node.proposeMany([bytes(6), bytes(7)])
      const indexes = (await cluster.settled(Promise.all(proposals))).map(({ index }) => index)
      const manyIndexes = (await cluster.settled(many)).map(({ index }) => index)
      const all = [...indexes, ...manyIndexes]
      expect(all).toEqual(all.map((_, at) => (all[0] ?? 0) + at))
    }
  })

  test('owns its bytes: what the caller does to the buffer afterwards changes nothing (H96)', async () => {
    await begin()
    const command = bytes(9)
    const proposal = cluster.leader.propose(command)
    command[0] = 77
    expect((await cluster.settled(proposal)).result).toBe(9)
  })

  test('gives a state machine its own bytes: scribbling on them changes no log (H96)', async () => {
    await begin()
    const { id } = cluster.leader
    cluster.machine(id).onApply = (_value, command) => void command.fill(99)
    await cluster.settled(cluster.leader.propose(bytes(3)))
    expect(cluster.store(id).entries.at(-1)?.data).toEqual(bytes(3))
  })

  test('resolves an empty proposeMany at once, appending nothing', async () => {
    await begin()
    const { lastIndex } = cluster.leader.status()
    expect(await cluster.leader.proposeMany([])).toEqual([])
    await cluster.clock.run(10)
    expect(cluster.leader.status().lastIndex).toBe(lastIndex)
  })
})

describe('the outcome of a proposal that fails', () => {
  test('is rejected when the command is larger than limits.commandBytes, and not one byte earlier', async () => {
    await begin({ options: { limits: { commandBytes: 10 } } })
    await cluster.settled(cluster.leader.propose(new Uint8Array(9)))
    await cluster.settled(cluster.leader.propose(new Uint8Array(10)))
    const error = await errorOf(cluster.leader.propose(new Uint8Array(11)))
    expect(error).toMatchObject({ code: 'RAFT_TOO_LARGE', outcome: 'rejected', retryable: false })
  })

  test('is rejected and retryable beyond limits.uncommittedBytes, until something is applied (F13, H33)', async () => {
    await begin({ options: { limits: { uncommittedBytes: 20, commandBytes: 10 } } })
    cluster.network.isolate(...cluster.ids)
    const { leader } = cluster
    const first = leader.propose(new Uint8Array(10))
    const second = leader.propose(new Uint8Array(10))
    const error = await errorOf(leader.propose(new Uint8Array(1)))
    expect(error).toMatchObject({ code: 'RAFT_OVERLOADED', outcome: 'rejected', retryable: true })
    await cluster.clock.run(1)
    expect(await errorOf(leader.propose(new Uint8Array(1)))).toMatchObject({ code: 'RAFT_OVERLOADED' })
    const writable = leader.writable()
    cluster.network.heal()
    await cluster.settled(Promise.all([first, second]))
    await cluster.settled(writable)
    expect(leader.status().uncommittedBytes).toBe(0)
    await cluster.settled(leader.propose(new Uint8Array(1)))
  })

  test('is unknown at the deadline once it was appended, and the message says where it stands (H36)', async () => {
    await begin()
    const { leader } = cluster
    cluster.network.isolate(leader.id)
    const error = await errorOf(cluster.settled(leader.propose(bytes(1), { timeoutMs: 60 })))
    expect(error).toMatchObject({ code: 'RAFT_TIMEOUT', outcome: 'unknown', retryable: false })
    expect(error.message).toContain('index 2 of term 1')
  })

  test('says at the deadline that leadership was lost meanwhile', async () => {
    await begin()
    const { leader } = cluster
    cluster.network.isolate(leader.id)
    const error = await errorOf(cluster.settled(leader.propose(bytes(1), { timeoutMs: 1_000 })))
    expect(error).toMatchObject({ code: 'RAFT_TIMEOUT', outcome: 'unknown' })
    expect(error.message).toContain('does not lead')
  })

  test('is rejected at the deadline without a leader: RAFT_NO_LEADER', async () => {
    cluster = new TestCluster()
    await cluster.node('a').start()
    const error = await errorOf(cluster.settled(cluster.node('a').propose(bytes(1), { timeoutMs: 100 })))
    expect(error).toMatchObject({ code: 'RAFT_NO_LEADER', outcome: 'rejected', retryable: true })
  })

  test('waits for a leader within its deadline, in order', async () => {
    cluster = new TestCluster()
    await cluster.node('a').start()
    await cluster.clock.run(10)
    const proposals = [1, 2, 3].map((value) => cluster.node('a').propose(bytes(value)))
    await cluster.node('b').start()
    await cluster.node('c').start()
    const indexes = (await cluster.settled(Promise.all(proposals))).map(({ index }) => index)
    expect(indexes).toEqual([indexes[0], (indexes[0] ?? 0) + 1, (indexes[0] ?? 0) + 2])
  })

  test('is rejected when another term takes its index (H35)', async () => {
    await begin()
    const old = cluster.leader
    cluster.network.isolate(old.id)
    const lost = old.propose(bytes(100), { timeoutMs: 60_000 })
    const others = [...cluster.nodes.values()].filter((node) => node !== old)
    await cluster.runUntil(() => others.some((node) => node.isLeader))
    const next = others.find((node) => node.isLeader)!
    const won = await cluster.settled(next.propose(bytes(1)))
    cluster.network.heal()
    const error = await errorOf(cluster.settled(lost))
    expect(error).toMatchObject({ code: 'RAFT_LEADERSHIP_LOST', outcome: 'rejected', retryable: true })
    expect(won.result).toBe(1)
    await cluster.clock.run(200)
    for (const id of cluster.ids) expect(cluster.machine(id).total).toBe(1)
  })

  test('is rejected when aborted before it is appended and unknown after (H108)', async () => {
    await begin()
    const { leader } = cluster
    const early = new AbortController()
    const proposal = leader.propose(bytes(1), { signal: early.signal })
    early.abort(new Error('changed my mind'))
    const rejected = await errorOf(proposal)
    expect(rejected).toMatchObject({ code: 'RAFT_ABORTED', outcome: 'rejected' })
    expect((rejected.cause as Error).message).toBe('changed my mind')
    cluster.network.isolate(leader.id)
    const late = new AbortController()
    const appended = leader.propose(bytes(1), { signal: late.signal })
    await cluster.clock.run(5)
    late.abort()
    expect(await errorOf(appended)).toMatchObject({ code: 'RAFT_ABORTED', outcome: 'unknown' })
    expect(await errorOf(leader.propose(bytes(1), { signal: AbortSignal.abort() }))).toMatchObject({
      outcome: 'rejected',
    })
    expect(leader.status().pendingProposals).toBe(0)
  })

  test('never sends what was aborted while it waited', async () => {
    await begin()
    const controller = new AbortController()
    const { lastIndex } = cluster.leader.status()
    const aborted = cluster.leader.propose(bytes(50), { signal: controller.signal })
    controller.abort()
    await errorOf(aborted)
    await cluster.clock.run(100)
    expect(cluster.leader.status().lastIndex).toBe(lastIndex)
  })

  test('is unknown for what was appended and rejected for the rest when the node stops (H101)', async () => {
    await begin()
    const { leader } = cluster
    cluster.network.isolate(leader.id)
    const appended = leader.propose(bytes(1))
    await cluster.clock.run(2)
    const waiting = leader.propose(bytes(2))
    const reading = leader.read(() => 1)
    const watching = leader.waitFor(() => false)
    const stopping = leader.stop({ transferMs: 0 })
    expect(await errorOf(appended)).toMatchObject({ code: 'RAFT_STOPPED', outcome: 'unknown' })
    expect(await errorOf(waiting)).toMatchObject({ code: 'RAFT_STOPPED', outcome: 'rejected' })
    expect(await errorOf(reading)).toMatchObject({ code: 'RAFT_STOPPED' })
    expect(await errorOf(watching)).toMatchObject({ code: 'RAFT_STOPPED' })
    await stopping
    expect(await errorOf(leader.propose(bytes(3)))).toMatchObject({ code: 'RAFT_STOPPED', outcome: 'rejected' })
  })
})

describe('propose on a follower (F16)', () => {
  test('resolves with the result of its own apply', async () => {
    await begin()
    const [follower] = cluster.followers
    const proposed = await cluster.settled(follower!.propose(bytes(4)))
    expect(proposed).toMatchObject({ result: 4 })
    expect(cluster.machine(follower!.id).calls.at(-1)).toMatchObject({ index: proposed.index, value: 4 })
  })

  test('is refused at once with the leader named when forwardProposals is off', async () => {
    await begin({ options: { forwardProposals: false } })
    const error = await errorOf(cluster.followers[0]!.propose(bytes(1)))
    expect(error).toMatchObject({
      code: 'RAFT_NOT_LEADER',
      name: 'NotLeaderError',
      outcome: 'rejected',
      retryable: true,
    })
    expect(error.leader).toMatchObject({ id: cluster.leader.id, address: `${cluster.leader.id}:1` })
  })

  test('is applied once though the network duplicates every request and every answer (H37, H115)', async () => {
    await begin()
    const [follower] = cluster.followers
    const seen = cluster.network.sent.length
    const proposals = [1, 2, 3].map((value) => follower!.propose(bytes(value)))
    await cluster.clock.run(1)
    for (const { from, to, message } of cluster.network.sent.slice(seen)) {
      if (message.type === 'proposeRequest')
        for (let copy = 0; copy < 3; copy++) cluster.network.inject(from, to, message)
    }
    await cluster.settled(Promise.all(proposals))
    await cluster.clock.run(500)
    for (const id of cluster.ids) expect(cluster.machine(id).total).toBe(6)
  })

  test('resolves though the answer comes after the command was applied here (H116)', async () => {
    await begin()
    const [follower] = cluster.followers
    const answers: { from: string; to: string; message: unknown }[] = []
    cluster.network.isLost = (sent) => {
      if (sent.message.type !== 'proposeResponse') return false
      answers.push(sent)
      return true
    }
    const proposal = follower!.propose(bytes(8))
    await cluster.runUntil(() => cluster.machine(follower!.id).total === 8)
    await cluster.settled(cluster.leader.propose(bytes(1)))
    for (const { from, to, message } of answers) cluster.network.inject(from, to, message as never)
    expect(await cluster.settled(proposal)).toMatchObject({ result: 8 })
  })

  test('is unknown when the leader loses its leadership before it answers', async () => {
    await begin()
    const old = cluster.leader
    const [follower] = cluster.followers
    cluster.network.isolate(old.id)
    const error = await errorOf(cluster.settled(follower!.propose(bytes(1))))
    expect(error).toMatchObject({ code: 'RAFT_LEADERSHIP_LOST', outcome: 'unknown', retryable: false })
  })

  test('is rejected and retryable when the asked node does not lead, and overloaded when it is', async () => {
    await begin()
    const [follower] = cluster.followers
    const { leader } = cluster
    const { currentTerm: term } = follower!.status()
    for (const [refusal, code] of [
      ['notLeader', 'RAFT_NOT_LEADER'],
      ['reordered', 'RAFT_NOT_LEADER'],
      ['overloaded', 'RAFT_OVERLOADED'],
    ] as const) {
      cluster.network.isLost = ({ message }) => message.type === 'proposeRequest'
      const proposal = follower!.propose(bytes(1))
      await cluster.clock.run(1)
      const request = cluster.network.sent.findLast(({ message }) => message.type === 'proposeRequest')!.message
      const { boot, number } = request as { boot: number; number: number }
      const answer = { type: 'proposeResponse', term, boot, number, refusal, firstIndex: 0, entryTerm: 0 } as const
      cluster.network.inject(leader.id, follower!.id, answer)
      expect(await errorOf(cluster.settled(proposal))).toMatchObject({ code, outcome: 'rejected', retryable: true })
    }
  })

  test('refuses more commands than one message to the leader holds', async () => {
    await begin()
    const commands = Array.from({ length: 9 }, () => new Uint8Array(1024 * 1024 - 100))
    expect(await errorOf(cluster.followers[0]!.proposeMany(commands))).toMatchObject({ code: 'RAFT_TOO_LARGE' })
    await cluster.settled(cluster.leader.proposeMany(commands))
  })
})
