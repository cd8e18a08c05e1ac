// From closed stores to what a core begins with: what survived, who this node is, and the raised boot counter, durable
// before anybody hears of the node (design §4, restart). Closes what it opened when it fails.
import type { RestoredState } from '../core/state.js'
import { RaftError } from '../errors.js'
import type { RestoredLog, StoreIdentity } from '../interfaces/log-store.js'
import { identityAtStart } from './identity.js'
import type { ResolvedOptions } from './options.js'

export interface Recovered {
  readonly restored: RestoredState
  readonly identity: StoreIdentity
}

/**
 * Opens both stores. `check` is called after each wait and throws when the start was called off.
 * @throws RaftError RAFT_IDENTITY, RAFT_VERSION, RAFT_CORRUPTION, or what the stores throw
 */
export async function recover(options: ResolvedOptions, check: () => void): Promise<Recovered> {
  const { logStore, snapshotStore } = options
  const log = await logStore.open()
  try {
    check()
    const snapshot = await snapshotStore.latest()
    check()
    if (snapshot !== null || log.firstIndex > 1) throw snapshotError(options, log)
    const logTime = await lastTimestamp(options, log)
    check()
    const restored = restoredState(options, log, logTime)
    const isUsed = log.lastIndex > 0 || log.hardState.currentTerm > 0
    const identity = identityAtStart(options, { identity: log.identity, isUsed })
    await logStore.write({ identity })
    check()
    return { restored, identity }
  } catch (error) {
    await closeStores(options)
    throw error
  }
}

/** Closes both stores, and waits for both even if one fails. @throws what the first one threw */
export async function closeStores({ logStore, snapshotStore }: ResolvedOptions): Promise<void> {
  const results = await Promise.allSettled([logStore.close(), snapshotStore.close()])
  for (const result of results) if (result.status === 'rejected') throw result.reason
}

function restoredState(options: ResolvedOptions, log: RestoredLog, logTime: number): RestoredState {
  const { hardState, firstIndex, lastIndex, previousTerm, termRuns } = log
  const lastTerm = termRuns.at(-1)?.term ?? previousTerm
  if (lastTerm > hardState.currentTerm) {
    throw new RaftError(
      'RAFT_CORRUPTION',
      `the log store holds an entry of term ${lastTerm} and currentTerm ${hardState.currentTerm}, which can't be behind it: ` +
        'leave this node off and its directory as it is, the majority goes on without it',
    )
  }
  return {
    hardState,
    firstIndex,
    lastIndex,
    previousTerm,
    termRuns,
    logTime,
    configuration: options.bootstrap === null ? null : { index: 0, configuration: options.bootstrap },
  }
}

/** Log time goes on from the last entry (F34). */
async function lastTimestamp({ logStore }: ResolvedOptions, { firstIndex, lastIndex }: RestoredLog): Promise<number> {
  if (lastIndex < firstIndex) return 0
  const [entry] = await logStore.read(lastIndex, lastIndex, 1)
  if (entry?.index === lastIndex) return entry.timestamp
  throw new RaftError(
    'RAFT_CORRUPTION',
    `the log store says that its last entry is ${lastIndex}, and does not have it: leave this node off and its directory as it is, the majority goes on without it`,
  )
}

function snapshotError(options: ResolvedOptions, { firstIndex }: RestoredLog): RaftError {
  const begins = firstIndex > 1 ? `, and its log begins at index ${firstIndex}` : ''
  return new RaftError(
    'RAFT_VERSION',
    `the store of '${options.id}' holds a snapshot${begins}, which this version does not restore: use the version that wrote it`,
  )
}
