// How election timeouts are spread (§5.2, §9.3; H8): the share of nodes that has timed out at each moment, and that
// candidates draw anew as followers do, so that they rarely meet again.
import { describe, expect, it } from 'vitest'
import { SoloCore } from '../../support/solo-core.js'

const SEEDS = Array.from({ length: 500 }, (_, seed) => seed)

/** A candidate whose votes do not come: how long until it asks again. */
function candidateTimeoutMs(node: SoloCore): number {
  node.becomeCandidate()
  expect(node.state.role).toBe('candidate')
  return node.state.electionDeadline - node.clock
}

describe('followers of 500 seeds', () => {
  it.each([
    { elapsedMs: 50, share: 0 },
    { elapsedMs: 99, share: 0 },
    { elapsedMs: 110, share: 0.1 },
    { elapsedMs: 130, share: 0.3 },
    { elapsedMs: 150, share: 0.5 },
    { elapsedMs: 180, share: 0.8 },
    { elapsedMs: 200, share: 1 },
  ])('have timed out after $elapsedMs ms of a timeout of 100: a share of $share', ({ elapsedMs, share }) => {
    const late = SEEDS.filter((seed) => {
      const node = new SoloCore({ seed })
      node.tick(elapsedMs)
      return node.state.role === 'preCandidate'
    })
    const found = late.length / SEEDS.length
    if (share === 0 || share === 1) expect(found).toBe(share)
    else expect(Math.abs(found - share)).toBeLessThan(0.06)
  })
})

describe('candidates', () => {
  it('draw from [t, 2t) anew for every election, all over the range', () => {
    const node = new SoloCore()
    const timeouts = SEEDS.map(() => candidateTimeoutMs(node))
    expect(Math.min(...timeouts)).toBeGreaterThanOrEqual(100)
    expect(Math.max(...timeouts)).toBeLessThan(200)
    for (let from = 100; from < 200; from += 20) {
      const share = timeouts.filter((ms) => ms >= from && ms < from + 20).length / timeouts.length
      expect(Math.abs(share - 0.2), `${from}..${from + 20} ms`).toBeLessThan(0.06)
    }
  })

  it('of one moment rarely time out together', () => {
    const timeouts = SEEDS.map((seed) => candidateTimeoutMs(new SoloCore({ seed })))
    const pairs = SEEDS.filter((seed) => seed % 2 === 0)
    const close = pairs.filter((seed) => Math.abs((timeouts[seed] ?? 0) - (timeouts[seed + 1] ?? 0)) < 5)
    // Two draws from a range of 100 lie within 5 of each other one time in ten.
    expect(close.length / pairs.length).toBeLessThan(0.2)
  })
})
