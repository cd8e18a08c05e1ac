// The answered operations of one partition that are not placed yet, as two linked lists: by invocation and by return.
// Lift takes one out of both, unlift puts the last one back (Wing and Gong; Lowe), each in constant time. An operation is
// its position in the order of invocations; `length` stands for the end of both lists.
import type { Operation } from '../report.js'

/** Bytes for each operation: nine lists of 32 bits, two of them the search's, and the times. */
const BYTES_PER_OPERATION = 44
/** Buffers that wait for a next list. */
const MAX_SPARE_BUFFERS = 4

/** Hands the memory of a list that is done to the next one: a big history has many keys, one decided after the other. */
export class ListMemory {
  readonly #spare: ArrayBuffer[] = []

  take(sizeBytes: number): ArrayBuffer {
    const index = this.#spare.findIndex(({ byteLength }) => byteLength >= sizeBytes)
    const [buffer] = index === -1 ? [] : this.#spare.splice(index, 1)
    // A little more than asked for, because the next key may have a few operations more.
    return buffer ?? new ArrayBuffer(Math.ceil(sizeBytes * 1.125))
  }

  give(buffer: ArrayBuffer): void {
    if (this.#spare.length < MAX_SPARE_BUFFERS) this.#spare.push(buffer)
  }
}

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
  readonly #buffer: ArrayBuffer
  readonly #memory: ListMemory

  #usedBytes: number

  /** @param operations - by invocation */
  constructor(operations: readonly Operation<unknown, unknown>[], memory: ListMemory) {
    const length = operations.length
    this.length = length
    this.#memory = memory
    this.#buffer = memory.take(BYTES_PER_OPERATION * (length + 1))
    this.#returnedMs = new Float64Array(this.#buffer, 0, length)
    this.#usedBytes = this.#returnedMs.byteLength
    this.byReturn = this.list(length)
    this.returnRank = this.list(length)
    this.#nextCall = this.list(length + 1)
    this.#previousCall = this.list(length + 1)
    this.#nextReturn = this.list(length + 1)
    this.#previousReturn = this.list(length + 1)
    for (let at = 0; at < length; at++) {
      this.#returnedMs[at] = (operations[at] as Operation<unknown, unknown>).returnedMs
    }
    sortByTime(this.byReturn, this.#returnedMs)
    this.callLimit = this.limitsOf(operations)
    this.#link()
  }

  /** Its memory goes to another list: not to be used any more. */
  release(): void {
    this.#memory.give(this.#buffer)
  }

  /** Numbers of any value, in the memory of this list as long as there is some. */
  list(size: number): Int32Array {
    const sizeBytes = size * Int32Array.BYTES_PER_ELEMENT
    if (this.#usedBytes + sizeBytes > this.#buffer.byteLength) return new Int32Array(size)
    this.#usedBytes += sizeBytes
    return new Int32Array(this.#buffer, this.#usedBytes - sizeBytes, size)
  }

  #link(): void {
    const { length } = this
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
    const limits = this.list(this.length)
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

/** Fills `order` with the positions of the times in rising order. */
function sortByTime(order: Int32Array, times: Float64Array): void {
  for (let at = 0; at < order.length; at++) order[at] = at
  order.sort((a, b) => {
    const first = times[a] as number
    const second = times[b] as number
    return first < second ? -1 : first > second ? 1 : a - b
  })
}
