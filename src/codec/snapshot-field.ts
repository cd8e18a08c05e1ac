// What a snapshot says of itself on the wire (§7): position, time and configuration, in fixed fields. Each field of a
// member stands in one table, so that one that is added to the type can't be left out here. How the fields of an
// InstallSnapshot relate is checked by `checkSnapshot`, on both ends; whether a configuration makes sense is the core's.
import type { InstallSnapshot } from '../core/messages.js'
import type { Configuration, Member, SnapshotMeta } from '../core/types.js'
import type { ByteReader, ByteWriter } from './binary.js'
import { type Field, integer, milliseconds, oneOf, refuse } from './field.js'

/** Of a SHA-256. */
export const DIGEST_BYTES = 32
/** Of one list: no cluster has more. */
export const MAX_MEMBERS_PER_LIST = 64
/** Of one id, address, name or value, in UTF-8. */
const MAX_TEXT_BYTES = 4_096
/** Pairs of one member's metadata; what it may weigh is checked where it is given. */
const MAX_METADATA_PAIRS = 1_024
/** Where the count of pairs would stand. */
const NO_METADATA = 0xffff

const encoder = new TextEncoder()
const decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })

/** A SHA-256. */
export const digest: Field<Uint8Array> = {
  sizeOf: () => DIGEST_BYTES,
  write(writer, value, name) {
    if (value.byteLength !== DIGEST_BYTES) refuse(name, `${value.byteLength} bytes`, `${DIGEST_BYTES} bytes`)
    writer.raw(value)
  },
  read: (reader, name) => reader.copy(DIGEST_BYTES, name),
}

const text: Field<string> = {
  sizeOf: (value) => 2 + encoder.encode(value).byteLength,
  write(writer, value, name) {
    const encoded = encoder.encode(value)
    if (encoded.byteLength > MAX_TEXT_BYTES) refuse(name, `${encoded.byteLength} bytes`, `at most ${MAX_TEXT_BYTES}`)
    writer.uint16(encoded.byteLength)
    writer.raw(encoded)
  },
  read(reader, name) {
    const length = reader.uint16(`the length of ${name}`)
    if (length > MAX_TEXT_BYTES) reader.fail(`${name} has ${length} bytes, more than ${MAX_TEXT_BYTES}`)
    const encoded = reader.copy(length, name)
    try {
      return decoder.decode(encoded)
    } catch {
      return reader.fail(`${name} is not UTF-8`)
    }
  },
}

const metadata: Field<Member['metadata']> = {
  sizeOf: (value) =>
    Object.entries(value ?? {}).reduce((size, [key, held]) => size + text.sizeOf(key) + text.sizeOf(held), 2),
  write(writer, value, name) {
    const pairs = Object.entries(value ?? {}).sort(([one], [other]) => (one < other ? -1 : 1))
    if (pairs.length > MAX_METADATA_PAIRS)
      refuse(`the length of ${name}`, pairs.length, `at most ${MAX_METADATA_PAIRS}`)
    writer.uint16(value === undefined ? NO_METADATA : pairs.length)
    for (const [key, held] of pairs) {
      text.write(writer, key, `a name of ${name}`)
      text.write(writer, held, `a value of ${name}`)
    }
  },
  read(reader, name) {
    const count = reader.uint16(`the length of ${name}`)
    if (count === NO_METADATA) return undefined
    if (count > MAX_METADATA_PAIRS) reader.fail(`${name} has ${count} pairs, more than ${MAX_METADATA_PAIRS}`)
    const pairs: [string, string][] = []
    for (let at = 0; at < count; at++) {
      const key = text.read(reader, `a name of ${name}`)
      // Rising, so that every value has one encoding and no name stands there twice.
      if (at > 0 && key <= (pairs[at - 1]?.[0] ?? '')) reader.fail(`the names of ${name} do not rise`)
      pairs.push([key, text.read(reader, `a value of ${name}`)])
    }
    // Not by assignment: the name '__proto__' would be no key.
    return Object.fromEntries(pairs)
  },
}

