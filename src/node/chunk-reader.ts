// Reads a stored snapshot in chunks of a chosen size, from any offset: a store yields pieces as it likes. Holds one piece in
// memory (H61), and a read of the store open until `close`, so that a newer snapshot does not take the file away.
import type { StoredSnapshot } from '../interfaces/snapshot-store.js'
import { joined } from './pieces.js'

const NOTHING = new Uint8Array(0)

export class ChunkReader {
  readonly #snapshot: StoredSnapshot
  #iterator: AsyncIterator<Uint8Array> | null = null
  #offset = 0
  /** Read from the store, and not asked for yet. */
  #rest: Uint8Array = NOTHING

  constructor(snapshot: StoredSnapshot) {
    this.#snapshot = snapshot
  }

  /** Of the next chunk. */
  get offset(): number {
    return this.#offset
  }

  /** Goes to `offset`. @throws what the store throws */
  async seek(offset: number): Promise<void> {
    if (this.#iterator !== null && offset === this.#offset) return
    const held = this.#iterator
    this.#iterator = this.#snapshot.read(offset)[Symbol.asyncIterator]()
    this.#offset = offset
    this.#rest = NOTHING
    // The earlier read ends when this one holds the snapshot.
    await this.#fill()
    await held?.return?.()
  }

  /** The next bytes, at most `maxBytes`; empty at the end only. @throws what the store throws */
  async next(maxBytes: number): Promise<Uint8Array> {
    const pieces: Uint8Array[] = []
    let length = 0
    while (length < maxBytes && (this.#rest.length > 0 || (await this.#fill()))) {
      const piece = this.#rest.subarray(0, maxBytes - length)
      this.#rest = this.#rest.subarray(piece.length)
      pieces.push(piece)
      length += piece.length
    }
    this.#offset += length
    return pieces.length === 1 ? (pieces[0] ?? NOTHING) : joined(pieces, length)
  }

  /** Lets the snapshot go. Never rejects. */
  async close(): Promise<void> {
    const held = this.#iterator
    this.#iterator = null
    this.#rest = NOTHING
    try {
      await held?.return?.()
    } catch {
      // Nobody reads it any more.
    }
  }

  /** Whether there was more. */
  async #fill(): Promise<boolean> {
    while (this.#iterator !== null && this.#rest.length === 0) {
      const { done, value } = await this.#iterator.next()
      if (done === true) return false
      this.#rest = value
    }
    return this.#rest.length > 0
  }
}
