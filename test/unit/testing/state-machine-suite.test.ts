// testStateMachine has teeth: each wrong state machine is found by the case that says what is wrong, with a small log.
import fc from 'fast-check'
import type { StateMachine } from 'helios-raft'
import { testStateMachine } from 'helios-raft/testing'
import { describe, expect, it, test } from 'vitest'
import { Counter } from './property/machines.js'
import * as machines from './wrong-machines.js'

const note = fc.record({ key: fc.constantFrom('a', 'b', 'c'), text: fc.string({ maxLength: 3 }) })
const bytes = fc.uint8Array({ maxLength: 4 })
const SEED = 7

/** The cases that fail, by name, with their messages; of all, or of one. */
async function failures(
  create: () => StateMachine<never, unknown>,
  { command = note, only }: { command?: fc.Arbitrary<unknown>; only?: string } = {},
) {
  const failed = new Map<string, string>()
  const running: Promise<void>[] = []
  const run = (name: string, body: () => Promise<void>): void => {
    if (only !== undefined && name !== `StateMachine: ${only}`) return
    running.push(body().catch((error: Error) => void failed.set(name.replace('StateMachine: ', ''), error.message)))
  }
  await testStateMachine(create as () => StateMachine<unknown, unknown>, { command, seed: SEED }, run)
  await Promise.all(running)
  return failed
}

describe('testStateMachine on right state machines', { timeout: 120_000 }, () => {
  void testStateMachine(() => new machines.Notes(), { command: note }, test)

  it('passes with bytes as commands, with a digest, with a codec, and asynchronously', async () => {
    await testStateMachine(() => new machines.Blobs(), { command: bytes })
    await testStateMachine(() => new machines.Blobs(), { command: bytes, digest: ({ blobs }) => blobs })
    const codec = {
      encode: (add: { add: number }) => new Uint8Array([add.add]),
      decode: ([add = 0]: Uint8Array) => ({ add }),
    }
    await testStateMachine(() => new Counter(), { command: fc.record({ add: fc.nat(9) }), codec })
    class Slow extends machines.Notes {
      override async apply(one: machines.Note) {
        await new Promise((resolve) => setImmediate(resolve))
        return super.apply(one)
      }
    }
    await testStateMachine(() => new Slow(), { command: note, numRuns: 10 })
  })

  it('leaves the clocks and random numbers of the machine as they were', async () => {
    const sources = () => [Date, Date.now, performance.now, Math.random, crypto.randomUUID, process.hrtime.bigint]
    const before = sources()
    await failures(() => new machines.WallClock() as never, { only: DETERMINISTIC })
    expect(sources()).toEqual(before)
    expect(Object.hasOwn(performance, 'now')).toBe(false)
  })

  it('sees nothing of what runs beside apply', async () => {
    class Idle extends machines.Notes {
      override async apply(one: machines.Note) {
        await new Promise((resolve) => setImmediate(resolve))
        return super.apply(one)
      }
    }
    let isOver = false
    const beside = async () => {
      while (!isOver) {
        Date.now()
        Math.random()
        await new Promise((resolve) => setImmediate(resolve))
      }
    }
    const running = beside()
    await testStateMachine(() => new Idle(), { command: note, numRuns: 10 })
    isOver = true
    await running
  })
})

const DETERMINISTIC = 'apply reads no clock and draws no random numbers'
const SAME = 'two instances that apply one log give the same results and hold the same state'
const AS_OF_CALL = 'a snapshot holds the state of its call, whatever is applied while it is pulled'
const ANY_MOMENT = 'restoring a snapshot of any moment gives the state of that moment, and goes on alike'
const REPLACES = 'restore replaces what was there before'
const BROKEN = 'a restore whose chunks fail half way rejects and leaves the state as it was'
const SHORT = 'a restore that rejects a stream that ends too early leaves the state as it was'
const CHUNKS = 'a chunk is a Uint8Array that is not touched any more once it is handed out'

