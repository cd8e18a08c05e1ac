// The cases of testTransport about messages: what arrives, as what, in which order. Each is a rule of the Transport
// interface (F37, F50); the life of connections is in transport-life-cases.ts.
import { encodedSize } from '../codec/message-codec.js'
import type { Message, ProposeRequest } from '../core/messages.js'
import { type ConformanceCase, expectEqual, expectThat } from './conformance.js'
import { bulk, control, type TransportBench } from './transport-bench.js'

const MiB = 1024 * 1024
/** A transport without a limit is tested up to here. */
const LARGEST_TESTED_BYTES = 16 * MiB

const session = { term: 7, addedAt: 2 }
const previous = { prevLogIndex: 9, prevLogTerm: 5, leaderCommit: 8 }
const forward = { term: 7, boot: 3, number: 17 }

/** One of each type. */
const EVERY_TYPE: readonly Message[] = [
  { type: 'preVote', term: 7, round: 3, lastLogIndex: 2 ** 40, lastLogTerm: 6 },
  { type: 'preVoteResponse', term: 7, round: 3, voteGranted: true },
  { type: 'requestVote', term: 7, lastLogIndex: 12, lastLogTerm: 6, leadershipTransfer: true },
  { type: 'timeoutNow', term: 7 },
  { type: 'requestVoteResponse', term: 7, voteGranted: false },
  {
    type: 'appendEntries',
    ...session,
    ...previous,
    entries: [
      { index: 10, term: 6, type: 'noop', timestamp: 1_700_000_000_000, data: new Uint8Array(0) },
      { index: 11, term: 7, type: 'command', timestamp: 1_700_000_000_001, data: Uint8Array.from([1, 2, 3]) },
    ],
  },
  { type: 'appendEntriesResponse', ...session, outcome: 'mismatch', index: 9, hintIndex: 8, hintTerm: 4 },
  {
    type: 'heartbeat',
    ...session,
    ...previous,
    round: 41,
    sentMs: 1234.5,
    echoMs: -1,
    echoBoot: 0,
    quorumAgeMs: 0.25,
    leaseMs: 150.5,
  },
  { type: 'heartbeatResponse', ...session, round: 41, index: -1, sentMs: 99.75, boot: 3, echoMs: 1234.5, leaseMs: 0 },
  { type: 'proposeRequest', ...forward, entryType: 'command', commands: [Uint8Array.from([9, 8]), new Uint8Array(0)] },
  { type: 'proposeResponse', ...forward, refusal: 'overloaded', firstIndex: 0, entryTerm: 0 },
  { type: 'readIndexRequest', ...forward, byLease: true },
  { type: 'readIndexResponse', ...forward, readIndex: -1 },
  {
    type: 'installSnapshot',
    ...session,
    transfer: 5,
    meta: {
      lastIncludedIndex: 12,
      lastIncludedTerm: 6,
      lastIncludedTimestamp: 1_700_000_000_000,
      configurationIndex: 3,
      configuration: { members: [{ id: 'a', address: '10.0.0.1:7', suffrage: 'voter' }], votersOutgoing: [] },
    },
    digest: new Uint8Array(32).fill(7),
    sizeBytes: 9,
    offset: 4,
    chunk: Uint8Array.from([1, 2, 3]),
    chunkCrc: 0x55bc801d,
  },
  { type: 'installSnapshotResponse', ...session, transfer: 5, outcome: 'continue', offset: 7, index: 0 },
]

