// The published suite on both snapshot stores of the package.
import { randomUUID } from 'node:crypto'
import { cp, mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, test } from 'vitest'
import { FileSnapshotStore } from '../../../src/stores/files/index.js'
import { MemorySnapshotStore } from '../../../src/stores/memory/index.js'
import { testSnapshotStore } from '../../../src/testing/snapshot-store-suite.js'

describe('MemorySnapshotStore', () => {
  void testSnapshotStore(() => {
    const store = new MemorySnapshotStore()
    return { create: async () => store, reopen: async () => store }
  }, test)
})

describe('FileSnapshotStore', () => {
  void testSnapshotStore(() => {
    let directory = ''
    let root = ''
    let store: FileSnapshotStore
    const make = async () => {
      store = new FileSnapshotStore({ directory })
      return store
    }
    return {
      create: async () => {
        root = await mkdtemp(join(tmpdir(), 'helios-files-'))
        directory = join(root, 'snapshots')
        return await make()
      },
      reopen: make,
      // The files as they are at that moment, used elsewhere.
      crash: async () => {
        const copy = join(root, randomUUID())
        await cp(directory, copy, { recursive: true })
        await store.close()
        directory = copy
      },
      destroy: () => rm(root, { recursive: true, force: true }),
    }
  }, test)
})
