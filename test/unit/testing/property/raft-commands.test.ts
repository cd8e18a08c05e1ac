import fc from 'fast-check'
import { raftCommands, SimulatedCluster } from 'helios-raft/testing'
import { describe, expect, it } from 'vitest'
import { type Add, Counter, WrongCounter } from './machines.js'

interface Model {
  sum: number
}

const apply = (model: Model, { add }: Add): number => {
  model.sum += add
  return model.sum
}
const check = (model: Model, actual: unknown): void => {
  const { sum } = actual as Counter
  if (sum !== model.sum) throw new Error(`the sum is ${sum}, the model says ${model.sum}`)
}
const command = fc.record({ add: fc.integer({ min: 1, max: 9 }) }, { noNullPrototype: true })
const arbitraries = () => raftCommands<Add, number, Model>({ command, apply, check })

/** Runs random commands against a counter; how many shrunk, and what was printed. */
async function run(
  machine: () => Counter,
  options: { commands?: ReturnType<typeof arbitraries>; numRuns?: number; seed?: number } = {},
) {
  const { commands = arbitraries(), numRuns = 50, seed = 1 } = options
  const property = fc.asyncProperty(fc.commands(commands), fc.nat(), async (drawn, clusterSeed) => {
    const cluster = new SimulatedCluster({ stateMachine: machine, seed: clusterSeed })
    try {
      await fc.asyncModelRun(() => ({ model: { sum: 0 }, real: cluster }), drawn)
    } finally {
      await cluster[Symbol.asyncDispose]()
    }
  })
  return await fc.check(property, { seed, numRuns })
}

describe('raftCommands', { timeout: 120_000 }, () => {
  it('lets a right state machine pass, with crashes, partitions, pauses and bad links', async () => {
    const { failed, errorInstance } = await run(() => new Counter())
    expect(errorInstance).toBeNull()
    expect(failed).toBe(false)
  })

  it('lets it pass with every fault that there is', async () => {
    const faults = ['crash', 'restart', 'stop', 'cut', 'reset', 'heal', 'failWrite', 'hangDisk', 'slowDisk'] as const
    const commands = raftCommands<Add, number, Model>({ command, apply, check, faults })
    const { failed, errorInstance } = await run(() => new Counter(), { commands, seed: 2 })
    expect(errorInstance).toBeNull()
    expect(failed).toBe(false)
  })

  it('finds a state machine that is wrong alike on every node, and shrinks to what is needed', async () => {
    const { counterexample, errorInstance } = await run(() => new WrongCounter())
    const commands = [...(counterexample?.[0] ?? [])].map(String)
    expect(commands).toHaveLength(5)
    for (const text of commands) expect(text).toMatch(/^propose\(\{"add":1\}\) on n[123]$/)
    expect(String(errorInstance)).toMatch(/propose\(\{"add":1\}\) returned 6, but the model gives 5/)
  })

  it('finds by `check` at the end what no result shows', async () => {
    class Secretive extends Counter {
      override readonly apply = ({ add }: Add): number => {
        this.sum += add === 7 ? 8 : add
        return 0
      }
    }
    const silent = (model: Model, add: Add): number => apply(model, add) * 0
    const commands = raftCommands<Add, number, Model>({ command, check, apply: silent })
    // Proposals alone: nothing but the end compares.
    const { counterexample, errorInstance } = await run(() => new Secretive(), { commands: commands.slice(0, 2) })
    // fast-check keeps the last command in any case.
    const shrunk = [...(counterexample?.[0] ?? [])].map(String)
    expect(shrunk[0]).toMatch(/^propose\(\{"add":7\}\) on/)
    expect(shrunk.length).toBeLessThanOrEqual(2)
    expect(String(errorInstance)).toMatch(
      /n\d has applied all that is committed, but the sum is (8|9), the model says (7|8)/,
    )
  })

  it('prints each command as the call that it makes', () => {
    const texts = fc.sample(fc.commands(arbitraries(), { size: 'max', maxCommands: 40 }), { seed: 1, numRuns: 20 })
    const shapes = new Set(texts.flatMap((commands) => [...commands].map((one) => /^\w+\(/.exec(String(one))?.[0])))
    expect(shapes).toEqual(new Set(['propose(', 'read(', 'advance(', 'compare(', 'inject(']))
    const injected = texts.flatMap((commands) => [...commands].map(String).filter((text) => text.startsWith('inject')))
    for (const text of injected) expect(JSON.parse(text.slice('inject('.length, -1))).toHaveProperty('type')
  })

  it('refuses faults of a later version', () => {
    const faults = ['wipe'] as unknown as ['crash']
    expect(() => raftCommands({ command, apply, check, faults })).toThrow(/faults: 'wipe' is not in this version/)
  })
})
