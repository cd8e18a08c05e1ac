// Figure 2, box by box: what each RPC's receiver implements and the rules for servers. The sections that explain them
// have files of their own; this one is to be read beside the page.
import { describe, expect, it } from 'vitest'
import {
  append,
  appendResponse,
  entriesOf,
  heartbeat,
  heartbeatResponse,
  preVote,
  requestVote,
  SoloCore,
} from '../support/solo-core.js'

describe('figure 2: AppendEntries RPC, receiver implementation', () => {
  it('1. replies false if term < currentTerm, and tells its own term', () => {
    const node = new SoloCore({ terms: [1, 2], currentTerm: 3 })
    node.receive('b', append({ term: 2, prevLogIndex: 2, prevLogTerm: 2, entries: entriesOf(3, 2) }))
    expect(node.last('appendEntriesResponse')).toMatchObject({ term: 3, outcome: 'mismatch' })
    expect(node.state).toMatchObject({ leaderId: null, log: { lastIndex: 2 } })
  })

  it('2. replies false if its log has no entry at prevLogIndex whose term is prevLogTerm', () => {
    for (const [prevLogIndex, prevLogTerm] of [
      [3, 2],
      [2, 1],
      [2, 3],
    ] as const) {
      const node = new SoloCore({ terms: [1, 2], currentTerm: 3 })
      node.receive('b', append({ term: 3, prevLogIndex, prevLogTerm, entries: entriesOf(prevLogIndex + 1, 3) }))
      expect(node.last('appendEntriesResponse')).toMatchObject({ outcome: 'mismatch', index: prevLogIndex })
      expect(node.log).toHaveLength(2)
    }
  })

  it('3. deletes an entry that conflicts with a new one, and all that follow it', () => {
    const node = new SoloCore({ terms: [1, 2, 2, 2], currentTerm: 3 })
    node.receive('b', append({ term: 3, prevLogIndex: 1, prevLogTerm: 1, entries: entriesOf(2, 3) }))
    expect(node.log.map((entry) => entry.term)).toEqual([1, 3])
    expect(node.durable.log.map((entry) => entry.term)).toEqual([1, 3])
  })

  it('3. deletes nothing that does not conflict, also when the message ends before the log does (H22)', () => {
    const node = new SoloCore({ terms: [1, 2, 2, 2], currentTerm: 2 })
    node.receive('b', append({ term: 2, prevLogIndex: 1, prevLogTerm: 1, entries: entriesOf(2, 2) }))
    expect(node.log.map((entry) => entry.term)).toEqual([1, 2, 2, 2])
    node.receive('b', append({ term: 2, prevLogIndex: 0, prevLogTerm: 0 }))
    expect(node.log).toHaveLength(4)
  })

  it('4. appends the entries that are not already in the log', () => {
    const node = new SoloCore({ terms: [1, 1], currentTerm: 1 })
    node.receive('b', append({ term: 1, prevLogIndex: 1, prevLogTerm: 1, entries: entriesOf(2, 1, 1, 1) }))
    expect(node.log.map((entry) => entry.index)).toEqual([1, 2, 3, 4])
  })

  it('5. sets commitIndex to min(leaderCommit, index of the last new entry) (H23)', () => {
    const node = new SoloCore({ terms: [1, 1, 1, 1], currentTerm: 1 })
    const message = append({ term: 1, prevLogIndex: 1, prevLogTerm: 1, entries: entriesOf(2, 1) })
    node.receive('b', { ...message, leaderCommit: 1 })
    expect(node.state.commitIndex).toBe(1)
    node.receive('b', { ...message, leaderCommit: 4 })
    expect(node.state.commitIndex).toBe(2)
    node.receive('b', { ...message, leaderCommit: 0 })
    expect(node.state.commitIndex).toBe(2)
  })

  it('acknowledges the last entry of the message, not the last one that it holds (H25)', () => {
    const node = new SoloCore({ terms: [1, 1, 1, 1], currentTerm: 2 })
    node.receive('b', append({ term: 2, prevLogIndex: 2, prevLogTerm: 1 }))
    expect(node.last('appendEntriesResponse')).toMatchObject({ outcome: 'success', index: 2 })
  })

  it('of a heartbeat verifies no more than prevLogIndex (H23)', () => {
    const node = new SoloCore({ terms: [1, 1, 1], currentTerm: 2 })
    node.receive('b', heartbeat({ term: 2, prevLogIndex: 1, prevLogTerm: 1, leaderCommit: 3 }))
    expect(node.state.commitIndex).toBe(1)
    expect(node.last('heartbeatResponse').index).toBe(1)
    node.receive('b', heartbeat({ term: 2, prevLogIndex: 2, prevLogTerm: 2, leaderCommit: 3 }))
    expect(node.state.commitIndex).toBe(1)
    expect(node.last('heartbeatResponse').index).toBe(-1)
  })
})

