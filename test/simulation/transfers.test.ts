// Runs of the profile `liveness`: leaders are asked to hand over again and again, under load and beside other faults.
import { describe, expect, it } from 'vitest'
import { runSeed } from '../../src/testing/run-seed.js'

describe('leaders', () => {
  it('hand over under load, and break nothing', async () => {
    const counts: Record<string, number> = {}
    for (let seed = 1n; seed <= 6n; seed++) {
      const { violation, coverage } = await runSeed(seed, { profile: 'liveness' })
      expect(violation, `seed ${seed}`).toBeNull()
      for (const [name, count] of Object.entries(coverage)) counts[name] = (counts[name] ?? 0) + count
    }
    // Some came to their end, some were given up, and proposals waited for both.
    for (const name of [
      'transfer.resolved',
      'transfer.RAFT_TIMEOUT',
      'transfer.RAFT_TRANSFERRING',
      'result.transferring',
    ]) {
      expect(counts[name] ?? 0, name).toBeGreaterThan(0)
    }
  }, 120_000)

  it.each([
    'timeout-now-too-early',
    'proposals-during-transfer',
    'transfer-never-given-up',
    'every-candidate-disturbs',
  ])(
    'that get it wrong are noticed: %s',
    async (bug) => {
      let found: string | null = null
      for (let seed = 1n; seed <= 12n && found === null; seed++) {
        const { check } = await runSeed(seed, { profile: 'liveness', bug })
        found = check
      }
      expect(found).toBe('handed-over')
    },
    120_000,
  )
})
