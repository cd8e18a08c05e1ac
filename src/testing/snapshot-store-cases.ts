// The rules of SnapshotStore, one case each, in the words of its contract. Sources: interfaces/snapshot-store.ts, F28,
// F29, F30, hazards H53, H56, H60, H96, H119.
import { sha256 } from '../codec/sha256.js'
import { type ConformanceCase, expectEqual, expectRejection, expectThat } from './conformance.js'
import {
  collect,
  contentOf,
  expectSame,
  expectSnapshot,
  metaAt,
  type SnapshotBench,
  writeAll,
} from './snapshot-bench.js'

type Case = ConformanceCase<SnapshotBench>

const MIB = 1024 * 1024

const committing: readonly Case[] = [
  {
    name: 'a new store has no snapshot',
    body: async (bench) => {
      const store = await bench.open()
      expectEqual(await store.latest(), null, 'latest() of a new store')
      await store.close()
      await store.close()
    },
  },
  {
    name: 'nothing is visible until commit resolves',
    body: async (bench) => {
      const store = await bench.open()
      const content = contentOf(100_000, 1)
      const sink = await store.create(metaAt(10))
      expectEqual(sink.writtenBytes, 0, 'writtenBytes of a new sink')
      await writeAll(sink, content)
      expectEqual(sink.writtenBytes, 100_000, 'writtenBytes after 100,000 bytes')
      expectEqual(await store.latest(), null, 'latest() before the commit')
      await expectSnapshot(await sink.commit(), { index: 10, content, what: 'the result of commit' })
      await bench.expectLatest(10, content, 'latest() after the commit')
    },
  },
  {
    name: 'a snapshot without content is one',
    body: async (bench) => {
      await bench.open()
      await bench.commit(3, new Uint8Array())
      await bench.expectLatest(3, new Uint8Array(), 'an empty snapshot')
      await bench.crash()
      await bench.expectLatest(3, new Uint8Array(), 'an empty snapshot after a crash')
    },
  },
  {
    name: 'meta, content and digest survive a crash as soon as commit resolves (H53)',
    body: async (bench) => {
      await bench.open()
      const content = contentOf(3 * MIB + 17, 2)
      await bench.commit(2 ** 52, content)
      await bench.crash()
      await bench.expectLatest(2 ** 52, content, 'the snapshot after a crash')
    },
  },
  {
    name: 'a crash half way leaves the previous snapshot the latest (H53)',
    body: async (bench) => {
      await bench.open()
      const content = contentOf(5000, 3)
      await bench.commit(5, content)
      const sink = await bench.store.create(metaAt(9))
      await writeAll(sink, contentOf(5000, 4))
      await bench.crash()
      await bench.expectLatest(5, content, 'latest() after a crash before the commit')
      const next = contentOf(10, 5)
      await bench.commit(9, next)
      await bench.expectLatest(9, next, 'the snapshot that was begun again')
    },
  },
  {
    name: 'abort leaves nothing, is idempotent, and does nothing after commit',
    body: async (bench) => {
      const store = await bench.open()
      const sink = await store.create(metaAt(4))
      await writeAll(sink, contentOf(1000, 1))
      await sink.abort()
      await sink.abort()
      expectEqual(await store.latest(), null, 'latest() after an abort')
      const content = contentOf(1000, 2)
      const second = await store.create(metaAt(4))
      await writeAll(second, content)
      await second.commit()
      await second.abort()
      await bench.expectLatest(4, content, 'latest() after an abort behind the commit')
    },
  },
  {
    name: 'one local and one received sink may be open at a time, and their bytes never mix (H56)',
    body: async (bench) => {
      const store = await bench.open()
      const [own, other] = [contentOf(90_000, 1), contentOf(80_000, 2)]
      const local = await store.create(metaAt(10))
      const received = await store.create(metaAt(20), { digest: sha256(other), sizeBytes: other.byteLength })
      for (let offset = 0; offset < 90_000; offset += 10_000) {
        await local.write(own.subarray(offset, offset + 10_000))
        if (offset < 80_000) await received.write(other.subarray(offset, offset + 10_000))
      }
      await local.commit()
      await bench.expectLatest(10, own, 'the local snapshot')
      await received.commit()
      await bench.expectLatest(20, other, 'the received snapshot')
    },
  },
]