describe('figure 2: RequestVote RPC, receiver implementation', () => {
  it('1. replies false if term < currentTerm', () => {
    const node = new SoloCore({ terms: [1], currentTerm: 3 })
    node.receive('b', requestVote({ term: 2, lastLogIndex: 9, lastLogTerm: 2 }))
    expect(node.last('requestVoteResponse')).toMatchObject({ term: 3, voteGranted: false })
    expect(node.state.votedFor).toBeNull()
  })

  it('2. grants if votedFor is null or the candidate, and the log is at least as up to date', () => {
    const table = [
      { votedFor: null, lastLogTerm: 1, lastLogIndex: 2, granted: true },
      { votedFor: 'b', lastLogTerm: 1, lastLogIndex: 2, granted: true },
      { votedFor: 'c', lastLogTerm: 1, lastLogIndex: 2, granted: false },
      { votedFor: null, lastLogTerm: 1, lastLogIndex: 1, granted: false },
      { votedFor: 'b', lastLogTerm: 1, lastLogIndex: 1, granted: false },
    ]
    for (const { votedFor, granted, ...last } of table) {
      const node = new SoloCore({ terms: [1, 1], currentTerm: 2, votedFor })
      node.receive('b', requestVote({ term: 2, ...last }))
      expect(node.last('requestVoteResponse'), JSON.stringify(last)).toMatchObject({ term: 2, voteGranted: granted })
    }
  })
})

describe('figure 2: all servers', () => {
  it('if commitIndex > lastApplied: apply in order, once durable here', () => {
    const node = new SoloCore({ currentTerm: 1 })
    node.persistence = 'later'
    node.receive('b', append({ term: 1, entries: entriesOf(1, 1, 1), leaderCommit: 2 }))
    expect(node.state).toMatchObject({ commitIndex: 2, lastApplied: 0 })
    node.persist()
    expect(node.state.lastApplied).toBe(2)
  })

  it('if a request or an answer holds a higher term: take that term and become follower, whatever the role', () => {
    const messages = [
      requestVote({ term: 9 }),
      append({ term: 9 }),
      heartbeat({ term: 9 }),
      appendResponse({ term: 9, index: 0 }),
      heartbeatResponse({ term: 9 }),
      { type: 'requestVoteResponse', term: 9, voteGranted: false } as const,
      { type: 'preVoteResponse', term: 9, round: 1, voteGranted: false } as const,
    ]
    const roles = {
      follower: () => {},
      preCandidate: (node: SoloCore) => node.timeOut(),
      candidate: (node: SoloCore) => node.becomeCandidate(),
      leader: (node: SoloCore) => node.becomeLeader(),
    }
    for (const message of messages) {
      for (const [role, become] of Object.entries(roles)) {
        const node = new SoloCore()
        become(node)
        // A leader helps nobody to replace it (thesis 4.2.3): see stickiness.
        if (role === 'leader' && message.type === 'requestVote') continue
        node.receive('b', message)
        expect(node.state, `${role} and ${message.type}`).toMatchObject({ currentTerm: 9, role: 'follower' })
        expect(node.durable.hardState.currentTerm).toBe(9)
      }
    }
  })

  it('a question about a term, or a promise to vote in it, is not that term', () => {
    const node = new SoloCore()
    node.receive('b', preVote({ term: 9 }))
    node.receive('b', { type: 'preVoteResponse', term: 9, round: 1, voteGranted: true })
    expect(node.state.currentTerm).toBe(0)
  })
})

describe('figure 2: followers', () => {
  it('answer candidates and leaders', () => {
    const node = new SoloCore()
    node.receive('b', requestVote({ term: 1 }))
    node.receive('b', append({ term: 1 }))
    node.receive('b', heartbeat({ term: 1 }))
    const types = node.sent.map((sent) => sent.message.type)
    expect(types).toEqual(['requestVoteResponse', 'appendEntriesResponse', 'heartbeatResponse'])
  })

  it('campaign if the election timeout passes without a leader and without a vote given', () => {
    const node = new SoloCore()
    node.timeOut()
    expect(node.state.role).toBe('preCandidate')
  })

  it('H15: start their timer again for the leader of this term and for a vote given, and for nothing else', () => {
    const restarts = [
      heartbeat({ term: 2 }),
      append({ term: 2 }),
      requestVote({ term: 2, lastLogIndex: 1, lastLogTerm: 1 }),
    ]
    const others = [
      heartbeat({ term: 1 }),
      append({ term: 1 }),
      requestVote({ term: 2 }),
      requestVote({ term: 1, lastLogIndex: 9, lastLogTerm: 1 }),
      preVote({ term: 3, lastLogIndex: 1, lastLogTerm: 1 }),
      appendResponse({ term: 2, index: 0 }),
    ]
    for (const message of [...restarts, ...others]) {
      const node = new SoloCore({ terms: [1], currentTerm: 2 })
      const before = node.state.electionDeadline
      node.receive('b', message)
      expect(node.state.electionDeadline !== before, JSON.stringify(message)).toBe(
        restarts.some((restart) => restart === message),
      )
    }
  })
})

