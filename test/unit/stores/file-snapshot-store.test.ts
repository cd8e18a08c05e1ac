// What the file store promises beyond the contract of SnapshotStore: what a crash leaves, what damage does, which files
// lie in the directory afterwards.
import { mkdtemp, readdir, readFile, rm, truncate, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { sha256 } from '../../../src/codec/sha256.js'
import { FileSnapshotStore } from '../../../src/stores/files/index.js'
import { encodeHeader, FIXED_HEADER_BYTES } from '../../../src/stores/files/snapshot-header.js'
import { collect, contentOf, metaAt, writeAll } from '../../../src/testing/snapshot-bench.js'

let directory = ''
beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'helios-snapshots-'))
})
afterEach(() => rm(directory, { recursive: true, force: true }))

const make = () => new FileSnapshotStore({ directory })
const rejection = async (promise: Promise<unknown>) =>
  await promise.then(
    () => 'resolved',
    (error: unknown) => error,
  )
const names = async () => (await readdir(directory)).sort()
const nameAt = (index: number, sequence: number) =>
  `snapshot-${String(index).padStart(16, '0')}-${String(sequence).padStart(16, '0')}.snap`

async function commit(store: FileSnapshotStore, index: number, content: Uint8Array) {
  const sink = await store.create(metaAt(index))
  await writeAll(sink, content)
  return await sink.commit()
}

