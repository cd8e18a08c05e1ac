// What the log holds for sessions (§8): the payload of an entry of the type `session`. Everything that decides whether a
// command runs stands in it, or in this format: a bound that a node could set for itself would make states differ (F18).
import { ByteReader, ByteWriter } from '../../codec/binary.js'
import type { LogIndex } from '../../core/types.js'
import { RaftError } from '../../errors.js'

/** Byte 0 of each payload. */
const VERSION = 1
/** version 1, kind 1, length of the id 1. */
const HEAD_BYTES = 3

/** Longest id of a session, bytes of UTF-8. */
export const MAX_SESSION_ID_BYTES = 128

/** What a command of a session costs in the log beside its own bytes and those of the id. */
export const SESSION_COMMAND_OVERHEAD_BYTES: number = HEAD_BYTES + 3 * 8

export type SessionEntry =
  /** Begins a session, for which `ttlMs` counts, or finds the one of that id: only that life of it where `openedAt` is not 0. */
  | { readonly type: 'open'; readonly id: string; readonly openedAt: LogIndex; readonly ttlMs: number }
  | {
      readonly type: 'command'
      readonly id: string
      /** Index of the entry that opened it: of two lives of one id this is one. */
      readonly openedAt: LogIndex
      readonly sequence: number
      /** The client needs no answer up to here any more. */
      readonly acknowledged: number
      readonly command: Uint8Array
    }
  | { readonly type: 'close'; readonly id: string; readonly openedAt: LogIndex }

// The numbers are in logs: never change or reuse one.
const KINDS = ['open', 'command', 'close'] as const

const encoder = new TextEncoder()
const decoder = new TextDecoder('utf-8', { fatal: true })

/** The bytes of an id. @throws RaftError RAFT_INVALID_OPTION */
export function encodeSessionId(id: string): Uint8Array {
  const bytes = typeof id === 'string' ? encoder.encode(id) : new Uint8Array(0)
  // What is no well-formed text would come back as another one.
  if (bytes.length > 0 && bytes.length <= MAX_SESSION_ID_BYTES && decoder.decode(bytes) === id) return bytes
  throw new RaftError(
    'RAFT_INVALID_OPTION',
    `the id of a session is ${JSON.stringify(id)}: use a text of 1 to ${MAX_SESSION_ID_BYTES} bytes`,
  )
}

/** What no node could read would stop them all: it never gets into a log. @throws RaftError RAFT_INVALID_OPTION */
export function encodeSessionEntry(entry: SessionEntry): Uint8Array {
  const id = encodeSessionId(entry.id)
  const numbers = entry.type === 'command' ? [entry.openedAt, entry.sequence, entry.acknowledged] : [entry.openedAt]
  const wrong = numbers.find((value) => !Number.isSafeInteger(value) || value < 0)
  if (wrong !== undefined)
    throw new RaftError('RAFT_INVALID_OPTION', `a session counts from 0 to 2^53 - 1, not to ${wrong}`)
  const writer = new ByteWriter(new Uint8Array(HEAD_BYTES + id.length + fieldBytes(entry)), 0)
  writer.uint8(VERSION)
  writer.uint8(KINDS.indexOf(entry.type))
  writer.uint8(id.length)
  writer.raw(id)
  writer.integer(entry.openedAt)
  if (entry.type === 'open') writer.float64(entry.ttlMs)
  if (entry.type !== 'command') return writer.bytes
  writer.integer(entry.sequence)
  writer.integer(entry.acknowledged)
  writer.raw(entry.command)
  return writer.bytes
}

/** @throws RaftError RAFT_CORRUPTION, or RAFT_VERSION for what a later version wrote */
export function decodeSessionEntry(data: Uint8Array): SessionEntry {
  const reader = new ByteReader(data, 'An entry of a session')
  const version = reader.uint8('version')
  if (version !== VERSION) {
    throw new RaftError(
      'RAFT_VERSION',
      `an entry of a session has version ${version}, not ${VERSION}: upgrade this node`,
    )
  }
  const type = KINDS[reader.uint8('kind')]
  const id = decoder.decode(reader.copy(reader.uint8('length of the id'), 'id'))
  const openedAt = reader.integer('openedAt')
  switch (type) {
    case 'open':
      return { type, id, openedAt, ttlMs: reader.float64('ttlMs') }
    case 'close':
      return { type, id, openedAt }
    case 'command': {
      const sequence = reader.integer('sequence')
      const acknowledged = reader.integer('acknowledged')
      return { type, id, openedAt, sequence, acknowledged, command: reader.copy(reader.remaining, 'command') }
    }
    default:
      return reader.fail('its kind means nothing')
  }
}

function fieldBytes(entry: SessionEntry): number {
  if (entry.type === 'close') return 8
  return entry.type === 'open' ? 2 * 8 : 3 * 8 + entry.command.length
}
