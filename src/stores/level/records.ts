// The small records of a log in LevelDB: schema, hard state, identity, bounds, term runs, positions of configurations.
// Each has a version byte and a CRC-32 over its own key and its content, so that a record that lies under another key
// is damage too (H82). Entries have a format of their own (codec/entry-codec.ts). Source: H88, H89.
import type { HardState, LogIndex, Term } from '../../core/types.js'
import { RaftError } from '../../errors.js'
import type { StoreIdentity } from '../../interfaces/log-store.js'
import { crc32 } from '../../codec/crc32.js'

/** Raised when an older release could misread what a newer one wrote. */
export const SCHEMA_VERSION = 1
const RECORD_VERSION = 1
const CRC_BYTES = 4
const HALF = 0x1_0000_0000
/** Longest text in a record, bytes of UTF-8. */
const MAX_TEXT_BYTES = 0xffff
const ENCODER = new TextEncoder()
const DECODER = new TextDecoder('utf-8', { ignoreBOM: true })

/** Makes the error for a record that fails a check; the store knows where it lies. */
export type RecordDamage = (reason: string) => Error

/** Where the log begins and ends. */
export interface Bounds {
  readonly baseIndex: LogIndex
  readonly baseTerm: Term
  readonly lastIndex: LogIndex
}

/** The version of everything else in the database. It must stay readable by every release. */
export function encodeSchema(key: Uint8Array): Uint8Array {
  return new RecordWriter().count(SCHEMA_VERSION).seal(key)
}

export function decodeSchema(key: Uint8Array, record: Uint8Array, damage: RecordDamage): number {
  return new RecordReader(key, record, damage).finish((reader) => reader.count())
}

export function encodeHardState(key: Uint8Array, { currentTerm, votedFor }: HardState): Uint8Array {
  return new RecordWriter().count(currentTerm).optionalText(votedFor).seal(key)
}

export function decodeHardState(key: Uint8Array, record: Uint8Array, damage: RecordDamage): HardState {
  return new RecordReader(key, record, damage).finish((reader) => ({
    currentTerm: reader.count(),
    votedFor: reader.optionalText(),
  }))
}

/** The record of a store that has no identity yet is there too, so that a lost one is seen (H88). */
export function encodeIdentity(key: Uint8Array, identity: StoreIdentity | null): Uint8Array {
  const writer = new RecordWriter().flag(identity !== null)
  if (identity === null) return writer.seal(key)
  writer.text(identity.clusterId).text(identity.nonce).text(identity.storeId)
  writer
    .count(identity.bootCount)
    .real(identity.leasePromiseMs)
    .optionalText(identity.bootstrapDigest ?? null)
    .optionalText(identity.nodeId ?? null)
  return writer.seal(key)
}

export function decodeIdentity(key: Uint8Array, record: Uint8Array, damage: RecordDamage): StoreIdentity | null {
  return new RecordReader(key, record, damage).finish((reader) => {
    if (!reader.flag()) return null
    const identity = { clusterId: reader.text(), nonce: reader.text(), storeId: reader.text() }
    const counters = { bootCount: reader.count(), leasePromiseMs: reader.real() }
    const [bootstrapDigest, nodeId] = [reader.optionalText(), reader.optionalText()]
    return {
      ...identity,
      ...counters,
      ...(bootstrapDigest === null ? {} : { bootstrapDigest }),
      ...(nodeId === null ? {} : { nodeId }),
    }
  })
}

export function encodeBounds(key: Uint8Array, bounds: Bounds): Uint8Array {
  return new RecordWriter().count(bounds.baseIndex).count(bounds.baseTerm).count(bounds.lastIndex).seal(key)
}

export function decodeBounds(key: Uint8Array, record: Uint8Array, damage: RecordDamage): Bounds {
  return new RecordReader(key, record, damage).finish((reader) => ({
    baseIndex: reader.count(),
    baseTerm: reader.count(),
    lastIndex: reader.count(),
  }))
}

/** The key says where the run begins. */
export function encodeTermRun(key: Uint8Array, term: Term): Uint8Array {
  return new RecordWriter().count(term).seal(key)
}

export function decodeTermRun(key: Uint8Array, record: Uint8Array, damage: RecordDamage): Term {
  return new RecordReader(key, record, damage).finish((reader) => reader.count())
}

