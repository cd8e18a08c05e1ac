// ReadIndex and freshness (§8, thesis §6.4; F19, F21; H62-H67, H121).
import fc from 'fast-check'
import { freshness, type Message } from 'helios-raft/core'
import { describe, expect, it } from 'vitest'
import { MAX_PENDING_READS } from '../../../src/core/read-index.js'
import { both, CoreCluster, ofType, to } from '../../support/core-cluster.js'
import { append, heartbeat, heartbeatResponse, SoloCore } from '../../support/solo-core.js'

/** A leader of term 1 whose no-op is committed. */
function settledLeader(options: ConstructorParameters<typeof SoloCore>[0] = {}): SoloCore {
  const leader = new SoloCore(options)
  leader.becomeLeader()
  leader.acknowledge('b', leader.state.log.lastIndex)
  leader.sent = []
  return leader
}

const answer = (leader: SoloCore, from: string, round: number) =>
  leader.receive(from, heartbeatResponse({ term: leader.state.currentTerm, round, echoMs: leader.clock }))

describe('a linearizable read on the leader', () => {
  it('H62: is not answered before a quorum answered a heartbeat', () => {
    const leader = settledLeader()
    const id = leader.read()
    expect(leader.reads).toEqual([])
    answer(leader, 'b', leader.last('heartbeat').round)
    expect(leader.reads).toEqual([{ type: 'ready', id, readIndex: 1 }])
  })

  it('H63: waits for the first committed entry of the term, and gets an index that covers it', () => {
    const leader = new SoloCore({ terms: [1, 1, 2] })
    leader.becomeLeader()
    const id = leader.read()
    leader.sent = []
    answer(leader, 'b', leader.state.readRound)
    leader.tick(30)
    answer(leader, 'b', leader.state.readRound)
    expect(leader.reads).toEqual([])
    leader.acknowledge('b', 4)
    answer(leader, 'b', leader.last('heartbeat').round)
    expect(leader.reads).toEqual([{ type: 'ready', id, readIndex: 4 }])
  })

  it('H64, H121: never joins a round that was sent before it came', () => {
    const leader = settledLeader()
    const first = leader.read()
    const { round } = leader.last('heartbeat')
    const second = leader.read()
    answer(leader, 'b', round)
    expect(leader.reads.map((read) => read.id)).toEqual([first])
    const next = leader.last('heartbeat').round
    expect(next).toBeGreaterThan(round)
    answer(leader, 'c', round)
    expect(leader.reads).toHaveLength(1)
    answer(leader, 'c', next)
    expect(leader.reads.map((read) => read.id)).toEqual([first, second])
  })

  it('H64: is not confirmed by learners', () => {
    const leader = settledLeader({ learners: ['l', 'm'] })
    leader.read()
    const { round } = leader.last('heartbeat')
    answer(leader, 'l', round)
    answer(leader, 'm', round)
    expect(leader.reads).toEqual([])
    answer(leader, 'c', round)
    expect(leader.reads).toHaveLength(1)
  })

  it('H64: is not confirmed by an answer of another term', () => {
    const leader = settledLeader({ terms: [4] })
    leader.read()
    const { round } = leader.last('heartbeat')
    leader.receive('b', heartbeatResponse({ term: leader.state.currentTerm - 1, round }))
    expect(leader.reads).toEqual([])
  })

  it('shares a round with all that came meanwhile', () => {
    const leader = settledLeader()
    const ids = [leader.read(), leader.read(), leader.read(), leader.read()]
    const [first, ...rest] = leader.take('heartbeat').map(({ message }) => message.round)
    expect(new Set(rest)).toEqual(new Set([first]))
    answer(leader, 'b', first ?? 0)
    answer(leader, 'b', leader.last('heartbeat').round)
    expect(leader.reads.map((read) => read.id)).toEqual(ids)
  })

  it('opens its round again with the next heartbeat when the first was lost', () => {
    const leader = settledLeader()
    leader.read()
    leader.read()
    leader.sent = []
    leader.tick(30)
    answer(leader, 'b', leader.last('heartbeat').round)
    expect(leader.reads).toHaveLength(2)
  })

  it('H65: starts again, with a new id, when the leadership ends', () => {
    const leader = settledLeader()
    const id = leader.read()
    const { round } = leader.last('heartbeat')
    const { currentTerm } = leader.state
    leader.receive('c', heartbeat({ term: currentTerm + 1 }))
    expect(leader.reads).toEqual([{ type: 'retry', id }])
    leader.receive('b', heartbeatResponse({ term: currentTerm, round }))
    expect(leader.reads).toHaveLength(1)
  })

  it('needs nobody but the disk where there is one voter', () => {
    const alone = new SoloCore({ voters: ['a'], learners: ['l'] })
    alone.tick()
    const id = alone.read()
    expect(alone.reads).toEqual([{ type: 'ready', id, readIndex: 1 }])
  })

  it('is asked to come again at the bound of waiting reads, and not one before', () => {
    const leader = settledLeader()
    for (let count = 0; count < MAX_PENDING_READS; count++) leader.read()
    expect(leader.reads).toEqual([])
    const id = leader.read()
    expect(leader.reads).toEqual([{ type: 'retry', id }])
    leader.receive('b', {
      type: 'readIndexRequest',
      term: leader.state.currentTerm,
      boot: 1,
      number: 1,
      byLease: false,
    })
    expect(leader.last('readIndexResponse').readIndex).toBe(-1)
    expect(leader.state.reads).toHaveLength(MAX_PENDING_READS)
  })

  it('H64: is not confirmed by an answer to a heartbeat of an earlier term and an earlier boot of the leader', () => {
    // Given a leader whose heartbeat of round 1 is delayed on its way to b.
    const cluster = new CoreCluster({ checkFreshness: false })
    cluster.elect('a')
    cluster.read('a')
    const late = cluster.network.find(both(ofType('heartbeat'), to('b')))?.message
    cluster.drop()
    // It restarts, where rounds begin again, and is elected again.
    cluster.crash('a')
    cluster.restart('a')
    for (const id of ['b', 'c']) cluster.node(id).clock += 100
    cluster.elect('a')
    // b answers the late heartbeat in the new term, and that answer is delayed too.
    cluster.node('b').receive('a', late as Message)
    const answered = cluster.network.pop()?.message
    // Meanwhile c leads the others and commits; a, cut off, believes that it leads.
    cluster.partition(['a'], ['b', 'c'])
    cluster.node('b').clock += 100
    cluster.elect('c').propose('x')
    cluster.settle()
    expect(cluster.checks.committedIndex).toBeGreaterThan(cluster.node('a').state.commitIndex)
    // A read on a gets no answer from that.
    cluster.read('a')
    cluster.node('a').receive('b', answered as Message)
    expect(cluster.node('a').reads.filter((read) => read.type === 'ready')).toEqual([])
  })
})

