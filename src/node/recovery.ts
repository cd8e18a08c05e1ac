// From closed stores to what a core begins with: what survived, who this node is, the state that the snapshot holds, and
// the raised boot counter, durable before anybody hears of the node (design §4, restart; F29). Closes what it opened when
// it fails.
import { readConfiguration } from '../core/configuration-codec.js'
import type { RestoredState } from '../core/state.js'
import type { Configuration, LogEntry, LogIndex } from '../core/types.js'
import { RaftError } from '../errors.js'
import type { RestoredLog, StoreIdentity } from '../interfaces/log-store.js'
import type { RaftStorage } from '../interfaces/snapshot-store.js'
import type { SnapshotMeta } from '../interfaces/state-machine.js'
import { LEAVE_OFF } from './failures.js'
import { identityAtStart, isStillFounding } from './identity.js'
import type { Internals } from './internals.js'
import type { FixedOptions } from './options.js'
import { restoreLatest } from './restore-snapshot.js'

export interface Recovered {
  readonly restored: RestoredState
  readonly identity: StoreIdentity
  /** What the state machine was restored to; null where it begins empty. */
  readonly snapshot: SnapshotMeta | null
  /** How large that is; 0 for none. */
  readonly snapshotBytes: number
}

/**
 * Opens both stores and restores the state machine. `check` is called after each wait and throws when the start was
 * called off.
 * @throws RaftError RAFT_IDENTITY, RAFT_VERSION, RAFT_CORRUPTION, RAFT_STATE_MACHINE, or what the stores throw
 */
export async function recover(options: FixedOptions, internals: Internals, check: () => void): Promise<Recovered> {
  const { logStore } = options
  const opened = await logStore.open()
  try {
    check()
    checkTerms(opened)
    checkConfigurations(opened)
    const latest = await restoreLatest(options, opened, check)
    const snapshot = latest?.meta ?? null
    if (snapshot === null) checkRestoreEnded(opened)
    const resetTo = snapshot === null || holds(opened, snapshot) ? null : positionOf(snapshot)
    const base = snapshot === null ? beginning(internals) : inForceAt(snapshot)
    const known = newestIn(opened) ?? base?.configuration ?? null
    checkBeginning(opened, known)
    const identity = identityAtStart(options, { identity: opened.identity, configuration: known }, internals.makeId)
    await logStore.write(resetTo === null ? { identity } : { resetTo, identity })
    check()
    const log = resetTo === null ? opened : logAfterReset(opened, resetTo)
    const logTime = Math.max(snapshot?.lastIncludedTimestamp ?? 0, await lastTimestamp(options, log))
    check()
    const founding = isStillFounding(identity, known, options.bootstrap)
      ? (options.bootstrap?.members ?? [])
      : undefined
    const { leasePromiseMs } = identity
    const restored = { ...restoredState(log, snapshot), logTime, configuration: base, leasePromiseMs, founding }
    return { restored, identity, snapshot, snapshotBytes: latest?.sizeBytes ?? 0 }
  } catch (error) {
    await closeStores(options)
    throw error
  }
}

/** Closes both stores, and waits for both even if one fails. @throws what the first one threw */
export async function closeStores({ logStore, snapshotStore }: RaftStorage): Promise<void> {
  const results = await Promise.allSettled([logStore.close(), snapshotStore.close()])
  for (const result of results) if (result.status === 'rejected') throw result.reason
}

/** No entry is of a later term than this node has seen. @throws RaftError RAFT_CORRUPTION */
export function checkTerms({ termRuns, previousTerm, hardState }: RestoredLog): void {
  const lastTerm = termRuns.at(-1)?.term ?? previousTerm
  if (lastTerm <= hardState.currentTerm) return
  throw new RaftError(
    'RAFT_CORRUPTION',
    `the log store holds an entry of term ${lastTerm} and currentTerm ${hardState.currentTerm}, which can't be behind it: ` +
      LEAVE_OFF,
  )
}

