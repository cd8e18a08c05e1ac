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
export interface ProposeOptions extends CallOptions {
  /**
   * Appends only in this term, else RAFT_LEADERSHIP_LOST (`rejected`): the fence of what a leader does (`onLeadership`).
   * @defaultValue in any
   */
  ifTerm?: Term | undefined
}

/** Options of `propose` and `proposeMany` of a session. */
export interface SessionProposeOptions extends ProposeOptions {
  /** Of the first command. Repeat that of a call whose outcome is unknown. @defaultValue one more than the highest so far */
  sequence?: number | undefined
}

/** Options of `openSession`. */
export interface SessionOptions extends CallOptions {
  /** 1 to 128 bytes of UTF-8; an open session of this id is resumed, from any node. @defaultValue one that is used nowhere else */
  id?: string | undefined
  /**
   * Of that session, as it said: this very one is taken up, or RAFT_SESSION_EXPIRED. With the id alone one that has expired
   * begins anew, and what is in doubt of the old one would run again. @defaultValue none
   */
  openedAt?: LogIndex | undefined
  /** Without an entry for so long of log time, ms, the session is forgotten; it counts for one that begins. @defaultValue 3 600 000 */
  ttlMs?: number | undefined
}

/**
 * `linearizable`: a ReadIndex round, shared by all waiting reads (thesis §6.4). `lease`: no round where the leader holds a lease, else
 * one; as fresh as that, as long as no clock runs faster or slower than another by more than `maxClockDriftRatio`. `local`: this
 * node's state as it is.
 */
export type ReadConsistency = 'linearizable' | 'lease' | 'local'

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
const PROPOSE_KEYS: readonly string[] = [...CALL_KEYS, 'ifTerm']
const READ_KEYS: readonly string[] = [...CALL_KEYS, 'consistency', 'minIndex', 'maxStalenessMs']

/** @throws RaftError RAFT_INVALID_OPTION */
export function resolveCallOptions(options: CallOptions, defaultTimeoutMs: number): ResolvedCallOptions {
  checkKeys(options, CALL_KEYS)
  return resolveCommon(options, defaultTimeoutMs)
}

export interface ResolvedProposeOptions extends ResolvedCallOptions {
  readonly ifTerm?: Term | undefined
}

/** @throws RaftError RAFT_INVALID_OPTION */
export function resolveProposeOptions(options: ProposeOptions): ResolvedProposeOptions {
  checkKeys(options, PROPOSE_KEYS)
  const { ifTerm } = options
  if (ifTerm !== undefined && !(Number.isSafeInteger(ifTerm) && ifTerm >= 0))
    refuse(`ifTerm is ${String(ifTerm)}: use a term, a whole number from 0`)
  return { ...resolveCommon(options, DEFAULT_CALL_TIMEOUT_MS), ifTerm }
}

export interface ResolvedSessionProposeOptions extends ResolvedProposeOptions {
  readonly sequence: number | undefined
}

/** @throws RaftError RAFT_INVALID_OPTION */
export function resolveSessionProposeOptions(options: SessionProposeOptions): ResolvedSessionProposeOptions {
  checkKeys(options, [...PROPOSE_KEYS, 'sequence'])
  const { sequence, ...rest } = options
  if (sequence !== undefined && !(Number.isSafeInteger(sequence) && sequence >= 1)) {
    refuse(`sequence is ${String(sequence)}: use a whole number from 1`)
  }
  return { ...resolveProposeOptions(rest), sequence }
}

/** @defaultValue of `ttlMs`: one hour */
const DEFAULT_TTL_MS = 3_600_000

export interface ResolvedSessionOptions extends ResolvedCallOptions {
  readonly id: string | undefined
  /** 0 for any. */
  readonly openedAt: LogIndex
  readonly ttlMs: number
}

/** @throws RaftError RAFT_INVALID_OPTION */
export function resolveSessionOptions(options: SessionOptions): ResolvedSessionOptions {
  checkKeys(options, [...CALL_KEYS, 'id', 'openedAt', 'ttlMs'])
  const { id, openedAt, ttlMs = DEFAULT_TTL_MS } = options
  if (openedAt !== undefined && !(Number.isSafeInteger(openedAt) && openedAt >= 1 && id !== undefined)) {
    refuse(`openedAt is ${String(openedAt)}: use what the session said, with its id`)
  }
  if (!(typeof ttlMs === 'number' && Number.isFinite(ttlMs) && ttlMs > 0)) {
    refuse(`ttlMs is ${String(ttlMs)}: use a number of milliseconds above 0`)
  }
  return { ...resolveCommon(options, DEFAULT_CALL_TIMEOUT_MS), id, openedAt: openedAt ?? 0, ttlMs }
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
  if (consistency !== 'linearizable' && consistency !== 'lease' && consistency !== 'local') {
    refuse(`consistency is '${String(consistency)}': use 'linearizable', 'lease' or 'local'`)
  }
  if (!Number.isSafeInteger(minIndex) || minIndex < 0) {
    refuse(`minIndex is ${String(minIndex)}: use an index, a whole number from 0`)
  }
  checkDuration('maxStalenessMs', maxStalenessMs)
  if (options.maxStalenessMs !== undefined && consistency !== 'local') {
    refuse(`maxStalenessMs belongs to a 'local' read: a '${consistency}' one is never stale`)
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
