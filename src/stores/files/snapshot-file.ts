// One committed snapshot file: its name, its header, and reads that verify the content while they stream it. A file is
// only removed when a newer one is committed and nobody reads it, never because it can't be read (H60).
import { createHash } from 'node:crypto'
import { type FileHandle, open, rm } from 'node:fs/promises'
import { join } from 'node:path'
import type { LogIndex } from '../../core/types.js'
import { RaftError } from '../../errors.js'
import type { StoredSnapshot } from '../../interfaces/snapshot-store.js'
import type { SnapshotMeta } from '../../interfaces/state-machine.js'
import { checkOffset, equalBytes } from '../snapshot-rules.js'
import { fileFailure } from './directory.js'
import { decodeHeader, FIXED_HEADER_BYTES, headerLength, type SnapshotHeader } from './snapshot-header.js'

/** Bytes of each chunk that a read yields, but the last. */
export const READ_CHUNK_BYTES: number = 256 * 1024
const NAME = /^snapshot-(\d{16})-(\d{16})\.snap$/

/** Where a committed snapshot stands among the others. */
export interface SnapshotPosition {
  readonly index: LogIndex
  /** Rises with each commit: of two at one index the later one counts. */
  readonly sequence: number
}

/** Zero-padded, so that the names sort as the positions do. */
export function snapshotFileName({ index, sequence }: SnapshotPosition): string {
  const digits = (value: number) => String(value).padStart(16, '0')
  return `snapshot-${digits(index)}-${digits(sequence)}.snap`
}

/** Null for a name that is not one of ours. */
export function parseSnapshotFileName(name: string): SnapshotPosition | null {
  const match = NAME.exec(name)
  return match === null ? null : { index: Number(match[1]), sequence: Number(match[2]) }
}

/** A committed snapshot. Reads hold it; `retire` removes it when the last one ends. */
export class SnapshotFile {
  readonly position: SnapshotPosition
  readonly #path: string
  /** Whether the store was closed: then reads end. */
  readonly #isClosed: () => boolean
  #header: SnapshotHeader | null = null
  #headerBytes = 0
  #readers = 0
  #retired = false

  constructor(directory: string, position: SnapshotPosition, isClosed: () => boolean) {
    this.position = position
    this.#path = join(directory, snapshotFileName(position))
    this.#isClosed = isClosed
  }

