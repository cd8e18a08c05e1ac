// What is told of values that may be promises, and of promises whose end nobody needs.

/** Whether a user's function answered with a promise: anything that has a `then`. */
export function isThenable(value: unknown): value is PromiseLike<unknown> {
  return typeof (value as { then?: unknown } | null | undefined)?.then === 'function'
}

/** Handles a rejection that somebody else hears of too. */
export function ignore(): void {}
