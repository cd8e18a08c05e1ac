// Sees whether code reads a clock or draws random numbers. While it runs, the global sources are replaced by ones that do
// the same and tell who asked; what runs beside it, a test runner say, is neither seen nor disturbed. Sources that were
// taken before, by `const now = Date.now` or an import of node:crypto, are not seen.
import { AsyncLocalStorage } from 'node:async_hooks'

type Callable = (this: unknown, ...args: unknown[]) => unknown

interface Source {
  readonly owner: object
  readonly name: string
  readonly what: string
}

const WALL_CLOCK = 'the wall clock'
const CLOCK = 'a clock'
const CHANCE = 'random numbers'

/** Methods that are no function of their arguments. */
function sources(): readonly Source[] {
  return [
    { owner: Date, name: 'now', what: `${WALL_CLOCK} (Date.now)` },
    { owner: performance, name: 'now', what: `${CLOCK} (performance.now)` },
    { owner: process, name: 'hrtime', what: `${CLOCK} (process.hrtime)` },
    { owner: process.hrtime, name: 'bigint', what: `${CLOCK} (process.hrtime.bigint)` },
    { owner: Math, name: 'random', what: `${CHANCE} (Math.random)` },
    { owner: crypto, name: 'randomUUID', what: `${CHANCE} (crypto.randomUUID)` },
    { owner: crypto, name: 'getRandomValues', what: `${CHANCE} (crypto.getRandomValues)` },
  ]
}

/** What the code that runs in it has read. */
const readings = new AsyncLocalStorage<Set<string>>()

/** What to call to put each source back; empty while nothing is watched. */
let restorers: readonly (() => void)[] = []
let watchCount = 0

/** Runs `body`, waits for what it returns, and adds to `found` what it read, in words. */
export async function watchImpurity<T>(found: Set<string>, body: () => T | Promise<T>): Promise<T> {
  if (watchCount++ === 0) restorers = [replaceDate(), ...sources().map(replaceMethod)]
  try {
    const outcome = readings.run(found, body)
    return await outcome
  } finally {
    if (--watchCount === 0) for (const restore of restorers.toReversed()) restore()
  }
}

function note(what: string): void {
  readings.getStore()?.add(what)
}

function replaceMethod({ owner, name, what }: Source): () => void {
  const original = (owner as Record<string, Callable>)[name] as Callable
  const watched = function (this: unknown, ...args: unknown[]): unknown {
    note(what)
    return original.apply(this, args)
  }
  // process.hrtime has a method of its own.
  return replace(owner, name, Object.assign(watched, original))
}

/** `new Date(0)` and `Date.UTC(…)` are pure; `new Date()` and `Date()` are not. */
function replaceDate(): () => void {
  const watched = new Proxy(Date, {
    construct: (target, args, newTarget): object => {
      if (args.length === 0) note(`${WALL_CLOCK} (new Date())`)
      return Reflect.construct(target, args, newTarget) as object
    },
    apply: (target, self, args): unknown => {
      note(`${WALL_CLOCK} (Date())`)
      return Reflect.apply(target, self, args)
    },
  })
  return replace(globalThis, 'Date', watched)
}

/** Leaves alone what is frozen. */
function replace(owner: object, name: string, value: unknown): () => void {
  const before = Object.getOwnPropertyDescriptor(owner, name)
  const isDone = Reflect.defineProperty(owner, name, { configurable: true, writable: true, enumerable: false, value })
  return () => {
    if (!isDone) return
    if (before === undefined) Reflect.deleteProperty(owner, name)
    else Reflect.defineProperty(owner, name, before)
  }
}