  /** Reads and checks the header once; the content is checked by `read`. Rejects with RAFT_CORRUPTION, RAFT_VERSION, RAFT_STORAGE. */
  async snapshot(): Promise<StoredSnapshot> {
    const header = this.#header ?? (await this.#load())
    return new FileSnapshot(header, (fromOffset) => this.#read(header, fromOffset))
  }

  /** Removes the file now, or when its last reader has ended. Rejects with what the file system says. */
  async retire(): Promise<void> {
    this.#retired = true
    if (this.#readers === 0) await rm(this.#path, { force: true })
  }

  async #load(): Promise<SnapshotHeader> {
    const handle = await this.#open()
    try {
      const damage = (reason: string) => this.#damaged(reason)
      const { header, headerBytes } = await readHeader(handle, damage)
      const { size } = await handle.stat()
      const { lastIncludedIndex } = header.meta
      if (!header.complete) throw damage('it was never completed')
      if (lastIncludedIndex !== this.position.index) throw damage(`it is the snapshot of index ${lastIncludedIndex}`)
      if (size !== headerBytes + header.sizeBytes) {
        throw damage(`it has ${size} bytes, its header says ${headerBytes + header.sizeBytes}`)
      }
      this.#headerBytes = headerBytes
      this.#header = header
      return header
    } catch (error) {
      throw fileFailure(`Reading the snapshot '${this.#path}' failed`, error)
    } finally {
      await handle.close()
    }
  }

  async *#read(header: SnapshotHeader, fromOffset: number): AsyncGenerator<Uint8Array> {
    // While another read holds the file it is still there.
    if (this.#retired && this.#readers === 0) {
      const text = `The snapshot of index ${this.position.index} was replaced by a newer one before this read began`
      throw new RaftError('RAFT_STALE', `${text}. Ask latest() again.`)
    }
    if (fromOffset === header.sizeBytes && fromOffset > 0) return
    this.#readers++
    try {
      const handle = await this.#open()
      try {
        yield* this.#verified(handle, header, fromOffset)
      } catch (error) {
        throw fileFailure(`Reading the snapshot '${this.#path}' failed`, error)
      } finally {
        await handle.close()
      }
    } finally {
      this.#readers--
      // What can't be removed now is removed after the next commit.
      if (this.#retired) await this.retire().catch(() => undefined)
    }
  }

  /** The content from `fromOffset` on. All of it is hashed; the last chunk is only handed out when the digest is right. */
  async *#verified(handle: FileHandle, header: SnapshotHeader, fromOffset: number): AsyncGenerator<Uint8Array> {
    const hash = createHash('sha256')
    let offset = 0
    do {
      if (this.#isClosed()) throw new RaftError('RAFT_STOPPED', 'The snapshot store was closed while it was read.')
      const wanted = Math.min(READ_CHUNK_BYTES, header.sizeBytes - offset)
      const chunk = await readExactly(handle, this.#headerBytes + offset, wanted)
      if (chunk.byteLength < wanted) throw this.#damaged(`it ends at byte ${offset + chunk.byteLength} of its content`)
      hash.update(chunk)
      const skipped = Math.max(0, fromOffset - offset)
      offset += wanted
      if (offset === header.sizeBytes && !equalBytes(hash.digest(), header.digest)) {
        throw this.#damaged('its content fails its SHA-256')
      }
      if (skipped < wanted) yield skipped === 0 ? chunk : chunk.subarray(skipped)
    } while (offset < header.sizeBytes)
  }

  async #open(): Promise<FileHandle> {
    return await open(this.#path, 'r').catch((error: unknown) => {
      throw fileFailure(`The snapshot '${this.#path}' can't be opened`, error)
    })
  }

  #damaged(reason: string): RaftError {
    const advice =
      'It was left where it is. Put back an intact copy, or leave this node off: the majority goes on without it'
    return new RaftError('RAFT_CORRUPTION', `The snapshot '${this.#path}' is damaged: ${reason}. ${advice}.`)
  }
}

class FileSnapshot implements StoredSnapshot {
  readonly #header: SnapshotHeader
  readonly #read: (fromOffset: number) => AsyncIterable<Uint8Array>

  constructor(header: SnapshotHeader, read: (fromOffset: number) => AsyncIterable<Uint8Array>) {
    this.#header = header
    this.#read = read
  }

  get meta(): SnapshotMeta {
    return this.#header.meta
  }

  get sizeBytes(): number {
    return this.#header.sizeBytes
  }

  get digest(): Uint8Array {
    return new Uint8Array(this.#header.digest)
  }

  read(fromOffset: number = 0): AsyncIterable<Uint8Array> {
    checkOffset(fromOffset, this.sizeBytes)
    return this.#read(fromOffset)
  }
}

/** `length` bytes from `position`, in memory of their own; fewer only where the file ends. */
export async function readExactly(handle: FileHandle, position: number, length: number): Promise<Uint8Array> {
  const bytes = new Uint8Array(length)
  let filled = 0
  while (filled < length) {
    const { bytesRead } = await handle.read(bytes, filled, length - filled, position + filled)
    if (bytesRead === 0) return bytes.subarray(0, filled)
    filled += bytesRead
  }
  return bytes
}

/** The header of a file, and how long it is. `damage` makes the error of a file that can't be a snapshot. */
export async function readHeader(
  handle: FileHandle,
  damage: (reason: string) => RaftError,
): Promise<{ readonly header: SnapshotHeader; readonly headerBytes: number }> {
  const headerBytes = headerLength(await readExactly(handle, 0, FIXED_HEADER_BYTES), damage)
  return { header: decodeHeader(await readExactly(handle, 0, headerBytes), damage), headerBytes }
}
