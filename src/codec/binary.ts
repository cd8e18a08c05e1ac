// Fixed fields over a byte array, big-endian: the one place that knows offsets. The writer fills memory of exactly the
// size that was computed before; the reader checks every length against what remains before it allocates anything (H91).
// Integers travel as two 32-bit halves, because bitwise operators and one half would cut them (H102).
import { RaftError } from '../errors.js'

const HALF = 0x1_0000_0000
const NONE = 0xffff_ffff
const MAX_HIGH_HALF = 0x1f_ffff

/** Fills `bytes` from `offset` on. Writing past the end is a programmer's error: RangeError. */
export class ByteWriter {
  readonly bytes: Uint8Array<ArrayBuffer>
  readonly #view: DataView
  offset: number

  constructor(bytes: Uint8Array<ArrayBuffer>, offset: number) {
    this.bytes = bytes
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
    this.offset = offset
  }

  uint8(value: number): void {
    this.#view.setUint8(this.offset, value)
    this.offset += 1
  }

  uint16(value: number): void {
    this.#view.setUint16(this.offset, value)
    this.offset += 2
  }

  uint32(value: number): void {
    this.#view.setUint32(this.offset, value)
    this.offset += 4
  }

  /** All ones, where an integer would stand. */
  none(): void {
    this.uint32(NONE)
    this.uint32(NONE)
  }

  /** A safe integer, not negative: 8 bytes. */
  integer(value: number): void {
    this.#view.setUint32(this.offset, Math.floor(value / HALF))
    this.#view.setUint32(this.offset + 4, value % HALF)
    this.offset += 8
  }

  float64(value: number): void {
    this.#view.setFloat64(this.offset, value)
    this.offset += 8
  }

  raw(value: Uint8Array): void {
    this.bytes.set(value, this.offset)
    this.offset += value.byteLength
  }
}

/** Reads what a stranger wrote. Everything it throws is RAFT_CORRUPTION and says where. */
export class ByteReader {
  readonly #bytes: Uint8Array
  readonly #view: DataView
  /** What is being read, for the message of an error. */
  readonly #subject: string
  #offset = 0
  /** A copy of what remained when the first payload was read, and where it began. */
  #payloads: Uint8Array<ArrayBuffer> | null = null
  #payloadsOffset = 0

  constructor(bytes: Uint8Array, subject: string) {
    this.#bytes = bytes
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
    this.#subject = subject
  }

  get remaining(): number {
    return this.#bytes.byteLength - this.#offset
  }

  uint8(name: string): number {
    this.need(1, name)
    this.#offset += 1
    return this.#view.getUint8(this.#offset - 1)
  }

  uint16(name: string): number {
    this.need(2, name)
    this.#offset += 2
    return this.#view.getUint16(this.#offset - 2)
  }

  uint32(name: string): number {
    this.need(4, name)
    this.#offset += 4
    return this.#view.getUint32(this.#offset - 4)
  }

  integer(name: string): number {
    this.need(8, name)
    const high = this.#view.getUint32(this.#offset)
    const low = this.#view.getUint32(this.#offset + 4)
    if (high > MAX_HIGH_HALF) this.fail(`${name} is ${high * HALF + low}, not below 2^53`)
    this.#offset += 8
    return high * HALF + low
  }

  /** The next eight bytes are all ones: the place of an integer that is not there. */
  startsWithNone(): boolean {
    if (this.remaining < 8) return false
    return this.#view.getUint32(this.#offset) === NONE && this.#view.getUint32(this.#offset + 4) === NONE
  }

  float64(name: string): number {
    this.need(8, name)
    this.#offset += 8
    return this.#view.getFloat64(this.#offset - 8)
  }

  /** A copy, in memory of its own: what came in may be reused or changed by the caller (H96). */
  copy(length: number, name: string): Uint8Array<ArrayBuffer> {
    this.need(length, name)
    const copy = new Uint8Array(length)
    copy.set(this.#bytes.subarray(this.#offset, this.#offset + length))
    this.#offset += length
    return copy
  }

  /**
   * Like `copy`, from one copy that all payloads of a message share: memory for each costs more than everything else
   * that is done to a small entry. Entries that came together lie together in the log and leave it together.
   */
  payload(length: number, name: string): Uint8Array<ArrayBuffer> {
    this.need(length, name)
    if (this.#payloads === null) {
      this.#payloads = new Uint8Array(this.remaining)
      this.#payloads.set(this.#bytes.subarray(this.#offset))
      this.#payloadsOffset = this.#offset
    }
    const start = this.#offset - this.#payloadsOffset
    this.#offset += length
    return this.#payloads.subarray(start, start + length)
  }

  /** Refuses what follows the last field. */
  end(): void {
    if (this.remaining > 0) this.fail(`${this.remaining} bytes follow its last field`)
  }

  need(length: number, name: string): void {
    if (length > this.remaining) {
      this.fail(`${name} needs ${length} bytes at offset ${this.#offset} and ${this.remaining} are left`)
    }
  }

  fail(reason: string): never {
    throw new RaftError('RAFT_CORRUPTION', `${this.#subject} is damaged or from another program: ${reason}`)
  }
}
