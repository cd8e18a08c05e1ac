// What a leader sends a peer, and when (F7, F8): one probe at a time until one fits, what each answer changes, and what
// heartbeats say. The window that follows is in window.test.ts.
import { describe, expect, it } from 'vitest'
import { between, both, CoreCluster, ofType } from '../../support/core-cluster.js'
import { appendResponse, SoloCore } from '../../support/solo-core.js'
import { answerHeartbeat, leaderOf, progressOf, sentTo, streaming } from './leaders.js'

describe('a probe', () => {
  it('is one message, then silence until the answer to a heartbeat, then one message again, and so on', () => {
    const leader = leaderOf()
    for (let round = 0; round < 3; round++) {
      for (const command of ['x', 'y']) leader.propose(command)
      expect(sentTo(leader)).toEqual([])
      expect(progressOf(leader)).toMatchObject({ state: 'probe', probeSent: true, nextIndex: 1 })
      leader.tick(30)
      answerHeartbeat(leader, 'c')
      leader.sent = []
      answerHeartbeat(leader)
      const [probe, ...more] = sentTo(leader)
      expect([probe?.[0], more]).toEqual([0, []])
      // A second answer within the interval asks for nothing.
      answerHeartbeat(leader)
      expect(sentTo(leader)).toEqual([])
    }
  })

  it('leaves nextIndex where it is; the window moves it with each proposal', () => {
    const leader = leaderOf({ terms: [1, 1] })
    expect(progressOf(leader)?.nextIndex).toBe(3)
    leader.propose('x')
    expect(progressOf(leader)?.nextIndex).toBe(3)
    leader.acknowledge('b', 3)
    expect(progressOf(leader)?.nextIndex).toBe(5)
    leader.propose('y')
    leader.propose('z')
    expect(progressOf(leader)?.nextIndex).toBe(7)
  })

  it('of which a peer gets none keeps no other peer waiting', () => {
    const leader = leaderOf()
    leader.acknowledge('b', 1)
    expect(leader.state.commitIndex).toBe(1)
    leader.propose('x')
    expect(sentTo(leader, 'c')).toEqual([])
    leader.propose('y')
    expect(sentTo(leader)).toEqual([[2, 3]])
    // The answer of c, however late, gets it everything at once.
    leader.acknowledge('c', 1)
    expect(sentTo(leader, 'c')).toEqual([[1, 2, 3]])
  })
})

describe('an answer', () => {
  /** Entries 1..3, of which b was asked about 2 and has acknowledged nothing yet. */
  const table = [
    { what: 'a success', answer: { index: 2 }, match: 2, next: 4, sends: [[2, 3]], commits: 0 },
    { what: 'a success beyond it', answer: { index: 3 }, match: 3, next: 4, sends: [], commits: 3 },
    { what: 'a success beyond the log', answer: { index: 4 }, match: 0, next: 3, sends: [], commits: 0 },
    { what: 'a success of index 0', answer: { index: 0 }, match: 0, next: 4, sends: [[0, 1, 2, 3]], commits: 0 },
    {
      what: 'a refusal',
      answer: { outcome: 'mismatch', index: 2 },
      match: 0,
      next: 1,
      sends: [[0, 1, 2, 3]],
      commits: 0,
    },
    { what: 'a stale refusal', answer: { outcome: 'mismatch', index: 3 }, match: 0, next: 3, sends: [], commits: 0 },
    { what: 'busy', answer: { outcome: 'busy', index: 2 }, match: 0, next: 3, sends: [], commits: 0 },
  ] as const

  it.each(table)('$what: match $match, next $next, sends $sends, commits $commits', (row) => {
    const leader = leaderOf({ terms: [1, 1] })
    leader.receive('b', { ...appendResponse({ term: 2, index: 0 }), ...row.answer })
    const { match, next, sends, commits } = row
    expect(progressOf(leader)).toMatchObject({ matchIndex: match, nextIndex: next })
    expect(sentTo(leader)).toEqual(sends)
    expect(leader.state.commitIndex).toBe(commits)
  })

  it('to a heartbeat gets what is missing sent again, until it is acknowledged, and then nothing', () => {
    const leader = streaming()
    leader.propose('x')
    for (let lost = 0; lost < 3; lost++) {
      leader.tick(30)
      answerHeartbeat(leader, 'c')
      leader.sent = []
      answerHeartbeat(leader)
      expect(sentTo(leader)).toEqual([[2]])
      leader.receive('b', appendResponse({ term: 1, outcome: 'mismatch', index: 2, hintIndex: 1, hintTerm: 1 }))
      expect(sentTo(leader)).toEqual([[1, 2]])
      leader.acknowledge('b', 1)
    }
    leader.acknowledge('b', 2)
    leader.sent = []
    for (let idle = 0; idle < 3; idle++) {
      leader.tick(30)
      answerHeartbeat(leader)
      expect(sentTo(leader)).toEqual([])
    }
  })

  it('that comes twice, or after a later one, takes nothing back', () => {
    const leader = streaming()
    for (const command of ['x', 'y', 'z']) leader.propose(command)
    for (const index of [3, 3, 2, 1, 4, 4, 2]) leader.acknowledge('b', index)
    expect(progressOf(leader)).toMatchObject({ state: 'replicate', matchIndex: 4, nextIndex: 5, inflight: [] })
    expect(leader.state.commitIndex).toBe(4)
  })
})

