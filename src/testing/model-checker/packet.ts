// A message on its way, and the text by which two of them are the same. Times and the numbers that only tell attempts of
// PreVote apart are made equal: see the README.
import type { AppendRange, Envelope, Message } from '../../core/messages.js'
import type { CoreState } from '../../core/state.js'
import { termAt } from '../../core/log-trail.js'
import type { LogEntry, LogIndex, Term } from '../../core/types.js'
import { NOW } from './abstract-time.js'
import { nodeNumber } from './model.js'

export interface Packet {
  /** Positions of the nodes. */
  readonly from: number
  readonly to: number
  readonly message: Message
}

const NO_DATA = new Uint8Array(0)

/** An entry's content follows from where it stands: a leader's term opens with its no-op, and a term has one leader. */
export function entryOf(index: LogIndex, term: Term): LogEntry {
  return { index, term, type: 'command', timestamp: 0, data: NO_DATA }
}

/** What leaves a node. A range is filled from the log of the moment, with the newest commitIndex, as Outbound does. */
export function packetOf(from: number, { to, message }: Envelope, state: CoreState): Packet {
  const filled = message.type === 'appendRange' ? fill(message, state) : message
  return { from, to: nodeNumber(to), message: forgetTimes(filled) }
}

function fill(range: AppendRange, state: CoreState): Message {
  const { first, last, prevLogIndex, prevLogTerm, term, addedAt } = range
  const entries: LogEntry[] = []
  for (let index = first; index <= last; index++) entries.push(entryOf(index, termAt(state.log, index) ?? 0))
  const leaderCommit = Math.max(range.leaderCommit, state.commitIndex)
  return { type: 'appendEntries', term, addedAt, prevLogIndex, prevLogTerm, leaderCommit, entries }
}

function forgetTimes(message: Message): Message {
  switch (message.type) {
    case 'preVote':
    case 'preVoteResponse':
      return { ...message, round: 0 }
    case 'heartbeat':
      return { ...message, sentMs: NOW, echoMs: -1, echoBoot: 0, quorumAgeMs: 0 }
    case 'heartbeatResponse':
      return { ...message, sentMs: NOW, echoMs: 0, boot: 0 }
    default:
      return message
  }
}

/** Everything of it but from and to, which a permutation of the nodes does not touch. */
export function messageText(message: Message): string {
  switch (message.type) {
    case 'preVote':
      return `asks for a pre-vote in term ${message.term}, last entry ${position(message)}`
    case 'preVoteResponse':
      return `${message.voteGranted ? 'grants' : 'refuses'} a pre-vote, term ${message.term}`
    case 'requestVote':
      return `asks for a vote in term ${message.term}, last entry ${position(message)}${message.leadershipTransfer ? ', told to' : ''}`
    case 'timeoutNow':
      return `tells to campaign now, term ${message.term}`
    case 'requestVoteResponse':
      return `${message.voteGranted ? 'grants' : 'refuses'} a vote, term ${message.term}`
    case 'appendEntries': {
      const { term, prevLogIndex, prevLogTerm, entries, leaderCommit } = message
      const terms = entries.map((entry) => entry.term).join(' ')
      return `appends [${terms}] after ${prevLogIndex}:${prevLogTerm}, commit ${leaderCommit}, term ${term}`
    }
    case 'appendEntriesResponse': {
      const { term, outcome, index, hintIndex, hintTerm } = message
      const hint = outcome === 'mismatch' ? ` (hint ${hintIndex}:${hintTerm})` : ''
      return `answers append: ${outcome} ${index}${hint}, term ${term}`
    }
    case 'heartbeat': {
      const { term, prevLogIndex, prevLogTerm, leaderCommit, round } = message
      return `heartbeat after ${prevLogIndex}:${prevLogTerm}, commit ${leaderCommit}, round ${round}, term ${term}`
    }
    case 'heartbeatResponse':
      return `answers heartbeat: index ${message.index}, round ${message.round}, term ${message.term}`
    case 'readIndexRequest':
      return `asks for a read index: read ${message.number}, boot ${message.boot}, term ${message.term}`
    case 'readIndexResponse': {
      const { number, boot, readIndex, term } = message
      return `answers read ${number}: index ${readIndex}, boot ${boot}, term ${term}`
    }
    case 'installSnapshot':
    case 'installSnapshotResponse':
    case 'proposeRequest':
    case 'proposeResponse':
    case 'membershipRequest':
    case 'membershipResponse':
      // Nothing is forwarded and no log is compacted in any model.
      return JSON.stringify(message)
  }
}

function position({ lastLogIndex, lastLogTerm }: { lastLogIndex: LogIndex; lastLogTerm: Term }): string {
  return `${lastLogIndex}:${lastLogTerm}`
}

/**
 * From which durable term of the receiver on the packet can change nothing any more; Infinity for one that is always
 * answered. Only such packets are taken out of the network.
 */
export function deadFromTerm({ message }: Packet): Term {
  const { type, term } = message
  if (type === 'preVoteResponse') return term
  if (type === 'requestVoteResponse') return message.voteGranted ? term + 1 : term
  if (type === 'appendEntriesResponse' || type === 'heartbeatResponse') return term + 1
  return Number.POSITIVE_INFINITY
}
