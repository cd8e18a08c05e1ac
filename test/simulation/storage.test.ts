// Runs of the profile `storage`: disks fail, fill, hang, slow down and rot, and lives end at any moment, those of a start too.
import { describe, expect, it } from 'vitest'
import { PlanRecorder } from '../../src/testing/plan/plan-recorder.js'
import type { SimulationPlan } from '../../src/testing/plan/plan.js'
import { runPlan } from '../../src/testing/plan/script-commands.js'
import { parseScript, printScript } from '../../src/testing/plan/script.js'
import { runSeed } from '../../src/testing/run-seed.js'

/** Between them they meet every fault of a disk, and are short. */
const SEEDS = [4n, 9n, 16n, 17n, 21n] as const

describe('nodes whose disks are what goes wrong', () => {
  it('lose nothing that was acknowledged, and serve again', async () => {
    const counts: Record<string, number> = {}
    for (const seed of SEEDS) {
      const { violation, coverage } = await runSeed(seed, { profile: 'storage' })
      expect(violation, `seed ${seed}`).toBeNull()
      for (const [name, count] of Object.entries(coverage)) counts[name] = (counts[name] ?? 0) + count
    }
    const hits = ['hit.failedWrite', 'hit.noSpace', 'hit.hungWrite', 'hit.snapshotDamage']
    for (const name of [...hits, 'point.levelStore', 'point.compaction', 'point.crashedAtEffect']) {
      expect(counts[name] ?? 0, name).toBeGreaterThan(0)
    }
  }, 120_000)

  // 2107: a snapshot whose commit failed kept the place in the store, and no other was ever received.
  it('hold in seed 2107, which found something once', async () => {
    expect(await runSeed(2107n, { profile: 'storage' })).toMatchObject({ violation: null })
  })

  it('do the same again from the plan of a run, on the same store', async () => {
    const recorder = new PlanRecorder()
    const { traceHash } = await runSeed(9n, { profile: 'storage', recorder })
    const plan = recorder.plan as SimulationPlan
    expect(plan.settings.levelRatio).toBe(0.6)
    expect((await runPlan(parseScript(printScript(plan)), undefined)).traceHash).toBe(traceHash)
  }, 60_000)
})
