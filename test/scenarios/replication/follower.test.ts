// What a follower does with AppendEntries and heartbeats, case by case (§5.3, receiver of figure 2): what it refuses,
// keeps, drops, writes and acknowledges, and what a slow disk changes in that.
import type { LogEntry, Term } from 'helios-raft/core'
import { describe, expect, it } from 'vitest'
import { RULES } from 'helios-raft/core'
import { append, entriesOf, heartbeat, SoloCore } from '../../support/solo-core.js'

const termsOf = (log: readonly LogEntry[]) => log.map(({ term }) => term)

describe('the consistency check', () => {
  it.each([
    { prev: [0, 0], fits: true },
    { prev: [1, 1], fits: true },
    { prev: [2, 2], fits: true },
    { prev: [1, 2], fits: false },
    { prev: [2, 1], fits: false },
    { prev: [2, 3], fits: false },
    { prev: [3, 2], fits: false },
    { prev: [3, 3], fits: false },
    { prev: [1, 0], fits: false },
  ])('behind $prev of the log 1 2: $fits', ({ prev: [prevLogIndex = 0, prevLogTerm = 0], fits }) => {
    const node = new SoloCore({ terms: [1, 2], currentTerm: 3 })
    node.receive('b', append({ term: 3, prevLogIndex, prevLogTerm }))
    const outcome = fits ? 'success' : 'mismatch'
    expect(node.last('appendEntriesResponse')).toMatchObject({ term: 3, outcome, index: prevLogIndex })
    expect(node.state).toMatchObject({ role: 'follower', leaderId: 'b', log: { lastIndex: 2 } })
  })
})

