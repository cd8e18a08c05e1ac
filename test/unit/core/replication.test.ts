// The leader's window of each peer (F7-F9, F12, F13; H24, H28, H29, H129) and its own log (F34, H26, H127).
import fc from 'fast-check'
import type { AppendEntries } from 'helios-raft/core'
import { describe, expect, it } from 'vitest'
import { both, CoreCluster, diskOf, ofType, to } from '../../support/core-cluster.js'
import {
  append,
  appendResponse,
  entriesOf,
  heartbeatResponse,
  proposeRequest,
  SoloCore,
  type SoloOptions,
} from '../../support/solo-core.js'

function leaderOf(options: SoloOptions = {}): SoloCore {
  const leader = new SoloCore(options)
  leader.becomeLeader()
  leader.sent = []
  return leader
}

function progressOf(leader: SoloCore, peer: string) {
  const progress = leader.state.progress.get(peer)
  if (progress === undefined) throw new Error(`${peer} has no progress`)
  return progress
}

const appendsTo = (leader: SoloCore, peer: string): AppendEntries[] =>
  leader
    .take('appendEntries')
    .filter((sent) => sent.to === peer)
    .map((sent) => sent.message)

describe('probe', () => {
  it('sends one append at a time until one fits, then a window', () => {
    const leader = leaderOf({ terms: [1, 1] })
    leader.propose('x')
    leader.propose('y')
    expect(appendsTo(leader, 'b')).toEqual([])
    leader.acknowledge('b', 3)
    expect(progressOf(leader, 'b').state).toBe('replicate')
    expect(appendsTo(leader, 'b')).toMatchObject([{ prevLogIndex: 3, entries: [{ index: 4 }, { index: 5 }] }])
  })

  it('H29: is made again after a heartbeat interval without an answer, not before', () => {
    const leader = leaderOf()
    leader.tick(29)
    leader.receive('b', heartbeatResponse({ term: 1 }))
    expect(appendsTo(leader, 'b')).toEqual([])
    leader.tick(1)
    leader.receive('b', heartbeatResponse({ term: 1 }))
    expect(appendsTo(leader, 'b')).toMatchObject([{ prevLogIndex: 0, entries: [{ index: 1 }] }])
  })

  it('goes on from where it was, not from the first entry, when the connection flaps (F8)', () => {
    const leader = leaderOf({ terms: [1, 1, 1, 2, 2] })
    leader.peerStatus('b', 'closed')
    leader.peerStatus('b', 'up')
    expect(appendsTo(leader, 'b')).toMatchObject([{ prevLogIndex: 5, entries: [{ index: 6 }] }])
  })

  it('goes on from where it was when the peer is busy (F13)', () => {
    const leader = leaderOf({ terms: [1, 1, 1, 2, 2] })
    leader.receive('b', appendResponse({ term: 3, outcome: 'busy', index: 5 }))
    expect(appendsTo(leader, 'b')).toEqual([])
    leader.tick(30)
    leader.receive('b', heartbeatResponse({ term: 3 }))
    expect(appendsTo(leader, 'b')).toMatchObject([{ prevLogIndex: 5, entries: [{ index: 6 }] }])
  })

  it('H24: takes no refusal of a probe that is over', () => {
    const leader = leaderOf({ terms: [1, 1, 1, 2, 2] })
    leader.receive('b', appendResponse({ term: 3, outcome: 'mismatch', index: 5, hintIndex: 3, hintTerm: 1 }))
    expect(progressOf(leader, 'b').nextIndex).toBe(4)
    leader.receive('b', appendResponse({ term: 3, outcome: 'mismatch', index: 5, hintIndex: 0, hintTerm: 0 }))
    expect(progressOf(leader, 'b').nextIndex).toBe(4)
  })
})

