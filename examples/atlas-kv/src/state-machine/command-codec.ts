// The encoding of a command in the log: one byte of type, then its fields, varints for lengths. It never grows a
// command by more than 32 bytes and a few per item, and refuses what it did not write itself (H91, H96, H102). A type
// byte once used never gets another meaning: logs outlive versions.
import type { Codec } from 'helios-raft'
import { ByteReader, ByteWriter, varintSize } from './bytes.js'
import type {
  DeleteCommand,
  ExpireCommand,
  ExpireCondition,
  ExpiryTime,
  KvCommand,
  OnceCommand,
  SetCommand,
  SetCondition,
} from './command.js'
import { MAX_EXPIRY_MS } from './command.js'

const TYPE = { set: 1, delete: 2, increment: 3, expire: 4, persist: 5, setMany: 6, flush: 7, tick: 8, once: 9 }
const CONDITIONS = ['always', 'absent', 'present'] as const
const EXPIRE_CONDITIONS: readonly ExpireCondition[] = [
  'always',
  'absent',
  'present',
  'greater',
  'less',
  'presentGreater',
  'presentLess',
]
const CONDITION_INDEX = 3
/** SHA-256. */
const DIGEST_BYTES = 32
const EXPIRY = { none: 0, keep: 1, inMs: 2, atMs: 3 }

/** The codec of RaftNode's commands. */
export const kvCommandCodec: Codec<KvCommand> = { encode: encodeCommand, decode: decodeCommand }

/** Encoded size in bytes, without encoding: what the limit of a command is compared with. */
export function commandSize(command: KvCommand): number {
  switch (command.type) {
    case 'once':
      return 1 + DIGEST_BYTES + commandSize(command.command)
    case 'set':
      return 4 + sized(command.key.length) + sized(command.value.length) + conditionSize(command) + expirySize(command)
    case 'delete':
      return 1 + command.keys.reduce((sum, key) => sum + sized(key.length), varintSize(command.keys.length))
    case 'increment':
      return 9 + sized(command.key.length)
    case 'expire':
      return 3 + sized(command.key.length) + 8
    case 'persist':
      return 1 + sized(command.key.length)
    case 'setMany':
      return command.pairs.reduce(
        (sum, [key, value]) => sum + sized(key.length) + sized(value.length),
        1 + varintSize(command.pairs.length),
      )
    default:
      return 1
  }
}

function sized(length: number): number {
  return varintSize(length) + length
}

function conditionSize(command: SetCommand): number {
  return typeof command.condition === 'object' ? varintSize(command.condition.index) : 0
}

function expirySize(command: SetCommand): number {
  return command.expiry === null || command.expiry === 'keep' ? 0 : 8
}

function encodeCommand(command: KvCommand): Uint8Array {
  const writer = new ByteWriter(commandSize(command))
  encodeBody(writer, command)
  if (!writer.isFull) throw new Error(`a ${command.type} command was encoded to another size than computed`)
  return writer.bytes
}

function encodeBody(writer: ByteWriter, command: KvCommand): void {
  writer.byte(TYPE[command.type])
  switch (command.type) {
    case 'once':
      writer.raw(command.digest)
      encodeBody(writer, command.command)
      break
    case 'set':
      encodeSet(writer, command)
      break
    case 'delete':
      writer.varint(command.keys.length)
      for (const key of command.keys) writer.text(key)
      break
    case 'increment':
      writer.text(command.key)
      writer.int64(command.by)
      break
    case 'expire':
      writer.text(command.key)
      writer.byte(EXPIRE_CONDITIONS.indexOf(command.condition))
      encodeTime(writer, command.time)
      break
    case 'persist':
      writer.text(command.key)
      break
    case 'setMany':
      writer.varint(command.pairs.length)
      for (const [key, value] of command.pairs) {
        writer.text(key)
        writer.sized(value)
      }
      break
  }
}

