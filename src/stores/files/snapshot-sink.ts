// A snapshot file in the making: temporary until commit has written the header, synced the file, renamed it and synced
// the directory, in that order (H53). A failed write or sync ends it; nothing is retried (H78).
import { createHash, type Hash } from 'node:crypto'
import { type FileHandle, open, rename, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { RaftError } from '../../errors.js'
import type { SnapshotSink, StoredSnapshot } from '../../interfaces/snapshot-store.js'
import type { SnapshotMeta } from '../../interfaces/state-machine.js'
import {
  DIGEST_BYTES,
  damagedSource,
  equalBytes,
  excessBytes,
  type SnapshotSource,
  spentSink,
} from '../snapshot-rules.js'
import { fileFailure, syncDirectory } from './directory.js'
import { READ_CHUNK_BYTES, readExactly } from './snapshot-file.js'
import { encodeHeader } from './snapshot-header.js'

const OWNER_ONLY = 0o600

/** Synced after so many bytes each: the log's own syncs wait for a sync under way, and more often than needed is no better. */
const SYNC_BYTES = 64 * 1024 * 1024

/** Where a sink writes, and what its store does with the outcome. */
export interface SinkPlan {
  readonly directory: string
  /** Name of the temporary file. */
  readonly name: string
  readonly meta: SnapshotMeta
  /** Of a received snapshot: an existing file of that name is continued when its header is the same. */
  readonly source: SnapshotSource | undefined
  /** The name to commit under. */
  readonly finalName: () => string
  /** After the commit is durable. */
  readonly committed: () => Promise<StoredSnapshot>
  /** Once, whatever the end was. */
  readonly ended: () => void
}

/** The sink of FileSnapshotStore. */
export class FileSink implements SnapshotSink {
  readonly #plan: SinkPlan
  readonly #path: string
  readonly #handle: FileHandle
  readonly #hash: Hash
  readonly #headerBytes: number
  #writtenBytes: number
  /** How much of that was synced on the way. */
  #syncedBytes: number
  #ended = false
  #released = false

  private constructor(plan: SinkPlan, handle: FileHandle, start: SinkStart) {
    this.#plan = plan
    this.#path = join(plan.directory, plan.name)
    this.#handle = handle
    this.#hash = start.hash
    this.#headerBytes = start.headerBytes
    this.#writtenBytes = start.writtenBytes
    this.#syncedBytes = start.writtenBytes
  }

  /** Opens or makes the temporary file. Rejects with RAFT_STORAGE, or RAFT_TOO_LARGE for the meta. */
  static async open(plan: SinkPlan): Promise<FileSink> {
    const path = join(plan.directory, plan.name)
    const header = encodeHeader({
      meta: plan.meta,
      sizeBytes: plan.source?.sizeBytes ?? 0,
      digest: plan.source?.digest ?? new Uint8Array(DIGEST_BYTES),
      complete: false,
    })
    try {
      const handle = await openOrMake(path, plan.source !== undefined)
      try {
        return new FileSink(plan, handle, await begin(handle, header, plan.source))
      } catch (error) {
        await handle.close()
        throw error
      }
    } catch (error) {
      throw fileFailure(`The temporary file '${path}' of a snapshot can't be written`, error)
    }
  }

  get writtenBytes(): number {
    return this.#writtenBytes
  }

  /** The chunk must not change until this settles. Rejects with RAFT_CORRUPTION beyond the announced size, RAFT_STORAGE when the disk fails. */
  async write(chunk: Uint8Array): Promise<void> {
    if (this.#ended) throw spentSink('write')
    const { source } = this.#plan
    const sizeBytes = this.#writtenBytes + chunk.byteLength
    if (source !== undefined && sizeBytes > source.sizeBytes) throw excessBytes(sizeBytes, source)
    const position = this.#headerBytes + this.#writtenBytes
    this.#writtenBytes = sizeBytes
    this.#hash.update(chunk)
    try {
      await writeExactly(this.#handle, chunk, position)
      if (sizeBytes - this.#syncedBytes >= SYNC_BYTES) {
        await this.#handle.datasync()
        this.#syncedBytes = sizeBytes
      }
    } catch (error) {
      await this.#drop()
      throw fileFailure(`Writing the snapshot '${this.#path}' failed`, error)
    }
  }

  /** Durable and visible when it resolves. RAFT_CORRUPTION when size or digest aren't those of the source: all of it is dropped. */
  async commit(): Promise<StoredSnapshot> {
    if (this.#ended) throw spentSink('commit')
    this.#ended = true
    const { directory, meta, source } = this.#plan
    try {
      const content = { sizeBytes: this.#writtenBytes, digest: this.#hash.digest() }
      const damage = source === undefined ? null : damagedSource(content, source)
      if (damage !== null) throw damage
      await writeExactly(this.#handle, encodeHeader({ meta, ...content, complete: true }), 0)
      await this.#handle.sync()
      await this.#handle.close()
      const finalName = this.#plan.finalName()
      await rename(this.#path, join(directory, finalName))
      await syncDirectory(directory)
      this.#release()
      return await this.#plan.committed()
    } catch (error) {
      await this.#drop()
      throw fileFailure(`Committing the snapshot '${this.#path}' failed`, error)
    }
  }

  async abort(): Promise<void> {
    if (!this.#ended) await this.#drop()
  }

  /** The store is closed: a received partial stays for the next start, a local one goes. */
  async suspend(): Promise<void> {
    if (this.#ended) return
    if (this.#plan.source === undefined) return await this.#drop()
    this.#ended = true
    this.#release()
    await this.#handle.close()
  }

  /** Best effort: what is left of it is removed when the store is used next. */
  async #drop(): Promise<void> {
    this.#ended = true
    this.#release()
    await this.#handle.close().catch(() => undefined)
    await rm(this.#path, { force: true }).catch(() => undefined)
  }

  /** Once: by a second call the place may be another sink's. */
  #release(): void {
    if (this.#released) return
    this.#released = true
    this.#plan.ended()
  }
}

interface SinkStart {
  readonly hash: Hash
  readonly headerBytes: number
  readonly writtenBytes: number
}

async function openOrMake(path: string, reuse: boolean): Promise<FileHandle> {
  if (reuse) {
    try {
      return await open(path, 'r+')
    } catch (error) {
      if (!(error instanceof Error && 'code' in error && error.code === 'ENOENT')) throw error
    }
  }
  return await open(path, 'wx+', OWNER_ONLY)
}

/** Continues what the file holds of the same snapshot, else begins anew. A damaged rest is found by the digest at commit. */
async function begin(handle: FileHandle, header: Uint8Array, source: SnapshotSource | undefined): Promise<SinkStart> {
  const hash = createHash('sha256')
  const headerBytes = header.byteLength
  const held = (await handle.stat()).size - headerBytes
  const same = held > 0 && equalBytes(await readExactly(handle, 0, headerBytes), header)
  if (!same || source === undefined || held > source.sizeBytes) {
    await handle.truncate(0)
    await writeExactly(handle, header, 0)
    return { hash, headerBytes, writtenBytes: 0 }
  }
  for (let offset = 0; offset < held; offset += READ_CHUNK_BYTES) {
    const length = Math.min(READ_CHUNK_BYTES, held - offset)
    const chunk = await readExactly(handle, headerBytes + offset, length)
    if (chunk.byteLength < length) throw new RaftError('RAFT_STORAGE', 'A partial snapshot shrank while it was read.')
    hash.update(chunk)
  }
  return { hash, headerBytes, writtenBytes: held }
}

async function writeExactly(handle: FileHandle, bytes: Uint8Array, position: number): Promise<void> {
  let written = 0
  while (written < bytes.byteLength) {
    const { bytesWritten } = await handle.write(bytes, written, bytes.byteLength - written, position + written)
    written += bytesWritten
  }
}