describe('heartbeats', () => {
  it('leave leaders only', () => {
    const roles = {
      follower: () => {},
      preCandidate: (node: SoloCore) => node.timeOut(),
      candidate: (node: SoloCore) => node.becomeCandidate(),
      leader: (node: SoloCore) => node.becomeLeader(),
    }
    for (const [role, become] of Object.entries(roles)) {
      const node = new SoloCore()
      become(node)
      node.sent = []
      node.tick(30)
      expect(node.state.role).toBe(role)
      const beats = node.take('heartbeat').map(({ to, message }) => [to, message.prevLogIndex])
      expect(beats, role).toEqual(
        role === 'leader'
          ? [
              ['b', 0],
              ['c', 0],
            ]
          : [],
      )
    }
  })

  it('make no peer commit more than it is known to hold', () => {
    const cluster = new CoreCluster()
    cluster.elect('a')
    cluster.settle()
    const beside = both(ofType('appendEntries'), between('a', 'c'))
    for (const command of ['x', 'y']) cluster.node('a').propose(command)
    cluster.settle((packet) => !beside(packet))
    expect(cluster.node('a').state.commitIndex).toBe(3)
    cluster.advance(30)
    cluster.settle(ofType('heartbeat', 'heartbeatResponse'))
    expect(cluster.node('b').state.commitIndex).toBe(3)
    expect(cluster.node('c').state.commitIndex).toBe(1)
  })
})

describe('a stream whose messages change places', () => {
  it('ends with equal logs, and no answer in the wrong order takes progress back', () => {
    const cluster = new CoreCluster({ inflightMessages: 8, appendEntries: 1 })
    cluster.elect('a')
    for (const command of ['1', '2', '3', '4', '5', '6']) cluster.node('a').propose(command)
    // The entries arrive from the last to the first, then the answers too.
    const entries = both(ofType('appendEntries'), between('a', 'b'))
    for (const packet of cluster.network.filter(entries).reverse()) cluster.deliverPacket(packet)
    const answers = both(ofType('appendEntriesResponse'), between('b', 'a'))
    for (const packet of cluster.network.filter(answers).reverse()) cluster.deliverPacket(packet)
    cluster.settle()
    expect(cluster.node('b').log).toEqual(cluster.node('a').log)
    expect(cluster.node('a').state.progress.get('b')).toMatchObject({ state: 'replicate', matchIndex: 7, nextIndex: 8 })
  })
})
