import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { entryOverheadBytes, MAX_ENTRIES_PER_MESSAGE } from '../../../src/codec/entries-field.js'
import { commandOverheadBytes, MAX_COMMANDS_PER_MESSAGE } from '../../../src/codec/field.js'
import {
  decodeMessage,
  encodedSize,
  encodeMessage,
  encodeMessageAfter,
  messageLane,
  messageOverheadBytes,
} from '../../../src/codec/message-codec.js'
import { MAX_MEMBERS } from '../../../src/core/configuration.js'
import type { AppendEntries, Heartbeat, InstallSnapshot, Message, ProposeRequest } from '../../../src/core/index.js'
import { isRaftError } from '../../../src/errors.js'
import { arbMessage, samples } from './message-samples.js'

const all = Object.values(samples) as Message[]
const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString('hex')

/** The bytes that the first version of the format puts on the wire; a change here is a change of the protocol. */
const GOLDEN: { readonly [T in Message['type']]: string } = {
  preVote: '010100000000000000000000000000070000000000000003000000000000000c0000000000000006',
  preVoteResponse: '01020000000000000000000000000007000000000000000301',
  requestVote: '01030000000000000000000000000007000000000000000c000000000000000601',
  requestVoteResponse: '0104000000000000000000000000000700',
  appendEntries:
    '01050000000000000000000000000007000000000000000200000000000000090000000000000005000000000000000800000002000000000000000a00000000000000064278bcfe568000000100000000000000000000000000000b00000000000000074278bcfe568008000000000000000003010203',
  appendEntriesResponse:
    '01060000000000000000000000000007000000000000000201000000000000000900000000000000080000000000000004',
  heartbeat:
    '010700000000000000000000000000070000000000000002000000000000000900000000000000050000000000000008000000000000002940934a0000000000bff000000000000000000000000000033fd0000000000000407f480000000000',
  heartbeatResponse:
    '0108000000000000000000000000000700000000000000020000000000000029ffffffffffffffff4058f00000000000000000000000000340934a0000000000407f480000000000',
  proposeRequest: '0109000000000000000000000000000700000000000000030000000000000011000000000200000002090800000000',
  proposeResponse: '010a00000000000000000000000000070000000000000003000000000000001102000000000000000a0000000000000006',
  replicasRequest: '01120000000000000000000000000007000000000000000300000000000000110000000000000009',
  replicasResponse: '01130000000000000000000000000007000000000000000300000000000000110000000000000002',
  readIndexRequest: '010b00000000000000000000000000070000000000000003000000000000001101',
  readIndexResponse: '010c000000000000000000000000000700000000000000030000000000000011ffffffffffffffff',
  timeoutNow: '010d0000000000000000000000000007',
  installSnapshot:
    '010e000000000000000000000000000700000000000000020000000000000005000000000000000c00000000000000064278bcfe5680000000000000000000030000005101000201040001006100030068003a003100020004007200610063006b0002007200310004007a006f006e00650001007a00000001006200030068003a0032000101040001006300030068003a00330000d1d1d1d1d1d1d1d1d1d1d1d1d1d1d1d1d1d1d1d1d1d1d1d1d1d1d1d1d1d1d1d1000000000000001400000000000000100000000301020355bc801d',
  installSnapshotResponse:
    '010f000000000000000000000000000700000000000000020000000000000005010000000000000000000000000000000c',
  membershipRequest:
    '0110000000000000000000000000000700000000000000030000000000000011010000002301000100040001006400030064003a003100010004007a006f006e006500010062000001',
  membershipResponse:
    '01110000000000000000000000000007000000000000000300000000000000110100000000000000000000000900000000000000000000002d01000101030001006400030064003a0031000100730000000100000005000101000001006100030061003a0031',
}

/** Decodes, and fails on any error that is not RAFT_CORRUPTION. */
function decodeOrCorrupt(bytes: Uint8Array): Message | null {
  try {
    return decodeMessage(bytes)
  } catch (error) {
    if (!isRaftError(error, 'RAFT_CORRUPTION')) throw error
    return null
  }
}

