// The command line of `npm run sim`: what it takes, and one clear line for everything that it doesn't.
import { parseArgs } from 'node:util'
import { BUGS, bugNames } from './bugs/index.js'
import { DEFAULT_SHRINK_RUNS } from './plan/script-commands.js'
import { MAX_SEED } from './prng.js'
import { type Profile, PROFILES } from './swarm.js'

export interface SimArguments {
  readonly firstSeed: bigint
  readonly seedCount: number
  readonly profile: Profile
  readonly bug: string | undefined
  /** File for the NDJSON trace of the only seed. */
  readonly traceFile: string | undefined
  /** File for the seeds that were the first to hit some bucket of the coverage. */
  readonly corpusFile: string | undefined
  /** A script to run in place of seeds. */
  readonly scriptFile: string | undefined
  readonly wantsShrink: boolean
  /** Most runs of a shrink. */
  readonly shrinkRuns: number
  readonly wantsHelp: boolean
}

export const SIM_USAGE: string = `usage: npm run sim -- [--seeds N] [--seed S] [--profile P] [--bug NAME] [--trace FILE] [--corpus FILE]
       npm run sim -- --seed S --shrink [--shrink-runs N] [--profile P] [--bug NAME]
       npm run sim -- --script FILE [--bug NAME] [--trace FILE]
  --seeds N      how many seeds to run, S to S+N-1 (default 100, or 1 with --trace)
  --seed S       the first seed, 0 to 2^64-1 (default 1)
  --profile P    what the runs are like: ${PROFILES.join(', ')} (default is a mix of all)
  --bug NAME     switch a seeded bug on: ${Object.keys(BUGS).join(', ')}
  --trace FILE   write every event of one seed as lines of JSON
  --corpus FILE  write the seeds that were the first to hit some bucket of the coverage
  --shrink       make the run of one failing seed small, and write it as a script to shrunk-S.txt
  --shrink-runs N  most runs of a shrink (default ${DEFAULT_SHRINK_RUNS})
  --script FILE  run a script in place of seeds`

/** Most seeds of one command. */
const MAX_SEEDS = 10_000_000

/** A command line that can't be understood: exit code 2. */
export class UsageError extends Error {
  override readonly name = 'UsageError'
}

/** @throws UsageError that names the argument and the value */
export function parseSimArguments(argv: readonly string[]): SimArguments {
  const raw = parse(argv)
  const { seed = '1', seeds, profile = 'default', bug, trace: traceFile, help: wantsHelp = false } = raw
  const wantsShrink = isShrink(raw)
  const isOneRun = traceFile !== undefined || wantsShrink || raw.script !== undefined
  const seedCount = parseCount('--seeds', seeds ?? (isOneRun ? '1' : '100'))
  const shrinkRuns = parseCount('--shrink-runs', raw['shrink-runs'] ?? String(DEFAULT_SHRINK_RUNS))
  const firstSeed = parseSeed(seed)
  if (firstSeed + BigInt(seedCount) - 1n > MAX_SEED) {
    throw new UsageError(`--seed ${seed} with --seeds ${seedCount} goes beyond the last seed, ${MAX_SEED}`)
  }
  if (bug !== undefined && !bugNames().includes(bug)) {
    throw new UsageError(`--bug is '${bug}': known are ${bugNames().join(', ')}`)
  }
  if (raw.corpus !== undefined && profile !== 'default') {
    throw new UsageError(`--corpus is of the default profile: leave --profile ${profile} out`)
  }
  checkOneRun(raw, seedCount)
  return {
    firstSeed,
    seedCount,
    profile: parseProfile(profile),
    bug,
    traceFile,
    corpusFile: raw.corpus,
    scriptFile: raw.script,
    wantsShrink,
    shrinkRuns,
    wantsHelp,
  }
}

interface RawArguments {
  readonly seed?: string | undefined
  readonly seeds?: string | undefined
  readonly profile?: string | undefined
  readonly bug?: string | undefined
  readonly trace?: string | undefined
  readonly corpus?: string | undefined
  readonly script?: string | undefined
  readonly shrink?: boolean | undefined
  readonly 'shrink-runs'?: string | undefined
  readonly help?: boolean | undefined
}

function isShrink(raw: RawArguments): boolean {
  return raw.shrink === true || raw['shrink-runs'] !== undefined
}

/** What makes sense for one run only, and not together. */
function checkOneRun(raw: RawArguments, seedCount: number): void {
  const wantsShrink = isShrink(raw)
  const what = raw.trace !== undefined ? '--trace writes' : wantsShrink ? '--shrink takes' : '--script is'
  if ((raw.trace !== undefined || wantsShrink || raw.script !== undefined) && seedCount !== 1) {
    throw new UsageError(`${what} one run, but --seeds is ${seedCount}: use --seeds 1`)
  }
  if (
    raw.script !== undefined &&
    (wantsShrink || [raw.seed, raw.corpus, raw.profile].some((value) => value !== undefined))
  ) {
    throw new UsageError(
      '--script runs one script, with the seed that stands in it: leave --seed, --profile, --shrink and --corpus out',
    )
  }
  if (wantsShrink && (raw.trace !== undefined || raw.corpus !== undefined)) {
    throw new UsageError('--shrink writes a script: leave --trace and --corpus out')
  }
}

function parse(argv: readonly string[]): RawArguments {
  const text = { type: 'string' } as const
  const texts = { seed: text, seeds: text, profile: text, bug: text, trace: text, corpus: text }
  const ofScripts = { script: text, shrink: { type: 'boolean' }, 'shrink-runs': text } as const
  const options = { ...texts, ...ofScripts, help: { type: 'boolean' } } as const
  try {
    return parseArgs({ args: [...argv], options, strict: true, allowPositionals: false }).values
  } catch (error) {
    throw new UsageError((error as Error).message)
  }
}

function parseCount(name: string, text: string): number {
  const count = Number(text)
  if (/^\d+$/.test(text) && count >= 1 && count <= MAX_SEEDS) return count
  throw new UsageError(`${name} is '${text}': use a whole number from 1 to ${MAX_SEEDS}`)
}

function parseProfile(text: string): Profile {
  const profile = PROFILES.find((name) => name === text)
  if (profile !== undefined) return profile
  throw new UsageError(`--profile is '${text}': known are ${PROFILES.join(', ')}`)
}

function parseSeed(text: string): bigint {
  if (/^\d{1,20}$/.test(text) && BigInt(text) <= MAX_SEED) return BigInt(text)
  throw new UsageError(`--seed is '${text}': use a whole number from 0 to ${MAX_SEED}`)
}
