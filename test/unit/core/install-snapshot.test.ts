// A snapshot on its way into a follower: what the core decides about it, and what may happen while it is installed (F29,
// F6, H54-H59). The bytes are the driver's.
import type { CoreEvent, InstallSnapshot, SnapshotMeta } from 'helios-raft/core'
import { describe, expect, it } from 'vitest'
import { configurationOf } from '../../support/core-cluster.js'
import { installSnapshot } from '../../support/core-node.js'
import { append, entriesOf, heartbeat, requestVote, SoloCore } from '../../support/solo-core.js'

const META: SnapshotMeta = {
  lastIncludedIndex: 5,
  lastIncludedTerm: 2,
  lastIncludedTimestamp: 900,
  configurationIndex: 4,
  configuration: configurationOf(['a', 'b', 'c', 'd']),
}

function chunk(fields: Partial<InstallSnapshot> = {}): InstallSnapshot {
  return installSnapshot({ term: 3, transfer: 1, meta: META, ...fields })
}

/** A follower in term 3 with the log 1:1 2:1 3:1, which lacks the entries of the snapshot. */
function follower(terms: readonly number[] = [1, 1, 1]): SoloCore {
  const node = new SoloCore({ terms, currentTerm: 3 })
  node.installs = 'later'
  return node
}

function installing(): SoloCore {
  const node = follower()
  node.receive('b', chunk())
  expect(node.state.installing).toMatchObject({ meta: META, source: { from: 'b', term: 3, transfer: 1 } })
  return node
}

describe('a snapshot that is received', () => {
  it('is a sign of life of the leader, chunk by chunk', () => {
    const node = follower()
    node.tick(90)
    node.receive('b', chunk({ sizeBytes: 9 }))
    expect(node.state).toMatchObject({ leaderId: 'b', leaderContactAt: 90, role: 'follower' })
    expect(node.state.electionDeadline).toBeGreaterThanOrEqual(190)
  })

  it('of a leader of the past is refused, and our term tells it so', () => {
    const node = follower()
    node.receive('b', chunk({ term: 2 }))
    expect(node.last('installSnapshotResponse')).toMatchObject({ term: 3, outcome: 'refused' })
    expect(node.state.leaderId).toBeNull()
  })

  it('with members that make no sense is refused, and the leader is a leader all the same', () => {
    const node = follower()
    for (const voters of [[], ['b', 'b']]) {
      node.receive('b', chunk({ meta: { ...META, configuration: configurationOf(voters) } }))
      expect(node.last('installSnapshotResponse')).toMatchObject({ outcome: 'refused' })
    }
    expect(node.state).toMatchObject({ leaderId: 'b', installing: null })
  })

  it('makes a candidate of its term a follower, with an Output of its own', () => {
    const node = follower()
    node.timeOut()
    const term = node.state.currentTerm
    node.receive('b', chunk({ term: term + 1 }))
    expect(node.state).toMatchObject({ role: 'follower', currentTerm: term + 1, leaderId: 'b' })
  })

  it('at or below commitIndex is ignored: its state is behind ours, and the leader hears how far we are (H54)', () => {
    const node = follower([1, 1, 1, 2, 2, 3])
    node.receive('b', append({ term: 3, prevLogIndex: 6, prevLogTerm: 3, leaderCommit: 6 }))
    node.receive('b', chunk())
    expect(node.last('installSnapshotResponse')).toMatchObject({ outcome: 'installed', index: 5 })
    expect(node.state.log.lastIndex).toBe(6)
    expect(node.state.installing).toBeNull()
  })

  it('whose last entry is in the log commits up to there, and drops nothing that follows (H54)', () => {
    const node = follower([1, 1, 1, 2, 2, 3])
    node.receive('b', chunk())
    expect(node.last('installSnapshotResponse')).toMatchObject({ outcome: 'installed', index: 5 })
    expect(node.state).toMatchObject({ commitIndex: 5, installing: null })
    expect(node.state.log).toMatchObject({ baseIndex: 0, lastIndex: 6 })
  })

  it('is acknowledged behind the writes of the entries that it proves', () => {
    const node = follower([])
    node.persistence = 'later'
    node.receive('b', append({ term: 3, prevLogIndex: 0, prevLogTerm: 0, entries: entriesOf(1, 1, 1, 1, 2, 2) }))
    node.receive('b', chunk())
    expect(node.take('installSnapshotResponse')).toEqual([])
    node.persist()
    expect(node.last('installSnapshotResponse')).toMatchObject({ outcome: 'installed', index: 5 })
  })

  it('is discarded at its end when the log got there meanwhile', () => {
    const node = follower()
    node.receive('b', append({ term: 3, prevLogIndex: 3, prevLogTerm: 1, entries: entriesOf(4, 2, 2) }))
    const source = { from: 'b', term: 3, addedAt: 0, transfer: 1 }
    const output = node.step({ type: 'snapshotReceived', now: 0, source, meta: META })
    expect(output.snapshotDecision).toBe('discard')
    expect(node.state).toMatchObject({ commitIndex: 5, installing: null })
  })

  it('is kept by one who campaigns, until a leader asks for it again', () => {
    const node = follower()
    node.timeOut()
    const source = { from: 'b', term: 3, addedAt: 0, transfer: 1 }
    const output = node.step({ type: 'snapshotReceived', now: node.clock, source, meta: META })
    expect(output.snapshotDecision).toBe('keep')
    expect(node.state.installing).toBeNull()
  })

  it('is installed whoever leads by then, and only the leader of this term is answered', () => {
    const node = follower()
    const source = { from: 'b', term: 3, addedAt: 0, transfer: 1 }
    node.receive('c', heartbeat({ term: 4 }))
    expect(node.step({ type: 'snapshotReceived', now: 0, source, meta: META }).snapshotDecision).toBe('install')
    node.sent = []
    node.completeInstall()
    expect(node.state.log).toMatchObject({ baseIndex: 5, lastIndex: 5 })
    expect(node.take('installSnapshotResponse')).toEqual([])
  })
})

