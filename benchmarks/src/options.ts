// The command line of the benchmarks: what may be asked, and what is said to a wrong question.
import { parseArgs } from 'node:util'

/** Thrown for a command line that can't be understood; the program ends with 2. */
export class UsageError extends Error {}

export const USAGE: string = `usage: npm run bench -- propose [options]
  --rounds N          times each variant is measured, alternating (default 5, at least 3)
  --seconds S         length of one measurement (default 2)
  --warm-up S         load on a new cluster before the first one (default 2.5)
  --stores A,B        of memory, level (default memory,level)
  --proposers A,B,C   calls in flight (default 1,64,256)
  --bytes N           size of a command (default 256)
  --directory PATH    where the durable files lie: the disk that is measured (default data/bench)
  --json FILE         where the result goes (default data/bench/propose.json)`

export type Store = 'memory' | 'level'

export interface ProposeOptions {
  readonly rounds: number
  readonly seconds: number
  readonly warmUpSeconds: number
  readonly stores: readonly Store[]
  readonly proposers: readonly number[]
  readonly commandBytes: number
  readonly directory: string
  readonly json: string
}

/** @throws UsageError naming the argument and the value */
export function parseCommandLine(args: readonly string[]): { benchmark: 'propose'; options: ProposeOptions } {
  const { values, positionals } = parse(args)
  const [benchmark, ...rest] = positionals
  if (benchmark === undefined) throw new UsageError('no benchmark was named')
  if (benchmark !== 'propose') throw new UsageError(`there is no benchmark '${benchmark}': there is propose`)
  if (rest.length > 0) throw new UsageError(`unexpected argument '${rest.join(' ')}'`)
  const directory = values.directory ?? 'data/bench'
  const options: ProposeOptions = {
    rounds: number('rounds', values.rounds ?? '5', { least: 3, most: 1_000, whole: true }),
    seconds: number('seconds', values.seconds ?? '2', { least: 0.1, most: 3_600, whole: false }),
    warmUpSeconds: number('warm-up', values['warm-up'] ?? '2.5', { least: 0, most: 3_600, whole: false }),
    stores: list('stores', values.stores ?? 'memory,level').map(store),
    proposers: list('proposers', values.proposers ?? '1,64,256').map((text) =>
      number('proposers', text, { least: 1, most: 100_000, whole: true }),
    ),
    commandBytes: number('bytes', values.bytes ?? '256', { least: 1, most: 1024 * 1024, whole: true }),
    directory,
    json: values.json ?? `${directory}/propose.json`,
  }
  return { benchmark, options }
}

function parse(args: readonly string[]) {
  const text = { type: 'string' } as const
  try {
    return parseArgs({
      args: [...args],
      allowPositionals: true,
      options: {
        rounds: text,
        seconds: text,
        'warm-up': text,
        stores: text,
        proposers: text,
        bytes: text,
        directory: text,
        json: text,
      },
    })
  } catch (error) {
    throw new UsageError(error instanceof Error ? error.message : String(error))
  }
}

function number(name: string, text: string, range: { least: number; most: number; whole: boolean }): number {
  const value = Number(text)
  const isIn = text.trim() !== '' && value >= range.least && value <= range.most
  if (isIn && (!range.whole || Number.isInteger(value))) return value
  const kind = range.whole ? 'a whole number' : 'a number'
  throw new UsageError(`--${name} is '${text}': it must be ${kind} from ${range.least} to ${range.most}`)
}

function list(name: string, text: string): readonly string[] {
  const items = text.split(',').filter((item) => item !== '')
  if (items.length === 0) throw new UsageError(`--${name} is empty`)
  return items
}

function store(text: string): Store {
  if (text === 'memory' || text === 'level') return text
  throw new UsageError(`--stores has '${text}': there are memory and level`)
}
