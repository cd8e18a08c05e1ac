// What `npm run sim` does with scripts: shrinks a failing seed to one (`--shrink`), and runs one (`--script`). Files come in
// and go out here and nowhere else in this folder.
import { readFileSync, writeFileSync } from 'node:fs'
import { runSeedGuarded } from '../guarded-run.js'
import type { SeedResult } from '../run-seed.js'
import type { Profile } from '../swarm.js'
import { PlanRecorder } from './plan-recorder.js'
import type { SimulationPlan } from './plan.js'
import { parseScript, printScript } from './script.js'
import { shrinkPlan, sizeOf } from './shrink.js'

/** Most runs of `--shrink` unless told otherwise. */
export const DEFAULT_SHRINK_RUNS = 400

export interface ShrinkRequest {
  readonly seed: bigint
  readonly profile: Profile
  readonly bug: string | undefined
  readonly maxRuns: number
  /** For the script. */
  readonly file: string
  readonly onProgress: (text: string) => void
}

export interface ShrinkReport {
  /** The run of the seed as it is. */
  readonly result: SeedResult
  /** Null when nothing failed, or when the plan of the run fails otherwise than the run. */
  readonly script: string | null
  readonly line: string
}

/** Runs the seed; when it fails, writes the smallest script that was found for it. */
export async function shrinkSeed(request: ShrinkRequest): Promise<ShrinkReport> {
  const { seed, profile, bug, maxRuns, file, onProgress } = request
  const recorder = new PlanRecorder()
  const result = await runSeedGuarded(seed, { profile, bug, recorder })
  const { check, violation } = result
  const { plan } = recorder
  if (check === null || plan === null) return { result, script: null, line: 'shrunk=none violations=0' }
  onProgress(`${check} after ${describe(plan)}: ${violation ?? ''}`)
  const shrunk = await shrinkPlan(plan, {
    check,
    maxRuns,
    run: (candidate) => runPlan(candidate, bug),
    onProgress: (smaller, runs) => onProgress(`run ${runs} of ${maxRuns}: ${describe(smaller)}`),
  })
  if (shrunk === null) return { result, script: null, line: 'shrunk=none violations=1' }
  const last = await runPlan(shrunk.plan, bug)
  const more = flagsOf(request)
  const prose = [
    `${check}: ${last.violation ?? violation ?? ''}`,
    `Found by npm run sim -- --seed ${seed}${more}; shrunk in ${shrunk.runs} runs from ${describe(plan)}.`,
  ]
  const script = printScript({ ...shrunk.plan, found: { bug: bug ?? null, check } }, prose)
  writeFileSync(file, script)
  const { faults, calls, settings } = shrunk.plan
  const measures = `voters=${settings.shape.voters} faults=${faults.length} calls=${calls.length} runs=${shrunk.runs}`
  return { result, script, line: `shrunk=${file} ${measures} violations=1` }
}

/** The flags that make a seed this run, each behind a space. */
export function flagsOf({ profile, bug }: { readonly profile: Profile; readonly bug: string | undefined }): string {
  return `${profile === 'default' ? '' : ` --profile ${profile}`}${bug === undefined ? '' : ` --bug ${bug}`}`
}

/** @throws ScriptError naming the line */
export function readScript(file: string): SimulationPlan {
  return parseScript(readFileSync(file, 'utf8'))
}

/** Runs a plan as a seed is run. */
export function runPlan(plan: SimulationPlan, bug: string | undefined): Promise<SeedResult> {
  return runSeedGuarded(plan.seed, { bug, plan })
}

function describe(plan: SimulationPlan): string {
  const { voters } = plan.settings.shape
  return `${sizeOf(plan)} steps (${plan.faults.length} faults, ${plan.calls.length} calls), ${voters} voters`
}
