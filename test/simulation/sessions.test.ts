// The simulator's profile of sessions: what its seeds found once (F18).
import { describe, expect, it } from 'vitest'
import { runSeed } from '../../src/testing/run-seed.js'

describe('the profile of sessions', () => {
  // 220: a client took up a session that had expired, and repeated a command to the new one. 1940: a simulated timer did not
  // follow its clock. 2815: a follower counted what it had applied as under way, and took no entries any more.
  it.each([220n, 1940n, 2815n])('holds in seed %i, which found something once', async (seed) => {
    expect(await runSeed(seed, { profile: 'sessions' })).toMatchObject({ violation: null })
  })
})