describe('message codec', () => {
  it.each(all)('writes a $type as the golden bytes and reads them back', (message) => {
    expect(hex(encodeMessage(message))).toBe(GOLDEN[message.type])
    expect(decodeMessage(Buffer.from(GOLDEN[message.type], 'hex'))).toEqual(message)
  })

  it('gives back every message as it was, at exactly the size that it announced', () => {
    fc.assert(
      fc.property(arbMessage, (message) => {
        const encoded = encodeMessage(message)
        expect(decodeMessage(encoded)).toEqual(message)
        expect(encodedSize(message)).toBe(encoded.byteLength)
      }),
      { numRuns: 500 },
    )
  })

  it('leaves room in front for the header of a transport', () => {
    for (const message of all) {
      const framed = encodeMessageAfter(message, 12)
      expect(hex(framed)).toBe(`${'00'.repeat(12)}${GOLDEN[message.type]}`)
    }
  })

  it.each([2 ** 32 - 1, 2 ** 32, 2 ** 32 + 1, 2 ** 53 - 1])('carries indexes and terms of %d (H102)', (value) => {
    const message: Heartbeat = {
      ...samples.heartbeat,
      term: value,
      prevLogIndex: value,
      prevLogTerm: value,
      round: value,
    }
    expect(decodeMessage(encodeMessage(message))).toEqual(message)
  })

  it('carries an entry at 2^53 - 1 and refuses one beyond (H102)', () => {
    const last = 2 ** 53 - 1
    const entry = { index: last, term: 6, type: 'noop', timestamp: 0, data: new Uint8Array(0) } as const
    const message: AppendEntries = { ...samples.appendEntries, prevLogIndex: last - 1, entries: [entry] }
    expect(decodeMessage(encodeMessage(message))).toEqual(message)
    expect(() => encodeMessage({ ...message, prevLogIndex: last, entries: [{ ...entry, index: last + 1 }] })).toThrow(
      /2\^53/,
    )
  })

  it('refuses a number above 2^53 - 1 from the wire (H102)', () => {
    const encoded = encodeMessage(samples.requestVote)
    encoded.set([0, 0x20, 0, 0, 0, 0, 0, 0], 8)
    expect(() => decodeMessage(encoded)).toThrow(/term is 9007199254740992, not below 2\^53/)
  })

  it('refuses every truncation', () => {
    for (const message of all) {
      const encoded = encodeMessage(message)
      for (let length = 0; length < encoded.byteLength; length += 1) {
        expect(decodeOrCorrupt(encoded.subarray(0, length))).toBeNull()
      }
    }
  })

  it('refuses what follows the last field', () => {
    for (const message of all) {
      const encoded = encodeMessage(message)
      const longer = new Uint8Array(encoded.byteLength + 1)
      longer.set(encoded)
      expect(() => decodeMessage(longer)).toThrow(/1 bytes follow its last field/)
    }
  })

  it('reads every bit flip as corruption or as another valid message', () => {
    for (const message of all) {
      const encoded = encodeMessage(message)
      for (let bit = 0; bit < encoded.byteLength * 8; bit += 1) {
        const flipped = encoded.slice()
        flipped[bit >> 3]! ^= 1 << (bit & 7)
        const decoded = decodeOrCorrupt(flipped)
        if (decoded !== null) expect(hex(encodeMessage(decoded))).toBe(hex(flipped))
      }
    }
  })

  it('reads arbitrary bytes as corruption or as a valid message', () => {
    const header = fc.integer({ min: 1, max: 17 }).map((type) => [1, type, 0, 0, 0, 0, 0, 0])
    fc.assert(
      fc.property(header, fc.uint8Array({ maxLength: 200 }), (head, tail) => {
        const bytes = Uint8Array.from([...head, ...tail])
        const decoded = decodeOrCorrupt(bytes)
        if (decoded !== null) expect(hex(encodeMessage(decoded))).toBe(hex(bytes))
      }),
      { numRuns: 2000 },
    )
  })

  it('copies payloads: scribbling over the input afterwards changes nothing (H96)', () => {
    fc.assert(
      fc.property(arbMessage, (message) => {
        const encoded = encodeMessage(message)
        const decoded = decodeMessage(encoded)
        encoded.fill(0xee)
        expect(decoded).toEqual(message)
      }),
    )
  })

  it('copies payloads into what it encodes: scribbling over the message afterwards changes nothing (H96)', () => {
    const command = Uint8Array.from([1, 2, 3])
    const message: ProposeRequest = { ...samples.proposeRequest, commands: [command] }
    const encoded = encodeMessage(message)
    command.fill(0xee)
    expect(decodeMessage(encoded)).toEqual({ ...message, commands: [Uint8Array.from([1, 2, 3])] })
  })

  it('keeps no more memory alive by a payload than the message had bytes (H96)', () => {
    const slab = new Uint8Array(1_000_000)
    const encoded = encodeMessage(samples.appendEntries)
    slab.set(encoded, 500)
    const decoded = decodeMessage(slab.subarray(500, 500 + encoded.byteLength)) as AppendEntries
    for (const { data } of decoded.entries) {
      expect(data.buffer).not.toBe(slab.buffer)
      expect(data.buffer.byteLength).toBeLessThan(encoded.byteLength)
    }
  })

  it('reads from a view into a larger buffer', () => {
    const encoded = encodeMessage(samples.appendEntries)
    const slab = new Uint8Array(encoded.byteLength + 20).fill(0xaa)
    slab.set(encoded, 13)
    expect(decodeMessage(slab.subarray(13, 13 + encoded.byteLength))).toEqual(samples.appendEntries)
  })
})

