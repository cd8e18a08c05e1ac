// What was applied lately, kept only while a forward of this node is unanswered: the leader's answer, which says where
// the command stands, may come after the command was applied here (F16, H116).
import type { LogIndex, Term } from '../core/types.js'

/** Results that are kept; beyond it the fate of a late answer is unknown. */
export const APPLIED_RESULTS = 8_192

export type AppliedResult =
  | { readonly type: 'held'; readonly term: Term; readonly result: unknown }
  /** Applied, but before anything was kept, or too long ago. */
  | { readonly type: 'gone' }

export class AppliedResults {
  readonly #terms: Term[] = []
  readonly #results: unknown[] = []
  /** Held are `#first..#last`; none when `#last` is below `#first`. */
  #first: LogIndex = 1
  #last: LogIndex = 0

  /** Every index comes once, in order, as long as results are kept. */
  add(index: LogIndex, term: Term, result: unknown): void {
    if (index !== this.#last + 1) {
      this.clear()
      this.#first = index
    }
    const slot = index % APPLIED_RESULTS
    this.#terms[slot] = term
    this.#results[slot] = result
    this.#last = index
    this.#first = Math.max(this.#first, index - APPLIED_RESULTS + 1)
  }

  at(index: LogIndex): AppliedResult {
    if (index < this.#first || index > this.#last) return { type: 'gone' }
    const slot = index % APPLIED_RESULTS
    return { type: 'held', term: this.#terms[slot] ?? 0, result: this.#results[slot] }
  }

  /** Nobody waits any more. */
  clear(): void {
    for (let index = this.#first; index <= this.#last; index++) this.#results[index % APPLIED_RESULTS] = undefined
    this.#last = 0
    this.#first = 1
  }
}
