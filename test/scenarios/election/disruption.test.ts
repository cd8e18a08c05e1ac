// Nodes that disturb a cluster which works: candidates that nobody needs, terms that ran ahead, questions without end. A
// leader that a quorum hears stays one, or makes one step to the term that it was told of (thesis §4.2.3, §9.6; H9, H10).
import { describe, expect, it } from 'vitest'
import { CoreCluster, diskOf } from '../../support/core-cluster.js'
import { preVote, requestVote } from '../../support/solo-core.js'

describe('a candidate that others do not need', () => {
  it('moves neither leader nor followers, however often it asks and whatever its term', () => {
    const cluster = new CoreCluster()
    cluster.elect('a')
    for (let round = 1; round <= 100; round++) {
      const message = requestVote({ term: 10 * round, lastLogIndex: 99, lastLogTerm: 10 * round - 1 })
      for (const to of ['a', 'b']) cluster.network.push({ from: 'c', to, message })
      cluster.run(10)
    }
    for (const { state } of cluster.up) expect(state).toMatchObject({ currentTerm: 1, leaderId: 'a' })
    expect(cluster.node('a').roles.filter(({ previous }) => previous === 'leader')).toEqual([])
  })

  it('is refused as pre-candidate too, so that no log, however long, deposes a leader', () => {
    const cluster = new CoreCluster()
    cluster.elect('a')
    for (let round = 1; round <= 100; round++) {
      const message = preVote({ term: 2, round, lastLogIndex: 99, lastLogTerm: 1 })
      for (const to of ['a', 'b']) cluster.network.push({ from: 'c', to, message })
      cluster.settle(({ message: { type } }) => type === 'preVote')
      const answers = cluster.network.filter(({ to, message: { type } }) => to === 'c' && type === 'preVoteResponse')
      expect(answers.map(({ message: answer }) => 'voteGranted' in answer && answer.voteGranted)).toEqual([
        false,
        false,
      ])
      cluster.drop((packet) => answers.includes(packet))
      cluster.run(10)
    }
    expect(cluster.leader?.state).toMatchObject({ leaderId: 'a', currentTerm: 1 })
  })
})

describe('a follower whose term is ahead', () => {
  it.each([1, 2, 3, 4, 5])(
    'costs the leader its term once, and the cluster goes on at a later one, seed %d',
    (seed) => {
      const disks = { a: diskOf([1, 1], 1), b: diskOf([1, 1], 1), c: diskOf([1], 20, 'c') }
      const cluster = new CoreCluster({ disks, seed })
      cluster.crash('c')
      cluster.elect('a')
      cluster.restart('c')
      cluster.run(1_000)
      const { leader } = cluster
      const term = leader?.state.currentTerm ?? 0
      expect(term).toBeGreaterThan(20)
      expect(leader?.id).not.toBe('c')
      cluster.run(3_000)
      for (const { state } of cluster.up) expect(state).toMatchObject({ currentTerm: term, leaderId: leader?.id })
    },
  )
})

describe('a learner whose term is ahead', () => {
  it('joins without being elected, and the cluster writes on and keeps its leader', () => {
    const cluster = new CoreCluster({ learners: ['l'], disks: { l: diskOf([], 21, 'l') } })
    cluster.crash('l')
    cluster.elect('a')
    cluster.restart('l')
    cluster.run(1_000)
    const { leader } = cluster
    const term = leader?.state.currentTerm ?? 0
    expect(term).toBeGreaterThan(21)
    expect(leader?.id).toMatch(/^[abc]$/)
    for (let at = 0; at < 100; at++) leader?.propose(`${at}`)
    cluster.run(3_000)
    expect(cluster.leader?.state).toMatchObject({ leaderId: leader?.id, currentTerm: term })
    for (const { state } of cluster.up) expect(state.lastApplied).toBe(leader?.state.log.lastIndex)
    expect(cluster.node('l').log).toEqual(leader?.log)
  })
})

describe('questions without end', () => {
  it('from a leader that sends no heartbeats any more keep nobody from electing another one', () => {
    const cluster = new CoreCluster()
    cluster.elect('a')
    cluster.run(100)
    const isNeverHeard = (from: string, type: string) => from === 'a' && type !== 'preVote'
    for (let round = 1; round <= 40; round++) {
      const { lastIndex: lastLogIndex } = cluster.node('a').state.log
      const message = preVote({ term: 2, round, lastLogIndex, lastLogTerm: 1 })
      for (const to of ['b', 'c']) cluster.network.push({ from: 'a', to, message })
      for (let ms = 0; ms < 25; ms++) {
        cluster.drop((packet) => isNeverHeard(packet.from, packet.message.type))
        cluster.settle((packet) => !isNeverHeard(packet.from, packet.message.type))
        cluster.advance(1)
      }
      if (cluster.leader !== null && cluster.leader.id !== 'a') break
    }
    expect(cluster.leader?.id).toMatch(/^[bc]$/)
    expect(cluster.leader?.state.currentTerm).toBeGreaterThan(1)
  })
})