describe('message codec, hostile input', () => {
  const countOffset = 8 + 5 * 8
  const entryOffset = countOffset + 4

  function tampered(change: (bytes: Uint8Array, view: DataView) => void): () => Message {
    const bytes = encodeMessage(samples.appendEntries)
    change(bytes, new DataView(bytes.buffer))
    return () => decodeMessage(bytes)
  }

  it('refuses a count of entries that the bytes do not cover, before it allocates (H91)', () => {
    expect(tampered((_, view) => view.setUint32(countOffset, 60_000))).toThrow(/entries needs 1920000 bytes/)
    expect(tampered((_, view) => view.setUint32(countOffset, 0xffff_ffff))).toThrow(/entries has 4294967295 items/)
  })

  it('refuses a payload longer than what is left, before it allocates (H91)', () => {
    expect(tampered((_, view) => view.setUint32(entryOffset + 28, 0xffff_fff0))).toThrow(
      /the payload of an entry needs 4294967280 bytes/,
    )
  })

  it('refuses entries that do not follow prevLogIndex', () => {
    expect(tampered((_, view) => view.setUint32(entryOffset + 4, 11))).toThrow(/at place 10 says that its index is 11/)
  })

  it('refuses terms that fall or lie ahead of the message', () => {
    expect(tampered((_, view) => view.setUint32(entryOffset + 12, 4))).toThrow(/term 4 after an entry of term 5/)
    expect(tampered((_, view) => view.setUint32(entryOffset + 12, 8))).toThrow(/has term 8 in a message of term 7/)
  })

  it.each([
    ['version', 0, 2, /its version is 2/],
    ['type', 1, 20, /its type 20 is unknown/],
    ['type 0', 1, 0, /its type 0 is unknown/],
    ['flags', 2, 1, /its flags are 1/],
    ['reserved byte', 3, 1, /reserved byte is not zero/],
    ['group', 7, 1, /its group id is 1/],
  ])('refuses a header with another %s', (_, offset, value, reason) => {
    expect(tampered((bytes) => void (bytes[offset] = value))).toThrow(reason)
  })

  it.each([Number.NaN, Number.POSITIVE_INFINITY, -1, -0])('refuses a timestamp of %d', (value) => {
    expect(tampered((_, view) => view.setFloat64(entryOffset + 16, value))).toThrow(/timestamp of an entry is/)
  })

  it.each([
    ['a term that is no integer', { ...samples.requestVote, term: 1.5 }],
    ['a negative index', { ...samples.requestVote, lastLogIndex: -1 }],
    ['an unknown type', { ...samples.requestVote, type: 'requestVotes' }],
    ['a type of every object', { ...samples.requestVote, type: 'constructor' }],
    ['an infinite age', { ...samples.heartbeat, quorumAgeMs: Number.POSITIVE_INFINITY }],
    ['an unknown outcome', { ...samples.appendEntriesResponse, outcome: 'maybe' }],
    ['entries that do not follow', { ...samples.appendEntries, prevLogIndex: 3 }],
  ])('refuses to send %s', (_, message) => {
    expect(() => encodeMessage(message as unknown as Message)).toThrow(
      expect.objectContaining({ code: 'RAFT_INVARIANT' }),
    )
  })
})

