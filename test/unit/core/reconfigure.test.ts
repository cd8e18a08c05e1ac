// Other timings for a core that runs (F43): nobody is held to a silence that the old ones allowed.
import { describe, expect, it } from 'vitest'
import { RaftCore, type CoreEvent } from 'helios-raft/core'
import { append, entriesOf, heartbeat, heartbeatResponse, preVote, SoloCore } from '../../support/solo-core.js'

const BOUNDS = { appendEntries: 1_024, inflightMessages: 256 }

function reconfigure(node: SoloCore, electionTimeoutMs: number, heartbeatIntervalMs: number, bounds = BOUNDS) {
  return node.step({ type: 'reconfigure', now: node.clock, electionTimeoutMs, heartbeatIntervalMs, ...bounds })
}

/** A follower of 'b', just heard. */
function follower(): SoloCore {
  const node = new SoloCore({ currentTerm: 1 })
  node.receive('b', heartbeat({ term: 1 }))
  return node
}

function leader(): SoloCore {
  const node = new SoloCore()
  node.becomeLeader()
  return node
}

describe('a follower', () => {
  it('does not campaign for a silence that was none before', () => {
    const node = follower()
    node.tick(90)
    reconfigure(node, 20, 5)
    node.tick()
    expect(node.state.role).toBe('follower')
    expect(node.state.electionDeadline).toBeGreaterThanOrEqual(node.clock + 20)
    expect(node.state.electionDeadline).toBeLessThan(node.clock + 40)
    node.tick(19)
    expect(node.state.role).toBe('follower')
    node.tick(21)
    expect(node.state.role).toBe('preCandidate')
  })

  it('keeps no deadline of before that a heartbeat of the new timings could come too late for', () => {
    const node = follower()
    node.tick(90)
    reconfigure(node, 1_000, 300)
    node.tick(999)
    expect(node.state.role).toBe('follower')
    expect(node.state.leaderId).toBe('b')
    node.tick(1_001)
    expect(node.state.role).toBe('preCandidate')
  })

  it('asks for its next tick by the new timeout', () => {
    const node = follower()
    reconfigure(node, 1_000, 300)
    expect(node.deadline).toBe(node.clock + 500)
    reconfigure(node, 20, 5)
    expect(node.deadline).toBe(node.clock + 10)
  })

  it('is true to its leader by the new timeout', () => {
    const grants = (electionTimeoutMs: number): boolean => {
      const node = follower()
      reconfigure(node, electionTimeoutMs, 5)
      node.tick(60)
      node.receive('c', preVote({ term: 2 }))
      return node.last('preVoteResponse').voteGranted
    }
    expect(grants(200)).toBe(false)
    // Its own deadline is between 50 and 100: it follows still, or asks itself.
    expect(grants(50)).toBe(true)
  })

  it('is not disturbed by what changes no timing', () => {
    const node = follower()
    node.tick(40)
    const { electionDeadline, prng } = node.state
    reconfigure(node, 100, 30, { appendEntries: 7, inflightMessages: 3 })
    expect(node.state).toMatchObject({ electionDeadline, prng })
  })
})

describe('a leader', () => {
  it('is not deposed at once by a shorter timeout: its peers have a whole one', () => {
    const node = leader()
    node.tick(90)
    reconfigure(node, 30, 10)
    node.tick(29)
    expect(node.state.role).toBe('leader')
    node.tick(1)
    expect(node.state.role).toBe('follower')
  })

  it('lets its next heartbeat leave after the new interval at the latest', () => {
    const node = leader()
    reconfigure(node, 1_000, 300)
    const early = node.state.heartbeatDeadline
    expect(early).toBe(node.clock + 30)
    node.tick(30)
    expect(node.state.heartbeatDeadline).toBe(node.clock + 300)
    node.receive('b', heartbeatResponse({ term: 1 }))
    node.tick(100)
    reconfigure(node, 1_000, 20)
    expect(node.state.heartbeatDeadline).toBe(node.clock + 20)
    node.take('heartbeat')
    node.tick(20)
    expect(node.take('heartbeat')).toHaveLength(2)
  })

  it('is bound by the new bounds of what it sends', () => {
    const node = leader()
    reconfigure(node, 100, 30, { appendEntries: 2, inflightMessages: 2 })
    for (const peer of ['b', 'c']) node.acknowledge(peer, 1)
    node.sent = []
    node.propose('1', '2', '3', '4', '5', '6', '7')
    const ranges = node.take('appendEntries').filter(({ to }) => to === 'b')
    expect(ranges.map(({ message }) => message.entries.length)).toEqual([2, 2])
  })
})

describe('reconfigure', () => {
  it('changes nothing of the log, of the term or of the vote, and writes nothing', () => {
    const node = new SoloCore({ currentTerm: 1 })
    node.receive('b', append({ term: 1, entries: entriesOf(1, 1, 1) }))
    const { log, currentTerm, votedFor, commitIndex } = structuredClone(node.state)
    const output = reconfigure(node, 40, 10)
    expect(output.isEmpty).toBe(true)
    expect(node.state).toMatchObject({ log, currentTerm, votedFor, commitIndex })
  })

  it('is an event like any other: the same events make the same core again', () => {
    const events: CoreEvent[] = [
      { type: 'tick', now: 10 },
      { type: 'reconfigure', now: 20, electionTimeoutMs: 40, heartbeatIntervalMs: 10, ...BOUNDS },
      { type: 'tick', now: 45 },
      { type: 'reconfigure', now: 50, electionTimeoutMs: 400, heartbeatIntervalMs: 100, ...BOUNDS },
      { type: 'tick', now: 250 },
      { type: 'tick', now: 450 },
    ]
    const run = () => {
      const { options, state } = new SoloCore()
      const core = RaftCore.resume({ ...options, boot: 1 }, structuredClone(state))
      for (const event of events) core.step(event)
      return core.state
    }
    expect(run()).toEqual(run())
    expect(run().electionDeadline).toBeGreaterThanOrEqual(450)
  })

  it.each([
    [0, 10, BOUNDS],
    [100, 0, BOUNDS],
    [Number.NaN, 10, BOUNDS],
    [100, 10, { ...BOUNDS, appendEntries: 0 }],
    [100, 10, { ...BOUNDS, inflightMessages: 0 }],
  ])('stops a core that is told nonsense: %s, %s, %o', (electionTimeoutMs, heartbeatIntervalMs, bounds) => {
    expect(() => reconfigure(new SoloCore(), electionTimeoutMs, heartbeatIntervalMs, bounds)).toThrow(
      expect.objectContaining({ name: 'InvariantViolation' }),
    )
  })
})