export const TRANSPORT_MESSAGE_CASES: readonly ConformanceCase<TransportBench>[] = [
  {
    name: 'delivers every type of message as it was sent',
    async body(bench) {
      const [a, b] = await bench.pair()
      for (const message of EVERY_TYPE) {
        const before = b.received.length
        const arrived = (): Message | undefined =>
          b.received.slice(before).find((each) => each.message.type === message.type)?.message
        await bench.until(
          () => arrived() !== undefined,
          `a ${message.type} arrives`,
          () => a.sendTo(b, message),
        )
        expectEqual(arrived(), message, `the ${message.type}`)
      }
    },
  },
  {
    name: 'keeps the order of messages within a lane',
    async body(bench) {
      const [a, b] = await bench.pair()
      for (const make of [control, (number: number) => bulk(number, 100)]) {
        const before = b.numbersFrom('a').length
        for (let number = 1; number <= 500; number += 1) a.sendTo(b, make(number))
        await bench.until(
          () => b.numbersFrom('a').includes(501),
          'the last of a row of messages arrives',
          () => a.sendTo(b, make(501)),
        )
        const numbers = b.numbersFrom('a').slice(before)
        const isRising = numbers.every((number, place) => number >= (numbers[place - 1] ?? 0))
        expectThat(isRising, `messages of one lane overtook each other: ${numbers.join(' ')}`)
        await bench.settle(a, b)
      }
    },
  },
  {
    name: 'never delivers within the call of send',
    async body(bench) {
      const [a, b] = await bench.pair()
      let isSending = false
      let hasNested = false
      b.onReceive = () => {
        hasNested ||= isSending
      }
      const before = b.received.length
      await bench.until(
        () => b.received.length > before,
        'a message arrives',
        () => {
          isSending = true
          a.sendTo(b, control(1))
          isSending = false
        },
      )
      expectThat(!hasNested, 'receive was called within send')
    },
  },
  {
    name: 'gives each receiver bytes of its own (H96)',
    async body(bench) {
      const [a, b] = await bench.pair()
      const c = await bench.started('c')
      await bench.connect(a, c)
      const scribble = (_: string, message: Message): void => {
        if (message.type === 'proposeRequest') for (const command of message.commands) command.fill(0xee)
      }
      b.onReceive = scribble
      const message: ProposeRequest = { ...bulk(900, 0), commands: [Uint8Array.from([1, 2, 3])] }
      await bench.until(
        () => b.numbersFrom('a').includes(900) && c.numbersFrom('a').includes(900),
        'both receive it',
        () => {
          a.sendTo(b, message)
          a.sendTo(c, message)
        },
      )
      expectEqual(message.commands, [Uint8Array.from([1, 2, 3])], 'the commands of the sender')
      const atC = c.received.flatMap(({ message: each }) => (each.type === 'proposeRequest' ? [each] : []))
      const last = atC.filter(({ number }) => number === 900).at(-1)
      expectEqual(last?.commands, [Uint8Array.from([1, 2, 3])], 'the commands of the other receiver')
    },
  },
  {
    name: 'carries a message of maxMessageBytes',
    async body(bench) {
      const [a, b] = await bench.pair()
      const sizeBytes = Math.min(a.transport.maxMessageBytes, LARGEST_TESTED_BYTES)
      const message = bulk(77, sizeBytes - encodedSize(bulk(77, 0)))
      expectEqual(encodedSize(message), sizeBytes, 'the size of the message of this case')
      await bench.until(
        () => b.numbersFrom('a').includes(77),
        `a message of ${sizeBytes} bytes arrives`,
        once(() => a.sendTo(b, message)),
      )
      const arrived = b.received.find(({ message: each }) => 'number' in each && each.number === 77)?.message
      const command = arrived?.type === 'proposeRequest' ? arrived.commands[0] : undefined
      const isWhole = command !== undefined && command.byteLength === message.commands[0]?.byteLength
      expectThat(isWhole && command.every((byte) => byte === 77), 'the large message arrived changed')
    },
  },
  {
    name: 'leaves out a message beyond maxMessageBytes and goes on',
    async body(bench) {
      const [a, b] = await bench.pair()
      if (a.transport.maxMessageBytes > LARGEST_TESTED_BYTES) return
      const tooLarge = bulk(78, a.transport.maxMessageBytes - encodedSize(bulk(78, 0)) + 1)
      const statuses = b.statuses.length
      a.sendTo(b, tooLarge)
      await bench.settle(a, b)
      expectThat(!b.numbersFrom('a').includes(78), 'a message beyond maxMessageBytes was delivered')
      expectThat(b.statuses.length === statuses, 'a message beyond maxMessageBytes cost the connection')
    },
  },
  {
    name: 'does not let control wait for all of the bulk that was sent before it (H94)',
    async body(bench) {
      const [a, b] = await bench.pair()
      const count = 60
      const sizeBytes = Math.min(256 * 1024, Math.floor(a.transport.maxMessageBytes / 2))
      let bulkSeen = 0
      let bulkSeenBefore: number | null = null
      b.onReceive = (_, message) => {
        if (message.type === 'proposeRequest') bulkSeen += 1
        else bulkSeenBefore ??= bulkSeen
      }
      for (let number = 1; number <= count; number += 1) a.sendTo(b, bulk(number, sizeBytes))
      await bench.until(
        () => bulkSeenBefore !== null,
        'the control message arrives',
        once(() => a.sendTo(b, control(900))),
      )
      expectThat(
        (bulkSeenBefore ?? 0) < count,
        `a control message waited for all of ${count * sizeBytes} bytes of bulk`,
      )
    },
  },
]

/** What is repeated until something arrives, and is too heavy to be repeated often. */
function once(act: () => void): () => void {
  let calls = 0
  return () => {
    if (calls % 100 === 0) act()
    calls += 1
  }
}
