// Elections as the application sees them: whole nodes on a clock of the test. What is told of each change of leader, how
// soon a leader without followers gives up, votes that are slow on their way, and the cluster of one.
import { afterEach, describe, expect, test } from 'vitest'
import { bytes, type Sent, TestCluster } from '../../unit/node/harness.js'

let cluster: TestCluster | null = null
afterEach(async () => {
  await cluster?.stop()
  cluster = null
})

const ELECTION_TIMEOUT_MS = 150
const HEARTBEAT_INTERVAL_MS = 50

describe('a leader that lost its only follower', () => {
  test('gives up at the heartbeat after an election timeout, says so, and neither names a leader afterwards', async () => {
    cluster = await new TestCluster({ ids: ['a', 'b'] }).start()
    const { leader, network, clock } = cluster
    const [follower] = cluster.followers
    const told: (string | null)[] = []
    leader.on('leader', (now) => void told.push(now?.id ?? null))
    network.isolate(follower?.id ?? '')
    const since = clock.now()
    await cluster.runUntil(() => !leader.isLeader)
    // It looks once in each heartbeat interval; what was under way takes a millisecond.
    expect(clock.now() - since).toBeLessThanOrEqual(ELECTION_TIMEOUT_MS + HEARTBEAT_INTERVAL_MS + 1)
    expect(told).toEqual([null])
    await clock.run(1_000)
    for (const node of [leader, follower]) {
      expect(node?.isLeader).toBe(false)
      expect(node?.status()).toMatchObject({ leader: null, quorumOk: false, ready: false })
    }
    // Without a quorum nobody speaks as a leader any more.
    const late = network.sent.filter(({ from, message }) => from === leader.id && message.type === 'heartbeat')
    network.sent.length = 0
    await clock.run(1_000)
    expect(late.length).toBeGreaterThan(0)
    expect(network.sent.filter(({ message }) => message.type === 'heartbeat')).toEqual([])
  })
})

describe('every change of leadership', () => {
  test('is told on each node in the order of the terms, and the latest is what status says', async () => {
    cluster = new TestCluster()
    const { nodes, network, clock, ids } = cluster
    const leaders = new Map<number, string>()
    const told = new Map(ids.map((id) => [id, [] as { id: string | null; term: number }[]]))
    const roles = new Map(ids.map((id) => [id, [] as string[]]))
    for (const [id, node] of nodes) {
      node.on('leader', (leader, term) => void told.get(id)?.push({ id: leader?.id ?? null, term }))
      node.on('role', ({ role, previous, term }) => {
        expect(previous, id).toBe(roles.get(id)?.at(-1) ?? 'follower')
        roles.get(id)?.push(role)
        if (role === 'leader') leaders.set(term, id)
      })
    }
    await cluster.start()
    for (let change = 0; change < 6; change++) {
      network.isolate(cluster.leader.id)
      await clock.run(1_000)
      network.heal()
      await clock.run(500)
    }
    expect(leaders.size).toBeGreaterThan(6)
    for (const [id, node] of nodes) {
      const heard = told.get(id) ?? []
      expect(heard.map(({ term }) => term)).toEqual(heard.map(({ term }) => term).toSorted((a, b) => a - b))
      for (const { id: leader, term } of heard) if (leader !== null) expect(leader).toBe(leaders.get(term))
      expect(heard.at(-1)).toEqual({ id: node.status().leader?.id, term: node.status().currentTerm })
      // Nothing is said twice: each event differs from the one before.
      heard.forEach((event, at) => expect(event).not.toEqual(heard[at - 1]))
      expect(roles.get(id)?.at(-1)).toBe(node.status().role)
    }
    for (const [term, id] of leaders) expect(told.get(id)).toContainEqual({ id, term })
  })
})

describe('votes that are slow on their way', () => {
  const isVote = ({ message: { type } }: Sent): boolean => type === 'requestVote' || type === 'preVote'
  const isAnswer = ({ message: { type } }: Sent): boolean => type.endsWith('VoteResponse')
  const rows: readonly { readonly what: string; readonly isSlow: (sent: Sent) => boolean }[] = [
    { what: 'requests to two of five', isSlow: (sent) => isVote(sent) && ['a', 'b'].includes(sent.to) },
    { what: 'requests of two of five', isSlow: (sent) => isVote(sent) && ['a', 'b'].includes(sent.from) },
    { what: 'answers of three of five', isSlow: (sent) => isAnswer(sent) && ['b', 'd', 'e'].includes(sent.from) },
  ]

  test.each(rows)('($what) cost neither leader nor writes, also when the leader is lost', async ({ isSlow }) => {
    cluster = new TestCluster({ ids: ['a', 'b', 'c', 'd', 'e'] })
    const { network, clock, ids } = cluster
    let lost: string | null = null
    network.isLost = (sent) => {
      if (sent.from === lost || sent.to === lost) return true
      if (!isSlow(sent)) return false
      // Up to two timeouts late: behind the next question of the same node, and sometimes behind its term.
      const delayMs = ELECTION_TIMEOUT_MS / 3 + ((network.sent.length * 37) % (2 * ELECTION_TIMEOUT_MS))
      clock.schedule(clock.now() + delayMs, () => {
        if (sent.from !== lost && sent.to !== lost) network.inject(sent.from, sent.to, sent.message)
      })
      return true
    }
    for (const node of cluster.nodes.values()) await node.start()
    let total = 0
    for (let round = 0; round < 4; round++) {
      await cluster.runUntil(
        () => [...(cluster?.nodes.values() ?? [])].some((node) => node.isLeader && node.id !== lost),
        20_000,
      )
      const writer = [...cluster.nodes.values()].find((node) => node.isLeader && node.id !== lost)
      for (let at = 1; at <= 25; at++) {
        const write = writer?.propose(bytes(1)) as Promise<unknown>
        await cluster.settled(write)
        total += 1
      }
      lost = round < 3 ? (writer?.id ?? null) : null
      await clock.run(500)
    }
    await cluster.runUntil(() => ids.every((id) => cluster?.machine(id).total === total), 20_000)
    const orders = ids.map((id) =>
      cluster
        ?.machine(id)
        .calls.map(({ index, term }) => `${index}/${term}`)
        .join(' '),
    )
    expect(new Set(orders).size).toBe(1)
  })
})

describe('a cluster of one', () => {
  test('applies what is proposed at once and one by one, in order, and reads it on every level', async () => {
    cluster = await new TestCluster({ ids: ['a'] }).start()
    const { leader, clock } = cluster
    const together = Array.from({ length: 50 }, () => leader.propose(bytes(1)))
    const results = await cluster.settled(Promise.all(together))
    expect(results.map(({ result }) => result)).toEqual(Array.from({ length: 50 }, (_, at) => at + 1))
    for (let at = 51; at <= 60; at++) {
      expect((await cluster.settled(leader.propose(bytes(1)))).result).toBe(at)
    }
    const machine = cluster.machine('a')
    for (const consistency of ['linearizable', 'lease', 'local'] as const) {
      const read = leader.read(() => machine.total, { consistency })
      expect(await cluster.settled(read)).toMatchObject({ value: 60 })
    }
    await clock.run(5_000)
    expect(leader.status()).toMatchObject({ role: 'leader', currentTerm: 1 })
  })
})
