// How a log entry lies on disk: a fixed header and the payload. It says nothing about where the record lies; stores do.
// One CRC covers the whole header and the payload, so that a record of another index, term or type never passes for
// this one (H82). Numbers are big-endian; indexes and terms are two 32-bit halves, because nothing above 2^53 - 1 is
// ever written and bitwise operators would cut them (H102).
import type { LogEntry, LogIndex } from '../core/types.js'
import { RaftError } from '../errors.js'
import { crc32 } from './crc32.js'

/** Byte 0 of each record. */
const ENTRY_VERSION = 1
/** version 1, type 1, reserved 2, index 8, term 8, timestamp 8 (binary64), length 4, CRC-32 4. */
export const ENTRY_HEADER_BYTES = 36
const CRC_OFFSET = 32
/** Largest payload of one entry, bytes; far above any limit that a node accepts. */
export const MAX_ENTRY_BYTES = 0x3fff_ffff
const HALF = 0x1_0000_0000

// The numbers are on disk: never change or reuse one. The format has a number for each type that a log will ever
// hold, also for those that this version of the core doesn't write yet.
const TYPE_NUMBERS: ReadonlyMap<string, number> = new Map([
  ['command', 1],
  ['noop', 2],
  ['configuration', 3],
  ['session', 4],
])
const TYPE_NAMES: ReadonlyMap<number, LogEntry['type']> = new Map(
  [...TYPE_NUMBERS].map(([name, number]) => [number, name as LogEntry['type']]),
)

/**
 * The record of an entry, in memory of its own. Index, term and timestamp must have been checked (`log-shape.ts`).
 * Throws RAFT_INVARIANT for a type that the format doesn't know and RAFT_TOO_LARGE above MAX_ENTRY_BYTES.
 */
export function encodeEntry(entry: LogEntry): Uint8Array<ArrayBuffer> {
  const { data } = entry
  const type = TYPE_NUMBERS.get(entry.type)
  if (type === undefined) {
    throw new RaftError('RAFT_INVARIANT', `Entry ${entry.index} has the type '${entry.type}', which can't be stored.`)
  }
  if (data.byteLength > MAX_ENTRY_BYTES) {
    const sizes = `${data.byteLength} bytes, the most that can be stored is ${MAX_ENTRY_BYTES}`
    throw new RaftError('RAFT_TOO_LARGE', `Entry ${entry.index} has ${sizes}.`)
  }
  const record = Buffer.allocUnsafe(ENTRY_HEADER_BYTES + data.byteLength)
  record[0] = ENTRY_VERSION
  record[1] = type
  record[2] = 0
  record[3] = 0
  record.writeUInt32BE(Math.floor(entry.index / HALF), 4)
  record.writeUInt32BE(entry.index % HALF, 8)
  record.writeUInt32BE(Math.floor(entry.term / HALF), 12)
  record.writeUInt32BE(entry.term % HALF, 16)
  record.writeDoubleBE(entry.timestamp, 20)
  record.writeUInt32BE(data.byteLength, 28)
  record.set(data, ENTRY_HEADER_BYTES)
  record.writeUInt32BE(recordCrc(record), CRC_OFFSET)
  return record
}

/** Makes the error for a record that fails a check; the store knows where it lies. */
export type EntryDamage = (reason: string, index: LogIndex) => Error

/** The entry of a record that was found under `index`. Copies the payload; keeps no view of `record` (H96). */
export function decodeEntry(record: Uint8Array, index: LogIndex, damage: EntryDamage): LogEntry {
  const { byteLength } = record
  if (byteLength < ENTRY_HEADER_BYTES) {
    throw damage(`the record has ${byteLength} bytes, less than its header of ${ENTRY_HEADER_BYTES}`, index)
  }
  const view = new DataView(record.buffer, record.byteOffset, byteLength)
  const expected = recordCrc(record)
  const stored = view.getUint32(CRC_OFFSET)
  if (stored !== expected) throw damage(`its CRC is ${hex(stored)}, its content gives ${hex(expected)}`, index)
  if (record[0] !== ENTRY_VERSION) throw damage(`its record version is ${record[0]}, not ${ENTRY_VERSION}`, index)
  const type = TYPE_NAMES.get(record[1] ?? 0)
  if (type === undefined) throw damage(`its type number ${record[1]} is unknown`, index)
  const length = view.getUint32(28)
  if (length !== byteLength - ENTRY_HEADER_BYTES) {
    throw damage(`it claims ${length} bytes of payload and has ${byteLength - ENTRY_HEADER_BYTES}`, index)
  }
  const storedIndex = view.getUint32(4) * HALF + view.getUint32(8)
  if (storedIndex !== index) throw damage(`the record is that of index ${storedIndex}`, index)
  const term = view.getUint32(12) * HALF + view.getUint32(16)
  if (!Number.isSafeInteger(term)) throw damage(`its term ${term} is not below 2^53`, index)
  const data = new Uint8Array(length)
  data.set(record.subarray(ENTRY_HEADER_BYTES))
  return { index, term, type, timestamp: view.getFloat64(20), data }
}

function recordCrc(record: Uint8Array): number {
  return crc32(record.subarray(ENTRY_HEADER_BYTES), crc32(record.subarray(0, CRC_OFFSET)))
}

function hex(value: number): string {
  return `0x${value.toString(16).padStart(8, '0')}`
}
