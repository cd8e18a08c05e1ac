// What `simulate` and SimulatedCluster refuse: by name, with the value, before anything runs.
import { describe, expect, it } from 'vitest'
import { SimulatedCluster, simulate } from '../../../src/testing/index.js'

class Sum {
  sum = 0
  apply = (by: number): number => (this.sum += by)
  async *snapshot(): AsyncGenerator<Uint8Array> {
    yield new TextEncoder().encode(String(this.sum))
  }
  async restore(chunks: AsyncIterable<Uint8Array>): Promise<void> {
    for await (const chunk of chunks) this.sum = Number(new TextDecoder().decode(chunk))
  }
}

const shared = new Sum()
const STEP = { atMs: 3_000, client: 0, on: 'any', action: { type: 'propose', command: 1 } }
const READ = { ...STEP, action: { type: 'read', query: 'sum' } }

/** As from JavaScript, where no compiler looks. */
function simulated(options: object): Promise<unknown> {
  return simulate({ stateMachine: () => new Sum(), seed: 1, shrink: false, ...options } as never)
}

function withFault(fault: object): object {
  return { faults: { faults: [{ atMs: 100, ...fault }] } }
}

const REFUSED: readonly (readonly [wrong: object, message: RegExp])[] = [
  [{ seed: -1 }, /^seed is -1: use/],
  [{ seed: '5' }, /^seed is '5': use/],
  [{ seed: undefined }, /^seed is undefined: use/],
  [{ stateMachine: new Sum() }, /^stateMachine is an object: use a function/],
  [{ stateMachine: () => null }, /^what stateMachine\(\) returned is null/],
  [{ stateMachine: async () => new Sum() }, /^what stateMachine\(\) returned has no method 'apply'/],
  [{ stateMachine: () => shared }, /^stateMachine\(\) returned one object twice/],
  [{ workloads: [] }, /^simulate has no 'workloads': it has stateMachine/],
  [{ query: 'sum' }, /^query is 'sum'/],
  [{ invariant: 'sum' }, /^invariant is 'sum'/],
  [{ model: {} }, /^model has no method 'init'/],
  [{ liveness: 'no' }, /^liveness is 'no': use true or false/],
  [{ shrink: 5 }, /^shrink is 5/],
  [{ maxEvents: -1 }, /^maxEvents is -1/],
  [{ maxEvents: Number.NaN }, /^maxEvents is NaN/],
  [{ signal: 3 }, /^signal is 3/],
  [{ cluster: 3 }, /^cluster is 3/],
  [{ cluster: { voters: 3 } }, /^cluster.options is undefined: use an object, {}/],
  [{ cluster: { voters: 0, options: {} } }, /^cluster.voters is 0: use a whole number from 1 to 7/],
  [{ cluster: { voters: 8, options: {} } }, /^cluster.voters is 8/],
  [{ cluster: { voters: 2.5, options: {} } }, /^cluster.voters is 2.5/],
  [{ cluster: { voters: 3, options: { electionTimeout: 5 } } }, /^cluster.options has no 'electionTimeout': it has/],
  [{ faults: [] }, /^faults is an array: use a fault plan/],
  [{ faults: { faults: [null] } }, /^faults.faults\[0\] is null/],
  [withFault({ type: 'explode' }), /^faults.faults\[0\].type: there is no fault 'explode'; use crash/],
  [withFault({ type: 'wipe', node: 'n1' }), /'wipe' is not in this version/],
  [withFault({ type: 'crash' }), /^faults.faults\[0\].node is undefined: nodes are n1 to n7/],
  [withFault({ type: 'crash', node: 'n9' }), /^faults.faults\[0\].node is 'n9'/],
  [withFault({ type: 'crash', node: 'n1', afterEffect: 1 }), /a crash, has no 'afterEffect': it has .*afterEffects/],
  [withFault({ type: 'crash', node: 'n1', afterEffects: -1 }), /afterEffects is -1/],
  [withFault({ type: 'heal', atMs: -5 }), /^faults.faults\[0\].atMs is -5: use a number of ms/],
  [withFault({ type: 'heal', atMs: Number.NaN }), /atMs is NaN/],
  [withFault({ type: 'heal', atMs: Number.POSITIVE_INFINITY }), /atMs is Infinity/],
  [withFault({ type: 'heal', atMs: '100' }), /atMs is '100'/],
  [withFault({ type: 'pause', node: 'n1' }), /forMs is undefined/],
  [
    withFault({ type: 'link', lossRatio: 2, duplicateRatio: 0, latencyMs: [1, 2] }),
    /lossRatio is 2: use a number from 0/,
  ],
  [withFault({ type: 'link', lossRatio: 0, duplicateRatio: 0, latencyMs: [9, 2] }), /latencyMs is \[9, 2\]/],
  [withFault({ type: 'link', lossRatio: 0.1 }), /duplicateRatio is undefined/],
  [withFault({ type: 'slowDisk', node: 'n1', writeMs: [5] }), /writeMs has 1 numbers/],
  [withFault({ type: 'clockRate', node: 'n1', ratio: 5 }), /clockRate of n1 is 5/],
  [withFault({ type: 'partition', groups: 'n1' }), /groups is 'n1'/],
  [withFault({ type: 'partition', groups: [['n9'], ['n1']] }), /groups\[0\]\[0\] is 'n9'/],
  [withFault({ type: 'partition', groups: [['n1'], ['n1', 'n2']] }), /groups has 'n1' twice/],
  [withFault({ type: 'cut', from: 'n1', to: 'n1' }), /goes from 'n1' to itself/],
  [withFault({ type: 'cut', from: 'leader', to: 'n1' }), /from is 'leader': use a node/],
  [withFault({ type: 'reset', nodes: ['n1'] }), /nodes is \[n1\]: name two nodes/],
  [{ workload: {} }, /^workload is an object: use an array of steps/],
  [{ workload: [null] }, /^workload\[0\] is null/],
  [{ workload: [{ ...STEP, on: 'n9' }] }, /^workload\[0\].on is 'n9': nodes are n1 to n7.*'leader' or 'any'/],
  [{ workload: [{ ...STEP, atMs: Number.NaN }] }, /^workload\[0\].atMs is NaN/],
  [{ workload: [{ ...STEP, client: -1 }] }, /^workload\[0\].client is -1/],
  [{ workload: [{ ...STEP, action: { type: 'delete' } }] }, /action.type is 'delete': use 'propose' or 'read'/],
  [{ workload: [{ ...STEP, action: { ...STEP.action, session: true } }] }, /action has no 'session'/],
  [{ workload: [{ ...READ, action: { ...READ.action, consistency: 'strong' } }] }, /consistency is 'strong'/],
  [{ workload: [READ] }, /^workload\[0\].action is a read, but there is no option query/],
  [{ workload: [READ], query: async () => 1 }, /^query returned a promise/],
  [{ workload: [STEP], invariant: () => Promise.reject(new Error('late')) }, /^invariant returned a promise/],
]

