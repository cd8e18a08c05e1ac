// The command line of `npm run linearizability:bench`.
import { parseArgs } from 'node:util'
import { MAX_SEED } from '../prng.js'
import { UsageError } from '../sim-arguments.js'

export interface BenchArguments {
  /** Of the big history. */
  readonly operationCount: number
  readonly seed: bigint
  readonly wantsHelp: boolean
}

/** Fewer say nothing: the claim is about a program that has warmed up. */
const MIN_OPERATIONS = 10_000
const MAX_OPERATIONS = 10_000_000

export const BENCH_USAGE: string = `usage: npm run linearizability:bench -- [--operations N] [--seed S]
  --operations N   in the big linearizable history, ${MIN_OPERATIONS} to ${MAX_OPERATIONS} (default 1000000)
  --seed S         decides the histories, 0 to 2^64-1 (default 1)`

/** @throws UsageError that names the argument and the value */
export function parseBenchArguments(argv: readonly string[]): BenchArguments {
  const { operations = '1000000', seed = '1', help: wantsHelp = false } = parse(argv)
  const operationCount = Number(operations)
  if (!/^\d+$/.test(operations) || operationCount < MIN_OPERATIONS || operationCount > MAX_OPERATIONS) {
    throw new UsageError(
      `--operations is '${operations}': use a whole number from ${MIN_OPERATIONS} to ${MAX_OPERATIONS}`,
    )
  }
  if (!/^\d{1,20}$/.test(seed) || BigInt(seed) > MAX_SEED) {
    throw new UsageError(`--seed is '${seed}': use a whole number from 0 to ${MAX_SEED}`)
  }
  return { operationCount, seed: BigInt(seed), wantsHelp }
}

interface RawArguments {
  readonly operations?: string | undefined
  readonly seed?: string | undefined
  readonly help?: boolean | undefined
}

function parse(argv: readonly string[]): RawArguments {
  const text = { type: 'string' } as const
  const options = { operations: text, seed: text, help: { type: 'boolean' } } as const
  try {
    return parseArgs({ args: [...argv], options, strict: true, allowPositionals: false }).values
  } catch (error) {
    throw new UsageError((error as Error).message)
  }
}
