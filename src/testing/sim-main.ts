// `npm run sim`: runs seeds, shows progress and violations on stderr, and ends with one line of key=value on stdout.
// Exit code 0 when everything held, 1 on a violation or when a long run missed what it is there for, 2 on a command line that can't be understood.
import { closeSync, openSync, writeFileSync, writeSync } from 'node:fs'
import { runSeedGuarded } from './guarded-run.js'
import type { SimulationPlan } from './plan/plan.js'
import { flagsOf, readScript, runPlan, shrinkSeed } from './plan/script-commands.js'
import type { SeedResult } from './run-seed.js'
import { runSeeds, threadsFor } from './seed-runner.js'
import { parseSimArguments, SIM_USAGE, type SimArguments, UsageError } from './sim-arguments.js'
import { SimTotals } from './sim-totals.js'

/** Violations that are printed in full; the others are counted. */
const MAX_PRINTED = 20

async function main(argv: readonly string[]): Promise<number> {
  const options = parseSimArguments(argv)
  if (options.wantsHelp) {
    console.log(SIM_USAGE)
    return 0
  }
  if (options.wantsShrink) return shrink(options)
  const plan = options.scriptFile === undefined ? undefined : withFile('--script', options.scriptFile, readScript)
  const totals = new SimTotals(options.profile)
  const startedMs = performance.now()
  const onResult = (result: SeedResult): void => {
    totals.add(result)
    if (result.violation !== null) reportViolation(result, options, totals)
    if (totals.seeds % 100 === 0)
      console.error(`${totals.seeds} of ${options.seedCount} seeds, ${totals.violations} violations`)
  }
  if (options.traceFile !== undefined) onResult(await runTraced(options, options.traceFile, plan))
  else if (plan !== undefined) onResult(await runPlan(plan, options.bug))
  else await runSeeds(options, onResult)
  const { missing } = totals
  console.error(totals.speedLine({ elapsedMs: performance.now() - startedMs, threads: threadsFor(options.seedCount) }))
  console.error(totals.tracesLine)
  console.error(totals.coverageLine)
  if (missing.length > 0) console.error(`no run hit what each long run must: ${missing.join(', ')}`)
  if (options.corpusFile !== undefined) writeFileSync(options.corpusFile, totals.corpus)
  console.log(totals.line(plan === undefined ? options.profile : 'script'))
  return totals.violations === 0 && missing.length === 0 ? 0 : 1
}

async function shrink({ firstSeed: seed, profile, bug, shrinkRuns: maxRuns }: SimArguments): Promise<number> {
  const file = `shrunk-${seed}.txt`
  const onProgress = (text: string): void => console.error(text)
  const { result, script, line } = await shrinkSeed({ seed, profile, bug, maxRuns, file, onProgress })
  if (script !== null) console.log(script)
  else if (result.check !== null) console.error(`seed ${seed} fails, but its plan alone does not: nothing to shrink`)
  console.log(line)
  return result.check === null ? 0 : 1
}

/** A file that can't be read or written is a mistake of the command line. */
function withFile<T>(flag: string, file: string, use: (file: string) => T): T {
  try {
    return use(file)
  } catch (error) {
    throw new UsageError(`${flag} ${file}: ${(error as Error).message}`)
  }
}

function reportViolation({ seed, violation }: SeedResult, options: SimArguments, totals: SimTotals): void {
  if (totals.violations > MAX_PRINTED) return
  const { scriptFile } = options
  if (scriptFile !== undefined) return console.error(`violation in ${scriptFile}: ${violation}`)
  const more = flagsOf(options)
  console.error(`violation in seed ${seed}, after ${totals.seeds} seeds: ${violation}`)
  console.error(`  replay: npm run sim -- --seed ${seed} --seeds 1${more} --trace trace-${seed}.ndjson`)
  console.error(`  shrink: npm run sim -- --seed ${seed}${more} --shrink`)
  if (totals.violations === MAX_PRINTED) console.error('further violations are only counted')
}

async function runTraced(
  { firstSeed, profile, bug }: SimArguments,
  file: string,
  plan: SimulationPlan | undefined,
): Promise<SeedResult> {
  const descriptor = withFile('--trace', file, (path) => openSync(path, 'w'))
  const lines: string[] = []
  const flush = (): void => {
    if (lines.length > 0) writeSync(descriptor, `${lines.splice(0).join('\n')}\n`)
  }
  try {
    const onTrace = (line: string): void => {
      if (lines.push(line) >= 1_000) flush()
    }
    const result = await runSeedGuarded(plan?.seed ?? firstSeed, { profile, bug, onTrace, plan })
    flush()
    console.error(`traceHash ${result.traceHash}, trace in ${file}`)
    return result
  } finally {
    closeSync(descriptor)
  }
}

try {
  process.exitCode = await main(process.argv.slice(2))
} catch (error) {
  const isUsage = error instanceof UsageError
  console.error(
    isUsage ? `${error.message}\n${SIM_USAGE}` : `sim: ${error instanceof Error ? error.message : String(error)}`,
  )
  process.exitCode = isUsage ? 2 : 1
}
