// Why a server could not start, in one line: what, where, what to do.
import { isRaftError } from 'helios-raft'
import { StartError } from '../config/usage-error.js'
import type { Address } from '../config/values.js'
import { formatAddress } from '../config/values.js'

const REASONS: ReadonlyMap<string, string> = new Map([
  ['EADDRINUSE', 'the port is taken; stop the other process or choose another port'],
  ['EADDRNOTAVAIL', 'this machine has no such address; choose one that it has'],
  ['EACCES', 'this user may not; choose another place or change its permissions'],
  ['EPERM', 'this user may not; choose another place or change its permissions'],
  ['ENOTFOUND', 'the host name is unknown; use an IP address'],
  ['ENOENT', 'there is no such file or directory; check the path'],
  ['ENOTDIR', 'a part of the path is a file; choose another directory'],
  ['EEXIST', 'a file is in its place; choose another directory'],
  ['ENOSPC', 'the disk is full; make room or choose another disk'],
  ['EROFS', 'the disk is read-only; choose another directory'],
  ['UND_ERR_SOCKET', 'the connection was closed without an answer; is it the HTTP port of a node?'],
  ['ECONNRESET', 'the connection was closed without an answer; is it the HTTP port of a node?'],
])

/** @param flag - that named the address */
export function listenError(error: unknown, what: string, address: Address, flag: string): StartError {
  return new StartError(`cannot listen for ${what} on ${formatAddress(address)} (${flag}): ${reasonOf(error)}`, {
    cause: error,
  })
}

/** @param flag - that named the directory */
export function directoryError(error: unknown, directory: string, flag: string): StartError {
  // All parents were made: it is the system that refuses.
  const isRefused = error instanceof Error && 'code' in error && error.code === 'ENOENT'
  const reason = isRefused ? 'the system makes no directories there; choose another place (ENOENT)' : reasonOf(error)
  return new StartError(`cannot use directory ${JSON.stringify(directory)} (${flag}): ${reason}`, { cause: error })
}

/** What RaftNode.start rejected with. The library's messages say what happened and what to do. */
export function nodeError(error: unknown, directory: string): StartError {
  if (isRaftError(error, 'RAFT_STORAGE', 'RAFT_LOCKED', 'RAFT_CORRUPTION', 'RAFT_IDENTITY', 'RAFT_VERSION')) {
    return new StartError(`cannot start on ${JSON.stringify(directory)} (--raft-data-dir): ${error.message}`, {
      cause: error,
    })
  }
  return new StartError(`cannot start: ${error instanceof Error ? error.message : String(error)}`, { cause: error })
}

/** The system's reason, in our words where they help; looks through wrapped errors. */
export function reasonOf(error: unknown): string {
  for (let at: unknown = error; at instanceof Error; at = at.cause) {
    const code = (at as NodeJS.ErrnoException).code ?? ''
    const reason = code.startsWith('HPE_')
      ? 'what answers there is not HTTP; name the HTTP port of a node (its --http)'
      : REASONS.get(code)
    if (reason !== undefined) return `${reason} (${code})`
  }
  return error instanceof Error ? error.message : String(error)
}
