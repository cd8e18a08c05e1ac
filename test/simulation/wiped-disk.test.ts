// H19, H112: a member whose disk was wiped, on virtual time. Nobody who knows the member lets it in, whatever bootstrap list it
// has; it elects nobody; and it serves again when it was removed and added again.
import { describe, expect, it } from 'vitest'
import { SimulatedCluster } from '../../src/testing/index.js'
import { runSeed } from '../../src/testing/run-seed.js'
import { Counter } from '../support/counter.js'

const clusterOf = (voters: number): SimulatedCluster<number, number> =>
  new SimulatedCluster<number, number>({ stateMachine: () => new Counter(), cluster: { voters, options: {} }, seed: 1 })

describe('a member whose disk was wiped', () => {
  it.each(['n1', 'n2'])(
    '%s is refused, and helps to elect nobody, until it was removed and added again',
    async (wiped) => {
      await using simulated = clusterOf(3)
      await simulated.advance(10_000)
      expect(await simulated.settle(simulated.leader!.propose(1))).toMatchObject({ result: 1 })
      await simulated.inject({ type: 'wipeDisk', node: wiped })
      await simulated.inject({ type: 'restart', node: wiped })
      await simulated.advance(10_000)
      const status = simulated.nodes.get(wiped)!.status()
      expect(status).toMatchObject({ role: 'follower', currentTerm: 0, lastApplied: 0, configuration: { members: [] } })
      // The two that are left are a majority; one of them and the wiped node are none.
      const leader = simulated.leader!
      expect(await simulated.settle(leader.propose(1))).toMatchObject({ result: 2 })
      await simulated.inject({ type: 'crash', node: 'leader' })
      await simulated.advance(10_000)
      expect(simulated.leader).toBeNull()
      for (const node of ['n1', 'n2', 'n3']) if (node !== wiped) await simulated.inject({ type: 'restart', node })
      await simulated.advance(10_000)
      await simulated.inject({ type: 'remove', node: wiped })
      await simulated.advance(5_000)
      await simulated.inject({ type: 'add', node: wiped })
      await simulated.advance(10_000)
      expect(simulated.nodes.get(wiped)!.status()).toMatchObject({ suffrage: 'voter' })
      const { result } = await simulated.settle(simulated.nodes.get(wiped)!.propose(1))
      expect(result).toBe(3)
    },
  )

  it('is none where the others are not enough', async () => {
    await using simulated = clusterOf(2)
    await simulated.advance(10_000)
    await simulated.inject({ type: 'wipeDisk', node: 'n2' })
    await simulated.advance(10_000)
    expect(await simulated.settle(simulated.leader!.propose(1))).toMatchObject({ result: 1 })
  })

  // A founder that was added again led alone, by the first configuration of its log.
  it('leads nobody by the configurations that it was a voter of before', async () => {
    expect(await runSeed(32n, { profile: 'storage' })).toMatchObject({ violation: null })
  })
})
