// How far away a peer is, by the shortest time that an answer of it took lately, and with that how many messages may be on
// their way to one that has to catch up. What is on its way over a long distance costs nobody anything; over a short one the
// peer, its disk and whoever reads for it would only be busier, and those who keep up would wait for that.

/** A message more is on its way for each so many ms that an answer takes at least. */
const MS_PER_MESSAGE = 25

/** After so long it is measured anew, ms: a way can become longer. */
const MEMORY_MS = 10_000

export class AnswerTime {
  /** The message whose answer is timed: where it ends, when it was sent, and whether with nothing in front of it. */
  #timed: { readonly end: number; readonly atMs: number; readonly isAlone: boolean } | null = null
  #shortestMs = Number.POSITIVE_INFINITY
  #measuredAtMs = Number.NEGATIVE_INFINITY

  /** A message that ends at `end` leaves. `isAlone`: none before it is unanswered. */
  sent(end: number, { nowMs, isAlone }: { readonly nowMs: number; readonly isAlone: boolean }): void {
    if (isAlone) this.#timed = null
    this.#timed ??= { end, atMs: nowMs, isAlone }
  }

  /**
   * The peer has everything up to `end`. What waits behind other messages takes longer: it may shorten the time, and never
   * begins a new one, or the window would grow by the queue that it makes.
   */
  answered(end: number, nowMs: number): void {
    if (this.#timed === null || end < this.#timed.end) return
    const { atMs, isAlone } = this.#timed
    this.#timed = null
    if (isAlone && this.#isOld(nowMs)) {
      this.#shortestMs = nowMs - atMs
      this.#measuredAtMs = nowMs
    } else {
      this.#shortestMs = Math.min(this.#shortestMs, nowMs - atMs)
    }
  }

  /** What was sent will be sent again. */
  forget(): void {
    this.#timed = null
  }

  /** Messages on their way at most: one until an answer was timed, and again before it is timed anew. */
  window(nowMs: number): number {
    return this.#isOld(nowMs) ? 1 : 1 + Math.floor(this.#shortestMs / MS_PER_MESSAGE)
  }

  #isOld(nowMs: number): boolean {
    return nowMs - this.#measuredAtMs >= MEMORY_MS
  }
}
