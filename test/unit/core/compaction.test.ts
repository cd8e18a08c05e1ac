// A log whose prefix is gone, from the leader's side: whom it waits for, and what becomes of a peer that needs what is not
// there any more (F27, H57).
import { MAX_ENTRIES_KEPT_FOR_PEERS, type Message, RaftCore } from 'helios-raft/core'
import { describe, expect, it } from 'vitest'
import { both, configurationOf, CoreCluster, diskOf, ofType, to } from '../../support/core-cluster.js'
import { DEFAULT_NODE } from '../../support/core-node.js'
import { appendResponse, SoloCore } from '../../support/solo-core.js'

const BASE = { hardState: { currentTerm: 3, votedFor: null }, baseIndex: 5, baseTerm: 3, log: [] } as const

/** Leads term 4 with a log that begins behind 5; its no-op is 6. */
function compactedLeader(): SoloCore {
  const node = new SoloCore({ disk: BASE })
  node.becomeLeader()
  node.sent = []
  return node
}

describe('compaction', () => {
  it('goes as far as the policy lets it, and remembers how far when it has to wait', () => {
    const node = new SoloCore({ voters: ['a'] })
    node.tick(1)
    node.propose('x', 'y', 'z')
    node.takeSnapshot(2)
    expect(node.state).toMatchObject({ snapshotIndex: 4, compactableIndex: 2 })
    expect(node.state.log.baseIndex).toBe(2)
  })

  it('is told to the driver once, when there is something to forget', () => {
    const node = new SoloCore({ voters: ['a'] })
    node.tick(1)
    node.propose('x')
    const taken = { type: 'snapshotTaken', now: node.clock, lastIncludedIndex: 2, compactableIndex: 1 } as const
    expect(node.step(taken).compactTo).toBe(1)
    expect(node.step(taken).compactTo).toBeUndefined()
    expect(node.step({ type: 'tick', now: node.clock }).compactTo).toBeUndefined()
  })

  it('ignores a snapshot that is behind the newest (H119)', () => {
    const node = new SoloCore({ voters: ['a'] })
    node.tick(1)
    node.propose('x', 'y')
    node.takeSnapshot()
    node.step({ type: 'snapshotTaken', now: node.clock, lastIncludedIndex: 2, compactableIndex: 2 })
    expect(node.state).toMatchObject({ snapshotIndex: 3, compactableIndex: 3 })
  })

  it('refuses a snapshot of what is not committed, and to forget what no snapshot holds (H53)', () => {
    const taken = { type: 'snapshotTaken', now: 1_000 } as const
    const node = new SoloCore({ terms: [1, 1, 1] })
    expect(() => node.step({ ...taken, lastIncludedIndex: 2, compactableIndex: 0 })).toThrow(/committed and durable/)
    const single = new SoloCore({ voters: ['a'] })
    single.tick(1)
    single.propose('x')
    expect(() => single.step({ ...taken, lastIncludedIndex: 1, compactableIndex: 2 })).toThrow(/only what the snapshot/)
  })

  it('waits for a peer that was heard within an election timeout, and not for one that was not', () => {
    const cluster = new CoreCluster()
    cluster.elect('a')
    cluster.cut('a', 'c')
    cluster.node('a').propose('x')
    cluster.settle()
    cluster.node('a').takeSnapshot()
    expect(cluster.node('a').state.log.baseIndex).toBe(1)
    cluster.run(99)
    expect(cluster.node('a').state.log.baseIndex).toBe(1)
    cluster.run(60)
    expect(cluster.node('a').state.log.baseIndex).toBe(2)
  })

  it('waits for peers that a new leader knows nothing of yet', () => {
    const node = new SoloCore({ terms: [1, 1, 1], currentTerm: 1 })
    node.becomeLeader()
    node.acknowledge('b', 4)
    node.takeSnapshot()
    expect(node.state.log.baseIndex).toBe(0)
    node.acknowledge('c', 2)
    node.tick(1)
    expect(node.state.log.baseIndex).toBe(2)
  })
})

