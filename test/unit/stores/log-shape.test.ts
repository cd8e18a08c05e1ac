// What a log write is checked against before anything is touched.
import { describe, expect, test } from 'vitest'
import type { LogEntry } from '../../../src/core/types.js'
import type { LogWrite } from '../../../src/interfaces/log-store.js'
import {
  EMPTY_SHAPE,
  type LogShape,
  shapeAfter,
  shapeCompacted,
  shapeProblem,
  termAt,
} from '../../../src/stores/log-shape.js'

const entry = (index: number, term: number, change: Partial<LogEntry> = {}): LogEntry => ({
  index,
  term,
  type: 'command',
  timestamp: 1,
  data: new Uint8Array(),
  ...change,
})
const entries = (...terms: readonly number[]) => terms.map((term, i) => entry(i + 1, term))
const shape = shapeAfter(EMPTY_SHAPE, { entries: entries(1, 1, 3, 3, 4) })

describe('log shape', () => {
  test('an append of the current term shares the runs with the shape before it', () => {
    expect(shapeAfter(shape, { entries: [entry(6, 4)] }).runs).toBe(shape.runs)
  })

  test('termAt knows every index from the base on', () => {
    const compacted = shapeCompacted(shape, 2)
    expect([2, 3, 4, 5].map((index) => termAt(compacted, index))).toEqual([1, 3, 3, 4])
  })

  const refused: readonly (readonly [string, LogWrite, string])[] = [
    ['a gap behind the log', { entries: [entry(7, 4)] }, 'entries from index 7'],
    ['an entry at the base', { resetTo: { index: 5, term: 2 }, entries: [entry(5, 2)] }, 'entries from index 5'],
    ['a gap within the entries', { entries: [entry(6, 4), entry(8, 4)] }, 'index 8 stands where 7'],
    ['a repeated index', { entries: [entry(6, 4), entry(6, 4)] }, 'index 6 stands where 7'],
    ['a falling term', { entries: [entry(6, 3)] }, 'entry 6 has term 3 after term 4'],
    ['a term of 0', { resetTo: { index: 0, term: 0 }, entries: [entry(1, 0)] }, 'has term 0'],
    ['a term that is no integer', { entries: [entry(6, 4.5)] }, 'has term 4.5'],
    ['an index that is no safe integer', { entries: [entry(2 ** 53, 4)] }, 'entries from index 9007199254740992'],
    ['a timestamp that is not finite', { entries: [entry(6, 4, { timestamp: Number.NaN })] }, 'the timestamp NaN'],
    ['data that is no Uint8Array', { entries: [entry(6, 4, { data: 'x' as never })] }, 'not a Uint8Array'],
    ['a reset to a negative index', { resetTo: { index: -1, term: 0 } }, 'index: -1'],
    ['a reset that leaves no index above it', { resetTo: { index: 2 ** 53 - 1, term: 0 } }, '9007199254740991'],
    ['a reset to a broken term', { resetTo: { index: 1, term: 0.5 } }, 'term: 0.5'],
  ]
  test.each(refused)('refuses %s', (_, batch, message) => {
    expect(() => shapeAfter(shape, batch)).toThrow(message)
    expect(() => shapeAfter(shape, batch)).toThrow(expect.objectContaining({ code: 'RAFT_INVARIANT' }))
  })

  const contradictions: readonly (readonly [string, Partial<LogShape>, string])[] = [
    ['an end before its base', { baseIndex: 6 }, 'ends at 5, before its base 6'],
    ['runs in an empty log', { baseIndex: 5 }, 'empty but has 3 term runs'],
    ['no run at its beginning', { runs: shape.runs.slice(1) }, 'the first term run begins at 3'],
    ['no run at all', { runs: [] }, 'the first term run begins at no index'],
    ['a run behind its end', { lastIndex: 4 }, 'in a log that ends at 4'],
    ['terms that fall', { runs: [shape.runs[0], { first: 2, term: 1 }] as never }, "doesn't follow"],
    ['a first term below that of its base', { baseTerm: 2 }, "doesn't follow term 2"],
    ['a configuration outside', { configurations: [6] }, 'a configuration is noted at 6'],
  ]
  test.each(contradictions)('finds %s (H84)', (_, change, message) => {
    expect(shapeProblem(shape)).toBeNull()
    expect(shapeProblem({ ...shape, ...change })).toContain(message)
  })
})