const choosing: readonly Case[] = [
  {
    name: 'latest is the highest lastIncludedIndex, whatever the order of the commits (H119)',
    body: async (bench) => {
      await bench.open()
      const [newer, older] = [contentOf(2000, 1), contentOf(3000, 2)]
      const slow = await bench.store.create(metaAt(10))
      await writeAll(slow, older)
      const fast = await bench.store.create(metaAt(30), { digest: sha256(newer), sizeBytes: newer.byteLength })
      await writeAll(fast, newer)
      await fast.commit()
      await slow.commit()
      await bench.expectLatest(30, newer, 'latest() after an older snapshot was committed')
      await bench.crash()
      await bench.expectLatest(30, newer, 'latest() after a crash')
      await bench.commit(31, older)
      await bench.expectLatest(31, older, 'latest() after a newer snapshot')
    },
  },
  {
    name: 'indexes are compared as numbers, not as texts (H83)',
    body: async (bench) => {
      await bench.open()
      for (const index of [9, 10, 99, 100, 2 ** 32 - 1, 2 ** 32, 2 ** 48]) {
        await bench.commit(index, contentOf(100, index % 256))
        await bench.expectLatest(index, contentOf(100, index % 256), `latest() after index ${index}`)
      }
      await bench.restart()
      await bench.expectLatest(2 ** 48, contentOf(100, 0), 'latest() after a restart')
    },
  },
  {
    name: 'read begins at any offset',
    body: async (bench) => {
      await bench.open()
      const content = contentOf(700_001, 6)
      const snapshot = await bench.commit(8, content)
      for (const offset of [0, 1, 65_535, 262_144, 262_145, 700_000, 700_001]) {
        const found = await collect(snapshot.read(offset))
        expectSame(found, content.subarray(offset), `read(${offset})`)
      }
    },
  },
  {
    name: 'a running read stays valid after newer commits',
    body: async (bench) => {
      const store = await bench.open()
      const content = contentOf(2 * MIB, 7)
      await bench.commit(5, content)
      const running = (await store.latest())?.read()[Symbol.asyncIterator]()
      if (running === undefined) throw new Error('latest() is null after a commit')
      const first = await running.next()
      await bench.commit(6, contentOf(10, 8))
      await bench.commit(7, contentOf(20, 9))
      await bench.expectLatest(7, contentOf(20, 9), 'latest() beside a running read')
      const rest = await collect({ [Symbol.asyncIterator]: () => running })
      const found = await collect(chunksOf(first.done === true ? new Uint8Array() : first.value, rest))
      expectSame(found, content, 'the read that ran while newer snapshots were committed')
      await bench.expectLatest(7, contentOf(20, 9), 'latest() after the read')
    },
  },
  {
    name: 'several reads of one snapshot run side by side, and one may end early',
    body: async (bench) => {
      await bench.open()
      const content = contentOf(MIB, 10)
      const snapshot = await bench.commit(5, content)
      for await (const chunk of snapshot.read()) {
        expectThat(chunk.byteLength > 0, 'a read yielded an empty chunk')
        break
      }
      const found = await Promise.all([collect(snapshot.read()), collect(snapshot.read(500_000))])
      expectSame(found[0], content, 'the first of two reads')
      expectSame(found[1], content.subarray(500_000), 'the second of two reads')
    },
  },
]

