// The answered operations of one partition that are not placed yet, as two linked lists: by invocation and by return.
// Lift takes one out of both, unlift puts the last one back (Wing and Gong; Lowe), each in constant time. An operation is
// its position in the order of invocations; `length` stands for the end of both lists.
import type { Operation } from '../report.js'

export class PendingList {
  readonly length: number
  /** Position in the order of returns, of each operation. */
  readonly returnRank: Int32Array
  /** The operations in the order of their returns. */
  readonly byReturn: Int32Array
  /**
   * How many operations were invoked no later than each returned. As long as that one is the first to return, those
   * before this limit and no others may be placed next. A return and an invocation of the same time are concurrent.
   */
  readonly callLimit: Int32Array
  readonly #nextCall: Int32Array
  readonly #previousCall: Int32Array
  readonly #nextReturn: Int32Array
  readonly #previousReturn: Int32Array

  readonly #returnedMs: Float64Array

  /** @param operations - by invocation */
  constructor(operations: readonly Operation<unknown, unknown>[]) {
    const length = operations.length
    this.length = length
    this.#returnedMs = new Float64Array(length)
    for (let at = 0; at < length; at++) {
      this.#returnedMs[at] = (operations[at] as Operation<unknown, unknown>).returnedMs
    }
    this.byReturn = orderOf(this.#returnedMs)
    this.returnRank = new Int32Array(length)
    this.callLimit = this.limitsOf(operations)
    this.#nextCall = new Int32Array(length + 1)
    this.#previousCall = new Int32Array(length + 1)
    this.#nextReturn = new Int32Array(length + 1)
    this.#previousReturn = new Int32Array(length + 1)
    let previous = length
    for (let rank = 0; rank < length; rank++) {
      const operation = this.byReturn[rank] as number
      this.returnRank[operation] = rank
      this.#nextReturn[previous] = operation
      this.#previousReturn[operation] = previous
      previous = operation
    }
    this.#nextReturn[previous] = length
    this.#previousReturn[length] = previous
    for (let at = 0; at <= length; at++) {
      this.#nextCall[at] = at === length ? 0 : at + 1
      this.#previousCall[at] = at === 0 ? length : at - 1
    }
  }

  /** The one that was invoked first, or `length`. */
  get firstCall(): number {
    return this.#nextCall[this.length] as number
  }

  /** The one that returns first, or `length`: it must be placed before any that was invoked after its return. */
  get firstReturn(): number {
    return this.#nextReturn[this.length] as number
  }

  /** The next one by invocation, or `length`. */
  callAfter(operation: number): number {
    return this.#nextCall[operation] as number
  }

  /** How many of `called`, which are by invocation, were invoked no later than each operation of this list returned. */
  limitsOf(called: readonly Operation<unknown, unknown>[]): Int32Array {
    const limits = new Int32Array(this.length)
    let limit = 0
    let invokedMs = called[0]?.invokedMs ?? Number.POSITIVE_INFINITY
    for (let rank = 0; rank < this.length; rank++) {
      const operation = this.byReturn[rank] as number
      while (limit < called.length && invokedMs <= (this.#returnedMs[operation] as number)) {
        limit += 1
        invokedMs = called[limit]?.invokedMs ?? Number.POSITIVE_INFINITY
      }
      limits[operation] = limit
    }
    return limits
  }

  lift(operation: number): void {
    const nextCall = this.#nextCall[operation] as number
    const previousCall = this.#previousCall[operation] as number
    this.#nextCall[previousCall] = nextCall
    this.#previousCall[nextCall] = previousCall
    const nextReturn = this.#nextReturn[operation] as number
    const previousReturn = this.#previousReturn[operation] as number
    this.#nextReturn[previousReturn] = nextReturn
    this.#previousReturn[nextReturn] = previousReturn
  }

  /** Only of the one that was lifted last among those that are lifted. */
  unlift(operation: number): void {
    this.#previousCall[this.#nextCall[operation] as number] = operation
    this.#nextCall[this.#previousCall[operation] as number] = operation
    this.#previousReturn[this.#nextReturn[operation] as number] = operation
    this.#nextReturn[this.#previousReturn[operation] as number] = operation
  }
}

/** The positions of the times in rising order. */
function orderOf(times: Float64Array): Int32Array {
  const order = new Int32Array(times.length)
  for (let at = 0; at < order.length; at++) order[at] = at
  return order.sort((a, b) => {
    const first = times[a] as number
    const second = times[b] as number
    return first < second ? -1 : first > second ? 1 : a - b
  })
}
