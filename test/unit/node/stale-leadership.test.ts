// What was put out in the name of a leadership that ended within the same turn (design §3, Outbound; H128).
import type { LogEntry } from 'helios-raft'
import { afterEach, describe, expect, test } from 'vitest'
import { bytes, TestCluster } from './harness.js'

let cluster: TestCluster | null = null
afterEach(async () => {
  await cluster?.stop()
  cluster = null
})

describe('a leader that is replaced in the turn in which it asks a peer', () => {
  test('tells the peer nothing of the new log in the name of the old term (H128)', async () => {
    cluster = await new TestCluster({ options: { limits: { inflightBytes: 1 } } }).start()
    const { leader, network, clock } = cluster
    const term = leader.status().currentTerm
    const [b = '', c = ''] = cluster.ids.filter((id) => id !== leader.id)

    // b has the first command and can't say so, so the second one is held back; c has neither.
    network.isLost = ({ to, message }) => message.type !== 'appendEntries' || to === c
    leader.propose(bytes(1), { timeoutMs: 60_000 }).catch(() => undefined)
    await clock.run(2)
    leader.propose(bytes(2), { timeoutMs: 60_000 }).catch(() => undefined)
    await clock.run(60)
    expect(leader.isLeader).toBe(true)
    expect(leader.status().lastIndex).toBe(3)

    // Together arrive: an answer, for which b is asked what it has, and c's log of the next term, committed without both.
    const sentBefore = network.sent.length
    network.inject(b, leader.id, {
      type: 'heartbeatResponse',
      term,
      ...{ addedAt: 0, round: 0, index: 0, sentMs: 1, boot: 1, echoMs: 0, leaseMs: 0 },
    })
    const data = bytes(9)
    const entryOf = (index: number): LogEntry => ({ index, term: term + 1, type: 'command', timestamp: 0, data })
    network.inject(c, leader.id, {
      type: 'appendEntries',
      term: term + 1,
      ...{ addedAt: 0, prevLogIndex: 1, prevLogTerm: term, leaderCommit: 3, entries: [entryOf(2), entryOf(3)] },
    })
    await clock.run(0)
    expect(leader.status()).toMatchObject({ role: 'follower', currentTerm: term + 1, commitIndex: 3 })

    // The old leadership knew of one committed entry, its no-op.
    const later = network.sent.slice(sentBefore).map(({ message }) => message)
    const commits = later.flatMap((message) =>
      'leaderCommit' in message ? [[message.term, message.leaderCommit]] : [],
    )
    for (const [sentTerm, leaderCommit] of commits) expect([sentTerm, leaderCommit]).toEqual([term, 1])
  })
})