describe('a linearizable read on a follower', () => {
  function follower(): SoloCore {
    const node = new SoloCore({ terms: [1], currentTerm: 2 })
    node.receive('b', heartbeat({ term: 2, prevLogIndex: 1, prevLogTerm: 1, leaderCommit: 1 }))
    node.sent = []
    return node
  }

  it('asks the leader of its term, with the nonce of its boot', () => {
    const node = follower()
    const id = node.read()
    expect(node.sent).toEqual([
      { to: 'b', message: { type: 'readIndexRequest', term: 2, boot: 1, number: id, byLease: false } },
    ])
    node.receive('b', { type: 'readIndexResponse', term: 2, boot: 1, number: id, readIndex: 7 })
    expect(node.reads).toEqual([{ type: 'ready', id, readIndex: 7 }])
  })

  it('H66: takes no answer to an earlier boot, to another number, or twice', () => {
    const node = follower()
    const id = node.read()
    const response = { type: 'readIndexResponse', term: 2, boot: 1, number: id, readIndex: 7 } as const
    node.receive('b', { ...response, boot: 0 })
    node.receive('b', { ...response, number: id + 1 })
    expect(node.reads).toEqual([])
    node.receive('b', response)
    node.receive('b', response)
    expect(node.reads).toHaveLength(1)
  })

  it('H65: takes no answer of a term that is over', () => {
    const node = follower()
    const id = node.read()
    node.receive('c', heartbeat({ term: 3 }))
    expect(node.reads).toEqual([{ type: 'retry', id }])
    node.receive('b', { type: 'readIndexResponse', term: 2, boot: 1, number: id, readIndex: 7 })
    expect(node.reads).toHaveLength(1)
  })

  it('asks again after an election timeout without an answer', () => {
    const node = follower()
    const id = node.read()
    node.tick(99)
    expect(node.reads).toEqual([])
    node.tick(1)
    expect(node.reads).toEqual([{ type: 'retry', id }])
  })

  it('asks again when the asked node does not lead that term', () => {
    const node = follower()
    const id = node.read()
    node.receive('b', { type: 'readIndexResponse', term: 2, boot: 1, number: id, readIndex: -1 })
    expect(node.reads).toEqual([{ type: 'retry', id }])
    const notLeading = new SoloCore({ terms: [1] })
    notLeading.receive('b', { type: 'readIndexRequest', term: 1, boot: 3, number: 9, byLease: false })
    expect(notLeading.last('readIndexResponse')).toMatchObject({ boot: 3, number: 9, readIndex: -1 })
  })

  it('has no one to ask without a leader', () => {
    const node = new SoloCore()
    const id = node.read()
    expect(node.reads).toEqual([{ type: 'retry', id }])
  })

  it('is answered by a round of the leader that began after it was asked, and learns the commit at once', () => {
    const cluster = new CoreCluster()
    cluster.elect('a')
    cluster.node('a').propose('x')
    cluster.settle()
    const id = cluster.read('b')
    expect(cluster.node('b').state.lastApplied).toBe(1)
    cluster.settle()
    expect(cluster.node('b').reads).toEqual([{ type: 'ready', id, readIndex: 2 }])
    expect(cluster.node('b').state.lastApplied).toBe(2)
  })

  it('gets what was committed before it was asked, whatever is lost, doubled and cut off', () => {
    const lives = fc.array(fc.tuple(fc.constantFrom('a', 'b', 'c'), fc.nat(3), fc.boolean()), { maxLength: 60 })
    const holds = fc.property(lives, (steps) => {
      const cluster = new CoreCluster()
      cluster.elect('a')
      // The harness checks each answer against what was committed when the read was asked.
      for (const [id, what, flag] of steps) {
        if (what === 0) cluster.read(id)
        else if (what === 1) cluster.leader?.propose('x')
        else if (what === 2 && flag) {
          cluster.advance(200)
          cluster.deliver()
        } else cluster.deliver(() => flag)
        cluster.advance(10)
      }
      cluster.settle()
    })
    fc.assert(holds, { numRuns: 30 })
  })
})

