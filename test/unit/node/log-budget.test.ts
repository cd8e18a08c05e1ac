import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { LogBudget } from '../../../src/node/log-budget.js'

const run = (first: number, last: number, sizeBytes: number) =>
  Array.from({ length: last - first + 1 }, (_, at) => {
    return { index: first + at, term: 1, type: 'command' as const, timestamp: 0, data: new Uint8Array(sizeBytes) }
  })

describe('LogBudget', () => {
  test('counts what waits and, on a leader, what is not applied; takes anything when nothing is under way (H34)', () => {
    const budget = new LogBudget({ limits: { uncommittedBytes: 100 } })
    expect(budget.proposableBytes(true)).toBe(Number.POSITIVE_INFINITY)
    budget.addWaiting(30)
    budget.append(run(1, 4, 10))
    expect([budget.usedBytes(true), budget.proposableBytes(true), budget.proposableBytes(true, 50)]).toEqual([
      70, 30, 0,
    ])
    expect([budget.usedBytes(false), budget.proposableBytes(false)]).toEqual([30, 70])
    budget.removeWaiting(30)
    budget.applied(3)
    expect(budget.usedBytes(true)).toBe(40)
    budget.applied(4)
    expect(budget.usedBytes(true)).toBe(0)
  })

  test('counts nothing of a run whose unapplied part was cut off', () => {
    const budget = new LogBudget({ limits: { uncommittedBytes: 256 } })
    budget.append(run(23, 31, 26))
    budget.persisted(31)
    budget.committed(25)
    budget.applied(25)
    budget.append(run(26, 27, 2))
    budget.persisted(27)
    expect(budget.receivableBytes()).toBe(Number.POSITIVE_INFINITY)
    expect(budget.usedBytes(true)).toBe(4)
    budget.applied(27)
    expect(budget.usedBytes(true)).toBe(0)
  })

  test('counts nothing of a log that a snapshot replaced', () => {
    const budget = new LogBudget({ limits: { uncommittedBytes: 100 } })
    budget.append(run(1, 9, 10))
    budget.persisted(4)
    budget.committed(2)
    budget.reset(20)
    expect([budget.usedBytes(true), budget.receivableBytes(), budget.unappliedEntries]).toEqual([0, Infinity, 0])
    budget.append(run(21, 22, 10))
    expect([budget.usedBytes(true), budget.unappliedEntries]).toEqual([20, 2])
    budget.applied(22)
    expect(budget.usedBytes(true)).toBe(0)
  })

  test('lets a follower receive whatever is durable and not committed: it may need the next entries for that', () => {
    const budget = new LogBudget({ limits: { uncommittedBytes: 100 } })
    budget.append(run(1, 9, 10))
    expect(budget.receivableBytes()).toBe(10)
    budget.persisted(9)
    expect(budget.receivableBytes()).toBe(Number.POSITIVE_INFINITY)
    budget.append(run(10, 10, 10))
    expect([budget.receivableBytes(), budget.receivableBytes(20)]).toEqual([90, 70])
    budget.committed(9)
    expect(budget.receivableBytes()).toBe(0)
    budget.applied(9)
    expect(budget.receivableBytes()).toBe(90)
    budget.persisted(10)
    expect(budget.receivableBytes()).toBe(Number.POSITIVE_INFINITY)
  })

  test('forgets what a truncation dropped', () => {
    const budget = new LogBudget({ limits: { uncommittedBytes: 100 } })
    budget.append(run(1, 2, 10))
    budget.append(run(3, 4, 10))
    budget.persisted(4)
    budget.append(run(3, 3, 1))
    expect([budget.usedBytes(true), budget.receivableBytes()]).toEqual([21, 99])
    budget.append(run(2, 2, 1))
    expect(budget.usedBytes(true)).toBe(21)
    budget.applied(2)
    expect([budget.usedBytes(true), budget.receivableBytes()]).toEqual([0, Number.POSITIVE_INFINITY])
  })

  test('never forgets a byte, nor counts one for ever, whatever comes', () => {
    const step = fc.record({
      back: fc.nat(4),
      count: fc.integer({ min: 1, max: 4 }),
      persist: fc.nat(5),
      commit: fc.nat(5),
    })
    fc.assert(
      fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
        const budget = new LogBudget({ limits: { uncommittedBytes: 1e9 } })
        let [last, durable, committed, applied] = [0, 0, 0, 0]
        for (const { back, count, persist, commit } of steps) {
          const first = Math.max(committed + 1, last + 1 - back)
          durable = Math.min(durable, first - 1)
          last = first + count - 1
          budget.append(run(first, last, 1))
          durable = Math.min(last, durable + persist)
          committed = Math.min(last, committed + commit)
          budget.persisted(durable)
          budget.committed(committed)
          applied = Math.max(applied, Math.min(durable, committed))
          budget.applied(applied)
          expect(budget.usedBytes(true)).toBeGreaterThanOrEqual(last - applied)
        }
        for (const reach of [(index: number) => budget.persisted(index), (index: number) => budget.committed(index)])
          reach(last)
        budget.applied(last)
        expect([budget.usedBytes(true), budget.receivableBytes()]).toEqual([0, Number.POSITIVE_INFINITY])
      }),
    )
  })
})