function encodeSet(writer: ByteWriter, { key, value, condition, expiry, returnPrevious }: SetCommand): void {
  writer.text(key)
  writer.sized(value)
  writer.byte(returnPrevious ? 1 : 0)
  if (typeof condition === 'object') {
    writer.byte(CONDITION_INDEX)
    writer.varint(condition.index)
  } else {
    writer.byte(CONDITIONS.indexOf(condition))
  }
  if (expiry === null) writer.byte(EXPIRY.none)
  else if (expiry === 'keep') writer.byte(EXPIRY.keep)
  else encodeTime(writer, expiry)
}

function encodeTime(writer: ByteWriter, time: ExpiryTime): void {
  const relative = 'inMs' in time
  writer.byte(relative ? EXPIRY.inMs : EXPIRY.atMs)
  writer.int64(BigInt(relative ? time.inMs : time.atMs))
}

function decodeCommand(data: Uint8Array): KvCommand {
  const reader = new ByteReader(data, 'a command')
  const command = decodeBody(reader)
  reader.end()
  return command
}

function decodeBody(reader: ByteReader): KvCommand {
  const type = reader.byte()
  switch (type) {
    case TYPE.set:
      return decodeSet(reader)
    case TYPE.delete:
      return decodeDelete(reader)
    case TYPE.increment:
      return { type: 'increment', key: reader.text(), by: reader.int64() }
    case TYPE.expire:
      return decodeExpire(reader)
    case TYPE.persist:
      return { type: 'persist', key: reader.text() }
    case TYPE.setMany:
      return { type: 'setMany', pairs: Array.from({ length: reader.count(2) }, () => [reader.text(), reader.sized()]) }
    case TYPE.flush:
      return { type: 'flush' }
    case TYPE.tick:
      return { type: 'tick' }
    case TYPE.once:
      return decodeOnce(reader)
    default:
      throw reader.corrupt(`${type} is no type of command`)
  }
}

function decodeSet(reader: ByteReader): SetCommand {
  const key = reader.text()
  const value = reader.sized()
  const flag = reader.byte()
  if (flag > 1) throw reader.corrupt(`${flag} is no flag`)
  const condition = decodeCondition(reader)
  const kind = reader.byte()
  const expiry = kind === EXPIRY.none ? null : kind === EXPIRY.keep ? 'keep' : decodeTime(reader, kind)
  return { type: 'set', key, value, condition, expiry, returnPrevious: flag === 1 }
}

function decodeDelete(reader: ByteReader): DeleteCommand {
  return { type: 'delete', keys: Array.from({ length: reader.count(1) }, () => reader.text()) }
}

function decodeOnce(reader: ByteReader): OnceCommand {
  const digest = reader.raw(DIGEST_BYTES)
  const type = reader.byte()
  if (type === TYPE.set) return { type: 'once', digest, command: decodeSet(reader) }
  if (type === TYPE.delete) return { type: 'once', digest, command: decodeDelete(reader) }
  throw reader.corrupt(`${type} is no type of command that runs once`)
}

function decodeCondition(reader: ByteReader): SetCondition {
  const kind = reader.byte()
  if (kind === CONDITION_INDEX) return { index: reader.varint() }
  const condition = CONDITIONS[kind]
  if (condition === undefined) throw reader.corrupt(`${kind} is no condition`)
  return condition
}

function decodeExpire(reader: ByteReader): ExpireCommand {
  const key = reader.text()
  const kind = reader.byte()
  const condition = EXPIRE_CONDITIONS[kind]
  if (condition === undefined) throw reader.corrupt(`${kind} is no condition`)
  return { type: 'expire', key, condition, time: decodeTime(reader, reader.byte()) }
}

function decodeTime(reader: ByteReader, kind: number): ExpiryTime {
  if (kind !== EXPIRY.inMs && kind !== EXPIRY.atMs) throw reader.corrupt(`${kind} is no kind of expiry`)
  const ms = Number(reader.int64())
  if (Math.abs(ms) > MAX_EXPIRY_MS) throw reader.corrupt(`${ms} ms is beyond every expiry`)
  return kind === EXPIRY.inMs ? { inMs: ms } : { atMs: ms }
}
