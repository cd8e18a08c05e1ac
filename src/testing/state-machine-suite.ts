// testStateMachine: the contract of StateMachine as a published conformance suite (F45). Each case is a property that
// fast-check tries to break; the rules are in state-machine-cases.ts. Never runs a node: for that there is `simulate`.
import { checkArbitrary, checkKeys, checkObject, refuse, show } from './option-checks.js'
import type { Arbitrary } from 'fast-check'
import type { Codec } from '../interfaces/codec.js'
import type { StateMachine } from '../interfaces/state-machine.js'
import { type Run, checkSuite, runCases } from './conformance.js'
import { checkWhole } from './property/constraints.js'
import { fastCheckFor } from './property/fast-check.js'
import type { AnyStateMachine, CommandOf } from './report.js'
import { type BenchOptions, StateMachineBench } from './state-machine-bench.js'
import { STATE_MACHINE_CASES } from './state-machine-cases.js'

export interface StateMachineTest<SM extends AnyStateMachine> {
  command: Arbitrary<CommandOf<NoInfer<SM>>>
  /** What must be equal on all replicas, compared structurally. @defaultValue the bytes of a snapshot */
  digest?: ((stateMachine: NoInfer<SM>) => unknown) | undefined
  /** Copies commands, as the log does. @defaultValue structuredClone */
  codec?: Codec<CommandOf<NoInfer<SM>>> | undefined
  /** Repeats a failure. @defaultValue random; each failure prints it */
  seed?: number | undefined
  /** Inputs for each case. @defaultValue 100 */
  numRuns?: number | undefined
}

/** Seeds that fast-check takes. */
const MAX_SEED = 0x7fff_ffff

/** What `numRuns` is unless given. */
const DEFAULT_RUNS = 100

/**
 * Tests a StateMachine of your own against the contract that RaftNode relies on: one test for each rule. A failure names
 * the rule, what was seen, the smallest log that shows it, and the seed.
 *
 * @param factory - makes a new, empty state machine; instances must share nothing
 * @param run - `test` of vitest or node:test; without it all cases run at once and the promise rejects on the first failure, which names the case
 * @throws RaftError RAFT_INVALID_OPTION: fast-check is not installed
 * @example testStateMachine(() => new Counter(), { command: fc.record({ add: fc.nat() }) }, test)
 */
export async function testStateMachine<SM extends AnyStateMachine>(
  factory: () => SM,
  arbitraries: StateMachineTest<SM>,
  run?: Run,
): Promise<void> {
  checkSuite(factory, run)
  checkObject('the second argument of testStateMachine', arbitraries, 'an object, { command: fc.… }')
  checkKeys('testStateMachine', arbitraries, ['command', 'digest', 'codec', 'seed', 'numRuns'])
  checkArbitrary('command', arbitraries.command)
  const { command, digest = null, codec = null, seed = Math.floor(Math.random() * MAX_SEED) } = arbitraries
  if (!Number.isSafeInteger(seed)) refuse(`seed is ${show(seed)}: use a whole number`)
  const numRuns = checkWhole('numRuns', arbitraries.numRuns ?? DEFAULT_RUNS, { min: 1 })
  const fc = fastCheckFor('testStateMachine')
  const options: BenchOptions<CommandOf<SM>, SM> = { fc, create: factory, command, digest, codec, seed, numRuns }
  await runCases({
    title: 'StateMachine',
    cases: STATE_MACHINE_CASES,
    prepare: () => ({
      subject: new StateMachineBench(options as unknown as BenchOptions<unknown, StateMachine<unknown, unknown>>),
      finish: async () => {},
    }),
    run,
  })
}