describe('while a snapshot is installed', () => {
  it('AppendEntries are answered busy, count as leader contact, and change no index', () => {
    const node = installing()
    node.tick(50)
    const before = structuredClone(node.state.log)
    node.receive('b', append({ term: 3, prevLogIndex: 3, prevLogTerm: 1, entries: entriesOf(4, 2), leaderCommit: 4 }))
    expect(node.last('appendEntriesResponse')).toMatchObject({ outcome: 'busy', index: 3 })
    expect(node.state.log).toEqual(before)
    expect(node.state).toMatchObject({ commitIndex: 0, leaderContactAt: 50 })
  })

  it('a heartbeat confirms its round, and commits nothing', () => {
    const node = installing()
    node.receive('b', heartbeat({ term: 3, prevLogIndex: 3, prevLogTerm: 1, leaderCommit: 3, round: 7 }))
    expect(node.last('heartbeatResponse')).toMatchObject({ index: -1, round: 7 })
    expect(node.state.commitIndex).toBe(0)
  })

  it('it does not campaign, not even when it is told to (F6)', () => {
    const node = installing()
    node.tick(1_000)
    node.receive('b', { type: 'timeoutNow', term: 3 })
    expect(node.state).toMatchObject({ role: 'follower', currentTerm: 3, preVoteRound: 0 })
  })

  it('another snapshot is answered busy, and one that the log holds as ever', () => {
    const node = installing()
    node.sent = []
    node.receive('b', chunk({ transfer: 2, meta: { ...META, lastIncludedIndex: 9 } }))
    expect(node.last('installSnapshotResponse')).toMatchObject({ outcome: 'busy', transfer: 2 })
    node.receive('b', chunk({ transfer: 3, meta: { ...META, lastIncludedIndex: 3, lastIncludedTerm: 1 } }))
    expect(node.last('installSnapshotResponse')).toMatchObject({ outcome: 'installed', index: 3 })
    expect(node.state.commitIndex).toBe(0)
  })

  it('a new term comes and a vote is given, by the log as it still is', () => {
    const node = installing()
    node.tick(200)
    node.receive('c', requestVote({ term: 4, lastLogIndex: 3, lastLogTerm: 1 }))
    expect(node.last('requestVoteResponse')).toMatchObject({ term: 4, voteGranted: true })
    node.completeInstall()
    expect(node.state).toMatchObject({ currentTerm: 4, commitIndex: 5, votedFor: 'c' })
    expect(node.take('installSnapshotResponse')).toEqual([])
  })

  it('an older snapshot of its own becomes durable, and nothing is forgotten for it (H119)', () => {
    const node = follower([1, 1, 1])
    node.receive('b', append({ term: 3, prevLogIndex: 3, prevLogTerm: 1, leaderCommit: 3 }))
    node.receive('b', chunk())
    expect(
      node.step({ type: 'snapshotTaken', now: 0, lastIncludedIndex: 3, compactableIndex: 3 }).compactTo,
    ).toBeUndefined()
    node.completeInstall()
    node.step({ type: 'snapshotTaken', now: 0, lastIncludedIndex: 3, compactableIndex: 3 })
    expect(node.state).toMatchObject({ snapshotIndex: 5, compactableIndex: 5 })
  })

  it('a write that was under way counts for the log that is gone', () => {
    const node = follower([])
    node.persistence = 'later'
    node.receive('b', append({ term: 3, prevLogIndex: 0, prevLogTerm: 0, entries: entriesOf(1, 1, 1) }))
    node.receive('b', chunk())
    const late: CoreEvent = { type: 'persisted', now: 0, hardState: null, index: 2, epoch: node.state.epoch }
    node.completeInstall()
    node.step({ ...late, index: 7 })
    expect(node.state.persistedIndex).toBe(5)
  })
})