/** Leads term 2 with `lastIndex` entries of term 1, which c holds and b does not, and hears both. */
function leaderOfMany(lastIndex: number): RaftCore {
  const options = { id: 'a', ...DEFAULT_NODE, boot: 1 }
  const hardState = { currentTerm: 1, votedFor: null }
  const configuration = { index: 0, configuration: configurationOf(['a', 'b', 'c']) }
  const log = { firstIndex: 1, lastIndex, previousTerm: 0, termRuns: [{ first: 1, term: 1 }], logTime: 0 }
  const core = new RaftCore(options, { hardState, ...log, configuration }, 0)
  core.step({ type: 'tick', now: 90 })
  const now = core.state.electionDeadline
  const hears = (from: string, message: Message) =>
    core.step({ type: 'receive', now, wallTime: 0, from, message, budgetBytes: 1 })
  core.step({ type: 'tick', now })
  hears('c', { type: 'preVoteResponse', term: 2, round: core.state.preVoteRound, voteGranted: true })
  const own = { currentTerm: 2, votedFor: 'a' }
  core.step({ type: 'persisted', now, hardState: own, index: 0, epoch: 0 })
  hears('c', { type: 'requestVoteResponse', term: 2, voteGranted: true })
  core.step({ type: 'persisted', now, hardState: null, index: lastIndex + 1, epoch: 0 })
  hears('c', appendResponse({ term: 2, index: lastIndex + 1 }))
  hears('b', appendResponse({ term: 2, index: 0 }))
  return core
}

describe('the entries that are kept for peers', () => {
  it.each([-1, 0, 1])('are bounded: a peer that lies %i beyond the bound', (beyond) => {
    const lastIndex = MAX_ENTRIES_KEPT_FOR_PEERS + 10
    const core = leaderOfMany(lastIndex)
    const { now } = core.state
    const compactableIndex = MAX_ENTRIES_KEPT_FOR_PEERS + beyond
    const output = core.step({ type: 'snapshotTaken', now, lastIncludedIndex: lastIndex, compactableIndex })
    expect(core.state.log.baseIndex).toBe(Math.max(0, beyond))
    expect(output.compactTo).toBe(beyond > 0 ? beyond : undefined)
  })

  it('are given up as far as they would be too many bytes, and never beyond what the policy keeps', () => {
    const core = leaderOfMany(20)
    const taken = { type: 'snapshotTaken', now: core.state.now, lastIncludedIndex: 20, compactableIndex: 8 } as const
    expect(core.step(taken).compactTo).toBe(undefined)
    expect(core.step({ ...taken, expendableIndex: 5 }).compactTo).toBe(5)
    expect(core.step({ ...taken, expendableIndex: 3 }).compactTo).toBe(undefined)
    expect(core.step({ ...taken, expendableIndex: 20 }).compactTo).toBe(8)
  })
})

