// Commands out of a stream of bytes, cut anywhere (H92): RESP arrays of bulk strings and inline commands. It trusts no
// length before it is checked (H91) and holds at most one command and what it was given. It knows no command.
import { splitInline } from './inline.js'
import { ARGUMENT_BYTES, COMMAND_BYTES, INLINE_BYTES, MAX_ARGUMENTS } from './limits.js'

/** The stream can't be understood from here on: the connection ends after the message has been sent. */
export class ProtocolError extends Error {}

export interface ParserLimits {
  readonly inlineBytes: number
  readonly argumentCount: number
  readonly bulkBytes: number
  readonly argumentBytes: number
}

const DEFAULTS: ParserLimits = Object.freeze({
  inlineBytes: INLINE_BYTES,
  argumentCount: MAX_ARGUMENTS,
  bulkBytes: COMMAND_BYTES,
  argumentBytes: ARGUMENT_BYTES,
})

const CR = 13
const LF = 10
const STAR = 42
const DOLLAR = 36
const EMPTY = Buffer.alloc(0)
/** `*` or `$`, nine digits, CR and LF. */
const HEADER_BYTES = 12
/** First words of an HTTP request. A browser that is tricked into posting here must not get a command through. */
const HTTP_WORDS = new Set(['POST', 'PUT', 'HEAD', 'OPTIONS', 'PATCH', 'DELETE', 'CONNECT', 'TRACE', 'HOST:'])

export class RespParser {
  readonly #limits: ParserLimits
  #input: Buffer = EMPTY
  #at = 0
  /** Arguments of the command under way; null between commands. */
  #args: Buffer[] | null = null
  #argsLeft = 0
  #argBytes = 0
  /** Bytes missing of the bulk string under way, its CR LF not counted; -1 between bulk strings. */
  #bulkLeft = -1
  #parts: Buffer[] = []

  constructor(limits: Partial<ParserLimits> = {}) {
    this.#limits = Object.freeze({ ...DEFAULTS, ...limits })
  }

  /** Bytes that were given and aren't looked at yet. */
  get waitingBytes(): number {
    return this.#input.length - this.#at
  }

  /** Takes the next bytes of the stream. They must not be changed afterwards: arguments are views of them. */
  push(chunk: Buffer): void {
    this.#input = this.waitingBytes === 0 ? chunk : Buffer.concat([this.#input.subarray(this.#at), chunk])
    this.#at = 0
  }

  /** The next whole command, at least one argument; null when more bytes are needed. Throws ProtocolError. */
  next(): Buffer[] | null {
    for (;;) {
      const args = this.#args === null ? this.#begin() : this.#argument()
      if (args === 'more') return null
      if (args !== 'again') return args
    }
  }

  /** Between two commands: a header, an inline command, or an empty line. */
  #begin(): Buffer[] | 'more' | 'again' {
    if (this.waitingBytes === 0) return 'more'
    if (this.#input[this.#at] !== STAR) return this.#inline()
    const header = this.#header('too big mbulk count string')
    if (header === null) return 'more'
    if (header === '-1' || header === '0') return 'again'
    const count = strictLength(header)
    if (count === null || count > this.#limits.argumentCount) throw new ProtocolError('invalid multibulk length')
    this.#args = []
    this.#argsLeft = count
    this.#argBytes = 0
    return 'again'
  }

  /** Within a command: the header of a bulk string, or its bytes. */
  #argument(): Buffer[] | 'more' | 'again' {
    if (this.#bulkLeft < 0) {
      if (this.waitingBytes === 0) return 'more'
      const first = this.#input[this.#at] ?? 0
      if (first !== DOLLAR) throw new ProtocolError(`expected '$', got '${printable(first)}'`)
      const header = this.#header('too big bulk count string')
      if (header === null) return 'more'
      const length = strictLength(header)
      if (length === null || length > this.#limits.bulkBytes) throw new ProtocolError('invalid bulk length')
      this.#argBytes += length
      if (this.#argBytes > this.#limits.argumentBytes) {
        throw new ProtocolError(`command is larger than ${this.#limits.argumentBytes} bytes`)
      }
      this.#bulkLeft = length
    }
    if (!this.#bulk()) return 'more'
    if (this.#argsLeft > 0) return 'again'
    const args = this.#args ?? []
    this.#args = null
    return args
  }

  /** Takes what is there of a bulk string; true when it and its CR LF are complete. */
  #bulk(): boolean {
    const taken = Math.min(this.#bulkLeft, this.waitingBytes)
    if (taken > 0 || this.#bulkLeft === 0) this.#parts.push(this.#input.subarray(this.#at, this.#at + taken))
    this.#at += taken
    this.#bulkLeft -= taken
    if (this.#bulkLeft > 0) return false
    if (this.waitingBytes < 2) return false
    if (this.#input[this.#at] !== CR || this.#input[this.#at + 1] !== LF) {
      throw new ProtocolError('a bulk string does not end where its length says')
    }
    this.#at += 2
    this.#args?.push(this.#parts.length === 1 ? (this.#parts[0] ?? EMPTY) : Buffer.concat(this.#parts))
    this.#parts = []
    this.#bulkLeft = -1
    this.#argsLeft -= 1
    return true
  }

  /** The text between the type byte and CR LF; null when it isn't complete. */
  #header(tooLong: string): string | null {
    const end = this.#input.indexOf(CR, this.#at)
    const length = (end < 0 ? this.#input.length : end) - this.#at
    if (length > HEADER_BYTES - 2) throw new ProtocolError(tooLong)
    if (end < 0 || end + 1 === this.#input.length) return null
    if (this.#input[end + 1] !== LF) throw new ProtocolError('a line ends with CR but no LF')
    const text = this.#input.toString('latin1', this.#at + 1, end)
    this.#at = end + 2
    return text
  }

  #inline(): Buffer[] | 'more' | 'again' {
    const end = this.#input.indexOf(LF, this.#at)
    const length = (end < 0 ? this.#input.length : end) - this.#at
    if (length > this.#limits.inlineBytes) throw new ProtocolError('too big inline request')
    if (end < 0) return 'more'
    const line = this.#input.subarray(this.#at, this.#input[end - 1] === CR && end > this.#at ? end - 1 : end)
    this.#at = end + 1
    const args = splitInline(line)
    if (args === null) throw new ProtocolError('unbalanced quotes in request')
    if (args.length === 0) return 'again'
    if (args.length > this.#limits.argumentCount) throw new ProtocolError('too many arguments in inline request')
    if (isHttp(args)) throw new ProtocolError('this port speaks RESP, not HTTP')
    return args
  }
}

/** A length without sign and leading zeros, nine digits at most; null for any other text. */
function strictLength(text: string): number | null {
  return /^(0|[1-9][0-9]{0,8})$/.test(text) ? Number(text) : null
}

function isHttp(args: readonly Buffer[]): boolean {
  const first = args[0]?.toString('latin1') ?? ''
  return HTTP_WORDS.has(first.toUpperCase()) || args[args.length - 1]?.toString('latin1').startsWith('HTTP/1.') === true
}

function printable(byte: number): string {
  return byte >= 32 && byte < 127 ? String.fromCharCode(byte) : '?'
}