describe('when a snapshot is installed', () => {
  it('the log is empty behind it, all of it is committed, applied and durable, and the leader hears it', () => {
    const node = installing()
    node.sent = []
    node.completeInstall()
    expect(node.state).toMatchObject({
      commitIndex: 5,
      lastApplied: 5,
      persistedIndex: 5,
      snapshotIndex: 5,
      compactableIndex: 5,
      logTime: 900,
      epoch: 1,
      installing: null,
    })
    expect(node.state.log).toMatchObject({ baseIndex: 5, baseTerm: 2, lastIndex: 5, runs: [] })
    const answer = { outcome: 'installed', index: 5, transfer: 1, term: 3 }
    expect(node.last('installSnapshotResponse')).toMatchObject(answer)
  })

  it('its configuration is in force, with the index that it has in the log (H59)', () => {
    const node = installing()
    node.completeInstall()
    expect(node.state.log.configurations).toEqual([{ index: 4, configuration: META.configuration }])
    expect(node.state.quorum.incoming).toEqual(['a', 'b', 'c', 'd'])
  })

  it('learners and outgoing voters of its configuration are what they are in it', () => {
    const node = follower()
    const joint = { ...configurationOf(['a', 'b'], ['d']), votersOutgoing: configurationOf(['b', 'c']).members }
    node.receive('b', chunk({ meta: { ...META, configuration: joint } }))
    node.completeInstall()
    expect(node.state.quorum).toMatchObject({ incoming: ['a', 'b'], outgoing: ['b', 'c'] })
    expect(node.state.log.configurations.at(-1)?.configuration).toEqual(joint)
  })

  it('a voter that is a learner in it campaigns no more, and a learner that is a voter in it may', () => {
    const voter = follower()
    voter.receive('b', chunk({ meta: { ...META, configuration: configurationOf(['b', 'c'], ['a']) } }))
    voter.completeInstall()
    voter.tick(1_000)
    expect(voter.state.role).toBe('follower')
    const learner = new SoloCore({ voters: ['b', 'c'], learners: ['a'], currentTerm: 3 })
    learner.receive('b', chunk({ meta: { ...META, configuration: configurationOf(['a', 'b', 'c']) } }))
    learner.timeOut()
    expect(learner.state.role).toBe('preCandidate')
  })

  it('entries that conflict with it are gone, and the next ones follow it', () => {
    const node = follower([1, 1, 1, 1, 1, 1])
    node.receive('b', chunk())
    node.completeInstall()
    expect(node.state.log.lastIndex).toBe(5)
    node.receive('b', append({ term: 3, prevLogIndex: 5, prevLogTerm: 2, entries: entriesOf(6, 3) }))
    expect(node.last('appendEntriesResponse')).toMatchObject({ outcome: 'success', index: 6 })
  })

  it('the election timer begins anew', () => {
    const node = installing()
    node.tick(500)
    node.completeInstall()
    expect(node.state.electionDeadline).toBeGreaterThanOrEqual(600)
  })

  it('a restart begins behind it', () => {
    const node = installing()
    node.completeInstall()
    node.crash()
    node.start()
    expect(node.state).toMatchObject({ commitIndex: 5, lastApplied: 5, snapshotIndex: 5 })
    expect(node.state.log.configurations).toEqual([{ index: 4, configuration: META.configuration }])
  })

  it('and its content is not what it should be, nothing was replaced, and the leader is told (F30)', () => {
    const node = installing()
    node.sent = []
    node.failInstall()
    expect(node.last('installSnapshotResponse')).toMatchObject({ outcome: 'refused', transfer: 1 })
    expect(node.state).toMatchObject({ installing: null, commitIndex: 0 })
    expect(node.state.log.lastIndex).toBe(3)
    node.receive('b', append({ term: 3, prevLogIndex: 3, prevLogTerm: 1, entries: entriesOf(4, 2) }))
    expect(node.last('appendEntriesResponse')).toMatchObject({ outcome: 'success', index: 4 })
  })
})

describe('the answers to chunks', () => {
  it('go to the leader of the term that they are of', () => {
    const node = follower()
    node.receive('b', chunk({ sizeBytes: 9 }))
    node.failInstall()
    node.sent = []
    const source = { from: 'b', term: 3, addedAt: 0, transfer: 1 }
    node.step({ type: 'snapshotWritten', now: 0, source, outcome: 'continue', offset: 4 })
    expect(node.last('installSnapshotResponse')).toMatchObject({ outcome: 'continue', offset: 4, index: 0 })
    node.receive('c', heartbeat({ term: 4 }))
    node.sent = []
    node.step({ type: 'snapshotWritten', now: 0, source, outcome: 'continue', offset: 8 })
    expect(node.take('installSnapshotResponse')).toEqual([])
  })
})
