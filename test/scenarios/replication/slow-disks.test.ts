// Writes and applies that lag behind the messages (thesis §10.2.1; F10; H1, H26, H111): several under way on a leader, on
// a follower, on a candidate, and over a change of leader.
import { describe, expect, it } from 'vitest'
import { append, entriesOf, heartbeat, requestVote, SoloCore } from '../../support/solo-core.js'

const appendsOf = (node: SoloCore) => {
  return node.take('appendEntries').map(({ to, message }) => [to, ...message.entries.map(({ index }) => index)])
}

describe('a leader with several writes under way', () => {
  function writing(): SoloCore {
    const leader = new SoloCore()
    leader.becomeLeader()
    for (const peer of ['b', 'c']) leader.acknowledge(peer, 1)
    leader.persistence = 'later'
    leader.sent = []
    for (const command of ['x', 'y', 'z']) leader.propose(command)
    return leader
  }

  it('sends each entry at once, whatever its own disk does', () => {
    const leader = writing()
    expect(leader.writes).toHaveLength(3)
    expect(appendsOf(leader)).toEqual([
      ['b', 2],
      ['c', 2],
      ['b', 3],
      ['c', 3],
      ['b', 4],
      ['c', 4],
    ])
  })

  it('commits by whichever quorum is durable first: its own disk and one follower, or both followers', () => {
    const leader = writing()
    leader.acknowledge('b', 4)
    const seen = [leader.state.commitIndex]
    for (let write = 0; write < 3; write++) {
      leader.persist(1)
      seen.push(leader.state.commitIndex)
    }
    expect(seen).toEqual([1, 2, 3, 4])
    const other = writing()
    other.acknowledge('b', 4)
    other.acknowledge('c', 3)
    expect(other.state).toMatchObject({ commitIndex: 3, persistedIndex: 1, lastApplied: 1 })
    other.persist(1)
    expect(other.state).toMatchObject({ commitIndex: 3, persistedIndex: 2, lastApplied: 2 })
  })

  it('counts none of them after it was deposed, and gives them up when they are overwritten', () => {
    const leader = writing()
    leader.receive('c', append({ term: 2, prevLogIndex: 1, prevLogTerm: 1, entries: entriesOf(2, 2), leaderCommit: 2 }))
    expect(leader.state).toMatchObject({ role: 'follower', commitIndex: 2, persistedIndex: 1, lastApplied: 1 })
    // The three old writes complete, then the one that replaced them.
    leader.persist(3)
    expect(leader.state).toMatchObject({ persistedIndex: 1, lastApplied: 1 })
    leader.persist()
    expect(leader.state).toMatchObject({ persistedIndex: 2, lastApplied: 2 })
    expect(leader.durable.log.map(({ term }) => term)).toEqual([1, 2])
    expect(leader.take('appendEntriesResponse')).toMatchObject([{ to: 'c', message: { term: 2, index: 2 } }])
  })
})

describe('a follower with several writes under way', () => {
  it('acknowledges each when it is durable, in order, and none before', () => {
    const node = new SoloCore({ currentTerm: 1 })
    node.persistence = 'later'
    for (const index of [1, 2, 3]) {
      const place = { prevLogIndex: index - 1, prevLogTerm: index === 1 ? 0 : 1 }
      node.receive('b', append({ term: 1, ...place, entries: entriesOf(index, 1), leaderCommit: index }))
    }
    expect(node.sent).toEqual([])
    const acknowledged = [1, 2, 3].map(() => {
      node.persist(1)
      return node.take('appendEntriesResponse').map(({ message }) => message.index)
    })
    expect(acknowledged).toEqual([[1], [2], [3]])
  })

  it('answers heartbeats meanwhile, and says in them no more than is durable', () => {
    const node = new SoloCore({ currentTerm: 1 })
    node.persistence = 'later'
    node.receive('b', append({ term: 1, entries: entriesOf(1, 1, 1) }))
    node.receive('b', heartbeat({ term: 1, prevLogIndex: 2, prevLogTerm: 1, round: 4 }))
    expect(node.last('heartbeatResponse')).toMatchObject({ index: 0, round: 4 })
  })

  it('whose entries are replaced and replaced again ends with the last ones, and acknowledges what each message held', () => {
    const node = new SoloCore({ currentTerm: 1 })
    node.persistence = 'later'
    for (const term of [1, 2, 3]) node.receive('b', append({ term, entries: entriesOf(1, term, term) }))
    expect(node.state).toMatchObject({ epoch: 2, persistedIndex: 0 })
    // A heartbeat of the third leader says 'committed'; nothing of that is durable here yet.
    node.receive('b', heartbeat({ term: 3, prevLogIndex: 2, prevLogTerm: 3, leaderCommit: 2 }))
    const applied: number[] = []
    while (node.persist(1) > 0) applied.push(node.state.lastApplied)
    // Three writes of entries and two of terms; the last of them brings the entries that were committed.
    expect(applied.slice(0, -1).every((index) => index === 0)).toBe(true)
    expect(applied.at(-1)).toBe(2)
    expect(node.durable.log.map(({ term }) => term)).toEqual([3, 3])
    const terms = node.take('appendEntriesResponse').map(({ message }) => [message.term, message.index])
    expect(terms).toEqual([
      [1, 2],
      [2, 2],
      [3, 2],
    ])
  })
})

