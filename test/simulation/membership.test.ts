// Clusters whose members change, on virtual time: what the simulator found, and that it finds what is broken (F22-F24).
import { describe, expect, it } from 'vitest'
import { SimulatedCluster } from '../../src/testing/index.js'
import { runSeed } from '../../src/testing/run-seed.js'
import { Counter } from '../support/counter.js'

describe('a node that joins', () => {
  it('takes no snapshot of what lies in front of the entry that adds it: it does not know the members of that time', async () => {
    const snapshot = { everyEntries: 2, trailingEntries: 100 }
    const cluster = { voters: 1, options: { snapshot } }
    await using simulated = new SimulatedCluster<number, number>({
      stateMachine: () => new Counter(),
      cluster,
      seed: 1,
    })
    await simulated.advance(3_000)
    for (let count = 0; count < 20; count++) await simulated.settle(simulated.leader!.propose(1))
    await simulated.inject({ type: 'add', node: 'n2' })
    await simulated.advance(5_000)
    expect(simulated.nodes.get('n2')!.status()).toMatchObject({ suffrage: 'voter', lastApplied: 25 })
    const { lastIncludedIndex, configurationIndex } = await simulated.settle(simulated.nodes.get('n2')!.takeSnapshot())
    expect({ lastIncludedIndex, configurationIndex }).toEqual({ lastIncludedIndex: 25, configurationIndex: 25 })
  })
})

describe('the profile of membership', () => {
  // 2: a joiner stopped itself at its first snapshot. 90: reads waited for a member that was gone. 21: one snapshot was
  // sent again and again, while the log had been compacted beyond it. 868: who can hold one range waited two heartbeats for
  // each. 1263: a leader that was left out told its target to campaign and appended once more in the same step.
  it.each([2n, 21n, 27n, 90n, 868n, 1263n, 1608n, 2852n])(
    'holds in seed %i, which found something once',
    async (seed) => {
      expect(await runSeed(seed, { profile: 'membership' })).toMatchObject({ violation: null })
    },
  )

  it('notices a leader that counts one half of a joint configuration only (H41)', async () => {
    const { check } = await runSeed(47n, { profile: 'membership', bug: 'joint-half-commits' })
    expect(check).toBe('committed-is-durable')
  })
})
