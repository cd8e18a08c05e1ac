// What the level store promises beyond the contract of LogStore: synced writes, one story or RAFT_CORRUPTION at open,
// nothing after a failure, bounded work.
import type { Level } from 'level'
import { MemoryLevel } from 'memory-level'
import { describe, expect, test } from 'vitest'
import type { LogEntry } from '../../../src/core/types.js'
import { LevelLogStore } from '../../../src/stores/level/index.js'
import { encodeSchema, encodeTermRun } from '../../../src/stores/level/records.js'
import { crc32 } from '../../../src/codec/crc32.js'
import { ALL, command, commands, configurationEntry } from '../../../src/testing/log-bench.js'
import { flipBit, WatchedDatabase } from '../../support/watched-database.js'

const SCHEMA = '010000000000000000'
const HARD_STATE = '010000000000000001'
const IDENTITY = '010000000000000002'
const BOUNDS = '010000000000000003'
const run = (index: number) => `02${index.toString(16).padStart(16, '0')}`
const mark = (index: number) => `03${index.toString(16).padStart(16, '0')}`
const entryKey = (index: number) => `04${index.toString(16).padStart(16, '0')}`

const IO_ERROR = Object.assign(new Error('IO error: write: No space left on device'), { code: 'LEVEL_IO_ERROR' })

/** Entries 3..8 in two terms with a configuration at 5. */
async function filled(): Promise<WatchedDatabase> {
  const database = new WatchedDatabase()
  const store = new LevelLogStore({ database })
  await store.open()
  await store.write({
    hardState: { currentTerm: 2, votedFor: 'a' },
    identity: { clusterId: 'c', nonce: 'n', storeId: 's', bootCount: 1, leasePromiseMs: 0 },
    entries: [...commands(1, 4, 1), configurationEntry(5, 1), ...commands(6, 8, 2)],
  })
  await store.compact(2)
  await store.close()
  return database
}

const open = (database: WatchedDatabase) => new LevelLogStore({ database }).open()
const rejection = async (promise: Promise<unknown>) =>
  await promise.then(
    () => 'resolved',
    (error: unknown) => error,
  )

describe('LevelLogStore writes', () => {
  test('every write of the database is synced (H79)', async () => {
    const database = await filled()
    const store = new LevelLogStore({ database })
    await store.open()
    await store.write({ hardState: { currentTerm: 3, votedFor: null } })
    await store.write({ entries: [command(7, 3)] })
    await store.write({ resetTo: { index: 20, term: 3 } })
    await store.write({ entries: commands(21, 25, 3) })
    await store.compact(23)
    await store.close()
    expect(database.writes.length).toBeGreaterThanOrEqual(8)
    expect(new Set(database.writes.map((options) => JSON.stringify(options)))).toEqual(new Set(['{"sync":true}']))
  })

  test('one call of write is one batch (H80)', async () => {
    const database = await filled()
    const store = new LevelLogStore({ database })
    await store.open()
    const before = database.writes.length
    const hardState = { currentTerm: 5, votedFor: null }
    await store.write({ hardState, resetTo: { index: 6, term: 2 }, entries: commands(7, 9, 5) })
    expect(database.writes.length).toBe(before + 1)
  })

  test('after a failed write every call is refused, also when the next one would succeed (H78)', async () => {
    const database = await filled()
    const store = new LevelLogStore({ database })
    await store.open()
    database.failure = { call: 'write', error: IO_ERROR }
    const failed = await rejection(store.write({ entries: [command(9, 2)] }))
    expect(failed).toMatchObject({ code: 'RAFT_STORAGE', outcome: 'unknown', cause: IO_ERROR })
    expect(String(failed)).toContain('/somewhere/node-1')
    expect(String(failed)).toContain('No space left on device')
    const writes = database.writes.length
    const calls = [
      () => store.write({ entries: [command(9, 2)] }),
      () => store.write({ hardState: { currentTerm: 9, votedFor: null } }),
      () => store.read(3, 8, ALL),
      () => store.compact(5),
    ]
    for (const call of calls) expect(await rejection(call())).toMatchObject({ code: 'RAFT_STORAGE', cause: failed })
    expect(database.writes.length).toBe(writes)
    await store.close()
    expect((await store.open()).lastIndex).toBe(8)
  })

  test('a batch that does not fit is refused and leaves the store usable', async () => {
    const database = await filled()
    const store = new LevelLogStore({ database })
    await store.open()
    const before = await database.raw()
    const bad = [
      { entries: [command(10, 2)] },
      { entries: [command(9, 2), { ...command(10, 2), type: 'other' as LogEntry['type'] }] },
      { hardState: { currentTerm: -1, votedFor: null } },
      { hardState: { currentTerm: 2 ** 53, votedFor: null } },
      { hardState: { currentTerm: 3, votedFor: 'lone \ud800 surrogate' } },
      { hardState: { currentTerm: 3, votedFor: 'x'.repeat(65_536) } },
    ]
    for (const batch of bad) expect(await rejection(store.write(batch))).toMatchObject({ code: 'RAFT_INVARIANT' })
    expect(await database.raw()).toEqual(before)
    await store.write({ entries: [command(9, 2)] })
    expect(await store.read(9, 9, ALL)).toEqual([command(9, 2)])
  })

  test('a call before open or after close says so', async () => {
    const store = new LevelLogStore({ database: new WatchedDatabase() })
    expect(await rejection(store.read(1, 1, 1))).toMatchObject({ code: 'RAFT_STOPPED' })
    await store.open()
    await store.close()
    expect(await rejection(store.write({}))).toMatchObject({ code: 'RAFT_STOPPED' })
  })
})

