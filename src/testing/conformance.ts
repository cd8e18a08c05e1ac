// The manner of the published conformance suites: cases with a name, run by any test runner or at once, and a few
// assertions of our own, so that a suite needs no test library. Knows nothing of what is tested.
import { checkFunction } from './option-checks.js'
import { isRaftError, type RaftErrorCode } from '../errors.js'

/** vitest's or node:test's `test`. */
export type Run = (name: string, body: () => Promise<void>) => unknown

/** How a suite makes, restarts and removes the stores that it tests. One factory object serves one case. */
export interface StoreFactory<S> {
  /** A new, empty store. The suite opens it where the interface has an `open`. */
  create(): Promise<S>
  /** The store with what the last one left, as after a restart: another object over the same place, or the same one closed and handed out again. The suite has closed the last one, or called `crash`. */
  reopen(): Promise<S>
  /** Ends the last store without closing it, as a power cut would, and drops what was not durable. The suite doesn't touch that store any more. Without it, only orderly restarts are tested. */
  crash?(): Promise<void>
  /** After the case, also when it failed: removes what was made. */
  destroy?(): Promise<void>
}

/** One rule of a contract. `name` is a sentence of behaviour. */
export interface ConformanceCase<Subject> {
  readonly name: string
  readonly body: (subject: Subject) => Promise<void>
}

/** Before any case, so that a wrong call doesn't pass for a broken contract. @throws RaftError RAFT_INVALID_OPTION */
export function checkSuite(factory: unknown, run: unknown): void {
  checkFunction('factory', factory, 'a function that makes what is tested')
  if (run !== undefined) checkFunction('run', run, 'test of vitest or node:test, or nothing')
}

/** Every case with a subject of its own: declared to `run`, or without it one after the other, up to the first failure. */
export async function runCases<Subject>(options: {
  readonly title: string
  readonly cases: readonly ConformanceCase<Subject>[]
  /** Makes the subject of a case, and what is done with it afterwards, also when the case fails. */
  readonly prepare: () => { readonly subject: Subject; readonly finish: () => Promise<void> }
  readonly run: Run | undefined
}): Promise<void> {
  const { title, cases, prepare, run } = options
  for (const { name, body } of cases) {
    const test = async () => {
      const { subject, finish } = prepare()
      try {
        await body(subject)
      } finally {
        await finish()
      }
    }
    if (run !== undefined) {
      // What the runner returns is the runner's: vitest's is undefined, that of node:test settles with the whole file.
      run(`${title}: ${name}`, test)
      continue
    }
    await test().catch((error: unknown) => {
      const reason = error instanceof Error ? error.message : String(error)
      throw new Error(`${title}: ${name}: ${reason}`, { cause: error })
    })
  }
}

/** Throws unless `condition` holds. `message` says what was expected and what was found. */
export function expectThat(condition: boolean, message: string): void {
  if (!condition) throw new Error(message)
}

/** Throws unless both are structurally equal; a property that is undefined is one that is absent. */
export function expectEqual(actual: unknown, expected: unknown, what: string): void {
  const [found, wanted] = [print(actual), print(expected)]
  expectThat(found === wanted, `${what}: expected ${wanted}, found ${found}`)
}

/** Throws unless the promise rejects with a RaftError of one of these codes. */
export async function expectRejection(
  promise: Promise<unknown>,
  what: string,
  ...codes: readonly RaftErrorCode[]
): Promise<void> {
  const wanted = codes.join(' or ')
  let value: unknown
  try {
    value = await promise
  } catch (error) {
    const found = isRaftError(error) ? error.code : `'${String(error)}'`
    expectThat(isRaftError(error, ...codes), `${what}: expected a rejection with ${wanted}, it was ${found}`)
    return
  }
  throw new Error(`${what}: expected a rejection with ${wanted}, it resolved with ${print(value)}`)
}

/** Longest text of a value in a message. */
const MAX_PRINTED = 2000

function print(value: unknown): string {
  const text = canonical(value)
  return text.length <= MAX_PRINTED ? text : `${text.slice(0, MAX_PRINTED)}… (${text.length} characters, ${hash(text)})`
}

/** The same text for equal values, whatever the order of their keys. */
function canonical(value: unknown): string {
  if (value instanceof Uint8Array)
    return `bytes(${Array.from(value, (byte) => byte.toString(16).padStart(2, '0')).join('')})`
  if (Array.isArray(value)) return `[${value.map(canonical).join(', ')}]`
  if (typeof value !== 'object' || value === null)
    return Object.is(value, -0) ? '-0' : (JSON.stringify(value) ?? 'undefined')
  const fields = Object.entries(value).filter(([, field]) => field !== undefined)
  const sorted = fields.sort(([a], [b]) => (a < b ? -1 : 1))
  return `{${sorted.map(([name, field]) => `${name}: ${canonical(field)}`).join(', ')}}`
}

/** Tells long texts apart that begin alike. */
function hash(text: string): string {
  let mixed = 0x811c9dc5
  for (let at = 0; at < text.length; at++) mixed = Math.imul(mixed ^ text.charCodeAt(at), 0x01000193) >>> 0
  return mixed.toString(16)
}
