// What open() reads: the small records and both ends of the log, never all of it, and checks that they tell one story.
// It guesses nothing: a record that is missing, damaged or contradicts another is RAFT_CORRUPTION, and nothing is
// deleted or repaired. Sources: F35, F36, H84, H88, H89; design §4 "restart".
import { decodeEntry } from '../../codec/entry-codec.js'
import type { HardState, LogEntry, LogIndex } from '../../core/types.js'
import { RaftError } from '../../errors.js'
import type { RestoredLog, StoreIdentity } from '../../interfaces/log-store.js'
import {
  EMPTY_SHAPE,
  isConfiguration,
  type LogShape,
  restoredShape,
  shapeProblem,
  type TermRun,
  termAt,
} from '../log-shape.js'
import { BYTES, type LevelDatabase, type LevelRange } from './database.js'
import { damaged, databaseFailure } from './failures.js'
import { endOf, indexOf, keyOf, META, type Table, TABLE } from './keys.js'
import {
  checkMark,
  decodeBounds,
  decodeHardState,
  decodeIdentity,
  decodeSchema,
  decodeTermRun,
  encodeBounds,
  encodeHardState,
  encodeIdentity,
  encodeSchema,
  SCHEMA_VERSION,
} from './records.js'

/** Records that one call of an iterator returns. */
const PAGE_RECORDS = 1000

/** What survived, and its shape. */
export interface Restored {
  readonly log: RestoredLog
  readonly shape: LogShape
}

/** Reads the log in an open database; makes a new one in an empty database. `place` names it in errors. */
export async function restore(database: LevelDatabase, place: string): Promise<Restored> {
  const reader = new Reader(database, place)
  const schema = await reader.find(TABLE.meta, META.schema)
  if (schema === undefined) return create(reader)
  const version = reader.decode(TABLE.meta, META.schema, schema, decodeSchema)
  if (version > SCHEMA_VERSION) {
    const versions = `schema version ${version}; this release reads up to ${SCHEMA_VERSION}`
    throw new RaftError('RAFT_VERSION', `The log in ${place} has ${versions}. Start a release that is as new.`)
  }
  const shape = await readShape(reader)
  const hardState: HardState = await reader.must(TABLE.meta, META.hardState, decodeHardState)
  const identity: StoreIdentity | null = await reader.must(TABLE.meta, META.identity, decodeIdentity)
  await checkEnds(reader, shape)
  const configurations: LogEntry[] = []
  for (const index of shape.configurations) {
    const entry = await reader.entry(index)
    if (!isConfiguration(entry)) throw reader.wrong(TABLE.entry, index, `it is a ${entry.type}, not a configuration`)
    configurations.push(entry)
  }
  return { shape, log: { ...restoredShape(shape), hardState, identity, configurations } }
}

/** Every small record is written at once, so that from here on a missing one is a lost one (H88). */
async function create(reader: Reader): Promise<Restored> {
  const [other] = await reader.range({ ...BYTES, limit: 1 })
  if (other !== undefined) {
    const reason = 'other records are there, so it was lost or the database is that of another application'
    throw reader.wrong(TABLE.meta, META.schema, reason)
  }
  const hardState: HardState = { currentTerm: 0, votedFor: null }
  const batch = reader.database.batch()
  const put = (index: number, encode: (key: Uint8Array) => Uint8Array) => {
    const key = keyOf(TABLE.meta, index)
    batch.put(key, encode(key), BYTES)
  }
  put(META.schema, encodeSchema)
  put(META.hardState, (key) => encodeHardState(key, hardState))
  put(META.identity, (key) => encodeIdentity(key, null))
  put(META.bounds, (key) => encodeBounds(key, EMPTY_SHAPE))
  await batch.write({ sync: true }).catch((error: unknown) => {
    throw databaseFailure(reader.place, 'Creating the log', error)
  })
  const log = { ...restoredShape(EMPTY_SHAPE), hardState, identity: null, configurations: [] }
  return { shape: EMPTY_SHAPE, log }
}

