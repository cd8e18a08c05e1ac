// When a peer may be dialled again: exponential, capped and jittered, so that a restarted node isn't met by all at once.
// A connection counts as a success only when it lived for a while: who is refused right after the hello waits longer
// and longer, too.

const FIRST_MS = 50
const MAX_MS = 1000

export class Backoff {
  readonly #random: () => number
  #failures = 0
  #retryAtMs = 0

  /** `random` gives [0, 1). */
  constructor(random: () => number = Math.random) {
    this.#random = random
  }

  /** On the clock of the calls below; 0 when nothing speaks against dialling. */
  get retryAtMs(): number {
    return this.#retryAtMs
  }

  /** A connection failed or ended after `livedMs` of use; 0 when there never was one. */
  failed(nowMs: number, livedMs: number): void {
    if (livedMs >= MAX_MS) return this.reset()
    const delayMs = Math.min(MAX_MS, FIRST_MS * 2 ** Math.min(this.#failures, 10))
    this.#failures += 1
    this.#retryAtMs = nowMs + delayMs * (0.5 + this.#random() / 2)
  }

  /** The peer has shown that it is there. */
  reset(): void {
    this.#failures = 0
    this.#retryAtMs = 0
  }
}