describe('figure 2: candidates', () => {
  it('on conversion: raise the term, vote for themselves, start the timer again, ask all other voters', () => {
    const node = new SoloCore({ terms: [1, 2], voters: ['a', 'b', 'c', 'd'] })
    node.becomeCandidate(['b', 'c'])
    expect(node.state).toMatchObject({ role: 'candidate', currentTerm: 3, votedFor: 'a' })
    expect(node.durable.hardState).toEqual({ currentTerm: 3, votedFor: 'a' })
    expect(node.state.electionDeadline).toBeGreaterThanOrEqual(node.clock + 100)
    const asked = node.take('requestVote')
    expect(asked.map(({ to }) => to)).toEqual(['b', 'c', 'd'])
    expect(asked[0]?.message).toEqual(requestVote({ term: 3, lastLogIndex: 2, lastLogTerm: 2 }))
  })

  it('become leader with the votes of a majority', () => {
    const node = new SoloCore()
    node.becomeCandidate()
    node.receive('c', { type: 'requestVoteResponse', term: 1, voteGranted: true })
    expect(node.state.role).toBe('leader')
  })

  it('become follower for AppendEntries or a heartbeat of a new leader of their term', () => {
    for (const message of [append({ term: 1 }), heartbeat({ term: 1 })]) {
      const node = new SoloCore()
      node.becomeCandidate()
      node.receive('b', message)
      expect(node.state).toMatchObject({ role: 'follower', leaderId: 'b', currentTerm: 1, votedFor: 'a' })
    }
  })

  it('begin anew if the election timeout passes', () => {
    const node = new SoloCore()
    node.becomeCandidate()
    node.timeOut()
    expect(node.state).toMatchObject({ role: 'preCandidate', currentTerm: 1 })
    expect(node.take('preVote').at(-1)?.message.term).toBe(2)
  })
})

describe('figure 2: leaders', () => {
  it('upon election: heartbeats to each, again in every interval; nextIndex is the last log index + 1, matchIndex 0', () => {
    const node = new SoloCore({ terms: [1, 1] })
    node.becomeLeader()
    expect(node.take('heartbeat').map(({ to }) => to)).toEqual(['b', 'c'])
    expect(node.state.progress.get('b')).toMatchObject({ nextIndex: 3, matchIndex: 0 })
    node.tick(29)
    expect(node.take('heartbeat')).toEqual([])
    node.tick(1)
    expect(node.take('heartbeat').map(({ to }) => to)).toEqual(['b', 'c'])
  })

  it('append the command of a client to their own log', () => {
    const node = new SoloCore()
    node.becomeLeader()
    const id = node.propose('x', 'y')
    expect(node.results).toEqual([{ type: 'appended', id, firstIndex: 2, term: 1 }])
    expect(node.log.map((entry) => entry.type)).toEqual(['noop', 'command', 'command'])
  })

  it('send the entries from nextIndex on; on success raise nextIndex and matchIndex', () => {
    const node = new SoloCore()
    node.becomeLeader()
    node.acknowledge('b', 1)
    node.sent = []
    node.propose('x')
    expect(node.take('appendEntries')).toMatchObject([
      { to: 'b', message: { prevLogIndex: 1, entries: [{ index: 2 }] } },
    ])
    node.acknowledge('b', 2)
    expect(node.state.progress.get('b')).toMatchObject({ nextIndex: 3, matchIndex: 2 })
  })

  it('on a refusal lower nextIndex and try again', () => {
    const node = new SoloCore({ terms: [1, 1, 1] })
    node.becomeLeader()
    node.sent = []
    node.receive('b', appendResponse({ term: 2, outcome: 'mismatch', index: 3, hintIndex: 1, hintTerm: 1 }))
    expect(node.take('appendEntries')).toMatchObject([{ to: 'b', message: { prevLogIndex: 1, prevLogTerm: 1 } }])
  })

  it('commit N when a majority holds it and log[N].term is the current one', () => {
    const node = new SoloCore({ terms: [1], voters: ['a', 'b', 'c', 'd', 'e'] })
    node.becomeLeader()
    node.acknowledge('b', 2)
    expect(node.state.commitIndex).toBe(0)
    node.acknowledge('c', 2)
    expect(node.state.commitIndex).toBe(2)
  })

  it('H10, H13: step down when no quorum answers within an election timeout, and keep their vote', () => {
    const node = new SoloCore()
    node.becomeLeader()
    node.tick(99)
    expect(node.state.role).toBe('leader')
    node.tick(1)
    expect(node.state).toMatchObject({ role: 'follower', currentTerm: 1, votedFor: 'a', leaderId: null })
  })
})
