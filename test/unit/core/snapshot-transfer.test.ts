// A leader and a peer that needs a snapshot: when one is sent, when it is given up, and how the peer gets entries again
// (F28, H57, H58).
import type { InstallSnapshotResponse, Output } from 'helios-raft/core'
import { describe, expect, it } from 'vitest'
import { appendResponse, heartbeatResponse, SoloCore } from '../../support/solo-core.js'

const BASE = { hardState: { currentTerm: 3, votedFor: null }, baseIndex: 5, baseTerm: 3, log: [] } as const
const BEHIND = appendResponse({ term: 4, outcome: 'mismatch', index: 5, hintIndex: 2, hintTerm: 2 })

/** Leads term 4 with a log that begins behind 5; its no-op is 6. */
function leader(): SoloCore {
  const node = new SoloCore({ disk: BASE })
  node.becomeLeader()
  node.sent = []
  return node
}

function answer(fields: Partial<InstallSnapshotResponse>): InstallSnapshotResponse {
  const base = { type: 'installSnapshotResponse', term: 4, addedAt: 0, transfer: 1 } as const
  return { ...base, outcome: 'continue', offset: 0, index: 0, ...fields }
}

function hears(node: SoloCore, from: string, boot = 1): Output {
  return node.receive(from, heartbeatResponse({ term: 4, sentMs: node.clock, boot }))
}

/** The transfer under way to b fails there. */
function refuse(node: SoloCore): void {
  const { transfer } = node.state.progress.get('b')!
  expect(transfer).toBeGreaterThan(0)
  node.receive('b', answer({ outcome: 'refused', transfer }))
}

/** It fails, and everybody is heard until the next one begins: how long that took, ms. */
function failAndWait(node: SoloCore, stepMs = 10, boot = 1): number {
  refuse(node)
  const failedAt = node.clock
  while (node.state.progress.get('b')?.transfer === 0) {
    node.tick(stepMs)
    hears(node, 'c')
    hears(node, 'b', boot)
  }
  return node.clock - failedAt
}

