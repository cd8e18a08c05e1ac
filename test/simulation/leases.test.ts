// The simulator's profile of leases: clients read by lease while leaders stand still, sleep, hand over and are replaced (F20).
import { describe, expect, it } from 'vitest'
import { runSeed } from '../../src/testing/run-seed.js'

describe('the profile of leases', () => {
  // 105 and 333: a node that was suspended called its state fresh by a clock that had not counted it. 293: a judge went by
  // another election timeout than the leader's own. 1987: a probe waited for room behind entries that were lost, for ever.
  it.each([105n, 293n, 333n, 1987n])('holds in seed %i, which found something once', async (seed) => {
    expect(await runSeed(seed, { profile: 'lease' })).toMatchObject({ violation: null })
  })

  it('reads by lease, and by a round where there is none', async () => {
    const { coverage } = await runSeed(1n, { profile: 'lease' })
    expect(coverage['point.readByLease']).toBeGreaterThan(10)
    expect(coverage['call.read.lease.ok']).toBeGreaterThan(coverage['point.readByLease'] ?? 0)
  })
})
