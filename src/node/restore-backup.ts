// From a backup to the first member of a new cluster (F49), offline. Nothing is visible before the last byte is checked; then
// in this order, each step durable: the identity and the term, the snapshot, the log's new beginning. A crash before the
// snapshot's commit leaves stores that were never started, which take a backup again; one behind it leaves complete ones,
// because a start resets a log to its snapshot (F29). Knows no state machine.
import type { BackupHeader } from '../codec/backup-format.js'
import type { MemberSpec } from '../core/types.js'
import { RaftError } from '../errors.js'
import type { RestoredLog, StoreIdentity } from '../interfaces/log-store.js'
import type { RaftStorage } from '../interfaces/snapshot-store.js'
import type { SnapshotMeta } from '../interfaces/state-machine.js'
import { BackupReader } from './backup-reader.js'
import { withoutSessions } from './sessions/session-snapshot.js'
import { makeStoreId, randomId } from './store-id.js'
import { systemClock } from './system-clock.js'
import { resolveMember } from './member-spec.js'
import { checkKeys, refuse } from './option-checks.js'
import { resolveClusterId } from './options.js'

/** Options of `restoreBackup`. */
export interface RestoreBackupOptions extends RaftStorage {
  /** The only voter of the new cluster: the node that will be started on these stores. */
  member: MemberSpec
  /** What `RaftNode.backup` gave, in pieces of any size; a file stream will do. */
  backup: AsyncIterable<Uint8Array>
  /** Of the new cluster. @defaultValue that of the backup */
  clusterId?: string | undefined
}

const KEYS: readonly string[] = ['logStore', 'snapshotStore', 'member', 'backup', 'clusterId']

/** What the new cluster begins with. */
interface Beginning {
  readonly meta: SnapshotMeta
  readonly identity: StoreIdentity
}

/**
 * Makes empty stores those of the only voter of a new cluster whose state is that of the backup; resolves with the position
 * and configuration that it begins with, and the stores are closed. Start a node on them without `bootstrap`; others join
 * by being added. Stop the members of the old cluster first: the new one has a nonce of its own and refuses them.
 *
 * When it rejects nothing was restored, and the stores can be used for another attempt. Only where a disk failed in the last
 * moment all of it may be there: the next attempt tells.
 * @throws RaftError RAFT_INVALID_OPTION, RAFT_IDENTITY (the stores are not empty), RAFT_CORRUPTION (the backup is damaged or cut,
 *   with the place), RAFT_VERSION, RAFT_LOCKED, RAFT_STORAGE; what the stream and the stores throw
 */
export async function restoreBackup(options: RestoreBackupOptions): Promise<SnapshotMeta> {
  const target = resolveTarget(options)
  const { logStore, snapshotStore, backup } = options
  const log = await logStore.open()
  try {
    await requireEmpty(options, log)
    const reader = new BackupReader(backup)
    try {
      const meta = await restore(options, reader, target)
      await logStore.write({ resetTo: { index: meta.lastIncludedIndex, term: meta.lastIncludedTerm } })
      return structuredClone(meta)
    } finally {
      await reader.close()
    }
  } finally {
    await Promise.allSettled([logStore.close(), snapshotStore.close()])
  }
}

interface Target {
  readonly member: MemberSpec
  readonly clusterId: string | null
}

async function restore(
  { logStore, snapshotStore }: RestoreBackupOptions,
  reader: BackupReader,
  target: Target,
): Promise<SnapshotMeta> {
  const { meta, identity } = beginningOf(await reader.header(), target)
  const sink = await snapshotStore.create(meta)
  try {
    for await (const chunk of withoutSessions(reader.chunks())) await sink.write(chunk)
    // With no snapshot beside it this is nothing: a boot count of 0 says that no node ever began here.
    await logStore.write({ identity, hardState: { currentTerm: meta.lastIncludedTerm, votedFor: null } })
    await sink.commit()
  } catch (error) {
    await sink.abort()
    throw error
  }
  return meta
}

/** The position and the log time of the backup, with nobody but the new member in it. */
function beginningOf(backup: BackupHeader, { member, clusterId }: Target): Beginning {
  const { lastIncludedIndex, lastIncludedTerm, lastIncludedTimestamp } = backup.meta
  const storeId = makeStoreId(systemClock.wallTime(), randomId())
  const { id, address, metadata } = member
  const facts = metadata === undefined ? {} : { metadata }
  const configuration = {
    members: [{ id, address, suffrage: 'voter', ...facts, storeId } as const],
    votersOutgoing: [],
  }
  const position = { lastIncludedIndex, lastIncludedTerm, lastIncludedTimestamp }
  return {
    meta: { ...position, configuration, configurationIndex: lastIncludedIndex },
    identity: {
      clusterId: clusterId ?? backup.clusterId,
      nonce: randomId(),
      storeId,
      bootCount: 0,
      leasePromiseMs: 0,
      nodeId: id,
      bootstrapDigest: '',
    },
  }
}

function resolveTarget(options: RestoreBackupOptions): Target {
  checkKeys(options, KEYS, 'option of restoreBackup')
  const { logStore, snapshotStore, member, backup, clusterId } = options
  if (typeof logStore?.open !== 'function')
    refuse('logStore is missing: spread levelStorage({ directory }) into the options')
  if (typeof snapshotStore?.create !== 'function')
    refuse('snapshotStore is missing: spread levelStorage({ directory })')
  if (typeof backup?.[Symbol.asyncIterator] !== 'function') {
    refuse('backup is no async iterable of bytes: give what RaftNode.backup() gave, or a stream of its file')
  }
  const resolved = resolveMember(member, 'restoreBackup')
  if (resolved.suffrage !== 'voter') refuse(`member '${resolved.id}' is a learner: the only member must be a voter`)
  return { member: resolved, clusterId: resolveClusterId(clusterId) }
}

/** A log that no node was ever started on, and no snapshot beside it. */
async function requireEmpty({ snapshotStore }: RestoreBackupOptions, log: RestoredLog): Promise<void> {
  const { identity, lastIndex, firstIndex, hardState } = log
  const isUnused = identity === null ? hardState.currentTerm === 0 && firstIndex === 1 : identity.bootCount === 0
  if (!isUnused || lastIndex >= firstIndex) {
    const owner = identity === null ? 'a node' : `node '${identity.nodeId ?? '?'}' of cluster '${identity.clusterId}'`
    throw notEmpty(`the log store belongs to ${owner} and ends at index ${lastIndex}`)
  }
  const snapshot = await snapshotStore.latest()
  if (snapshot === null) return
  const { lastIncludedIndex } = snapshot.meta
  if (identity === null) throw notEmpty(`the snapshot store holds a snapshot of index ${lastIncludedIndex}`)
  throw notEmpty(
    `a backup of index ${lastIncludedIndex} was restored here already, for node '${identity.nodeId ?? '?'}': start it, or`,
  )
}

function notEmpty(found: string): RaftError {
  const advice = 'give empty stores, in a directory of their own: a backup is never restored over data'
  return new RaftError('RAFT_IDENTITY', `${found}${found.endsWith(' or') ? '' : ':'} ${advice}`)
}
