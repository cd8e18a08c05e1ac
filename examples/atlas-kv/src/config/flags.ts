// Flags of a command line, with one dash or two: `-listen :6379`, `--listen=:6379`, and bare booleans (`--raft`,
// `--raft=false`, `-raft true`). It knows names and kinds only; what the values mean is options.ts's.
import { nearest, UsageError } from './usage-error.js'

export interface FlagSpec {
  readonly name: string
  readonly kind: 'value' | 'boolean'
  /** Shown by --help, e.g. `HOST:PORT`. */
  readonly placeholder?: string
  readonly help: string
}

/** Values by name; booleans as 'true' or 'false'. */
export type Flags = ReadonlyMap<string, string>

/** Longest value that is quoted in a message. */
const QUOTED = 80

/** Throws UsageError for unknown flags, missing values, repeated flags and words that belong to no flag. */
export function parseFlags(argv: readonly string[], specs: readonly FlagSpec[]): Flags {
  const flags = new Map<string, string>()
  for (let at = 0; at < argv.length; at++) {
    const word = argv[at] ?? ''
    const match = /^--?([A-Za-z][A-Za-z0-9-]*)(?:=([\s\S]*))?$/.exec(word)
    if (match === null) {
      throw new UsageError(`unexpected argument ${quote(word)}: every setting is a flag (see --help)`)
    }
    const name = match[1] ?? ''
    const spec = specs.find((candidate) => candidate.name === name)
    if (spec === undefined) throw unknownFlag(name, specs)
    if (flags.has(name)) throw new UsageError(`--${name} is given twice: keep one of them`)
    const next = argv[at + 1]
    const taken = match[2] === undefined && takesNext(spec, next)
    if (taken) at += 1
    flags.set(name, checked(spec, match[2] ?? (taken ? next : undefined)))
  }
  return flags
}

function takesNext(spec: FlagSpec, next: string | undefined): boolean {
  if (next === undefined) return false
  return spec.kind === 'boolean' ? /^(true|false)$/.test(next) : !next.startsWith('-')
}

function checked(spec: FlagSpec, value: string | undefined): string {
  if (spec.kind === 'value') {
    if (value !== undefined && value !== '') return value
    throw new UsageError(`--${spec.name} needs a value: --${spec.name} ${spec.placeholder ?? 'VALUE'}`)
  }
  if (value === undefined) return 'true'
  if (/^(true|false)$/.test(value)) return value
  throw new UsageError(`--${spec.name}=${quote(value)} is neither true nor false`)
}

function unknownFlag(name: string, specs: readonly FlagSpec[]): UsageError {
  const meant = nearest(
    name,
    specs.map((spec) => spec.name),
  )
  const hint = meant === null ? 'see --help for the flags' : `did you mean --${meant}?`
  return new UsageError(`unknown flag --${name}: ${hint}`)
}

/** A value as it can stand in a line. */
export function quote(value: string): string {
  return JSON.stringify(value.length > QUOTED ? `${value.slice(0, QUOTED)}…` : value)
}

/** Whether a program that takes next to no flags is asked what it is. */
export function wantsHelp(args: readonly string[]): boolean {
  return args.some((word) => /^--?(help|h)$/.test(word))
}
