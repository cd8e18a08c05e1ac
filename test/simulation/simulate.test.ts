import type { ApplyContext, SnapshotContext, StateMachine } from 'helios-raft'
import {
  type Action,
  type LinearizabilityModel,
  replay,
  simulate,
  SimulationFailure,
  type WorkloadStep,
} from 'helios-raft/testing'
import { describe, expect, it } from 'vitest'

type Command = { readonly add: number }

/** A counter, as a user would write it. */
class Counter implements StateMachine<Command, number> {
  sum = 0
  readonly apply = ({ add }: Command, _context: ApplyContext): number => {
    this.sum += add
    return this.sum
  }
  async *snapshot(_context: SnapshotContext): AsyncIterable<Uint8Array> {
    yield new TextEncoder().encode(String(this.sum))
  }
  async restore(): Promise<void> {
    throw new Error('no snapshot is taken in these runs')
  }
}

const adds = (count: number): WorkloadStep<Command, 'sum'>[] => {
  return Array.from({ length: count }, (_, at) => {
    return {
      atMs: 1_500 + at * 50,
      client: at % 3,
      on: 'any' as const,
      action: { type: 'propose', command: { add: 1 } } as const,
    }
  })
}

const query = (counter: Counter, _query: 'sum'): number => counter.sum

describe('simulate', () => {
  it("runs a user's state machine without faults, every call answered and all replicas equal", async () => {
    const reads: WorkloadStep<Command, 'sum'>[] = [
      { atMs: 4_000, client: 9, on: 'leader', action: { type: 'read', query: 'sum' } },
      { atMs: 4_000, client: 9, on: 'n1', action: { type: 'read', query: 'sum', consistency: 'local' } },
    ]
    const report = await simulate({
      stateMachine: () => new Counter(),
      workload: [...adds(20), ...reads],
      query,
      seed: 1,
    })
    expect(report).toMatchObject({ skippedSteps: 0 })
    expect(report.history).toHaveLength(22)
    expect(report.history.every(({ outcome }) => outcome === 'ok')).toBe(true)
    expect(report.history.filter(({ input }) => input.type === 'read').map(({ output }) => output)).toEqual([20, 20])
    expect([...report.stateMachines].map(([id, { sum }]) => [id, sum])).toEqual([
      ['n1', 20],
      ['n2', 20],
      ['n3', 20],
    ])
    expect(report.seed).toBe(1n)
  })

  it('says how many steps of the workload were not made, because their node was down', async () => {
    const step = { client: 1, on: 'n1', action: { type: 'propose', command: { add: 1 } } } as const
    const workload: WorkloadStep<Command, 'sum'>[] = [2_500, 2_600].map((atMs) => ({ atMs, ...step }))
    const faults = { faults: [{ atMs: 2_000, type: 'crash', node: 'n1' }] } as const
    const report = await simulate({ stateMachine: () => new Counter(), workload, faults, query, seed: 1 })
    expect(report).toMatchObject({ skippedSteps: 2, history: [] })
  })

  it('gives the same report for the same seed, whatever happens in it', async () => {
    const run = () => {
      return simulate({
        stateMachine: () => new Counter(),
        workload: adds(60),
        seed: 77n,
        cluster: { voters: 5, options: { electionTimeoutMs: 150, heartbeatIntervalMs: 50 } },
        faults: {
          faults: [
            { atMs: 0, type: 'link', lossRatio: 0.1, duplicateRatio: 0.2, latencyMs: [1, 40] },
            { atMs: 1_700, type: 'crash', node: 'leader' },
            {
              atMs: 1_900,
              type: 'partition',
              groups: [
                ['n1', 'n2'],
                ['n3', 'n4', 'n5'],
              ],
            },
            { atMs: 2_300, type: 'restart', node: 'n1' },
            { atMs: 2_400, type: 'pause', node: 'leader', forMs: 700 },
            { atMs: 2_600, type: 'heal' },
            { atMs: 2_700, type: 'failWrite', node: 'n3' },
            { atMs: 3_000, type: 'cut', from: 'n4', to: 'n5' },
            { atMs: 3_200, type: 'reset', nodes: ['n4', 'n1'] },
            { atMs: 3_400, type: 'stop', node: 'n2' },
          ],
        },
      })
    }
    const [first, second] = [await run(), await run()]
    expect(second.traceHash).toBe(first.traceHash)
    expect(second.history).toEqual(first.history)
    expect(first.stateMachines.size).toBe(5)
    const sums = new Set([...first.stateMachines.values()].map(({ sum }) => sum))
    expect(sums.size).toBe(1)
    const acknowledged = first.history.filter(({ outcome }) => outcome === 'ok').length
    expect([...sums][0]).toBeGreaterThanOrEqual(acknowledged)
  })

  it('finds a state machine whose results are not decided by the log alone', async () => {
    let instances = 0
    class Forgetful extends Counter {
      readonly #number = instances++
      override readonly apply = (_command: Command): number => this.#number
    }
    const failure = await simulate({ stateMachine: () => new Forgetful(), workload: adds(3), seed: 3 }).catch(
      (error: unknown) => error,
    )
    expect(failure).toBeInstanceOf(SimulationFailure)
    const { violation, seed, trace, command } = failure as SimulationFailure
    expect(violation).toMatch(/the state machines differ/)
    expect(seed).toBe(3n)
    expect(command).toContain('seed: 3n')
    expect(await replay(trace)).toEqual({ steps: expect.any(Number), divergedAt: null })
  })

  it('finds replicas whose states differ although their results are equal', async () => {
    let instances = 0
    class Secretive extends Counter {
      readonly #number = instances++
      override async *snapshot(): AsyncIterable<Uint8Array> {
        yield Uint8Array.of(this.#number)
      }
    }
    await expect(simulate({ stateMachine: () => new Secretive(), workload: adds(3), seed: 4 })).rejects.toThrow(
      /snapshots of n1 and n2 at index \d+ differ/,
    )
  })

  it('reports an invariant that does not hold, with the entry after which it broke', async () => {
    const invariant = ({ sum }: Counter): void => {
      if (sum > 2) throw new Error(`the sum is ${sum}`)
    }
    const run = simulate({ stateMachine: () => new Counter(), workload: adds(5), invariant, seed: 5 })
    await expect(run).rejects.toThrow(/the invariant does not hold after entry \d+: the sum is 3/)
  })

  it('leaves a script of what the failure needs, to be pasted, unless told not to', async () => {
    const invariant = ({ sum }: Counter): void => {
      if (sum > 100) throw new Error(`the sum is ${sum}`)
    }
    const workload = adds(20).map((step, at) => {
      return at === 7 ? { ...step, action: { type: 'propose', command: { add: 101 } } as const } : step
    })
    const faults = { faults: [{ atMs: 1_600, type: 'pause', node: 'n1', forMs: 20 }] } as const
    const options = { stateMachine: () => new Counter(), workload, faults, invariant, seed: 9 }
    const failureOf = async (shrink: boolean): Promise<SimulationFailure> => {
      return (await simulate({ ...options, shrink }).catch((error: unknown) => error)) as SimulationFailure
    }
    const { script } = await failureOf(true)
    expect(script.split('\n').filter((line) => line.includes('add:'))).toEqual([
      '    { atMs: 1850, client: 1, on: "any", action: { type: "propose", command: { add: 101 } } },',
    ])
    expect(script).toContain('faults: { faults: [] }')
    expect(script).toMatch(/^\/\/ n\d: the invariant does not hold[^]*seed: 9n,/)
    const pasted = new Function('simulate', 'yours', `return (async () => { ${script} })()`) as (
      ...given: unknown[]
    ) => Promise<void>
    await expect(pasted(simulate, { stateMachine: options.stateMachine, invariant })).rejects.toThrow(/the sum is 101/)
    expect((await failureOf(false)).script.match(/add:/g)).toHaveLength(20)
  })

  it('holds the history against a model, and shows the answers that fit no order', async () => {
    const reads: WorkloadStep<Command, 'sum'>[] = Array.from({ length: 10 }, (_, at) => {
      return { atMs: 2_000 + at * 70, client: 5, on: 'any', action: { type: 'read', query: 'sum' } }
    })
    const model: LinearizabilityModel<number, Action<Command, 'sum'>, number> = {
      init: () => 0,
      step: (sum, input, output) => {
        const next = input.type === 'propose' ? sum + input.command.add : sum
        return output === undefined || output === next ? next : null
      },
    }
    const faults = { faults: [{ atMs: 2_300, type: 'crash', node: 'leader' }] } as const
    const options = { stateMachine: () => new Counter(), workload: [...adds(20), ...reads], model, faults, seed: 12 }
    expect((await simulate({ ...options, query })).history).toHaveLength(30)
    // An answer of yesterday, now and then.
    const stale = (counter: Counter): number => (counter.sum > 12 ? counter.sum - 4 : counter.sum)
    await expect(simulate({ ...options, query: stale })).rejects.toThrow(
      /the history is not linearizable: no order of .*client 5/s,
    )
  })

  it('reports a cluster that is not live, and does not ask for life when told so', async () => {
    // One of two voters never comes up again while nothing is healed: no quorum.
    const faults = { faults: [{ atMs: 1_200, type: 'crash', node: 'n2' }] } as const
    const cluster = { voters: 2, options: {} }
    const report = await simulate({
      stateMachine: () => new Counter(),
      workload: adds(3),
      faults,
      cluster,
      seed: 6,
      liveness: false,
    })
    expect(report.history.map(({ outcome }) => outcome)).not.toContain('ok')
    expect([...report.stateMachines.keys()]).toEqual(['n1'])
    const healed = await simulate({ stateMachine: () => new Counter(), workload: adds(3), faults, cluster, seed: 6 })
    expect(healed.stateMachines.size).toBe(2)
  })

  it('ends with the reason of its signal', async () => {
    const signal = AbortSignal.abort(new Error('enough'))
    await expect(simulate({ stateMachine: () => new Counter(), workload: adds(3), seed: 7, signal })).rejects.toThrow(
      'enough',
    )
  })

  it.each([
    [{ seed: -1 }, /seed is -1/],
    [{ seed: 1.5 }, /seed is 1.5/],
    [{ seed: 1n << 64n }, /seed is 18446744073709551616/],
    [{ seed: 1, cluster: { voters: 0, options: {} } }, /cluster.voters is 0/],
    [{ seed: 1, cluster: { voters: 8, options: {} } }, /cluster.voters is 8/],
  ])('refuses %o', async (options, message) => {
    await expect(simulate({ stateMachine: () => new Counter(), ...options })).rejects.toThrow(message)
  })
})
