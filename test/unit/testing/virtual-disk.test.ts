import { describe, expect, it } from 'vitest'
import type { LogEntry } from '../../../src/core/types.js'
import type { LogStore } from '../../../src/interfaces/log-store.js'
import { SimulationRandom } from '../../../src/testing/prng.js'
import { ProcessGate } from '../../../src/testing/process-gate.js'
import { runTurns, Timeline } from '../../../src/testing/timeline.js'
import { VirtualDisk } from '../../../src/testing/virtual-disk.js'

const entry = (index: number, term: number): LogEntry => {
  return { index, term, type: 'command', timestamp: 0, data: Uint8Array.of(index) }
}

class Lab {
  readonly timeline = new Timeline()
  readonly misuses: string[] = []
  readonly disk: VirtualDisk
  gate = new ProcessGate(this.timeline)
  store: LogStore

  constructor(seed = 1n) {
    const watch = { onMisuse: (problem: string): void => void this.misuses.push(problem) }
    this.disk = new VirtualDisk({ timeline: this.timeline, random: new SimulationRandom(seed), watch })
    this.store = this.disk.attach(this.gate)
  }

  crash(): void {
    this.gate.kill()
    this.disk.crash()
    this.gate = new ProcessGate(this.timeline)
    this.store = this.disk.attach(this.gate)
  }

  run(): Promise<void> {
    return runTurns(() => this.timeline.step(Number.POSITIVE_INFINITY))
  }

  async settle<T>(promise: Promise<T>): Promise<T> {
    const settled = promise.then(
      (value) => ({ value }),
      (error: unknown) => ({ error }),
    )
    await this.run()
    const result = await settled
    if ('error' in result) throw result.error
    return result.value
  }
}

