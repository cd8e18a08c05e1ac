// The record of an entry on disk: round trip, golden bytes, and that no damage passes.
import { createHash } from 'node:crypto'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { crc32 } from '../../../src/codec/crc32.js'
import { decodeEntry, ENTRY_HEADER_BYTES, encodeEntry } from '../../../src/codec/entry-codec.js'
import { Sha256, sha256 } from '../../../src/codec/sha256.js'
import type { LogEntry } from '../../../src/core/types.js'

const damage = (reason: string, index: number) => new Error(`entry ${index}: ${reason}`)
const maxSafe = Number.MAX_SAFE_INTEGER

const arbEntry: fc.Arbitrary<LogEntry> = fc.record({
  index: fc.oneof(
    fc.integer({ min: 1, max: maxSafe }),
    fc.constantFrom(255, 256, 2 ** 32 - 1, 2 ** 32, 2 ** 32 + 1, 2 ** 48),
  ),
  term: fc.integer({ min: 1, max: maxSafe }),
  type: fc.constantFrom('command' as const, 'noop' as const),
  timestamp: fc.double({ noNaN: true, noDefaultInfinity: true }),
  data: fc.uint8Array({ maxLength: 300 }),
})

describe('entry codec', () => {
  test('every field and byte comes back (H83, H102)', () => {
    fc.assert(
      fc.property(arbEntry, (entry) => {
        expect(decodeEntry(encodeEntry(entry), entry.index, damage)).toEqual(entry)
      }),
    )
  })

  test('the bytes are those of the format', () => {
    const entry: LogEntry = {
      index: 2 ** 32 + 2,
      term: 3,
      type: 'command',
      timestamp: 1.5,
      data: Uint8Array.of(0xaa, 0xbb),
    }
    const header = '01010000' + '0000000100000002' + '0000000000000003' + '3ff8000000000000' + '00000002'
    const crc = crc32(Buffer.from(`${header}aabb`, 'hex'))
      .toString(16)
      .padStart(8, '0')
    expect(Buffer.from(encodeEntry(entry)).toString('hex')).toBe(`${header}${crc}aabb`)
  })

  test('a record with any bit turned is refused (H82)', () => {
    const entry: LogEntry = { index: 9, term: 2, type: 'noop', timestamp: 12, data: Uint8Array.of(1, 2, 3) }
    const record = encodeEntry(entry)
    for (let bit = 0; bit < record.byteLength * 8; bit++) {
      const damaged = new Uint8Array(record)
      damaged[bit >> 3] = (damaged[bit >> 3] ?? 0) ^ (1 << (bit & 7))
      expect(() => decodeEntry(damaged, 9, damage), `bit ${bit}`).toThrow('entry 9: its CRC is')
    }
  })

  test('a record that was cut or has something behind it is refused', () => {
    const record = encodeEntry({ index: 9, term: 2, type: 'noop', timestamp: 12, data: Uint8Array.of(1, 2, 3) })
    for (let length = 0; length < record.byteLength; length++) {
      expect(() => decodeEntry(record.subarray(0, length), 9, damage), `${length} bytes`).toThrow('entry 9: ')
    }
    expect(() => decodeEntry(record.subarray(0, ENTRY_HEADER_BYTES - 1), 9, damage)).toThrow('less than its header')
    expect(() => decodeEntry(Uint8Array.of(...record, 0), 9, damage)).toThrow('its CRC is')
  })

  test('an intact record of another index is refused (H82)', () => {
    const record = encodeEntry({ index: 9, term: 2, type: 'noop', timestamp: 12, data: new Uint8Array() })
    expect(() => decodeEntry(record, 10, damage)).toThrow('entry 10: the record is that of index 9')
  })

  test('a decoded payload has memory of its own (H96)', () => {
    const record = encodeEntry({ index: 1, term: 1, type: 'command', timestamp: 0, data: Uint8Array.of(1, 2, 3) })
    const { data } = decodeEntry(record, 1, damage)
    record.fill(0)
    expect(data).toEqual(Uint8Array.of(1, 2, 3))
    expect(data.buffer.byteLength).toBe(3)
  })

  test('a type that the format does not know is refused before anything is written', () => {
    const entry = { index: 1, term: 1, type: 'other' as LogEntry['type'], timestamp: 0, data: new Uint8Array() }
    expect(() => encodeEntry(entry)).toThrow("Entry 1 has the type 'other'")
  })
})

describe('sha256', () => {
  const native = (bytes: Uint8Array) => new Uint8Array(createHash('sha256').update(bytes).digest())

  test('equals the native digest at every length around the block size', () => {
    for (let length = 0; length <= 260; length++) {
      const bytes = Uint8Array.from({ length }, (_, at) => (at * 7 + length) & 0xff)
      expect(sha256(bytes), `${length} bytes`).toEqual(native(bytes))
    }
  })

  test('does not depend on how the content is cut', () => {
    fc.assert(
      fc.property(fc.array(fc.uint8Array({ maxLength: 200 }), { maxLength: 8 }), (pieces) => {
        const hash = new Sha256()
        for (const piece of pieces) hash.update(piece)
        expect(hash.digest()).toEqual(native(Buffer.concat(pieces)))
      }),
    )
  })
})
