// Four state machines, three of them wrong, against `simulate` and `testStateMachine`. Prints the smallest input that shows
// what is wrong with each; exits with 1 unless exactly the wrong ones were found.
import fc from 'fast-check'
import { arbCluster, arbFaultPlan, arbWorkload, simulate, testStateMachine } from 'helios-raft/testing'
import { type Acquire, Locks, LocksByWallClock, LocksReadLazily, LocksWithoutToken } from './locks.js'

const acquire: fc.Arbitrary<Acquire> = fc.record(
  {
    lock: fc.constantFrom('a', 'b'),
    owner: fc.constantFrom('ann', 'bob'),
    forMs: fc.integer({ min: 0, max: 10_000 }),
  },
  { noNullPrototype: true },
)

/** What the simulator finds; null for nothing. */
async function findBySimulation(stateMachine: () => Locks): Promise<string | null> {
  const run = fc.record({
    cluster: arbCluster({ voters: [1, 3] }),
    faults: arbFaultPlan({ types: ['crash', 'restart', 'partition', 'heal'], maxFaults: 4 }),
    workload: arbWorkload({ command: acquire, maxSteps: 10 }),
    seed: fc.nat(999),
  })
  const holds = fc.asyncProperty(run, async (drawn) => void (await simulate({ stateMachine, ...drawn })))
  const { failed, counterexample, errorInstance } = await fc.check(holds, { seed: 1, numRuns: 10 })
  if (!failed) return null
  return `${(errorInstance as Error).message}\n  counterexample: ${fc.stringify(counterexample?.[0])}`
}

/** What the conformance suite finds; null for nothing. */
async function findBySuite(stateMachine: () => Locks): Promise<string | null> {
  return testStateMachine(stateMachine, { command: acquire, seed: 1, numRuns: 50 }).then(
    () => null,
    (error: Error) => error.message,
  )
}

/** The wall clocks of machines differ: by a minute from each to the next one here. */
let machines = 0
const wallClockOfAnotherMachine = (): (() => number) => {
  const nowMs = 1_700_000_000_000 + machines++ * 60_000
  return () => nowMs
}

const suspects = [
  { name: 'Locks', isWrong: false, create: () => new Locks() },
  { name: 'LocksByWallClock', isWrong: true, create: () => new LocksByWallClock(wallClockOfAnotherMachine()) },
  { name: 'LocksWithoutToken', isWrong: true, create: () => new LocksWithoutToken() },
  { name: 'LocksReadLazily', isWrong: true, create: () => new LocksReadLazily() },
]

let [found, mistaken] = [0, 0]
for (const { name, isWrong, create } of suspects) {
  const bySimulation = await findBySimulation(create)
  const bySuite = bySimulation === null ? await findBySuite(create) : null
  const by = bySimulation === null ? 'testStateMachine' : 'simulate'
  const problem = bySimulation ?? bySuite
  console.log(problem === null ? `${name}: nothing found\n` : `${name}: found by ${by}\n  ${problem}\n`)
  if (problem !== null) found += 1
  if (isWrong !== (problem !== null)) mistaken += 1
}
console.log(`machines=${suspects.length} found=${found} mistaken=${mistaken}`)
process.exitCode = mistaken === 0 ? 0 : 1
