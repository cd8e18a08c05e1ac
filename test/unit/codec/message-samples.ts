// Messages for the tests of the wire format: one plain sample of each type, and an arbitrary of all that are valid.
import fc from 'fast-check'
import type {
  AppendEntries,
  Configuration,
  InstallSnapshot,
  LogEntry,
  Member,
  Message,
} from '../../../src/core/index.js'

const bytes = (...values: number[]): Uint8Array => Uint8Array.from(values)

/** One of each type, small, with no two fields of a message alike. */
export const samples: { readonly [M in Message as M['type']]: M } = {
  preVote: { type: 'preVote', term: 7, round: 3, lastLogIndex: 12, lastLogTerm: 6 },
  preVoteResponse: { type: 'preVoteResponse', term: 7, round: 3, voteGranted: true },
  requestVote: { type: 'requestVote', term: 7, lastLogIndex: 12, lastLogTerm: 6, leadershipTransfer: true },
  requestVoteResponse: { type: 'requestVoteResponse', term: 7, voteGranted: false },
  appendEntries: {
    type: 'appendEntries',
    term: 7,
    addedAt: 2,
    prevLogIndex: 9,
    prevLogTerm: 5,
    leaderCommit: 8,
    entries: [
      { index: 10, term: 6, type: 'noop', timestamp: 1_700_000_000_000, data: bytes() },
      { index: 11, term: 7, type: 'command', timestamp: 1_700_000_000_000.5, data: bytes(1, 2, 3) },
    ],
  },
  appendEntriesResponse: {
    type: 'appendEntriesResponse',
    term: 7,
    addedAt: 2,
    outcome: 'mismatch',
    index: 9,
    hintIndex: 8,
    hintTerm: 4,
  },
  heartbeat: {
    type: 'heartbeat',
    term: 7,
    addedAt: 2,
    prevLogIndex: 9,
    prevLogTerm: 5,
    leaderCommit: 8,
    round: 41,
    sentMs: 1234.5,
    echoMs: -1,
    echoBoot: 3,
    quorumAgeMs: 0.25,
    leaseMs: 500.5,
  },
  heartbeatResponse: {
    type: 'heartbeatResponse',
    term: 7,
    addedAt: 2,
    round: 41,
    index: -1,
    sentMs: 99.75,
    boot: 3,
    echoMs: 1234.5,
    leaseMs: 500.5,
  },
  proposeRequest: {
    type: 'proposeRequest',
    term: 7,
    boot: 3,
    number: 17,
    entryType: 'command',
    commands: [bytes(9, 8), bytes()],
  },
  proposeResponse: {
    type: 'proposeResponse',
    term: 7,
    boot: 3,
    number: 17,
    refusal: 'overloaded',
    firstIndex: 10,
    entryTerm: 6,
  },
  replicasRequest: { type: 'replicasRequest', term: 7, boot: 3, number: 17, index: 9 },
  replicasResponse: { type: 'replicasResponse', term: 7, boot: 3, number: 17, count: 2 },
  readIndexRequest: { type: 'readIndexRequest', term: 7, boot: 3, number: 17, byLease: true },
  readIndexResponse: { type: 'readIndexResponse', term: 7, boot: 3, number: 17, readIndex: -1 },
  timeoutNow: { type: 'timeoutNow', term: 7 },
  installSnapshot: {
    type: 'installSnapshot',
    term: 7,
    addedAt: 2,
    transfer: 5,
    meta: {
      lastIncludedIndex: 12,
      lastIncludedTerm: 6,
      lastIncludedTimestamp: 1_700_000_000_000,
      configurationIndex: 3,
      configuration: {
        members: [
          { id: 'a', address: 'h:1', suffrage: 'voter', metadata: { rack: 'r1', zone: 'z' } },
          { id: 'b', address: 'h:2', suffrage: 'learner' },
        ],
        votersOutgoing: [{ id: 'c', address: 'h:3', suffrage: 'voter', metadata: {} }],
      },
    },
    digest: new Uint8Array(32).fill(0xd1),
    sizeBytes: 20,
    offset: 16,
    chunk: bytes(1, 2, 3),
    chunkCrc: 0x55bc_801d,
  },
  installSnapshotResponse: {
    type: 'installSnapshotResponse',
    term: 7,
    addedAt: 2,
    transfer: 5,
    outcome: 'installed',
    offset: 0,
    index: 12,
  },
  membershipRequest: {
    type: 'membershipRequest',
    term: 7,
    boot: 3,
    number: 17,
    change: { type: 'add', members: [{ id: 'd', address: 'd:1', suffrage: 'learner', metadata: { zone: 'b' } }] },
    force: true,
  },
  membershipResponse: {
    type: 'membershipResponse',
    term: 7,
    boot: 3,
    number: 17,
    outcome: 'done',
    problem: '',
    member: '',
    index: 9,
    lastIndex: 0,
    configuration: {
      members: [{ id: 'd', address: 'd:1', suffrage: 'voter', storeId: 's', addedAt: 2 ** 32 + 5 }],
      votersOutgoing: [{ id: 'a', address: 'a:1', suffrage: 'voter' }],
    },
  },
}

