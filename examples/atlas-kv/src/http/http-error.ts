// Errors as HTTP answers: one JSON shape, and a status that tells what is known of the outcome. 504 means that nobody
// can tell whether the write took effect; every other error status means that it did not (F15, H36).
import type { RaftError } from 'helios-raft'
import { isRaftError } from 'helios-raft'

export type ErrorStatus = 400 | 403 | 404 | 405 | 409 | 412 | 413 | 422 | 429 | 500 | 503 | 504

export interface HttpErrorBody {
  readonly error: {
    readonly code: string
    readonly message: string
    readonly outcome: 'rejected' | 'unknown'
    readonly leader: { readonly id: string; readonly http: string | null } | null
  }
}

/** An answer other than success, thrown anywhere in a handler. */
export class HttpError extends Error {
  readonly status: ErrorStatus
  readonly code: string
  readonly outcome: 'rejected' | 'unknown'

  constructor(status: ErrorStatus, code: string, message: string, outcome: 'rejected' | 'unknown' = 'rejected') {
    super(message)
    this.status = status
    this.code = code
    this.outcome = outcome
  }
}

export function badRequest(message: string): HttpError {
  return new HttpError(400, 'BAD_REQUEST', message)
}

/** Any error as an HttpError; what is unexpected shows nothing of itself. */
export function httpErrorOf(error: unknown): HttpError {
  if (error instanceof HttpError) return error
  if (!isRaftError(error)) return new HttpError(500, 'INTERNAL', 'internal error; see the log of this node')
  return new HttpError(raftStatus(error), error.code, error.message, error.outcome)
}

function raftStatus(error: RaftError): ErrorStatus {
  if (error.outcome === 'unknown') return 504
  switch (error.code) {
    case 'RAFT_OVERLOADED':
      return 429
    case 'RAFT_TOO_LARGE':
      return 413
    case 'RAFT_INVALID_OPTION':
      return 400
    case 'RAFT_CONFIGURATION_PENDING':
    case 'RAFT_INVALID_CONFIGURATION':
    case 'RAFT_ABORTED':
    case 'RAFT_SESSION_EXPIRED':
      return 409
    case 'RAFT_NO_LEADER':
    case 'RAFT_NOT_LEADER':
    case 'RAFT_LEADERSHIP_LOST':
    case 'RAFT_TIMEOUT':
    case 'RAFT_TRANSFERRING':
    case 'RAFT_STALE':
    case 'RAFT_NOT_MEMBER':
    case 'RAFT_STOPPED':
      return 503
    default:
      return 500
  }
}