describe('replicate', () => {
  function streaming(options: SoloOptions = {}): SoloCore {
    const leader = leaderOf(options)
    leader.acknowledge('b', leader.state.log.lastIndex)
    leader.sent = []
    return leader
  }

  it('sends before earlier ones are answered, up to the window and no further', () => {
    for (const inflightMessages of [1, 2, 3]) {
      const leader = streaming({ inflightMessages })
      for (let count = 0; count < 5; count++) leader.propose('x')
      expect(appendsTo(leader, 'b')).toHaveLength(inflightMessages)
      leader.acknowledge('b', 2)
      expect(appendsTo(leader, 'b')).toHaveLength(1)
    }
  })

  it('puts at most appendEntries into one range', () => {
    const leader = streaming({ appendEntries: 3 })
    leader.propose('1', '2', '3', '4', '5', '6', '7')
    expect(appendsTo(leader, 'b').map(({ entries }) => entries.length)).toEqual([3, 3, 1])
  })

  it('H29: a window full of lost messages is reopened by the answer to a heartbeat', () => {
    const leader = streaming({ inflightMessages: 2 })
    for (let count = 0; count < 4; count++) leader.propose('x')
    leader.tick(30)
    leader.sent = []
    leader.receive('b', heartbeatResponse({ term: 1 }))
    const [question] = appendsTo(leader, 'b')
    expect(question).toMatchObject({ prevLogIndex: 3, entries: [] })
    leader.receive('b', appendResponse({ term: 1, outcome: 'mismatch', index: 3, hintIndex: 1, hintTerm: 1 }))
    expect(appendsTo(leader, 'b')).toMatchObject([{ prevLogIndex: 1 }])
  })

  it('H24: an old acknowledgement moves matchIndex nowhere, and one of another term counts for nothing', () => {
    const leader = streaming()
    leader.propose('x')
    leader.propose('y')
    leader.acknowledge('b', 3)
    leader.acknowledge('b', 2)
    expect(progressOf(leader, 'b').matchIndex).toBe(3)
    leader.propose('z')
    leader.receive('c', appendResponse({ term: 0, index: 4 }))
    expect(progressOf(leader, 'c').matchIndex).toBe(0)
  })

  it('F12: an answer of another replication session changes nothing', () => {
    const leader = streaming()
    leader.propose('x')
    const before = structuredClone(progressOf(leader, 'b'))
    for (const outcome of ['success', 'mismatch', 'busy'] as const) {
      leader.receive('b', appendResponse({ term: 1, index: 2, outcome, addedAt: 7 }))
    }
    leader.receive('b', heartbeatResponse({ term: 1, round: 9, addedAt: 7 }))
    expect(progressOf(leader, 'b')).toEqual(before)
  })

  it('an acknowledgement beyond its own log counts for nothing', () => {
    const leader = streaming()
    leader.acknowledge('b', 99)
    expect(progressOf(leader, 'b').matchIndex).toBe(1)
    expect(leader.state.commitIndex).toBe(1)
  })

  it('goes back to probe when the connection goes down, from what is known to match (F7)', () => {
    const leader = streaming()
    leader.propose('x')
    leader.propose('y')
    leader.sent = []
    leader.peerStatus('b', 'reset')
    leader.peerStatus('b', 'up')
    const sent = leader.sent.filter((one) => one.to === 'b').map((one) => one.message.type)
    expect(sent).toEqual(['heartbeat', 'appendEntries'])
    expect(appendsTo(leader, 'b')).toMatchObject([{ prevLogIndex: 1, entries: [{ index: 2 }, { index: 3 }] }])
  })

  it('asks again for what the driver dropped, after the next heartbeat', () => {
    const leader = streaming()
    for (const command of ['x', 'y', 'z']) leader.propose(command)
    leader.sent = []
    leader.step({ type: 'outboundDropped', now: leader.clock, peer: 'b', index: 3 })
    expect(leader.sent).toEqual([])
    leader.tick(30)
    leader.receive('b', heartbeatResponse({ term: 1 }))
    expect(appendsTo(leader, 'b')).toMatchObject([{ prevLogIndex: 2, entries: [{ index: 3 }, { index: 4 }] }])
  })
})

