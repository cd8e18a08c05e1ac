import fc from 'fast-check'
import type { LogEntry } from 'helios-raft'
import { describe, expect, test } from 'vitest'
import { EntryCache } from '../../../src/node/entry-cache.js'

const entry = (index: number, term = 1, sizeBytes = 10): LogEntry => {
  return { index, term, type: 'command', timestamp: 0, data: new Uint8Array(sizeBytes) }
}
const run = (first: number, last: number, term = 1) =>
  Array.from({ length: last - first + 1 }, (_, at) => entry(first + at, term))

describe('EntryCache', () => {
  test('drops the suffix that an append replaces', () => {
    const cache = new EntryCache()
    cache.append(run(1, 5))
    cache.append(run(3, 4, 2))
    expect([1, 2, 3, 4, 5].map((index) => cache.get(index)?.term)).toEqual([1, 1, 2, 2, undefined])
    expect(cache.lastIndex).toBe(4)
  })

  test('holds nothing of a log that a snapshot replaced', () => {
    const cache = new EntryCache()
    cache.append(run(1, 12))
    cache.reset(9)
    expect([cache.firstIndex, cache.lastIndex, cache.sizeBytes, cache.get(10)]).toEqual([10, 9, 0, undefined])
    cache.append(run(10, 11, 2))
    expect(cache.get(10)?.term).toBe(2)
  })

  test('keeps what is not durable, whatever the bound, and forgets the oldest of the rest', () => {
    const cache = new EntryCache(138 * 3)
    cache.append(run(1, 10))
    cache.trim(5)
    expect([cache.firstIndex, cache.lastIndex]).toEqual([6, 10])
    cache.trim(10)
    expect([cache.firstIndex, cache.lastIndex, cache.sizeBytes]).toEqual([8, 10, 138 * 3])
  })

  test('gives a run up to a number of bytes, but at least one entry', () => {
    const cache = new EntryCache()
    cache.append(run(1, 10))
    expect(cache.slice({ first: 3, last: 9 }, 29).map(({ index }) => index)).toEqual([3, 4])
    expect(cache.slice({ first: 3, last: 9 }, 30).map(({ index }) => index)).toEqual([3, 4, 5])
    expect(cache.slice({ first: 3, last: 9 }, 1).map(({ index }) => index)).toEqual([3])
    expect(cache.slice({ first: 11, last: 12 }, 100)).toEqual([])
  })

  test('agrees with a plain map under any appends, truncations and trims', () => {
    const step = fc.record({ back: fc.nat(6), count: fc.integer({ min: 1, max: 8 }), persisted: fc.nat(60) })
    fc.assert(
      fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
        const cache = new EntryCache(138 * 4)
        let log: LogEntry[] = []
        let durable = 0
        let term = 0
        for (const { back, count, persisted } of steps) {
          const first = Math.max(1, log.length + 1 - back)
          term += 1
          const entries = run(first, first + count - 1, term)
          log = [...log.slice(0, first - 1), ...entries]
          durable = Math.min(durable, first - 1)
          cache.append(entries)
          durable = Math.max(durable, Math.min(persisted, log.length))
          cache.trim(durable)
          expect(cache.lastIndex).toBe(log.length)
          expect(cache.firstIndex).toBeLessThanOrEqual(durable + 1)
          for (let index = cache.firstIndex; index <= log.length; index++) expect(cache.get(index)).toBe(log[index - 1])
          expect(cache.get(cache.firstIndex - 1)).toBeUndefined()
          expect(cache.sizeBytes).toBe((log.length - cache.firstIndex + 1) * 138)
        }
      }),
    )
  })
})
