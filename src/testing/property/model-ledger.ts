// What the user's model may be by now. A command that was acknowledged is applied to it; one whose outcome is unknown may
// have been applied, may be later, or never, so every possibility is kept until an answer or a state rules it out.
import { isDeepStrictEqual } from 'node:util'
import { RaftError } from '../../errors.js'

/** Commands of unknown outcome at a time; beyond it no more are proposed. */
export const MAX_UNKNOWN = 3

/** Possibilities that are kept; a model with more tells too little by its results and its `check`. */
const MAX_CANDIDATES = 1_000

/** Possibilities that an error shows. */
const MAX_SHOWN = 3

export interface LedgerOptions<Command, Result, Model> {
  readonly apply: (model: Model, command: Command) => Result
  readonly clone: (model: Model) => Model
  readonly print: (value: unknown) => string
}

/** One possibility. */
interface Candidate<Command, Model> {
  readonly model: Model
  /** Those of unknown outcome that were not applied so far, by number. */
  readonly open: ReadonlyMap<number, Command>
}

/** The possibilities of one run. The model that it was made with is changed in place as the one where nothing unknown was applied. */
export class ModelLedger<Command, Result, Model extends object> {
  readonly #options: LedgerOptions<Command, Result, Model>
  #candidates: readonly Candidate<Command, Model>[]
  #unknownCount = 0
  #hasFailed = false

  constructor(model: Model, options: LedgerOptions<Command, Result, Model>) {
    this.#options = options
    this.#candidates = [{ model, open: new Map() }]
  }

  get candidateCount(): number {
    return this.#candidates.length
  }

  /** Whether a command was already found to contradict the model. */
  get hasFailed(): boolean {
    return this.#hasFailed
  }

  /** Whether one more command of unknown outcome can be followed. */
  get hasRoom(): boolean {
    return this.#candidates.every(({ open }) => open.size < MAX_UNKNOWN)
  }

  /** @throws Error where no possibility gives this result */
  acknowledged(command: Command, result: Result): void {
    const { apply, print } = this.#options
    this.#narrow(`propose(${print(command)}) returned ${print(result)}`, (model) => {
      const expected = apply(model, command)
      return isDeepStrictEqual(expected, result) ? null : `the model gives ${print(expected)}`
    })
  }

  /** It may be applied at any time from now on. */
  unknown(command: Command): void {
    const number = this.#unknownCount++
    this.#candidates = this.#candidates.map(({ model, open }) => ({ model, open: new Map(open).set(number, command) }))
  }

  /** A state that holds all that was acknowledged was seen. @throws what `check` throws where it refuses every possibility */
  observed(what: string, check: (model: Model) => void): void {
    this.#narrow(what, (model) => {
      try {
        check(model)
        return null
      } catch (error) {
        return error instanceof Error ? error : String(error)
      }
    })
  }

  /** Keeps the possibilities in which nothing is wrong, each with any of its open commands applied first. */
  #narrow(what: string, problemOf: (model: Model) => Error | string | null): void {
    const kept: Candidate<Command, Model>[] = []
    const problems: (Error | string)[] = []
    for (const candidate of this.#candidates) {
      // The copies are all made before the candidate itself is changed.
      for (const possible of [candidate, ...this.#withOpenApplied(candidate)]) {
        const problem = problemOf(possible.model)
        if (problem !== null) problems.push(problem)
        else if (!kept.some((other) => isDeepStrictEqual(other, possible))) kept.push(possible)
        if (kept.length > MAX_CANDIDATES) throw tooMany()
      }
    }
    if (kept.length === 0) throw this.#contradiction(what, problems)
    this.#candidates = kept
  }

  *#withOpenApplied({ model, open }: Candidate<Command, Model>): Generator<Candidate<Command, Model>> {
    for (const [number, command] of open) {
      const copy = this.#options.clone(model)
      this.#options.apply(copy, command)
      const applied = { model: copy, open: new Map([...open].filter(([other]) => other !== number)) }
      yield* this.#withOpenApplied(applied)
      yield applied
    }
  }

  #contradiction(what: string, problems: readonly (Error | string)[]): Error {
    this.#hasFailed = true
    const texts = [...new Set(problems.map((problem) => (problem instanceof Error ? problem.message : problem)))]
    const shown = texts.slice(0, MAX_SHOWN).join('; or ')
    const more = texts.length > MAX_SHOWN ? ` (and ${texts.length - MAX_SHOWN} more)` : ''
    const cause = problems.find((problem) => problem instanceof Error)
    return new Error(`${what}, but ${shown}${more}`, cause === undefined ? {} : { cause })
  }
}

/** A copy of plain data, with the prototype of the model itself: Maps, Sets, arrays and objects in it are copied. */
export function cloneModel<Model extends object>(model: Model): Model {
  try {
    const copy: Model = structuredClone(model)
    const isBuiltIn = Object.getPrototypeOf(copy) !== Object.prototype
    return isBuiltIn ? copy : (Object.setPrototypeOf(copy, Object.getPrototypeOf(model) as object) as Model)
  } catch (error) {
    const message = 'the model of raftCommands is not plain data, and a command has an unknown outcome: give `clone`'
    throw new RaftError('RAFT_INVALID_OPTION', message, { cause: error })
  }
}

function tooMany(): RaftError {
  const message = `more than ${MAX_CANDIDATES} states of the model are possible: let its results or \`check\` tell more`
  return new RaftError('RAFT_OVERLOADED', message)
}