describe('FileSnapshotStore directory', () => {
  test('holds the latest snapshot and nothing else after commits and aborts', async () => {
    const store = make()
    await commit(store, 5, contentOf(100, 1))
    await commit(store, 9, contentOf(100, 2))
    await commit(store, 7, contentOf(100, 3))
    await (await store.create(metaAt(12))).abort()
    expect(await names()).toEqual([nameAt(9, 2)])
  })

  test('a replaced snapshot goes with its last reader', async () => {
    const store = make()
    const old = await commit(store, 5, contentOf(600_000, 1))
    const reads = [old.read()[Symbol.asyncIterator](), old.read()[Symbol.asyncIterator]()]
    for (const read of reads) await read.next()
    await commit(store, 9, contentOf(100, 2))
    expect(await names()).toEqual([nameAt(5, 1), nameAt(9, 2)])
    await reads[0]?.return?.()
    expect(await names()).toEqual([nameAt(5, 1), nameAt(9, 2)])
    await reads[1]?.return?.()
    expect(await names()).toEqual([nameAt(9, 2)])
    const error = await rejection(collect(old.read()))
    expect(error).toMatchObject({ code: 'RAFT_STALE', retryable: true })
  })

  test('of two snapshots at one index the later commit is the latest, also after a restart', async () => {
    const store = make()
    const source = { digest: sha256(contentOf(50, 2)), sizeBytes: 50 }
    const [early, late] = [await store.create(metaAt(5)), await store.create(metaAt(5), source)]
    await writeAll(late, contentOf(50, 2))
    await writeAll(early, contentOf(50, 1))
    await late.commit()
    await early.commit()
    for (const reopened of [store, make()]) {
      const latest = await reopened.latest()
      expect(await collect(latest?.read() ?? nothing())).toEqual(contentOf(50, 1))
    }
  })

  test('temporary files that a crash left are removed, snapshots and foreign files are not', async () => {
    await commit(make(), 5, contentOf(100, 1))
    await writeFile(join(directory, 'local-0b9d9a3e-0000-4000-8000-000000000000.tmp'), 'half')
    await writeFile(join(directory, 'notes.txt'), 'mine')
    expect((await make().latest())?.meta.lastIncludedIndex).toBe(5)
    expect(await names()).toEqual(['notes.txt', nameAt(5, 1)])
  })

  test('a crash between rename and the removal of the older one leaves the newer one the latest', async () => {
    await commit(make(), 5, contentOf(100, 1))
    const older = await readFile(join(directory, nameAt(5, 1)))
    const store = make()
    await commit(store, 9, contentOf(100, 2))
    await writeFile(join(directory, nameAt(5, 1)), older)
    const reopened = make()
    expect((await reopened.latest())?.meta.lastIncludedIndex).toBe(9)
    await commit(reopened, 10, contentOf(100, 3))
    expect(await names()).toEqual([nameAt(10, 3)])
  })

  test('keeps one partial at most, over close, and none after another transfer began (F28)', async () => {
    const store = make()
    const [one, two] = [contentOf(1000, 1), contentOf(1000, 2)]
    const first = await store.create(metaAt(9), { digest: sha256(one), sizeBytes: 1000 })
    await first.write(one.subarray(0, 400))
    await store.create(metaAt(3))
    await store.close()
    expect(await names()).toHaveLength(1)
    const again = await store.create(metaAt(9), { digest: sha256(one), sizeBytes: 1000 })
    expect(again.writtenBytes).toBe(400)
    await store.close()
    await store.create(metaAt(9), { digest: sha256(two), sizeBytes: 1000 })
    expect(await names()).toEqual([`received-${Buffer.from(sha256(two)).toString('hex')}.partial`])
    await store.close()
  })

  test('removes at the next start a partial that the newest snapshot has overtaken, and keeps one beyond it (F28)', async () => {
    const content = contentOf(1000, 1)
    const source = { digest: sha256(content), sizeBytes: 1000 }
    const partial = `received-${Buffer.from(source.digest).toString('hex')}.partial`
    for (const [index, kept] of [
      [8, false],
      [9, false],
      [10, true],
    ] as const) {
      const store = make()
      const sink = await store.create(metaAt(index), source)
      await sink.write(content.subarray(0, 400))
      if (index === 8) await commit(store, 9, contentOf(100, 2))
      await store.close()
      expect(await names()).toContain(partial)
      expect((await store.latest())?.meta.lastIncludedIndex).toBe(9)
      expect((await names()).includes(partial)).toBe(kept)
      expect(await names()).toContain(nameAt(9, 1))
      await store.close()
    }
    const last = make()
    expect((await last.create(metaAt(10), source)).writtenBytes).toBe(400)
    await last.close()
  })

  test('removes a partial whose header is torn, and leaves one of a newer release alone', async () => {
    const content = contentOf(1000, 1)
    const store = make()
    const sink = await store.create(metaAt(9), { digest: sha256(content), sizeBytes: 1000 })
    await sink.write(content)
    await store.close()
    const [name = ''] = await names()
    const bytes = await readFile(join(directory, name))
    bytes[4] = 2
    await writeFile(join(directory, name), bytes)
    expect(await store.latest()).toBeNull()
    await store.close()
    expect(await names()).toEqual([name])
    await truncate(join(directory, name), FIXED_HEADER_BYTES - 1)
    expect(await store.latest()).toBeNull()
    await store.close()
    expect(await names()).toEqual([])
  })

  test('a partial whose rest is damaged is dropped at commit and begun anew', async () => {
    const content = contentOf(1000, 1)
    const source = { digest: sha256(content), sizeBytes: 1000 }
    const store = make()
    const sink = await store.create(metaAt(9), source)
    await sink.write(content.subarray(0, 400))
    await store.close()
    const [name = ''] = await names()
    const bytes = await readFile(join(directory, name))
    await writeFile(join(directory, name), Buffer.concat([bytes, Buffer.alloc(100)]))
    const again = await store.create(metaAt(9), source)
    expect(again.writtenBytes).toBe(500)
    await again.write(content.subarray(500))
    expect(await rejection(again.commit())).toMatchObject({ code: 'RAFT_CORRUPTION' })
    expect(await names()).toEqual([])
  })

  test('a partial that is longer than what was announced is begun anew', async () => {
    const content = contentOf(1000, 1)
    const source = { digest: sha256(content), sizeBytes: 1000 }
    const store = make()
    const sink = await store.create(metaAt(9), source)
    await sink.write(content)
    await store.close()
    const [name = ''] = await names()
    const bytes = await readFile(join(directory, name))
    await writeFile(join(directory, name), Buffer.concat([bytes, Buffer.alloc(100)]))
    const again = await store.create(metaAt(9), source)
    expect(again.writtenBytes).toBe(0)
    await again.write(content)
    await again.commit()
    expect(await collect((await make().latest())?.read() ?? nothing())).toEqual(content)
  })

  test('a second sink of the same kind is refused, also when both calls come at once (H56)', async () => {
    const store = make()
    const source = { digest: sha256(new Uint8Array()), sizeBytes: 0 }
    for (const sources of [undefined, source]) {
      const calls = await Promise.allSettled([store.create(metaAt(1), sources), store.create(metaAt(1), sources)])
      expect(calls.map((call) => call.status)).toEqual(['fulfilled', 'rejected'])
      expect(calls[1]).toMatchObject({ reason: { code: 'RAFT_INVARIANT' } })
    }
    await store.close()
  })
})