describe('entries', () => {
  /** The log, where the message goes, its terms, and the log after it with what of it had to be written. */
  const table: readonly { log: Term[]; prev: number; entries: Term[]; becomes: Term[]; writes: number }[] = [
    { log: [], prev: 0, entries: [1], becomes: [1], writes: 1 },
    { log: [1], prev: 1, entries: [2, 3], becomes: [1, 2, 3], writes: 2 },
    { log: [1, 2], prev: 2, entries: [3], becomes: [1, 2, 3], writes: 1 },
    { log: [1, 2], prev: 1, entries: [3, 4], becomes: [1, 3, 4], writes: 2 },
    { log: [1, 2], prev: 0, entries: [1], becomes: [1, 2], writes: 0 },
    { log: [1, 2], prev: 0, entries: [1, 2], becomes: [1, 2], writes: 0 },
    { log: [1, 2], prev: 0, entries: [1, 2, 2], becomes: [1, 2, 2], writes: 1 },
    { log: [1, 2], prev: 0, entries: [3], becomes: [3], writes: 1 },
    { log: [1, 2, 2], prev: 1, entries: [2], becomes: [1, 2, 2], writes: 0 },
    { log: [1, 2, 2, 2], prev: 1, entries: [2, 3], becomes: [1, 2, 3], writes: 1 },
    { log: [1, 1, 1, 1], prev: 1, entries: [1, 1, 4, 4], becomes: [1, 1, 1, 4, 4], writes: 2 },
    { log: [1, 2, 3], prev: 2, entries: [], becomes: [1, 2, 3], writes: 0 },
  ]

  it.each(table)(
    '$entries behind $prev of $log: $becomes, $writes written',
    ({ log, prev, entries, becomes, writes }) => {
      const node = new SoloCore({ terms: log, currentTerm: 4 })
      node.persistence = 'later'
      const prevLogTerm = log[prev - 1] ?? 0
      const message = append({ term: 4, prevLogIndex: prev, prevLogTerm, entries: entriesOf(prev + 1, ...entries) })
      node.receive('b', message)
      expect(termsOf(node.log)).toEqual(becomes)
      expect(node.writes.flatMap((write) => write.entries)).toHaveLength(writes)
      node.persist()
      expect(termsOf(node.durable.log)).toEqual(becomes)
      expect(node.last('appendEntriesResponse')).toMatchObject({ outcome: 'success', index: prev + entries.length })
    },
  )

  it.each([
    { entries: [], first: -1 },
    { entries: [[1, 1]], first: -1 },
    {
      entries: [
        [2, 2],
        [3, 3],
      ],
      first: -1,
    },
    {
      entries: [
        [3, 3],
        [4, 3],
      ],
      first: 1,
    },
    { entries: [[4, 3]], first: 0 },
    {
      entries: [
        [1, 1],
        [2, 2],
        [3, 3],
        [4, 4],
        [5, 4],
      ],
      first: 3,
    },
    {
      entries: [
        [1, 4],
        [2, 4],
      ],
      first: 0,
    },
    {
      entries: [
        [2, 1],
        [3, 4],
      ],
      first: 0,
    },
    {
      entries: [
        [3, 1],
        [4, 2],
        [5, 4],
      ],
      first: 0,
    },
  ])('$entries differ from the log 1 2 3 first at position $first', ({ entries, first }) => {
    const { state } = new SoloCore({ terms: [1, 2, 3], currentTerm: 4 })
    const message = entries.flatMap(([index = 0, term = 0]) => entriesOf(index, term))
    expect(RULES.firstNewEntry(message, state.log)).toBe(first)
  })

  it('that come twice before the first copy is durable are written once, and acknowledged by both when it is', () => {
    const node = new SoloCore({ currentTerm: 1 })
    node.persistence = 'later'
    const message = append({ term: 1, entries: entriesOf(1, 1, 1) })
    node.receive('b', message)
    node.receive('b', message)
    expect(node.writes.flatMap((write) => write.entries)).toHaveLength(2)
    expect(node.take('appendEntriesResponse')).toEqual([])
    node.persist()
    expect(node.take('appendEntriesResponse').map(({ message: { index } }) => index)).toEqual([2, 2])
    expect(node.state).toMatchObject({ persistedIndex: 2, epoch: 0 })
  })

  it('of which a committed one would go stop the node, and a stale message of the same leader never asks for that', () => {
    const node = new SoloCore({ currentTerm: 1 })
    node.receive('b', append({ term: 1, entries: entriesOf(1, 1, 1, 1), leaderCommit: 3 }))
    for (const entries of [[], [1], [1, 1]]) {
      node.receive('b', append({ term: 1, entries: entriesOf(1, ...entries), leaderCommit: 0 }))
      expect([node.state.commitIndex, node.log.length]).toEqual([3, 3])
    }
    expect(() => {
      node.receive('b', append({ term: 1, prevLogIndex: 2, prevLogTerm: 1, entries: entriesOf(3, 2) }))
    }).toThrow(/committed/)
  })

  it('are committed as far as this message verified them: the table of leaderCommit', () => {
    for (const { prev, entries, leaderCommit, commits } of [
      { prev: 1, entries: [], leaderCommit: 3, commits: 1 },
      { prev: 1, entries: [2], leaderCommit: 3, commits: 2 },
      { prev: 2, entries: [], leaderCommit: 3, commits: 2 },
      { prev: 2, entries: [2], leaderCommit: 3, commits: 3 },
      { prev: 2, entries: [2, 2], leaderCommit: 3, commits: 3 },
      { prev: 2, entries: [2], leaderCommit: 9, commits: 3 },
      { prev: 0, entries: [1, 2], leaderCommit: 1, commits: 1 },
    ]) {
      const node = new SoloCore({ terms: [1, 2, 2], currentTerm: 2 })
      const place = { prevLogIndex: prev, prevLogTerm: [0, 1, 2][prev] ?? 0 }
      node.receive('b', append({ term: 2, ...place, entries: entriesOf(prev + 1, ...entries), leaderCommit }))
      expect(node.state.commitIndex, `${prev} ${entries.join()} ${leaderCommit}`).toBe(commits)
    }
  })
})

describe('a heartbeat', () => {
  it('raises commitIndex as far as it verified, and never lowers it', () => {
    const node = new SoloCore({ terms: [1, 1, 1], currentTerm: 1 })
    const beat = { term: 1, prevLogIndex: 3, prevLogTerm: 1 }
    const seen = [2, 3, 1, 0, 9].map((leaderCommit) => {
      node.receive('b', heartbeat({ ...beat, leaderCommit }))
      return node.state.commitIndex
    })
    expect(seen).toEqual([2, 3, 3, 3, 3])
  })

  it('drops no entry, wherever it points', () => {
    const node = new SoloCore({ terms: [1, 2, 2, 3], currentTerm: 3 })
    for (const [prevLogIndex, prevLogTerm] of [
      [0, 0],
      [1, 1],
      [2, 9],
      [4, 1],
      [9, 3],
    ] as const) {
      node.receive('b', heartbeat({ term: 3, prevLogIndex, prevLogTerm, leaderCommit: 9 }))
      expect(termsOf(node.log)).toEqual([1, 2, 2, 3])
    }
    expect(node.state.commitIndex).toBe(1)
  })

  it('is answered by followers only, whatever is sent to the other roles in an earlier term', () => {
    const roles = {
      preCandidate: (node: SoloCore) => node.timeOut(),
      candidate: (node: SoloCore) => node.becomeCandidate(),
      leader: (node: SoloCore) => node.becomeLeader(),
    }
    for (const [role, become] of Object.entries(roles)) {
      const node = new SoloCore({ currentTerm: 4 })
      become(node)
      node.receive('b', heartbeat({ term: 3, prevLogIndex: 0, leaderCommit: 7, round: 5, sentMs: 9 }))
      expect(node.state.role).toBe(role)
      expect(node.last('heartbeatResponse'), role).toMatchObject({ index: -1, round: 0, echoMs: 0 })
    }
  })
})

