// What the paper leaves to the implementer: which changes make sense, and how one gets to the leader and its answer back.
import { RaftCore } from 'helios-raft/core'
import { describe, expect, it } from 'vitest'
import { FORSAKEN_TIMEOUTS } from '../../../src/core/membership.js'
import { CoreCluster, ofType, type Packet } from '../../support/core-cluster.js'
import type { SimulatedNode } from '../../support/core-node.js'

describe('F24: a change that leaves too few', () => {
  it('is refused with words where it makes no sense', () => {
    const cluster = new CoreCluster({ voters: ['a'], learners: ['b'] })
    const leader = cluster.elect('a')
    for (const [type, id] of [
      ['remove', 'a'],
      ['demote', 'a'],
      ['promote', 'x'],
      ['demote', 'x'],
      ['add', 'a?'],
    ] as const) {
      leader.change(type, [id])
      expect(leader.changes.at(-1), `${type} ${id}`).toMatchObject({ type: 'refused', reason: 'invalid' })
    }
  })

  it('is refused where the voters that are left are not reachable, unless forced', () => {
    const cluster = new CoreCluster({ voters: ['a', 'b', 'c'] })
    const leader = cluster.elect('a')
    cluster.crash('c')
    cluster.run(200)
    const id = leader.change('remove', ['b'])
    expect(leader.changes).toEqual([{ type: 'ended', id, reason: 'noQuorum', member: '' }])
    leader.change('remove', ['b'], true)
    expect(leader.voters).toBe('ac/')
  })

  it('that asks for what is, is done at once and appends nothing', () => {
    const cluster = new CoreCluster({ voters: ['a', 'b', 'c'], learners: ['d'] })
    const leader = cluster.elect('a')
    for (const [type, id] of [
      ['add', 'b'],
      ['add', 'd?'],
      ['promote', 'b'],
      ['demote', 'd'],
      ['remove', 'x'],
    ] as const) {
      leader.change(type, [id])
      expect(leader.changes.at(-1), `${type} ${id}`).toMatchObject({ type: 'done', index: 0 })
    }
    expect(leader.state.log.lastIndex).toBe(1)
  })
})

describe('F12: a member that was taken out', () => {
  it('may come back before it heard of it: what it acknowledges counts from nothing on', () => {
    const cluster = new CoreCluster({ voters: ['a', 'b', 'c'] })
    const leader = cluster.elect('a')
    cluster.settle()
    expect(leader.state.progress.get('c')).toMatchObject({ matchIndex: 1, addedAt: 0 })
    cluster.crash('c')
    leader.change('remove', ['c'])
    cluster.settle()
    expect(leader.state.progress.has('c')).toBe(true)
    leader.change('add', ['c'])
    expect(leader.state.progress.get('c')).toMatchObject({ matchIndex: 0, addedAt: 3 })
  })
})

describe('F23: a change that is asked for elsewhere', () => {
  it('is passed on to the leader, once, and answered with the configuration', () => {
    const cluster = new CoreCluster({ voters: ['a', 'b', 'c'], joiners: ['d'] })
    const leader = cluster.elect('a')
    const asking = cluster.node('b')
    const id = asking.change('add', ['d'])
    const [request] = cluster.network.filter(ofType('membershipRequest'))
    if (request === undefined) throw new Error('it asked')
    cluster.duplicate(request)
    cluster.run(300)
    expect(asking.changes.at(-1)).toMatchObject({ type: 'done', id })
    expect(leader.voters).toBe('abcd/')
    const { lastIndex } = leader.state.log
    // A copy that comes when the member is gone again brings it back no more.
    leader.change('remove', ['d'])
    cluster.settle()
    cluster.duplicate(request)
    cluster.settle()
    expect(leader.voters).toBe('abc/')
    expect(leader.state.log.lastIndex).toBe(lastIndex + 1)
  })

  it('is asked for again when the request or the answer was lost', () => {
    const cluster = new CoreCluster({ voters: ['a', 'b', 'c'] })
    cluster.elect('a')
    const asking = cluster.node('b')
    const id = asking.change('remove', ['c'])
    cluster.drop(ofType('membershipRequest'))
    cluster.run(150)
    expect(asking.changes).toMatchObject([{ type: 'done', id }])
  })

  it('is to be asked for again when the leader is another one', () => {
    const cluster = new CoreCluster({ voters: ['a', 'b', 'c'] })
    cluster.elect('a')
    const asking = cluster.node('b')
    const id = asking.change('remove', ['c'])
    cluster.crash('a')
    cluster.network = []
    cluster.run(500)
    expect(asking.changes).toEqual([{ type: 'retry', id }])
  })

  it('ends where it still may when whoever asked gave up', () => {
    const cluster = new CoreCluster({ voters: ['a', 'b', 'c'], joiners: ['d'] })
    const leader = cluster.elect('a')
    cluster.crash('d')
    const asking = cluster.node('b')
    const id = asking.change('add', ['d'])
    cluster.settle()
    expect(leader.state.change).toMatchObject({ phase: 'catchingUp' })
    asking.cancelChange(id)
    cluster.settle()
    expect(leader.state.change).toBeNull()
    expect(leader.voters).toBe('abc/')
  })
})