const receiving: readonly Case[] = [
  {
    name: 'a received snapshot of another digest is refused by RAFT_CORRUPTION and replaces nothing (H60)',
    body: async (bench) => {
      await bench.open()
      const [old, wanted] = [contentOf(500, 1), contentOf(60_000, 2)]
      await bench.commit(5, old)
      const source = { digest: sha256(wanted), sizeBytes: wanted.byteLength }
      const sink = await bench.store.create(metaAt(9), source)
      const damaged = wanted.slice()
      damaged[30_000] = (damaged[30_000] ?? 0) ^ 1
      await writeAll(sink, damaged)
      await expectRejection(sink.commit(), 'commit of damaged content', 'RAFT_CORRUPTION')
      await bench.expectLatest(5, old, 'latest() after the refusal')
      await bench.crash()
      await bench.expectLatest(5, old, 'latest() after the refusal and a crash')
      const again = await bench.store.create(metaAt(9), source)
      expectEqual(again.writtenBytes, 0, 'writtenBytes after damaged content was refused')
      await writeAll(again, wanted)
      await again.commit()
      await bench.expectLatest(9, wanted, 'the snapshot that was fetched again')
    },
  },
  {
    name: 'a received snapshot of another size is refused by RAFT_CORRUPTION (H91)',
    body: async (bench) => {
      await bench.open()
      const content = contentOf(1000, 3)
      const source = { digest: sha256(content), sizeBytes: 1000 }
      const short = await bench.store.create(metaAt(9), source)
      await short.write(content.subarray(0, 999))
      await expectRejection(short.commit(), 'commit of 999 bytes of 1000', 'RAFT_CORRUPTION')
      const long = await bench.store.create(metaAt(9), source)
      const writing = async () => {
        await long.write(content)
        await long.write(new Uint8Array(1))
        await long.commit()
      }
      await expectRejection(writing(), 'byte 1001 of 1000, or its commit', 'RAFT_CORRUPTION')
      await long.abort()
      expectEqual(await bench.store.latest(), null, 'latest() after the refusals')
    },
  },
  {
    name: 'a partial of the same meta and digest goes on where it was after a restart or a crash (F28)',
    body: async (bench) => {
      await bench.open()
      const content = contentOf(400_000, 4)
      const source = { digest: sha256(content), sizeBytes: content.byteLength }
      let sink = await bench.store.create(metaAt(9), source)
      await sink.write(content.subarray(0, 250_000))
      for (const again of ['restart', 'crash'] as const) {
        await bench[again]()
        sink = await bench.store.create(metaAt(9), source)
        const { writtenBytes } = sink
        expectThat(writtenBytes >= 0 && writtenBytes <= 300_000, `writtenBytes after a ${again} is ${writtenBytes}`)
        await sink.write(content.subarray(writtenBytes, 300_000))
      }
      await writeAll(sink, content, 300_000)
      await sink.commit()
      await bench.expectLatest(9, content, 'the snapshot that was received in parts')
    },
  },
  {
    name: 'a partial of another digest, meta or size is not continued (H56)',
    body: async (bench) => {
      await bench.open()
      const content = contentOf(50_000, 5)
      const source = { digest: sha256(content), sizeBytes: content.byteLength }
      const others = [
        { meta: metaAt(9), source: { digest: sha256(contentOf(50_000, 6)), sizeBytes: 50_000 } },
        { meta: metaAt(8), source },
        { meta: metaAt(9), source: { ...source, sizeBytes: 49_999 } },
      ]
      for (const other of others) {
        const wrong = await bench.store.create(other.meta, other.source)
        await wrong.write(contentOf(20_000, 7))
        await bench.restart()
        const sink = await bench.store.create(metaAt(9), source)
        expectEqual(sink.writtenBytes, 0, 'writtenBytes beside a partial of another snapshot')
        await sink.abort()
      }
      const sink = await bench.store.create(metaAt(9), source)
      await writeAll(sink, content)
      await sink.commit()
      await bench.expectLatest(9, content, 'the snapshot after all')
    },
  },
  {
    name: 'an aborted transfer is forgotten',
    body: async (bench) => {
      await bench.open()
      const content = contentOf(5000, 8)
      const source = { digest: sha256(content), sizeBytes: content.byteLength }
      const sink = await bench.store.create(metaAt(9), source)
      await sink.write(content.subarray(0, 3000))
      await sink.abort()
      const again = await bench.store.create(metaAt(9), source)
      expectEqual(again.writtenBytes, 0, 'writtenBytes after an abort')
      await again.abort()
    },
  },
]

async function* chunksOf(...chunks: readonly Uint8Array[]): AsyncGenerator<Uint8Array> {
  yield* chunks
}

/** Every rule. */
export const SNAPSHOT_STORE_CASES: readonly Case[] = [...committing, ...choosing, ...receiving]
