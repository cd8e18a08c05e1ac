// §5.2, leader election: heartbeats, timeouts, votes, and how split votes end.
import { describe, expect, it } from 'vitest'
import { CoreCluster, ofType } from '../support/core-cluster.js'
import { heartbeat, requestVote, SoloCore } from '../support/solo-core.js'

const grant = (term: number) => ({ type: 'requestVoteResponse', term, voteGranted: true }) as const

describe('§5.2', () => {
  it('a follower stays one as long as it hears a leader', () => {
    const node = new SoloCore({ currentTerm: 1 })
    for (let time = 0; time < 1_000; time += 50) {
      node.receive('b', heartbeat({ term: 1 }))
      node.tick(50)
    }
    expect(node.state.role).toBe('follower')
  })

  it('elects a leader in nets of 1 to 5 when the votes of a majority arrive', () => {
    for (let size = 1; size <= 5; size++) {
      const voters = ['a', 'b', 'c', 'd', 'e'].slice(0, size)
      const cluster = new CoreCluster({ voters })
      cluster.elect('a')
      expect(cluster.up.filter((node) => node.state.leaderId === 'a')).toHaveLength(size)
    }
  })

  it('each server votes for at most one candidate a term, first come first served', () => {
    const node = new SoloCore({ voters: ['a', 'b', 'c', 'd', 'e'] })
    node.receive('b', requestVote({ term: 1 }))
    expect(node.last('requestVoteResponse').voteGranted).toBe(true)
    node.receive('c', requestVote({ term: 1 }))
    expect(node.last('requestVoteResponse').voteGranted).toBe(false)
  })

  it('H5: grants a repeated request of the same candidate again', () => {
    const node = new SoloCore()
    node.receive('b', requestVote({ term: 1 }))
    node.receive('b', requestVote({ term: 1 }))
    expect(node.take('requestVoteResponse').map(({ message }) => message.voteGranted)).toEqual([true, true])
  })

  it('H1: keeps its vote across a restart', () => {
    const node = new SoloCore()
    node.receive('b', requestVote({ term: 1 }))
    node.crash()
    node.start()
    node.sent = []
    node.receive('c', requestVote({ term: 1 }))
    expect(node.last('requestVoteResponse').voteGranted).toBe(false)
  })

  it('H2: keeps its vote when it steps down within the term', () => {
    const node = new SoloCore()
    node.becomeCandidate()
    node.receive('b', heartbeat({ term: 1 }))
    expect(node.state.votedFor).toBe('a')
    node.receive('c', requestVote({ term: 1 }))
    expect(node.last('requestVoteResponse').voteGranted).toBe(false)
  })

  it('H4: counts a voter once, and only voters, and only grants of this election', () => {
    const node = new SoloCore({ voters: ['a', 'b', 'c', 'd', 'e'], learners: ['l'] })
    node.becomeCandidate(['b', 'c'])
    node.receive('b', grant(1))
    node.receive('b', grant(1))
    node.receive('l', grant(1))
    node.receive('stranger', grant(1))
    node.receive('c', { type: 'requestVoteResponse', term: 1, voteGranted: false })
    node.receive('c', { type: 'preVoteResponse', term: 2, round: 1, voteGranted: true })
    node.receive('d', grant(0))
    expect(node.state.role).toBe('candidate')
    node.receive('d', grant(1))
    expect(node.state.role).toBe('leader')
  })

  it('H4: a late grant of an earlier election counts for nothing in the next', () => {
    const node = new SoloCore({ voters: ['a', 'b', 'c', 'd', 'e'] })
    node.becomeCandidate(['b', 'c'])
    node.receive('b', grant(1))
    node.becomeCandidate(['b', 'c'])
    expect(node.state.currentTerm).toBe(2)
    node.receive('c', grant(1))
    node.receive('d', grant(1))
    expect(node.state.role).toBe('candidate')
  })

  it('H6: its own vote counts when it is durable, not before', () => {
    const node = new SoloCore()
    node.persistence = 'later'
    node.becomeCandidate()
    // No request leaves before that, and a grant that came by a miracle elects nobody.
    expect(node.take('requestVote')).toEqual([])
    node.receive('b', grant(1))
    node.receive('c', grant(1))
    expect(node.state.role).toBe('candidate')
    node.persist()
    expect(node.state.role).toBe('leader')
  })

  it('H6: a vote of its own for an earlier term, durable late, counts for nothing', () => {
    const node = new SoloCore({ voters: ['a', 'b'] })
    node.persistence = 'later'
    node.becomeCandidate(['b'])
    node.receive('b', heartbeat({ term: 2 }))
    node.persist(1)
    expect(node.state).toMatchObject({ role: 'follower', currentTerm: 2, votedFor: null })
  })

  it('a candidate that hears a leader of a smaller term goes on', () => {
    const node = new SoloCore({ currentTerm: 1 })
    node.becomeCandidate()
    node.receive('b', heartbeat({ term: 1 }))
    expect(node.state).toMatchObject({ role: 'candidate', currentTerm: 2 })
    expect(node.last('heartbeatResponse').term).toBe(2)
  })

  it('H8: two candidates that split the votes draw new timeouts, and one of them wins', () => {
    for (let seed = 1; seed <= 50; seed++) {
      const cluster = new CoreCluster({ voters: ['a', 'b', 'c', 'd'], seed, checkFreshness: false })
      // Both ask at once: a gets b's vote, d gets c's.
      for (const id of ['a', 'd']) cluster.campaign(id)
      cluster.settle(ofType('preVote', 'preVoteResponse'))
      const votes = cluster.network.filter(ofType('requestVote'))
      cluster.drop()
      for (const packet of votes)
        if (`${packet.from}${packet.to}` === 'ab' || `${packet.from}${packet.to}` === 'dc') cluster.duplicate(packet)
      cluster.settle()
      expect(cluster.leader).toBeNull()
      cluster.run(1_000)
      expect(cluster.leader, `seed ${seed}`).not.toBeNull()
    }
  })

  it('H32: two voters need both, for a leader and for a commit', () => {
    const cluster = new CoreCluster({ voters: ['a', 'b'] })
    cluster.elect('a')
    cluster.crash('b')
    cluster.node('a').propose('x')
    cluster.run(99)
    expect(cluster.node('a').state).toMatchObject({ role: 'leader', commitIndex: 1 })
    cluster.run(1_000)
    expect(cluster.leader).toBeNull()
    expect(cluster.node('a').state.commitIndex).toBe(1)
    cluster.restart('b')
    cluster.run(1_000)
    expect(cluster.leader?.state.commitIndex).toBeGreaterThanOrEqual(3)
  })

  it('F5, H7: one voter waits for nobody but its disk', () => {
    const alone = new SoloCore({ voters: ['a'] })
    alone.persistence = 'later'
    alone.tick()
    expect(alone.state).toMatchObject({ role: 'candidate', currentTerm: 1 })
    alone.persist(1)
    expect(alone.state).toMatchObject({ role: 'leader', commitIndex: 0 })
    alone.propose('x')
    expect(alone.state.commitIndex).toBe(0)
    alone.persist()
    expect(alone.state.commitIndex).toBe(2)
  })

  it('F6, H17: a learner, a node outside the configuration and one without a configuration never campaign', () => {
    const learner = new SoloCore({ id: 'l', learners: ['l'] })
    const stranger = new SoloCore({ id: 'x' })
    for (const node of [learner, stranger]) {
      node.tick(5_000)
      expect(node.state.role).toBe('follower')
      expect(node.sent).toEqual([])
    }
  })

  it('H18: a learner votes when it is asked: it may have been promoted without knowing', () => {
    const learner = new SoloCore({ id: 'l', learners: ['l'] })
    learner.receive('b', requestVote({ term: 1 }))
    expect(learner.last('requestVoteResponse').voteGranted).toBe(true)
  })

  it('each node in turn can be elected', () => {
    const cluster = new CoreCluster({ voters: ['a', 'b', 'c', 'd', 'e'], checkFreshness: false })
    for (const id of ['a', 'c', 'e', 'b', 'd', 'a']) {
      for (const node of cluster.up) node.clock += 100
      expect(cluster.elect(id).state.leaderId).toBe(id)
    }
  })
})
