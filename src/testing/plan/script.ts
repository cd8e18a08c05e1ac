// A plan as a text that can be read, kept as a regression test and run again: prose behind `#`, the seed, the settings that
// differ from the defaults, then faults and calls, one a line, by time.
import type { Check } from '../checks.js'
import { MAX_SEED } from '../prng.js'
import type { Fault } from '../fault-plan.js'
import { PLAN_DEFAULTS, type PlannedCall, type PlanSettings, type SimulationPlan } from './plan.js'
import { parseCall, parseFault, parseTime, printCall, printFault, ScriptWordError } from './script-words.js'

/** A script that can't be understood; the message names the line and what is expected there. */
export class ScriptError extends Error {
  override readonly name = 'ScriptError'
}

/** @param prose - lines of the header, without `#` */
export function printScript(plan: SimulationPlan, prose: readonly string[] = []): string {
  const { seed, found, settings, faults, calls } = plan
  const header = prose.map((line) => `# ${line}`.trimEnd())
  const origin = found === undefined ? [] : [`found ${found.check}${found.bug === null ? '' : ` with ${found.bug}`}`]
  const defaults = flatten(PLAN_DEFAULTS)
  const changed = [...flatten(settings)].filter(
    ([name, value]) => JSON.stringify(value) !== JSON.stringify(defaults.get(name)),
  )
  const set = changed.map(([name, value]) => `set ${name} ${JSON.stringify(value)}`)
  const timed = [
    ...faults.map((fault) => ({ atMs: fault.atMs, text: printFault(fault) })),
    ...calls.map((call) => ({ atMs: call.atMs, text: printCall(call) })),
  ]
  // The sort is stable: faults and calls keep their own order, which is all that counts.
  const steps = timed.sort((one, other) => one.atMs - other.atMs).map(({ atMs, text }) => `at ${atMs} ${text}`)
  const parts = [header, [`seed ${seed}`, ...origin], set, steps].filter((part) => part.length > 0)
  return `${parts.map((part) => part.join('\n')).join('\n\n')}\n`
}

/** @throws ScriptError */
export function parseScript(text: string): SimulationPlan {
  const script = new Script()
  text.split('\n').forEach((line, at) => {
    try {
      script.take(line.trim())
    } catch (error) {
      if (!(error instanceof ScriptWordError)) throw error
      throw new ScriptError(`line ${at + 1}: expected ${error.message}`, { cause: error })
    }
  })
  return script.plan()
}

class Script {
  #seed: bigint | null = null
  #found: SimulationPlan['found']
  readonly #settings = flatten(PLAN_DEFAULTS)
  readonly #faults: Fault[] = []
  readonly #calls: PlannedCall[] = []

  take(line: string): void {
    if (line === '' || line.startsWith('#')) return
    const words = line.split(/\s+/)
    switch (words[0]) {
      case 'seed':
        this.#seed = parseSeed(words[1])
        return
      case 'found':
        this.#found = parseFound(words)
        return
      case 'set':
        return this.#set(words[1] ?? '', words.slice(2).join(' '))
      case 'at':
        return this.#at(parseTime(words[1]), words.slice(2))
      default:
        throw new ScriptWordError(`seed, found, set, at or a comment behind #, not '${(words[0] ?? '').slice(0, 40)}'`)
    }
  }

  plan(): SimulationPlan {
    if (this.#seed === null) throw new ScriptError('expected a line with the seed, as: seed 1')
    const settings = unflatten(this.#settings) as PlanSettings
    return { seed: this.#seed, settings, faults: this.#faults, calls: this.#calls, found: this.#found }
  }

  #set(name: string, text: string): void {
    const held = this.#settings.get(name)
    if (held === undefined)
      throw new ScriptWordError(`a setting (${[...this.#settings.keys()].join(', ')}), not '${name}'`)
    const value = jsonOf(text)
    const isSame = typeof value === typeof held && Array.isArray(value) === Array.isArray(held)
    if (!isSame) throw new ScriptWordError(`a value for ${name} like ${JSON.stringify(held)}, not '${text}'`)
    this.#settings.set(name, value)
  }

  #at(atMs: number, words: readonly string[]): void {
    if (words[0] === 'call') this.#calls.push(parseCall(words, atMs))
    else this.#faults.push(parseFault(words, atMs))
  }
}

/** Plain values by their path, as `shape.options.electionTimeoutMs`. */
function flatten(value: object, path = '', into: Map<string, unknown> = new Map()): Map<string, unknown> {
  for (const [name, field] of Object.entries(value) as [string, unknown][]) {
    const isGroup = typeof field === 'object' && field !== null && !Array.isArray(field)
    if (isGroup) flatten(field, `${path}${name}.`, into)
    else if (field !== undefined) into.set(path + name, field)
  }
  return into
}

function unflatten(values: ReadonlyMap<string, unknown>): unknown {
  const root: Record<string, unknown> = {}
  for (const [path, value] of values) {
    const names = path.split('.')
    let group = root
    for (const name of names.slice(0, -1)) group = (group[name] ??= {}) as Record<string, unknown>
    group[names.at(-1) ?? ''] = value
  }
  return root
}

function parseSeed(text: string | undefined): bigint {
  if (text !== undefined && /^\d{1,20}$/.test(text) && BigInt(text) <= MAX_SEED) return BigInt(text)
  throw new ScriptWordError(`a seed from 0 to ${MAX_SEED}, not '${text ?? ''}'`)
}

function parseFound([, check, word, bug]: readonly string[]): SimulationPlan['found'] {
  if (check === undefined || (word !== undefined && (word !== 'with' || bug === undefined))) {
    throw new ScriptWordError('found CHECK, or found CHECK with BUG')
  }
  return { check: check as Check, bug: bug ?? null }
}

function jsonOf(text: string): unknown {
  try {
    return JSON.parse(text) as unknown
  } catch {
    return undefined
  }
}