describe('VirtualDisk', () => {
  it('restores what was written: hard state, entries and the runs of their terms', async () => {
    const lab = new Lab()
    await lab.settle(
      lab.store.write({ hardState: { currentTerm: 2, votedFor: 'a' }, entries: [entry(1, 1), entry(2, 2)] }),
    )
    await lab.settle(lab.store.write({ entries: [entry(3, 2)] }))
    lab.crash()
    expect(await lab.settle(lab.store.open())).toEqual({
      hardState: { currentTerm: 2, votedFor: 'a' },
      firstIndex: 1,
      lastIndex: 3,
      previousTerm: 0,
      termRuns: [
        { first: 1, term: 1 },
        { first: 2, term: 2 },
      ],
      configurations: [],
      identity: null,
    })
  })

  it('drops the stored suffix in the write that replaces it', async () => {
    const lab = new Lab()
    await lab.settle(lab.store.write({ entries: [entry(1, 1), entry(2, 1), entry(3, 1)] }))
    await lab.settle(lab.store.write({ entries: [entry(2, 2)] }))
    expect((await lab.settle(lab.store.open())).lastIndex).toBe(2)
    expect(await lab.settle(lab.store.read(1, 9, 100))).toEqual([entry(1, 1), entry(2, 2)])
  })

  it('shows nothing of a write before it completes, and all of it afterwards', async () => {
    const lab = new Lab()
    const seen: string[] = []
    void lab.store.write({ entries: [entry(1, 1)] }).then(() => seen.push('written'))
    expect(lab.disk.lastIndex).toBe(0)
    await lab.run()
    expect(seen).toEqual(['written'])
    expect(lab.disk.lastIndex).toBe(1)
  })

  it('loses the write under way at a crash, or keeps it whole, and tells nobody either way', async () => {
    const outcomes = new Set<number>()
    for (let seed = 1n; seed <= 20n; seed++) {
      const lab = new Lab(seed)
      const seen: string[] = []
      void lab.store.write({ entries: [entry(1, 1), entry(2, 1)] }).then(
        () => seen.push('resolved'),
        () => seen.push('rejected'),
      )
      lab.crash()
      await lab.run()
      expect(seen).toEqual([])
      outcomes.add(lab.disk.lastIndex)
    }
    expect([...outcomes].sort()).toEqual([0, 2])
  })

  it('does not complete a write of a dead process after its restart', async () => {
    const lab = new Lab(2n)
    void lab.store.write({ entries: [entry(1, 1)] })
    lab.crash()
    const kept = lab.disk.lastIndex
    await lab.settle(lab.store.write({ hardState: { currentTerm: 5, votedFor: null } }))
    expect(lab.disk.lastIndex).toBe(kept)
    expect(lab.misuses).toEqual([])
  })

  it('rejects the write whose fsync fails, with RAFT_STORAGE, and calls a second write misuse (H78)', async () => {
    const lab = new Lab()
    lab.disk.failNextWrite()
    await expect(lab.settle(lab.store.write({ entries: [entry(1, 1)] }))).rejects.toMatchObject({
      code: 'RAFT_STORAGE',
    })
    await lab.settle(lab.store.write({ entries: [entry(1, 1)] }))
    expect(lab.misuses).toEqual(['write was called after a write had failed (H78)'])
  })

  it('completes nothing while it hangs, and works again after a crash (H87)', async () => {
    const lab = new Lab()
    const seen: string[] = []
    lab.disk.hang()
    void lab.store.write({ entries: [entry(1, 1)] }).then(() => seen.push('written'))
    await lab.run()
    expect(seen).toEqual([])
    lab.crash()
    await lab.settle(lab.store.write({ hardState: { currentTerm: 1, votedFor: null } }))
    expect(lab.disk.hardState.currentTerm).toBe(1)
  })

  it('keeps its own copy of what it was given (H96)', async () => {
    const lab = new Lab()
    const given = entry(1, 1)
    const written = lab.store.write({ entries: [given] })
    given.data.fill(99)
    await lab.settle(written)
    const [first] = await lab.settle(lab.store.read(1, 1, 100))
    expect(first?.data).toEqual(Uint8Array.of(1))
    first?.data.fill(77)
    expect(lab.disk.entryAt(1)?.data).toEqual(Uint8Array.of(1))
  })

  it('reads at least one entry, stops at maxBytes, and gives nothing beyond the end', async () => {
    const lab = new Lab()
    await lab.settle(lab.store.write({ entries: [entry(1, 1), entry(2, 1), entry(3, 1)] }))
    expect(await lab.settle(lab.store.read(1, 3, 0))).toHaveLength(1)
    expect(await lab.settle(lab.store.read(1, 3, 2))).toHaveLength(2)
    expect(await lab.settle(lab.store.read(1, 3, 3))).toHaveLength(3)
    expect(await lab.settle(lab.store.read(4, 5, 3))).toEqual([])
  })

  it.each([
    [
      'a vote that changes within a term',
      { hardState: { currentTerm: 3, votedFor: 'b' } },
      /vote of term 3 changed from a to b/,
    ],
    ['a term that falls', { hardState: { currentTerm: 2, votedFor: null } }, /currentTerm fell from 3 to 2/],
    ['a gap', { entries: [entry(3, 3)] }, /entry 3 leaves a gap behind 1/],
    ['entries that are not contiguous', { entries: [entry(2, 3), entry(4, 3)] }, /not contiguous/],
  ])('names %s as misuse', async (_name, batch, problem) => {
    const lab = new Lab()
    await lab.settle(lab.store.write({ hardState: { currentTerm: 3, votedFor: 'a' }, entries: [entry(1, 3)] }))
    await lab.settle(lab.store.write(batch))
    expect(lab.misuses).toHaveLength(1)
    expect(lab.misuses[0]).toMatch(problem)
  })

  it('names two writes at once, and a call after close, as misuse', async () => {
    const lab = new Lab()
    void lab.store.write({ entries: [entry(1, 1)] })
    void lab.store.write({ hardState: { currentTerm: 1, votedFor: null } })
    await lab.settle(lab.store.close())
    void lab.store.read(1, 1, 1)
    expect(lab.misuses).toEqual([
      'a write began while another was under way',
      'close was called during a write',
      'read was called after close',
    ])
  })

  it('remembers each vote that was ever durable', async () => {
    const lab = new Lab()
    await lab.settle(lab.store.write({ hardState: { currentTerm: 1, votedFor: 'a' } }))
    await lab.settle(lab.store.write({ hardState: { currentTerm: 2, votedFor: null } }))
    expect([lab.disk.voteIn(1), lab.disk.voteIn(2)]).toEqual(['a', undefined])
  })
})
