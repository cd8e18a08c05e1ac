// How what went wrong becomes the RaftError that ends a node: one code for each kind, and the cause kept (F31).
import { InvariantViolation } from '../core/assert.js'
import { isRaftError, RaftError } from '../errors.js'

/** What to do with a node whose directory can't be trusted; behind a colon. */
export const LEAVE_OFF = 'leave this node off and its directory as it is, the majority goes on without it'

/** The log store failed. A store's own RaftError says more than we could. */
export function storeError(error: unknown): RaftError {
  if (isRaftError(error)) return error
  return new RaftError(
    'RAFT_STORAGE',
    `the store failed: ${textOf(error)}; the node stops, because a failed write or read is never tried again: fix the ` +
      'disk, then restart',
    { cause: error },
  )
}

/** The core, or what carries its Outputs out, found itself wrong. */
export function invariantError(error: unknown): RaftError {
  if (isRaftError(error)) return error
  const kind = error instanceof InvariantViolation ? 'an invariant of the protocol is broken' : 'the driver failed'
  return new RaftError(
    'RAFT_INVARIANT',
    `${kind}: ${textOf(error)}; the node stops before it can do harm: keep its directory and report this`,
    { cause: error },
  )
}

/** The transport could not begin. */
export function transportError(error: unknown): RaftError {
  if (isRaftError(error)) return error
  const message = `the transport can't start: ${textOf(error)}`
  return new RaftError('RAFT_INVALID_OPTION', message, { cause: error })
}

/** The message of whatever was thrown. */
export function textOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error)
}
