// §5.1, Raft basics: terms are a logical clock, and a server begins as a follower.
import { describe, expect, it } from 'vitest'
import { CoreCluster } from '../support/core-cluster.js'
import { append, heartbeat, requestVote, SoloCore } from '../support/solo-core.js'

describe('§5.1', () => {
  it('servers start as followers, of no leader, with what their disk says', () => {
    const node = new SoloCore({ terms: [1, 1], currentTerm: 4, votedFor: 'c' })
    expect(node.state).toMatchObject({
      role: 'follower',
      leaderId: null,
      currentTerm: 4,
      votedFor: 'c',
      commitIndex: 0,
    })
  })

  it('a server whose term is smaller takes the larger one', () => {
    const node = new SoloCore({ currentTerm: 2 })
    node.receive('b', requestVote({ term: 5 }))
    expect(node.state.currentTerm).toBe(5)
  })

  it('a leader or candidate that learns that its term is out of date becomes follower at once', () => {
    const leader = new SoloCore()
    leader.becomeLeader()
    leader.receive('c', heartbeat({ term: 7 }))
    expect(leader.state).toMatchObject({ role: 'follower', leaderId: 'c', currentTerm: 7 })
    expect(leader.roles.at(-1)).toMatchObject({ role: 'follower', previous: 'leader', term: 7 })
  })

  it('a server refuses a request with a stale term number', () => {
    const node = new SoloCore({ currentTerm: 5 })
    node.receive('b', append({ term: 4 }))
    node.receive('b', requestVote({ term: 4 }))
    expect(node.take('requestVoteResponse')[0]?.message).toMatchObject({ term: 5, voteGranted: false })
    expect(node.state.leaderId).toBeNull()
  })

  it('H1: term and vote are durable before any message speaks of them', () => {
    const node = new SoloCore({ currentTerm: 1 })
    node.persistence = 'later'
    node.receive('b', requestVote({ term: 2 }))
    node.receive('b', heartbeat({ term: 2 }))
    expect(node.sent).toEqual([])
    node.persist()
    expect(node.sent.map((sent) => sent.message.type)).toEqual(['requestVoteResponse', 'heartbeatResponse'])
  })

  it('H111: an answer repeated for a duplicate waits for the first write too', () => {
    const node = new SoloCore({ currentTerm: 1 })
    node.persistence = 'later'
    node.receive('b', requestVote({ term: 2 }))
    node.receive('b', requestVote({ term: 2 }))
    expect(node.sent).toEqual([])
    node.crash()
    node.start()
    expect(node.state).toMatchObject({ currentTerm: 1, votedFor: null })
  })

  it('a partitioned leader learns of the new term when it comes back', () => {
    const cluster = new CoreCluster()
    cluster.elect('a')
    cluster.partition(['a'], ['b', 'c'])
    cluster.run(500)
    expect(cluster.leader?.id).not.toBe('a')
    cluster.heal()
    cluster.run(100)
    const [a, leader] = [cluster.node('a').state, cluster.leader?.state]
    expect(a).toMatchObject({ role: 'follower', currentTerm: leader?.currentTerm, leaderId: leader?.leaderId })
  })
})