describe('a peer that needs a snapshot', () => {
  it('is sent the newest one as soon as it is heard, once', () => {
    const node = leader()
    const { sendSnapshots } = node.receive('b', BEHIND)
    expect(sendSnapshots).toEqual([{ to: 'b', term: 4, addedAt: 0, transfer: 1 }])
    expect(node.state.progress.get('b')).toMatchObject({ state: 'snapshot', transfer: 1, transferIndex: 5 })
    expect(node.receive('b', BEHIND).sendSnapshots).toEqual([])
    expect(hears(node, 'b').sendSnapshots).toEqual([])
  })

  it('gets no entries meanwhile', () => {
    const node = leader()
    node.receive('b', BEHIND)
    node.propose('x')
    expect(node.take('appendEntries').filter(({ to }) => to === 'b')).toEqual([])
  })

  it('has its answers told to the sender, and is live by them', () => {
    const node = leader()
    node.receive('b', BEHIND)
    node.tick(40)
    const { snapshotAnswers } = node.receive('b', answer({ offset: 9 }))
    expect(snapshotAnswers).toEqual([{ from: 'b', transfer: 1, outcome: 'continue', offset: 9 }])
    expect(node.state.progress.get('b')?.contactAt).toBe(node.clock)
    expect(node.receive('b', answer({ transfer: 7 })).snapshotAnswers).toEqual([])
    expect(node.receive('b', answer({ addedAt: 2 })).snapshotAnswers).toEqual([])
  })

  it('gets what follows when it has installed it, and counts for what is committed', () => {
    const node = leader()
    node.receive('b', BEHIND)
    node.propose('x')
    node.receive('b', answer({ outcome: 'installed', index: 5 }))
    expect(node.state.progress.get('b')).toMatchObject({ state: 'replicate', matchIndex: 5, nextIndex: 8, transfer: 0 })
    const { entries } = node.last('appendEntries')
    expect(entries.map(({ index }) => index)).toEqual([6, 7])
    node.acknowledge('b', 7)
    expect(node.state.commitIndex).toBe(7)
  })

  it('that installed one of which the answer was lost shows it by the next append that it takes', () => {
    const node = leader()
    node.receive('b', BEHIND)
    node.acknowledge('b', 5)
    expect(node.state.progress.get('b')).toMatchObject({ state: 'replicate', transfer: 0 })
  })

  it('needs another one when the log was compacted beyond it meanwhile, and goes on with it at once', () => {
    const node = leader()
    node.receive('b', BEHIND)
    const output = node.receive('b', answer({ outcome: 'installed', index: 4 }))
    expect(node.state.progress.get('b')).toMatchObject({ state: 'snapshot', matchIndex: 4, transfer: 2 })
    expect(output.sendSnapshots).toEqual([{ to: 'b', term: 4, addedAt: 0, transfer: 2 }])
    // A copy of that answer is of a transfer that is over.
    expect(node.receive('b', answer({ outcome: 'installed', index: 4 })).sendSnapshots).toEqual([])
  })

  it('is sent another one after a pause when it refused, or the driver could not send it (H57)', () => {
    for (const fail of ['refused', 'unsent'] as const) {
      const node = leader()
      node.receive('b', BEHIND)
      if (fail === 'refused') node.receive('b', answer({ outcome: 'refused' }))
      else node.step({ type: 'snapshotUnsent', now: node.clock, peer: 'b', transfer: 1 })
      expect(node.state.progress.get('b')).toMatchObject({ state: 'snapshot', transfer: 0 })
      const failedAt = node.clock
      for (let at = 30; at < 100; at += 30) {
        node.tick(30)
        hears(node, 'c')
        expect(hears(node, 'b').sendSnapshots).toEqual([])
      }
      node.tick(10)
      expect(node.clock - failedAt).toBe(100)
      expect(hears(node, 'b').sendSnapshots).toMatchObject([{ to: 'b', transfer: 2 }])
    }
  })

  it('waits twice as long after each failure in a row, up to a minute (H57)', () => {
    const node = leader()
    node.receive('b', BEHIND)
    const pauses = Array.from({ length: 12 }, () => failAndWait(node))
    expect(pauses).toEqual([100, 200, 400, 800, 1600, 3200, 6400, 12_800, 25_600, 51_200, 60_000, 60_000])
  })

  it('waits an election timeout where that is longer than a minute', () => {
    const node = new SoloCore({ disk: BASE, electionTimeoutMs: 70_000 })
    node.becomeLeader()
    node.receive('b', BEHIND)
    expect([failAndWait(node, 7000), failAndWait(node, 7000)]).toEqual([70_000, 70_000])
  })

  it('is not made to wait longer for having been away', () => {
    const node = leader()
    node.receive('b', BEHIND)
    failAndWait(node)
    for (let at = 0; at < 120; at += 30) {
      node.tick(30)
      hears(node, 'c')
    }
    expect(node.state.progress.get('b')).toMatchObject({ transfer: 0, transferPauseMs: 100 })
    expect(node.state.progress.get('b')?.transferAt).toBeLessThanOrEqual(node.clock + 100)
  })

  it('has its failures forgotten when it installed one, and when it is another process', () => {
    const installed = leader()
    installed.receive('b', BEHIND)
    for (let failure = 0; failure < 3; failure++) failAndWait(installed)
    const { transfer } = installed.state.progress.get('b')!
    installed.receive('b', answer({ outcome: 'installed', index: 4, transfer }))
    expect(installed.state.progress.get('b')).toMatchObject({ state: 'snapshot', transfer: transfer + 1 })
    expect(failAndWait(installed)).toBe(100)

    const restarted = leader()
    restarted.receive('b', BEHIND)
    hears(restarted, 'b')
    for (let failure = 0; failure < 3; failure++) failAndWait(restarted)
    refuse(restarted)
    expect(hears(restarted, 'b').sendSnapshots).toEqual([])
    expect(hears(restarted, 'b', 2).sendSnapshots).toHaveLength(1)
    expect(failAndWait(restarted, 10, 2)).toBe(100)
  })

  it('ignores what is said of an earlier transfer', () => {
    const node = leader()
    node.receive('b', BEHIND)
    node.receive('b', answer({ outcome: 'refused', transfer: 9 }))
    node.step({ type: 'snapshotUnsent', now: node.clock, peer: 'b', transfer: 9 })
    node.step({ type: 'snapshotUnsent', now: node.clock, peer: 'z', transfer: 1 })
    expect(node.state.progress.get('b')?.transfer).toBe(1)
  })

  it('that is away is sent nothing, and another one when it is heard again', () => {
    const node = leader()
    node.receive('b', BEHIND)
    for (let at = 0; at < 120; at += 30) {
      node.tick(30)
      hears(node, 'c')
    }
    expect(node.state.progress.get('b')?.transfer).toBe(0)
    node.tick(70)
    hears(node, 'c')
    node.tick(30)
    expect(hears(node, 'b').sendSnapshots).toMatchObject([{ to: 'b', transfer: 2 }])
  })

  it('keeps its transfer across a connection that is made anew', () => {
    const node = leader()
    node.receive('b', BEHIND)
    node.peerStatus('b', 'closed')
    node.peerStatus('b', 'up')
    expect(node.state.progress.get('b')).toMatchObject({ state: 'snapshot', transfer: 1 })
  })

  it('has the entries behind its snapshot kept until it is there (H58)', () => {
    const node = leader()
    node.receive('b', BEHIND)
    node.propose('x', 'y')
    node.acknowledge('c', 8)
    expect(node.state.commitIndex).toBe(8)
    node.takeSnapshot()
    expect(node.state).toMatchObject({ compactableIndex: 8 })
    expect(node.state.log.baseIndex).toBe(5)
    node.receive('b', answer({ outcome: 'installed', index: 5 }))
    node.acknowledge('b', 8)
    node.tick(1)
    expect(node.state.log.baseIndex).toBe(8)
  })
})
