import { describe, expect, it } from 'vitest'
import { type Finding, HuntPlan, type HuntResult, type HuntTask } from '../../../../src/testing/bugs/hunt-plan.js'

const NOTHING: Finding = { check: null, violation: null }
const VIOLATION: Finding = { check: 'liveness', violation: 'it stood still' }

/** Which attempts of which hunt end with a violation. */
type Truth = Readonly<Record<number, readonly number[]>>

/** Runs a plan with threads that take turns in an order of their own. */
function run(
  truth: Truth,
  { maxSeeds, threads, pick }: { maxSeeds: number; threads: number; pick(open: number): number },
) {
  const results: HuntResult[] = []
  const hunts = Object.keys(truth).map((hunt) => ({ bug: `bug-${hunt}`, firstSeed: 100n * BigInt(hunt) }))
  const plan = new HuntPlan(hunts, maxSeeds, (result) => results.push(result))
  const running = new Map<number, HuntTask>()
  const give = (thread: number): void => {
    const task = plan.take(thread)
    if (task === null) running.delete(thread)
    else running.set(thread, task)
  }
  for (let thread = 0; thread < threads; thread++) give(thread)
  let taskCount = 0
  while (running.size > 0) {
    const [thread, task] = [...running][pick(running.size)] as [number, HuntTask]
    taskCount += 1
    plan.done(task, truth[task.hunt]?.includes(task.attempt) === true ? VIOLATION : NOTHING)
    give(thread)
  }
  return { results: results.sort((one, other) => (one.bug < other.bug ? -1 : 1)), taskCount }
}

const orders = { first: () => 0, last: (open: number) => open - 1, middle: (open: number) => open >> 1 }

describe('HuntPlan', () => {
  it.each(Object.keys(orders))('ends each hunt with its first violation, whichever thread is faster: %s', (order) => {
    const pick = orders[order as keyof typeof orders]
    for (let threads = 1; threads <= 4; threads++) {
      const { results } = run({ 0: [3, 4, 5], 1: [0], 2: [], 3: [6] }, { maxSeeds: 7, threads, pick })
      expect(results.map(({ bug, seeds }) => [bug, seeds])).toEqual([
        ['bug-0', 4],
        ['bug-1', 1],
        ['bug-2', null],
        ['bug-3', 7],
      ])
    }
  })

  it('runs nothing beyond what it needs on one thread', () => {
    expect(run({ 0: [3], 1: [0], 2: [] }, { maxSeeds: 7, threads: 1, pick: orders.first }).taskCount).toBe(4 + 1 + 7)
  })

  it('lets a thread that has nothing left help with a hunt that goes on', () => {
    const plan = new HuntPlan([{ bug: 'slow', firstSeed: 5n }], 10, () => {})
    const [one, other] = [plan.take(0), plan.take(1)]
    expect([one?.attempt, other?.attempt]).toEqual([0, 1])
    expect(plan.seedOf(other ?? { hunt: 0, attempt: 0 })).toBe(6n)
  })

  it('waits for the seeds before a violation before it says which one was first', () => {
    const results: HuntResult[] = []
    const plan = new HuntPlan([{ bug: 'one', firstSeed: 1n }], 10, (result) => results.push(result))
    const [early, late] = [plan.take(0) as HuntTask, plan.take(1) as HuntTask]
    plan.done(late, VIOLATION)
    expect(results).toEqual([])
    plan.done(early, NOTHING)
    expect(results).toEqual([{ bug: 'one', firstSeed: 1n, seeds: 2, ...VIOLATION }])
  })
})
