// Calls of `takeSnapshot` that wait, each for a snapshot that holds what was applied when it came.
import type { LogIndex } from '../core/types.js'
import { RaftError } from '../errors.js'
import type { SnapshotMeta } from '../interfaces/state-machine.js'
import type { ResolvedCallOptions } from './calls.js'
import { type EndReason, PendingCall, type PendingCalls } from './pending-call.js'

/** Calls of `takeSnapshot` that may wait at once. */
export const MAX_SNAPSHOT_CALLS = 1_024

/** One call. */
export class SnapshotCall extends PendingCall<SnapshotMeta> {
  readonly wantedIndex: LogIndex
  readonly #remove: (call: SnapshotCall) => void

  constructor(
    calls: PendingCalls,
    options: ResolvedCallOptions,
    wanted: { readonly index: LogIndex; readonly remove: (call: SnapshotCall) => void },
  ) {
    super(calls, options)
    this.wantedIndex = wanted.index
    this.#remove = wanted.remove
  }

  override endError(reason: EndReason, cause: unknown): RaftError {
    const what = `a snapshot of index ${this.wantedIndex} or later`
    const options = { cause }
    if (reason === 'aborted')
      return new RaftError('RAFT_ABORTED', `aborted while waiting for ${what}; it may still be taken`, options)
    if (reason === 'stopped')
      return new RaftError('RAFT_STOPPED', `the node stopped while waiting for ${what}`, options)
    return new RaftError(
      'RAFT_TIMEOUT',
      `the deadline passed while waiting for ${what}; it may still be taken`,
      options,
    )
  }

  protected override onSettled(): void {
    this.#remove(this)
  }
}

export class SnapshotCalls {
  readonly #pending: PendingCalls
  readonly #calls = new Set<SnapshotCall>()

  constructor(pending: PendingCalls) {
    this.#pending = pending
  }

  /** @throws RaftError RAFT_OVERLOADED */
  add(options: ResolvedCallOptions, wantedIndex: LogIndex): SnapshotCall {
    if (this.#calls.size >= MAX_SNAPSHOT_CALLS) {
      throw new RaftError(
        'RAFT_OVERLOADED',
        `${MAX_SNAPSHOT_CALLS} calls wait for a snapshot on this node: wait for fewer`,
      )
    }
    const remove = (settled: SnapshotCall) => void this.#calls.delete(settled)
    const call = new SnapshotCall(this.#pending, options, { index: wantedIndex, remove })
    if (!call.isSettled) this.#calls.add(call)
    return call
  }

  /** Whether a snapshot of `index` would answer somebody. */
  isWanted(index: LogIndex): boolean {
    for (const { wantedIndex } of this.#calls) if (wantedIndex <= index) return true
    return false
  }

  /** Those that a snapshot of `index` answers: they want no other one, and are for the caller to settle. */
  take(index: LogIndex): readonly SnapshotCall[] {
    const answered = [...this.#calls].filter((call) => call.wantedIndex <= index)
    for (const call of answered) this.#calls.delete(call)
    return answered
  }
}
