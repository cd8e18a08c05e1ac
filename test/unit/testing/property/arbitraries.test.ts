// The arbitraries: what they give is always valid for `simulate`, is plain data, and shrinks to nothing.
import fc from 'fast-check'
import { type ClusterShape, type FaultPlan, simulate, type WorkloadStep } from 'helios-raft/testing'
import { arbCluster, arbFaultPlan, arbWorkload } from 'helios-raft/testing'
import { describe, expect, it } from 'vitest'
import { FAULT_TYPES } from '../../../../src/testing/fault-plan.js'
import { type Add, Counter } from './machines.js'

const command = fc.record({ add: fc.nat(9) })
const SEED = { seed: 1 }

/** What a property that never holds shrinks to. */
function smallest(arbitrary: fc.Arbitrary<unknown>, seed: number): unknown {
  const never = fc.property(arbitrary, () => false)
  return fc.check(never, { seed }).counterexample?.[0]
}

describe('the arbitraries of simulations', { timeout: 120_000 }, () => {
  it('give what simulate takes, and a counter survives it', async () => {
    const workload = arbWorkload({ command, query: fc.constant('sum' as const), maxSteps: 10 })
    const nodes = ['n1', 'n2', 'n3', 'n4', 'n5']
    const property = fc.asyncProperty(arbCluster(), arbFaultPlan({ nodes }), workload, fc.nat(), async (...drawn) => {
      const [cluster, faults, steps, seed] = drawn
      const query = ({ sum }: Counter): number => sum
      await simulate({ stateMachine: () => new Counter(), query, cluster, faults, workload: steps, seed })
    })
    await fc.assert(property, { ...SEED, numRuns: 25 })
  })

  it.each([1, 2, 3])('shrink to one voter with default options, no faults, no steps (seed %i)', (seed) => {
    expect(smallest(arbCluster(), seed)).toEqual({ voters: 1, learners: 0, options: {} })
    expect(smallest(arbFaultPlan(), seed)).toEqual({ faults: [] })
    expect(smallest(arbWorkload({ command }), seed)).toEqual([])
  })

  it('shrink to the smallest range that is allowed', () => {
    expect(smallest(arbCluster({ voters: [3, 7], learners: [0, 2] }), 1)).toEqual({
      voters: 3,
      learners: 0,
      options: {},
    })
  })

  it('shrink a plan that must cut something to a cut both ways, at the beginning, without an end', () => {
    const cuts = ({ faults }: FaultPlan): boolean => {
      return faults.some((fault) => {
        return fault.type === 'cut' || (fault.type === 'partition' && fault.groups.length > 1)
      })
    }
    for (const seed of [1, 2, 3, 4]) {
      const { counterexample } = fc.check(
        fc.property(arbFaultPlan({ types: ['cut', 'partition', 'heal'] }), (plan) => !cuts(plan)),
        { seed },
      )
      const { faults } = counterexample?.[0] ?? { faults: [] }
      expect(faults).toEqual([{ atMs: 0, type: 'partition', groups: expect.any(Array) }])
      expect(faults[0]).toHaveProperty('groups.length', 2)
    }
  })

  it('print values that can be pasted back', () => {
    const revive = (text: string): unknown => new Function(`return ${text}`)()
    const print = (values: readonly unknown[]): unknown[] => values.map((value) => revive(fc.stringify(value)))
    const plans: FaultPlan[] = fc.sample(arbFaultPlan(), { ...SEED, numRuns: 200 })
    expect(print(plans)).toEqual(plans)
    const shapes: ClusterShape[] = fc.sample(arbCluster(), { ...SEED, numRuns: 50 })
    expect(print(shapes)).toEqual(shapes)
    const workloads: (readonly WorkloadStep<Add>[])[] = fc.sample(arbWorkload({ command }), { ...SEED, numRuns: 50 })
    expect(print(workloads)).toEqual(workloads)
    expect(JSON.parse(JSON.stringify(plans))).toEqual(plans)
  })
})

