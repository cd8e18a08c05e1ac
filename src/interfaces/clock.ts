// Time as the node sees it, so that tests and the simulator can own it.

export interface Clock {
  /** Monotonic, ms, may have fractions; unaffected by changes of the wall clock. */
  now(): number
  /** Wall clock, ms since 1970. */
  wallTime(): number
  /** Fires once at or after `atMs` of `now()`, never before it and never within this call. */
  schedule(atMs: number, fire: () => void): { cancel(): void }
}
