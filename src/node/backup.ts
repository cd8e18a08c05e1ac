// One backup on its way out of a node (F49): a linearizable read, a snapshot of this node that holds the index of that read,
// then the snapshot's bytes from the store. The caller sets the pace; whatever ends the backup, its deadline, its signal or
// the node, ends it in the middle of a wait too, and lets the snapshot go. Sources: H51, H61.
import { BackupEncoder } from '../codec/backup-format.js'
import type { LogIndex } from '../core/types.js'
import { isRaftError, RaftError } from '../errors.js'
import type { SnapshotStore } from '../interfaces/snapshot-store.js'
import type { SnapshotMeta } from '../interfaces/state-machine.js'
import type { ResolvedCallOptions } from './calls.js'
import { ChunkReader } from './chunk-reader.js'
import { textOf } from './failures.js'
import { type EndReason, PendingCall, type PendingCalls } from './pending-call.js'
import { ignore } from './promises.js'

/** State in a chunk, bytes: small, because its digest is computed within one turn. */
export const BACKUP_CHUNK_BYTES: number = 256 * 1024
/** A snapshot may be replaced by a newer one in the moment before it is read: then that one is read, so often at most. */
const OPEN_ATTEMPTS = 8

export interface BackupContext {
  readonly calls: PendingCalls
  readonly store: SnapshotStore
  readonly clusterId: () => string
  readonly hasLeader: () => boolean
  /** Resolves with an index that holds all that was acknowledged before, applied here. */
  readonly readIndex: (signal: AbortSignal) => Promise<LogIndex>
  /** Resolves when this node has a durable snapshot of that index or a later one. */
  readonly takeSnapshot: (index: LogIndex, signal: AbortSignal) => Promise<unknown>
  /** It rejected with that, for another reason than its call's end. */
  readonly onFailed: (error: RaftError) => void
}

/** What the backup is waiting for, for the message of an early end. */
type Stage = 'read' | 'snapshot' | 'chunks'

const DONE: IteratorResult<Uint8Array, undefined> = { done: true, value: undefined }

export class Backup implements AsyncIterator<Uint8Array, undefined> {
  /** When nothing of it reads the store any more. Never rejects. */
  readonly idle: Promise<void>
  readonly #context: BackupContext
  readonly #abort = new AbortController()
  readonly #call: BackupCall
  readonly #bytes: AsyncGenerator<Uint8Array, undefined>
  #stage: Stage = 'read'
  /** The values that are asked for come one after the other. */
  #last: Promise<unknown> = Promise.resolve()
  /** Ends the wait for a value; null while nobody waits. */
  #endWait: ((end: Promise<IteratorResult<Uint8Array, undefined>>) => void) | null = null
  /** Told to who asks next, once. */
  #failure: { readonly error: unknown } | null = null
  #isEnded = false
  #release: () => void = ignore