describe('arbFaultPlan', () => {
  const plans = fc.sample(arbFaultPlan(), { ...SEED, numRuns: 1_000 })

  it('has every type of fault, in order, in whole ms, and within its bounds', () => {
    const faults = plans.flatMap((plan) => plan.faults)
    expect(new Set(faults.map(({ type }) => type))).toEqual(new Set(FAULT_TYPES))
    for (const plan of plans) {
      const times = plan.faults.map(({ atMs }) => atMs)
      expect(times).toEqual(times.toSorted((a, b) => a - b))
      expect(times.every((ms) => Number.isInteger(ms) && ms >= 0 && ms <= 5_000)).toBe(true)
      expect(plan.faults.length).toBeLessThanOrEqual(8)
    }
    for (const fault of faults) if (fault.type === 'pause') expect(Number.isInteger(fault.forMs)).toBe(true)
  })

  it('names only nodes of the cluster, each once in a partition', () => {
    const known = ['n1', 'n2', 'n3']
    for (const fault of plans.flatMap((plan) => plan.faults)) {
      if ('node' in fault) expect([...known, 'leader']).toContain(fault.node)
      if (fault.type === 'partition') expect(fault.groups.flat().sort()).toEqual(known)
      if (fault.type === 'cut') expect(new Set([fault.from, fault.to, ...known]).size).toBe(3)
      if (fault.type === 'cut') expect(fault.from).not.toBe(fault.to)
      if (fault.type === 'reset') expect(fault.nodes[0]).not.toBe(fault.nodes[1])
    }
  })

  it('lets most crashes be followed by a restart of the same node', () => {
    const crashes = plans.flatMap(({ faults }) => {
      return faults.flatMap((fault, at) => (fault.type === 'crash' ? [{ fault, later: faults.slice(at + 1) }] : []))
    })
    const known = crashes.filter(({ fault }) => fault.node !== 'leader')
    const ended = known.filter(({ fault, later }) => {
      return later.some((other) => other.type === 'restart' && other.node === fault.node)
    })
    expect(ended.length / known.length).toBeGreaterThan(0.3)
  })

  it('keeps to the types, the duration and the number that it is given', () => {
    const some = fc.sample(arbFaultPlan({ types: ['crash', 'heal'], durationMs: 10, maxFaults: 2 }), 300)
    expect(new Set(some.flatMap(({ faults }) => faults.map(({ type }) => type)))).toEqual(new Set(['crash', 'heal']))
    expect(Math.max(...some.flatMap(({ faults }) => faults.map(({ atMs }) => atMs)))).toBeLessThanOrEqual(10)
    expect(Math.max(...some.map(({ faults }) => faults.length))).toBe(2)
    expect(fc.sample(arbFaultPlan({ types: [] }), 1)).toEqual([{ faults: [] }])
    expect(fc.sample(arbFaultPlan({ types: ['partition'], nodes: ['n1'] }), 1)).toEqual([{ faults: [] }])
    expect(fc.sample(arbFaultPlan({ maxFaults: 0 }), 1)).toEqual([{ faults: [] }])
  })

  it.each([
    [{ types: ['crash', 'wipe'] }, /types: 'wipe' is not in this version/],
    [{ types: ['flood'] }, /types: there is no fault 'flood'; use crash,/],
    [{ durationMs: -1 }, /durationMs is -1/],
    [{ durationMs: 1.5 }, /durationMs is 1.5/],
    [{ maxFaults: Number.NaN }, /maxFaults is NaN/],
    [{ nodes: [] }, /nodes is \[\]/],
    [{ nodes: ['n1', 'n1'] }, /nodes is \[n1, n1\]/],
  ])('refuses %o', (constraints, message) => {
    expect(() => arbFaultPlan(constraints as object)).toThrow(message)
    expect(() => arbFaultPlan(constraints as object)).toThrow(expect.objectContaining({ code: 'RAFT_INVALID_OPTION' }))
  })
})

describe('arbWorkload', () => {
  it('keeps to its clients, steps and duration, and reads only where there is a query', () => {
    const writes = fc.sample(arbWorkload({ command, clients: 2, maxSteps: 4, durationMs: 50 }), 300)
    expect(new Set(writes.flat().map(({ client }) => client))).toEqual(new Set([0, 1]))
    expect(new Set(writes.flat().map(({ action }) => action.type))).toEqual(new Set(['propose']))
    expect(Math.max(...writes.map(({ length }) => length))).toBe(4)
    expect(Math.max(...writes.flat().map(({ atMs }) => atMs))).toBeLessThanOrEqual(50)
    const both = fc.sample(arbWorkload({ command, query: fc.constant('sum') }), 50)
    expect(new Set(both.flat().map(({ action }) => action.type))).toEqual(new Set(['propose', 'read']))
  })

  it('refuses wrong numbers', () => {
    expect(() => arbWorkload({ command, clients: 0 })).toThrow(/clients is 0/)
    expect(() => arbWorkload({ command, maxSteps: -1 })).toThrow(/maxSteps is -1/)
  })
})

describe('arbCluster', () => {
  it('keeps to its range', () => {
    const shapes = fc.sample(arbCluster({ voters: [2, 4] }), 300)
    expect(new Set(shapes.map(({ voters }) => voters))).toEqual(new Set([2, 3, 4]))
  })

  it.each([
    [{ voters: [0, 3] }, /voters\[0\] is 0/],
    [{ voters: [3, 8] }, /voters\[1\] is 8/],
    [{ voters: [3, 2] }, /voters\[1\] is 2/],
    [{ voters: [3, 7], learners: [1, 2] }, /at most 7 nodes/],
  ])('refuses %o', (constraints, message) => {
    expect(() => arbCluster(constraints as object)).toThrow(message)
  })
})
