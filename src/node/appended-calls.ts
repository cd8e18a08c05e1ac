// Calls that stand in a log, found by index when it is applied here (F15, H35). The entry's term decides whether it was
// theirs; the index alone would tell a client that another's command was its own.
import type { LogIndex, Term } from '../core/types.js'
import type { ProposalCall } from './proposal-call.js'

export class AppendedCalls {
  /** Appended by this node in one leadership: rising, gapless for its calls. Those before `#head` are done. */
  #own: ProposalCall[] = []
  #head = 0
  #ownTerm: Term = 0
  /** All others, under each of their indexes: of earlier leaderships and of other leaders. */
  readonly #scattered = new Map<LogIndex, ProposalCall[]>()

  /** Calls or places of calls that wait. */
  get size(): number {
    return this.#own.length - this.#head + this.#scattered.size
  }

  /** Appended by this node as the leader of `call.term`, behind all of that term before. */
  addOwn(call: ProposalCall): void {
    if (call.term !== this.#ownTerm) {
      for (const earlier of this.#own.slice(this.#head)) if (!earlier.isSettled) this.addScattered(earlier)
      this.#own = []
      this.#head = 0
      this.#ownTerm = call.term
    }
    this.#own.push(call)
  }

  /** Appended elsewhere, or by this node in a term that is over. */
  addScattered(call: ProposalCall): void {
    // Indexes that were applied already never come again, and would keep the call for ever.
    for (let index = call.nextIndex; index <= call.lastIndex; index++) {
      const held = this.#scattered.get(index)
      if (held === undefined) this.#scattered.set(index, [call])
      else held.push(call)
    }
  }

  /** The entry at `index` was applied here; every index comes once, in order. */
  onApplied(index: LogIndex, term: Term, result: unknown): void {
    if (this.#head < this.#own.length) this.#applyOwn(index, term, result)
    if (this.#scattered.size === 0) return
    const calls = this.#scattered.get(index)
    if (calls === undefined) return
    this.#scattered.delete(index)
    for (const call of calls) call.onApplied(index, term, result)
  }

  /** The state jumped to `index` by a snapshot: calls that waited for an entry up to there, which is never applied here. */
  takeUpTo(index: LogIndex): readonly ProposalCall[] {
    const taken: ProposalCall[] = []
    for (
      let call = this.#own[this.#head];
      call !== undefined && call.firstIndex <= index;
      call = this.#own[this.#head]
    ) {
      taken.push(call)
      this.#head += 1
    }
    for (const [at, calls] of this.#scattered) {
      if (at > index) continue
      taken.push(...calls)
      this.#scattered.delete(at)
    }
    return taken
  }

  #applyOwn(index: LogIndex, term: Term, result: unknown): void {
    const call = this.#own[this.#head]
    if (call === undefined || call.firstIndex > index) return
    call.onApplied(index, term, result)
    if (call.lastIndex > index && term === call.term) return
    this.#head += 1
    if (this.#head > 1024 && this.#head * 2 > this.#own.length) {
      this.#own = this.#own.slice(this.#head)
      this.#head = 0
    } else if (this.#head === this.#own.length) {
      this.#own.length = 0
      this.#head = 0
    }
  }
}
