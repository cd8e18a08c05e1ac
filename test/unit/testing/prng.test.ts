import { describe, expect, it } from 'vitest'
import { MAX_SEED, SimulationRandom } from '../../../src/testing/prng.js'

const draw = (random: SimulationRandom, count: number): number[] => Array.from({ length: count }, () => random.uint32())

describe('SimulationRandom', () => {
  it('gives the same numbers for the same seed, on every machine', () => {
    expect(draw(new SimulationRandom(1n), 4)).toEqual(draw(new SimulationRandom(1n), 4))
    expect(draw(new SimulationRandom(42n), 3)).toMatchInlineSnapshot(`
      [
        1846500561,
        2100087477,
        4061927109,
      ]
    `)
  })

  it('tells seeds apart in each of their 64 bits', () => {
    const first = new Set<number>()
    for (let bit = 0n; bit < 64n; bit++) first.add(new SimulationRandom(1n << bit).uint32())
    expect(first.size).toBe(64)
    expect(draw(new SimulationRandom(MAX_SEED), 2)).not.toEqual(draw(new SimulationRandom(0n), 2))
  })

  it('forks a stream by its label, whatever was drawn before', () => {
    const fresh = new SimulationRandom(7n)
    const used = new SimulationRandom(7n)
    draw(used, 100)
    expect(draw(used.fork('disk'), 5)).toEqual(draw(fresh.fork('disk'), 5))
    expect(draw(fresh.fork('disk'), 5)).not.toEqual(draw(fresh.fork('network'), 5))
    expect(draw(fresh.fork('a').fork('b'), 5)).not.toEqual(draw(fresh.fork('b').fork('a'), 5))
  })

  it('keeps to its ranges and reaches both ends of them', () => {
    const random = new SimulationRandom(3n)
    const integers = Array.from({ length: 1_000 }, () => random.integer(2, 5))
    expect([...new Set(integers)].sort()).toEqual([2, 3, 4, 5])
    for (let at = 0; at < 1_000; at++) {
      const number = random.between(1, 2)
      expect(number).toBeGreaterThanOrEqual(1)
      expect(number).toBeLessThan(2)
    }
    expect(random.chance(0)).toBe(false)
    expect(random.chance(1)).toBe(true)
  })

  it('shuffles without losing anything, and refuses to pick from nothing', () => {
    const random = new SimulationRandom(9n)
    expect(random.shuffle([1, 2, 3, 4, 5]).sort()).toEqual([1, 2, 3, 4, 5])
    expect(() => random.pick([])).toThrow(RangeError)
  })
})
