// Thesis §9.6, PreVote: a server asks whether it could win before it raises its term (F1; H9-H12).
import { RULES } from 'helios-raft/core'
import { describe, expect, it } from 'vitest'
import { CoreCluster, diskOf } from '../support/core-cluster.js'
import { heartbeat, preVote, SoloCore } from '../support/solo-core.js'

const grant = (round: number, term = 1) => ({ type: 'preVoteResponse', term, round, voteGranted: true }) as const

describe('thesis §9.6: PreVote', () => {
  it('asks the other voters about the next term, without entering it', () => {
    const node = new SoloCore({ terms: [1, 2], learners: ['l'] })
    node.timeOut()
    expect(node.state).toMatchObject({ role: 'preCandidate', currentTerm: 2, votedFor: null })
    const asked = node.take('preVote')
    expect(asked.map(({ to }) => to)).toEqual(['b', 'c'])
    expect(asked[0]?.message).toEqual(preVote({ term: 3, round: 1, lastLogIndex: 2, lastLogTerm: 2 }))
  })

  it('raises its term only when a majority would vote for it', () => {
    const node = new SoloCore({ voters: ['a', 'b', 'c', 'd', 'e'] })
    node.timeOut()
    node.receive('b', grant(1))
    expect(node.state).toMatchObject({ role: 'preCandidate', currentTerm: 0 })
    node.receive('c', grant(1))
    expect(node.state).toMatchObject({ role: 'candidate', currentTerm: 1 })
  })

  it('H11: changes nothing on the voter, whatever the answer', () => {
    const clocks = { wallTime: 0, wallAheadMs: 0 }
    for (const [terms, lastLogTerm] of [
      [[1], 1],
      [[1], 0],
    ] as const) {
      const node = new SoloCore({ terms, currentTerm: 2, votedFor: 'c' })
      node.tick(50)
      const before = structuredClone({ ...node.state, ...clocks })
      node.receive('b', preVote({ term: 3, lastLogIndex: lastLogTerm, lastLogTerm }))
      expect({ ...node.state, ...clocks }).toEqual(before)
      expect(node.last('preVoteResponse').voteGranted).toBe(lastLogTerm === 1)
    }
  })

  it('grants to several candidates: only the vote itself is given once', () => {
    const node = new SoloCore({ voters: ['a', 'b', 'c'] })
    node.receive('b', preVote({ term: 1 }))
    node.receive('c', preVote({ term: 1 }))
    expect(node.take('preVoteResponse').map(({ message }) => message.voteGranted)).toEqual([true, true])
  })

  it('is refused to a log that is behind, to a term that is over, and by a store without a configuration', () => {
    const behind = new SoloCore({ terms: [1, 1], currentTerm: 1 })
    behind.receive('b', preVote({ term: 2, lastLogIndex: 1, lastLogTerm: 1 }))
    expect(behind.last('preVoteResponse')).toMatchObject({ term: 1, voteGranted: false })
    const later = new SoloCore({ currentTerm: 4 })
    later.receive('b', preVote({ term: 4 }))
    expect(later.last('preVoteResponse')).toMatchObject({ term: 4, voteGranted: false })
  })

  it('H10: a refusal with a later term brings the asker to it, so that it can win next', () => {
    const cluster = new CoreCluster({ disks: { a: diskOf([1, 1], 1), b: diskOf([1], 5) } })
    cluster.crash('c')
    cluster.run(1_000)
    expect(cluster.leader?.id).toBe('a')
    expect(cluster.leader?.state.currentTerm).toBe(6)
  })

  it('H12: a grant of an earlier round counts for nothing', () => {
    const node = new SoloCore()
    node.timeOut()
    node.timeOut()
    node.receive('b', grant(1))
    node.receive('c', grant(1))
    expect(node.state.role).toBe('preCandidate')
    node.receive('c', grant(2))
    expect(node.state.role).toBe('candidate')
  })

  it('H4: a grant that comes to a candidate is no vote', () => {
    const node = new SoloCore({ voters: ['a', 'b', 'c', 'd', 'e'] })
    node.becomeCandidate(['b', 'c'])
    for (const from of ['b', 'c', 'd', 'e']) node.receive(from, grant(1))
    expect(node.state.role).toBe('candidate')
  })

  it('a pre-candidate that hears its leader again follows it, in the same term', () => {
    const node = new SoloCore({ currentTerm: 3 })
    node.receive('b', heartbeat({ term: 3 }))
    node.timeOut()
    expect(node.state).toMatchObject({ role: 'preCandidate', leaderId: null })
    node.receive('b', heartbeat({ term: 3 }))
    expect(node.state).toMatchObject({ role: 'follower', leaderId: 'b', currentTerm: 3 })
  })

  it('H9: a node that was cut off for long comes back without deposing anybody', () => {
    const cluster = new CoreCluster()
    cluster.elect('a')
    cluster.partition(['a', 'b'], ['c'])
    cluster.run(5_000)
    expect(cluster.node('c').state).toMatchObject({ role: 'preCandidate', currentTerm: 1 })
    cluster.heal()
    cluster.run(500)
    expect(cluster.leader?.state).toMatchObject({ leaderId: 'a', currentTerm: 1 })
    expect(cluster.node('c').state.leaderId).toBe('a')
  })

  it('H10: a candidate whose term is ahead of the cluster is taken in by an election at its term', () => {
    const disks = { a: diskOf([1, 1], 1), b: diskOf([1, 1], 1), c: diskOf([1], 8, 'c') }
    const cluster = new CoreCluster({ disks })
    cluster.crash('c')
    cluster.run(500)
    expect(cluster.leader?.state.currentTerm).toBe(2)
    cluster.restart('c')
    cluster.run(1_000)
    expect(cluster.leader?.state.currentTerm).toBeGreaterThan(8)
    expect(cluster.node('c').log).toEqual(cluster.leader?.log)
  })

  it('two pre-candidates that cannot win leave the terms alone', () => {
    const disks = { a: diskOf([1], 2), b: diskOf([1], 2), c: diskOf([1, 2], 2) }
    const cluster = new CoreCluster({ disks })
    cluster.partition(['a'], ['b'], ['c'])
    cluster.run(2_000)
    for (const node of cluster.up) expect(node.state.currentTerm).toBe(2)
  })

  it('without stickiness a node behind a bad link would depose the leader for ever (why F1 is one mechanism)', () => {
    const cluster = new CoreCluster({ rules: { ...RULES, isSticky: () => false } })
    cluster.elect('a')
    cluster.cut('a', 'c')
    cluster.run(1_000)
    expect(cluster.leader?.state.currentTerm).toBeGreaterThan(1)
  })
})