  constructor(context: BackupContext, options: ResolvedCallOptions) {
    this.#context = context
    this.idle = new Promise((resolve) => {
      this.#release = resolve
    })
    this.#bytes = this.#produce()
    this.#call = new BackupCall(context.calls, options, (reason) => this.#describeEnd(reason))
    this.#call.promise.then(
      () => this.#end(null),
      (error: unknown) => this.#end({ error }),
    )
  }

  next(): Promise<IteratorResult<Uint8Array, undefined>> {
    const result = this.#last.then(() => this.#step())
    this.#last = result.catch(ignore)
    return result
  }

  /** Resolves at once, also while a value is waited for: that wait ends as `done`. */
  async return(): Promise<IteratorResult<Uint8Array, undefined>> {
    this.#failure = null
    this.#call.resolve(undefined)
    await this.#call.promise.catch(ignore)
    return DONE
  }

  #step(): Promise<IteratorResult<Uint8Array, undefined>> {
    const failure = this.#failure
    this.#failure = null
    if (failure !== null) return Promise.reject(failure.error as Error)
    if (this.#isEnded) return Promise.resolve(DONE)
    // About to be ended: what ended it is told.
    if (this.#call.isSettled) return this.#call.promise.catch(ignore).then(() => this.#step())
    return new Promise((resolve) => {
      this.#endWait = resolve
      void this.#bytes.next().then(
        (result) => this.#came(result, resolve),
        (error: unknown) => this.#failed(error),
      )
    })
  }

  #came(
    result: IteratorResult<Uint8Array, undefined>,
    resolve: (result: IteratorResult<Uint8Array, undefined>) => void,
  ): void {
    if (this.#call.isSettled) return
    this.#endWait = null
    if (result.done === true) this.#call.resolve(undefined)
    resolve(result)
  }

  #failed(error: unknown): void {
    if (this.#call.isSettled) return
    const failure = isRaftError(error) ? error : storeFailure(error)
    this.#context.onFailed(failure)
    this.#call.reject(failure)
  }

  /** Once: whoever waits is told, what is held is let go. */
  #end(failure: { readonly error: unknown } | null): void {
    this.#isEnded = true
    this.#abort.abort()
    // A read of the store that hangs is waited for by `idle` alone.
    void this.#bytes.return(undefined).then(this.#release, this.#release)
    const endWait = this.#endWait
    this.#endWait = null
    if (endWait === null) this.#failure = failure
    else endWait(failure === null ? Promise.resolve(DONE) : Promise.reject(failure.error as Error))
  }

  async *#produce(): AsyncGenerator<Uint8Array, undefined> {
    const { readIndex, takeSnapshot, clusterId } = this.#context
    const { signal } = this.#abort
    const index = await readIndex(signal)
    this.#stage = 'snapshot'
    await takeSnapshot(index, signal)
    this.#stage = 'chunks'
    const { reader, meta } = await this.#open(index)
    try {
      const encoder = new BackupEncoder()
      yield encoder.begin({ clusterId: clusterId(), meta })
      for (;;) {
        const chunk = await reader.next(BACKUP_CHUNK_BYTES)
        if (chunk.length === 0) break
        yield encoder.chunk(chunk)
      }
      yield encoder.end()
    } finally {
      await reader.close()
    }
  }

  /** A read of the newest snapshot, begun, so that it stays. */
  async #open(index: LogIndex): Promise<{ readonly reader: ChunkReader; readonly meta: SnapshotMeta }> {
    for (let attempt = 1; ; attempt++) {
      const snapshot = await this.#context.store.latest()
      const held = snapshot?.meta.lastIncludedIndex ?? 0
      if (snapshot === null || held < index) {
        const text = `the snapshot store holds index ${held} after a snapshot of index ${index} was taken`
        throw new RaftError('RAFT_CORRUPTION', `${text}: check the store and its disk, or back up another node`)
      }
      const reader = new ChunkReader(snapshot)
      try {
        await reader.seek(0)
        return { reader, meta: snapshot.meta }
      } catch (error) {
        await reader.close()
        if (!isRaftError(error, 'RAFT_STALE') || attempt === OPEN_ATTEMPTS) throw error
      }
    }
  }

  #describeEnd(reason: EndReason): RaftError {
    const what = 'the backup is not complete, throw away what came of it'
    if (reason === 'aborted') return new RaftError('RAFT_ABORTED', `aborted: ${what}`)
    if (reason === 'stopped')
      return new RaftError('RAFT_STOPPED', `the node stopped: ${what}, and back up another node`)
    if (this.#stage === 'read' && !this.#context.hasLeader()) {
      return new RaftError('RAFT_NO_LEADER', `the deadline passed and no leader is known, so no backup was begun`)
    }
    const waits = { read: 'a linearizable read', snapshot: 'a snapshot of this node', chunks: 'the last chunk' }
    return new RaftError('RAFT_TIMEOUT', `the deadline passed while waiting for ${waits[this.#stage]}: ${what}`)
  }
}

function storeFailure(error: unknown): RaftError {
  const text = `the snapshot store failed: ${textOf(error)}; the node goes on: back up again, or another node`
  return new RaftError('RAFT_STORAGE', text, { cause: error })
}

/** Deadline, signal and end of the node, for the whole of a backup. */
class BackupCall extends PendingCall<undefined> {
  readonly #describe: (reason: EndReason) => RaftError

  constructor(calls: PendingCalls, options: ResolvedCallOptions, describe: (reason: EndReason) => RaftError) {
    super(calls, options)
    this.#describe = describe
  }

  override endError(reason: EndReason, cause: unknown): RaftError {
    const { code, message } = this.#describe(reason)
    return new RaftError(code, message, { cause })
  }
}
