// LogTrail against a plain array of terms: whatever is appended, truncated and compacted, both say the same (§5.3, F8).
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import {
  appendRun,
  compactUpTo,
  hasConflict,
  hasEntry,
  type LogTrail,
  lastIndexOfTermAtMost,
  lastTerm,
  termAt,
  truncateFrom,
} from '../../../src/core/log-trail.js'
import { entriesOf } from '../../support/solo-core.js'

interface Model {
  baseIndex: number
  baseTerm: number
  terms: number[]
}

const emptyTrail = (baseIndex: number, baseTerm: number): LogTrail => {
  return { baseIndex, baseTerm, lastIndex: baseIndex, runs: [], configurations: [] }
}

const steps = fc.array(
  fc.oneof(
    fc.record({ type: fc.constant('append' as const), count: fc.integer({ min: 1, max: 4 }), raise: fc.nat(2) }),
    fc.record({ type: fc.constant('truncate' as const), back: fc.integer({ min: 1, max: 5 }) }),
    fc.record({ type: fc.constant('compact' as const), back: fc.nat(5) }),
  ),
  { maxLength: 30 },
)
const bases = fc.constantFrom([0, 0], [1, 1], [7, 3], [2 ** 32 - 2, 5], [2 ** 48, 2 ** 33]) as fc.Arbitrary<
  [number, number]
>

function termOf({ baseIndex, baseTerm, terms }: Model, index: number): number | null {
  return index === baseIndex ? baseTerm : (terms[index - baseIndex - 1] ?? null)
}

describe('LogTrail', () => {
  it('says of every index what a plain array of terms says', () => {
    const property = fc.property(bases, steps, ([baseIndex, baseTerm], sequence) => {
      const trail = emptyTrail(baseIndex, baseTerm)
      const model: Model = { baseIndex, baseTerm, terms: [] }
      for (const step of sequence) {
        const last = model.baseIndex + model.terms.length
        if (step.type === 'append') {
          const term = (model.terms.at(-1) ?? model.baseTerm) + step.raise
          appendRun(trail, { first: last + 1, last: last + step.count, term })
          for (let count = 0; count < step.count; count++) model.terms.push(term)
        } else if (step.type === 'compact' && last - step.back > model.baseIndex) {
          const index = last - step.back
          compactUpTo(trail, index)
          model.baseTerm = model.terms[index - model.baseIndex - 1] as number
          model.terms = model.terms.slice(index - model.baseIndex)
          model.baseIndex = index
        } else if (step.type === 'truncate' && model.terms.length > 0) {
          const first = Math.max(model.baseIndex + 1, last - step.back + 1)
          truncateFrom(trail, first)
          model.terms.length = first - model.baseIndex - 1
        }
        compare(trail, model)
      }
    })
    fc.assert(property, { numRuns: 200 })
  })

  it('holds a run for each term, not for each entry', () => {
    const trail = emptyTrail(0, 0)
    for (let index = 1; index <= 1_000; index++)
      appendRun(trail, { first: index, last: index, term: Math.ceil(index / 250) })
    expect(trail.runs).toEqual([
      { first: 1, term: 1 },
      { first: 251, term: 2 },
      { first: 501, term: 3 },
      { first: 751, term: 4 },
    ])
  })

  it('refuses a gap, an overlap, a term that falls, and a truncation of what it does not hold', () => {
    const trail = emptyTrail(5, 2)
    appendRun(trail, { first: 6, last: 8, term: 3 })
    expect(() => appendRun(trail, { first: 10, last: 10, term: 3 })).toThrow(/follow 8/)
    expect(() => appendRun(trail, { first: 8, last: 9, term: 3 })).toThrow(/follow 8/)
    expect(() => appendRun(trail, { first: 9, last: 8, term: 3 })).toThrow(/follow 8/)
    expect(() => appendRun(trail, { first: 9, last: 9, term: 2 })).toThrow(/terms never fall/)
    expect(() => truncateFrom(trail, 9)).toThrow(/log that ends at 8/)
    expect(() => truncateFrom(trail, 5)).toThrow(/log that ends at 8/)
    truncateFrom(trail, 6)
    expect(trail).toMatchObject({ lastIndex: 5, runs: [] })
    expect(lastTerm(trail)).toBe(2)
  })

  it('drops the configurations of truncated entries and keeps the bootstrap one', () => {
    const trail = emptyTrail(0, 0)
    const configuration = { members: [], votersOutgoing: [] }
    for (const index of [0, 2, 4]) trail.configurations.push({ index, configuration })
    appendRun(trail, { first: 1, last: 5, term: 1 })
    truncateFrom(trail, 4)
    expect(trail.configurations.map(({ index }) => index)).toEqual([0, 2])
    truncateFrom(trail, 1)
    expect(trail.configurations.map(({ index }) => index)).toEqual([0])
  })

  it('keeps the configuration in force at its base, and those behind it', () => {
    const trail = emptyTrail(0, 0)
    const configuration = { members: [], votersOutgoing: [] }
    for (const index of [0, 2, 4, 6]) trail.configurations.push({ index, configuration })
    appendRun(trail, { first: 1, last: 7, term: 1 })
    compactUpTo(trail, 1)
    expect(trail.configurations.map(({ index }) => index)).toEqual([0, 2, 4, 6])
    compactUpTo(trail, 5)
    expect(trail.configurations.map(({ index }) => index)).toEqual([4, 6])
    truncateFrom(trail, 6)
    expect(trail.configurations.map(({ index }) => index)).toEqual([4])
  })

  it('compacts up to its last entry and no further, and never twice', () => {
    const trail = emptyTrail(0, 0)
    appendRun(trail, { first: 1, last: 3, term: 2 })
    expect(() => compactUpTo(trail, 4)).toThrow(/entry 4 is in the log 1\.\.3/)
    compactUpTo(trail, 3)
    expect(trail).toMatchObject({ baseIndex: 3, baseTerm: 2, lastIndex: 3, runs: [] })
    expect(() => compactUpTo(trail, 3)).toThrow(/entry 3 is in the log 4\.\.3/)
  })

  it('finds a conflict only where it holds an entry of another term', () => {
    const trail = emptyTrail(0, 0)
    appendRun(trail, { first: 1, last: 2, term: 1 })
    appendRun(trail, { first: 3, last: 4, term: 2 })
    expect(hasConflict(trail, entriesOf(3, 2, 2, 3))).toBe(false)
    expect(hasConflict(trail, entriesOf(5, 3))).toBe(false)
    expect(hasConflict(trail, entriesOf(3, 2, 3))).toBe(true)
    expect(hasConflict(trail, [])).toBe(false)
  })
})

function compare(trail: LogTrail, model: Model): void {
  const { baseIndex, terms, baseTerm } = model
  expect(trail.lastIndex).toBe(baseIndex + terms.length)
  expect(lastTerm(trail)).toBe(terms.at(-1) ?? baseTerm)
  for (let index = baseIndex - 1; index <= trail.lastIndex + 1; index++) {
    const term = termOf(model, index)
    expect(termAt(trail, index)).toBe(term)
    expect(hasEntry(trail, index, term ?? 0)).toBe(term !== null)
  }
  for (let term = baseTerm; term <= lastTerm(trail) + 1; term++) {
    for (let index = baseIndex; index <= trail.lastIndex + 1; index++) {
      let expected = Math.min(index, trail.lastIndex)
      while (expected > baseIndex && (termOf(model, expected) ?? 0) > term) expected -= 1
      expect(lastIndexOfTermAtMost(trail, index, term)).toBe(expected)
    }
  }
}
