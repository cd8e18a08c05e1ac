import { describe, expect, it } from 'vitest'
import type { LogEntry } from '../../../src/core/types.js'
import { DurableLog } from '../../../src/testing/durable-log.js'

const entry = (index: number, term: number): LogEntry => {
  return { index, term, type: 'command', timestamp: 0, data: new Uint8Array() }
}

const NOTHING = { currentTerm: 0, votedFor: null } as const

function logOf(...terms: readonly number[]): DurableLog {
  const log = new DurableLog()
  log.apply({ entries: terms.map((term, at) => entry(at + 1, term)) })
  return log
}

describe('DurableLog', () => {
  it('forgets up to an index whose term stays known, and at most up to the last one', () => {
    const log = logOf(1, 1, 2, 2)
    log.compact(3)
    const runs = [{ first: 4, term: 2 }]
    expect(log.restored()).toEqual({ firstIndex: 4, lastIndex: 4, previousTerm: 2, termRuns: runs, configurations: [] })
    expect([log.at(3), log.at(4)?.term]).toEqual([undefined, 2])
    log.compact(2)
    expect(log.baseIndex).toBe(3)
    log.compact(9)
    expect(log.restored()).toMatchObject({ firstIndex: 5, lastIndex: 4, previousTerm: 2, termRuns: [] })
  })

  it('is replaced by the position of a reset, behind which entries follow in the same batch', () => {
    const log = logOf(1, 1)
    const batch = { resetTo: { index: 7, term: 3 }, entries: [entry(8, 3)] }
    expect(log.problemOf(batch, NOTHING)).toBeNull()
    log.apply(batch)
    const runs = [{ first: 8, term: 3 }]
    expect(log.restored()).toMatchObject({ firstIndex: 8, lastIndex: 8, previousTerm: 3, termRuns: runs })
  })

  it('drops the suffix that is replaced, behind its base', () => {
    const log = logOf(1, 1, 1, 1)
    log.compact(2)
    log.apply({ entries: [entry(4, 2)] })
    expect(log.entries.map(({ index, term }) => [index, term])).toEqual([
      [3, 1],
      [4, 2],
    ])
  })

  it('knows what no batch may do: leave a gap, or write in front of where it begins', () => {
    const log = logOf(1, 1, 1)
    log.compact(2)
    expect(log.problemOf({ entries: [entry(5, 1)] }, NOTHING)).toMatch(/leaves a gap behind 3/)
    expect(log.problemOf({ entries: [entry(2, 1)] }, NOTHING)).toMatch(/is in front of the log/)
    expect(log.problemOf({ resetTo: { index: 9, term: 1 }, entries: [entry(11, 1)] }, NOTHING)).toMatch(/gap behind 9/)
  })
})
