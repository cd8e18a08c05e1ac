// The last resort after a quorum is lost for ever (F26), offline: one survivor becomes the only voter of its cluster, under
// a new nonce, so that nobody of before is ever listened to again (H50, H120). What it holds is the state from then on; what
// only the lost ones held is gone. One durable write does it, or nothing is done.
import { encodeConfiguration } from '../core/configuration-codec.js'
import type { Configuration, LogEntry, LogIndex, MemberSpec, Term } from '../core/types.js'
import { isRaftError, RaftError } from '../errors.js'
import type { RestoredLog, StoreIdentity } from '../interfaces/log-store.js'
import type { RaftStorage, StoredSnapshot } from '../interfaces/snapshot-store.js'
import type { SnapshotMeta } from '../interfaces/state-machine.js'
import { randomId } from './store-id.js'
import { resolveMember } from './member-spec.js'
import { checkKeys, refuse, show } from './option-checks.js'
import {
  checkBeginning,
  checkConfigurations,
  checkRestoreEnded,
  checkTerms,
  closeStores,
  holds,
  lastTimestamp,
  positionOf,
  storedConfiguration,
} from './recovery.js'
import { checkMeta, checkPosition, isReplacedByLog } from './restore-snapshot.js'

/** Options of `recoverCluster`. */
export interface RecoverClusterOptions extends RaftStorage {
  /** The survivor: the node that these stores belong to, with the address that it will have. */
  member: MemberSpec
  /** Changes nothing, and tells what would be. @defaultValue false */
  dryRun?: boolean | undefined
}

/** What a cluster goes on with. */
export interface RecoveredCluster {
  readonly clusterId: string
  /** Everything up to here is kept, committed or not. What only the lost nodes held lies behind it. */
  readonly lastIndex: LogIndex
  readonly lastTerm: Term
  /** 0 for none, and for a damaged one that nothing depends on: the log holds everything, and is replayed at the start. */
  readonly snapshotIndex: LogIndex
  /** Who was in it, as far as these stores know. */
  readonly previous: Configuration
}

const KEYS: readonly string[] = ['logStore', 'snapshotStore', 'member', 'dryRun']
const NOBODY: Configuration = { members: [], votersOutgoing: [] }

/**
 * Makes a stopped survivor the only voter of its cluster. Choose the one with the highest (lastTerm, lastIndex): `dryRun` tells
 * them. Start it without `bootstrap`; every other old member is refused from now on, must be wiped, and is added again.
 * The snapshot is read to its end first, also by `dryRun`: what could not start is refused. The stores are closed afterwards.
 * @throws RaftError RAFT_INVALID_OPTION, RAFT_IDENTITY (nothing to recover here, or another node's stores), RAFT_LOCKED (it
 *   runs), RAFT_CORRUPTION (it could not start: try another survivor), RAFT_STORAGE
 */
export async function recoverCluster(options: RecoverClusterOptions): Promise<RecoveredCluster> {
  checkKeys(options, KEYS, 'option of recoverCluster')
  const { logStore, snapshotStore, dryRun = false } = options
  if (typeof logStore?.open !== 'function') refuse('logStore is missing: spread levelStorage({ directory })')
  if (typeof snapshotStore?.latest !== 'function')
    refuse('snapshotStore is missing: spread levelStorage({ directory })')
  if (typeof dryRun !== 'boolean') refuse(`dryRun is ${show(dryRun)}: use true or false`)
  const member = resolveMember(options.member, 'recoverCluster')
  if (member.suffrage !== 'voter') refuse(`member '${member.id}' is a learner: the only member must be a voter`)
  const orUnfit = (error: unknown): never => {
    throw isRaftError(error, 'RAFT_CORRUPTION') ? unfit(member.id, error) : error
  }
  const log = await logStore.open().catch(orUnfit)
  try {
    const survivor = await survey({ logStore, snapshotStore }, log, member.id).catch(orUnfit)
    if (!dryRun) await takeOver(options, { ...survivor, member })
    return survivor.found
  } finally {
    await closeStores(options)
  }
}

/** The stores advise to leave the node off; but here nobody goes on without it. */
function unfit(id: string, cause: RaftError): RaftError {
  return new RaftError(
    'RAFT_CORRUPTION',
    `'${id}' can't go on alone, and nothing was changed: try another survivor, or restore a backup. ` +
      `What was found, with the advice for a cluster that has its majority: ${cause.message}`,
    { cause },
  )
}

