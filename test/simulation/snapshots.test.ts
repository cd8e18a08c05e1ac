// Runs of the profile `snapshots`: logs are compacted every few entries, and nodes restart from what their disks hold.
import { describe, expect, it } from 'vitest'
import { SNAPSHOT_BUGS } from '../../src/testing/bugs/snapshots.js'
import { PlanRecorder } from '../../src/testing/plan/plan-recorder.js'
import type { SimulationPlan } from '../../src/testing/plan/plan.js'
import { runPlan } from '../../src/testing/plan/script-commands.js'
import { parseScript, printScript } from '../../src/testing/plan/script.js'
import { runSeed } from '../../src/testing/run-seed.js'

/** Of rare ones the first seed that finds it, so that the test is short; `npm run bugs` hunts all of them from seed 1 on. */
const FIRST_SEEDS: Readonly<Record<string, bigint>> = {
  'damaged-snapshot-restored': 60n,
}

describe('nodes that take snapshots', () => {
  it('compact, crash, fail and restart, and break nothing', async () => {
    const counts: Record<string, number> = {}
    for (let seed = 1n; seed <= 12n; seed++) {
      const { violation, coverage } = await runSeed(seed, { profile: 'snapshots' })
      expect(violation, `seed ${seed}`).toBeNull()
      for (const [name, count] of Object.entries(coverage)) counts[name] = (counts[name] ?? 0) + count
    }
    for (const name of ['point.snapshot', 'point.compaction', 'point.levelStore', 'snapshot.taken', 'fault.crash']) {
      expect(counts[name] ?? 0, name).toBeGreaterThan(0)
    }
  }, 120_000)

  it('do the same again from the plan of a run', async () => {
    const recorder = new PlanRecorder()
    const { traceHash } = await runSeed(3n, { profile: 'snapshots', recorder })
    const plan = parseScript(printScript(recorder.plan as SimulationPlan))
    expect((await runPlan(plan, undefined)).traceHash).toBe(traceHash)
  }, 60_000)

  it.each(Object.keys(SNAPSHOT_BUGS))(
    'that get it wrong are noticed: %s',
    async (bug) => {
      const first = FIRST_SEEDS[bug] ?? 1n
      let found: string | null = null
      for (let seed = first; seed < first + 12n && found === null; seed++) {
        const { check } = await runSeed(seed, { profile: 'snapshots', bug })
        found = check
      }
      expect(found).not.toBeNull()
    },
    120_000,
  )
})