describe('message codec, snapshots', () => {
  const { installSnapshot } = samples
  const { meta } = installSnapshot
  const [voter] = meta.configuration.members

  it.each([
    ['a chunk beyond the end', { sizeBytes: 18 }, /ends at 19 of 18 bytes/],
    ['an offset beyond the end', { offset: 2 ** 50, chunk: new Uint8Array(0) }, /of 20 bytes/],
    ['no entry', { meta: { ...meta, lastIncludedIndex: 0, configurationIndex: 0 } }, /holds no entry/],
    ['a term ahead of the message', { meta: { ...meta, lastIncludedTerm: 8 } }, /of term 8 in a message of term 7/],
    ['a configuration behind it', { meta: { ...meta, configurationIndex: 13 } }, /index 13, behind 12/],
    ['a digest of another length', { digest: new Uint8Array(31) }, /31 bytes, not 32 bytes/],
    ['a CRC that is none', { chunkCrc: -1 }, /chunkCrc is -1/],
  ] as const)('refuses to send one with %s', (_, change, reason) => {
    expect(() => encodeMessage({ ...installSnapshot, ...change } as InstallSnapshot)).toThrow(reason)
  })

  it('refuses from the wire what it would not send', () => {
    const encoded = encodeMessage(installSnapshot)
    const view = new DataView(encoded.buffer)
    view.setUint32(8 + 3 * 8 + 4, 2)
    expect(() => decodeMessage(encoded)).toThrow(/configuration of its snapshot is of index 3, behind 2/)
    view.setUint32(8 + 3 * 8 + 4, 12)
    expect(decodeMessage(encoded)).toEqual(installSnapshot)
  })

  it('takes the most members that a cluster may have, and reads no longer list (H91)', () => {
    const members = Array.from({ length: MAX_MEMBERS }, (_, at) => ({ ...voter!, id: `n${at}` }))
    const most = { ...installSnapshot, meta: { ...meta, configuration: { members, votersOutgoing: members } } }
    const encoded = encodeMessage(most)
    expect(decodeMessage(encoded)).toEqual(most)
    new DataView(encoded.buffer).setUint16(8 + 7 * 8 + 5, 65)
    expect(() => decodeMessage(encoded)).toThrow(/configuration is not the encoding of members/)
  })
})

describe('message codec, limits', () => {
  const none = new Uint8Array(0)

  it('carries the most commands that a message may have, and not one more', () => {
    const most: ProposeRequest = {
      ...samples.proposeRequest,
      commands: new Array<Uint8Array>(MAX_COMMANDS_PER_MESSAGE).fill(none),
    }
    const encoded = encodeMessage(most)
    expect((decodeMessage(encoded) as ProposeRequest).commands).toHaveLength(MAX_COMMANDS_PER_MESSAGE)
    expect(() => encodeMessage({ ...most, commands: [...most.commands, none] })).toThrow(/not at most 65536/)
    const longer = new Uint8Array(encoded.byteLength + commandOverheadBytes)
    longer.set(encoded)
    new DataView(longer.buffer).setUint32(33, MAX_COMMANDS_PER_MESSAGE + 1)
    expect(() => decodeMessage(longer)).toThrow(/commands has 65537 items/)
  })

  it('carries the most entries that a message may have, and not one more', () => {
    const entries = Array.from({ length: MAX_ENTRIES_PER_MESSAGE + 1 }, (_, place) => {
      return { index: place + 1, term: 1, type: 'noop', timestamp: 0, data: none } as const
    })
    const base: AppendEntries = { ...samples.appendEntries, prevLogIndex: 0, prevLogTerm: 0, entries: [] }
    const most = decodeMessage(encodeMessage({ ...base, entries: entries.slice(0, -1) })) as AppendEntries
    expect(most.entries).toHaveLength(MAX_ENTRIES_PER_MESSAGE)
    expect(() => encodeMessage({ ...base, entries })).toThrow(/not at most 65536/)
  })

  it('costs no more beside payloads than the constants say', () => {
    for (const message of all) {
      // What a configuration costs is no constant: whoever sends a snapshot asks encodedSize.
      if (message.type === 'installSnapshot') continue
      const bare = {
        ...message,
        ...('entries' in message && { entries: [] }),
        ...('commands' in message && { commands: [] }),
        ...('change' in message && { change: null }),
        ...('configuration' in message && { configuration: null }),
      }
      expect(encodedSize(bare)).toBeLessThanOrEqual(messageOverheadBytes)
    }
    const { entries } = samples.appendEntries
    expect(encodedSize(samples.appendEntries) - encodedSize({ ...samples.appendEntries, entries: [] })).toBe(
      entries.reduce((size, { data }) => size + data.byteLength + entryOverheadBytes, 0),
    )
  })
})

describe('messageLane', () => {
  it('keeps what carries entries or commands apart from what elections and reads wait for (H94)', () => {
    const bulk = all.filter((message) => messageLane(message) === 'bulk').map(({ type }) => type)
    expect(bulk).toEqual(['appendEntries', 'proposeRequest', 'installSnapshot'])
  })
})
