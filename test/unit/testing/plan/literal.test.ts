import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { literalOf } from '../../../../src/testing/plan/literal.js'

const evaluate = (text: string): unknown => (new Function(`return (${text})`) as () => unknown)()

describe('a value as a literal', () => {
  it('is the same value when it is evaluated', () => {
    const withAll = { withBigInt: true, withDate: true, withMap: true, withSet: true, withUint8Array: true } as const
    const value = fc.anything({ ...withAll, withTypedArray: false, withNullPrototype: false, maxDepth: 4 })
    fc.assert(
      fc.property(
        value.filter((drawn) => !hasFieldWithoutValue(drawn)),
        (drawn) => {
          expect(evaluate(literalOf(drawn))).toEqual(drawn)
        },
      ),
    )
  })

  it('leaves a comment where there is code', () => {
    expect(literalOf({ run: () => 1 })).toBe('{ run: undefined /* a function */ }')
  })
})

/** An `undefined` field is left out, and so is no field. */
function hasFieldWithoutValue(value: unknown): boolean {
  if (typeof value !== 'object' || value === null || value instanceof Date) return false
  if (value instanceof Map || value instanceof Set) return [...value].flat().some(hasFieldWithoutValue)
  return Object.values(value).some((field) => field === undefined || hasFieldWithoutValue(field))
}