/** The key says it all: there is a configuration entry at that index. */
export function encodeMark(key: Uint8Array): Uint8Array {
  return new RecordWriter().seal(key)
}

export function checkMark(key: Uint8Array, record: Uint8Array, damage: RecordDamage): void {
  new RecordReader(key, record, damage).finish(() => undefined)
}

class RecordWriter {
  readonly #parts: Uint8Array[] = [Uint8Array.of(RECORD_VERSION)]

  count(value: number): this {
    if (!Number.isSafeInteger(value) || value < 0) throw unstorable(`${value} is not a whole number from 0 to 2^53 - 1`)
    return this.#view(8, (view) => {
      view.setUint32(0, Math.floor(value / HALF))
      view.setUint32(4, value % HALF)
    })
  }

  real(value: number): this {
    if (!Number.isFinite(value)) throw unstorable(`${value} is not a finite number`)
    return this.#view(8, (view) => view.setFloat64(0, value))
  }

  flag(value: boolean): this {
    this.#parts.push(Uint8Array.of(value ? 1 : 0))
    return this
  }

  text(value: string): this {
    const bytes = ENCODER.encode(value)
    if (bytes.byteLength > MAX_TEXT_BYTES) throw unstorable(`a text has ${bytes.byteLength} bytes`)
    // A lone surrogate would come back as another string (H104).
    if (DECODER.decode(bytes) !== value) throw unstorable('a text is not well-formed Unicode')
    this.#view(2, (view) => view.setUint16(0, bytes.byteLength))
    this.#parts.push(bytes)
    return this
  }

  optionalText(value: string | null): this {
    this.flag(value !== null)
    return value === null ? this : this.text(value)
  }

  seal(key: Uint8Array): Uint8Array {
    const body = Buffer.concat(this.#parts)
    this.#view(CRC_BYTES, (view) => view.setUint32(0, crc32(body, crc32(key))))
    return Buffer.concat(this.#parts)
  }

  #view(bytes: number, write: (view: DataView) => void): this {
    const part = new Uint8Array(bytes)
    write(new DataView(part.buffer))
    this.#parts.push(part)
    return this
  }
}

class RecordReader {
  readonly #body: Uint8Array
  readonly #view: DataView
  readonly #damage: RecordDamage
  #offset = 1

  constructor(key: Uint8Array, record: Uint8Array, damage: RecordDamage) {
    this.#damage = damage
    if (record.byteLength < 1 + CRC_BYTES) throw damage(`it has only ${record.byteLength} bytes`)
    this.#body = record.subarray(0, record.byteLength - CRC_BYTES)
    this.#view = new DataView(record.buffer, record.byteOffset, this.#body.byteLength)
    const stored = new DataView(record.buffer, record.byteOffset + this.#body.byteLength, CRC_BYTES).getUint32(0)
    if (stored !== crc32(this.#body, crc32(key))) throw damage('its CRC is not that of its key and content')
    if (this.#body[0] !== RECORD_VERSION) throw damage(`its record version is ${this.#body[0]}, not ${RECORD_VERSION}`)
  }

  /** Reads the body by `read` and checks that nothing is left. */
  finish<T>(read: (reader: this) => T): T {
    const value = read(this)
    const rest = this.#body.byteLength - this.#offset
    if (rest > 0) throw this.#damage(`${rest} bytes are left behind its content`)
    return value
  }

  count(): number {
    const at = this.#take(8)
    const value = this.#view.getUint32(at) * HALF + this.#view.getUint32(at + 4)
    if (!Number.isSafeInteger(value)) throw this.#damage(`its number ${value} is not below 2^53`)
    return value
  }

  real(): number {
    return this.#view.getFloat64(this.#take(8))
  }

  flag(): boolean {
    return this.#view.getUint8(this.#take(1)) === 1
  }

  text(): string {
    const length = this.#view.getUint16(this.#take(2))
    const at = this.#take(length)
    return DECODER.decode(this.#body.subarray(at, at + length))
  }

  optionalText(): string | null {
    return this.flag() ? this.text() : null
  }

  #take(bytes: number): number {
    const at = this.#offset
    if (at + bytes > this.#body.byteLength) throw this.#damage('it ends too early')
    this.#offset += bytes
    return at
  }
}

function unstorable(what: string): RaftError {
  return new RaftError('RAFT_INVARIANT', `The log write was refused, nothing of it was stored: ${what}.`)
}
