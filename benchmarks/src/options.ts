// The command line of the benchmarks: what may be asked, and what is said to a wrong question.
import { parseArgs } from 'node:util'

/** Thrown for a command line that can't be understood; the program ends with 2. */
export class UsageError extends Error {}

export const USAGE: string = `usage: npm run bench -- propose|catch-up [options]
propose: how many proposals a second, and how long each takes
  --rounds N          times each variant is measured, alternating (default 5, at least 3)
  --seconds S         length of one measurement (default 2)
  --warm-up S         load on a new cluster before the first one (default 2.5)
  --stores A,B        of memory, level (default memory,level)
  --proposers A,B,C   calls in flight (default 1,64,256)
catch-up: what writers notice while a node that was away gets a snapshot
  --writes N          writes that the node misses (default 1000000)
  --keys N            keys that they set in turn, which make up the state (default 1000000)
  --seconds S         length of the measurements before and after (default 10)
  --store A           memory or level (default level)
  --proposers N       calls in flight (default 16)
both:
  --bytes N           size of a command, and of a value (default 256)
  --directory PATH    where the durable files lie: the disk that is measured (default data/bench)
  --json FILE         where the result goes (default data/bench/NAME.json)`

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

export interface CatchUpOptions {
  readonly store: Store
  readonly writes: number
  readonly keys: number
  readonly seconds: number
  readonly proposers: number
  readonly commandBytes: number
  readonly directory: string
  readonly json: string
}

export type CommandLine =
  | { readonly benchmark: 'propose'; readonly options: ProposeOptions }
  | { readonly benchmark: 'catch-up'; readonly options: CatchUpOptions }

const BOTH = ['bytes', 'directory', 'json']
/** The options that each of them knows. */
const KNOWN = {
  propose: [...BOTH, 'rounds', 'seconds', 'warm-up', 'stores', 'proposers'],
  'catch-up': [...BOTH, 'writes', 'keys', 'seconds', 'store', 'proposers'],
} as const

/** @throws UsageError naming the argument and the value */
export function parseCommandLine(args: readonly string[]): CommandLine {
  const { values, positionals } = parse(args)
  const [benchmark, ...rest] = positionals
  if (benchmark === undefined) throw new UsageError('no benchmark was named')
  if (benchmark !== 'propose' && benchmark !== 'catch-up')
    throw new UsageError(`there is no benchmark '${benchmark}': there are propose and catch-up`)
  if (rest.length > 0) throw new UsageError(`unexpected argument '${rest.join(' ')}'`)
  const stranger = Object.keys(values).find((name) => !KNOWN[benchmark].includes(name))
  if (stranger !== undefined) throw new UsageError(`${benchmark} has no option --${stranger}`)
  return benchmark === 'propose'
    ? { benchmark, options: proposeOptions(values) }
    : { benchmark, options: catchUpOptions(values) }
}

function proposeOptions(values: Values): ProposeOptions {
  return {
    rounds: number('rounds', values.rounds ?? '5', { least: 3, most: 1_000, whole: true }),
    seconds: number('seconds', values.seconds ?? '2', SECONDS),
    warmUpSeconds: number('warm-up', values['warm-up'] ?? '2.5', { least: 0, most: 3_600, whole: false }),
    stores: list('stores', values.stores ?? 'memory,level').map((text) => store('stores', text)),
    proposers: list('proposers', values.proposers ?? '1,64,256').map((text) => number('proposers', text, PROPOSERS)),
    ...common('propose', values),
  }
}

function catchUpOptions(values: Values): CatchUpOptions {
  return {
    store: store('store', values.store ?? 'level'),
    writes: number('writes', values.writes ?? '1000000', { least: 1, most: 1e9, whole: true }),
    keys: number('keys', values.keys ?? '1000000', { least: 1, most: 1e8, whole: true }),
    seconds: number('seconds', values.seconds ?? '10', SECONDS),
    proposers: number('proposers', values.proposers ?? '16', PROPOSERS),
    ...common('catch-up', values),
  }
}

function common(name: CommandLine['benchmark'], values: Values) {
  const directory = values.directory ?? 'data/bench'
  const commandBytes = number('bytes', values.bytes ?? '256', { least: 1, most: 1024 * 1024, whole: true })
  return { commandBytes, directory, json: values.json ?? `${directory}/${name}.json` }
}

const SECONDS = { least: 0.1, most: 3_600, whole: false }
const PROPOSERS = { least: 1, most: 100_000, whole: true }

type Values = { readonly [name: string]: string | undefined }

function parse(args: readonly string[]): { values: Values; positionals: readonly string[] } {
  const names = new Set([...KNOWN.propose, ...KNOWN['catch-up']])
  try {
    const options = Object.fromEntries([...names].map((name) => [name, { type: 'string' as const }]))
    const { values, positionals } = parseArgs({ args: [...args], allowPositionals: true, options })
    return { values: values as Values, positionals }
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

function store(name: string, text: string): Store {
  if (text === 'memory' || text === 'level') return text
  throw new UsageError(`--${name} has '${text}': there are memory and level`)
}
