// Reads what a PlainWriter wrote, from its `reset` on, over any number of pieces. Every length is held against what is there
// before anything is allocated by it.
import { FIRST_SMALL, MAX_DEPTH, MAX_KNOWN, TAG } from './plain-tags.js'

export class PlainReader {
  readonly #texts: string[] = []
  readonly #shapes: (readonly string[])[] = []
  #bytes: Uint8Array = new Uint8Array(0)
  #at = 0
  #depth = 0

  /** Goes on with the next piece. */
  open(bytes: Uint8Array): void {
    this.#bytes = bytes
    this.#at = 0
  }

  get isAtEnd(): boolean {
    return this.#at === this.#bytes.length
  }

  byte(): number {
    this.#need(1)
    return this.#bytes[this.#at++] as number
  }

  uint32(): number {
    let value = 0
    for (let count = 0; count < 4; count++) value = value * 0x100 + this.byte()
    return value
  }

  /** @throws TypeError for what no writer wrote */
  value(): unknown {
    const tag = this.byte()
    if (tag >= FIRST_SMALL) return tag - FIRST_SMALL
    switch (tag) {
      case TAG.undefined:
        return undefined
      case TAG.null:
        return null
      case TAG.false:
        return false
      case TAG.true:
        return true
      case TAG.integer:
        return this.#varint()
      case TAG.float:
        return this.#float()
      case TAG.newText:
      case TAG.knownText:
      case TAG.longText:
        return this.#text(tag)
      case TAG.bytes:
        return this.#blob(this.#varint())
      case TAG.zeros:
        return new Uint8Array(this.#varint())
      default:
        return this.#nested(tag)
    }
  }

  /** A copy. */
  #blob(length: number): Uint8Array {
    const from = this.#at
    return this.#bytes.slice(from, this.#skip(length))
  }

  #nested(tag: number): unknown {
    if (this.#depth >= MAX_DEPTH) throw new TypeError(`deeper than ${MAX_DEPTH}`)
    this.#depth += 1
    try {
      switch (tag) {
        case TAG.list:
          return this.#values(this.#count())
        case TAG.map:
          return new Map(Array.from({ length: this.#count() }, () => [this.value(), this.value()] as const))
        case TAG.set:
          return new Set(this.#values(this.#count()))
        case TAG.newShape:
        case TAG.looseObject: {
          const names = Array.from({ length: this.#count() }, () => this.#text(this.byte()))
          if (tag === TAG.newShape && this.#shapes.length < MAX_KNOWN) this.#shapes.push(names)
          return this.#object(names)
        }
        case TAG.knownShape: {
          const names = this.#shapes[this.#varint()]
          if (names === undefined) throw new TypeError('an object of a shape that was never told')
          return this.#object(names)
        }
        default:
          throw new TypeError(`a value of the unknown kind ${tag}`)
      }
    } finally {
      this.#depth -= 1
    }
  }

  /** Defined instead of set: a name may be a user's (H103). */
  #object(names: readonly string[]): object {
    const object: Record<string, unknown> = {}
    for (const name of names) {
      const value = this.value()
      if (name !== '__proto__') object[name] = value
      else Object.defineProperty(object, name, { value, enumerable: true, writable: true, configurable: true })
    }
    return object
  }

  #values(count: number): unknown[] {
    const values: unknown[] = []
    for (let at = 0; at < count; at++) values.push(this.value())
    return values
  }

  #text(tag: number): string {
    if (tag === TAG.knownText) {
      const known = this.#texts[this.#varint()]
      if (known === undefined) throw new TypeError('a text that was never told')
      return known
    }
    if (tag !== TAG.newText && tag !== TAG.longText) throw new TypeError(`a text of the kind ${tag}`)
    const packed = this.#varint()
    const length = packed >>> 1
    const isNarrow = (packed & 1) === 1
    const from = this.#at
    this.#skip(isNarrow ? length : 2 * length)
    let text = ''
    for (let at = 0; at < length; at++) {
      const unit = isNarrow
        ? (this.#bytes[from + at] as number)
        : (this.#bytes[from + 2 * at] as number) * 0x100 + (this.#bytes[from + 2 * at + 1] as number)
      text += String.fromCharCode(unit)
    }
    if (tag === TAG.newText) this.#texts.push(text)
    return text
  }

  #float(): number {
    const from = this.#at
    this.#skip(8)
    return new DataView(this.#bytes.buffer, this.#bytes.byteOffset + from, 8).getFloat64(0)
  }

  #varint(): number {
    let value = 0
    for (let shift = 0; shift < 35; shift += 7) {
      const byte = this.byte()
      value += (byte & 0x7f) * 2 ** shift
      if (byte < 0x80) return value
    }
    throw new TypeError('a number that does not end')
  }

  /** Of values, of which each takes a byte at least. */
  #count(): number {
    const count = this.#varint()
    this.#need(count)
    return count
  }

  /** Returns the place behind. */
  #skip(count: number): number {
    this.#need(count)
    this.#at += count
    return this.#at
  }

  #need(count: number): void {
    if (this.#at + count > this.#bytes.length) throw new TypeError(`${count} bytes are needed, and the piece ends`)
  }
}
