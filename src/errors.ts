// Every error that an operating condition can cause: a code that never changes, an outcome that never lies, and
// whether the same call may simply be made again. Programmer errors inside the core are InvariantViolation instead.
import type { Member } from './core/types.js'

export type RaftErrorCode =
  | 'RAFT_NOT_LEADER'
  | 'RAFT_NO_LEADER'
  | 'RAFT_LEADERSHIP_LOST'
  | 'RAFT_TIMEOUT'
  | 'RAFT_ABORTED'
  | 'RAFT_OVERLOADED'
  | 'RAFT_TOO_LARGE'
  | 'RAFT_STOPPED'
  | 'RAFT_TRANSFERRING'
  | 'RAFT_STALE'
  | 'RAFT_CONFIGURATION_PENDING'
  | 'RAFT_INVALID_CONFIGURATION'
  | 'RAFT_INVALID_OPTION'
  | 'RAFT_SESSION_EXPIRED'
  | 'RAFT_IDENTITY'
  | 'RAFT_NOT_MEMBER'
  | 'RAFT_VERSION'
  | 'RAFT_STATE_MACHINE'
  | 'RAFT_STORAGE'
  | 'RAFT_LOCKED'
  | 'RAFT_CORRUPTION'
  | 'RAFT_INVARIANT'

/** Codes after which the same call may succeed as it is, provided that nothing was applied. */
const RETRYABLE: ReadonlySet<RaftErrorCode> = new Set<RaftErrorCode>([
  'RAFT_NOT_LEADER',
  'RAFT_NO_LEADER',
  'RAFT_LEADERSHIP_LOST',
  'RAFT_TIMEOUT',
  'RAFT_OVERLOADED',
  'RAFT_TRANSFERRING',
  'RAFT_STALE',
  'RAFT_CONFIGURATION_PENDING',
])

const BRAND: unique symbol = Symbol.for('helios-raft/RaftError')

export interface RaftErrorOptions {
  cause?: unknown
  /** @defaultValue 'rejected' */
  outcome?: 'rejected' | 'unknown' | undefined
  /** @defaultValue what the code implies; always false when the outcome is unknown */
  retryable?: boolean | undefined
  leader?: Member | null | undefined
  sequence?: number | undefined
}

/** Thrown by nodes, stores, transports and tools alike. */
export class RaftError extends Error {
  readonly code: RaftErrorCode
  /** `rejected`: the command was not and will not be applied. `unknown`: it may be; only a lookup or a session tells. */
  readonly outcome: 'rejected' | 'unknown'
  /** True when the same call may simply be made again, here or elsewhere. Never true when `outcome` is `unknown`. */
  readonly retryable: boolean
  /** The leader as far as known when it was thrown. */
  readonly leader: Member | null
  /** Of a session's propose: the number to repeat. */
  declare readonly sequence?: number

  constructor(code: RaftErrorCode, message: string, options: RaftErrorOptions = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause })
    this.name = 'RaftError'
    this.code = code
    this.outcome = options.outcome ?? 'rejected'
    this.retryable = this.outcome === 'rejected' && (options.retryable ?? RETRYABLE.has(code))
    this.leader = options.leader ?? null
    if (options.sequence !== undefined) this.sequence = options.sequence
    Object.defineProperty(this, BRAND, { value: true })
  }
}

/** RAFT_NOT_LEADER: the call needs the leader, which `leader` names where it is known. */
export class NotLeaderError extends RaftError {
  constructor(message: string, options: RaftErrorOptions = {}) {
    super('RAFT_NOT_LEADER', message, options)
    this.name = 'NotLeaderError'
  }
}

/** Narrows by brand, not by class, so that it holds across copies of the package. Without codes: any RaftError. */
export function isRaftError<C extends RaftErrorCode = RaftErrorCode>(
  error: unknown,
  ...codes: readonly C[]
): error is RaftError & { readonly code: C } {
  if (typeof error !== 'object' || error === null || !(BRAND in error)) return false
  return codes.length === 0 || codes.includes((error as unknown as RaftError).code as C)
}