const EDGES = [0, 1, 2 ** 31, 2 ** 32 - 1, 2 ** 32, 2 ** 32 + 1, 2 ** 53 - 1]
const integer = fc.oneof(fc.maxSafeNat(), fc.constantFrom(...EDGES))
const integerOrNone = fc.oneof(integer, fc.constant(-1))
const milliseconds = fc.double({ min: 0, noNaN: true, noDefaultInfinity: true }).map((value) => value + 0)
const millisecondsOrNone = fc.oneof(milliseconds, fc.constant(-1))
const data = fc.uint8Array({ maxLength: 40 })

/** Entries that follow prevLogIndex, with terms that rise up to the message's. */
const appendEntries: fc.Arbitrary<AppendEntries> = fc
  .record({
    prevLogIndex: fc.oneof(fc.nat(), fc.constantFrom(2 ** 32 - 2, 2 ** 53 - 20)),
    terms: fc.array(integer, { minLength: 2, maxLength: 8 }),
    addedAt: integer,
    leaderCommit: integer,
    parts: fc.array(fc.record({ type: fc.constantFrom('command', 'noop'), timestamp: milliseconds, data }), {
      maxLength: 6,
    }),
  })
  .map(({ prevLogIndex, terms, parts, ...rest }) => {
    const rising = terms.toSorted((one, other) => one - other)
    const entries: LogEntry[] = parts.map((part, place) => ({
      index: prevLogIndex + 1 + place,
      term: rising[Math.min(place + 1, rising.length - 1)]!,
      ...part,
    }))
    return {
      type: 'appendEntries',
      term: rising.at(-1)!,
      prevLogIndex,
      prevLogTerm: rising[0]!,
      entries,
      ...rest,
    } satisfies AppendEntries
  })

const name = fc.string({ unit: 'binary', maxLength: 6 })
const suffrage = fc.constantFrom('voter' as const, 'learner' as const)
const member = (id: string): fc.Arbitrary<Member> =>
  fc
    .record({
      address: name,
      suffrage,
      metadata: fc.option(fc.dictionary(name, name, { maxKeys: 3 }), { nil: undefined }),
    })
    .map(({ metadata, ...rest }) => ({ id, ...rest, ...(metadata === undefined ? {} : { metadata }) }))

/** With one voter at least, and a chunk that lies in the content. */
const installSnapshot: fc.Arbitrary<InstallSnapshot> = fc
  .record({
    others: fc.tuple(member('b'), member('c')),
    outgoing: fc.array(member('d'), { maxLength: 1 }),
    session: fc.record({ addedAt: integer, transfer: integer }),
    terms: fc.tuple(fc.integer({ min: 1, max: 2 ** 31 }), fc.nat()),
    index: fc.integer({ min: 1, max: 2 ** 31 }),
    lead: fc.nat(),
    lastIncludedTimestamp: milliseconds,
    digest: fc.uint8Array({ minLength: 32, maxLength: 32 }),
    offset: fc.oneof(fc.nat(), fc.constant(2 ** 40)),
    chunk: data,
    rest: fc.nat(),
    chunkCrc: fc.integer({ min: 0, max: 2 ** 32 - 1 }),
  })
  .map(({ others, outgoing, session, terms, index, lead, lastIncludedTimestamp, rest, ...fields }) => ({
    type: 'installSnapshot',
    ...session,
    term: terms[0] + terms[1],
    meta: {
      lastIncludedIndex: index,
      lastIncludedTerm: terms[0],
      lastIncludedTimestamp,
      configurationIndex: Math.max(0, index - lead),
      configuration: {
        members: [{ id: 'a', address: 'x', suffrage: 'voter' }, ...others],
        votersOutgoing: outgoing,
      },
    },
    sizeBytes: fields.offset + fields.chunk.length + rest,
    ...fields,
  }))

const forwarded = { term: integer, boot: integer, number: integer }
const optional = <T>(value: fc.Arbitrary<T>) => fc.option(value, { nil: undefined })
const anyMember: fc.Arbitrary<Member> = fc
  .record({
    id: fc.stringMatching(/^[A-Za-z0-9._-]{1,12}$/),
    address: fc.string({ unit: 'binary', maxLength: 12 }),
    suffrage: fc.constantFrom('voter', 'learner'),
    metadata: optional(
      fc.dictionary(fc.string({ maxLength: 5 }), fc.string({ maxLength: 5 }), { noNullPrototype: true }),
    ),
    storeId: optional(fc.string({ maxLength: 8 })),
    addedAt: optional(integer),
  })
  .map((fields) => Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined)) as never)