/** The configuration that an entry of the store holds. @throws RaftError RAFT_CORRUPTION when it holds none */
export function storedConfiguration({ index, data }: Pick<LogEntry, 'index' | 'data'>): Configuration {
  const read = readConfiguration(data)
  if ('configuration' in read) return read.configuration
  throw new RaftError(
    'RAFT_CORRUPTION',
    `the log store holds a configuration at ${index} that is none (${read.problem}): ${LEAVE_OFF}`,
  )
}

/** Each configuration entry can be read. @throws RaftError RAFT_CORRUPTION */
export function checkConfigurations({ configurations }: RestoredLog): void {
  for (const entry of configurations) storedConfiguration(entry)
}

/** Every log begins with a configuration, or behind a snapshot that holds one (F25). @throws RaftError RAFT_CORRUPTION */
export function checkBeginning({ firstIndex, lastIndex }: RestoredLog, configuration: Configuration | null): void {
  if (configuration !== null || lastIndex < firstIndex) return
  throw new RaftError(
    'RAFT_CORRUPTION',
    `the log store holds entries ${firstIndex} to ${lastIndex} and no configuration, which every log begins with: ${LEAVE_OFF}`,
  )
}

/** `restoreBackup` writes its identity before its snapshot, with no boot counted yet. @throws RaftError RAFT_IDENTITY */
export function checkRestoreEnded({ identity }: RestoredLog): void {
  if (identity === null || identity.bootCount > 0) return
  throw new RaftError(
    'RAFT_IDENTITY',
    'a restore of a backup into these stores was interrupted, and nothing of its state is there: restore it again, then start',
  )
}

/** Whether the log goes on behind the snapshot: it holds its last entry, or begins just behind it. */
export function holds(log: RestoredLog, { lastIncludedIndex, lastIncludedTerm }: SnapshotMeta): boolean {
  if (lastIncludedIndex > log.lastIndex) return false
  const run = log.termRuns.findLast(({ first }) => first <= lastIncludedIndex)
  return (run?.term ?? log.previousTerm) === lastIncludedTerm
}

/** The position that a snapshot stands for. */
export function positionOf({ lastIncludedIndex: index, lastIncludedTerm: term }: SnapshotMeta): {
  index: number
  term: number
} {
  return { index, term }
}

function logAfterReset(log: RestoredLog, { index, term }: { index: number; term: number }): RestoredLog {
  return { ...log, firstIndex: index + 1, lastIndex: index, previousTerm: term, termRuns: [], configurations: [] }
}

type Held = { readonly index: LogIndex; readonly configuration: Configuration }

/** Where the log begins behind nothing: in no configuration, unless a harness says which. */
function beginning({ founding }: Internals): Held | null {
  return founding === undefined ? null : { index: 0, configuration: founding }
}

function inForceAt({ configurationIndex: index, configuration }: SnapshotMeta): Held {
  return { index, configuration }
}

/** The newest configuration in the log; null where it has none. */
function newestIn({ configurations }: RestoredLog): Configuration | null {
  const newest = configurations.at(-1)
  return newest === undefined ? null : storedConfiguration(newest)
}

function restoredState(
  { hardState, firstIndex, lastIndex, previousTerm, termRuns, configurations }: RestoredLog,
  snapshot: SnapshotMeta | null,
): Omit<RestoredState, 'logTime' | 'configuration'> {
  const lastIncludedIndex = snapshot?.lastIncludedIndex ?? 0
  const position = { firstIndex, lastIndex, previousTerm, termRuns, lastIncludedIndex }
  return { hardState, ...position, configurationEntries: configurations }
}

/** Log time goes on from the last entry (F34). */
export async function lastTimestamp(
  { logStore }: Pick<RaftStorage, 'logStore'>,
  { firstIndex, lastIndex }: RestoredLog,
): Promise<number> {
  if (lastIndex < firstIndex) return 0
  const [entry] = await logStore.read(lastIndex, lastIndex, 1)
  if (entry?.index === lastIndex) return entry.timestamp
  throw new RaftError(
    'RAFT_CORRUPTION',
    `the log store says that its last entry is ${lastIndex}, and does not have it: ${LEAVE_OFF}`,
  )
}