describe('a leader whose last other member is gone', () => {
  it('answers the reads that waited for it, and those that come later', () => {
    const cluster = new CoreCluster({ voters: ['a', 'b'] })
    const leader = cluster.elect('a')
    const first = leader.read()
    cluster.crash('b')
    leader.change('remove', ['b'])
    cluster.run(100)
    const second = leader.read()
    expect(leader.voters).toBe('a/')
    expect(leader.reads.map(({ type, id }) => ({ type, id }))).toEqual([
      { type: 'ready', id: first },
      { type: 'ready', id: second },
    ])
  })

  it('does not act when it comes after the word that it is given up', () => {
    const cluster = new CoreCluster({ voters: ['a', 'b', 'c'] })
    const leader = cluster.elect('a')
    const asking = cluster.node('b')
    const id = asking.change('remove', ['c'])
    const isRequest = ofType('membershipRequest')
    const [request] = cluster.network.filter(isRequest)
    if (request === undefined) throw new Error('it asked')
    cluster.drop(isRequest)
    asking.cancelChange(id)
    cluster.settle()
    cluster.duplicate(request)
    cluster.settle()
    expect(leader.voters).toBe('abc/')
    // What is asked for next is another matter.
    asking.change('remove', ['c'])
    cluster.settle()
    expect(leader.voters).toBe('ab/')
  })
})

describe('H19: a member whose disk was wiped, and that was added again', () => {
  /** Its log begins where every log does: with the founder alone, which it was under its old store. */
  const start = (storeId: string): RaftCore => {
    const founder = { id: 'a', address: 'a', suffrage: 'voter', storeId: 'old' } as const
    const configuration = { index: 1, configuration: { members: [founder], votersOutgoing: [] } }
    const hardState = { currentTerm: 12, votedFor: null }
    const log = { firstIndex: 2, lastIndex: 1, previousTerm: 1, termRuns: [], logTime: 0, configuration }
    const limits = { maxClockDriftRatio: 0.1, appendEntries: 8, inflightMessages: 8 }
    const options = { id: 'a', electionTimeoutMs: 100, heartbeatIntervalMs: 20, seed: 1, boot: 1, storeId, ...limits }
    return new RaftCore(options, { hardState, ...log }, 0)
  }

  it.each([
    ['old', 'candidate'],
    ['new', 'follower'],
  ])('leads nobody by a configuration that means the store it lost: %s', (storeId, role) => {
    const core = start(storeId)
    core.step({ type: 'tick', now: 1_000 })
    expect(core.state.role).toBe(role)
  })
})

