// Linearizable reads over several cores (§8, thesis §6.4; F19; H62-H66): wherever they are asked, however often the network
// repeats the question, and whoever leads by then.
import { describe, expect, it } from 'vitest'
import { between, both, CoreCluster, ofType } from '../../support/core-cluster.js'
import { heartbeatResponse, SoloCore } from '../../support/solo-core.js'

const READS = ofType('readIndexRequest', 'readIndexResponse', 'heartbeat', 'heartbeatResponse')

describe('a read', () => {
  it.each([
    { on: 'a', proposals: 10 },
    { on: 'b', proposals: 10 },
    { on: 'c', proposals: 10 },
    { on: 'l', proposals: 10 },
    { on: 'a', proposals: 0 },
    { on: 'b', proposals: 0 },
  ])('on $on after $proposals more entries gets an index that covers them, and once', ({ on, proposals }) => {
    const cluster = new CoreCluster({ learners: ['l'] })
    cluster.elect('a')
    for (let round = 1; round <= 3; round++) {
      for (let count = 0; count < proposals; count++) cluster.node('a').propose(`${count}`)
      cluster.settle()
      const id = cluster.read(on)
      cluster.settle()
      expect(cluster.node(on).reads).toEqual([{ type: 'ready', id, readIndex: 1 + round * proposals }])
      expect(cluster.node(on).state.lastApplied).toBe(1 + round * proposals)
      cluster.node(on).reads = []
    }
  })

  it('on a learner is confirmed by the voters; learners confirm nothing', () => {
    const cluster = new CoreCluster({ voters: ['a', 'b', 'c'], learners: ['l', 'm'] })
    cluster.elect('a')
    const id = cluster.read('l')
    cluster.settle((packet) => READS(packet) && !['b', 'c'].includes(packet.to))
    expect(cluster.node('l').reads).toEqual([])
    cluster.settle((packet) => READS(packet) && packet.to !== 'c')
    expect(cluster.node('l').reads).toEqual([{ type: 'ready', id, readIndex: 1 }])
  })

  it('that the network asks twice, and answers twice, is answered once', () => {
    const cluster = new CoreCluster()
    cluster.elect('a')
    const id = cluster.read('b')
    const [question] = cluster.network.filter(ofType('readIndexRequest'))
    if (question !== undefined) for (let copy = 0; copy < 3; copy++) cluster.duplicate(question)
    cluster.settle()
    cluster.node('b').receive('a', { type: 'readIndexResponse', term: 1, boot: 1, number: id, readIndex: 1 })
    expect(cluster.node('b').reads).toEqual([{ type: 'ready', id, readIndex: 1 }])
    expect(cluster.node('a').state.reads).toEqual([])
  })

  it('leaves nothing behind on either node, answered or given up', () => {
    const cluster = new CoreCluster()
    cluster.elect('a')
    for (const id of ['a', 'b', 'c', 'b', 'a']) cluster.read(id)
    cluster.settle()
    const kept = () => cluster.up.map(({ state }) => state.reads.length + state.forwardedReads.size)
    expect(kept()).toEqual([0, 0, 0])
    // Questions and rounds that are lost, then the end of the leadership, then everybody's timeout.
    for (const id of ['a', 'b', 'c']) cluster.read(id)
    cluster.drop()
    expect(kept()).toEqual([1, 1, 1])
    cluster.partition(['a'], ['b'], ['c'])
    cluster.advance(300)
    expect(kept()).toEqual([0, 0, 0])
    for (const node of cluster.up) expect(node.reads.at(-1)?.type).toBe('retry')
  })

  it('sent to the leader of before asks again, and finds the new one', () => {
    // Given b, which still follows a, while a knows already that c leads.
    const cluster = new CoreCluster({ checkFreshness: false })
    cluster.elect('a')
    cluster.cut('c', 'b')
    cluster.cut('b', 'c')
    cluster.node('a').tick(100)
    expect(cluster.node('a').state.role).toBe('follower')
    cluster.drop()
    cluster.node('c').clock += 100
    cluster.campaign('c')
    cluster.settle((packet) => packet.to !== 'b')
    expect(cluster.node('c').state).toMatchObject({ role: 'leader', currentTerm: 2 })
    expect(cluster.node('b').state).toMatchObject({ leaderId: 'a', currentTerm: 1 })
    // When it asks a, which leads no more.
    const first = cluster.read('b')
    cluster.deliver(both(ofType('readIndexRequest'), between('b', 'a')))
    const [answer] = cluster.network.filter(ofType('readIndexResponse'))
    expect(answer?.message).toMatchObject({ term: 2, readIndex: -1 })
    cluster.settle()
    expect(cluster.node('b').reads).toEqual([{ type: 'retry', id: first }])
    // Then, when it has heard from c, the read that is asked again is answered with what c committed.
    cluster.heal()
    cluster.node('c').propose('x')
    cluster.run(60)
    const second = cluster.read('b')
    cluster.settle()
    const { commitIndex } = cluster.node('c').state
    expect(cluster.node('b').reads.at(-1)).toEqual({ type: 'ready', id: second, readIndex: commitIndex })
  })
})

