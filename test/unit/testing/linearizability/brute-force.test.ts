import * as fc from 'fast-check'
import { checkLinearizability, type LinearizabilityModel, type models, type Operation } from 'helios-raft/testing'
import { describe, expect, it } from 'vitest'
import { bruteForce } from './brute-force.js'
import { arbHistory } from './histories.js'
import { objects } from './objects.js'

const CASES = 2_000
const names = Object.keys(objects) as (keyof typeof models)[]

/** A model that says only what it must. */
function bare(model: LinearizabilityModel<unknown, any, any>): LinearizabilityModel<unknown, any, any> {
  const { effect: _, hash: _hash, ...rest } = model
  return rest
}

describe('checkLinearizability beside brute force', () => {
  it.each(names)('%s: gives the same verdict for any history of eight operations', (name) => {
    const { model } = objects[name]
    const counts = { ok: 0, illegal: 0, undecided: 0 }
    const property = fc.property(arbHistory(objects[name]), (history) => {
      const { verdict, failure } = checkLinearizability(model(), history, { timeoutMs: Infinity })
      expect(verdict).toBe(bruteForce(model(), history))
      expect(checkLinearizability(bare(model()), history, { timeoutMs: Infinity }).verdict).toBe(verdict)
      expect(failure === null).toBe(verdict === 'ok')
      counts[verdict] += 1
    })
    fc.assert(property, { numRuns: CASES })
    expect(counts.ok).toBeGreaterThan(CASES / 10)
    expect(counts.illegal).toBeGreaterThan(CASES / 10)
  })

  it.each(names)(
    '%s: finds a window that is illegal whatever the others did, and that needs each of its own',
    (name) => {
      const { model } = objects[name]
      let windows = 0
      const property = fc.property(arbHistory(objects[name]), (history) => {
        const { failure } = checkLinearizability(model(), history)
        if (failure === null) return
        windows += 1
        expect(bruteForce(model(), failure.window)).toBe('illegal')
        expect(bruteForce(model(), onlyCertain(history, failure.window))).toBe('illegal')
        for (const operation of failure.window) {
          const others = failure.window.filter((other) => other !== operation)
          expect(bruteForce(model(), onlyCertain(history, others))).toBe('ok')
        }
        expect(failure.text.split('\n')).toHaveLength(failure.window.length + 1)
      })
      fc.assert(property, { numRuns: 1_000 })
      expect(windows).toBeGreaterThan(100)
    },
  )
})

/** All others may or may not have happened. Operations of other keys are not in the way. */
function onlyCertain(history: readonly Operation<any, any>[], certain: readonly Operation<any, any>[]) {
  const others = history.filter((operation) => operation.outcome !== 'rejected' && !certain.includes(operation))
  const isVisible = ({ input }: Operation<any, any>) => input.key === certain[0]?.input.key || certain.length === 0
  return [...certain, ...others.filter(isVisible).map((other) => ({ ...other, outcome: 'unknown' as const }))]
}