describe('LevelLogStore at open', () => {
  const records: readonly (readonly [string, string])[] = [
    ['the schema', SCHEMA],
    ['the hard state', HARD_STATE],
    ['the identity', IDENTITY],
    ['the bounds', BOUNDS],
    ['a term run', run(6)],
    ['a configuration mark', mark(5)],
    ['the first entry', entryKey(3)],
    ['the last entry', entryKey(8)],
    ['a configuration entry', entryKey(5)],
  ]

  test.each(records)('any bit turned in the record of %s is RAFT_CORRUPTION', async (_, key) => {
    const database = await filled()
    const value = (await database.raw()).get(key) ?? ''
    expect(value).not.toBe('')
    for (let bit = 0; bit < value.length * 4; bit++) {
      await database.putRaw(key, flipBit(value, bit))
      const error = await rejection(open(database))
      expect(error, `bit ${bit}`).toMatchObject({ code: 'RAFT_CORRUPTION' })
      expect(String(error)).toContain('/somewhere/node-1')
      expect(String(error)).toContain('Leave this node off')
    }
    await database.putRaw(key, value)
    expect((await open(database)).lastIndex).toBe(8)
  })

  test.each(records)('a cut or lengthened record of %s is RAFT_CORRUPTION', async (_, key) => {
    const database = await filled()
    const value = (await database.raw()).get(key) ?? ''
    for (const changed of ['', value.slice(0, 2), value.slice(0, -2), `${value}00`]) {
      await database.putRaw(key, changed)
      expect(await rejection(open(database)), `'${changed}'`).toMatchObject({ code: 'RAFT_CORRUPTION' })
    }
  })

  // A lost configuration mark can't be seen without reading the whole log: the entry is an entry like any other.
  test.each(records.filter(([name]) => name !== 'a configuration mark'))(
    'a missing record of %s is RAFT_CORRUPTION, not an empty log (H88)',
    async (_, key) => {
      const database = await filled()
      await database.deleteRaw(key)
      const error = await rejection(open(database))
      // A lost second run is seen by the term of the last entry.
      expect(error).toMatchObject({ code: 'RAFT_CORRUPTION' })
    },
  )

  test('two intact records that were swapped are RAFT_CORRUPTION (H82)', async () => {
    const pairs = [
      [entryKey(3), entryKey(8)],
      [run(3), run(6)],
      [HARD_STATE, IDENTITY],
    ] as const
    for (const [one, other] of pairs) {
      const database = await filled()
      const raw = await database.raw()
      await database.putRaw(one, raw.get(other) ?? '')
      await database.putRaw(other, raw.get(one) ?? '')
      expect(await rejection(open(database)), `${one} and ${other}`).toMatchObject({ code: 'RAFT_CORRUPTION' })
    }
  })

  test('an intact entry behind the end is RAFT_CORRUPTION, never part of the log (H84)', async () => {
    const database = await filled()
    await database.putRaw(entryKey(12), (await database.raw()).get(entryKey(8)) ?? '')
    const error = await rejection(open(database))
    expect(error).toMatchObject({ code: 'RAFT_CORRUPTION' })
    expect(String(error)).toContain('an entry of index 12 lies behind it')
  })

  test('a newer schema is RAFT_VERSION (H89)', async () => {
    const database = await filled()
    const key = Buffer.from(SCHEMA, 'hex')
    const body = Buffer.from(encodeSchema(key)).subarray(0, -4)
    body.writeUInt32BE(2, 5)
    const crc = Buffer.alloc(4)
    crc.writeUInt32BE(crc32(body, crc32(key)))
    await database.putRaw(SCHEMA, Buffer.concat([body, crc]).toString('hex'))
    const error = await rejection(open(database))
    expect(error).toMatchObject({ code: 'RAFT_VERSION' })
    expect(String(error)).toContain('schema version 2; this release reads up to 1')
  })

  test('a database that another application has filled is refused', async () => {
    const database = new WatchedDatabase()
    await database.putRaw('6162', '63')
    expect(await rejection(open(database))).toMatchObject({ code: 'RAFT_CORRUPTION' })
    expect(await database.raw()).toEqual(new Map([['6162', '63']]))
  })

  test('an unreadable record is RAFT_STORAGE, not a missing one (H88)', async () => {
    for (const call of ['get', 'nextv'] as const) {
      const database = await filled()
      database.failure = { call, error: IO_ERROR }
      expect(await rejection(open(database)), call).toMatchObject({ code: 'RAFT_STORAGE', cause: IO_ERROR })
      expect(database.openIterators).toBe(0)
      expect((await open(database)).lastIndex).toBe(8)
    }
  })

  test('what the database calls corrupt or locked is RAFT_CORRUPTION or RAFT_LOCKED (H85)', async () => {
    const expected = {
      LEVEL_CORRUPTION: 'RAFT_CORRUPTION',
      LEVEL_LOCKED: 'RAFT_LOCKED',
      LEVEL_IO_ERROR: 'RAFT_STORAGE',
    }
    for (const [level, code] of Object.entries(expected)) {
      const database = new WatchedDatabase()
      const cause = Object.assign(new Error('inner'), { code: level })
      database.failure = {
        call: 'open',
        error: Object.assign(new Error('not open', { cause }), { code: 'LEVEL_DATABASE_NOT_OPEN' }),
      }
      const error = await rejection(open(database))
      expect(error).toMatchObject({ code })
      expect(String(error)).toContain('/somewhere/node-1')
    }
  })

  test('intact records that contradict each other are RAFT_CORRUPTION (H84)', async () => {
    const database = await filled()
    const key = Buffer.from(run(5), 'hex')
    await database.putRaw(run(5), Buffer.from(encodeTermRun(key, 9)).toString('hex'))
    const error = await rejection(open(database))
    expect(error).toMatchObject({ code: 'RAFT_CORRUPTION' })
    expect(String(error)).toContain("the run of term 2 from 6 doesn't follow term 9 at 5")
  })

  test('a second store on one database is RAFT_LOCKED until the first is closed (H85)', async () => {
    const database = new WatchedDatabase()
    const first = new LevelLogStore({ database })
    await first.open()
    expect(await rejection(open(database))).toMatchObject({ code: 'RAFT_LOCKED' })
    await first.close()
    expect((await open(database)).firstIndex).toBe(1)
  })

  test('reads a bounded number of records, however long the log is (F35)', async () => {
    const database = new WatchedDatabase()
    const store = new LevelLogStore({ database })
    await store.open()
    await store.write({ entries: [configurationEntry(1, 1), ...commands(2, 5000, 1)] })
    await store.close()
    database.recordsRead = 0
    expect((await open(database)).lastIndex).toBe(5000)
    expect(database.recordsRead).toBeLessThan(12)
  })

  test('what a crash left of a compaction is no part of the log and goes with the next one', async () => {
    const database = await filled()
    const raw = await database.raw()
    await database.putRaw(entryKey(1), raw.get(entryKey(3)) ?? '')
    await database.putRaw(entryKey(2), raw.get(entryKey(3)) ?? '')
    const store = new LevelLogStore({ database })
    expect((await store.open()).firstIndex).toBe(3)
    expect(await store.read(2, 8, ALL)).toEqual([])
    await store.compact(3)
    const keys = [...(await database.raw()).keys()].filter((key) => key.startsWith('04'))
    expect(keys).toEqual([4, 5, 6, 7, 8].map(entryKey))
  })

  test('compaction gives back every entry, of a long prefix and after a reset backward', async () => {
    const database = new WatchedDatabase()
    const store = new LevelLogStore({ database })
    const stored = async () => [...(await database.raw()).keys()].filter((key) => key.startsWith('04'))
    await store.open()
    await store.write({ entries: commands(1, 2500, 1) })
    await store.compact(2400)
    expect(await stored()).toHaveLength(100)
    await store.write({ resetTo: { index: 2, term: 1 }, entries: commands(3, 8, 2) })
    await store.compact(7)
    expect(await stored()).toEqual([entryKey(8)])
  })

  test('a compaction whose removal fails is told, and the log begins where it was to begin', async () => {
    const database = await filled()
    const store = new LevelLogStore({ database })
    await store.open()
    database.failure = { call: 'clear', error: IO_ERROR }
    expect(await rejection(store.compact(5))).toMatchObject({ code: 'RAFT_STORAGE', cause: IO_ERROR })
    expect(await rejection(store.write({ entries: [command(9, 2)] }))).toMatchObject({ code: 'RAFT_STORAGE' })
    await store.close()
    expect((await store.open()).firstIndex).toBe(6)
    await store.compact(6)
    const keys = [...(await database.raw()).keys()].filter((key) => key.startsWith('04'))
    expect(keys).toEqual([entryKey(7), entryKey(8)])
  })

  test('a reset backward removes what a crash left of a compaction (H84)', async () => {
    const database = await filled()
    await database.putRaw(entryKey(2), (await database.raw()).get(entryKey(3)) ?? '')
    const store = new LevelLogStore({ database })
    await store.open()
    await store.write({ resetTo: { index: 1, term: 1 } })
    await store.close()
    const reopened = new LevelLogStore({ database })
    expect((await reopened.open()).lastIndex).toBe(1)
  })
})

