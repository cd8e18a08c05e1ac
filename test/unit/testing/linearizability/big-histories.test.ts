// Histories that are too big for brute force, whose verdict is known from how they were made.
import { checkLinearizability, models, type Operation } from 'helios-raft/testing'
import { describe, expect, it } from 'vitest'
import { correctHistory, plantStaleRead } from '../../../../src/testing/linearizability/bench-history.js'
import { SimulationRandom } from '../../../../src/testing/prng.js'

const shapes = [
  { keyCount: 100, clientCount: 16, unknownRatio: 0.01, operationCount: 20_000 },
  { keyCount: 10, clientCount: 8, unknownRatio: 0.1, operationCount: 5_000 },
  { keyCount: 4, clientCount: 5, unknownRatio: 0.05, operationCount: 2_000 },
]
const seeds = [1n, 2n, 3n, 4n]
const cases = shapes.flatMap((shape) => seeds.map((seed) => [seed, shape] as const))

describe('checkLinearizability on generated histories', () => {
  it.each(cases)('seed %s: finds what a correct store did ok, in %j', (seed, shape) => {
    const history = correctHistory(new SimulationRandom(seed), shape)
    expect(checkLinearizability(models.kv(), history)).toEqual({ verdict: 'ok', failure: null })
  })

  it.each(cases)('seed %s: finds one stale read, and nothing without it, in %j', (seed, shape) => {
    const history = correctHistory(new SimulationRandom(seed), shape)
    const culprit = plantStaleRead(history)
    const { verdict, failure } = checkLinearizability(models.kv(), history)
    expect(verdict).toBe('illegal')
    expect(failure?.key).toBe(culprit.input.key)
    expect(failure?.window).toContain(culprit)
    expect(failure?.window.length).toBeLessThan(10)
    const others = history.filter((operation) => operation !== culprit)
    expect(checkLinearizability(models.kv(), others).verdict).toBe('ok')
  })

  it('takes twenty thousand operations on one register without recursion', () => {
    const history: Operation<any, any>[] = Array.from({ length: 20_000 }, (_, n) => ({
      client: n % 2,
      input: n % 2 === 0 ? { op: 'write', value: String(n) } : { op: 'read' },
      invokedMs: n,
      returnedMs: n + 1,
      outcome: 'ok',
      output: n % 2 === 0 ? null : String(n - 1),
    }))
    expect(checkLinearizability(models.register(), history).verdict).toBe('ok')
    const last = history.length - 1
    const stale = history.map((operation, at) => (at === last ? { ...operation, output: '0' } : operation))
    expect(checkLinearizability(models.register(), stale)).toMatchObject({ verdict: 'illegal' })
  })
})
