// Plain data as bytes, whatever fields it has: numbers, texts, bytes, lists, maps, sets and objects, with the order of all
// of them and with `undefined`. Names of fields and short texts are written once and are numbers afterwards, so that what
// is written can only be read from the last `reset` on. It holds on to nothing that it was given.
import {
  FIRST_SMALL,
  LARGEST_SMALL,
  LARGEST_VARINT,
  MAX_DEPTH,
  MAX_KNOWN,
  MAX_KNOWN_LENGTH,
  TAG,
} from './plain-tags.js'

/** Names that objects begin with, and the number of the shape that ends there; -1 where none does. */
interface Shapes {
  readonly next: Map<string, Shapes>
  number: number
}

/** Memory that is kept from one use to the next. */
const KEPT_BYTES = 256 * 1024
/** Room that any value needs beside what is asked for. */
const SLACK_BYTES = 16

export class PlainWriter {
  readonly #isRedacting: boolean
  readonly #encoder = new TextEncoder()
  readonly #float = new DataView(new ArrayBuffer(8))
  readonly #floatBytes = new Uint8Array(this.#float.buffer)
  readonly #texts = new Map<string, number>()
  #shapes: Shapes = { next: new Map(), number: -1 }
  #shapeCount = 0
  #bytes = new Uint8Array(KEPT_BYTES / 4)
  #length = 0
  /** Bytes that are written now are told as they are. */
  #isClear: boolean
  #depth = 0

  /** @param isRedacting - bytes become as many zeros, but for configurations, which the core reads, and digests */
  constructor(isRedacting: boolean) {
    this.#isRedacting = isRedacting
    this.#isClear = !isRedacting
  }

  get length(): number {
    return this.#length
  }

  /** Nothing is known any more: a reader may begin here. */
  reset(): void {
    this.#texts.clear()
    this.#shapes = { next: new Map(), number: -1 }
    this.#shapeCount = 0
    this.#length = 0
  }

  /** What was written since the last time; a copy. */
  take(): Uint8Array<ArrayBuffer> {
    const taken = this.#bytes.slice(0, this.#length)
    this.#length = 0
    if (this.#bytes.length > KEPT_BYTES) this.#bytes = new Uint8Array(KEPT_BYTES / 4)
    return taken
  }

  byte(value: number): void {
    this.#room(1)
    this.#bytes[this.#length++] = value
  }

  uint32(value: number): void {
    this.#room(4)
    for (let shift = 24; shift >= 0; shift -= 8) this.#bytes[this.#length++] = value >>> shift
  }

  /** @throws TypeError for what is no plain data */
  value(value: unknown): void {
    switch (typeof value) {
      case 'number':
        return this.#number(value)
      case 'string':
        return this.#text(value)
      case 'boolean':
        return this.byte(value ? TAG.true : TAG.false)
      case 'undefined':
        return this.byte(TAG.undefined)
      case 'object':
        return value === null ? this.byte(TAG.null) : this.#nested(value)
      default:
        throw new TypeError(`a ${typeof value} is no plain data`)
    }
  }

  #number(value: number): void {
    this.#room(SLACK_BYTES)
    if (value === (value | 0) && value >= 0) {
      if (value <= LARGEST_SMALL) this.#bytes[this.#length++] = FIRST_SMALL + value
      else {
        this.#bytes[this.#length++] = TAG.integer
        this.#varint(value)
      }
      return
    }
    this.#bytes[this.#length++] = TAG.float
    this.#float.setFloat64(0, value)
    for (let at = 0; at < 8; at++) this.#bytes[this.#length++] = this.#floatBytes[at] as number
  }

