// A received snapshot takes the place of log and state (F29): what reads or changes the state stops, what is under way to
// the log becomes durable, then the store commits, the log is reset, the state machine restored. A crash between any two
// of these is found at the next start (recovery.ts). A content that fails its digest replaces nothing (F30).
import type { SnapshotSource } from '../core/state.js'
import type { NodeId } from '../core/types.js'
import type { RaftError } from '../errors.js'
import type { SnapshotSink, StoredSnapshot } from '../interfaces/snapshot-store.js'
import type { Applier } from './applier.js'
import { commitNewest } from './commit-newest.js'
import { storeError } from './failures.js'
import type { LogReader } from './log-reader.js'
import type { LogWriter } from './log-writer.js'
import type { FixedOptions } from './options.js'
import { restore } from './restore-snapshot.js'
import type { Snapshotter } from './snapshotter.js'

export interface InstallParts {
  readonly options: Pick<FixedOptions, 'stateMachine' | 'snapshotStore'>
  readonly applier: Pick<Applier, 'pause' | 'resume'>
  readonly snapshotter: Pick<Snapshotter, 'pause' | 'resume' | 'received'>
  readonly writer: Pick<LogWriter, 'idle' | 'reset'>
  readonly reader: Pick<LogReader, 'idle'>
  readonly isClosed: () => boolean
  readonly onFailed: (from: NodeId, error: RaftError) => void
  /** The log is reset and the state is not there: the node can't go on. */
  readonly onFatal: (error: RaftError) => void
}

/** Never rejects. `stopped`: the node came to its end on the way. */
export async function installSnapshot(
  parts: InstallParts,
  sink: SnapshotSink,
  { from }: SnapshotSource,
): Promise<'installed' | 'failed' | 'stopped'> {
  const { options, applier, snapshotter, writer, reader, isClosed } = parts
  // The term of the snapshot must be durable before it, and no entry may come behind the reset that was handed out before.
  await Promise.all([applier.pause(), snapshotter.pause()])
  await Promise.all([writer.idle(), reader.idle()])
  if (isClosed()) return 'stopped'
  let snapshot: StoredSnapshot
  try {
    snapshot = await commitNewest(options.snapshotStore, sink)
  } catch (error) {
    if (isClosed()) return 'stopped'
    // The store may still keep a place for what it did not take in, and would refuse the next one.
    await sink.abort().catch(() => undefined)
    if (isClosed()) return 'stopped'
    parts.onFailed(from, storeError(error))
    applier.resume()
    snapshotter.resume()
    return 'failed'
  }
  snapshotter.received(snapshot.sizeBytes)
  if (isClosed()) return 'stopped'
  const { lastIncludedIndex: index, lastIncludedTerm: term } = snapshot.meta
  await writer.reset({ index, term })
  if (isClosed()) return 'stopped'
  try {
    await restore(options, snapshot, 'this node stops')
  } catch (error) {
    if (!isClosed()) parts.onFatal(storeError(error))
    return 'stopped'
  }
  return isClosed() ? 'stopped' : 'installed'
}
