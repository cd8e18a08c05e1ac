// The kinds of fields that a message is made of: how many bytes a value takes, how it is written, and what is checked
// when it is read. Nothing here knows a message. A value that the kind can't carry is refused when it is written, too:
// a wrong number must not leave the node that made it.
import { RaftError } from '../errors.js'
import type { ByteReader, ByteWriter } from './binary.js'

const MAX_UINT32 = 2 ** 32 - 1

/** One field on the wire. */
export interface Field<T> {
  sizeOf(value: T): number
  write(writer: ByteWriter, value: T, name: string): void
  /** @throws RaftError RAFT_CORRUPTION */
  read(reader: ByteReader, name: string): T
}

/** Most commands in one message; a longer list is refused before anything is allocated for it. */
export const MAX_COMMANDS_PER_MESSAGE = 65_536
/** What a command costs on the wire beside its payload, bytes. */
export const commandOverheadBytes = 4

/** Throws RAFT_INVARIANT: this node was about to send something that no node may say. */
export function refuse(name: string, value: unknown, expected: string): never {
  throw new RaftError('RAFT_INVARIANT', `A message can't be encoded: ${name} is ${String(value)}, not ${expected}.`)
}

/** 0 to 2^53 - 1. */
export const integer: Field<number> = {
  sizeOf: () => 8,
  write(writer, value, name) {
    if (!Number.isSafeInteger(value) || value < 0) refuse(name, value, 'a whole number from 0 to 2^53 - 1')
    writer.integer(value)
  },
  read: (reader, name) => reader.integer(name),
}

/** -1 for "none", else like `integer`. */
export const integerOrNone: Field<number> = {
  sizeOf: () => 8,
  write(writer, value, name) {
    if (value === -1) writer.none()
    else integer.write(writer, value, name)
  },
  read(reader, name) {
    if (!reader.startsWithNone()) return reader.integer(name)
    reader.uint32(name)
    reader.uint32(name)
    return -1
  },
}

/** A clock or a duration: finite, not negative, with fractions. */
export const milliseconds: Field<number> = {
  sizeOf: () => 8,
  write(writer, value, name) {
    if (!isMilliseconds(value)) refuse(name, value, 'a finite number of milliseconds that is not negative')
    writer.float64(value)
  },
  read(reader, name) {
    const value = reader.float64(name)
    if (!isMilliseconds(value)) reader.fail(`${name} is ${value}, not a number of milliseconds`)
    return value
  },
}

/** -1 for "none", else like `milliseconds`. */
export const millisecondsOrNone: Field<number> = {
  sizeOf: () => 8,
  write(writer, value, name) {
    if (value === -1) writer.float64(value)
    else milliseconds.write(writer, value, name)
  },
  read(reader, name) {
    const value = reader.float64(name)
    if (value !== -1 && !isMilliseconds(value)) reader.fail(`${name} is ${value}, not a number of milliseconds`)
    return value
  },
}

/** One byte: 0 or 1, nothing else. */
export const boolean: Field<boolean> = {
  sizeOf: () => 1,
  write: (writer, value) => writer.uint8(value ? 1 : 0),
  read(reader, name) {
    const value = reader.uint8(name)
    if (value > 1) reader.fail(`${name} is ${value}, neither 0 nor 1`)
    return value === 1
  },
}

/** One byte: the position in `values`, which must never be reordered. */
export function oneOf<T extends string | null>(values: readonly T[]): Field<T> {
  return {
    sizeOf: () => 1,
    write(writer, value, name) {
      const number = values.indexOf(value)
      if (number === -1) refuse(name, value, `one of ${values.join(', ')}`)
      writer.uint8(number)
    },
    read(reader, name) {
      const number = reader.uint8(name)
      const value = values[number]
      return value === undefined ? reader.fail(`${name} is ${number}, which means nothing`) : value
    },
  }
}

/** 0 to 2^32 - 1. */
export const uint32: Field<number> = {
  sizeOf: () => 4,
  write(writer, value, name) {
    if (!Number.isInteger(value) || value < 0 || value > MAX_UINT32) refuse(name, value, 'a whole number below 2^32')
    writer.uint32(value)
  },
  read: (reader, name) => reader.uint32(name),
}

/** A length, then that many bytes. */
export const bytes: Field<Uint8Array> = {
  sizeOf: (value) => 4 + value.byteLength,
  write(writer, value) {
    writer.uint32(value.byteLength)
    writer.raw(value)
  },
  read: (reader, name) => reader.copy(reader.uint32(name), name),
}

/** A count, then length and bytes of each. */
export const byteList: Field<readonly Uint8Array[]> = {
  sizeOf: (list) => list.reduce((size, bytes) => size + commandOverheadBytes + bytes.byteLength, 4),
  write(writer, list, name) {
    if (list.length > MAX_COMMANDS_PER_MESSAGE) {
      refuse(`the length of ${name}`, list.length, `at most ${MAX_COMMANDS_PER_MESSAGE}`)
    }
    writer.uint32(list.length)
    for (const bytes of list) {
      writer.uint32(bytes.byteLength)
      writer.raw(bytes)
    }
  },
  read(reader, name) {
    const count = reader.uint32(`the length of ${name}`)
    if (count > MAX_COMMANDS_PER_MESSAGE) {
      reader.fail(`${name} has ${count} items, more than ${MAX_COMMANDS_PER_MESSAGE}`)
    }
    reader.need(count * commandOverheadBytes, name)
    const list: Uint8Array[] = []
    for (let position = 0; position < count; position += 1) {
      list.push(reader.payload(reader.uint32(name), name))
    }
    return list
  },
}

function isMilliseconds(value: number): boolean {
  // Minus zero is refused so that every value has one encoding.
  return Number.isFinite(value) && value >= 0 && !Object.is(value, -0)
}
