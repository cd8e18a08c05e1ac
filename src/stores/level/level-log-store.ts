// A LogStore in an abstract-level database: each write is one atomic batch with `sync: true`, entries and the small
// index records together (F35, H79, H80). Keeps the log's shape in memory, never the entries. After a failed write it
// refuses everything (H78). Nothing is scanned but both ends (restore.ts).
import { decodeEntry, encodeEntry } from '../../codec/entry-codec.js'
import type { LogEntry, LogIndex } from '../../core/types.js'
import { isRaftError, RaftError } from '../../errors.js'
import type { LogStore, LogWrite, RestoredLog } from '../../interfaces/log-store.js'
import { EMPTY_SHAPE, isConfiguration, type LogShape, shapeAfter, shapeCompacted } from '../log-shape.js'
import { BYTES, type LevelBatch, type LevelDatabase } from './database.js'
import { damaged, databaseFailure, refused } from './failures.js'
import { endOf, indexOf, keyOf, META, TABLE } from './keys.js'
import { encodeBounds, encodeHardState, encodeIdentity, encodeMark, encodeTermRun } from './records.js'
import { restore } from './restore.js'
import { Serial } from './serial.js'

export interface LevelLogStoreOptions {
  /** Any abstract-level (3 or later) database with implicit snapshots. The store opens and closes it, and shares it with nobody. */
  readonly database: LevelDatabase
}

/** Entries that one step of a compaction removes, so that a write never waits for all of them. */
const TRIM_ENTRIES = 1000
/** Entries that one call of an iterator returns. */
const PAGE_ENTRIES = 256
/** And its bytes, but one entry at least. */
const PAGE_BYTES = 256 * 1024

/** Databases that a store of this process has open: a second store on one of them is refused (H85). */
const inUse: WeakSet<LevelDatabase> = new WeakSet()

/** A durable log over LevelDB or any other abstract-level database. */
export class LevelLogStore implements LogStore {
  readonly #database: LevelDatabase
  readonly #place: string
  readonly #serial: Serial = new Serial()
  #opened = false
  #failure: RaftError | null = null
  #shape: LogShape = EMPTY_SHAPE
  /** Entries at or below it are known to be gone; those up to `baseIndex` may still lie there. */
  #trimmedIndex: LogIndex = 0

  /** Touches nothing. Throws RAFT_INVALID_OPTION for what can't be an abstract-level database. */
  constructor({ database }: LevelLogStoreOptions) {
    const methods = ['open', 'close', 'get', 'batch', 'iterator', 'clear'] as const
    const missing = methods.find((method) => typeof database?.[method] !== 'function')
    if (missing !== undefined) {
      const text = `database has no method '${missing}': pass an abstract-level database, such as new Level('directory')`
      throw new RaftError('RAFT_INVALID_OPTION', text)
    }
    if (database.supports?.implicitSnapshots === false) {
      const text = 'database has no implicit snapshots, so a read could see half of a write: use level or memory-level'
      throw new RaftError('RAFT_INVALID_OPTION', text)
    }
    this.#database = database
    this.#place = typeof database.location === 'string' ? `'${database.location}'` : 'the database'
  }

