// What the calls of a node take and give: options, results, and the checks that all of them share. Durations are ms.
import type { LogIndex, NodeId, Term } from '../core/types.js'
import { isOptions, refuse } from './option-checks.js'

/** Common to every call that waits. */
export interface CallOptions {
  /** Ends the call with RAFT_ABORTED; the error's `outcome` tells whether a command may still be applied. */
  signal?: AbortSignal | undefined
  /** Covers the whole call; `Infinity` for none. @defaultValue 5000 for propose and read; none for `ready`, `writable` and `waitFor` */
  timeoutMs?: number | undefined
}

/** Options of `propose` and `proposeMany`. */
export interface ProposeOptions extends CallOptions {}

/** `linearizable`: a ReadIndex round, shared by all waiting reads (thesis §6.4); `local`: this node's state as it is. */
export type ReadConsistency = 'linearizable' | 'local'

export interface ReadOptions extends CallOptions {
  /** On any node. @defaultValue 'linearizable' */
  consistency?: ReadConsistency | undefined
  /** Waits until this index is applied here: read-your-writes with the `index` of a `propose`. */
  minIndex?: LogIndex | undefined
  /** `local` only: rejects with RAFT_STALE when this state is older than that, ms (F21). */
  maxStalenessMs?: number | undefined
}

/** What a proposal became: its place in the log and what the state machine returned. */
export interface Proposed<Result> {
  readonly index: LogIndex
  readonly term: Term
  readonly result: Result
}

export interface ReadResult<T> {
  readonly value: T
  /** The index applied when the query ran. */
  readonly index: LogIndex
}

/** Deadline of propose and read where the call names none, ms. */
export const DEFAULT_CALL_TIMEOUT_MS = 5_000

/** A call's options with its defaults filled in. */
export interface ResolvedCallOptions {
  readonly signal: AbortSignal | undefined
  readonly timeoutMs: number
}

/** Options of `stop`. */
export interface StopOptions {
  /** A leader hands over first, for at most this long, ms; 0 to stop at once. @defaultValue 2 × electionTimeoutMs */
  transferMs?: number | undefined
}

/** @throws RaftError RAFT_INVALID_OPTION */
export function resolveStopOptions(options: StopOptions, electionTimeoutMs: number): { readonly transferMs: number } {
  checkKeys(options, ['transferMs'])
  const { transferMs = 2 * electionTimeoutMs } = options
  if (Number.isFinite(transferMs) && transferMs >= 0) return { transferMs }
  return refuse(`transferMs is ${String(transferMs)}: use a finite number of milliseconds from 0`)
}

/** Options of the calls that bring members in. */
export interface MembershipOptions extends CallOptions {
  /** How far a member that is to vote is in the leader's log; about once in a heartbeat interval while it catches up. */
  onProgress?:
    | ((progress: { readonly id: NodeId; readonly matchIndex: LogIndex; readonly lastIndex: LogIndex }) => void)
    | undefined
  /** Skips the check that the change leaves a reachable quorum. @defaultValue false */
  force?: boolean | undefined
}

export interface ResolvedMembershipOptions extends ResolvedCallOptions {
  readonly onProgress: NonNullable<MembershipOptions['onProgress']> | undefined
  readonly force: boolean
}

/** @throws RaftError RAFT_INVALID_OPTION */
export function resolveMembershipOptions(options: MembershipOptions): ResolvedMembershipOptions {
  checkKeys(options, [...CALL_KEYS, 'onProgress', 'force'])
  const { onProgress, force = false } = options
  if (onProgress !== undefined && typeof onProgress !== 'function') refuse('onProgress is not a function')
  if (typeof force !== 'boolean') refuse(`force is ${String(force)}: use true or false`)
  return { ...resolveCommon(options, Number.POSITIVE_INFINITY), onProgress, force }
}

const CALL_KEYS: readonly string[] = ['signal', 'timeoutMs']
const READ_KEYS: readonly string[] = [...CALL_KEYS, 'consistency', 'minIndex', 'maxStalenessMs']

/** @throws RaftError RAFT_INVALID_OPTION */
export function resolveCallOptions(options: CallOptions, defaultTimeoutMs: number): ResolvedCallOptions {
  checkKeys(options, CALL_KEYS)
  return resolveCommon(options, defaultTimeoutMs)
}

export interface ResolvedReadOptions extends ResolvedCallOptions {
  readonly consistency: ReadConsistency
  readonly minIndex: LogIndex
  /** Infinity where any age will do. */
  readonly maxStalenessMs: number
}

/** @throws RaftError RAFT_INVALID_OPTION */
export function resolveReadOptions(options: ReadOptions): ResolvedReadOptions {
  checkKeys(options, READ_KEYS)
  const { consistency = 'linearizable', minIndex = 0, maxStalenessMs = Number.POSITIVE_INFINITY } = options
  if (consistency !== 'linearizable' && consistency !== 'local') {
    refuse(`consistency is '${String(consistency)}': use 'linearizable' or 'local'`)
  }
  if (!Number.isSafeInteger(minIndex) || minIndex < 0) {
    refuse(`minIndex is ${String(minIndex)}: use an index, a whole number from 0`)
  }
  checkDuration('maxStalenessMs', maxStalenessMs)
  if (options.maxStalenessMs !== undefined && consistency !== 'local') {
    refuse("maxStalenessMs belongs to a 'local' read: a linearizable one is never stale")
  }
  return { ...resolveCommon(options, DEFAULT_CALL_TIMEOUT_MS), consistency, minIndex, maxStalenessMs }
}

function resolveCommon(options: CallOptions, defaultTimeoutMs: number): ResolvedCallOptions {
  const { signal, timeoutMs = defaultTimeoutMs } = options
  checkDuration('timeoutMs', timeoutMs)
  if (signal !== undefined && typeof (signal as AbortSignal | null)?.addEventListener !== 'function')
    refuse('signal is not an AbortSignal')
  return { signal, timeoutMs }
}

function checkDuration(name: string, value: number): void {
  if (typeof value === 'number' && value >= 0) return
  refuse(`${name} is ${String(value)}: use a number of milliseconds from 0, or Infinity`)
}

function checkKeys(options: object, known: readonly string[]): void {
  if (!isOptions(options)) {
    refuse(`the options of a call are an object, not ${Array.isArray(options) ? 'an array' : String(options)}`)
  }
  for (const key of Object.keys(options)) {
    if (!known.includes(key)) refuse(`a call has no option '${key}': it has ${known.join(', ')}`)
  }
}
