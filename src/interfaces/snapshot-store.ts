// Where snapshots lie: all of one, or nothing of it.
import type { SnapshotMeta } from './state-machine.js'

export interface SnapshotSink {
  /** Bytes that are held already: not 0 when a partial of the same source survived. */
  readonly writtenBytes: number
  write(chunk: Uint8Array): Promise<void>
  /** Makes it durable and visible. Rejects with RAFT_CORRUPTION when size or digest are not those of the source. */
  commit(): Promise<StoredSnapshot>
  /** Gives it up and frees what it holds. Idempotent; does nothing after `commit`. */
  abort(): Promise<void>
}

export interface StoredSnapshot {
  readonly meta: SnapshotMeta
  readonly sizeBytes: number
  /** SHA-256 of the content. */
  readonly digest: Uint8Array
  /** A running read stays valid after a newer commit, and so does one that begins while it runs. Rejects with RAFT_CORRUPTION when the content fails its digest. */
  read(fromOffset?: number): AsyncIterable<Uint8Array>
}

export interface SnapshotStore {
  /**
   * Nothing of it is visible until `commit` resolves; a crash half way leaves the previous snapshot the latest. `source`
   * describes a snapshot that is being received: a partial of the same meta and digest may have survived a restart, and
   * `writtenBytes` says how much of it. At most one local and one received sink are open at a time.
   */
  create(
    meta: SnapshotMeta,
    source?: { readonly digest: Uint8Array; readonly sizeBytes: number },
  ): Promise<SnapshotSink>
  /** The one with the highest lastIncludedIndex, whatever the order of the commits. Older ones go when no `read` of them runs. */
  latest(): Promise<StoredSnapshot | null>
  close(): Promise<void>
}

/** What `memoryStorage()` and `levelStorage()` return: spread it into the options of a node. */
export interface RaftStorage {
  readonly logStore: import('./log-store.js').LogStore
  readonly snapshotStore: SnapshotStore
}