describe('a follower whose disk is behind', () => {
  it('holds entries that are committed but not durable here, and applies them when they are', () => {
    // It led, with a slow disk, and a majority without it committed its entries.
    const node = new SoloCore()
    node.becomeLeader()
    node.acknowledge('b', 1)
    node.persistence = 'later'
    node.propose('x')
    node.acknowledge('b', 2)
    node.acknowledge('c', 2)
    expect(node.state).toMatchObject({ commitIndex: 2, lastApplied: 1, persistedIndex: 1 })
    // A new leader brings the next entry; the commit goes on, and applying still waits for the disk.
    const next = append({ term: 2, prevLogIndex: 2, prevLogTerm: 1, entries: entriesOf(3, 2), leaderCommit: 3 })
    node.receive('b', next)
    expect(node.state).toMatchObject({ role: 'follower', commitIndex: 3, lastApplied: 1 })
    expect(node.take('appendEntriesResponse')).toEqual([])
    node.persist(1)
    expect(node.state).toMatchObject({ persistedIndex: 2, lastApplied: 2 })
    node.persist()
    expect(node.state).toMatchObject({ persistedIndex: 3, lastApplied: 3 })
    expect(node.last('appendEntriesResponse')).toMatchObject({ outcome: 'success', index: 3 })
  })

  it('acknowledges by a message about its past no more than that message verified', () => {
    // Entry 2 is of another leader; whoever asks about index 1 hears about index 1.
    const node = new SoloCore({ terms: [1, 2], currentTerm: 2 })
    node.receive('c', heartbeat({ term: 3, prevLogIndex: 1, prevLogTerm: 1, leaderCommit: 2 }))
    expect(node.last('heartbeatResponse')).toMatchObject({ index: 1 })
    node.receive('c', append({ term: 3, prevLogIndex: 1, prevLogTerm: 1, leaderCommit: 2 }))
    expect(node.last('appendEntriesResponse')).toMatchObject({ outcome: 'success', index: 1 })
    expect(node.state.commitIndex).toBe(1)
  })

  it('tells a new leader nothing of entries that it was writing for the one before, unless they matched', () => {
    const node = new SoloCore({ terms: [1], currentTerm: 1 })
    node.persistence = 'later'
    node.receive('b', append({ term: 1, prevLogIndex: 1, prevLogTerm: 1, entries: entriesOf(2, 1, 1) }))
    node.receive('c', heartbeat({ term: 2, prevLogIndex: 1, prevLogTerm: 1 }))
    node.persist()
    const told = node.sent.map(({ to, message }) => [to, message.type, message.term])
    // The acknowledgement is for b in its term, and says so; c hears of index 1.
    expect(told).toEqual([
      ['b', 'appendEntriesResponse', 1],
      ['c', 'heartbeatResponse', 2],
    ])
    expect(node.last('heartbeatResponse')).toMatchObject({ index: 1 })
    expect(node.state.persistedIndex).toBe(3)
  })

  it('whose entries become durable when it has no leader any more promises them to nobody but him who sent them', () => {
    const node = new SoloCore({ terms: [1], currentTerm: 1 })
    node.persistence = 'later'
    node.receive('b', append({ term: 1, prevLogIndex: 1, prevLogTerm: 1, entries: entriesOf(2, 1) }))
    node.timeOut()
    expect(node.state).toMatchObject({ role: 'preCandidate', leaderId: null })
    node.sent = []
    node.persist()
    const acknowledged = node.sent.filter(({ message }) => message.type === 'appendEntriesResponse')
    expect(acknowledged).toMatchObject([{ to: 'b', message: { term: 1, outcome: 'success', index: 2 } }])
    expect(node.state).toMatchObject({ persistedIndex: 2, commitIndex: 0 })
  })
})