const members = fc.uniqueArray(anyMember, { minLength: 1, maxLength: 4, selector: ({ id }) => id })
/** Every configuration that may be in force: it has a voter. */
export const arbConfiguration: fc.Arbitrary<Configuration> = fc.record({
  members: members.map(([first, ...rest]) => [{ ...first!, suffrage: 'voter' as const }, ...rest]),
  votersOutgoing: fc.oneof(fc.constant([]), members),
})
const changeOutcomes = ['progress', 'done', 'notLeader', 'pending', 'transferring', 'invalid', 'unreachable'] as const
const moreOutcomes = ['tooSlow', 'noQuorum', 'cancelled', 'steppedDown'] as const

/** Every message that a node may send. */
export const arbMessage: fc.Arbitrary<Message> = fc.oneof(
  fc.record({
    type: fc.constant('preVote'),
    term: integer,
    round: integer,
    lastLogIndex: integer,
    lastLogTerm: integer,
  }),
  fc.record({
    type: fc.constant('requestVote'),
    term: integer,
    lastLogIndex: integer,
    lastLogTerm: integer,
    leadershipTransfer: fc.boolean(),
  }),
  fc.record({ type: fc.constant('timeoutNow'), term: integer }),
  fc.record({
    type: fc.constant('membershipRequest'),
    ...forwarded,
    change: fc.option(
      fc.record({ type: fc.constantFrom('add', 'update', 'promote', 'demote', 'remove', 'set'), members }),
    ),
    force: fc.boolean(),
  }),
  fc.record({
    type: fc.constant('membershipResponse'),
    ...forwarded,
    outcome: fc.constantFrom(...changeOutcomes, ...moreOutcomes),
    problem: fc.string({ maxLength: 40 }),
    member: fc.string({ maxLength: 10 }),
    index: integer,
    lastIndex: integer,
    configuration: fc.option(arbConfiguration),
  }),
  fc.record({ type: fc.constant('preVoteResponse'), term: integer, round: integer, voteGranted: fc.boolean() }),
  fc.record({ type: fc.constant('requestVoteResponse'), term: integer, voteGranted: fc.boolean() }),
  appendEntries,
  fc.record({
    type: fc.constant('appendEntriesResponse'),
    term: integer,
    addedAt: integer,
    outcome: fc.constantFrom('success', 'mismatch', 'busy'),
    index: integer,
    hintIndex: integer,
    hintTerm: integer,
  }),
  fc.record({
    type: fc.constant('heartbeat'),
    term: integer,
    addedAt: integer,
    prevLogIndex: integer,
    prevLogTerm: integer,
    leaderCommit: integer,
    round: integer,
    sentMs: milliseconds,
    echoMs: millisecondsOrNone,
    echoBoot: integer,
    quorumAgeMs: milliseconds,
    leaseMs: milliseconds,
  }),
  fc.record({
    type: fc.constant('heartbeatResponse'),
    term: integer,
    addedAt: integer,
    round: integer,
    index: integerOrNone,
    sentMs: milliseconds,
    boot: integer,
    echoMs: milliseconds,
    leaseMs: milliseconds,
  }),
  fc.record({
    type: fc.constant('proposeRequest'),
    ...forwarded,
    entryType: fc.constantFrom('command', 'session'),
    commands: fc.array(data, { maxLength: 6 }),
  }),
  fc.record({
    type: fc.constant('proposeResponse'),
    ...forwarded,
    refusal: fc.constantFrom(null, 'notLeader', 'overloaded', 'reordered', 'transferring'),
    firstIndex: integer,
    entryTerm: integer,
  }),
  installSnapshot,
  fc.record({
    type: fc.constant('installSnapshotResponse'),
    term: integer,
    addedAt: integer,
    transfer: integer,
    outcome: fc.constantFrom('continue', 'installed', 'busy', 'refused'),
    offset: integer,
    index: integer,
  }),
  fc.record({ type: fc.constant('replicasRequest'), ...forwarded, index: integer }),
  fc.record({ type: fc.constant('replicasResponse'), ...forwarded, count: integer }),
  fc.record({ type: fc.constant('readIndexRequest'), ...forwarded, byLease: fc.boolean() }),
  fc.record({ type: fc.constant('readIndexResponse'), ...forwarded, readIndex: integerOrNone }),
) as fc.Arbitrary<Message>
