// Which fields each message has on the wire, in their order (figure 2, thesis §6.4 and §9.6). Size, writing and reading
// all follow from this one table, so that they can't disagree. A type number never gets another meaning.
import type { Message } from '../core/messages.js'
import { checkEntries, entryList } from './entries-field.js'
import { checkSnapshot, digest, snapshotMeta } from './snapshot-field.js'
import {
  boolean,
  byteList,
  bytes,
  type Field,
  integer,
  integerOrNone,
  milliseconds,
  millisecondsOrNone,
  oneOf,
  uint32,
} from './field.js'
import { changeOrNone, configurationOrNone, text } from './membership-fields.js'

type Fields<M extends Message> = { readonly [Name in Exclude<keyof M, 'type'>]: Field<M[Name]> }

/** One type of message, ready to walk through. */
export interface MessageLayout {
  readonly type: Message['type']
  readonly number: number
  readonly fields: readonly (readonly [name: string, field: Field<unknown>])[]
  /** What is wrong with the fields taken together, or null. */
  readonly check: (message: Message) => string | null
}

const forwarded = { term: integer, boot: integer, number: integer }
const ofSession = { term: integer, addedAt: integer }
const previous = { prevLogIndex: integer, prevLogTerm: integer, leaderCommit: integer }

const LAYOUTS: { readonly [M in Message as M['type']]: { readonly number: number; readonly fields: Fields<M> } } = {
  preVote: {
    number: 1,
    fields: { term: integer, round: integer, lastLogIndex: integer, lastLogTerm: integer },
  },
  preVoteResponse: { number: 2, fields: { term: integer, round: integer, voteGranted: boolean } },
  requestVote: {
    number: 3,
    fields: { term: integer, lastLogIndex: integer, lastLogTerm: integer, leadershipTransfer: boolean },
  },
  requestVoteResponse: { number: 4, fields: { term: integer, voteGranted: boolean } },
  appendEntries: { number: 5, fields: { ...ofSession, ...previous, entries: entryList } },
  appendEntriesResponse: {
    number: 6,
    fields: {
      ...ofSession,
      outcome: oneOf(['success', 'mismatch', 'busy'] as const),
      index: integer,
      hintIndex: integer,
      hintTerm: integer,
    },
  },
  heartbeat: {
    number: 7,
    fields: {
      ...ofSession,
      ...previous,
      round: integer,
      sentMs: milliseconds,
      echoMs: millisecondsOrNone,
      echoBoot: integer,
      quorumAgeMs: milliseconds,
      leaseMs: milliseconds,
    },
  },
  heartbeatResponse: {
    number: 8,
    fields: {
      ...ofSession,
      round: integer,
      index: integerOrNone,
      sentMs: milliseconds,
      boot: integer,
      echoMs: milliseconds,
      leaseMs: milliseconds,
    },
  },
  proposeRequest: {
    number: 9,
    fields: { ...forwarded, entryType: oneOf(['command', 'session'] as const), commands: byteList },
  },
  proposeResponse: {
    number: 10,
    fields: {
      ...forwarded,
      refusal: oneOf([null, 'notLeader', 'overloaded', 'reordered', 'transferring'] as const),
      firstIndex: integer,
      entryTerm: integer,
    },
  },
  readIndexRequest: { number: 11, fields: { ...forwarded, byLease: boolean } },
  readIndexResponse: { number: 12, fields: { ...forwarded, readIndex: integerOrNone } },
  timeoutNow: { number: 13, fields: { term: integer } },
  installSnapshot: {
    number: 14,
    fields: {
      ...ofSession,
      transfer: integer,
      meta: snapshotMeta,
      digest,
      sizeBytes: integer,
      offset: integer,
      chunk: bytes,
      chunkCrc: uint32,
    },
  },
  installSnapshotResponse: {
    number: 15,
    fields: {
      ...ofSession,
      transfer: integer,
      outcome: oneOf(['continue', 'installed', 'busy', 'refused'] as const),
      offset: integer,
      index: integer,
    },
  },
  membershipRequest: { number: 16, fields: { ...forwarded, change: changeOrNone, force: boolean } },
  membershipResponse: {
    number: 17,
    fields: {
      ...forwarded,
      outcome: oneOf([
        'progress',
        'done',
        'notLeader',
        'pending',
        'transferring',
        'invalid',
        'unreachable',
        'tooSlow',
        'noQuorum',
        'cancelled',
        'steppedDown',
      ] as const),
      problem: text,
      member: text,
      index: integer,
      lastIndex: integer,
      configuration: configurationOrNone,
    },
  },
  replicasRequest: { number: 18, fields: { ...forwarded, index: integer } },
  replicasResponse: { number: 19, fields: { ...forwarded, count: integer } },
}

function checkMessage(message: Message): string | null {
  if (message.type === 'appendEntries') return checkEntries(message)
  return message.type === 'installSnapshot' ? checkSnapshot(message) : null
}

/** By the name of the type. */
export const layoutsByType: ReadonlyMap<string, MessageLayout> = new Map(
  Object.entries(LAYOUTS).map(([type, { number, fields }]) => [
    type,
    {
      type: type as Message['type'],
      number,
      fields: Object.entries(fields as Readonly<Record<string, Field<unknown>>>),
      check: checkMessage,
    },
  ]),
)

/** By the number on the wire. */
export const layoutsByNumber: ReadonlyMap<number, MessageLayout> = new Map(
  [...layoutsByType.values()].map((layout) => [layout.number, layout]),
)
