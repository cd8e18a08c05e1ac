// levelStorage: one directory that is made, locked and refused by name.
import { mkdtemp, readdir, rm, stat, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { levelStorage } from '../../../src/stores/level/index.js'
import { ALL, commands } from '../../../src/testing/log-bench.js'
import { metaAt } from '../../../src/testing/snapshot-bench.js'

let root = ''
beforeEach(async () => {
  root = await mkdtemp(join(tmpdir(), 'helios-storage-'))
})
afterEach(() => rm(root, { recursive: true, force: true }))

const rejection = async (promise: Promise<unknown>) =>
  await promise.then(
    () => 'resolved',
    (error: unknown) => error,
  )
const modeOf = async (path: string) => ((await stat(path)).mode & 0o777).toString(8)

describe('levelStorage', () => {
  test('touches nothing before the node starts', async () => {
    const { logStore } = levelStorage({ directory: join(root, 'node') })
    expect(await readdir(root)).toEqual([])
    await logStore.close()
    expect(await readdir(root)).toEqual([])
  })

  test('makes the directory and everything above it for the owner only', async () => {
    const directory = join(root, 'deep', 'node')
    const { logStore, snapshotStore } = levelStorage({ directory })
    await logStore.open()
    const sink = await snapshotStore.create(metaAt(3))
    await sink.write(new Uint8Array(10))
    await sink.commit()
    for (const path of [join(root, 'deep'), directory, join(directory, 'log'), join(directory, 'snapshots')]) {
      expect(await modeOf(path), path).toBe('700')
    }
    const [file = ''] = await readdir(join(directory, 'snapshots'))
    expect(await modeOf(join(directory, 'snapshots', file))).toBe('600')
    await logStore.close()
  })

  test('keeps log and snapshots over a restart of the same object and of another', async () => {
    const directory = join(root, 'node')
    const storage = levelStorage({ directory })
    await storage.logStore.open()
    await storage.logStore.write({ entries: commands(1, 3, 1) })
    const sink = await storage.snapshotStore.create(metaAt(2))
    await sink.write(Uint8Array.of(1, 2, 3))
    await sink.commit()
    for (const again of [storage, levelStorage({ directory })]) {
      await storage.logStore.close()
      await storage.snapshotStore.close()
      expect((await again.logStore.open()).lastIndex).toBe(3)
      expect(await again.logStore.read(1, 3, ALL)).toEqual(commands(1, 3, 1))
      expect((await again.snapshotStore.latest())?.sizeBytes).toBe(3)
      await again.logStore.close()
    }
  })

  test('a directory in use is RAFT_LOCKED by its name, and the first one goes on (H85)', async () => {
    const directory = join(root, 'node')
    const first = levelStorage({ directory }).logStore
    await first.open()
    const error = await rejection(levelStorage({ directory }).logStore.open())
    expect(error).toMatchObject({ code: 'RAFT_LOCKED' })
    expect(String(error)).toContain(`'${directory}' is in use by another process or store`)
    await first.write({ entries: commands(1, 1, 1) })
    await first.close()
    const second = levelStorage({ directory }).logStore
    expect((await second.open()).lastIndex).toBe(1)
    await second.close()
  })

  test('a log whose root file is lost is RAFT_CORRUPTION, not a new and empty one (H88)', async () => {
    const directory = join(root, 'node')
    const { logStore } = levelStorage({ directory })
    await logStore.open()
    await logStore.write({ entries: commands(1, 3, 1) })
    await logStore.close()
    const before = await readdir(join(directory, 'log'))
    await rm(join(directory, 'log', 'CURRENT'))
    const error = await rejection(logStore.open())
    expect(error).toMatchObject({ code: 'RAFT_CORRUPTION' })
    expect(String(error)).toContain('CURRENT is missing')
    expect(await readdir(join(directory, 'log'))).toEqual(before.filter((name) => name !== 'CURRENT'))
  })

  test('a database that LevelDB itself finds corrupt is RAFT_CORRUPTION', async () => {
    const directory = join(root, 'node')
    const { logStore } = levelStorage({ directory })
    await logStore.open()
    await logStore.close()
    const manifest = (await readdir(join(directory, 'log'))).find((name) => name.startsWith('MANIFEST')) ?? ''
    await writeFile(join(directory, 'log', manifest), 'rubbish')
    const error = await rejection(logStore.open())
    expect(error).toMatchObject({ code: 'RAFT_CORRUPTION' })
    expect(String(error)).toContain(directory)
  })

  test('a directory that is a file, or can not be made, is RAFT_STORAGE by its name', async () => {
    const file = join(root, 'file')
    await writeFile(file, '')
    for (const directory of [file, join(file, 'below')]) {
      const error = await rejection(levelStorage({ directory }).logStore.open())
      expect(error).toMatchObject({ code: 'RAFT_STORAGE' })
      expect(String(error)).toContain(directory)
    }
  })

  test.runIf(process.platform === 'linux')('ends where the system makes no directories, as in /proc', async () => {
    const error = await rejection(levelStorage({ directory: '/proc/helios/node' }).logStore.open())
    expect(error).toMatchObject({ code: 'RAFT_STORAGE' })
  })

  test('refuses an option that is no path', () => {
    for (const directory of ['', undefined, 7]) {
      expect(() => levelStorage({ directory: directory as never })).toThrow('give the path of a directory')
    }
  })
})
