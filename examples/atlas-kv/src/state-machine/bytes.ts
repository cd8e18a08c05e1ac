// Reading and writing of the binary formats of this package: varints, byte strings, fixed integers. The reader trusts
// nothing: each length is checked against what is left before anything is allocated (H91), numbers have one encoding
// only, and what it returns is a copy, never a view of its input (H96).
import { RaftError } from 'helios-raft'

/** One character per byte. */
export function byteString(bytes: Uint8Array, start = 0, end: number = bytes.length): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('latin1', start, end)
}

/** The bytes of a byte string, in memory of their own. */
export function bytesOf(text: string): Uint8Array {
  const bytes = new Uint8Array(text.length)
  for (let i = 0; i < text.length; i++) bytes[i] = text.charCodeAt(i)
  return bytes
}

/** A copy in memory of its own, whatever `bytes` is a view of. */
export function copyBytes(bytes: Uint8Array): Uint8Array {
  const copy = new Uint8Array(bytes.length)
  copy.set(bytes)
  return copy
}

/** Bytes that a varint of `value` takes. */
export function varintSize(value: number): number {
  let size = 1
  for (let rest = value; rest >= 128; rest = Math.floor(rest / 128)) size += 1
  return size
}

/** Writes into one array of exactly the size that was computed before. */
export class ByteWriter {
  readonly bytes: Buffer
  #at = 0

  constructor(size: number) {
    this.bytes = Buffer.allocUnsafeSlow(size)
  }

  get isFull(): boolean {
    return this.#at === this.bytes.length
  }

  byte(value: number): void {
    this.bytes[this.#at++] = value
  }

  /** Seven bits a byte, lowest first. No bitwise operators: they would cut the value to 32 bits (H102). */
  varint(value: number): void {
    let rest = value
    while (rest >= 128) {
      this.byte((rest % 128) + 128)
      rest = Math.floor(rest / 128)
    }
    this.byte(rest)
  }

  uint32(value: number): void {
    this.#at = this.bytes.writeUInt32BE(value, this.#at)
  }

  int64(value: bigint): void {
    this.#at = this.bytes.writeBigInt64BE(value, this.#at)
  }

  raw(bytes: Uint8Array): void {
    this.bytes.set(bytes, this.#at)
    this.#at += bytes.length
  }

  sized(bytes: Uint8Array): void {
    this.varint(bytes.length)
    this.raw(bytes)
  }

  text(value: string): void {
    this.varint(value.length)
    this.#at += this.bytes.write(value, this.#at, value.length, 'latin1')
  }
}

/** Reads what a ByteWriter wrote; throws RAFT_CORRUPTION for anything else. */
export class ByteReader {
  readonly #bytes: Uint8Array
  readonly #what: string
  #at = 0

  constructor(bytes: Uint8Array, what: string) {
    this.#bytes = bytes
    this.#what = what
  }

  byte(): number {
    const value = this.#bytes[this.#at]
    if (value === undefined) throw this.corrupt('it ends too early')
    this.#at += 1
    return value
  }

  varint(): number {
    let value = 0
    for (let scale = 1; ; scale *= 128) {
      const byte = this.byte()
      value += (byte % 128) * scale
      if (!Number.isSafeInteger(value)) throw this.corrupt('a number is above 2^53')
      if (byte >= 128) continue
      if (byte === 0 && scale > 1) throw this.corrupt('a number is not in its shortest form')
      return value
    }
  }

  int64(): bigint {
    const at = this.#take(8)
    return new DataView(this.#bytes.buffer, this.#bytes.byteOffset, this.#bytes.byteLength).getBigInt64(at)
  }

  sized(): Uint8Array {
    return this.raw(this.varint())
  }

  raw(length: number): Uint8Array {
    const at = this.#take(length)
    return copyBytes(this.#bytes.subarray(at, at + length))
  }

  text(): string {
    const length = this.varint()
    const at = this.#take(length)
    return byteString(this.#bytes, at, at + length)
  }

  /** A count of items that take at least `itemBytes` each, so that the array made for them is paid for by input. */
  count(itemBytes: number): number {
    const count = this.varint()
    if (count * itemBytes > this.#bytes.length - this.#at) throw this.corrupt(`it can't hold ${count} items`)
    return count
  }

  end(): void {
    if (this.#at !== this.#bytes.length) throw this.corrupt(`${this.#bytes.length - this.#at} bytes are left over`)
  }

  corrupt(why: string): RaftError {
    return new RaftError(
      'RAFT_CORRUPTION',
      `${this.#what} of ${this.#bytes.length} bytes can't be decoded: ${why} (at byte ${this.#at}). It was written by ` +
        'another version or is damaged: use the version that wrote it, or restore this node from its peers.',
    )
  }

  #take(length: number): number {
    const at = this.#at
    if (length > this.#bytes.length - at) throw this.corrupt(`${length} bytes are announced, fewer are there`)
    this.#at += length
    return at
  }
}