describe('F23: a change that nobody waits for any more', () => {
  const TIMEOUT_MS = 100
  const isAcknowledged = ({ from, message }: Packet): boolean =>
    from === 'd' && message.type === 'appendEntriesResponse' && message.outcome === 'success'

  /** Time passes, and d is heard and never further. */
  function runWithoutCatchingUp(cluster: CoreCluster, ms: number): void {
    for (let passed = 0; passed < ms; passed += 10) {
      cluster.advance(10)
      cluster.settle((packet) => !isAcknowledged(packet))
      cluster.drop(isAcknowledged)
    }
  }

  /** d catches up, and the configuration in which it votes is appended and no more. */
  function runUntilVoting(cluster: CoreCluster, leader: SimulatedNode): void {
    while (leader.state.change !== null && leader.state.change.phase !== 'voting') {
      const [packet] = cluster.network
      if (packet === undefined) cluster.advance(10)
      else cluster.deliverPacket(packet)
    }
    expect(leader.state.change).toMatchObject({ phase: 'voting', origin: 'b' })
  }

  function start(): { cluster: CoreCluster; leader: SimulatedNode; asking: SimulatedNode; id: number } {
    const cluster = new CoreCluster({ voters: ['a', 'b', 'c'], joiners: ['d'] })
    const leader = cluster.elect('a')
    const asking = cluster.node('b')
    const id = asking.change('add', ['d'])
    runWithoutCatchingUp(cluster, 100)
    expect(leader.state.change).toMatchObject({ phase: 'catchingUp', origin: 'b', id })
    return { cluster, leader, asking, id }
  }

  it('ends when the node that asked was not heard for long, and the next one may begin', () => {
    const { cluster, leader } = start()
    cluster.crash('b')
    runWithoutCatchingUp(cluster, (FORSAKEN_TIMEOUTS - 2) * TIMEOUT_MS)
    leader.change('promote', ['d'])
    expect(leader.changes).toMatchObject([{ type: 'refused', reason: 'pending' }])
    runWithoutCatchingUp(cluster, 2 * TIMEOUT_MS)
    expect(leader.state.change).toBeNull()
    leader.change('remove', ['d'])
    cluster.run(100)
    expect(leader.changes.at(-1)).toMatchObject({ type: 'done' })
    expect(leader.state.log.configurations.at(-1)?.configuration.members.map(({ id }) => id)).toEqual(['a', 'b', 'c'])
  })

  it('does not end while that node waits, however long', () => {
    const { cluster, leader, asking, id } = start()
    runWithoutCatchingUp(cluster, 5 * FORSAKEN_TIMEOUTS * TIMEOUT_MS)
    expect(leader.state.change).toMatchObject({ phase: 'catchingUp', origin: 'b', id })
    cluster.run(300)
    expect(asking.changes.at(-1)).toMatchObject({ type: 'done', id })
    expect(leader.voters).toBe('abcd/')
  })

  it('does not end because the leader stood still', () => {
    const { leader, id } = start()
    leader.clock += (FORSAKEN_TIMEOUTS + 1) * TIMEOUT_MS
    leader.tick()
    expect(leader.state.change).toMatchObject({ id })
  })

  it('is to be asked for anew when that node was only cut off', () => {
    const { cluster, leader, asking, id } = start()
    cluster.cut('b', 'a')
    runWithoutCatchingUp(cluster, (FORSAKEN_TIMEOUTS + 1) * TIMEOUT_MS)
    expect(leader.state.change).toBeNull()
    expect(asking.changes.at(-1)).toEqual({ type: 'retry', id })
  })

  it('goes on once it is in the log, whoever is left to hear of it', () => {
    const { cluster, leader } = start()
    runUntilVoting(cluster, leader)
    const isAnswer = ofType('appendEntriesResponse')
    cluster.crash('b')
    for (let passed = 0; passed < 2 * FORSAKEN_TIMEOUTS * TIMEOUT_MS; passed += 10) {
      cluster.drop(isAnswer)
      cluster.settle((packet) => !isAnswer(packet))
      cluster.drop(isAnswer)
      cluster.advance(10)
    }
    expect(leader.state.change).toMatchObject({ phase: 'voting', origin: 'b' })
    cluster.run(200)
    expect(leader.voters).toBe('abcd/')
    expect(leader.state.change).toBeNull()
  })

  it('makes room at once for what the same node asks for in its next life', () => {
    const { cluster, leader } = start()
    cluster.crash('b')
    cluster.restart('b')
    runWithoutCatchingUp(cluster, TIMEOUT_MS)
    const asking = cluster.node('b')
    const id = asking.change('demote', ['c'])
    cluster.run(100)
    expect(asking.changes.at(-1)).toMatchObject({ type: 'done', id })
    expect(leader.voters).toBe('ab/')
  })

  it('answers nothing that the same node asks for in its next life under the same number', () => {
    const { cluster, leader, id: number } = start()
    runUntilVoting(cluster, leader)
    const isAnswer = ofType('appendEntriesResponse')
    cluster.drop(isAnswer)
    const { currentTerm: term } = leader.state
    const member = { id: 'c', address: 'c', suffrage: 'learner' } as const
    const change = { type: 'remove', members: [member] } as const
    const request = { type: 'membershipRequest', term, boot: 2, number, change, force: false } as const
    leader.receive('b', request)
    cluster.run(200)
    expect(leader.voters).toBe('abcd/')
    // The answer was lost, and so it asks again.
    cluster.network = []
    leader.receive('b', request)
    const [answer] = cluster.network.filter(ofType('membershipResponse'))
    expect(answer?.message).toMatchObject({ boot: 2, number, outcome: 'pending' })
  })

  it('makes room for the removal of the learner that it waits for, and for nothing else', () => {
    const { cluster, leader, asking, id } = start()
    leader.change('remove', ['c'])
    leader.change('promote', ['d'])
    expect(leader.changes).toMatchObject([
      { type: 'refused', reason: 'pending' },
      { type: 'refused', reason: 'pending' },
    ])
    const removal = leader.change('remove', ['d'])
    cluster.run(100)
    expect(asking.changes.at(-1)).toEqual({ type: 'ended', id, reason: 'cancelled', member: 'd' })
    expect(leader.changes.at(-1)).toMatchObject({ type: 'done', id: removal })
    expect(leader.state.log.configurations.at(-1)?.configuration.members.map((member) => member.id)).toEqual([
      'a',
      'b',
      'c',
    ])
  })

  it('is not called off by a removal when the learner votes already', () => {
    const { cluster, leader } = start()
    runUntilVoting(cluster, leader)
    leader.change('remove', ['d'])
    expect(leader.changes.at(-1)).toMatchObject({ type: 'refused', reason: 'pending' })
  })
})
