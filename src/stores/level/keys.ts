// The keys of a log in LevelDB: a table byte and an index of 8 bytes, big-endian, so that the order of the bytes is
// that of the indexes (H83). Changing a number here changes the format: raise SCHEMA_VERSION in records.ts.
import type { LogIndex } from '../../core/types.js'

/** First byte of a key. */
export const TABLE: {
  readonly meta: 1
  readonly termRun: 2
  readonly configuration: 3
  readonly entry: 4
} = Object.freeze({ meta: 1, termRun: 2, configuration: 3, entry: 4 })
/** One of the tables. */
export type Table = (typeof TABLE)[keyof typeof TABLE]

/** What stands where an index would in the meta table. */
export const META: {
  readonly schema: 0
  readonly hardState: 1
  readonly identity: 2
  readonly bounds: 3
} = Object.freeze({ schema: 0, hardState: 1, identity: 2, bounds: 3 })

/** Bytes of each key. */
export const KEY_BYTES = 9
const HALF = 0x1_0000_0000

/** The key of `index` in a table. */
export function keyOf(table: Table, index: LogIndex): Uint8Array<ArrayBuffer> {
  const key = new Uint8Array(KEY_BYTES)
  const view = new DataView(key.buffer)
  key[0] = table
  view.setUint32(1, Math.floor(index / HALF))
  view.setUint32(5, index % HALF)
  return key
}

/** The index in a key; above 2^53 - 1 it is not a safe integer, which callers take for damage. */
export function indexOf(key: Uint8Array): LogIndex {
  const view = new DataView(key.buffer, key.byteOffset, key.byteLength)
  return view.byteLength === KEY_BYTES ? view.getUint32(1) * HALF + view.getUint32(5) : Number.NaN
}

/** A key above every key of the table. */
export function endOf(table: Table): Uint8Array<ArrayBuffer> {
  return Uint8Array.of(table + 1)
}