describe('heartbeats', () => {
  it('H129: carry matchIndex, never nextIndex - 1, so that one which overtakes appends is no conflict', () => {
    const leader = leaderOf({ terms: [1, 1] })
    leader.acknowledge('b', 3)
    leader.propose('x')
    leader.sent = []
    leader.tick(30)
    const beats = leader.take('heartbeat')
    expect(beats.find((sent) => sent.to === 'b')?.message).toMatchObject({ prevLogIndex: 3, prevLogTerm: 2 })
    expect(beats.find((sent) => sent.to === 'c')?.message).toMatchObject({ prevLogIndex: 0, prevLogTerm: 0 })
  })

  it('move no index, whatever they are answered (F7)', () => {
    const leader = leaderOf({ terms: [1, 1] })
    leader.acknowledge('b', 3)
    for (const index of [-1, 0, 3]) {
      leader.receive('b', heartbeatResponse({ term: 2, index }))
      expect(progressOf(leader, 'b')).toMatchObject({ matchIndex: 3, nextIndex: 4 })
    }
  })

  it('an idle follower learns of a commit with the next one (F11)', () => {
    const cluster = new CoreCluster()
    cluster.elect('a').propose('x')
    cluster.settle()
    expect(cluster.node('b').state.commitIndex).toBe(1)
    cluster.run(30)
    expect(cluster.node('b').state.commitIndex).toBe(2)
  })

  it('leave at once for a peer whose forward they commit (F16)', () => {
    const cluster = new CoreCluster()
    cluster.elect('a')
    cluster.node('b').propose('x')
    cluster.settle()
    expect(cluster.node('b').state.lastApplied).toBe(2)
    expect(cluster.node('c').state.lastApplied).toBe(1)
  })
})

describe('an answer to a leader of the past', () => {
  it('tells it the new term, and judges nothing in it (H10, F12)', () => {
    const follower = new SoloCore({ terms: [1, 1], currentTerm: 4 })
    follower.receive('b', append({ term: 3, prevLogIndex: 1, prevLogTerm: 1, entries: entriesOf(2, 1) }))
    const answer = follower.last('appendEntriesResponse')
    expect(answer).toMatchObject({ term: 4, outcome: 'mismatch', index: 0 })
    // Its receiver may lead the new term by now: then that changes nothing.
    const leader = leaderOf({ terms: [1, 1, 2, 3], currentTerm: 3 })
    const before = progressOf(leader, 'b').nextIndex
    leader.receive('b', answer)
    expect(progressOf(leader, 'b').nextIndex).toBe(before)
    expect(leader.sent).toEqual([])
  })
})

describe('backtracking', () => {
  // Two logs that can occur: after a common prefix no term is in both, else log matching would make them one (§5.3).
  const rising = (low: number) =>
    fc.array(fc.nat(5), { maxLength: 16 }).map((terms) => terms.map((term) => low + 2 * term).sort((x, y) => x - y))
  const logs = fc.tuple(fc.array(fc.constant(1), { maxLength: 8 }), rising(2), rising(3))

  it('F8, H28: meets in at most one probe for each term of either log', () => {
    const property = fc.property(logs, ([prefix, left, right]) => {
      const [ours, theirs] = [
        [...prefix, ...left],
        [...prefix, ...right],
      ]
      const cluster = new CoreCluster({
        voters: ['a', 'b', 'c'],
        disks: { a: diskOf(ours, 14), b: diskOf(theirs, 14) },
      })
      // c has no log and votes for a, whatever b thinks of it.
      cluster.cut('a', 'b')
      cluster.elect('a')
      cluster.heal()
      cluster.node('a').peerStatus('b', 'up')
      let probes = 0
      cluster.onDeliver = ({ to: receiver, message }) => {
        if (receiver === 'b' && message.type === 'appendEntries') probes += 1
      }
      cluster.settle()
      expect(cluster.node('b').log).toEqual(cluster.node('a').log)
      expect(probes).toBeLessThanOrEqual(new Set([...ours, ...theirs]).size + 3)
    })
    fc.assert(property, { numRuns: 200 })
  })
})