describe('LevelLogStore reads', () => {
  test('a damaged entry in the middle is RAFT_CORRUPTION with its index (H81)', async () => {
    const database = await filled()
    const raw = await database.raw()
    await database.putRaw(entryKey(6), flipBit(raw.get(entryKey(6)) ?? '', 300))
    const store = new LevelLogStore({ database })
    await store.open()
    const error = await rejection(store.read(3, 8, ALL))
    expect(error).toMatchObject({ code: 'RAFT_CORRUPTION' })
    expect(String(error)).toContain('The entry of index 6')
    expect(await store.read(3, 5, ALL)).toHaveLength(3)
  })

  test('a missing entry in the middle is RAFT_CORRUPTION, not the end of the log (H88)', async () => {
    const database = await filled()
    await database.deleteRaw(entryKey(6))
    const store = new LevelLogStore({ database })
    await store.open()
    expect(await rejection(store.read(3, 8, ALL))).toMatchObject({ code: 'RAFT_CORRUPTION' })
    expect(await rejection(store.read(6, 6, ALL))).toMatchObject({ code: 'RAFT_CORRUPTION' })
  })

  test('a read error is RAFT_STORAGE, and every iterator is closed (H90)', async () => {
    const database = await filled()
    const store = new LevelLogStore({ database })
    await store.open()
    database.failure = { call: 'nextv', error: IO_ERROR }
    expect(await rejection(store.read(3, 8, ALL))).toMatchObject({ code: 'RAFT_STORAGE', cause: IO_ERROR })
    await store.read(3, 8, 0)
    await store.read(3, 8, ALL)
    await store.compact(4)
    await store.write({ resetTo: { index: 10, term: 2 } })
    expect(database.openIterators).toBe(0)
  })
})

describe('LevelLogStore options', () => {
  test('refuses what is no database, and one without snapshots, by name of what is missing', () => {
    expect(() => new LevelLogStore({ database: {} as never })).toThrow("has no method 'open'")
    expect(() => new LevelLogStore({ database: undefined as never })).toThrow("has no method 'open'")
    const database = Object.assign(new WatchedDatabase(), { supports: { implicitSnapshots: false } })
    expect(() => new LevelLogStore({ database })).toThrow('no implicit snapshots')
  })

  test('takes a database with encodings of its own, typed as its package types it', async () => {
    const database = new MemoryLevel<string, unknown>({ valueEncoding: 'json' })
    const store = new LevelLogStore({ database })
    await store.open()
    await store.write({ entries: commands(1, 3, 1) })
    expect(await store.read(1, 3, ALL)).toEqual(commands(1, 3, 1))
    await store.close()
    const typed: (database: Level<Uint8Array, Uint8Array>) => LevelLogStore = (level) =>
      new LevelLogStore({ database: level })
    expect(typed).toBeTypeOf('function')
  })
})
