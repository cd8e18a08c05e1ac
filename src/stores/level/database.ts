// What the log store needs of an abstract-level database, as a structural type: `Level` itself is not assignable to
// AbstractLevel<any, ...> under exactOptionalPropertyTypes. Says how bytes go in and out; owns no database.

/** Keys and values are bytes, whatever the database's own encodings are. */
export interface BytesOptions {
  readonly keyEncoding: 'view'
  readonly valueEncoding: 'view'
}

/** Sent with each operation. */
export const BYTES: BytesOptions = Object.freeze({ keyEncoding: 'view', valueEncoding: 'view' })

/** A range of keys. */
export interface LevelRange extends BytesOptions {
  readonly gt?: Uint8Array
  readonly gte?: Uint8Array
  readonly lt?: Uint8Array
  readonly limit?: number
  /** False where only the keys are wanted: values are empty then. */
  readonly values?: boolean
  /** Bytes that one `nextv` returns at most, one record at least; databases without native memory ignore it. */
  readonly highWaterMarkBytes?: number
}

/** Sees the database as it was when it was made. Must be closed, or the database's `close` waits (H90). */
export interface LevelIterator {
  nextv(size: number): Promise<[Uint8Array, Uint8Array][]>
  close(): Promise<void>
}

/** Operations that take effect together. */
export interface LevelBatch {
  put(key: Uint8Array, value: Uint8Array, options: BytesOptions): unknown
  del(key: Uint8Array, options: { readonly keyEncoding: 'view' }): unknown
  /** `sync`: resolves when it is durable. Databases without a disk ignore it. */
  write(options: { readonly sync: boolean }): Promise<void>
  close(): Promise<void>
}

/** The part of an abstract-level (3 or later) database that LevelLogStore uses; `level` and `memory-level` have it. */
export interface LevelDatabase {
  /** Of databases that lie in a directory; named in errors. */
  readonly location?: string
  readonly supports: { readonly implicitSnapshots?: boolean }
  open(): Promise<void>
  close(): Promise<void>
  /** Undefined when there is no such key. */
  get(key: Uint8Array, options: BytesOptions): Promise<Uint8Array | undefined>
  batch(): LevelBatch
  iterator(options: LevelRange): LevelIterator
  /** Removes what lies in the range, in any number of steps, and not durably. */
  clear(options: LevelRange): Promise<void>
}
