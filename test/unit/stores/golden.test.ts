// The bytes on disk, pinned: what a release has written must stay readable, and must not change by accident (H89). After
// an intended change of a format raise its version, keep the old file beside the new one, and run vitest with -u.
import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import type { LogEntry } from '../../../src/core/types.js'
import { FileSnapshotStore } from '../../../src/stores/files/index.js'
import { LevelLogStore } from '../../../src/stores/level/index.js'
import { WatchedDatabase } from '../../support/watched-database.js'

const LEVEL = new URL('../../golden/level-schema-1.txt', import.meta.url)
const SNAPSHOT = new URL('../../golden/snapshot-file-1.txt', import.meta.url)

const TABLES: Readonly<Record<string, string>> = {
  '01': 'meta',
  '02': 'term run',
  '03': 'configuration',
  '04': 'entry',
}

const entries: readonly LogEntry[] = [
  { index: 6, term: 2, type: 'noop', timestamp: 1_700_000_000_000, data: new Uint8Array() },
  { index: 7, term: 2, type: 'command', timestamp: 1_700_000_000_000.5, data: Uint8Array.of(0x00, 0xff, 0x10) },
  {
    index: 8,
    term: 2 ** 32 + 1,
    type: 'configuration' as LogEntry['type'],
    timestamp: 0,
    data: Uint8Array.of(0x7b, 0x7d),
  },
  { index: 9, term: 2 ** 32 + 1, type: 'session' as LogEntry['type'], timestamp: 1, data: Uint8Array.of(0x01) },
]
const hardState = { currentTerm: 2 ** 32 + 1, votedFor: 'nöde' }
const identity = {
  clusterId: 'c',
  nonce: '',
  storeId: 's-1',
  bootCount: 4,
  leasePromiseMs: 0.5,
  nodeId: 'n',
  bootstrapDigest: 'd',
}

test('the records of a log in LevelDB', async () => {
  const database = new WatchedDatabase()
  const store = new LevelLogStore({ database })
  await store.open()
  await store.write({ hardState, identity, resetTo: { index: 5, term: 1 }, entries })
  const lines = [...(await database.raw())].map(([key, value]) => `${key} ${value} # ${TABLES[key.slice(0, 2)]}`)
  await expect(`${lines.join('\n')}\n`).toMatchFileSnapshot(LEVEL.pathname)
})

test('a log that schema version 1 wrote is read as it was', async () => {
  const database = new WatchedDatabase()
  for (const line of (await readFile(LEVEL, 'utf8')).trim().split('\n')) {
    const [key = '', value = ''] = line.split(' ')
    await database.putRaw(key, value)
  }
  const store = new LevelLogStore({ database })
  expect(await store.open()).toEqual({
    hardState,
    identity,
    firstIndex: 6,
    lastIndex: 9,
    previousTerm: 1,
    termRuns: [
      { first: 6, term: 2 },
      { first: 8, term: 2 ** 32 + 1 },
    ],
    configurations: [entries[2]],
  })
  expect(await store.read(6, 9, Number.MAX_SAFE_INTEGER)).toEqual(entries)
})

const meta = {
  lastIncludedIndex: 2 ** 32 + 5,
  lastIncludedTerm: 7,
  lastIncludedTimestamp: 1_700_000_000_000.5,
  configurationIndex: 3,
  configuration: {
    members: [{ id: 'a', address: '10.0.0.1:7000', suffrage: 'voter' as const, metadata: { zone: 'nörd' } }],
    votersOutgoing: [],
  },
}
const NAME = 'snapshot-0000004294967301-0000000000000001.snap'

test('a snapshot file', async () => {
  const directory = await mkdtemp(join(tmpdir(), 'helios-golden-'))
  try {
    const sink = await new FileSnapshotStore({ directory }).create(meta)
    await sink.write(Uint8Array.of(1, 2, 3))
    await sink.commit()
    expect(await readdir(directory)).toEqual([NAME])
    const hex = (await readFile(join(directory, NAME))).toString('hex')
    await expect(`${hex.match(/.{1,64}/g)?.join('\n')}\n`).toMatchFileSnapshot(SNAPSHOT.pathname)
  } finally {
    await rm(directory, { recursive: true, force: true })
  }
})

test('a snapshot file of format version 1 is read as it was', async () => {
  const directory = await mkdtemp(join(tmpdir(), 'helios-golden-'))
  try {
    const hex = (await readFile(SNAPSHOT, 'utf8')).replaceAll('\n', '')
    await writeFile(join(directory, NAME), Buffer.from(hex, 'hex'))
    const latest = await new FileSnapshotStore({ directory }).latest()
    expect(latest?.meta).toEqual(meta)
    const chunks: Uint8Array[] = []
    for await (const chunk of latest?.read() ?? []) chunks.push(chunk)
    expect(chunks).toEqual([Uint8Array.of(1, 2, 3)])
  } finally {
    await rm(directory, { recursive: true, force: true })
  }
})
