// What LevelDB itself would skip in silence: damage in the journal that it has not made a table of yet (H81).
import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { levelStorage } from '../../../src/stores/level/index.js'
import { damageWithRecordsBehind } from '../../../src/stores/level/journal.js'

let root = ''
let journal = ''
beforeEach(async () => {
  root = await mkdtemp(join(tmpdir(), 'helios-journal-'))
  const { logStore } = levelStorage({ directory: root })
  await logStore.open()
  for (let index = 1; index <= 60; index++) {
    const data = new Uint8Array(1_500).fill(index)
    await logStore.write({ entries: [{ index, term: 1, type: 'command', timestamp: 0, data }] })
  }
  await logStore.close()
  const names = (await readdir(join(root, 'log'))).filter((name) => name.endsWith('.log'))
  journal = join(root, 'log', names.at(-1) ?? '')
})
afterEach(() => rm(root, { recursive: true, force: true }))

test('an intact journal of several blocks has no damage, nor has one that ends at any byte', async () => {
  const bytes = await readFile(journal)
  expect(bytes.length).toBeGreaterThan(2 * 32_768)
  expect(damageWithRecordsBehind(bytes)).toBeNull()
  for (let cut = 0; cut < 5_000; cut += 7)
    expect(damageWithRecordsBehind(bytes.subarray(0, bytes.length - cut))).toBeNull()
})

test('a turned bit before other records is RAFT_CORRUPTION by file and offset, at each start again', async () => {
  const bytes = await readFile(journal)
  for (const place of [0, 4, 6, 300, 20_000, 32_768, 40_000]) {
    const damaged = Uint8Array.from(bytes)
    damaged[place] = (damaged[place] ?? 0) ^ 0x10
    await writeFile(journal, damaged)
    for (let start = 0; start < 2; start++) {
      const error: unknown = await levelStorage({ directory: root })
        .logStore.open()
        .catch((caught: unknown) => caught)
      expect(error, `bit at ${place}`).toMatchObject({ code: 'RAFT_CORRUPTION' })
      expect(String(error)).toContain(journal)
    }
  }
  await writeFile(journal, bytes)
  const { logStore } = levelStorage({ directory: root })
  expect((await logStore.open()).lastIndex).toBe(60)
  await logStore.close()
})

test('a torn last record is cut, and everything before it is there', async () => {
  const bytes = await readFile(journal)
  await writeFile(journal, bytes.subarray(0, bytes.length - 700))
  const { logStore } = levelStorage({ directory: root })
  expect((await logStore.open()).lastIndex).toBe(59)
  await logStore.close()
})