const MEMBER: { readonly [Name in keyof Required<Member>]: Field<Member[Name]> } = {
  id: text,
  address: text,
  suffrage: oneOf<Member['suffrage']>(['voter', 'learner']),
  metadata,
}
const MEMBER_FIELDS = Object.entries(MEMBER) as readonly (readonly [keyof Member, Field<unknown>])[]

const members: Field<readonly Member[]> = {
  sizeOf: (list) => list.reduce((size, member) => size + memberBytes(member), 2),
  write(writer, list, name) {
    if (list.length > MAX_MEMBERS_PER_LIST) {
      refuse(`the length of ${name}`, list.length, `at most ${MAX_MEMBERS_PER_LIST}`)
    }
    writer.uint16(list.length)
    for (const member of list)
      for (const [key, field] of MEMBER_FIELDS) field.write(writer, member[key], `${key} of ${name}`)
  },
  read(reader, name) {
    const count = reader.uint16(`the length of ${name}`)
    if (count > MAX_MEMBERS_PER_LIST) reader.fail(`${name} has ${count} members, more than ${MAX_MEMBERS_PER_LIST}`)
    return Array.from({ length: count }, () => readMember(reader, name))
  },
}

const configuration: Field<Configuration> = {
  sizeOf: (value) => members.sizeOf(value.members) + members.sizeOf(value.votersOutgoing),
  write(writer, value) {
    members.write(writer, value.members, 'the members')
    members.write(writer, value.votersOutgoing, 'the outgoing voters')
  },
  read: (reader) => ({
    members: members.read(reader, 'the members'),
    votersOutgoing: members.read(reader, 'the outgoing voters'),
  }),
}

const META: { readonly [Name in keyof SnapshotMeta]: Field<SnapshotMeta[Name]> } = {
  lastIncludedIndex: integer,
  lastIncludedTerm: integer,
  lastIncludedTimestamp: milliseconds,
  configurationIndex: integer,
  configuration,
}
const META_FIELDS = Object.entries(META) as readonly (readonly [keyof SnapshotMeta, Field<unknown>])[]

/** The meta of a snapshot. */
export const snapshotMeta: Field<SnapshotMeta> = {
  sizeOf: (meta) => META_FIELDS.reduce((size, [name, field]) => size + field.sizeOf(meta[name]), 0),
  write(writer: ByteWriter, meta: SnapshotMeta) {
    for (const [name, field] of META_FIELDS) field.write(writer, meta[name], name)
  },
  read: (reader: ByteReader) =>
    Object.fromEntries(META_FIELDS.map(([name, field]) => [name, field.read(reader, name)])) as unknown as SnapshotMeta,
}

/** What is wrong with an InstallSnapshot taken as a whole, or null. */
export function checkSnapshot({ term, meta, sizeBytes, offset, chunk }: InstallSnapshot): string | null {
  const { lastIncludedIndex, lastIncludedTerm, configurationIndex } = meta
  if (lastIncludedIndex < 1 || lastIncludedTerm < 1) return 'its snapshot holds no entry'
  if (lastIncludedTerm > term) return `its snapshot is of term ${lastIncludedTerm} in a message of term ${term}`
  if (configurationIndex > lastIncludedIndex) {
    return `the configuration of its snapshot is of index ${configurationIndex}, behind ${lastIncludedIndex}`
  }
  const end = offset + chunk.byteLength
  return end > sizeBytes ? `its chunk ends at ${end} of ${sizeBytes} bytes` : null
}

function memberBytes(member: Member): number {
  return MEMBER_FIELDS.reduce((size, [key, field]) => size + field.sizeOf(member[key]), 0)
}

function readMember(reader: ByteReader, name: string): Member {
  const read = MEMBER_FIELDS.map(([key, field]) => [key, field.read(reader, `${key} of ${name}`)] as const)
  return Object.fromEntries(read.filter(([, value]) => value !== undefined)) as unknown as Member
}