describe('a peer that needs what was compacted', () => {
  it('is found by its hint, and gets no entries: they would begin where nobody can judge them', () => {
    const leader = compactedLeader()
    leader.receive('b', appendResponse({ term: 4, outcome: 'mismatch', index: 5, hintIndex: 2, hintTerm: 2 }))
    expect(leader.state.progress.get('b')).toMatchObject({ state: 'snapshot', nextIndex: 3 })
    leader.propose('x')
    const entries = leader.take('appendEntries').filter((sent) => sent.to === 'b')
    expect(entries).toEqual([])
  })

  it('is asked for the base with a heartbeat, and not in a circle', () => {
    const leader = compactedLeader()
    const mismatch = appendResponse({ term: 4, outcome: 'mismatch', index: 5, hintIndex: 2, hintTerm: 2 })
    leader.receive('b', mismatch)
    leader.receive('b', mismatch)
    expect(leader.take('appendEntries')).toEqual([])
    leader.tick(30)
    const { sentMs, round } = leader.last('heartbeat')
    const answer = {
      type: 'heartbeatResponse',
      term: 4,
      addedAt: 0,
      index: -1,
      sentMs: 1,
      boot: 1,
      leaseMs: 0,
    } as const
    leader.receive('b', { ...answer, round, echoMs: sentMs })
    const [asked] = leader.take('appendEntries')
    expect(asked?.message).toMatchObject({ prevLogIndex: 5, prevLogTerm: 3, entries: [] })
  })

  it('stays one when an older answer comes late', () => {
    const leader = compactedLeader()
    leader.acknowledge('c', 6)
    const earlier = appendResponse({ term: 4, outcome: 'mismatch', index: 6, hintIndex: 6, hintTerm: 3 })
    leader.receive('b', appendResponse({ term: 4, outcome: 'mismatch', index: 5, hintIndex: 2, hintTerm: 2 }))
    leader.receive('b', earlier)
    expect(leader.state.progress.get('b')).toMatchObject({ state: 'snapshot', nextIndex: 3 })
  })

  it('is served again when its answer shows that it holds the base (H57)', () => {
    const leader = compactedLeader()
    leader.receive('b', appendResponse({ term: 4, outcome: 'mismatch', index: 5, hintIndex: 2, hintTerm: 2 }))
    leader.acknowledge('b', 3)
    expect(leader.state.progress.get('b')).toMatchObject({ state: 'snapshot', matchIndex: 3 })
    leader.sent = []
    leader.acknowledge('b', 5)
    expect(leader.state.progress.get('b')).toMatchObject({ state: 'replicate', matchIndex: 5 })
    expect(leader.last('appendEntries')).toMatchObject({ prevLogIndex: 5, entries: [{ index: 6 }] })
  })

  it('gets heartbeats that commit nothing and ask about nothing that is gone', () => {
    const leader = compactedLeader()
    leader.acknowledge('b', 3)
    leader.tick(30)
    const heartbeats = leader.take('heartbeat').filter((sent) => sent.to === 'b')
    expect(heartbeats.at(-1)?.message).toMatchObject({ prevLogIndex: 0, prevLogTerm: 0 })
  })

  it('is not one whose log only ends before it: the base itself is enough', () => {
    const disks = {
      a: { ...diskOf([]), hardState: { currentTerm: 2, votedFor: null }, baseIndex: 2, baseTerm: 2 },
      b: diskOf([1, 2], 2),
      c: diskOf([1], 2),
    }
    const cluster = new CoreCluster({ disks })
    cluster.elect('a')
    cluster.run(100)
    expect(cluster.node('b').state.lastApplied).toBe(3)
    expect(cluster.node('a').state.progress.get('c')?.state).toBe('snapshot')
    expect(cluster.node('c').state.log.lastIndex).toBe(1)
  })

  it('does not keep the leader from compacting further while nothing is sent to it', () => {
    const leader = compactedLeader()
    leader.receive('b', appendResponse({ term: 4, outcome: 'mismatch', index: 5, hintIndex: 2, hintTerm: 2 }))
    leader.step({ type: 'snapshotUnsent', now: leader.clock, peer: 'b', transfer: 1 })
    leader.acknowledge('c', 6)
    leader.takeSnapshot()
    expect(leader.state.log.baseIndex).toBe(6)
  })

  it('is told from one that just reconnects: after a reset the leader goes back to what is known to match', () => {
    const cluster = new CoreCluster()
    cluster.elect('a')
    cluster.cut('a', 'c')
    cluster.node('a').propose('x')
    cluster.run(200)
    cluster.node('a').takeSnapshot()
    cluster.heal()
    cluster.drop(both(to('c'), ofType('appendEntries')))
    cluster.node('a').peerStatus('c', 'up')
    expect(cluster.node('a').state.progress.get('c')).toMatchObject({ state: 'snapshot', matchIndex: 1, nextIndex: 2 })
    cluster.run(200)
    cluster.node('a').propose('y')
    cluster.run(60)
    expect(cluster.node('c').state).toMatchObject({ lastApplied: 3, snapshotIndex: 2 })
    expect(cluster.node('b').state.lastApplied).toBe(3)
  })
})
