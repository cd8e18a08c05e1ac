// What the tests of backups share: bytes of a backup, stores that fail or note what is done to them, a node over restored ones.
import {
  MemoryLogStore,
  MemorySnapshotStore,
  type LogWrite,
  type SnapshotMeta,
  type SnapshotSink,
  type StoredSnapshot,
} from 'helios-raft'
import { SnapshotStage } from './snapshot-stage.js'

/** All that a stream gives, piece by piece. */
export async function collect(backup: AsyncIterable<Uint8Array>): Promise<Uint8Array[]> {
  const pieces: Uint8Array[] = []
  for await (const piece of backup) pieces.push(piece)
  return pieces
}

export const joined = (pieces: readonly Uint8Array[]): Uint8Array => new Uint8Array(Buffer.concat(pieces))

/** The bytes, in pieces of that size. */
export async function* stream(bytes: Uint8Array, pieceBytes = 1_000): AsyncGenerator<Uint8Array> {
  for (let at = 0; at < bytes.length; at += pieceBytes) yield bytes.subarray(at, at + pieceBytes)
}

/** A node of one that has applied these values. */
export async function stageOf(...values: number[]): Promise<SnapshotStage> {
  const stage = await new SnapshotStage({
    snapshot: { everyEntries: Number.POSITIVE_INFINITY, trailingEntries: 0 },
  }).start()
  await stage.propose(...values)
  return stage
}

/** A backup of a node of one with these values, in one piece. */
export async function backupOf(...values: number[]): Promise<Uint8Array> {
  const stage = await stageOf(...values)
  const bytes = joined(await stage.settled(collect(stage.node.backup())))
  await stage.node.stop()
  return bytes
}

/** Every call that changes something may be the one where the process dies: before it has an effect, or behind it. */
export class CrashPlan {
  readonly done: string[] = []
  /** The step at which it dies; the even ones before the effect, the odd ones behind it. */
  diesAt = Number.POSITIVE_INFINITY
  #step = 0

  async run<T>(name: string, effect: () => Promise<T>): Promise<T> {
    if (this.#step++ === this.diesAt) throw new Error('died')
    const value = await effect()
    this.done.push(name)
    if (this.#step++ === this.diesAt) throw new Error('died')
    return value
  }
}

export class CrashingLogStore extends MemoryLogStore {
  readonly #plan: CrashPlan

  constructor(plan: CrashPlan) {
    super()
    this.#plan = plan
  }

  override write(batch: LogWrite): Promise<void> {
    return this.#plan.run(`log ${Object.keys(batch).sort().join(' ')}`, () => super.write(batch))
  }
}

export class CrashingSnapshotStore extends MemorySnapshotStore {
  readonly #plan: CrashPlan
  openReads = 0

  constructor(plan: CrashPlan) {
    super()
    this.#plan = plan
  }

  override async create(meta: SnapshotMeta): Promise<SnapshotSink> {
    const sink = await super.create(meta)
    return {
      writtenBytes: 0,
      write: (chunk) => this.#plan.run('chunk', () => sink.write(chunk)),
      commit: () => this.#plan.run('commit', () => sink.commit()),
      abort: () => sink.abort(),
    }
  }
}

/** Counts the reads that are open, and lets a test change what they give. */
export class WatchedSnapshotStore extends MemorySnapshotStore {
  openReads = 0
  openReadsAtClose: number | null = null
  onRead: () => void | Promise<void> = () => undefined

  override async latest(): Promise<StoredSnapshot | null> {
    const held = await super.latest()
    if (held === null) return null
    const { meta, sizeBytes, digest } = held
    return { meta, sizeBytes, digest, read: (offset) => this.#read(held, offset) }
  }

  override async close(): Promise<void> {
    this.openReadsAtClose = this.openReads
    await super.close()
  }

  async *#read(held: StoredSnapshot, offset?: number): AsyncGenerator<Uint8Array> {
    this.openReads += 1
    try {
      await this.onRead()
      for await (const chunk of held.read(offset)) {
        yield chunk
        await this.onRead()
      }
    } finally {
      this.openReads -= 1
    }
  }
}
