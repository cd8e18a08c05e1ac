// What the callers of propose are told where a command can't be taken, or its fate can't be known.
import type { LogIndex, Term } from '../core/types.js'
import { RaftError } from '../errors.js'

/** The state took over a snapshot that holds the entry. */
export function jumpedError(firstIndex: LogIndex, index: LogIndex): RaftError {
  return new RaftError(
    'RAFT_TIMEOUT',
    `the command waited at index ${firstIndex} and this node took over a snapshot of index ${index}, which does not tell ` +
      'its result: look its effect up before you repeat it',
    { outcome: 'unknown' },
  )
}

/** It was to be appended in another term only (F47). */
export function fencedError(ifTerm: Term, term: Term): RaftError {
  const text = `the command was to be appended in term ${ifTerm} only, and this is term ${term}: another leader may be at work`
  return new RaftError('RAFT_LEADERSHIP_LOST', `${text}; it was not appended`, { retryable: false })
}

export function tooLarge(message: string): RaftError {
  return new RaftError('RAFT_TOO_LARGE', `${message}: make it smaller, split it, or raise the limit`)
}