/** What the stores of a survivor hold. */
interface Survivor {
  readonly found: RecoveredCluster
  readonly identity: StoreIdentity
  readonly currentTerm: Term
  /** Log time of the last entry. */
  readonly lastTimestamp: number
  /** The snapshot, where it has overtaken the log. */
  readonly replacedBy: SnapshotMeta | null
}

/** All that a start demands of its stores is demanded here: afterwards nobody else may go on instead. */
async function survey(storage: RaftStorage, log: RestoredLog, id: string): Promise<Survivor> {
  const identity = identityOf(log, id)
  checkTerms(log)
  checkConfigurations(log)
  const snapshot = (await intactSnapshot(storage, log))?.meta ?? null
  if (snapshot === null) checkRestoreEnded(log)
  const newest = log.configurations.at(-1)
  const configuration = newest === undefined ? (snapshot?.configuration ?? null) : storedConfiguration(newest)
  checkBeginning(log, configuration)
  // What a start does with a log that its snapshot has overtaken: it begins behind the snapshot (F29).
  const replacedBy = snapshot !== null && !holds(log, snapshot) ? snapshot : null
  const found = {
    clusterId: identity.clusterId,
    lastIndex: replacedBy?.lastIncludedIndex ?? log.lastIndex,
    lastTerm: replacedBy?.lastIncludedTerm ?? log.termRuns.at(-1)?.term ?? log.previousTerm,
    snapshotIndex: snapshot?.lastIncludedIndex ?? 0,
    previous: replacedBy?.configuration ?? configuration ?? NOBODY,
  }
  const logTime = replacedBy === null ? await lastTimestamp(storage, log) : 0
  const timestamp = Math.max(snapshot?.lastIncludedTimestamp ?? 0, logTime)
  return { found, identity, currentTerm: log.hardState.currentTerm, lastTimestamp: timestamp, replacedBy }
}

function identityOf({ identity, hardState }: RestoredLog, id: string): StoreIdentity {
  if (identity === null || hardState.currentTerm === 0) {
    throw new RaftError(
      'RAFT_IDENTITY',
      `these stores never took part in a cluster: there is nothing to recover for '${id}'`,
    )
  }
  if (identity.nodeId !== undefined && identity.nodeId !== id) {
    throw new RaftError('RAFT_IDENTITY', `these stores belong to node '${identity.nodeId}', not to '${id}'`)
  }
  return identity
}

/** The latest snapshot, verified to its end. Null where there is none, or a damaged one while the log holds everything. */
async function intactSnapshot({ snapshotStore }: RaftStorage, log: RestoredLog): Promise<StoredSnapshot | null> {
  const snapshot = await snapshotStore.latest().catch(nullWhereReplayed(log))
  checkPosition(log, snapshot)
  if (snapshot === null) return null
  checkMeta(log, snapshot.meta)
  return await readThrough(snapshot).catch(nullWhereReplayed(log))
}

/** What a start does too: a log that begins at 1 is replayed instead of a damaged snapshot. */
function nullWhereReplayed(log: RestoredLog): (error: unknown) => null {
  return (error) => {
    if (isReplacedByLog(error, log)) return null
    throw error
  }
}

/** The digest is checked by a read that gets to the end. */
async function readThrough(snapshot: StoredSnapshot): Promise<StoredSnapshot> {
  const chunks = snapshot.read()[Symbol.asyncIterator]()
  while ((await chunks.next()).done !== true);
  return snapshot
}

async function takeOver(
  { logStore }: RecoverClusterOptions,
  survivor: Survivor & { readonly member: MemberSpec },
): Promise<void> {
  const { found, identity, replacedBy, member, lastTimestamp: timestamp } = survivor
  const { id, address, metadata } = member
  const index = found.lastIndex + 1
  // A term that nobody of before has voted in: what the lost ones may still hold of this one never meets it.
  const term = survivor.currentTerm + 1
  const facts = metadata === undefined ? {} : { metadata }
  const only = { id, address, suffrage: 'voter', ...facts, storeId: identity.storeId, addedAt: index } as const
  const data = encodeConfiguration({ members: [only], votersOutgoing: [] })
  const entry: LogEntry = { index, term, type: 'configuration', timestamp, data }
  await logStore.write({
    ...(replacedBy === null ? {} : { resetTo: positionOf(replacedBy) }),
    hardState: { currentTerm: term, votedFor: null },
    entries: [entry],
    identity: { ...identity, nonce: randomId(), bootstrapDigest: '' },
  })
}
