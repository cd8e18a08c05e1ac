import { describe, expect, it } from 'vitest'
import type { Check } from '../../../../src/testing/checks.js'
import { PLAN_DEFAULTS, type PlannedCall, type SimulationPlan } from '../../../../src/testing/plan/plan.js'
import { PlanRecorder } from '../../../../src/testing/plan/plan-recorder.js'
import { runPlan } from '../../../../src/testing/plan/script-commands.js'
import { parseScript, printScript } from '../../../../src/testing/plan/script.js'
import { type PlanOutcome, shrinkPlan } from '../../../../src/testing/plan/shrink.js'
import { runSeed } from '../../../../src/testing/run-seed.js'
import type { Fault } from '../../../../src/testing/fault-plan.js'

const call = (atMs: number): PlannedCall => {
  return {
    atMs,
    client: 1,
    on: 'n1',
    timeoutMs: 10.5,
    action: { type: 'propose', commands: [{ number: atMs, sizeBytes: 4 }] },
  }
}

const fault = (atMs: number): Fault => ({ atMs, type: 'crash', node: `n${1 + (atMs % 5)}` })

/** A plan of a hundred faults and as many calls on five nodes. */
const LONG: SimulationPlan = {
  seed: 1n,
  settings: { ...PLAN_DEFAULTS, shape: { ...PLAN_DEFAULTS.shape, voters: 5 }, durationMs: 1_000 },
  faults: Array.from({ length: 100 }, (_, at) => fault(at * 3 + 0.25)),
  calls: Array.from({ length: 100 }, (_, at) => call(at * 3 + 1)),
}

/** Fails while these two faults and that call are there. */
async function needsThree({ faults, calls }: SimulationPlan): Promise<PlanOutcome> {
  const has = (items: readonly { readonly atMs: number }[], atMs: number): boolean => {
    return items.some((item) => Math.round(item.atMs) === atMs)
  }
  const fails = has(faults, 30) && has(faults, 150) && has(calls, 100)
  return { check: fails ? 'liveness' : null, simulatedMs: 200 }
}

describe('shrinking a plan', () => {
  it('leaves out all that the failure does not need, and what comes behind it', async () => {
    const shrunk = await shrinkPlan(LONG, { check: 'liveness', maxRuns: 400, run: needsThree })
    expect(shrunk?.plan.faults.map(({ atMs }) => atMs)).toEqual([30, 150])
    expect(shrunk?.plan.calls.map(({ atMs }) => atMs)).toEqual([100])
    expect(shrunk?.plan.calls[0]?.timeoutMs).toBe(11)
    expect(shrunk?.plan.settings).toMatchObject({ durationMs: 200, shape: { voters: 1 } })
  })

  it.each([1, 7, 50])('runs %d times at most', async (maxRuns) => {
    let runs = 0
    const run = (plan: SimulationPlan): Promise<PlanOutcome> => {
      runs += 1
      return needsThree(plan)
    }
    const shrunk = await shrinkPlan(LONG, { check: 'liveness', maxRuns, run })
    expect(runs).toBe(maxRuns)
    expect(shrunk?.runs).toBe(maxRuns)
  })

  it('takes no other failure for the one that it has', async () => {
    const run = async (plan: SimulationPlan): Promise<PlanOutcome> => {
      const isWhole = plan.faults.length + plan.calls.length === 200
      return { check: isWhole ? 'liveness' : 'agreement', simulatedMs: 5_000 }
    }
    const shrunk = await shrinkPlan(LONG, { check: 'liveness', maxRuns: 100, run })
    expect([shrunk?.plan.faults.length, shrunk?.plan.calls.length]).toEqual([100, 100])
    expect(await shrinkPlan(LONG, { check: 'stale-read', maxRuns: 100, run })).toBeNull()
  })
})

/** The plan of the first seed that the bug fails, and how. */
async function firstFailure(bug: string, lastSeed: bigint): Promise<{ plan: SimulationPlan; check: Check }> {
  for (let seed = 1n; seed <= lastSeed; seed++) {
    const recorder = new PlanRecorder()
    const { check } = await runSeed(seed, { bug, recorder })
    if (check !== null) return { plan: recorder.plan as SimulationPlan, check }
  }
  throw new Error(`no seed up to ${lastSeed} fails with ${bug}`)
}

describe('the plan of a run', () => {
  it('is the same run, to the end', async () => {
    for (const [seed, bug] of [
      [2n, undefined],
      [3n, undefined],
      [2n, 'truncate-always'],
      [4n, 'truncate-always'],
    ] as const) {
      const recorder = new PlanRecorder()
      const run = await runSeed(seed, { bug, recorder })
      const plan = recorder.plan as SimulationPlan
      expect(plan.faults.length + plan.calls.length).toBeGreaterThan(0)
      const again = await runPlan(parseScript(printScript(plan)), bug)
      expect([again.violation, again.check, again.traceHash]).toEqual([run.violation, run.check, run.traceHash])
    }
  }, 120_000)

  it('of a seeded bug shrinks to a script that fails with the bug and passes without', async () => {
    const bug = 'truncate-always'
    const { plan, check } = await firstFailure(bug, 20n)
    const shrunk = await shrinkPlan(plan, { check, maxRuns: 120, run: (smaller) => runPlan(smaller, bug) })
    const script = printScript(shrunk?.plan as SimulationPlan)
    expect(script.split('\n').length, script).toBeLessThanOrEqual(60)
    expect((await runPlan(parseScript(script), bug)).check).toBe(check)
    expect((await runPlan(parseScript(script), undefined)).violation).toBeNull()
  }, 300_000)
})
