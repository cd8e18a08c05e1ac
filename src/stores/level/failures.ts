// The errors of a log in LevelDB: what the database reports becomes one of four RaftErrors, each of which names the
// place and what to do. Missing, unreadable and damaged are three different things (H88).
import { isRaftError, RaftError } from '../../errors.js'

/** A member can't be replaced yet, and one that forgot a vote or an entry must not come back. */
export const LEAVE_OFF = 'Leave this node off and its directory as it is: the majority goes on without it'

/** A record that fails its checks. `place` is a directory, `record` says which. */
export function damaged(place: string, record: string, reason: string): RaftError {
  return new RaftError('RAFT_CORRUPTION', `${record} in ${place} is damaged: ${reason}. ${LEAVE_OFF}.`)
}

/** What a call of the database rejected with. Never retried (H78). */
export function databaseFailure(place: string, doing: string, error: unknown): RaftError {
  if (isRaftError(error)) return error
  const codes = codesOf(error)
  if (codes.includes('LEVEL_LOCKED')) {
    const advice = 'Stop the other one, or give this node a directory of its own'
    return new RaftError('RAFT_LOCKED', `${place} is in use by another process or store. ${advice}.`, { cause: error })
  }
  const text = `${doing} failed in ${place}: ${innermost(error)}`
  if (codes.includes('LEVEL_CORRUPTION')) {
    return new RaftError('RAFT_CORRUPTION', `${text}. ${LEAVE_OFF}.`, { cause: error })
  }
  const advice = 'Nothing more is stored. Check the disk, its free space and its permissions, then start the node again'
  return new RaftError('RAFT_STORAGE', `${text}. ${advice}.`, { cause: error, outcome: 'unknown' })
}

/** Any call after a failure. */
export function refused(place: string, failure: RaftError): RaftError {
  const text = `The log store in ${place} refuses every call because an earlier one failed`
  return new RaftError('RAFT_STORAGE', `${text}: ${failure.message}`, { cause: failure })
}

/** Deepest chain of causes that is looked at. */
const MAX_CAUSES = 8

function causesOf(error: unknown): readonly Error[] {
  const causes: Error[] = []
  for (let at = error; at instanceof Error && causes.length < MAX_CAUSES; at = at.cause) causes.push(at)
  return causes
}

function codesOf(error: unknown): readonly unknown[] {
  return causesOf(error).map((cause) => ('code' in cause ? cause.code : undefined))
}

function innermost(error: unknown): string {
  return causesOf(error).at(-1)?.message ?? String(error)
}
