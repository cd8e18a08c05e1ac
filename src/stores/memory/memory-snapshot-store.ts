// A SnapshotStore that lasts as long as its process; its partials too survive `close`, as those of a disk would. The
// digest is computed in plain JavaScript: in a browser and in virtual time there is no other that answers at once.
// Never hands out or keeps memory of its caller. Sources: F28, F29, H61 (content stays in chunks, no doubling).
import { Sha256 } from '../../codec/sha256.js'
import type { SnapshotSink, SnapshotStore, StoredSnapshot } from '../../interfaces/snapshot-store.js'
import type { SnapshotMeta } from '../../interfaces/state-machine.js'
import {
  canonicalMeta,
  type SnapshotSource,
  checkMeta,
  checkOffset,
  checkSource,
  damagedSource,
  equalBytes,
  excessBytes,
  openSink,
  spentSink,
} from '../snapshot-rules.js'

interface Content {
  readonly chunks: Uint8Array[]
  sizeBytes: number
}

/** What was received of a snapshot that isn't committed; one at a time. */
interface Partial extends Content {
  readonly metaKey: string
  readonly digest: Uint8Array
  readonly expectedBytes: number
}

/** Snapshots in memory, for tests, examples and browsers. Holds the latest one; older ones live as long as their readers. */
export class MemorySnapshotStore implements SnapshotStore {
  #latest: StoredSnapshot | null = null
  #partial: Partial | null = null
  readonly #openSinks: Map<'local' | 'received', MemorySink> = new Map()

  /** Rejects with RAFT_INVARIANT while another sink of that kind is open, or when meta or source can't be. */
  async create(meta: SnapshotMeta, source?: SnapshotSource): Promise<SnapshotSink> {
    checkMeta(meta)
    if (source !== undefined) checkSource(source)
    const kind = source === undefined ? 'local' : 'received'
    if (this.#openSinks.has(kind)) throw openSink(kind)
    const ownMeta = structuredClone(meta)
    const content = source === undefined ? { chunks: [], sizeBytes: 0 } : this.#resume(ownMeta, source)
    const sink = new MemorySink(content, source, {
      committed: (digest) => this.#commit(ownMeta, content, digest),
      ended: (keepPartial) => {
        if (this.#openSinks.get(kind) === sink) this.#openSinks.delete(kind)
        if (kind === 'received' && !keepPartial && this.#partial === content) this.#partial = null
      },
    })
    this.#openSinks.set(kind, sink)
    return sink
  }

  async latest(): Promise<StoredSnapshot | null> {
    return this.#latest
  }

  /** Ends the open sinks; what they received is kept for the next `create`. The store may be used again afterwards. */
  async close(): Promise<void> {
    for (const sink of this.#openSinks.values()) sink.end()
    this.#openSinks.clear()
  }

  #resume(meta: SnapshotMeta, source: SnapshotSource): Content {
    const metaKey = canonicalMeta(meta)
    const partial = this.#partial
    const same =
      partial !== null &&
      partial.metaKey === metaKey &&
      partial.expectedBytes === source.sizeBytes &&
      equalBytes(partial.digest, source.digest)
    if (same) return partial
    const digest = new Uint8Array(source.digest)
    this.#partial = { chunks: [], sizeBytes: 0, metaKey, digest, expectedBytes: source.sizeBytes }
    return this.#partial
  }

  #commit(meta: SnapshotMeta, content: Content, digest: Uint8Array): StoredSnapshot {
    const stored = new MemorySnapshot(meta, content, digest)
    // A slower, older one may end after a newer one (H119); of two at one index the later commit counts.
    const newest = this.#latest?.meta.lastIncludedIndex ?? 0
    if (this.#latest === null || meta.lastIncludedIndex >= newest) this.#latest = stored
    return stored
  }
}

interface SinkOwner {
  committed(digest: Uint8Array): StoredSnapshot
  ended(keepPartial: boolean): void
}

class MemorySink implements SnapshotSink {
  readonly #content: Content
  readonly #source: SnapshotSource | undefined
  readonly #owner: SinkOwner
  readonly #hash: Sha256 = new Sha256()
  #ended = false

  constructor(content: Content, source: SnapshotSource | undefined, owner: SinkOwner) {
    this.#content = content
    this.#source = source
    this.#owner = owner
    for (const chunk of content.chunks) this.#hash.update(chunk)
  }

  get writtenBytes(): number {
    return this.#content.sizeBytes
  }

  async write(chunk: Uint8Array): Promise<void> {
    if (this.#ended) throw spentSink('write')
    const sizeBytes = this.#content.sizeBytes + chunk.byteLength
    if (this.#source !== undefined && sizeBytes > this.#source.sizeBytes) throw excessBytes(sizeBytes, this.#source)
    this.#content.chunks.push(new Uint8Array(chunk))
    this.#content.sizeBytes = sizeBytes
    this.#hash.update(chunk)
  }

  async commit(): Promise<StoredSnapshot> {
    if (this.#ended) throw spentSink('commit')
    this.#ended = true
    this.#owner.ended(false)
    const digest = this.#hash.digest()
    const { sizeBytes } = this.#content
    if (this.#source !== undefined) {
      const damage = damagedSource({ sizeBytes, digest }, this.#source)
      if (damage !== null) throw damage
    }
    return this.#owner.committed(digest)
  }

  async abort(): Promise<void> {
    if (this.#ended) return
    this.#ended = true
    this.#owner.ended(false)
  }

  /** The store was closed: nothing more is taken, what came stays. */
  end(): void {
    this.#ended = true
    this.#owner.ended(true)
  }
}

class MemorySnapshot implements StoredSnapshot {
  readonly meta: SnapshotMeta
  readonly sizeBytes: number
  readonly #chunks: readonly Uint8Array[]
  readonly #digest: Uint8Array

  constructor(meta: SnapshotMeta, content: Content, digest: Uint8Array) {
    this.meta = meta
    this.sizeBytes = content.sizeBytes
    this.#chunks = content.chunks
    this.#digest = digest
  }

  get digest(): Uint8Array {
    return new Uint8Array(this.#digest)
  }

  read(fromOffset: number = 0): AsyncIterable<Uint8Array> {
    checkOffset(fromOffset, this.sizeBytes)
    return chunksFrom(this.#chunks, fromOffset)
  }
}

async function* chunksFrom(chunks: readonly Uint8Array[], fromOffset: number): AsyncGenerator<Uint8Array> {
  let position = 0
  for (const chunk of chunks) {
    const skipped = Math.max(0, fromOffset - position)
    position += chunk.byteLength
    if (skipped < chunk.byteLength) yield new Uint8Array(chunk.subarray(skipped))
  }
}
