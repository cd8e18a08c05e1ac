// Timeouts and the generator behind them (§5.2, thesis §9.3; F2, H8).
import { describe, expect, it } from 'vitest'
import { nextRandom } from '../../../src/core/prng.js'
import { heartbeat, SoloCore } from '../../support/solo-core.js'

describe('the generator', () => {
  it('gives the same numbers for the same seed, and others for another', () => {
    const draw = (seed: number) => {
      const holder = { prng: seed }
      return Array.from({ length: 8 }, () => nextRandom(holder))
    }
    expect(draw(7)).toEqual(draw(7))
    expect(draw(7)).not.toEqual(draw(8))
  })

  it('spreads evenly over [0, 1)', () => {
    const holder = { prng: 1 }
    const buckets = new Array<number>(16).fill(0)
    for (let count = 0; count < 16_000; count++) {
      const number = nextRandom(holder)
      expect(number >= 0 && number < 1).toBe(true)
      const bucket = Math.floor(number * 16)
      buckets[bucket] = (buckets[bucket] ?? 0) + 1
    }
    for (const count of buckets) expect(Math.abs(count - 1_000)).toBeLessThan(150)
  })

  it('keeps its state in 32 bits', () => {
    const holder = { prng: 0xffff_ffff }
    for (let count = 0; count < 100; count++) {
      nextRandom(holder)
      expect(holder.prng >>> 0).toBe(holder.prng)
    }
  })
})

describe('election timeouts', () => {
  it('H8: are drawn from [t, 2t), anew at every reset, all over the range', () => {
    const node = new SoloCore({ currentTerm: 1 })
    const timeouts = Array.from({ length: 500 }, () => {
      node.receive('b', heartbeat({ term: 1 }))
      return node.state.electionDeadline - node.clock
    })
    expect(Math.min(...timeouts)).toBeGreaterThanOrEqual(100)
    expect(Math.max(...timeouts)).toBeLessThan(200)
    expect(Math.min(...timeouts)).toBeLessThan(105)
    expect(Math.max(...timeouts)).toBeGreaterThan(195)
    expect(new Set(timeouts).size).toBeGreaterThan(490)
  })

  it('H8: of different nodes rarely fall together', () => {
    const timeouts = Array.from({ length: 200 }, (_, seed) => new SoloCore({ seed }).state.electionDeadline)
    let close = 0
    for (let at = 0; at + 1 < timeouts.length; at += 2) {
      if (Math.abs((timeouts[at] ?? 0) - (timeouts[at + 1] ?? 0)) < 5) close += 1
    }
    // Two draws from a range of 100 lie within 5 of each other one time in ten.
    expect(close).toBeLessThan(25)
  })

  it('a tick is asked for at least twice a timeout, so that a stall can be told from quiet', () => {
    const node = new SoloCore({ currentTerm: 1 })
    node.receive('b', heartbeat({ term: 1 }))
    expect(node.deadline).toBe(node.clock + 50)
    node.tick(90)
    expect(node.deadline).toBe(Math.min(node.clock + 50, node.state.electionDeadline))
    const learner = new SoloCore({ id: 'l', learners: ['l'] })
    learner.tick(1_000)
    expect(learner.deadline).toBe(learner.clock + 50)
  })

  it('of a leader ask for the next heartbeat', () => {
    const node = new SoloCore()
    node.becomeLeader()
    expect(node.deadline).toBe(node.clock + 30)
  })

  it('a candidate waits for its disk before it counts its timeout', () => {
    const node = new SoloCore()
    node.persistence = 'later'
    node.becomeCandidate()
    node.tick(5_000)
    expect(node.state).toMatchObject({ role: 'candidate', currentTerm: 1 })
    node.persist()
    expect(node.state.electionDeadline).toBeGreaterThanOrEqual(node.clock + 100)
    expect(node.take('requestVote')).toHaveLength(2)
  })
})
