// The state machine gets back what the latest snapshot holds, before anything else is applied (F29, F30). A damaged
// snapshot replaces nothing: where the log still holds everything it is replayed instead, else the node does not start.
import { configurationProblem } from '../core/configuration.js'
import { isRaftError, RaftError } from '../errors.js'
import type { RestoredLog } from '../interfaces/log-store.js'
import type { StoredSnapshot } from '../interfaces/snapshot-store.js'
import type { SnapshotMeta } from '../interfaces/state-machine.js'
import { LEAVE_OFF, storeError, textOf } from './failures.js'
import type { FixedOptions } from './options.js'
import { ignore } from './promises.js'

/**
 * Restores the latest snapshot. Null where there is none, or a damaged one that nothing depends on.
 * @throws RaftError RAFT_CORRUPTION, RAFT_STATE_MACHINE, or what the store throws
 */
export async function restoreLatest(
  options: FixedOptions,
  log: RestoredLog,
  check: () => void,
): Promise<StoredSnapshot | null> {
  const snapshot = await unlessDamaged(options, log, () => options.snapshotStore.latest())
  check()
  checkPosition(log, snapshot)
  if (snapshot === null) return null
  checkMeta(log, snapshot.meta)
  const restored = await unlessDamaged(options, log, () => restore(options, snapshot, 'the node does not start'))
  check()
  return restored
}

/** A log that begins at 1 was never reset to a snapshot nor compacted behind one: it is all that is needed. */
export function isReplacedByLog(error: unknown, { firstIndex }: RestoredLog): error is RaftError {
  return isRaftError(error, 'RAFT_CORRUPTION') && firstIndex === 1
}

async function unlessDamaged<T>(
  { id, logger }: FixedOptions,
  log: RestoredLog,
  read: () => Promise<T>,
): Promise<T | null> {
  try {
    return await read()
  } catch (error) {
    if (!isReplacedByLog(error, log)) throw error
    logger.warn({ node: id, reason: error.message }, 'Snapshot damaged, replaying the whole log')
    return null
  }
}

/** Nothing may lie between the snapshot and the log. @throws RaftError RAFT_CORRUPTION */
export function checkPosition({ firstIndex }: RestoredLog, snapshot: StoredSnapshot | null): void {
  const held = snapshot?.meta.lastIncludedIndex ?? 0
  if (firstIndex - 1 <= held) return
  const what = snapshot === null ? 'there is no snapshot' : `the latest snapshot ends at ${held}`
  throw new RaftError(
    'RAFT_CORRUPTION',
    `the log begins at index ${firstIndex} and ${what}, so what lies between is missing: ${LEAVE_OFF}`,
  )
}

/** The snapshot is of a term that this node has seen, and of a configuration that can be. @throws RaftError RAFT_CORRUPTION */
export function checkMeta({ hardState }: RestoredLog, meta: SnapshotMeta): void {
  const { lastIncludedIndex, lastIncludedTerm, configuration } = meta
  const problem =
    lastIncludedTerm > hardState.currentTerm
      ? `it is of term ${lastIncludedTerm}, and currentTerm is ${hardState.currentTerm}`
      : configurationProblem(configuration)
  if (problem === null) return
  throw new RaftError(
    'RAFT_CORRUPTION',
    `the snapshot of index ${lastIncludedIndex} can't be: ${problem}: ${LEAVE_OFF}`,
  )
}

/**
 * The state machine takes the state of the snapshot over. `consequence` says what becomes of the node if it can't.
 * @throws RaftError RAFT_CORRUPTION, RAFT_STATE_MACHINE, or what the store throws
 */
export async function restore(
  { stateMachine }: Pick<FixedOptions, 'stateMachine'>,
  snapshot: StoredSnapshot,
  consequence: string,
): Promise<StoredSnapshot> {
  const { meta } = snapshot
  const watched = new WatchedChunks(snapshot)
  try {
    await stateMachine.restore(watched.chunks(), structuredClone(meta))
  } catch (error) {
    await watched.close()
    if (watched.failure !== null) throw watched.failure
    throw restoreError({ meta, consequence }, textOf(error), error)
  }
  const hadFailed = watched.failure !== null
  await watched.readOn()
  if (watched.failure === null) return snapshot
  // It may have taken half of it for the whole, or what is damaged for sound: nothing could be applied to that.
  const what = hadFailed
    ? 'it went on although its chunks had failed'
    : 'it did not read to the end of one that is damaged'
  throw restoreError({ meta, consequence }, `${what} (${watched.failure.message})`, watched.failure)
}

/** Tells a snapshot that can't be read from a state machine that can't take it. */
class WatchedChunks {
  failure: RaftError | null = null
  readonly #iterator: AsyncIterator<Uint8Array>
  #isAtEnd = false

  constructor(snapshot: StoredSnapshot) {
    this.#iterator = snapshot.read()[Symbol.asyncIterator]()
  }

  async *chunks(): AsyncGenerator<Uint8Array> {
    for (let chunk = await this.#next(); chunk !== null; chunk = await this.#next()) yield chunk
    if (this.failure !== null) throw this.failure as RaftError
  }

  /** What the state machine left is looked at too: only at its end is it known that a snapshot is intact (F30). */
  async readOn(): Promise<void> {
    while ((await this.#next()) !== null);
  }

  /** Lets the store's read go. Never rejects. */
  async close(): Promise<void> {
    if (this.#isAtEnd) return
    this.#isAtEnd = true
    await this.#iterator.return?.().catch(ignore)
  }

  async #next(): Promise<Uint8Array | null> {
    if (this.#isAtEnd) return null
    try {
      const { done, value } = await this.#iterator.next()
      if (done !== true) return value
    } catch (error) {
      this.failure = storeError(error)
    }
    this.#isAtEnd = true
    return null
  }
}

function restoreError(
  { meta, consequence }: { readonly meta: SnapshotMeta; readonly consequence: string },
  text: string,
  cause: unknown,
): RaftError {
  return new RaftError(
    'RAFT_STATE_MACHINE',
    `the state machine could not be restored from the snapshot of index ${meta.lastIncludedIndex}: ${text}; ${consequence}, ` +
      'because nothing can be applied to another state: fix the state machine, then restart',
    { cause },
  )
}