  /** 0 to `LARGEST_VARINT`; the caller made room. */
  #varint(value: number): void {
    let rest = value
    while (rest > 0x7f) {
      this.#bytes[this.#length++] = (rest & 0x7f) | 0x80
      rest >>>= 7
    }
    this.#bytes[this.#length++] = rest
  }

  #counted(tag: number, count: number): void {
    if (count > LARGEST_VARINT) throw new TypeError(`${count} are too many`)
    this.#room(SLACK_BYTES)
    this.#bytes[this.#length++] = tag
    this.#varint(count)
  }

  #text(text: string): void {
    if (text.length > MAX_KNOWN_LENGTH) return this.#writtenOut(TAG.longText, text)
    const known = this.#texts.get(text)
    if (known !== undefined) return this.#counted(TAG.knownText, known)
    if (this.#texts.size >= MAX_KNOWN) return this.#writtenOut(TAG.longText, text)
    this.#texts.set(text, this.#texts.size)
    this.#writtenOut(TAG.newText, text)
  }

  /** In UTF-16, so that no text is changed. */
  #writtenOut(tag: number, text: string): void {
    const isNarrow = !/[^\0-\x7f]/.test(text)
    this.#counted(tag, 2 * text.length + (isNarrow ? 1 : 0))
    this.#room(2 * text.length)
    if (isNarrow) {
      this.#length += this.#encoder.encodeInto(text, this.#bytes.subarray(this.#length)).written
      return
    }
    for (let at = 0; at < text.length; at++) {
      const unit = text.charCodeAt(at)
      this.#bytes[this.#length++] = unit >>> 8
      this.#bytes[this.#length++] = unit
    }
  }

  #nested(value: object): void {
    if (value instanceof Uint8Array) return this.#blob(value)
    if (this.#depth >= MAX_DEPTH) throw new TypeError(`deeper than ${MAX_DEPTH}`)
    this.#depth += 1
    try {
      if (Array.isArray(value)) {
        this.#counted(TAG.list, value.length)
        for (const item of value) this.value(item)
      } else if (value instanceof Map) {
        this.#counted(TAG.map, value.size)
        for (const [key, item] of value) {
          this.value(key)
          this.value(item)
        }
      } else if (value instanceof Set) {
        this.#counted(TAG.set, value.size)
        for (const item of value) this.value(item)
      } else this.#object(value as Readonly<Record<string, unknown>>)
    } finally {
      this.#depth -= 1
    }
  }

  #blob(bytes: Uint8Array): void {
    if (!this.#isClear) return this.#counted(TAG.zeros, bytes.length)
    this.#counted(TAG.bytes, bytes.length)
    this.#room(bytes.length)
    this.#bytes.set(bytes, this.#length)
    this.#length += bytes.length
  }

  #object(value: Readonly<Record<string, unknown>>): void {
    let shape = this.#shapes
    for (const name in value) shape = this.#nextOf(shape, name)
    if (shape.number >= 0) this.#counted(TAG.knownShape, shape.number)
    else this.#newShape(shape, value)
    const wasClear = this.#isClear
    const isConfiguration = value['type'] === 'configuration'
    for (const name in value) {
      this.#isClear = !this.#isRedacting || wasClear || isConfiguration || name === 'digest'
      this.value(value[name])
    }
    this.#isClear = wasClear
  }

  #nextOf(shape: Shapes, name: string): Shapes {
    const held = shape.next.get(name)
    if (held !== undefined) return held
    const next: Shapes = { next: new Map(), number: -1 }
    // Names may be a user's, as those of metadata are: they are not remembered without end.
    if (this.#shapeCount < MAX_KNOWN) shape.next.set(name, next)
    return next
  }

  #newShape(shape: Shapes, value: object): void {
    const names = Object.keys(value)
    const isKept = this.#shapeCount < MAX_KNOWN
    if (isKept) shape.number = this.#shapeCount++
    this.#counted(isKept ? TAG.newShape : TAG.looseObject, names.length)
    for (const name of names) this.#text(name)
  }

  #room(count: number): void {
    const needed = this.#length + count
    if (needed <= this.#bytes.length) return
    const grown = new Uint8Array(Math.max(needed, 2 * this.#bytes.length))
    grown.set(this.#bytes.subarray(0, this.#length))
    this.#bytes = grown
  }
}
