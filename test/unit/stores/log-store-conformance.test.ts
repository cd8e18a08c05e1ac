// The published suite on every log store of the package, and on memory-level, which LevelLogStore takes as well.
import { randomUUID } from 'node:crypto'
import { cp, mkdtemp, readdir, rm, stat } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { MemoryLevel } from 'memory-level'
import { describe, test } from 'vitest'
import type { LogStore } from '../../../src/interfaces/log-store.js'
import { LevelLogStore } from '../../../src/stores/level/index.js'
import { levelStorage } from '../../../src/stores/level/index.js'
import { MemoryLogStore } from '../../../src/stores/memory/index.js'
import type { StoreFactory } from '../../../src/testing/conformance.js'
import { testLogStore } from '../../../src/testing/log-store-suite.js'

describe('MemoryLogStore', () => {
  void testLogStore(() => {
    const store = new MemoryLogStore()
    return { create: async () => store, reopen: async () => store, crash: () => store.close() }
  }, test)
})

describe('LevelLogStore over memory-level', () => {
  void testLogStore(() => {
    const database = new MemoryLevel<string, string>()
    const make = async () => new LevelLogStore({ database })
    return { create: make, reopen: make }
  }, test)
})

describe('LevelLogStore over LevelDB', () => {
  void testLogStore(levelFactory, test)
})

/** A crash is the directory as it is at that moment, opened elsewhere: nothing was closed or flushed for it. */
function levelFactory(): StoreFactory<LogStore> {
  let directory = ''
  let store: LogStore | null = null
  const roots: string[] = []
  const make = async () => {
    store = levelStorage({ directory }).logStore
    return store
  }
  return {
    create: async () => {
      const root = await mkdtemp(join(tmpdir(), 'helios-level-'))
      roots.push(root)
      directory = join(root, 'node')
      return await make()
    },
    reopen: make,
    crash: async () => {
      const copy = await copyOfOneMoment(directory)
      await store?.close()
      directory = copy
    },
    destroy: async () => {
      for (const root of roots) await rm(root, { recursive: true, force: true })
    },
  }
}

/** LevelDB moves files while they are copied: only a copy during which nothing changed is the directory of one moment. */
async function copyOfOneMoment(directory: string): Promise<string> {
  for (let attempt = 0; attempt < 1_000; attempt++) {
    const copy = join(directory, '..', randomUUID())
    const before = await listing(directory)
    const isWhole = await cp(directory, copy, { recursive: true }).then(
      () => true,
      () => false,
    )
    if (isWhole && (await listing(directory)) === before) return copy
    await rm(copy, { recursive: true, force: true })
  }
  throw new Error(`${directory} never stands still`)
}

async function listing(directory: string): Promise<string> {
  const names = (await readdir(directory, { recursive: true })).sort()
  const sizes = names.map((name) =>
    stat(join(directory, name)).then(({ size, mtimeMs }) => `${name} ${size} ${mtimeMs}`),
  )
  return (await Promise.allSettled(sizes))
    .map((result) => (result.status === 'fulfilled' ? result.value : 'gone'))
    .join('\n')
}
