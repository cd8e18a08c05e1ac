// A stream of pieces of any size, looked at by as many bytes as are needed next. Holds what was not used yet, and copies only
// where those bytes came in several pieces.
import { RaftError } from '../errors.js'

/** What came and is not used yet. */
export class Pieces {
  readonly #iterator: AsyncIterator<Uint8Array>
  readonly #what: string
  #held: Uint8Array[] = []
  #isDone = false
  heldBytes = 0

  /** @param what - gives them, for the message of an error */
  constructor(chunks: AsyncIterable<Uint8Array>, what: string) {
    this.#iterator = chunks[Symbol.asyncIterator]()
    this.#what = what
  }

  /** Whether that many bytes are there, after waiting for them. */
  async has(length: number): Promise<boolean> {
    while (this.heldBytes < length && !this.#isDone) {
      const { done, value } = await this.#iterator.next()
      if (done === true) {
        this.#isDone = true
      } else if (!(value instanceof Uint8Array)) {
        throw new RaftError('RAFT_INVALID_OPTION', `${this.#what} gave a ${typeof value}: give a stream of Uint8Array`)
      } else if (value.byteLength > 0) {
        this.#held.push(value)
        this.heldBytes += value.byteLength
      }
    }
    return this.heldBytes >= length
  }

  /** The first bytes of what is held: `has` was true of them. */
  peek(length: number): Uint8Array {
    const [first] = this.#held
    if (first !== undefined && first.byteLength >= length) return first.subarray(0, length)
    const whole = joined(this.#held, this.heldBytes)
    this.#held = [whole]
    return whole.subarray(0, length)
  }

  /** Behind a `peek` of as many. */
  drop(length: number): void {
    const [first, ...rest] = this.#held
    const left = first?.subarray(length)
    this.#held = left === undefined || left.byteLength === 0 ? rest : [left, ...rest]
    this.heldBytes -= length
  }

  /** All that was not dropped, as it comes. */
  async *rest(): AsyncGenerator<Uint8Array> {
    while (this.heldBytes > 0 || (await this.has(1))) {
      const [first] = this.#held
      const chunk = first ?? new Uint8Array(0)
      this.drop(chunk.byteLength)
      yield chunk
    }
  }

  /** Lets the stream go. Never rejects. */
  async close(): Promise<void> {
    this.#held = []
    if (this.#isDone) return
    this.#isDone = true
    try {
      await this.#iterator.return?.()
    } catch {
      // Nobody reads it any more.
    }
  }
}

/** All of them in one, whose length is known. */
export function joined(pieces: readonly Uint8Array[], length: number): Uint8Array {
  const whole = new Uint8Array(length)
  let at = 0
  for (const piece of pieces) {
    whole.set(piece, at)
    at += piece.byteLength
  }
  return whole
}