describe('simulate', () => {
  it.each(REFUSED)('refuses %o by name', async (wrong, message) => {
    await expect(simulated(wrong)).rejects.toMatchObject({
      code: 'RAFT_INVALID_OPTION',
      message: expect.stringMatching(message),
    })
  })

  it('refuses to run without options', async () => {
    await expect(simulate(undefined as never)).rejects.toMatchObject({ code: 'RAFT_INVALID_OPTION' })
  })

  it('takes every fault that its reference lists, also one for a node that this cluster lacks', async () => {
    const kinds = [
      { type: 'crash', node: 'n7', afterEffects: 0 },
      { type: 'pause', node: 'leader', forMs: 0 },
      { type: 'partition', groups: [['n1', 'n6'], []] },
      { type: 'heal' },
      { type: 'cut', from: 'n1', to: 'n7' },
      { type: 'reset', nodes: ['n1', 'n2'] },
      { type: 'clog', from: 'n1', to: 'n2', forMs: 1 },
      { type: 'link', lossRatio: 1, duplicateRatio: 0, latencyMs: [0, 0], damageRatio: undefined },
      { type: 'slowDisk', node: 'leader', writeMs: [1, 1] },
      { type: 'clockRate', node: 'n1', ratio: 1.05 },
    ]
    const faults = kinds.map((kind, atMs) => ({ atMs, ...kind }))
    await expect(simulated({ faults: { faults } })).resolves.toMatchObject({ seed: 1n })
  })

  it('says whose snapshot failed, and why', async () => {
    class Broken extends Sum {
      override snapshot(): AsyncGenerator<Uint8Array> {
        throw new Error('no snapshot today')
      }
    }
    await expect(simulated({ stateMachine: () => new Broken() })).rejects.toMatchObject({
      name: 'SimulationFailure',
      violation: expect.stringMatching(/n\d: snapshot\(\) of the state machine failed: no snapshot today/),
    })
  })
})

describe('SimulatedCluster', () => {
  const open = (options: object): SimulatedCluster<number, number> =>
    new SimulatedCluster({ stateMachine: () => new Sum(), seed: 1, ...options } as never)

  it.each([
    [{ stateMachine: 5 }, /^stateMachine is 5/],
    [{ voters: 3 }, /^SimulatedCluster has no 'voters': it has/],
    [{ cluster: { voters: 9, options: {} } }, /^cluster.voters is 9/],
  ])('refuses %o', (wrong, message) => {
    expect(() => open(wrong)).toThrow(expect.objectContaining({ message: expect.stringMatching(message) }))
  })

  it('refuses a fault that it does not know, a time that is none, and to settle what is no promise', async () => {
    const cluster = open({})
    await expect(cluster.inject({ type: 'boom' } as never)).rejects.toThrow("inject.type: there is no fault 'boom'")
    await expect(cluster.inject({ type: 'crash', node: 'n9' })).rejects.toThrow("inject.node is 'n9'")
    await expect(cluster.inject(undefined as never)).rejects.toThrow('inject is undefined')
    await expect(cluster.advance('5' as never)).rejects.toThrow("advance('5')")
    await expect(cluster.settle(5 as never)).rejects.toThrow('settle(5): use a promise')
    await cluster[Symbol.asyncDispose]()
  })
})