describe("the leader's own log", () => {
  it('F34: carries the wall clock of the leader, never less than the largest timestamp seen', () => {
    const leader = leaderOf()
    leader.wallTime = 5_000
    leader.propose('x')
    leader.wallTime = 4_000
    leader.propose('y')
    leader.wallTime = 6_000
    leader.propose('z')
    expect(leader.log.slice(1).map((entry) => entry.timestamp)).toEqual([5_000, 5_000, 6_000])
  })

  it('F34: a wall clock that jumped ahead and came back before any append leaves no trace in the log', () => {
    const leader = leaderOf()
    leader.wallTime = 9_000_000
    leader.receive('b', heartbeatResponse({ term: 1 }))
    leader.wallTime = 5_000
    leader.propose('x')
    expect(leader.log.at(-1)?.timestamp).toBe(5_000)
  })

  it('H127: log time is not lowered by the truncation of the entry that carried it', () => {
    const node = new SoloCore({ currentTerm: 1 })
    const entries = entriesOf(1, 1).map((entry) => ({ ...entry, timestamp: 8_000 }))
    node.receive('b', append({ term: 1, entries }))
    node.receive('c', append({ term: 2, entries: entriesOf(1, 2) }))
    node.wallTime = 7_000
    node.becomeLeader()
    node.propose('x')
    expect(node.log.at(-1)?.timestamp).toBe(8_000)
  })

  it('H127: log time survives a restart', () => {
    const node = new SoloCore({ currentTerm: 1 })
    const entries = entriesOf(1, 1).map((entry) => ({ ...entry, timestamp: 8_000 }))
    node.receive('b', append({ term: 1, entries }))
    node.crash()
    node.start()
    node.becomeLeader()
    expect(node.log.at(-1)?.timestamp).toBe(8_000)
  })

  it('F10: leaves for the followers before it is durable here, and counts here only when it is', () => {
    const leader = leaderOf({ voters: ['a', 'b'] })
    leader.acknowledge('b', 1)
    leader.persistence = 'later'
    leader.sent = []
    leader.propose('x')
    expect(appendsTo(leader, 'b')).toHaveLength(1)
    leader.acknowledge('b', 2)
    expect(leader.state.commitIndex).toBe(1)
    leader.persist()
    expect(leader.state.commitIndex).toBe(2)
  })

  it('F10: a commit may leave the leader out, but nothing is applied before it is durable here', () => {
    const leader = leaderOf()
    leader.acknowledge('b', 1)
    leader.persistence = 'later'
    leader.propose('x')
    leader.acknowledge('b', 2)
    leader.acknowledge('c', 2)
    expect(leader.state).toMatchObject({ commitIndex: 2, lastApplied: 1 })
    leader.persist()
    expect(leader.state.lastApplied).toBe(2)
  })

  it('F13: a follower over its budget takes nothing and says so; what it holds already costs nothing', () => {
    const follower = new SoloCore({ currentTerm: 1 })
    const entries = entriesOf(1, 1, 1)
    const sizeBytes = entries.reduce((sum, entry) => sum + entry.data.length, 0)
    follower.budgetBytes = sizeBytes - 1
    follower.receive('b', append({ term: 1, entries }))
    expect(follower.last('appendEntriesResponse')).toMatchObject({ outcome: 'busy', index: 0 })
    expect(follower.state.log.lastIndex).toBe(0)
    follower.budgetBytes = sizeBytes
    follower.receive('b', append({ term: 1, entries }))
    expect(follower.last('appendEntriesResponse')).toMatchObject({ outcome: 'success', index: 2 })
    follower.budgetBytes = 0
    follower.receive('b', append({ term: 1, entries }))
    expect(follower.last('appendEntriesResponse')).toMatchObject({ outcome: 'success', index: 2 })
  })

  it('F13: forwarded commands beyond the budget are refused as overloaded', () => {
    const leader = leaderOf()
    const command = new Uint8Array(10)
    leader.budgetBytes = 19
    leader.receive('b', proposeRequest({ term: 1, number: 1, commands: [command, command] }))
    expect(leader.last('proposeResponse').refusal).toBe('overloaded')
    leader.budgetBytes = 20
    leader.receive('b', proposeRequest({ term: 1, number: 2, commands: [command, command] }))
    expect(leader.last('proposeResponse').refusal).toBeNull()
  })

  it('H102: works at terms beyond 32 bits', () => {
    const node = new SoloCore({ terms: [2 ** 40], currentTerm: 2 ** 40 })
    node.becomeLeader()
    node.acknowledge('b', 2)
    expect(node.state).toMatchObject({ currentTerm: 2 ** 40 + 1, commitIndex: 2 })
  })

  it('H127: entries of a duplicate append do not move log time back', () => {
    const cluster = new CoreCluster()
    cluster.elect('a').propose('x')
    const packet = cluster.network.find(both(ofType('appendEntries'), to('b')))
    cluster.settle()
    const { logTime } = cluster.node('b').state
    if (packet !== undefined) cluster.node('b').receive('a', packet.message)
    expect(cluster.node('b').state.logTime).toBe(logTime)
  })
})
