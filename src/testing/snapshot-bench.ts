// What the cases of the snapshot store suite are written with: a store under test that can be restarted or crashed,
// metas and content to fill it. Ends every store that it began.
import { sha256 } from '../codec/sha256.js'
import type { LogIndex } from '../core/types.js'
import type { SnapshotSink, SnapshotStore, StoredSnapshot } from '../interfaces/snapshot-store.js'
import type { SnapshotMeta } from '../interfaces/state-machine.js'
import { expectEqual, expectThat, type StoreFactory } from './conformance.js'

/** One store under test. */
export class SnapshotBench {
  readonly #factory: StoreFactory<SnapshotStore>
  #store: SnapshotStore | null = null

  constructor(factory: StoreFactory<SnapshotStore>) {
    this.#factory = factory
  }

  /** The store that is in use now. */
  get store(): SnapshotStore {
    if (this.#store === null) throw new Error('the case has no store: call open() or restart() first')
    return this.#store
  }

  async open(): Promise<SnapshotStore> {
    this.#store = await this.#factory.create()
    return this.#store
  }

  /** Closes the store and opens what it left. */
  async restart(): Promise<SnapshotStore> {
    await this.store.close()
    return await this.#reopen()
  }

  /** A power cut where the factory has one, else a restart. */
  async crash(): Promise<SnapshotStore> {
    if (this.#factory.crash === undefined) return await this.restart()
    await this.#factory.crash()
    return await this.#reopen()
  }

  /** Writes a snapshot as a local node does, in chunks of uneven size. */
  async commit(index: LogIndex, content: Uint8Array): Promise<StoredSnapshot> {
    const sink = await this.store.create(metaAt(index))
    await writeAll(sink, content)
    return await sink.commit()
  }

  /** Checks that the latest snapshot is this one, whole. */
  async expectLatest(index: LogIndex, content: Uint8Array, what: string): Promise<StoredSnapshot> {
    const latest = await this.store.latest()
    if (latest === null) throw new Error(`${what}: expected the snapshot of index ${index}, latest() is null`)
    await expectSnapshot(latest, { index, content, what })
    return latest
  }

  async finish(): Promise<void> {
    try {
      await this.#store?.close()
    } finally {
      await this.#factory.destroy?.()
    }
  }

  async #reopen(): Promise<SnapshotStore> {
    this.#store = null
    this.#store = await this.#factory.reopen()
    return this.#store
  }
}

/** Checks everything that a stored snapshot says of itself, and all of its bytes. */
export async function expectSnapshot(
  snapshot: StoredSnapshot,
  expected: { readonly index: LogIndex; readonly content: Uint8Array; readonly what: string },
): Promise<void> {
  const { index, content, what } = expected
  expectEqual(snapshot.meta, metaAt(index), `${what}: meta`)
  expectEqual(snapshot.sizeBytes, content.byteLength, `${what}: sizeBytes`)
  expectEqual(snapshot.digest, sha256(content), `${what}: digest, which must be the SHA-256 of the content`)
  expectSame(await collect(snapshot.read()), content, what)
}

/** Compares content by its bytes; says where it differs. */
export function expectSame(found: Uint8Array, wanted: Uint8Array, what: string): void {
  const { byteLength } = found
  expectThat(byteLength === wanted.byteLength, `${what}: expected ${wanted.byteLength} bytes, read ${byteLength}`)
  const at = found.findIndex((byte, i) => byte !== wanted[i])
  expectThat(at === -1, `${what}: byte ${at} is ${found[at]}, expected ${wanted[at]}`)
}

/** Everything that a read yields. */
export async function collect(chunks: AsyncIterable<Uint8Array>): Promise<Uint8Array> {
  const found: Uint8Array[] = []
  for await (const chunk of chunks) found.push(chunk)
  const whole = new Uint8Array(found.reduce((sum, chunk) => sum + chunk.byteLength, 0))
  let offset = 0
  for (const chunk of found) {
    whole.set(chunk, offset)
    offset += chunk.byteLength
  }
  return whole
}

/** Writes content from `from` on in chunks of 1, 2, 4 … 64 KiB bytes, from memory that is reused at once (H96). */
export async function writeAll(sink: SnapshotSink, content: Uint8Array, from: number = 0): Promise<void> {
  const slab = new Uint8Array(64 * 1024)
  let size = 1
  for (let offset = from; offset < content.byteLength; ) {
    const piece = content.subarray(offset, offset + size)
    slab.set(piece)
    await sink.write(slab.subarray(0, piece.byteLength))
    slab.fill(0xee)
    offset += piece.byteLength
    size = Math.min(size * 2, slab.byteLength)
  }
}

/** Content that tells its position and `salt` in every byte. */
export function contentOf(sizeBytes: number, salt: number): Uint8Array {
  const content = new Uint8Array(sizeBytes)
  for (let at = 0; at < sizeBytes; at++) content[at] = (at ^ (at >>> 8) ^ (at >>> 16) ^ salt) & 0xff
  return content
}

/** A meta with every field that there is, in joint consensus. */
export function metaAt(index: LogIndex): SnapshotMeta {
  return {
    lastIncludedIndex: index,
    lastIncludedTerm: 7,
    lastIncludedTimestamp: 1_700_000_000_000.5,
    configurationIndex: Math.max(0, index - 1),
    configuration: {
      members: [
        { id: 'a', address: '10.0.0.1:7000', suffrage: 'voter', metadata: { zone: 'nörd', __proto: 'x', '': '' } },
        { id: 'b', address: '[::1]:7000', suffrage: 'learner' },
      ],
      votersOutgoing: [{ id: 'c', address: 'c.example:1', suffrage: 'voter' }],
    },
  }
}
