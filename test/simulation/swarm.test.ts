import { describe, expect, it } from 'vitest'
import { bugNames } from '../../src/testing/bugs/index.js'
import { runSeed, type SeedResult } from '../../src/testing/run-seed.js'

/** Runs seeds one after the other until one ends with a violation. */
async function firstViolation(bug: string, seedCount: number): Promise<SeedResult | null> {
  for (let seed = 1n; seed <= BigInt(seedCount); seed++) {
    const result = await runSeed(seed, { bug })
    if (result.violation !== null) return result
  }
  return null
}

describe('a run of the simulator', () => {
  it('does the same again for the same seed, and something else for another', async () => {
    const [first, again, other] = [await runSeed(5n), await runSeed(5n), await runSeed(6n)]
    expect(again).toEqual(first)
    expect(other.traceHash).not.toBe(first.traceHash)
  })

  it('writes the trace of a run without changing it', async () => {
    const lines: string[] = []
    const traced = await runSeed(5n, { onTrace: (line) => lines.push(line) })
    expect(traced).toEqual(await runSeed(5n))
    expect(JSON.parse(lines[1] ?? '')).toMatchObject({ number: 2, step: 'start' })
  })
})

describe('seeded bugs', () => {
  it.each([
    ['commit-old-term', 100],
    ['answers-do-not-wait', 10],
    ['truncate-always', 10],
  ])(
    '%s is found within %d seeds',
    async (bug, seedCount) => {
      expect(bugNames()).toContain(bug)
      const found = await firstViolation(bug, seedCount)
      expect(found?.violation ?? null).not.toBeNull()
    },
    120_000,
  )
})
