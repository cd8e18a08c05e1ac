// The command line of `npm run bugs`: what it takes, and one clear line for everything that it doesn't.
import { parseArgs } from 'node:util'
import { MAX_SEED } from '../prng.js'
import { UsageError } from '../sim-arguments.js'
import { bugNames } from './index.js'

export interface BugsArguments {
  readonly bugs: readonly string[]
  readonly firstSeed: bigint
  readonly maxSeeds: number
  /** Each bug is hunted so many times, from seeds `maxSeeds` apart. */
  readonly repeats: number
  /** File whose generated table is written anew. */
  readonly markdownFile: string | undefined
  readonly wantsHelp: boolean
}

export const BUGS_USAGE: string = `usage: npm run bugs -- [--bug NAME] [--seed S] [--max-seeds N] [--repeats K] [--markdown FILE]
  --bug NAME       only this seeded bug; may be given several times (default: all)
  --seed S         the first seed, 0 to 2^64-1 (default 1)
  --max-seeds N    how many seeds may find nothing before a bug counts as not found (default 2000)
  --repeats K      hunt each bug K times, from seeds N apart, for the median (default 1)
  --markdown FILE  write the table into FILE, between its two marker comments`

const MAX_SEEDS = 1_000_000
const MAX_REPEATS = 1_000

/** @throws UsageError that names the argument and the value */
export function parseBugsArguments(argv: readonly string[]): BugsArguments {
  const { bug, seed = '1', markdown: markdownFile, help: wantsHelp = false, ...counts } = parse(argv)
  const maxSeeds = parseCount('--max-seeds', counts['max-seeds'] ?? '2000', MAX_SEEDS)
  const repeats = parseCount('--repeats', counts.repeats ?? '1', MAX_REPEATS)
  const firstSeed = parseSeed(seed)
  if (firstSeed + BigInt(maxSeeds) * BigInt(repeats) - 1n > MAX_SEED) {
    throw new UsageError(
      `--seed ${seed} with ${repeats} times ${maxSeeds} seeds goes beyond the last seed, ${MAX_SEED}`,
    )
  }
  const unknown = bug?.find((name) => !bugNames().includes(name))
  if (unknown !== undefined) throw new UsageError(`--bug is '${unknown}': known are ${bugNames().join(', ')}`)
  if (bug !== undefined && markdownFile !== undefined) {
    throw new UsageError(
      `--markdown writes the table of all bugs, but --bug is '${bug.join(', ')}': leave one of them out`,
    )
  }
  return { bugs: bug ?? bugNames(), firstSeed, maxSeeds, repeats, markdownFile, wantsHelp }
}

interface RawArguments {
  readonly bug?: string[] | undefined
  readonly seed?: string | undefined
  readonly 'max-seeds'?: string | undefined
  readonly repeats?: string | undefined
  readonly markdown?: string | undefined
  readonly help?: boolean | undefined
}

function parse(argv: readonly string[]): RawArguments {
  const text = { type: 'string' } as const
  const names = { type: 'string', multiple: true } as const
  const counts = { 'max-seeds': text, repeats: text }
  const options = { bug: names, seed: text, ...counts, markdown: text, help: { type: 'boolean' } } as const
  try {
    return parseArgs({ args: [...argv], options, strict: true, allowPositionals: false }).values
  } catch (error) {
    throw new UsageError((error as Error).message)
  }
}

function parseCount(name: string, text: string, most: number): number {
  const count = Number(text)
  if (/^\d+$/.test(text) && count >= 1 && count <= most) return count
  throw new UsageError(`${name} is '${text}': use a whole number from 1 to ${most}`)
}

function parseSeed(text: string): bigint {
  if (/^\d{1,20}$/.test(text) && BigInt(text) <= MAX_SEED) return BigInt(text)
  throw new UsageError(`--seed is '${text}': use a whole number from 0 to ${MAX_SEED}`)
}