/** The machine, the case that finds it, and what its message says. */
const WRONG: readonly [name: string, found: string, message: RegExp][] = [
  ['WallClock', DETERMINISTIC, /apply read the wall clock \(Date\.now\)/],
  ['NewDate', DETERMINISTIC, /apply read the wall clock \(new Date\(\)\)/],
  ['Chance', DETERMINISTIC, /apply read random numbers \(Math\.random\)/],
  ['Chance', SAME, /the result of command 1 on a second instance is \{"written":1,"keys":1,"id":0\.\d+\}, it must be/],
  ['ImportedChance', SAME, /the state is/],
  ['SharedState', SAME, /the result of command 1 on a second instance is \d+, it must be \d+/],
  ['ForgetsField', ANY_MOMENT, /the result of the command 1 that followed is \{"written":1,"keys":1\}, it must be/],
  ['Lazy', AS_OF_CALL, /the state is|notes, where there were/],
  ['LateFirstChunk', AS_OF_CALL, /the state is/],
  ['Mutates', 'apply changes nothing of its command', /apply changed its command to/],
  ['ClearsFirst', BROKEN, /after a restore that rejected: the state is/],
  ['TakesPartial', BROKEN, /after a restore that rejected: the state is/],
  ['TakesPartial', SHORT, /after a restore that rejected: the state is/],
  ['Appends', REPLACES, /what was restored over another state: the state is/],
  ['SwallowsFailure', BROKEN, /restore resolved although its chunks failed/],
  ['MapOrder', ANY_MOMENT, /the result of the command 1 that followed is "[abc]", it must be "[abc]"/],
  ['AliasedResult', 'a result stays as it is when later commands are applied', /the result of command 1 was new Map/],
  ['ReusesBuffer', CHUNKS, /chunk 1, looked at when the snapshot was over, is/],
  ['TextChunks', CHUNKS, /snapshot gave a chunk that is string, not a Uint8Array/],
  ['ChangesBySnapshot', 'taking snapshots changes nothing', /the result of command 1 after a snapshot is/],
  ['LockedBySnapshot', 'a snapshot that is given up leaves everything as it was', /after a snapshot was given up/],
  ['ChunkIsLine', 'restore takes its bytes in chunks of any size', /JSON/],
  ['NothingForNothing', 'the snapshot of a new state machine can be restored', /the snapshot ends within a line/],
  ['Throws', SAME, /apply threw 'a note needs a text', which stops the node: to refuse a command, return a value/],
]

describe('testStateMachine on wrong state machines', { timeout: 120_000 }, () => {
  it.each(WRONG)('finds %s: %s', async (name, found, message) => {
    const Machine = machines[name as 'WallClock']
    const failed = await failures(() => new Machine() as never, { only: found })
    const text = failed.get(found) ?? 'passed'
    expect(text).toMatch(message)
    expect(text).toMatch(/\n {2}contract: .+\n {2}counterexample, shrunk \d+ times: .+\n {2}replay: .+ seed: 7 \}\)$/)
    const [, counterexample = ''] = /shrunk \d+ times: (.+)/.exec(text) ?? []
    const notes = counterexample.match(/"key"/g)?.length ?? 0
    expect(notes).toBeLessThanOrEqual(3)
  })

  it('finds a machine that keeps the bytes of its commands', async () => {
    const failed = await failures(() => new machines.KeepsBytes() as never, { command: bytes })
    expect([...failed.keys()]).toEqual(['apply keeps no bytes of its command'])
    expect([...failed.values()][0]).toMatch(/"log":\[Uint8Array\.from\(\[0\]\)\],"next":\[\]/)
  })

  it('finds nothing else in a machine with one defect of its snapshots', async () => {
    expect([...(await failures(() => new machines.ForgetsField() as never)).keys()]).not.toContain(SAME)
    expect([...(await failures(() => new machines.Lazy() as never)).keys()]).toEqual([AS_OF_CALL])
    expect([...(await failures(() => new machines.Appends() as never)).keys()]).toContain(REPLACES)
  })

  it('rejects at once without a runner, with the name of the case, and again with the printed seed', async () => {
    const attempt = (seed?: number) => {
      const tested = testStateMachine(() => new machines.Lazy(), { command: note, seed })
      return tested.then(
        () => 'passed',
        (error: Error) => error.message,
      )
    }
    const first = await attempt()
    expect(first).toMatch(/^StateMachine: a snapshot holds the state of its call.*: /)
    const seed = Number(/seed: (\d+)/.exec(first)?.[1])
    expect(await attempt(seed)).toBe(first)
  })

  it('refuses what it can not copy, and numbers that make no sense', async () => {
    const command = fc.constant({ key: 'a', text: 'b', run: () => {} })
    await expect(testStateMachine(() => new machines.Notes(), { command })).rejects.toThrow(/give the `codec`/)
    await expect(testStateMachine(() => new machines.Notes(), { command: note, numRuns: 0 })).rejects.toThrow(
      /numRuns is 0/,
    )
  })
})
