import { describe, expect, it } from 'vitest'
import { FORWARD_BUGS } from '../../../../src/testing/bugs/forwards.js'
import { READ_BUGS } from '../../../../src/testing/bugs/reads.js'
import { runSeed } from '../../../../src/testing/run-seed.js'
import { Reached, watched } from './watched-internals.js'

/** Seeds within which a bug must have made a difference, whether anybody noticed or not. */
const MOST_SEEDS = 40

/** Those that tamper with the core; the others replace a rule of the node, which needs no run to be seen. */
const tampering = Object.entries({ ...READ_BUGS, ...FORWARD_BUGS }).filter(([, { internals }]) => {
  return internals.wrapCore !== undefined
})

describe('a seeded bug of reads or forwards', () => {
  it.each(tampering)(
    '%s tells or says something else than the library in a short run',
    async (_name, { internals: { wrapCore } }) => {
      const reached = new Reached()
      for (let seed = 1; seed <= MOST_SEEDS && reached.count === 0; seed++) {
        await runSeed(BigInt(seed), { internals: watched({ wrapCore }, reached) })
      }
      expect(reached.count).toBeGreaterThan(0)
    },
    120_000,
  )
})
