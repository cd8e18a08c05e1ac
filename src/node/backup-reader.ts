// Reads a backup from a stream of pieces of any size, checking every byte before it hands one on, but for the digest: that
// is known at the end, so what came is nothing before `chunks` has ended. Holds one record in memory (H61).
import {
  BackupDecoder,
  type BackupHeader,
  type BackupRecordType,
  PREAMBLE_BYTES,
  RECORD_HEAD_BYTES,
} from '../codec/backup-format.js'
import { Pieces } from './pieces.js'

export class BackupReader {
  readonly #pieces: Pieces
  readonly #decoder: BackupDecoder = new BackupDecoder()

  constructor(backup: AsyncIterable<Uint8Array>) {
    this.#pieces = new Pieces(backup, 'backup')
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
