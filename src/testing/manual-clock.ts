// A clock for nodes that a test drives by hand: time stands still until it is told to go on. With a scheduler of
// fast-check beside it, which decides in what order stores and transports answer, a run of real nodes is repeatable.
import { checkMs } from './option-checks.js'
import { RaftError } from '../errors.js'
import type { Clock } from '../interfaces/clock.js'

/** `fc.scheduler()` gives one. */
export interface TaskScheduler {
  /** Tasks that wait. */
  count(): number
  /** Lets one of them go on. */
  waitOne(): Promise<unknown>
}

/** Longest that `settle` lets time go on for one promise, ms of this clock. */
export const MANUAL_SETTLE_BOUND_MS = 60_000

/** Most tasks and timers within one `settle`. */
const MAX_STEPS = 1_000_000

interface Timer {
  readonly atMs: number
  readonly fire: () => void
}

/** Begins at 0; its wall clock, at the given time. */
export class ManualClock implements Clock {
  readonly #timers = new Set<Timer>()
  readonly #wallTimeAtStart: number
  #now = 0

  /** @param options.wallTime - ms since 1970. @defaultValue 1_700_000_000_000 */
  constructor(options: { readonly wallTime?: number | undefined } = {}) {
    if (options.wallTime !== undefined) checkMs('wallTime', options.wallTime)
    this.#wallTimeAtStart = options.wallTime ?? 1_700_000_000_000
  }

  now(): number {
    return this.#now
  }

  wallTime(): number {
    return this.#wallTimeAtStart + Math.floor(this.#now)
  }

  schedule(atMs: number, fire: () => void): { cancel(): void } {
    const timer: Timer = { atMs, fire }
    this.#timers.add(timer)
    return { cancel: () => void this.#timers.delete(timer) }
  }

  /** Lets time go on; timers fire in the order of their times, and each sees its own. */
  advance(ms: number): void {
    if (!(ms >= 0)) throw new RaftError('RAFT_INVALID_OPTION', `advance(${ms}): use a number of ms from 0 on`)
    const untilMs = this.#now + ms
    // Those that a firing timer sets for this very moment wait for the next call.
    const due = [...this.#timers].filter(({ atMs }) => atMs <= untilMs).sort((one, other) => one.atMs - other.atMs)
    for (const timer of due) {
      if (!this.#timers.delete(timer)) continue
      this.#now = Math.max(this.#now, timer.atMs)
      timer.fire()
    }
    this.#now = untilMs
  }

  /**
   * Goes on until the promise settles, and settles alike: tasks of the scheduler one at a time, and when none waits, time
   * up to the next timer. Promises that depend on neither get a turn of the machine's event loop between two steps.
   * @throws RaftError RAFT_TIMEOUT: it is open after 60,000 ms of this clock, or nothing is left that could settle it
   */
  async settle<T>(promise: Promise<T>, scheduler?: TaskScheduler): Promise<T> {
    let isSettled = false
    const settle = (): void => {
      isSettled = true
    }
    promise.then(settle, settle)
    const untilMs = this.#now + MANUAL_SETTLE_BOUND_MS
    for (let step = 0; step < MAX_STEPS; step++) {
      await turn()
      if (isSettled) return promise
      if (scheduler !== undefined && scheduler.count() > 0) await scheduler.waitOne()
      else if (!this.#advanceToNext(untilMs)) break
    }
    const message = `a promise is still open after ${Math.round(this.#now)} ms of the clock, and nothing can settle it in time`
    throw new RaftError('RAFT_TIMEOUT', message, { outcome: 'unknown' })
  }

  #advanceToNext(untilMs: number): boolean {
    const nextMs = Math.min(...[...this.#timers].map(({ atMs }) => atMs))
    if (nextMs > untilMs) return false
    this.advance(Math.max(0, nextMs - this.#now))
    return true
  }
}

/** Two, so that what one turn sends is also received. */
async function turn(): Promise<void> {
  for (let count = 0; count < 2; count++) await new Promise<void>((resolve) => setImmediate(resolve))
}
