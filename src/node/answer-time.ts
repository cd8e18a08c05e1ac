// How far away a peer is, by the shortest time that an answer of it took lately, and with that how many messages may be on
// their way to one that has to catch up. What is on its way over a long distance costs nobody anything; over a short one the
// peer, its disk and whoever reads for it would only be busier, and those who keep up would wait for that.

/** A message more is on its way for each so many ms that an answer takes at least. */
const MS_PER_MESSAGE = 25

/** The shortest time counts for so long, and for at most twice as long, ms: a way can become longer. */
const MEMORY_MS = 10_000

export class AnswerTime {
  /** The message whose answer is timed: where it ends, and when it was sent. */
  #timed: { readonly end: number; readonly atMs: number } | null = null
  /** Since `#sinceMs`, and in the time before. */
  #shortestMs = Number.POSITIVE_INFINITY
  #shortestBeforeMs = Number.POSITIVE_INFINITY
  #sinceMs = Number.NEGATIVE_INFINITY

  /** A message that ends at `end` leaves. */
  sent(end: number, nowMs: number): void {
    this.#timed ??= { end, atMs: nowMs }
  }

  /** The peer has everything up to `end`. What waits behind other messages takes longer: the shortest time counts. */
  answered(end: number, nowMs: number): void {
    if (this.#timed === null || end < this.#timed.end) return
    if (nowMs - this.#sinceMs >= MEMORY_MS) {
      this.#shortestBeforeMs = this.#shortestMs
      this.#shortestMs = Number.POSITIVE_INFINITY
      this.#sinceMs = nowMs
    }
    this.#shortestMs = Math.min(this.#shortestMs, nowMs - this.#timed.atMs)
    this.#timed = null
  }

  /** What was sent will be sent again. */
  forget(): void {
    this.#timed = null
  }

  /** Messages on their way at most: one until an answer was timed. */
  get window(): number {
    const shortestMs = Math.min(this.#shortestMs, this.#shortestBeforeMs)
    return Number.isFinite(shortestMs) ? 1 + Math.floor(shortestMs / MS_PER_MESSAGE) : 1
  }
}
