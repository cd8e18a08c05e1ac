// The snapshots on one simulated disk, and how it breaks under them: what is not committed is gone with a crash, a commit
// under way happened or not, what fails may have happened all the same, and a whole one may rot (F30, H53, H60). Reads and
// writes no file by itself: that is the store's of each incarnation.
import type { LogIndex } from '../core/types.js'
import { RaftError } from '../errors.js'
import type { StoredSnapshot } from '../interfaces/snapshot-store.js'
import { MemorySnapshotStore } from '../stores/memory/index.js'
import type { ProcessGate } from './process-gate.js'
import type { VirtualDisk, VirtualDiskOptions } from './virtual-disk.js'

interface Change {
  /** What it does; it takes effect within the call. */
  readonly act: () => Promise<unknown>
  /** Whether it may have happened although a crash or a failure came first. */
  readonly mayLand: boolean
  readonly settle: (end: Promise<unknown>) => void
}

/** Survives the crashes of its node. */
export class VirtualSnapshots {
  #medium: MemorySnapshotStore = new MemorySnapshotStore()
  readonly #disk: VirtualDisk
  readonly #options: VirtualDiskOptions
  readonly #changes = new Set<Change>()
  #latest: StoredSnapshot | null = null
  #rotten: StoredSnapshot | null = null
  #isDamageFound = false

  constructor(disk: VirtualDisk, options: VirtualDiskOptions) {
    this.#disk = disk
    this.#options = options
  }

  /** What lies on the disk. A received partial is kept over a crash, as by a directory. */
  get medium(): MemorySnapshotStore {
    return this.#medium
  }

  /** Of the newest durable one; 0 for none. */
  get latestIndex(): LogIndex {
    return this.#latest?.meta.lastIncludedIndex ?? 0
  }

  /** The newest one can't be read any more. */
  get isRotten(): boolean {
    return this.#rotten !== null
  }

  /** And a store said so. */
  get isDamageFound(): boolean {
    return this.isRotten && this.#isDamageFound
  }

  /** Damages the newest one, until there is a newer; false when there is none. */
  rot(): boolean {
    this.#rotten = this.#latest
    return this.isRotten
  }

  /** @internal Why `snapshot` can't be read; null when it can. */
  damageOf(snapshot: StoredSnapshot): RaftError | null {
    if (snapshot !== this.#rotten) return null
    this.#isDamageFound = true
    this.#options.watch?.onHit?.('snapshotDamage')
    const index = snapshot.meta.lastIncludedIndex
    const message = `the simulated disk has a snapshot of index ${index} that fails its digest`
    return new RaftError('RAFT_CORRUPTION', message, { outcome: 'unknown' })
  }

  /** @internal Changes a file in the time that a write takes. */
  change<T>(gate: ProcessGate, act: () => Promise<T>, mayLand: boolean): Promise<T> {
    gate.effect()
    if (gate.isDead) return new Promise(() => {})
    return new Promise((resolve) => {
      const settle = (end: Promise<unknown>): void => gate.enter('disk', () => resolve(end as Promise<T>))
      const change = { act, mayLand, settle }
      this.#changes.add(change)
      this.#finishInTime(change)
    })
  }

  /** @internal A commit ended well. */
  committed(snapshot: StoredSnapshot): void {
    if (snapshot.meta.lastIncludedIndex >= this.latestIndex) {
      this.#latest = snapshot
      this.#rotten = null
      this.#isDamageFound = false
    }
    this.#options.watch?.onSnapshot?.(snapshot)
  }

  /** @internal What a hung disk held back goes on. */
  calm(): void {
    for (const change of this.#changes) this.#finishInTime(change)
  }

  /** @internal The machine stopped. */
  crash(): void {
    for (const change of this.#changes) this.#maybeLand(change)
    this.#changes.clear()
    void this.medium.close()
  }

  /** Nothing is left of them. */
  wipe(): void {
    this.#changes.clear()
    this.#medium = new MemorySnapshotStore()
    this.#latest = null
    this.#rotten = null
    this.#isDamageFound = false
  }

  #finishInTime(change: Change): void {
    const { timeline, random } = this.#options
    timeline.after(random.between(...this.#disk.speed.writeMs), () => this.#finish(change))
  }

  #finish(change: Change): void {
    if (!this.#changes.has(change)) return
    const { watch } = this.#options
    const fate = this.#disk.fateOfWrite()
    if (fate === 'hung') return watch?.onHit?.('hungSnapshot')
    this.#changes.delete(change)
    if (fate === 'done') return change.settle(handled(change.act()))
    watch?.onHit?.('failedSnapshot')
    if (fate === 'failed') this.#maybeLand(change)
    const problem = fate === 'full' ? 'has no space left (ENOSPC)' : 'failed an fsync (EIO)'
    const error = new RaftError('RAFT_STORAGE', `the simulated disk ${problem}`, { outcome: 'unknown' })
    change.settle(handled(Promise.reject(error)))
  }

  #maybeLand({ act, mayLand }: Change): void {
    if (mayLand && this.#options.random.chance(0.5)) void handled(act())
  }
}

/** Its process may be dead by the time it rejects. */
function handled<T>(promise: Promise<T>): Promise<T> {
  promise.catch(() => {})
  return promise
}
