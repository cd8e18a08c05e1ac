// The snapshot store of one incarnation on a simulated disk: everything takes its time and meets the faults of the disk,
// and nothing reaches a process that is dead. Keeps nothing itself.
import { isRaftError } from '../errors.js'
import type { SnapshotSink, SnapshotStore, StoredSnapshot } from '../interfaces/snapshot-store.js'
import type { SnapshotMeta } from '../interfaces/state-machine.js'
import type { SnapshotSource } from '../stores/snapshot-rules.js'
import type { ProcessGate } from './process-gate.js'
import type { VirtualDisk } from './virtual-disk.js'

/** How one incarnation reaches its disk. */
interface Access {
  readonly disk: VirtualDisk
  readonly gate: ProcessGate
  readonly onMisuse: (problem: string) => void
}

export class VirtualSnapshotStore implements SnapshotStore {
  readonly #access: Access

  constructor(access: Access) {
    this.#access = access
  }

  async create(meta: SnapshotMeta, source?: SnapshotSource): Promise<SnapshotSink> {
    const { disk, gate, onMisuse } = this.#access
    try {
      const sink = await disk.later(gate, () => disk.snapshots.medium.create(meta, source))
      return new VirtualSink(this.#access, sink)
    } catch (error) {
      if (isRaftError(error, 'RAFT_INVARIANT')) onMisuse(`create: ${error.message}`)
      throw error
    }
  }

  async latest(): Promise<StoredSnapshot | null> {
    const { disk, gate } = this.#access
    // A directory without a snapshot is known at once.
    if (disk.snapshots.latestIndex === 0) return null
    const latest = await disk.later(gate, () => disk.snapshots.medium.latest())
    if (latest === null) return null
    // Either its head is damaged, or what is behind.
    const damage = disk.random.chance(0.5) ? disk.snapshots.damageOf(latest) : null
    if (damage !== null) throw damage
    return new VirtualStoredSnapshot(this.#access, latest)
  }

  async close(): Promise<void> {
    const { disk, gate } = this.#access
    if (!gate.isDead) await disk.snapshots.medium.close()
  }
}

class VirtualSink implements SnapshotSink {
  readonly #access: Access
  readonly #inner: SnapshotSink

  constructor(access: Access, inner: SnapshotSink) {
    this.#access = access
    this.#inner = inner
  }

  get writtenBytes(): number {
    return this.#inner.writtenBytes
  }

  write(chunk: Uint8Array): Promise<void> {
    const { disk, gate } = this.#access
    // It is the caller's own, and is used again as soon as this resolves (H96).
    return disk.snapshots.change(gate, () => this.#inner.write(chunk), false)
  }

  async commit(): Promise<StoredSnapshot> {
    const { disk, gate } = this.#access
    const { medium } = disk.snapshots
    const act = async (): Promise<StoredSnapshot> => {
      const stored = await this.#inner.commit()
      // Or else it was wiped while a crash still let it land.
      if (medium === disk.snapshots.medium) disk.snapshots.committed(stored)
      return stored
    }
    return new VirtualStoredSnapshot(this.#access, await disk.snapshots.change(gate, act, true))
  }

  abort(): Promise<void> {
    const { disk, gate } = this.#access
    return disk.later(gate, () => this.#inner.abort())
  }
}

class VirtualStoredSnapshot implements StoredSnapshot {
  readonly meta: SnapshotMeta
  readonly sizeBytes: number
  readonly #access: Access
  readonly #inner: StoredSnapshot

  constructor(access: Access, inner: StoredSnapshot) {
    this.meta = inner.meta
    this.sizeBytes = inner.sizeBytes
    this.#access = access
    this.#inner = inner
  }

  get digest(): Uint8Array {
    return this.#inner.digest
  }

  read(fromOffset?: number): AsyncIterable<Uint8Array> {
    return this.#chunks(this.#inner.read(fromOffset))
  }

  /** Damage is known when all is read, and the digest is not that of the whole. */
  async *#chunks(chunks: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
    const { disk, gate } = this.#access
    const damage = disk.snapshots.damageOf(this.#inner)
    for await (const chunk of chunks) {
      if (damage !== null && chunk.length > 0) chunk[0] = (chunk[0] as number) ^ 0x10
      yield await disk.later(gate, () => chunk)
    }
    if (damage !== null) throw damage
  }
}
