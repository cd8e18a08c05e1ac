// What became durable, and what was overwritten meanwhile (thesis §10.2.1; H1, H26, H27, H111, H118).
import { describe, expect, it } from 'vitest'
import { append, entriesOf, heartbeat, requestVote, SoloCore } from '../../support/solo-core.js'

describe('two appends under way', () => {
  /** Entries 1..3 of term 1, then 2..3 of term 2 over them: two writes, neither durable. */
  function overlapping(): SoloCore {
    const node = new SoloCore({ currentTerm: 1 })
    node.persistence = 'later'
    node.receive('b', append({ term: 1, entries: entriesOf(1, 1, 1, 1) }))
    node.receive('c', append({ term: 2, prevLogIndex: 1, prevLogTerm: 1, entries: entriesOf(2, 2, 2) }))
    return node
  }

  it('H26: a completion for entries that were overwritten since counts for nothing', () => {
    const node = overlapping()
    node.persist(1)
    expect(node.state.persistedIndex).toBe(0)
    expect(node.sent.filter(({ message }) => message.type === 'appendEntriesResponse')).toHaveLength(1)
    node.persist(1)
    expect(node.state.persistedIndex).toBe(3)
    expect(node.durable.log.map((entry) => entry.term)).toEqual([1, 2, 2])
  })

  it('H26: completions that are told in another order never count an entry that was not written', () => {
    const node = overlapping()
    const [first, second] = node.writes
    const tell = (write: typeof first) => {
      const [hardState, index] = [write?.hardState ?? null, write?.entries.at(-1)?.index ?? 0]
      node.step({ type: 'persisted', now: node.clock, hardState, index, epoch: write?.epoch ?? 0 })
    }
    tell(second)
    expect(node.state.persistedIndex).toBe(3)
    tell(first)
    expect(node.state.persistedIndex).toBe(3)
  })

  it('H26: the ABA case: the same indexes written, overwritten and written again', () => {
    const node = overlapping()
    node.receive('b', append({ term: 3, prevLogIndex: 1, prevLogTerm: 1, entries: entriesOf(2, 3, 3) }))
    expect(node.state.epoch).toBe(2)
    node.persist(2)
    expect(node.state.persistedIndex).toBe(0)
    node.persist(1)
    expect(node.state.persistedIndex).toBe(3)
    expect(node.durable.log.map((entry) => entry.term)).toEqual([1, 3, 3])
  })

  it('a truncation takes back what was durable behind it', () => {
    const node = new SoloCore({ terms: [1, 1, 1], currentTerm: 1 })
    node.persistence = 'later'
    expect(node.state.persistedIndex).toBe(3)
    node.receive('b', append({ term: 2, prevLogIndex: 1, prevLogTerm: 1, entries: entriesOf(2, 2) }))
    expect(node.state.persistedIndex).toBe(1)
  })
})

describe('what may leave before the disk', () => {
  it('H26: no acknowledgement, however often the message comes', () => {
    const node = new SoloCore({ currentTerm: 1 })
    node.persistence = 'later'
    const message = append({ term: 1, entries: entriesOf(1, 1) })
    node.receive('b', message)
    node.receive('b', message)
    expect(node.sent).toEqual([])
    node.persist(1)
    expect(node.sent.map(({ message }) => message.type)).toEqual(['appendEntriesResponse', 'appendEntriesResponse'])
  })

  it('a refusal, and the answer to a heartbeat of the term, which says no more than is durable', () => {
    const node = new SoloCore({ terms: [1], currentTerm: 1 })
    node.persistence = 'later'
    node.receive('b', append({ term: 1, prevLogIndex: 1, prevLogTerm: 1, entries: entriesOf(2, 1) }))
    node.receive('b', append({ term: 1, prevLogIndex: 9, prevLogTerm: 1 }))
    node.receive('b', heartbeat({ term: 1, prevLogIndex: 2, prevLogTerm: 1 }))
    expect(node.sent.map(({ message }) => message)).toMatchObject([
      { type: 'appendEntriesResponse', outcome: 'mismatch' },
      { type: 'heartbeatResponse', index: 1 },
    ])
  })

  it('H1: nothing of a term whose number is not durable, not even the answer to a heartbeat', () => {
    const node = new SoloCore({ currentTerm: 1 })
    node.persistence = 'later'
    node.receive('b', heartbeat({ term: 2 }))
    node.propose('x')
    node.read()
    expect(node.sent).toEqual([])
    node.persist()
    const types = node.sent.map(({ message }) => message.type)
    expect(types).toEqual(['heartbeatResponse', 'proposeRequest', 'readIndexRequest'])
  })

  it('H118: a request for votes claims only what is durable', () => {
    const node = new SoloCore({ currentTerm: 1 })
    node.persistence = 'later'
    node.receive('b', append({ term: 1, entries: entriesOf(1, 1, 1) }))
    node.sent = []
    node.becomeCandidate()
    expect(node.take('requestVote')).toEqual([])
    node.persist(1)
    expect(node.take('requestVote')).toEqual([])
    node.persist()
    expect(node.last('requestVote')).toMatchObject({ lastLogIndex: 2, lastLogTerm: 1 })
  })

  it('H118: one voter with learners sends nothing of a term that is not durable', () => {
    const node = new SoloCore({ voters: ['a'], learners: ['l'] })
    node.persistence = 'later'
    node.tick()
    expect(node.sent).toEqual([])
    node.persist(1)
    expect(node.state.role).toBe('leader')
    node.crash()
    node.start()
    expect(node.state.currentTerm).toBe(1)
  })

  it('H111: a grant that writes nothing waits for the write that an earlier one asked for', () => {
    const node = new SoloCore({ currentTerm: 1 })
    node.persistence = 'later'
    node.receive('b', requestVote({ term: 2 }))
    node.receive('b', requestVote({ term: 2 }))
    expect(node.writes).toHaveLength(2)
    expect(node.sent).toEqual([])
    node.persist()
    expect(node.take('requestVoteResponse')).toHaveLength(2)
  })
})
