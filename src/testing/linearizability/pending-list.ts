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

  /** @param operations - by invocation */
  constructor(operations: readonly Operation<unknown, unknown>[]) {
    const length = operations.length
    this.length = length
    this.byReturn = orderOfReturns(operations)
    this.returnRank = new Int32Array(length)
    this.callLimit = limitsOf(operations, operations, this.byReturn)
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

/** How many of `called` were invoked no later than each of `returning` returned. */
export function limitsOf(
  called: readonly Operation<unknown, unknown>[],
  returning: readonly Operation<unknown, unknown>[],
  byReturn: Int32Array,
): Int32Array {
  const limits = new Int32Array(returning.length)
  let limit = 0
  for (const operation of byReturn) {
    const returnedMs = (returning[operation] as Operation<unknown, unknown>).returnedMs
    while (limit < called.length && (called[limit] as Operation<unknown, unknown>).invokedMs <= returnedMs) limit += 1
    limits[operation] = limit
  }
  return limits
}

function orderOfReturns(operations: readonly Operation<unknown, unknown>[]): Int32Array {
  const returnedMs = new Float64Array(operations.length)
  for (let at = 0; at < operations.length; at++) {
    returnedMs[at] = (operations[at] as Operation<unknown, unknown>).returnedMs
  }
  const order = new Int32Array(operations.length)
  for (let at = 0; at < order.length; at++) order[at] = at
  return order.sort((a, b) => {
    const first = returnedMs[a] as number
    const second = returnedMs[b] as number
    return first < second ? -1 : first > second ? 1 : a - b
  })
}
