// Reads a backup from a stream of pieces of any size, checking every byte before it hands one on, but for the digest: that
// is known at the end, so what came is nothing before `chunks` has ended. Holds one record in memory (H61).
import {
  BackupDecoder,
  type BackupHeader,
  type BackupRecordType,
  PREAMBLE_BYTES,
  RECORD_HEAD_BYTES,
} from '../codec/backup-format.js'
import { RaftError } from '../errors.js'

export class BackupReader {
  readonly #pieces: Pieces
  readonly #decoder: BackupDecoder = new BackupDecoder()

  constructor(backup: AsyncIterable<Uint8Array>) {
    this.#pieces = new Pieces(backup)
  }

  /** First. @throws RaftError RAFT_CORRUPTION, RAFT_VERSION; what the stream throws */
  async header(): Promise<BackupHeader> {
    const preamble = await this.#peek(PREAMBLE_BYTES)
    this.#decoder.preamble(preamble)
    this.#pieces.drop(PREAMBLE_BYTES)
    const { payload } = await this.#next()
    return this.#decoder.header(payload)
  }

  /** Then the state. It is intact, and all of it, when this has ended. @throws as `header` */
  async *chunks(): AsyncGenerator<Uint8Array> {
    for (;;) {
      const { type, payload } = await this.#next()
      if (type === 'trailer') break
      if (payload.byteLength > 0) yield payload
    }
    if (await this.#pieces.has(1)) throw this.#decoder.damage('more follows behind its end')
  }

  /** Lets the stream go. Never rejects. */
  async close(): Promise<void> {
    await this.#pieces.close()
  }

  async #next(): Promise<{ readonly type: BackupRecordType; readonly payload: Uint8Array }> {
    const { type, payloadBytes } = this.#decoder.head(await this.#peek(RECORD_HEAD_BYTES))
    const recordBytes = RECORD_HEAD_BYTES + payloadBytes
    const payload = this.#decoder.record(await this.#peek(recordBytes))
    this.#pieces.drop(recordBytes)
    return { type, payload }
  }

  async #peek(length: number): Promise<Uint8Array> {
    if (await this.#pieces.has(length)) return this.#pieces.peek(length)
    throw this.#decoder.damage(`it ends after ${this.#pieces.heldBytes} more bytes, before its end`)
  }
}

/** What came and is not used yet. */
class Pieces {
  readonly #iterator: AsyncIterator<Uint8Array>
  #held: Uint8Array[] = []
  #isDone = false
  heldBytes = 0

  constructor(backup: AsyncIterable<Uint8Array>) {
    this.#iterator = backup[Symbol.asyncIterator]()
  }

  /** Whether that many bytes are there, after waiting for them. */
  async has(length: number): Promise<boolean> {
    while (this.heldBytes < length && !this.#isDone) {
      const { done, value } = await this.#iterator.next()
      if (done === true) {
        this.#isDone = true
      } else if (!(value instanceof Uint8Array)) {
        throw new RaftError('RAFT_INVALID_OPTION', `backup gave a ${typeof value}: give a stream of Uint8Array`)
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
    const joined = new Uint8Array(this.heldBytes)
    let at = 0
    for (const piece of this.#held) {
      joined.set(piece, at)
      at += piece.byteLength
    }
    this.#held = [joined]
    return joined.subarray(0, length)
  }

  /** Behind a `peek` of as many. */
  drop(length: number): void {
    const [first, ...rest] = this.#held
    const left = first?.subarray(length)
    this.#held = left === undefined || left.byteLength === 0 ? rest : [left, ...rest]
    this.heldBytes -= length
  }

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
