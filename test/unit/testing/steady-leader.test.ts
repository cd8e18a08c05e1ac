import { describe, expect, it } from 'vitest'
import { bootstrapConfiguration } from '../../../src/core/configuration.js'
import type { StateMachine } from '../../../src/interfaces/state-machine.js'
import type { Cluster } from '../../../src/testing/cluster.js'
import { SimulationRandom } from '../../../src/testing/prng.js'
import { expectSteadyLeader } from '../../../src/testing/steady-leader.js'

const LIST = ['n1', 'n2', 'n3'].map((id) => ({ id, address: id }))

type AnyCluster = Cluster<unknown, unknown, StateMachine<unknown, unknown>>

/** What the phase reports of a cluster led by n1, to which `happens` while n2 or n3 is half connected. */
async function trouble(happens: (lab: { leader: string | null; changes: number }) => void): Promise<string | null> {
  const lab = { leader: 'n1' as string | null, changes: 1 }
  let violation: string | null = null
  const cluster = {
    ids: ['n1', 'n2', 'n3'],
    soundIds: ['n1', 'n2', 'n3'],
    processes: [],
    nowMs: 0,
    get leader() {
      return lab.leader === null ? null : { id: lab.leader }
    },
    invariants: {
      configurations: { newest: { index: 0, configuration: bootstrapConfiguration(LIST) }, version: 0 },
      get leaderChanges() {
        return lab.changes
      },
      get violation() {
        return violation
      },
      fail: (_check: string, problem: string) => {
        violation ??= problem
      },
    },
    coverage: { count: () => {} },
    network: { heal: () => {} },
    inject: () => {},
    run: () => Promise.resolve(happens(lab)),
  } as unknown as AnyCluster
  await expectSteadyLeader(cluster, { electionTimeoutMs: 100, random: new SimulationRandom(1n) })
  return violation
}

describe('expectSteadyLeader', () => {
  it('is content with a leader that goes on to lead', async () => {
    expect(await trouble(() => {})).toBeNull()
  })

  it('refuses a change of leader (H9, H14)', async () => {
    const change = (lab: { leader: string | null; changes: number }): void => {
      Object.assign(lab, { leader: 'n3', changes: 2 })
    }
    expect(await trouble(change)).toMatch(/leadership moved 1 times/)
  })

  it('refuses a leader that steps down and has no successor', async () => {
    const stepDown = (lab: { leader: string | null }): void => {
      lab.leader = null
    }
    expect(await trouble(stepDown)).toMatch(/n1 leads no more, and nobody followed it/)
  })
})