async function readShape(reader: Reader): Promise<LogShape> {
  const bounds = await reader.must(TABLE.meta, META.bounds, decodeBounds)
  const runs = await reader.table(TABLE.termRun, (first, key, record, damage): TermRun => {
    return { first, term: decodeTermRun(key, record, damage) }
  })
  const configurations = await reader.table(TABLE.configuration, (index, key, record, damage): LogIndex => {
    checkMark(key, record, damage)
    return index
  })
  const shape: LogShape = { ...bounds, runs, configurations }
  const problem = shapeProblem(shape)
  if (problem !== null) throw damaged(reader.place, 'The index of the log', problem)
  return shape
}

async function checkEnds(reader: Reader, shape: LogShape): Promise<void> {
  const { baseIndex, lastIndex } = shape
  const [stale] = await reader.range({
    ...BYTES,
    gt: keyOf(TABLE.entry, lastIndex),
    lt: endOf(TABLE.entry),
    limit: 1,
  })
  if (stale !== undefined) {
    const reason = `an entry of index ${indexOf(stale[0])} lies behind it`
    throw reader.wrong(TABLE.entry, lastIndex, reason)
  }
  for (const index of new Set([baseIndex + 1, lastIndex])) {
    if (index > lastIndex || index <= baseIndex) continue
    const entry = await reader.entry(index)
    const term = termAt(shape, index)
    if (entry.term !== term) {
      throw reader.wrong(TABLE.entry, index, `its term is ${entry.term}, that of its term run is ${term}`)
    }
  }
}

type Decode<T> = (key: Uint8Array, record: Uint8Array, damage: (reason: string) => Error) => T

/** Reads records of one database; every failure names place and record. */
class Reader {
  readonly database: LevelDatabase
  readonly place: string

  constructor(database: LevelDatabase, place: string) {
    this.database = database
    this.place = place
  }

  async find(table: Table, index: number): Promise<Uint8Array | undefined> {
    try {
      return await this.database.get(keyOf(table, index), BYTES)
    } catch (error) {
      throw databaseFailure(this.place, `Reading ${nameOf(table, index)}`, error)
    }
  }

  async must<T>(table: Table, index: number, decode: Decode<T>): Promise<T> {
    const record = await this.find(table, index)
    if (record === undefined) throw this.wrong(table, index, 'it is missing')
    return this.decode(table, index, record, decode)
  }

  decode<T>(table: Table, index: number, record: Uint8Array, decode: Decode<T>): T {
    return decode(keyOf(table, index), record, (reason) => this.wrong(table, index, reason))
  }

  async entry(index: LogIndex): Promise<LogEntry> {
    const record = await this.find(TABLE.entry, index)
    if (record === undefined) throw this.wrong(TABLE.entry, index, 'it is missing')
    return decodeEntry(record, index, (reason) => this.wrong(TABLE.entry, index, reason))
  }

  /** A whole small table, in order. */
  async table<T>(
    table: Table,
    read: (index: LogIndex, key: Uint8Array, record: Uint8Array, damage: (reason: string) => Error) => T,
  ): Promise<readonly T[]> {
    const found = await this.range({ ...BYTES, gte: Uint8Array.of(table), lt: endOf(table) })
    return found.map(([key, record]) => {
      const index = indexOf(key)
      const damage = (reason: string) => this.wrong(table, index, reason)
      if (!Number.isSafeInteger(index)) throw damage('its key holds no index')
      return read(index, key, record, damage)
    })
  }

  async range(range: LevelRange): Promise<readonly (readonly [Uint8Array, Uint8Array])[]> {
    const found: [Uint8Array, Uint8Array][] = []
    try {
      const iterator = this.database.iterator(range)
      try {
        for (let page = await iterator.nextv(PAGE_RECORDS); page.length > 0; ) {
          found.push(...page)
          page = await iterator.nextv(PAGE_RECORDS)
        }
      } finally {
        await iterator.close()
      }
    } catch (error) {
      throw databaseFailure(this.place, 'Reading the index of the log', error)
    }
    return found
  }

  wrong(table: Table, index: number, reason: string): RaftError {
    return damaged(this.place, nameOf(table, index), reason)
  }
}

const META_NAMES: readonly string[] = ['The schema record', 'The hard state', 'The identity', 'The bounds record']

function nameOf(table: Table, index: number): string {
  if (table === TABLE.meta) return META_NAMES[index] ?? `Meta record ${index}`
  if (table === TABLE.termRun) return `The term run at index ${index}`
  if (table === TABLE.configuration) return `The configuration mark of index ${index}`
  return `The entry of index ${index}`
}
