// fast-check is an optional peer: who doesn't use it doesn't need it, and who has another copy of it may mix the two.
import { createRequire } from 'node:module'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { type FastCheck, fastCheckFor } from '../../../../src/testing/property/fast-check.js'
import { arbFaultPlan } from '../../../../src/testing/property/arb-fault-plan.js'

describe('fast-check as an optional peer', () => {
  it('names what is missing, who needs it, and the command that installs it', () => {
    const require = createRequire('/')
    const load = (name: string): unknown => require(name)
    expect(() => fastCheckFor('arbCluster', load)).toThrow(
      expect.objectContaining({
        code: 'RAFT_INVALID_OPTION',
        message: "arbCluster needs the package 'fast-check', which can't be loaded: npm install --save-dev fast-check",
        cause: expect.objectContaining({ code: 'MODULE_NOT_FOUND' }),
      }),
    )
  })

  it('mixes arbitraries of the copy that `require` gives with those of an import', () => {
    const other = fastCheckFor('this test')
    expect(other.array).not.toBe(fc.array)
    const nested = fc.array(other.integer()).chain((numbers) => other.constant(numbers))
    const both = fc.tuple(nested, other.tuple(fc.nat(), arbFaultPlan()))
    const property = fc.property(both, ([numbers]) => numbers.length < 3)
    const { counterexample } = fc.check(property, { seed: 1 })
    expect(counterexample).toEqual([
      [
        [0, 0, 0],
        [0, { faults: [] }],
      ],
    ])
  })

  it('honours the preconditions of either copy', () => {
    const other: FastCheck = fastCheckFor('this test')
    const skipsOdd = fc.property(other.nat(), (number) => {
      other.pre(number % 2 === 0)
      fc.pre(number % 3 !== 0)
      return number % 2 === 0 && number % 3 !== 0
    })
    const { failed, numSkips } = fc.check(skipsOdd, { seed: 1 })
    expect(failed).toBe(false)
    expect(numSkips).toBeGreaterThan(0)
  })
})