  /**
   * Rejects with RAFT_LOCKED when another process or store has it open, RAFT_CORRUPTION when what it holds is damaged or
   * contradicts itself, RAFT_VERSION when a newer release wrote it, RAFT_STORAGE when it can't be read. It is closed then.
   */
  async open(): Promise<RestoredLog> {
    if (this.#opened || inUse.has(this.#database)) {
      throw new RaftError('RAFT_LOCKED', `${this.#place} is open already. Give each node a log store of its own.`)
    }
    this.#opened = true
    inUse.add(this.#database)
    try {
      await this.#database.open()
      const { log, shape } = await restore(this.#database, this.#place)
      this.#failure = null
      this.#shape = shape
      this.#trimmedIndex = 0
      return log
    } catch (error) {
      const failure = databaseFailure(this.#place, 'Opening the log', error)
      // Only the first failure tells what happened; that closing failed too adds nothing.
      await this.#database.close().catch(() => undefined)
      this.#release()
      throw failure
    }
  }

  /**
   * Durable when it resolves. RAFT_INVARIANT and RAFT_TOO_LARGE change nothing; after RAFT_STORAGE it is unknown whether
   * the batch is durable, and every later call but `close` is refused.
   */
  async write(batch: LogWrite): Promise<void> {
    this.#requireUsable('write')
    await this.#serial.run(async () => {
      this.#requireUsable('write')
      const shape = shapeAfter(this.#shape, batch)
      const operations = this.#database.batch()
      let filled = false
      try {
        if (batch.resetTo !== undefined) await this.#deleteBehind(operations, shape.baseIndex)
        this.#fill(operations, batch, shape)
        filled = true
        await operations.write({ sync: true })
      } catch (error) {
        if (!filled) await operations.close().catch(() => undefined)
        // A value that can't be stored is refused before anything reaches the database.
        if (isRaftError(error, 'RAFT_INVARIANT', 'RAFT_TOO_LARGE')) throw error
        throw this.#fail(databaseFailure(this.#place, 'A write', error))
      }
      this.#shape = shape
      if (batch.resetTo !== undefined) this.#trimmedIndex = Math.min(this.#trimmedIndex, shape.baseIndex)
    })
  }

  /** Rejects with RAFT_CORRUPTION for a missing or damaged entry, RAFT_STORAGE when the database can't read. */
  async read(first: LogIndex, last: LogIndex, maxBytes: number): Promise<readonly LogEntry[]> {
    this.#requireUsable('read')
    const found = await this.#scan(first, last, maxBytes)
    if (found !== null) return found
    // The shape and the database disagree: a write or a compaction is under way. Behind it they must agree.
    return await this.#serial.run(async () => {
      this.#requireUsable('read')
      const entries = await this.#scan(first, last, maxBytes)
      if (entries === null) {
        const record = `An entry of ${first}..${Math.min(last, this.#shape.lastIndex)}`
        throw damaged(this.#place, record, 'it is missing')
      }
      return entries
    })
  }

  /** The new beginning is durable when it resolves, and the space of the entries is given back. */
  async compact(index: LogIndex): Promise<void> {
    this.#requireUsable('compact')
    await this.#serial.run(async () => {
      this.#requireUsable('compact')
      const shape = shapeCompacted(this.#shape, index)
      if (shape === this.#shape) return
      const operations = this.#database.batch()
      this.#putIndex(operations, shape)
      await this.#commit(operations, 'Compaction')
      this.#shape = shape
    })
    while (await this.#serial.run(() => this.#trim()));
  }

  /** After the calls that are under way. The store may be opened again afterwards, as after a restart. */
  async close(): Promise<void> {
    await this.#serial.run(async () => {
      if (!this.#opened) return
      try {
        await this.#database.close()
      } catch (error) {
        throw databaseFailure(this.#place, 'Closing the log', error)
      }
      this.#release()
    })
  }

  #release(): void {
    inUse.delete(this.#database)
    this.#opened = false
  }

  #requireUsable(call: string): void {
    if (!this.#opened) {
      const text = `${call} was called on a log store that is not open (${this.#place}). Call open() first.`
      throw new RaftError('RAFT_STOPPED', text)
    }
    if (this.#failure !== null) throw refused(this.#place, this.#failure)
  }

  #fail(failure: RaftError): RaftError {
    this.#failure ??= failure
    return failure
  }

  async #commit(operations: LevelBatch, doing: string): Promise<void> {
    try {
      await operations.write({ sync: true })
    } catch (error) {
      throw this.#fail(databaseFailure(this.#place, doing, error))
    }
  }

  #fill(operations: LevelBatch, batch: LogWrite, shape: LogShape): void {
    const { hardState, identity, entries = [] } = batch
    // After a reset everything behind the base is deleted already.
    if (batch.resetTo === undefined && entries.length > 0) {
      for (let index = shape.lastIndex + 1; index <= this.#shape.lastIndex; index++) {
        operations.del(keyOf(TABLE.entry, index), BYTES)
      }
    }
    for (const entry of entries) operations.put(keyOf(TABLE.entry, entry.index), encodeEntry(entry), BYTES)
    if (shape !== this.#shape) this.#putIndex(operations, shape, entries)
    if (hardState !== undefined) put(operations, META.hardState, (key) => encodeHardState(key, hardState))
    if (identity !== undefined) put(operations, META.identity, (key) => encodeIdentity(key, identity))
  }

