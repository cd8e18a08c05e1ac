// The receiver of snapshots alone, before a store in memory: whose chunks it takes, and how many may wait for the disk.
import type { InstallSnapshot, ReceivedChunk } from 'helios-raft/core'
import { MemorySnapshotStore, type SnapshotSink } from 'helios-raft'
import { describe, expect, it } from 'vitest'
import { portableCrc32 } from '../../../src/codec/portable-crc32.js'
import { sha256 } from '../../../src/codec/sha256.js'
import type { InboxItem } from '../../../src/node/event-loop.js'
import { MAX_WAITING_CHUNKS, SnapshotReception } from '../../../src/node/snapshot-reception.js'
import { configurationOf } from '../../support/core-cluster.js'
import { settle } from './harness.js'

const CONTENTS = { 5: Uint8Array.of(1, 2, 3, 4), 9: Uint8Array.of(6, 7, 8) } as const

/** One byte of the snapshot of `index`. */
function chunk(index: 5 | 9, transfer: number, offset: number): ReceivedChunk {
  const content = CONTENTS[index]
  const bytes = content.slice(offset, offset + 1)
  const meta = { lastIncludedIndex: index, lastIncludedTerm: 1, lastIncludedTimestamp: 0, configurationIndex: 0 }
  const message: InstallSnapshot = {
    type: 'installSnapshot',
    term: 1,
    addedAt: 0,
    transfer,
    meta: { ...meta, configuration: configurationOf(['a', 'b', 'c']) },
    digest: sha256(content),
    sizeBytes: content.length,
    offset,
    chunk: bytes,
    chunkCrc: portableCrc32(bytes),
  }
  return { from: 'b', message }
}

class Stage {
  readonly store = new MemorySnapshotStore()
  readonly pushed: InboxItem[] = []
  readonly reception: SnapshotReception
  constructor() {
    this.reception = new SnapshotReception({
      store: this.store,
      push: (item) => this.pushed.push(item),
      install: (sink: SnapshotSink) =>
        sink.commit().then(
          () => 'installed' as const,
          () => 'failed' as const,
        ),
      onDamaged: () => {},
      onFailed: (_, error) => {
        throw error
      },
    })
  }

  async take(...chunks: readonly ReceivedChunk[]): Promise<void> {
    this.reception.take(chunks)
    for (let turn = 0; turn < 20; turn++) await settle()
  }

  get offsets(): readonly number[] {
    return this.pushed.flatMap((item) => (item.type === 'snapshotWritten' ? [item.offset] : []))
  }
}

describe('the reception of snapshots', () => {
  it('ignores a late chunk of an earlier transfer of the same leader (H56)', async () => {
    const stage = new Stage()
    await stage.take(chunk(9, 2, 0), chunk(5, 1, 0), chunk(9, 2, 1))
    expect(stage.offsets).toEqual([1, 2])
  })

  it('begins anew with another snapshot of a newer transfer, and goes on with the same one', async () => {
    const stage = new Stage()
    await stage.take(chunk(5, 1, 0), chunk(5, 2, 1), chunk(9, 3, 0))
    expect(stage.offsets).toEqual([1, 2, 1])
  })

  it('asks the core at the end, and installs or drops what it has as the core says', async () => {
    for (const decision of ['install', 'discard'] as const) {
      const stage = new Stage()
      await stage.take(chunk(9, 1, 0), chunk(9, 1, 1), chunk(9, 1, 2))
      expect(stage.pushed.at(-1)).toMatchObject({ type: 'snapshotReceived', meta: { lastIncludedIndex: 9 } })
      expect(await stage.store.latest()).toBeNull()
      stage.reception.decide(decision)
      await stage.take()
      expect((await stage.store.latest())?.meta.lastIncludedIndex).toBe(decision === 'install' ? 9 : undefined)
      const installed = stage.pushed.filter(({ type }) => type === 'snapshotInstalled')
      expect(installed).toHaveLength(decision === 'install' ? 1 : 0)
    }
  })

  it('keeps all of it when the core can not decide, and asks again with the next chunk', async () => {
    const stage = new Stage()
    await stage.take(chunk(9, 1, 0), chunk(9, 1, 1), chunk(9, 1, 2))
    stage.reception.decide('keep')
    await stage.take(chunk(9, 2, 2))
    const asked = stage.pushed.filter(({ type }) => type === 'snapshotReceived')
    expect(asked).toMatchObject([{ source: { transfer: 1 } }, { source: { transfer: 2 } }])
  })

  it.each([-1, 0, 1])('holds chunks up to its bound: %i beyond', async (beyond) => {
    const stage = new Stage()
    // The first one is taken in hand at once.
    await stage.take(chunk(5, 1, 3), ...Array.from({ length: MAX_WAITING_CHUNKS + beyond }, () => chunk(5, 1, 3)))
    expect(stage.offsets.length).toBe(Math.min(MAX_WAITING_CHUNKS, 1 + MAX_WAITING_CHUNKS + beyond))
  })

  it('takes nothing after it was closed, and leaves what came to the store', async () => {
    const stage = new Stage()
    await stage.take(chunk(5, 1, 0))
    stage.reception.close()
    await stage.take(chunk(5, 1, 1))
    await stage.reception.idle()
    expect(stage.offsets).toEqual([1])
    await stage.store.close()
    const { meta, digest, sizeBytes } = chunk(5, 1, 0).message
    expect((await stage.store.create(meta, { digest, sizeBytes })).writtenBytes).toBe(1)
  })
})
