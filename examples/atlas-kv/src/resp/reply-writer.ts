// Replies as bytes, in RESP2 or RESP3 as the connection asked for. It gathers many replies into one piece of memory,
// so that a pipeline is answered with one write, and is bounded: a reply past REPLY_BYTES throws.
import { REPLY_BYTES } from './limits.js'

const INITIAL_BYTES = 1024

/** A single reply is larger than the bound: the connection can't be kept in step, so it ends. */
export class ReplyTooLarge extends Error {}

export class ReplyWriter {
  /** 2 or 3; what maps and nulls look like. */
  protocol: 2 | 3 = 2
  readonly #maxBytes: number
  #bytes: Buffer = Buffer.allocUnsafeSlow(INITIAL_BYTES)
  #length = 0

  constructor(maxBytes: number = REPLY_BYTES) {
    this.#maxBytes = maxBytes
  }

  get length(): number {
    return this.#length
  }

  /** The bytes gathered so far; the writer begins anew. */
  take(): Buffer {
    const bytes = this.#bytes.subarray(0, this.#length)
    this.#bytes = Buffer.allocUnsafeSlow(INITIAL_BYTES)
    this.#length = 0
    return bytes
  }

  simple(text: string): void {
    this.#text(`+${text}\r\n`)
  }

  /** One line: what would break the framing is replaced. */
  error(text: string): void {
    this.#text(`-${text.replace(/[\r\n]/g, ' ')}\r\n`)
  }

  integer(value: number | bigint): void {
    this.#text(`:${value}\r\n`)
  }

  bulk(bytes: Uint8Array): void {
    this.#text(`$${bytes.length}\r\n`)
    this.#reserve(bytes.length + 2)
    this.#bytes.set(bytes, this.#length)
    this.#length += bytes.length
    this.#text('\r\n')
  }

  /** A bulk string of UTF-8. */
  string(text: string): void {
    this.bulk(Buffer.from(text))
  }

  /** Text that is shown to people as it stands: RESP3's verbatim string. */
  verbatim(text: string): void {
    if (this.protocol === 2) return this.string(text)
    const bytes = Buffer.from(text)
    this.#text(`=${bytes.length + 4}\r\ntxt:`)
    this.#reserve(bytes.length + 2)
    this.#bytes.set(bytes, this.#length)
    this.#length += bytes.length
    this.#text('\r\n')
  }

  null(): void {
    this.#text(this.protocol === 3 ? '_\r\n' : '$-1\r\n')
  }

  array(count: number): void {
    this.#text(`*${count}\r\n`)
  }

  /** A map of `count` pairs; in RESP2 an array of twice as many. */
  map(count: number): void {
    this.#text(this.protocol === 3 ? `%${count}\r\n` : `*${2 * count}\r\n`)
  }

  set(count: number): void {
    this.#text(`${this.protocol === 3 ? '~' : '*'}${count}\r\n`)
  }

  /** Latin-1: error texts may quote bytes of a client. */
  #text(text: string): void {
    this.#reserve(text.length)
    this.#length += this.#bytes.write(text, this.#length, text.length, 'latin1')
  }

  #reserve(bytes: number): void {
    const needed = this.#length + bytes
    if (needed <= this.#bytes.length) return
    if (needed > this.#maxBytes) throw new ReplyTooLarge(`a reply is larger than ${this.#maxBytes} bytes`)
    const grown = Buffer.allocUnsafeSlow(Math.min(this.#maxBytes, Math.max(needed, 2 * this.#bytes.length)))
    this.#bytes.copy(grown, 0, 0, this.#length)
    this.#bytes = grown
  }
}
