import { describe, expect, it } from 'vitest'
import { ELECTION_BUGS } from '../../../../src/testing/bugs/elections.js'
import { REPLICATION_BUGS } from '../../../../src/testing/bugs/replication.js'
import type { SeededBug } from '../../../../src/testing/bugs/seeded-bug.js'
import { tampered } from '../../../../src/testing/bugs/tampered-core.js'
import { runSeed } from '../../../../src/testing/run-seed.js'
import { Reached, watched } from './watched-internals.js'

/** Seeds within which a bug must have made a difference, whether anybody noticed or not. */
const MOST_SEEDS = 12

async function seedsUntilReached({ internals }: Pick<SeededBug, 'internals'>): Promise<number> {
  const reached = new Reached()
  for (let seed = 1; seed <= MOST_SEEDS; seed++) {
    await runSeed(BigInt(seed), { internals: watched(internals, reached) })
    if (reached.count > 0) return seed
  }
  return Number.POSITIVE_INFINITY
}

describe('a seeded bug', () => {
  it.each(Object.entries({ ...ELECTION_BUGS, ...REPLICATION_BUGS }))(
    '%s decides otherwise than the library in a short run',
    async (_name, bug) => {
      expect(await seedsUntilReached(bug)).toBeLessThanOrEqual(MOST_SEEDS)
    },
    120_000,
  )

  it('that changes nothing is seen to change nothing', async () => {
    const reached = new Reached()
    const harmless = { ...tampered(() => ({ before: (event) => event, after: () => {} })), answersWait: undefined }
    expect((await runSeed(1n, { internals: watched(harmless, reached) })).violation).toBeNull()
    expect(reached.count).toBe(0)
  }, 120_000)
})
