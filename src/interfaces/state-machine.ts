// What an application implements: the replicated state. One caller, in log order.
import type { LogIndex, SnapshotMeta, Term } from '../core/types.js'

export type { SnapshotMeta } from '../core/types.js'

export interface ApplyContext {
  readonly index: LogIndex
  readonly term: Term
  /** Leader's wall clock at append, ms since 1970, never decreasing along the log: the only clock that `apply` may read. */
  readonly timestamp: number
}

export interface SnapshotContext {
  readonly index: LogIndex
  readonly term: Term
  readonly signal: AbortSignal
}

/** The replicated application. Called by one caller, in log order; never concurrently with `restore`. */
export interface StateMachine<Command = Uint8Array, Result = unknown> {
  /**
   * MUST be deterministic: no clock but `context.timestamp`, no randomness, no I/O whose outcome can differ. A thrown
   * error stops the node (`RAFT_STATE_MACHINE`); to refuse a command, return a value. `command` is always decoded from
   * the log, also on the leader. Runs again after each start for what the last snapshot does not hold.
   */
  readonly apply: (command: Command, context: ApplyContext) => Result | Promise<Result>
  /**
   * Streams the state as of the call. Until a returned promise resolves `apply` waits; while the chunks are pulled it
   * goes on. The first chunk is pulled in the turn in which the iterable is had.
   */
  snapshot(context: SnapshotContext): AsyncIterable<Uint8Array> | Promise<AsyncIterable<Uint8Array>>
  /** Replaces the whole state. On rejection the old state must be intact. */
  restore(chunks: AsyncIterable<Uint8Array>, meta: SnapshotMeta): Promise<void>
}