describe('a candidate with writes under way', () => {
  it('asks for votes when they are durable, and votes for nobody else meanwhile', () => {
    const node = new SoloCore({ currentTerm: 1 })
    node.persistence = 'later'
    node.receive('b', append({ term: 1, entries: entriesOf(1, 1, 1) }))
    node.sent = []
    node.becomeCandidate()
    // Term 2 and its own vote wait behind the entries, and so does everything that it may say in term 2.
    expect(node.state).toMatchObject({ role: 'candidate', currentTerm: 2, votedFor: 'a' })
    node.receive('b', requestVote({ term: 2, lastLogIndex: 9, lastLogTerm: 1 }))
    expect([...node.take('requestVote'), ...node.take('requestVoteResponse')]).toEqual([])
    node.persist()
    expect(node.sent.map(({ to, message }) => [to, message.type, message.term])).toEqual([
      ['b', 'appendEntriesResponse', 1],
      ['b', 'requestVote', 2],
      ['c', 'requestVote', 2],
      ['b', 'requestVoteResponse', 2],
    ])
    expect(node.sent.at(-1)?.message).toMatchObject({ voteGranted: false })
    expect(node.last('requestVote')).toMatchObject({ lastLogIndex: 2, lastLogTerm: 1 })
    expect(node.durable.hardState).toEqual({ currentTerm: 2, votedFor: 'a' })
  })

  it('sends everything of its new term at once when it wins, its own no-op not yet durable', () => {
    const node = new SoloCore({ terms: [1, 1], currentTerm: 1 })
    node.becomeCandidate()
    node.persistence = 'later'
    node.sent = []
    node.receive('b', { type: 'requestVoteResponse', term: 2, voteGranted: true })
    expect(node.state).toMatchObject({ role: 'leader', persistedIndex: 2 })
    expect(appendsOf(node)).toEqual([
      ['b', 3],
      ['c', 3],
    ])
    node.acknowledge('b', 3)
    expect(node.state.commitIndex).toBe(0)
    node.persist()
    expect(node.state.commitIndex).toBe(3)
  })
})

describe('applying that lags behind', () => {
  it('holds back neither commits nor proposals, and is told in any portions', () => {
    const leader = new SoloCore()
    leader.becomeLeader()
    leader.applies = 'later'
    for (let index = 1; index <= 6; index++) {
      leader.acknowledge('b', index)
      leader.propose(`${index}`)
    }
    expect(leader.state).toMatchObject({ commitIndex: 6, lastApplied: 0, log: { lastIndex: 7 } })
    for (const index of [2, 3, 6]) {
      leader.step({ type: 'applied', now: leader.clock, index })
      expect(leader.state.lastApplied).toBe(index)
    }
    expect(() => leader.step({ type: 'applied', now: leader.clock, index: 7 })).toThrow(/committed/)
  })

  it('never goes beyond what is durable here, and never back', () => {
    const node = new SoloCore({ currentTerm: 1 })
    node.persistence = 'later'
    node.applies = 'later'
    node.receive('b', append({ term: 1, entries: entriesOf(1, 1, 1), leaderCommit: 2 }))
    expect(() => node.step({ type: 'applied', now: node.clock, index: 1 })).toThrow(/durable/)
    const again = new SoloCore({ terms: [1, 1], currentTerm: 1 })
    again.receive('b', heartbeat({ term: 1, prevLogIndex: 2, prevLogTerm: 1, leaderCommit: 2 }))
    expect(again.state.lastApplied).toBe(2)
    expect(() => again.step({ type: 'applied', now: again.clock, index: 1 })).toThrow(/never falls/)
  })
})
