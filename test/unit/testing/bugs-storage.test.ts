import { describe, expect, it } from 'vitest'
import type { LogEntry } from '../../../src/core/types.js'
import type { LogStore, LogWrite } from '../../../src/interfaces/log-store.js'
import { STORAGE_BUGS } from '../../../src/testing/bugs/storage.js'
import { SimulationRandom } from '../../../src/testing/prng.js'
import { ProcessGate } from '../../../src/testing/process-gate.js'
import { runTurns, Timeline } from '../../../src/testing/timeline.js'
import { VirtualClock } from '../../../src/testing/virtual-clock.js'
import { VirtualDisk } from '../../../src/testing/virtual-disk.js'

const entry = (index: number, term = 1, sizeBytes = 1): LogEntry => {
  return { index, term, type: 'command', timestamp: 0, data: new Uint8Array(sizeBytes).fill(index) }
}

/** A disk under the wrong stores of one node, life after life. */
class Bench {
  readonly timeline = new Timeline()
  readonly misuses: string[] = []
  readonly disk: VirtualDisk
  readonly #bug: string
  #incarnation = 0

  constructor(bug: string) {
    this.#bug = bug
    const watch = { onMisuse: (problem: string): void => void this.misuses.push(problem) }
    this.disk = new VirtualDisk({ timeline: this.timeline, random: new SimulationRandom(3n), watch })
  }

  store(seed = 1n): LogStore {
    this.#incarnation += 1
    const { timeline, disk } = this
    const gate = new ProcessGate(timeline)
    const clock = new VirtualClock({ timeline, gate, startsAtMs: 0, rate: 1, skewMs: 0 })
    const process = {
      id: 'n1',
      incarnation: this.#incarnation,
      timeline,
      disk,
      clock,
      random: new SimulationRandom(seed),
    }
    const wrong = STORAGE_BUGS[this.#bug]?.wrappers?.logStore
    expect(wrong, this.#bug).toBeDefined()
    return (wrong as NonNullable<typeof wrong>)(disk.attach(gate), process)
  }

  async settle<T>(promise: Promise<T>): Promise<T> {
    promise.catch(() => undefined)
    await runTurns(() => this.timeline.step(Number.POSITIVE_INFINITY))
    return promise
  }

  async write(store: LogStore, batch: LogWrite): Promise<void> {
    await this.settle(store.write(batch))
  }
}

describe('a seeded bug of a log store', () => {
  it('failed-write-repeated writes again, which the disk complains of', async () => {
    const bench = new Bench('failed-write-repeated')
    bench.disk.failNextWrite()
    await bench.write(bench.store(), { entries: [entry(1)] })
    expect(bench.misuses).toEqual([expect.stringMatching(/after a write had failed/)])
  })

  it('failed-write-ignored resolves although the disk failed', async () => {
    const bench = new Bench('failed-write-ignored')
    bench.disk.failNextWrite()
    await expect(bench.settle(bench.store().write({ entries: [entry(1)] }))).resolves.toBeUndefined()
  })

  it('write-not-synced resolves before anything is durable, and one write never begins in another', async () => {
    const bench = new Bench('write-not-synced')
    const store = bench.store()
    await store.write({ entries: [entry(1)] })
    await store.write({ entries: [entry(2)] })
    expect(bench.disk.lastIndex).toBe(0)
    await bench.settle(store.close())
    expect(bench.disk.lastIndex).toBe(2)
    expect(bench.misuses).toEqual([])
  })

  it('batch-cut-short leaves the last entry of several out', async () => {
    const bench = new Bench('batch-cut-short')
    const store = bench.store()
    await bench.write(store, { entries: [entry(1)] })
    expect(bench.disk.lastIndex).toBe(1)
    await bench.write(store, { entries: [entry(2), entry(3)] })
    expect(bench.disk.lastIndex).toBe(2)
  })

  it('entries-before-hard-state makes two writes of one', async () => {
    const bench = new Bench('entries-before-hard-state')
    const writing = bench.store().write({ entries: [entry(1, 7)], hardState: { currentTerm: 7, votedFor: null } })
    const seen: number[][] = []
    await runTurns(() => {
      seen.push([bench.disk.lastIndex, bench.disk.hardState.currentTerm])
      return bench.timeline.step(Number.POSITIVE_INFINITY)
    })
    await writing
    expect(seen).toContainEqual([1, 0])
    expect(seen.at(-1)).toEqual([1, 7])
  })

  it('truncated-suffix-stays keeps what was replaced by less', async () => {
    const bench = new Bench('truncated-suffix-stays')
    const store = bench.store()
    await bench.write(store, { entries: [entry(1), entry(2), entry(3)] })
    await bench.write(store, { entries: [entry(2, 2)] })
    expect(bench.disk.entries.map(({ index, term }) => [index, term])).toEqual([
      [1, 1],
      [2, 2],
      [3, 1],
    ])
  })

  it('read-error-is-empty-log finds nothing behind some restarts, and all at the first start', async () => {
    const bench = new Bench('read-error-is-empty-log')
    await bench.write(bench.store(), { entries: [entry(1)] })
    const lasts = new Set<number>()
    for (let seed = 1n; seed <= 20n; seed++) lasts.add((await bench.settle(bench.store(seed).open())).lastIndex)
    expect(lasts).toEqual(new Set([0, 1]))
  })

  it('last-batch-lost comes back without the last batch', async () => {
    const bench = new Bench('last-batch-lost')
    const store = bench.store()
    await bench.write(store, { entries: [entry(1), entry(2)] })
    await bench.write(store, { entries: [entry(3, 2), entry(4, 2)] })
    expect(await bench.settle(bench.store().open())).toMatchObject({ lastIndex: 2, termRuns: [{ first: 1, term: 1 }] })
  })

  it('boot-count-not-stored writes everything but who the node is', async () => {
    const bench = new Bench('boot-count-not-stored')
    const identity = { clusterId: 'c', nonce: '', storeId: 's', bootCount: 1, leasePromiseMs: 0 }
    const store = bench.store()
    await bench.write(store, { identity })
    await bench.write(store, { entries: [entry(1)] })
    expect(bench.disk.identity).toBeNull()
    expect(bench.disk.lastIndex).toBe(1)
  })

  it('large-entry-not-read gives nothing where the first entry alone is too much', async () => {
    const bench = new Bench('large-entry-not-read')
    const store = bench.store()
    await bench.write(store, { entries: [entry(1, 1, 50), entry(2, 1, 50)] })
    expect(await bench.settle(store.read(1, 2, 10))).toEqual([])
    expect(await bench.settle(store.read(1, 2, 60))).toHaveLength(1)
    expect(await bench.settle(store.read(2, 2, 10))).toHaveLength(1)
  })
})