  /** The small records that differ between the shape in force and the next one. */
  #putIndex(operations: LevelBatch, shape: LogShape, entries: readonly LogEntry[] = []): void {
    const { runs, configurations } = this.#shape
    put(operations, META.bounds, (key) => encodeBounds(key, shape))
    if (shape.runs !== runs) {
      const terms = new Map(shape.runs.map((run) => [run.first, run.term]))
      for (const run of runs) if (!terms.has(run.first)) operations.del(keyOf(TABLE.termRun, run.first), BYTES)
      const stored = new Map(runs.map((run) => [run.first, run.term]))
      for (const [first, term] of terms) {
        if (stored.get(first) === term) continue
        const key = keyOf(TABLE.termRun, first)
        operations.put(key, encodeTermRun(key, term), BYTES)
      }
    }
    if (shape.configurations === configurations) return
    const kept = new Set(shape.configurations)
    for (const index of configurations) if (!kept.has(index)) operations.del(keyOf(TABLE.configuration, index), BYTES)
    for (const entry of entries) {
      if (!isConfiguration(entry)) continue
      const key = keyOf(TABLE.configuration, entry.index)
      operations.put(key, encodeMark(key), BYTES)
    }
  }

  /**
   * Deletes every entry behind `index` that is there, in the same batch: the suffix of the replaced log, and what a
   * compaction has not removed yet. By the keys that exist, because the jump to `index` may be of any width.
   */
  async #deleteBehind(operations: LevelBatch, index: LogIndex): Promise<void> {
    const range = { ...BYTES, gt: keyOf(TABLE.entry, index), lt: endOf(TABLE.entry) }
    const iterator = this.#database.iterator(range)
    try {
      for (let page = await iterator.nextv(PAGE_ENTRIES); page.length > 0; page = await iterator.nextv(PAGE_ENTRIES)) {
        for (const [key] of page) operations.del(key, BYTES)
      }
    } finally {
      await iterator.close()
    }
  }

  /**
   * Removes some of the entries that were forgotten; whether there may be more. Not durably: what comes back is removed after
   * the next compaction. The entries that are left have consecutive indexes, so that a range of keys is so many of them at most.
   */
  async #trim(): Promise<boolean> {
    const { baseIndex } = this.#shape
    if (!this.#opened || this.#failure !== null || this.#trimmedIndex >= baseIndex) return false
    try {
      const first = await this.#firstEntry({ behind: this.#trimmedIndex, upTo: baseIndex })
      const last = first === null ? baseIndex : Math.min(first + TRIM_ENTRIES - 1, baseIndex)
      if (first !== null)
        await this.#database.clear({ ...BYTES, gte: keyOf(TABLE.entry, first), lt: keyOf(TABLE.entry, last + 1) })
      this.#trimmedIndex = last
      return last < baseIndex
    } catch (error) {
      throw this.#fail(databaseFailure(this.#place, 'Compaction', error))
    }
  }

  async #firstEntry({ behind, upTo }: { behind: LogIndex; upTo: LogIndex }): Promise<LogIndex | null> {
    const range = { gt: keyOf(TABLE.entry, behind), lt: keyOf(TABLE.entry, upTo + 1), limit: 1, values: false }
    const iterator = this.#database.iterator({ ...BYTES, ...range })
    try {
      const [first] = await iterator.nextv(1)
      return first === undefined ? null : indexOf(first[0])
    } finally {
      await iterator.close()
    }
  }

  /** The entries as one point in time has them; null when what was found isn't what the shape in force promises. */
  async #scan(first: LogIndex, last: LogIndex, maxBytes: number): Promise<readonly LogEntry[] | null> {
    const { baseIndex, lastIndex } = this.#shape
    if (first <= baseIndex || first > lastIndex) return []
    const end = Math.min(last, lastIndex)
    const found: LogEntry[] = []
    let bytes = 0
    let expected = first
    const damage = (reason: string, index: LogIndex) => damaged(this.#place, `The entry of index ${index}`, reason)
    try {
      const range = { gte: keyOf(TABLE.entry, first), lt: keyOf(TABLE.entry, end + 1) }
      const iterator = this.#database.iterator({ ...BYTES, ...range, highWaterMarkBytes: PAGE_BYTES })
      try {
        while (expected <= end) {
          const page = await iterator.nextv(Math.min(PAGE_ENTRIES, end - expected + 1))
          if (page.length === 0) return null
          for (const [key, record] of page) {
            if (indexOf(key) !== expected) return null
            const entry = decodeEntry(record, expected, damage)
            bytes += entry.data.byteLength
            if (bytes > maxBytes && found.length > 0) return found
            found.push(entry)
            expected++
          }
        }
      } finally {
        await iterator.close()
      }
    } catch (error) {
      throw databaseFailure(this.#place, `Reading the entries ${first}..${end}`, error)
    }
    return found
  }
}

function put(operations: LevelBatch, index: number, encode: (key: Uint8Array) => Uint8Array): void {
  const key = keyOf(TABLE.meta, index)
  operations.put(key, encode(key), BYTES)
}
