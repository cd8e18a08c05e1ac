// A snapshot that was taken or received becomes the one that a restart would begin with. Where another one stays the newest,
// which happens when that is damaged and the log was replayed in its place, the log must forget nothing (H53, H60).
import { RaftError } from '../errors.js'
import type { SnapshotSink, SnapshotStore, StoredSnapshot } from '../interfaces/snapshot-store.js'

/** @throws RaftError RAFT_CORRUPTION when the store would not begin with it, or what the store throws */
export async function commitNewest(store: Pick<SnapshotStore, 'latest'>, sink: SnapshotSink): Promise<StoredSnapshot> {
  const committed = await sink.commit()
  const index = committed.meta.lastIncludedIndex
  const newest = (await store.latest())?.meta.lastIncludedIndex ?? 0
  if (newest === index) return committed
  throw new RaftError(
    'RAFT_CORRUPTION',
    `the snapshot of index ${index} was stored, but a restart would begin with that of index ${newest}, which could not be ` +
      'restored: the log is kept until a snapshot is newer than that',
  )
}
