// The backups that a node gives at this moment, each at its caller's pace. Bounds how many, and keeps the stores open for
// those that still read when the node stops.
import { isRaftError, RaftError } from '../errors.js'
import type { SnapshotStore } from '../interfaces/snapshot-store.js'
import { Backup } from './backup.js'
import type { ResolvedCallOptions } from './calls.js'
import type { PendingCalls } from './pending-call.js'
import type { Reads } from './reads.js'
import type { Snapshotter } from './snapshotter.js'

/** Backups that may be under way at once: each holds a snapshot of the store. */
export const MAX_BACKUPS = 16

export interface BackupsContext {
  readonly calls: PendingCalls
  readonly store: SnapshotStore
  readonly clusterId: () => string
  readonly hasLeader: () => boolean
  readonly reads: Pick<Reads, 'submit'>
  readonly snapshotter: Pick<Snapshotter, 'take' | 'replace'>
  readonly onFailed: (error: RaftError) => void
}

export class Backups {
  readonly #context: BackupsContext
  readonly #running = new Set<Promise<void>>()

  constructor(context: BackupsContext) {
    this.#context = context
  }

  /** @throws RaftError RAFT_OVERLOADED */
  begin(options: ResolvedCallOptions): Backup {
    if (this.#running.size >= MAX_BACKUPS) {
      throw new RaftError(
        'RAFT_OVERLOADED',
        `${MAX_BACKUPS} backups of this node are under way: end one, or back up another node`,
      )
    }
    const { calls, store, clusterId, hasLeader, reads, snapshotter } = this.#context
    // The backup's own call has the deadline.
    const timeoutMs = Number.POSITIVE_INFINITY
    const read = { consistency: 'linearizable', minIndex: 0, maxStalenessMs: timeoutMs, timeoutMs } as const
    const backup = new Backup(
      {
        calls,
        store,
        clusterId,
        hasLeader,
        readIndex: async (signal) => (await reads.submit(() => undefined, { ...read, signal }).promise).index,
        takeSnapshot: (index, signal) => snapshotter.take({ signal, timeoutMs }, index),
        onFailed: (error) => this.#onFailed(error),
      },
      options,
    )
    const running = backup.idle.then(() => void this.#running.delete(running))
    this.#running.add(running)
    return backup
  }

  /** When none reads the store any more; the end of the node's calls has ended them all. Never rejects. */
  async idle(): Promise<void> {
    await Promise.all(this.#running)
  }

  #onFailed(error: RaftError): void {
    // The newest snapshot can't be read: nothing but another one helps (F30).
    if (isRaftError(error, 'RAFT_CORRUPTION')) this.#context.snapshotter.replace()
    this.#context.onFailed(error)
  }
}
