// A RaftError as a line of RESP. `CLUSTERDOWN`, `LOADING` and `BUSY` mean that nothing was applied; `TIMEOUT` and
// `UNKNOWN` that nobody can tell, and they say so (F15, H36). No text of an error is looked at, only its code.
import type { RaftError } from 'helios-raft'
import { isRaftError } from 'helios-raft'

export const LOADING = 'LOADING the node is starting and has not read its log yet'

/** The error line for a rejected read or write, without the leading `-`. */
export function raftErrorLine(error: unknown): string {
  if (!isRaftError(error)) return 'ERR internal error; see the log of this node'
  return error.outcome === 'unknown' ? unknownLine(error) : rejectedLine(error)
}

function unknownLine(error: RaftError): string {
  if (error.code === 'RAFT_TIMEOUT') return 'TIMEOUT no commit within the deadline; outcome unknown'
  if (error.code === 'RAFT_LEADERSHIP_LOST') return 'UNKNOWN leadership lost before commit; outcome unknown'
  return `UNKNOWN ${error.code} before commit; outcome unknown`
}

function rejectedLine(error: RaftError): string {
  switch (error.code) {
    case 'RAFT_NO_LEADER':
      return 'CLUSTERDOWN No raft leader'
    case 'RAFT_TIMEOUT':
      return 'CLUSTERDOWN no quorum answered within the deadline; not applied'
    case 'RAFT_NOT_LEADER':
    case 'RAFT_LEADERSHIP_LOST':
      return 'CLUSTERDOWN the leader changed; not applied, try again'
    case 'RAFT_NOT_MEMBER':
      return 'CLUSTERDOWN this node is not a member of the cluster (any more, or not yet); not applied'
    case 'RAFT_OVERLOADED':
      return 'BUSY proposal queue is full'
    case 'RAFT_STOPPED':
      return 'CLUSTERDOWN this node is shutting down; not applied'
    case 'RAFT_TOO_LARGE':
      return 'ERR command is too large for the log'
    default:
      return `CLUSTERDOWN ${error.code}; not applied, see the log of this node`
  }
}
