// The vote, in each role that may be asked for it: what is granted, what the asking changes, and what a late or strange
// answer is worth (§5.1, §5.2, §5.4.1, thesis §4.2.3 and §9.6).
import type { Role } from 'helios-raft/core'
import { describe, expect, it } from 'vitest'
import { heartbeat, preVote, requestVote, SoloCore, type SoloOptions } from '../../support/solo-core.js'

const ROLES: readonly Role[] = ['follower', 'preCandidate', 'candidate', 'leader']

/** A node of voters a, b and c in that role. Its log ends at 2/2, and one entry later once it has led. */
function nodeAs(role: Role, options: SoloOptions = {}): SoloCore {
  const node = new SoloCore({ terms: [1, 2], currentTerm: 2, ...options })
  if (role === 'preCandidate') node.timeOut()
  if (role === 'candidate') node.becomeCandidate()
  if (role === 'leader') node.becomeLeader()
  expect(node.state.role).toBe(role)
  node.sent = []
  return node
}

describe('a vote of a later term', () => {
  it.each(['follower', 'preCandidate', 'candidate'] as const)('is given by a %s, which follows the term', (role) => {
    const node = nodeAs(role)
    node.receive('b', requestVote({ term: 9, lastLogIndex: 2, lastLogTerm: 2 }))
    expect(node.last('requestVoteResponse')).toMatchObject({ term: 9, voteGranted: true })
    expect(node.state).toMatchObject({ role: 'follower', currentTerm: 9, votedFor: 'b', leaderId: null })
    expect(node.durable.hardState).toEqual({ currentTerm: 9, votedFor: 'b' })
  })

  it('is not even considered by a leader that hears its quorum, and by one that lost it given at once', () => {
    const node = nodeAs('leader')
    const request = requestVote({ term: 9, lastLogIndex: 9, lastLogTerm: 8 })
    node.receive('b', request)
    expect(node.sent).toEqual([])
    expect(node.state).toMatchObject({ role: 'leader', currentTerm: 3 })
    node.tick(100)
    node.receive('b', request)
    expect(node.state).toMatchObject({ role: 'follower', currentTerm: 9, votedFor: 'b' })
  })

  it.each(ROLES)('is refused by a %s whose own log is newer, though it follows the term unless it leads', (role) => {
    const node = nodeAs(role)
    node.receive('b', requestVote({ term: 9, lastLogIndex: 9, lastLogTerm: 1 }))
    const isLeader = role === 'leader'
    expect(node.state).toMatchObject(
      isLeader ? { role, currentTerm: 3 } : { role: 'follower', currentTerm: 9, votedFor: null },
    )
    expect(node.take('requestVoteResponse').map(({ message }) => message.voteGranted)).toEqual(isLeader ? [] : [false])
  })
})

describe('a vote of the term that a node is in', () => {
  it.each([
    { log: [1, 2], votedFor: null, last: '2/2', granted: true },
    { log: [1, 2], votedFor: 'b', last: '2/2', granted: true },
    { log: [1, 2], votedFor: 'c', last: '2/2', granted: false },
    { log: [1, 2], votedFor: null, last: '1/2', granted: false },
    { log: [1, 2], votedFor: null, last: '9/1', granted: false },
    { log: [1, 2], votedFor: null, last: '1/3', granted: true },
    { log: [1, 2], votedFor: null, last: '0/0', granted: false },
    { log: [], votedFor: null, last: '0/0', granted: true },
    { log: [], votedFor: 'c', last: '9/3', granted: false },
  ] as const)(
    'of a follower with log $log and vote $votedFor for a candidate whose log ends at $last: $granted',
    (row) => {
      const { log: terms, votedFor, granted, last } = row
      const [lastLogIndex = 0, lastLogTerm = 0] = last.split('/').map(Number)
      const node = new SoloCore({ terms, currentTerm: 3, votedFor })
      node.receive('b', requestVote({ term: 3, lastLogIndex, lastLogTerm }))
      expect(node.last('requestVoteResponse')).toMatchObject({ term: 3, voteGranted: granted })
      expect(node.state.votedFor).toBe(granted ? 'b' : votedFor)
    },
  )

  it.each(['candidate', 'leader'] as const)('of a %s is its own already: it refuses and stays what it is', (role) => {
    const node = nodeAs(role)
    node.receive('b', requestVote({ term: 3, lastLogIndex: 9, lastLogTerm: 3 }))
    expect(node.state).toMatchObject({ role, currentTerm: 3, votedFor: 'a' })
    // A leader answers as well: it is asked in its own term, about which there is nothing to be sticky.
    expect(node.last('requestVoteResponse')).toMatchObject({ term: 3, voteGranted: false })
  })
})

