// Log time as it stands between two entries: the last entry's timestamp plus the time since it was applied here. Only
// for showing how long a key still has; what is expired is decided by the log alone (atlas.md §4). It follows the
// leader's clock, so a node whose own clock is wrong shows the same.

export class LogClock {
  readonly #logTime: () => number
  readonly #now: () => number
  #base = 0
  #since = 0

  /** @param now - ms of a monotonic clock */
  constructor(options: { readonly logTime: () => number; readonly now: () => number }) {
    this.#logTime = options.logTime
    this.#now = options.now
  }

  /** After entries were applied. */
  observe(): void {
    const logTime = this.#logTime()
    if (logTime === this.#base) return
    this.#base = logTime
    this.#since = this.#now()
  }

  /** Ms since 1970 by log time. */
  now(): number {
    this.observe()
    return this.#base + Math.max(0, Math.floor(this.#now() - this.#since))
  }
}
