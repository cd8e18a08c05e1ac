import { describe, expect, it } from 'vitest'
import type { CoreEvent, Output } from '../../../src/core/index.js'
import type { LogEntry } from '../../../src/core/types.js'
import { ProcessGate } from '../../../src/testing/process-gate.js'
import { runTurns } from '../../../src/testing/timeline.js'
import type { VirtualDisk } from '../../../src/testing/virtual-disk.js'
import { Witness } from '../../../src/testing/witness.js'
import { coreState, entry, Lab } from './lab.js'

describe('Witness', () => {
  const sent = async (message: Parameters<Witness['onSend']>[1], to = 'b'): Promise<string | null> => {
    const lab = new Lab('a', 'b', 'c')
    await lab.write('a', entry(1, 1))
    new Witness('a', lab.invariants, lab.disks.get('a') as VirtualDisk).onSend(to, message)
    return lab.invariants.violation
  }
  const answer = { type: 'appendEntriesResponse', addedAt: 0, outcome: 'success', hintIndex: 0, hintTerm: 0 } as const

  it('lets no message of a term leave before the term is durable (H1)', async () => {
    expect(await sent({ type: 'requestVoteResponse', term: 1, voteGranted: false })).toBeNull()
    expect(await sent({ type: 'requestVoteResponse', term: 2, voteGranted: false })).toMatch(/of term 2 while term 1/)
    expect(await sent({ type: 'preVote', term: 2, round: 1, lastLogIndex: 1, lastLogTerm: 1 })).toBeNull()
  })

  it('lets no vote leave that is not the durable one (H1, H111)', async () => {
    expect(await sent({ type: 'requestVoteResponse', term: 1, voteGranted: true }, 'a')).toBeNull()
    expect(await sent({ type: 'requestVoteResponse', term: 1, voteGranted: true }, 'b')).toMatch(/for b, but .* is a/)
    expect(
      await sent({ type: 'requestVote', term: 1, lastLogIndex: 1, lastLogTerm: 1, leadershipTransfer: false }),
    ).toBeNull()
  })

  it('lets no acknowledgement leave for what is not durable (H26)', async () => {
    expect(await sent({ ...answer, term: 1, index: 1 })).toBeNull()
    expect(await sent({ ...answer, term: 1, index: 2 })).toMatch(/acknowledged entry 2, but only 1 is durable/)
  })

  it('takes the entry of an earlier leader for no proof that the one acknowledged is durable (H26)', async () => {
    const lab = new Lab('a', 'b', 'c')
    const disk = lab.disks.get('a') as VirtualDisk
    await lab.write('a', entry(1, 1), entry(2, 1), entry(3, 1))
    const hardState = { currentTerm: 2, votedFor: null }
    void disk.attach(new ProcessGate(lab.timeline)).write({ hardState })
    await runTurns(() => lab.timeline.step(Number.POSITIVE_INFINITY))
    const witness = new Witness('a', lab.invariants, disk)
    witness.observe(coreState({ lastIndex: 3, terms: [1] }), null, null)
    witness.onSend('b', { ...answer, term: 2, index: 3 })
    const output = { append: { entries: [entry(2, 2)] } } as unknown as Output
    witness.observe(coreState({ lastIndex: 2, terms: [1, 2] }), {} as CoreEvent, output)
    witness.onSend('b', { ...answer, term: 2, index: 1 })
    expect(lab.invariants.violation).toBeNull()
    witness.onSend('b', { ...answer, term: 2, index: 2 })
    expect(lab.invariants.violation).toBe('a: it acknowledged entry 2 of term 2, where one of term 1 is durable (H26)')
  })

  it('lets no core take for durable what its disk does not hold, or holds of another term (H26)', async () => {
    const taken = async (persistedIndex: number, byCore: LogEntry): Promise<string | null> => {
      const lab = new Lab('a')
      await lab.write('a', entry(1, 1))
      const witness = new Witness('a', lab.invariants, lab.disks.get('a') as VirtualDisk)
      const voted = { currentTerm: 1, votedFor: 'a' }
      witness.observe({ ...coreState({ lastIndex: 1, terms: [1] }), ...voted }, null, null)
      const output = { append: { entries: [byCore] } } as unknown as Output
      const state = {
        ...coreState({ lastIndex: byCore.index, terms: [1] }),
        ...voted,
        persistedIndex,
        installing: null,
      }
      witness.observe(state, {} as CoreEvent, output)
      return lab.invariants.violation
    }
    expect(await taken(1, entry(2, 2))).toBeNull()
    expect(await taken(2, entry(2, 2))).toMatch(/takes for durable entry 2 of term 2, where one of term none is/)
    expect(await taken(1, entry(1, 2))).toMatch(/takes for durable entry 1 of term 2, where one of term 1 is/)
  })

  it('lets no leader count what is not durable there, unless its peer knows a later term (H24)', async () => {
    const counted = async (peerTerm: number, matchIndex: number): Promise<string | null> => {
      const lab = new Lab('a', 'b')
      await lab.write('a', entry(1, 1), entry(2, 1))
      const peer = (lab.disks.get('b') as VirtualDisk).attach(new ProcessGate(lab.timeline))
      void peer.write({ hardState: { currentTerm: peerTerm, votedFor: null }, entries: [entry(1, 1)] })
      await runTurns(() => lab.timeline.step(Number.POSITIVE_INFINITY))
      lab.invariants.counts({ by: 'a', currentTerm: 1, peer: 'b', index: matchIndex, term: 1 })
      return lab.invariants.violation
    }
    expect(await counted(1, 1)).toBeNull()
    expect(await counted(1, 2)).toBe('a counts b for entry 2 of term 1, where one of term none is durable (H24)')
    expect(await counted(2, 2)).toBeNull()
  })

  it('lets nobody hold committed what is not in its log', async () => {
    const lab = new Lab('a')
    await lab.write('a', entry(1, 1))
    const witness = new Witness('a', lab.invariants, lab.disks.get('a') as VirtualDisk)
    const started = { ...coreState({ lastIndex: 1, terms: [1] }), currentTerm: 1, votedFor: 'a' }
    witness.observe(started, null, null)
    witness.observe({ ...started, commitIndex: 2 }, {} as CoreEvent, null)
    expect(lab.invariants.violation).toBe('a: it holds 2 committed, but its log ends at 1')
  })

  it('lets no candidate claim what is not durable, unless a leader of its term has replaced the log (H1)', async () => {
    const asked = async (lastTerm: number): Promise<string | null> => {
      const lab = new Lab('a', 'b', 'c')
      const disk = lab.disks.get('a') as VirtualDisk
      const hardState = { currentTerm: 2, votedFor: 'a' }
      void disk.attach(new ProcessGate(lab.timeline)).write({ hardState, entries: [entry(1, lastTerm)] })
      await runTurns(() => lab.timeline.step(Number.POSITIVE_INFINITY))
      const message = {
        type: 'requestVote',
        term: 2,
        lastLogIndex: 2,
        lastLogTerm: 1,
        leadershipTransfer: false,
      } as const
      new Witness('a', lab.invariants, disk).onSend('b', message)
      return lab.invariants.violation
    }
    expect(await asked(1)).toMatch(/asked for votes with entry 2, but only 1 is durable/)
    expect(await asked(2)).toBeNull()
  })

  it('lets one vote a term leave, whatever crashes lie between (H2)', () => {
    const { invariants } = new Lab('a')
    invariants.votes('a', 3, 'b')
    invariants.votes('a', 3, 'b')
    invariants.votes('a', 4, 'c')
    expect(invariants.violation).toBeNull()
    invariants.votes('a', 3, 'c')
    expect(invariants.violation).toMatch(/a voted for b and for c in term 3/)
  })

  it('lets nothing leave after the event in which the disk failed (F31)', () => {
    const lab = new Lab('a')
    const witness = new Witness('a', lab.invariants, lab.disks.get('a') as VirtualDisk)
    lab.invariants.eventNumber = 7
    witness.diskFailed(7)
    const message = { type: 'preVote', term: 1, round: 1, lastLogIndex: 0, lastLogTerm: 0 } as const
    witness.onSend('b', message)
    expect(lab.invariants.violation).toBeNull()
    lab.invariants.eventNumber = 8
    witness.onSend('b', message)
    expect(lab.invariants.violation).toMatch(/after its disk had failed/)
  })
})
