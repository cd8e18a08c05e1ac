// What the rest of the testing subpath refuses: each wrong call is told by name, and never passes for a broken contract, a
// history without fault, or a default.
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import {
  arbCluster,
  arbFaultPlan,
  arbWorkload,
  checkLinearizability,
  ManualClock,
  models,
  raftCommands,
  replay,
  testLogStore,
  testSnapshotStore,
  testStateMachine,
  testTransport,
} from '../../../src/testing/index.js'

/** As from JavaScript, where no compiler looks. */
type Loose = (...args: readonly unknown[]) => unknown
const loose = (call: unknown): Loose => call as Loose

const GET = { client: 1, input: { op: 'get', key: 'k' }, invokedMs: 1, returnedMs: 2, outcome: 'ok', output: null }
const judge = (...args: readonly unknown[]): unknown => loose(checkLinearizability)(...args)

const CALLS: readonly (readonly [name: string, call: () => unknown, message: RegExp])[] = [
  ['a missing model', () => judge(), /^the model is undefined: use an object with init, step/],
  ['a model that was not called', () => judge(models.kv, []), /^the model is a function: call it first/],
  ['a model without step', () => judge({ init: () => 0 }, []), /^the model has no method 'step'/],
  ['a missing history', () => judge(models.kv()), /^the history is undefined: use an array/],
  ['an operation that is none', () => judge(models.kv(), [null]), /^an operation is null/],
  ['an unknown outcome', () => judge(models.kv(), [{ ...GET, outcome: 'fine' }]), /the outcome 'fine': use 'ok'/],
  ['a missing trace', () => loose(replay)(), /^the trace is undefined: use its text/],
  ['an object for a trace', () => loose(replay)({}), /^the trace is an object/],
  ['a range that is a number', () => loose(arbCluster)({ voters: 3 }), /^voters is 3: use \[min, max\]/],
  ['an unknown constraint', () => loose(arbCluster)({ voter: [1, 2] }), /^arbCluster has no 'voter': it has voters/],
  ['an unknown constraint of plans', () => loose(arbFaultPlan)({ max: 1 }), /^arbFaultPlan has no 'max'/],
  ['a workload of nothing', () => loose(arbWorkload)(), /^the argument of arbWorkload is undefined/],
  ['a command that is no arbitrary', () => loose(arbWorkload)({ command: 5 }), /^command is 5: use an arbitrary/],
  ['a query that is no arbitrary', () => loose(arbWorkload)({ command: fc.nat(), query: {} }), /^query is an object/],
  ['commands of nothing', () => loose(raftCommands)(), /^the argument of raftCommands is undefined/],
  ['commands without apply', () => loose(raftCommands)({ command: fc.nat() }), /^apply is undefined: use \(model/],
  ['a state machine for a factory', () => loose(testStateMachine)({}, { command: fc.nat() }), /^factory is an object/],
  [
    'no arbitraries',
    () => loose(testStateMachine)(() => null),
    /^the second argument of testStateMachine is undefined/,
  ],
  ['a constant for an arbitrary', () => loose(testStateMachine)(() => null, { command: 5 }), /^command is 5/],
  ['a run that is none', () => loose(testStateMachine)(() => null, { command: fc.nat() }, 5), /^run is 5: use test of/],
  ['a misspelled option', () => loose(testStateMachine)(() => null, { command: fc.nat(), runs: 5 }), /has no 'runs'/],
  [
    'a fraction for a seed',
    () => loose(testStateMachine)(() => null, { command: fc.nat(), seed: 0.5 }),
    /^seed is 0.5/,
  ],
  ['no log store', () => loose(testLogStore)(), /^factory is undefined/],
  ['no snapshot store', () => loose(testSnapshotStore)({}), /^factory is an object/],
  ['no transport', () => loose(testTransport)(5), /^factory is 5/],
  [
    'a wall clock that is none',
    () => new ManualClock({ wallTime: Number.NaN }),
    /^wallTime is NaN: use a number of ms/,
  ],
]

describe('the testing subpath', () => {
  it.each(CALLS)('refuses %s', async (_, call, message) => {
    const outcome = (async () => call())()
    await expect(outcome).rejects.toMatchObject({
      code: 'RAFT_INVALID_OPTION',
      message: expect.stringMatching(message),
    })
  })

  it('finds an empty history linearizable', () => {
    expect(checkLinearizability(models.kv(), []).verdict).toBe('ok')
  })
})
