// A message on its way, and the text by which two of them are the same. Times and the numbers that only tell attempts of
// PreVote apart are made equal: see the README.
import type { AppendRange, Envelope, Message } from '../../core/messages.js'
import type { CoreState } from '../../core/state.js'
import { decodeConfiguration, encodeConfiguration } from '../../core/configuration-codec.js'
import { termAt } from '../../core/log-trail.js'
import type { LogEntry, LogIndex, Term } from '../../core/types.js'
import { NOW } from './abstract-time.js'
import { configurationText, type NameOf } from './configurations.js'
import { nodeNumber } from './model.js'
import { receivedSnapshot, snapshotText } from './snapshots.js'

export interface Packet {
  /** Positions of the nodes. */
  readonly from: number
  readonly to: number
  readonly message: Message
}

const NO_DATA = new Uint8Array(0)

/** A command's content follows from where it stands: a leader's term opens with its no-op, and a term has one leader. */
function entryOf(index: LogIndex, { log }: CoreState): LogEntry {
  const common = { index, term: termAt(log, index) ?? 0, timestamp: 0 } as const
  const held = log.configurations.find((each) => each.index === index)
  if (held === undefined) return { ...common, type: 'command', data: NO_DATA }
  return { ...common, type: 'configuration', data: encodeConfiguration(held.configuration) }
}

/** What leaves a node. A range is filled from the log of the moment, with the newest commitIndex, as Outbound does. */
export function packetOf(from: number, { to, message }: Envelope, state: CoreState): Packet {
  const filled = message.type === 'appendRange' ? fill(message, state) : message
  return { from, to: nodeNumber(to), message: forgetTimes(filled) }
}

function fill(range: AppendRange, state: CoreState): Message {
  const { first, last, prevLogIndex, prevLogTerm, term, addedAt } = range
  const entries: LogEntry[] = []
  for (let index = first; index <= last; index++) entries.push(entryOf(index, state))
  const leaderCommit = Math.max(range.leaderCommit, state.commitIndex)
  return { type: 'appendEntries', term, addedAt, prevLogIndex, prevLogTerm, leaderCommit, entries }
}

/** The message with all that only tells attempts or moments apart made the same. */
export function forgetTimes(message: Message): Message {
  switch (message.type) {
    case 'preVote':
    case 'preVoteResponse':
      return { ...message, round: 0 }
    case 'heartbeat': {
      const sentMs = message.leaseMs > 0 ? message.sentMs : NOW
      return { ...message, sentMs, echoMs: -1, echoBoot: 0, quorumAgeMs: 0 }
    }
    case 'heartbeatResponse': {
      const echoMs = message.leaseMs > 0 ? message.echoMs : 0
      return { ...message, sentMs: NOW, echoMs, boot: 0 }
    }
    default:
      return message
  }
}

const OWN_NAME: NameOf = (id) => id

/** Whether its text names nodes, so that a permutation of them changes it. */
export function namesNodes(message: Message): boolean {
  if (message.type === 'installSnapshot') return true
  return message.type === 'appendEntries' && message.entries.some(({ type }) => type === 'configuration')
}

/** Everything of it but from and to. @param name - what nodes are called; as they are unless given */
export function messageText(message: Message, name: NameOf = OWN_NAME): string {
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
      const terms = entries.map((entry) => entryText(entry, name)).join(' ')
      return `appends [${terms}] after ${prevLogIndex}:${prevLogTerm}, commit ${leaderCommit}, term ${term}${session(message)}`
    }
    case 'appendEntriesResponse': {
      const { term, outcome, index, hintIndex, hintTerm } = message
      const hint = outcome === 'mismatch' ? ` (hint ${hintIndex}:${hintTerm})` : ''
      return `answers append: ${outcome} ${index}${hint}, term ${term}${session(message)}`
    }
    case 'heartbeat': {
      const { term, prevLogIndex, prevLogTerm, leaderCommit, round, leaseMs, sentMs } = message
      const lease = leaseMs === 0 ? '' : `, asks for ${leaseMs} ms at ${sentMs}`
      return `heartbeat after ${prevLogIndex}:${prevLogTerm}, commit ${leaderCommit}, round ${round}, term ${term}${session(message)}${lease}`
    }
    case 'heartbeatResponse': {
      const lease = message.leaseMs === 0 ? '' : `, promises ${message.leaseMs} ms from ${message.echoMs}`
      return `answers heartbeat: index ${message.index}, round ${message.round}, term ${message.term}${session(message)}${lease}`
    }
    case 'readIndexRequest':
      return `asks for a read index: read ${message.number}, boot ${message.boot}, term ${message.term}${message.byLease ? ', by lease' : ''}`
    case 'readIndexResponse': {
      const { number, boot, readIndex, term } = message
      return `answers read ${number}: index ${readIndex}, boot ${boot}, term ${term}`
    }
    case 'installSnapshot':
      return `sends snapshot ${snapshotText(receivedSnapshot(message), name)}, ${transferText(message)}`
    case 'installSnapshotResponse':
      return `answers snapshot: ${message.outcome} ${message.index}, ${transferText(message)}`
    case 'proposeRequest':
    case 'proposeResponse':
    case 'membershipRequest':
    case 'membershipResponse':
    case 'replicasRequest':
    case 'replicasResponse':
      // Nothing is forwarded in any model.
      return JSON.stringify(message)
  }
}

function transferText({ transfer, term, addedAt }: { transfer: number; term: Term; addedAt: LogIndex }): string {
  return `transfer ${transfer}, term ${term}${session({ addedAt })}`
}

/** Which replication session it belongs to, beside the term; nothing for members of the beginning. */
function session({ addedAt }: { readonly addedAt: LogIndex }): string {
  return addedAt === 0 ? '' : `, session ${addedAt}`
}

/** Its term, and who its configuration names. */
function entryText({ type, term, data }: LogEntry, name: NameOf): string {
  const configuration = type === 'configuration' ? decodeConfiguration(data) : null
  return configuration === null ? String(term) : `${term}${configurationText(configuration, name)}`
}

function position({ lastLogIndex, lastLogTerm }: { lastLogIndex: LogIndex; lastLogTerm: Term }): string {
  return `${lastLogIndex}:${lastLogTerm}`
}

/**
 * From which durable term of the receiver on the packet can change nothing any more; Infinity for one that is always
 * answered, or followed. Only such packets are taken out of the network.
 */
export function deadFromTerm({ message }: Packet): Term {
  const { type, term } = message
  if (type === 'preVoteResponse') return term
  if (type === 'requestVoteResponse') return message.voteGranted ? term + 1 : term
  if (type === 'appendEntriesResponse' || type === 'heartbeatResponse' || type === 'timeoutNow') return term + 1
  if (type === 'installSnapshotResponse') return term + 1
  return Number.POSITIVE_INFINITY
}