describe('freshness of a local read (F21)', () => {
  it('is unknown until a heartbeat came back with the clock of this boot', () => {
    const node = new SoloCore({ currentTerm: 2 })
    node.tick(50)
    node.receive('b', heartbeat({ term: 2 }))
    expect(freshness(node.state, node.clock)).toBe(Number.POSITIVE_INFINITY)
    node.receive('b', heartbeat({ term: 2, echoMs: 40, echoBoot: 1, quorumAgeMs: 3 }))
    expect(freshness(node.state, node.clock)).toBe(13)
  })

  it('H121: does not grow with the arrival of old heartbeats after a pause', () => {
    const node = new SoloCore({ currentTerm: 2 })
    node.tick(50)
    const old = heartbeat({ term: 2, echoMs: 40, echoBoot: 1, quorumAgeMs: 0 })
    node.receive('b', old)
    node.clock += 1_000
    node.receive('b', old)
    expect(freshness(node.state, node.clock)).toBe(1_010)
  })

  it('takes no echo of a clock of an earlier boot, which may be ahead of this one', () => {
    const cluster = new CoreCluster({ clocks: { b: 50_000 } })
    cluster.elect('a')
    cluster.run(60)
    const echo = cluster.network.length
    expect(echo).toBe(0)
    expect(freshness(cluster.node('b').state, cluster.node('b').clock)).toBeLessThan(100)
    cluster.crash('b')
    cluster.restart('b')
    cluster.advance(30)
    cluster.deliver(both(ofType('heartbeat'), to('b')))
    expect(freshness(cluster.node('b').state, cluster.node('b').clock)).toBe(Number.POSITIVE_INFINITY)
    cluster.run(90)
    expect(freshness(cluster.node('b').state, cluster.node('b').clock)).toBeLessThan(100)
  })

  it('counts from when all that the leader had committed is applied here', () => {
    const node = new SoloCore({ terms: [1, 1], currentTerm: 1 })
    node.applies = 'later'
    node.tick(50)
    const echo = { echoMs: 45, echoBoot: 1, quorumAgeMs: 0, leaderCommit: 2, prevLogIndex: 2, prevLogTerm: 1 }
    node.receive('b', heartbeat({ term: 1, ...echo }))
    expect(freshness(node.state, node.clock)).toBe(Number.POSITIVE_INFINITY)
    node.tick(10)
    node.apply()
    expect(freshness(node.state, node.clock)).toBe(15)
  })

  it('H63: is not claimed from a leader that has committed nothing of its own term yet', () => {
    // Given entry 2, committed and applied on a, of which b and c hold the entry but do not know that it is committed.
    const cluster = new CoreCluster({ checkFreshness: false })
    cluster.elect('a')
    cluster.node('a').propose('x')
    cluster.settle()
    expect(cluster.checks.committedIndex).toBe(2)
    expect(cluster.node('c').state.commitIndex).toBe(1)
    // When b leads with a disk that holds its no-op up, and c hears it for some rounds.
    cluster.crash('a')
    for (const id of ['b', 'c']) cluster.node(id).clock += 100
    cluster.campaign('b')
    cluster.settle(({ message }) => message.type !== 'appendEntries')
    for (let round = 0; round < 3; round++) {
      cluster.node('b').tick(30)
      cluster.node('c').clock += 30
      cluster.settle(({ message }) => message.type !== 'appendEntries')
    }
    // Then c does not call its state, which misses entry 2, fresh.
    const { state, clock } = cluster.node('c')
    expect(state.leaderId).toBe('b')
    expect(freshness(state, clock)).toBe(Number.POSITIVE_INFINITY)
  })

  it('H121: is not claimed by a leader that knows of no moment at which a quorum followed it, as behind a suspend', () => {
    const leader = settledLeader({ learners: ['d'] })
    const { currentTerm: term } = leader.state
    const tell = (from: string) => leader.receive(from, heartbeatResponse({ term, sentMs: 500, echoMs: leader.clock }))
    const told = () => leader.take('heartbeat').findLast((sent) => sent.to === 'd')!.message
    tell('d')
    tell('b')
    leader.tick(30)
    expect(told()).toMatchObject({ echoMs: 500, quorumAgeMs: 30 })
    // An hour passes that its monotonic clock doesn't count, and only the learner is still on its side.
    leader.wallTime += 3_600_000
    tell('d')
    leader.tick(30)
    expect(told().echoMs).toBe(-1)
    tell('b')
    leader.tick(30)
    expect(told()).toMatchObject({ echoMs: 500, quorumAgeMs: 30 })
  })

  it('of a leader is the age of its own quorum contact', () => {
    const leader = settledLeader()
    expect(freshness(leader.state, leader.clock)).toBe(Number.POSITIVE_INFINITY)
    leader.receive('b', heartbeatResponse({ term: leader.state.currentTerm, echoMs: leader.clock - 5 }))
    leader.clock += 7
    expect(freshness(leader.state, leader.clock)).toBe(12)
  })
})

describe('a read and the apply', () => {
  it('H67: the read index may be ahead of what is applied here, and says so', () => {
    const node = new SoloCore({ currentTerm: 1 })
    node.receive('b', append({ term: 1, entries: [] }))
    const id = node.read()
    node.receive('b', { type: 'readIndexResponse', term: 1, boot: 1, number: id, readIndex: 5 })
    expect(node.reads).toEqual([{ type: 'ready', id, readIndex: 5 }])
    expect(node.state.lastApplied).toBe(0)
  })
})

describe('a read that was passed on', () => {
  it('is asked for again when its request was lost, though heartbeats go on and put off other ticks', () => {
    const cluster = new CoreCluster()
    cluster.elect('a')
    const id = cluster.read('b')
    cluster.drop(ofType('readIndexRequest'))
    cluster.run(150)
    expect(cluster.node('b').reads).toEqual([{ type: 'retry', id }])
  })
})