describe('FileSnapshotStore damage', () => {
  test('any bit turned in the newest file is RAFT_CORRUPTION at latest() or read(), and nothing is deleted (H60)', async () => {
    await commit(make(), 5, contentOf(40, 1))
    const path = join(directory, nameAt(5, 1))
    const intact = await readFile(path)
    for (let bit = 0; bit < intact.length * 8; bit++) {
      const bytes = Buffer.from(intact)
      bytes.writeUInt8(bytes.readUInt8(bit >> 3) ^ (1 << (bit & 7)), bit >> 3)
      await writeFile(path, bytes)
      const store = make()
      const reading = async () => await collect((await store.latest())?.read() ?? nothing())
      const error = await rejection(reading())
      // A turned bit in the version byte can't be told from a newer release.
      const code = bit >> 3 === 4 ? 'RAFT_VERSION' : 'RAFT_CORRUPTION'
      expect(error, `bit ${bit}`).toMatchObject({ code })
      expect(String(error)).toContain(path)
      expect(await readFile(path)).toEqual(bytes)
      await store.close()
    }
  }, 120_000)

  test('a truncated or lengthened newest file is RAFT_CORRUPTION at latest(), and no older one takes its place', async () => {
    await commit(make(), 5, contentOf(3000, 1))
    const older = await readFile(join(directory, nameAt(5, 1)))
    await commit(make(), 9, contentOf(3000, 2))
    await writeFile(join(directory, nameAt(5, 1)), older)
    const path = join(directory, nameAt(9, 2))
    const { length } = await readFile(path)
    for (const size of [length + 1, length - 1, length - 3000, FIXED_HEADER_BYTES + 5, FIXED_HEADER_BYTES, 10, 0]) {
      await truncate(path, size)
      expect(await rejection(make().latest()), `${size} bytes`).toMatchObject({ code: 'RAFT_CORRUPTION' })
      expect(await names()).toEqual([nameAt(5, 1), nameAt(9, 2)])
    }
  })

  test('damaged content is found by a read from any offset, before the last chunk', async () => {
    await commit(make(), 5, contentOf(1_000_000, 1))
    const path = join(directory, nameAt(5, 1))
    const bytes = await readFile(path)
    bytes.writeUInt8(bytes.readUInt8(bytes.length - 999_000) ^ 1, bytes.length - 999_000)
    await writeFile(path, bytes)
    const snapshot = await make().latest()
    for (const offset of [0, 500_000, 999_999]) {
      let received = 0
      const reading = async () => {
        for await (const chunk of snapshot?.read(offset) ?? nothing()) received += chunk.byteLength
      }
      expect(await rejection(reading()), `from ${offset}`).toMatchObject({ code: 'RAFT_CORRUPTION' })
      expect(received).toBeLessThan(1_000_000 - offset)
    }
  })

  test('an intact file under the name of another index is RAFT_CORRUPTION', async () => {
    await commit(make(), 5, contentOf(100, 1))
    await writeFile(join(directory, nameAt(8, 2)), await readFile(join(directory, nameAt(5, 1))))
    const error = await rejection(make().latest())
    expect(error).toMatchObject({ code: 'RAFT_CORRUPTION' })
    expect(String(error)).toContain('it is the snapshot of index 5')
  })

  test('a file that was never completed is RAFT_CORRUPTION, whatever its name says', async () => {
    const content = contentOf(10, 1)
    const header = encodeHeader({ meta: metaAt(5), sizeBytes: 10, digest: sha256(content), complete: false })
    await writeFile(join(directory, nameAt(5, 1)), Buffer.concat([header, content]))
    const error = await rejection(make().latest())
    expect(error).toMatchObject({ code: 'RAFT_CORRUPTION' })
    expect(String(error)).toContain('it was never completed')
  })

  test('damage of an older file disturbs nothing', async () => {
    await commit(make(), 9, contentOf(100, 1))
    await writeFile(join(directory, nameAt(5, 7)), 'rubbish')
    expect((await make().latest())?.meta.lastIncludedIndex).toBe(9)
  })
})

