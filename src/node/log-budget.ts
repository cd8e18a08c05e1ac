// How much a node has taken in and not applied yet (F13, H33): proposals that wait, and entries of its log from clients,
// followers or its leader. What may still come in is what is left of `limits.uncommittedBytes`.
import type { LogEntry, LogIndex } from '../core/types.js'

export class LogBudget {
  readonly #limitBytes: number
  #waitingBytes = 0
  #logBytes = 0
  /** Per append that is not applied: its last index and its bytes. Those before `#head` are gone. */
  #runs: { last: LogIndex; first: LogIndex; bytes: number }[] = []
  #head = 0

  constructor(limitBytes: number) {
    this.#limitBytes = limitBytes
  }

  get usedBytes(): number {
    return this.#waitingBytes + this.#logBytes
  }

  /** Bytes that still fit beside `extraBytes`. Whatever its size, something is taken when nothing is under way (H34). */
  remainingBytes(extraBytes = 0): number {
    const usedBytes = this.usedBytes + extraBytes
    return usedBytes === 0 ? Number.POSITIVE_INFINITY : Math.max(0, this.#limitBytes - usedBytes)
  }

  /** A proposal waits to be appended, or is passed on to the leader. */
  addWaiting(bytes: number): void {
    this.#waitingBytes += bytes
  }

  removeWaiting(bytes: number): void {
    this.#waitingBytes -= bytes
  }

  /** Entries went into the log; from the first of them on, earlier ones are gone. */
  append(entries: readonly LogEntry[]): void {
    const first = entries[0]
    if (first === undefined) return
    while (this.#runs.length > this.#head) {
      const tail = this.#runs[this.#runs.length - 1]
      if (tail === undefined || tail.last < first.index) break
      this.#logBytes -= tail.bytes
      this.#runs.pop()
      // Of a run that is cut its size is known only as a whole: what stays of it counts in full until it is applied.
      if (tail.first < first.index) {
        this.#push({ first: tail.first, last: first.index - 1, bytes: tail.bytes })
        break
      }
    }
    let bytes = 0
    for (const entry of entries) bytes += entry.data.length
    this.#push({ first: first.index, last: first.index + entries.length - 1, bytes })
  }

  /** Everything up to `index` is applied. */
  applied(index: LogIndex): void {
    for (;;) {
      const run = this.#runs[this.#head]
      if (run === undefined || run.last > index) break
      this.#logBytes -= run.bytes
      this.#head += 1
    }
    if (this.#head > 64 && this.#head * 2 > this.#runs.length) {
      this.#runs = this.#runs.slice(this.#head)
      this.#head = 0
    }
  }

  #push(run: { last: LogIndex; first: LogIndex; bytes: number }): void {
    if (run.bytes === 0) return
    this.#runs.push(run)
    this.#logBytes += run.bytes
  }
}