describe('a pre-vote', () => {
  it.each(ROLES)('asked of a %s changes neither role nor term nor vote', (role) => {
    const node = nodeAs(role)
    const { currentTerm, votedFor } = node.state
    node.receive('b', preVote({ term: 9, round: 4, lastLogIndex: 9, lastLogTerm: 8 }))
    const voteGranted = role !== 'leader'
    // A grant repeats the term asked about; a refusal tells the voter's own (H10).
    expect(node.last('preVoteResponse')).toMatchObject({ term: voteGranted ? 9 : currentTerm, round: 4, voteGranted })
    expect(node.state).toMatchObject({ role, currentTerm, votedFor })
    expect(node.durable.hardState.currentTerm).toBe(currentTerm)
  })

  it.each(ROLES)('asked of a %s by a log that is behind is refused', (role) => {
    const node = nodeAs(role)
    node.receive('b', preVote({ term: 9, lastLogIndex: 9, lastLogTerm: 1 }))
    expect(node.last('preVoteResponse').voteGranted).toBe(false)
  })
})

describe('votes that come to one who asked for none', () => {
  it('make no follower a leader, of this term or of another', () => {
    const node = new SoloCore({ currentTerm: 2, votedFor: 'a' })
    for (const from of ['b', 'c']) {
      node.receive(from, { type: 'requestVoteResponse', term: 2, voteGranted: true })
      node.receive(from, { type: 'preVoteResponse', term: 3, round: 0, voteGranted: true })
    }
    expect(node.state).toMatchObject({ role: 'follower', currentTerm: 2, leaderId: null })
  })

  it('change nothing on a leader', () => {
    const node = nodeAs('leader')
    node.receive('c', { type: 'requestVoteResponse', term: 3, voteGranted: true })
    node.receive('c', { type: 'requestVoteResponse', term: 3, voteGranted: false })
    expect(node.state).toMatchObject({ role: 'leader', currentTerm: 3 })
    expect(node.log).toHaveLength(3)
  })
})

describe('a voter that still believes to be a learner', () => {
  it('gives the vote without which nobody can be elected, and follows', () => {
    // a is dead. b knows that c was promoted; c has not heard of it.
    const candidate = new SoloCore({ id: 'b', terms: [1, 1], currentTerm: 1 })
    const learner = new SoloCore({ id: 'c', voters: ['a', 'b'], learners: ['c'], terms: [1], currentTerm: 1 })
    const carry = (from: SoloCore, to: SoloCore): void => {
      const letters = from.sent.filter((sent) => sent.to === to.id)
      from.sent = []
      for (const { message } of letters) to.receive(from.id, message)
    }
    candidate.timeOut()
    for (let trip = 0; trip < 4; trip++) {
      carry(candidate, learner)
      carry(learner, candidate)
    }
    expect(candidate.state).toMatchObject({ role: 'leader', currentTerm: 2, commitIndex: 3 })
    expect(learner.state).toMatchObject({ role: 'follower', leaderId: 'b', votedFor: 'b' })
    expect(learner.log).toEqual(candidate.log)
  })

  it('never campaigns, however long it hears nothing', () => {
    const learner = new SoloCore({ id: 'c', voters: ['a', 'b'], learners: ['c'], currentTerm: 1 })
    learner.receive('b', heartbeat({ term: 1 }))
    learner.sent = []
    learner.tick(5_000)
    expect(learner.state).toMatchObject({ role: 'follower', currentTerm: 1 })
    expect(learner.sent).toEqual([])
  })
})