describe('FileSnapshotStore misuse', () => {
  test('names what is wrong with an option, a meta, a source or an offset', async () => {
    expect(() => new FileSnapshotStore({ directory: '' })).toThrow('give the path of a directory')
    const store = make()
    const meta = metaAt(5)
    const digest = new Uint8Array(32)
    const calls: readonly (readonly [Promise<unknown>, string])[] = [
      [store.create({ ...meta, lastIncludedIndex: 1.5 }), 'lastIncludedIndex is 1.5'],
      [store.create({ ...meta, configuration: undefined as never }), 'no list of members'],
      [store.create(meta, { digest: new Uint8Array(31), sizeBytes: 1 }), 'a digest of 31 bytes'],
      [store.create(meta, { digest, sizeBytes: -1 }), 'a size of -1 bytes'],
    ]
    for (const [call, message] of calls) {
      const error = await rejection(call)
      expect(error).toMatchObject({ code: 'RAFT_INVARIANT' })
      expect(String(error)).toContain(message)
    }
    const snapshot = await commit(store, 5, contentOf(10, 1))
    expect(() => snapshot.read(11)).toThrow("A snapshot of 10 bytes can't be read from offset 11")
  })

  test('a meta above the limit is RAFT_TOO_LARGE and takes no place', async () => {
    const store = make()
    const member = { id: 'a', address: 'x'.repeat(1024 * 1024), suffrage: 'voter' as const }
    const meta = { ...metaAt(5), configuration: { members: [member], votersOutgoing: [] } }
    expect(await rejection(store.create(meta))).toMatchObject({ code: 'RAFT_TOO_LARGE' })
    await commit(store, 5, contentOf(10, 1))
  })

  test('an ended sink refuses writes and commits', async () => {
    const store = make()
    const sink = await store.create(metaAt(5))
    await sink.commit()
    expect(await rejection(sink.write(new Uint8Array(1)))).toMatchObject({ code: 'RAFT_STOPPED' })
    expect(await rejection(sink.commit())).toMatchObject({ code: 'RAFT_STOPPED' })
    const other = await store.create(metaAt(6))
    await store.close()
    expect(await rejection(other.write(new Uint8Array(1)))).toMatchObject({ code: 'RAFT_STOPPED' })
    expect(await names()).toEqual([nameAt(5, 1)])
  })

  test('a commit that the disk refuses is RAFT_STORAGE, ends the sink and shows nothing (H78)', async () => {
    const store = make()
    const sink = await store.create(metaAt(5))
    await sink.write(new Uint8Array(100))
    await rm(directory, { recursive: true })
    expect(await rejection(sink.commit())).toMatchObject({ code: 'RAFT_STORAGE', outcome: 'unknown' })
    expect(await rejection(sink.commit())).toMatchObject({ code: 'RAFT_STOPPED' })
    expect(await store.latest()).toBeNull()
    expect(await rejection(store.create(metaAt(5)))).toMatchObject({ code: 'RAFT_STORAGE' })
  })

  test('a read that runs while the store is closed ends with RAFT_STOPPED', async () => {
    const store = make()
    const snapshot = await commit(store, 5, contentOf(600_000, 1))
    const read = snapshot.read()[Symbol.asyncIterator]()
    await read.next()
    await store.close()
    expect(await rejection(read.next())).toMatchObject({ code: 'RAFT_STOPPED' })
  })
})

async function* nothing(): AsyncGenerator<Uint8Array> {
  // No snapshot: nothing to read.
}