describe('an answer to the round of a read', () => {
  function reading(): { leader: SoloCore; round: number } {
    const leader = new SoloCore({ voters: ['a', 'b', 'c', 'd', 'e'], terms: [1, 1] })
    leader.becomeLeader(['b', 'c'])
    for (const peer of ['b', 'c']) leader.acknowledge(peer, 3)
    leader.sent = []
    leader.read()
    return { leader, round: leader.last('heartbeat').round }
  }

  it('confirms it whatever it says of the log: who is behind, or does not fit, follows all the same', () => {
    const { leader, round } = reading()
    leader.receive('d', heartbeatResponse({ term: 2, round, index: -1 }))
    expect(leader.reads).toEqual([])
    leader.receive('e', heartbeatResponse({ term: 2, round, index: 0 }))
    expect(leader.reads).toMatchObject([{ type: 'ready', readIndex: 3 }])
    expect(leader.state.progress.get('d')?.matchIndex).toBe(0)
  })

  it('counts once for each voter, and for no earlier round', () => {
    const { leader, round } = reading()
    for (let copy = 0; copy < 3; copy++) leader.receive('b', heartbeatResponse({ term: 2, round, index: 3 }))
    leader.receive('c', heartbeatResponse({ term: 2, round: round - 1, index: 3 }))
    expect(leader.reads).toEqual([])
    leader.receive('c', heartbeatResponse({ term: 2, round, index: 3 }))
    expect(leader.reads).toHaveLength(1)
  })

  it('of a later term ends the leadership, and the read with it', () => {
    const { leader, round } = reading()
    leader.receive('b', heartbeatResponse({ term: 3, round, index: 3 }))
    expect(leader.state).toMatchObject({ role: 'follower', currentTerm: 3 })
    expect(leader.reads).toMatchObject([{ type: 'retry' }])
  })
})

describe('a new leader', () => {
  it.each([
    { terms: [], acknowledged: 1 },
    { terms: [1], acknowledged: 2 },
    { terms: [1, 1, 2, 2], acknowledged: 5 },
  ])('with the log $terms answers reads when its own first entry is committed, and with that index', (row) => {
    const { terms, acknowledged } = row
    const leader = new SoloCore({ terms })
    leader.becomeLeader()
    const { currentTerm: term } = leader.state
    const answered = (): number[] => {
      for (const from of ['b', 'c']) leader.receive(from, heartbeatResponse({ term, round: leader.state.readRound }))
      return leader.reads.map((read) => (read.type === 'ready' ? read.readIndex : -1))
    }
    for (let count = 0; count < 3; count++) leader.read()
    expect(answered()).toEqual([])
    if (terms.length > 0) leader.acknowledge('b', terms.length)
    expect(answered()).toEqual([])
    leader.acknowledge('c', acknowledged)
    expect(answered()).toEqual([acknowledged, acknowledged, acknowledged])
  })
})
