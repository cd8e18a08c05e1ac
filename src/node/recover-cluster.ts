// The last resort after a quorum is lost for ever (F26), offline: one survivor becomes the only voter of its cluster, under
// a new nonce, so that nobody of before is ever listened to again (H50, H120). What it holds is the state from then on; what
// only the lost ones held is gone. One durable write does it, or nothing is done.
import { encodeConfiguration } from '../core/configuration-codec.js'
import type { Configuration, LogEntry, LogIndex, MemberSpec, Term } from '../core/types.js'
import { RaftError } from '../errors.js'
import type { RestoredLog, StoreIdentity } from '../interfaces/log-store.js'
import type { RaftStorage } from '../interfaces/snapshot-store.js'
import type { SnapshotMeta } from '../interfaces/state-machine.js'
import { randomId } from './store-id.js'
import { resolveMember } from './member-spec.js'
import { checkKeys, refuse, show } from './option-checks.js'
import { closeStores, holds, lastTimestamp, positionOf, storedConfiguration } from './recovery.js'

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
  /** 0 for none. */
  readonly snapshotIndex: LogIndex
  /** Who was in it, as far as these stores know. */
  readonly previous: Configuration
}

const KEYS: readonly string[] = ['logStore', 'snapshotStore', 'member', 'dryRun']
const NOBODY: Configuration = { members: [], votersOutgoing: [] }

/**
 * Makes a stopped survivor the only voter of its cluster. Choose the one with the highest (lastTerm, lastIndex): `dryRun` tells
 * them. Start it without `bootstrap`; every other old member is refused from now on, must be wiped, and is added again.
 * The stores are closed afterwards.
 * @throws RaftError RAFT_INVALID_OPTION, RAFT_IDENTITY (nothing to recover here, or another node's stores), RAFT_LOCKED (it
 *   runs), RAFT_CORRUPTION, RAFT_STORAGE
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
  const log = await logStore.open()
  try {
    const snapshot = (await snapshotStore.latest())?.meta ?? null
    const survivor = survey(log, snapshot, member.id)
    if (!dryRun) await takeOver(options, log, { ...survivor, member })
    return survivor.found
  } finally {
    await closeStores(options)
  }
}

/** What the stores of a survivor hold. */
interface Survivor {
  readonly found: RecoveredCluster
  readonly identity: StoreIdentity
  readonly snapshot: SnapshotMeta | null
  /** The snapshot, where it has overtaken the log. */
  readonly replacedBy: SnapshotMeta | null
}

function survey(log: RestoredLog, snapshot: SnapshotMeta | null, id: string): Survivor {
  const { identity, hardState, lastIndex, termRuns, previousTerm } = log
  if (identity === null || hardState.currentTerm === 0) {
    throw new RaftError(
      'RAFT_IDENTITY',
      `these stores never took part in a cluster: there is nothing to recover for '${id}'`,
    )
  }
  if (identity.nodeId !== undefined && identity.nodeId !== id) {
    throw new RaftError('RAFT_IDENTITY', `these stores belong to node '${identity.nodeId}', not to '${id}'`)
  }
  // What a start does with a log that its snapshot has overtaken: it begins behind the snapshot (F29).
  const replacedBy = snapshot !== null && !holds(log, snapshot) ? snapshot : null
  const newest = replacedBy === null ? log.configurations.at(-1) : undefined
  const found = {
    clusterId: identity.clusterId,
    lastIndex: replacedBy?.lastIncludedIndex ?? lastIndex,
    lastTerm: replacedBy?.lastIncludedTerm ?? termRuns.at(-1)?.term ?? previousTerm,
    snapshotIndex: snapshot?.lastIncludedIndex ?? 0,
    previous: newest === undefined ? (snapshot?.configuration ?? NOBODY) : storedConfiguration(newest),
  }
  return { found, identity, snapshot, replacedBy }
}

async function takeOver(
  options: RecoverClusterOptions,
  log: RestoredLog,
  { found, identity, snapshot, replacedBy, member }: Survivor & { readonly member: MemberSpec },
): Promise<void> {
  const { id, address, metadata } = member
  const index = found.lastIndex + 1
  // A term that nobody of before has voted in: what the lost ones may still hold of this one never meets it.
  const term = log.hardState.currentTerm + 1
  const facts = metadata === undefined ? {} : { metadata }
  const only = { id, address, suffrage: 'voter', ...facts, storeId: identity.storeId, addedAt: index } as const
  const entry: LogEntry = {
    index,
    term,
    type: 'configuration',
    timestamp: Math.max(
      snapshot?.lastIncludedTimestamp ?? 0,
      replacedBy === null ? await lastTimestamp(options, log) : 0,
    ),
    data: encodeConfiguration({ members: [only], votersOutgoing: [] }),
  }
  await options.logStore.write({
    ...(replacedBy === null ? {} : { resetTo: positionOf(replacedBy) }),
    hardState: { currentTerm: term, votedFor: null },
    entries: [entry],
    identity: { ...identity, nonce: randomId(), bootstrapDigest: '' },
  })
}
