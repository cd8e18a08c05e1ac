// The payload of a configuration entry (§6): the one kind of entry that the core must understand, so it has a format of
// its own here, without help from outside. Texts are UTF-16 code units, numbers big-endian; nothing in it is optional.
import { configurationProblem, MAX_MEMBERS } from './configuration.js'
import type { Configuration, Member } from './types.js'

/** Byte 0; never change what a number means. */
const VERSION = 1
const HALF = 0x1_0000_0000
const HAS_STORE = 1
const HAS_ADDED_AT = 2
const HAS_METADATA = 4

/** The payload of the entry that brings `configuration` into force. */
export function encodeConfiguration({ members, votersOutgoing }: Configuration): Uint8Array {
  const bytes: number[] = [VERSION]
  for (const list of [members, votersOutgoing]) {
    number16(bytes, list.length)
    for (const member of list) writeMember(bytes, member)
  }
  return Uint8Array.from(bytes)
}

/** What `encodeConfiguration` made; null when it is anything else. */
export function decodeConfiguration(data: Uint8Array): Configuration | null {
  const reader = new Reader(data)
  if (reader.byte() !== VERSION) return null
  const members = readMembers(reader)
  const votersOutgoing = readMembers(reader)
  return reader.isDone ? { members, votersOutgoing } : null
}

/** The configuration that `data` brings into force, or why it can't be, in words. */
export function readConfiguration(
  data: Uint8Array,
): { readonly configuration: Configuration } | { readonly problem: string } {
  const configuration = decodeConfiguration(data)
  if (configuration === null) return { problem: 'it is not an encoding of members' }
  const problem = configurationProblem(configuration)
  return problem === null ? { configuration } : { problem }
}

function writeMember(bytes: number[], { id, address, suffrage, storeId, addedAt, metadata }: Member): void {
  const has = (value: unknown, flag: number): number => (value === undefined ? 0 : flag)
  bytes.push(suffrage === 'voter' ? 1 : 0)
  bytes.push(has(storeId, HAS_STORE) | has(addedAt, HAS_ADDED_AT) | has(metadata, HAS_METADATA))
  text(bytes, id)
  text(bytes, address)
  if (storeId !== undefined) text(bytes, storeId)
  if (addedAt !== undefined) {
    number32(bytes, Math.floor(addedAt / HALF))
    number32(bytes, addedAt % HALF)
  }
  if (metadata === undefined) return
  const facts = Object.entries(metadata).sort(([one], [other]) => (one < other ? -1 : 1))
  number16(bytes, facts.length)
  for (const [name, value] of facts) {
    text(bytes, name)
    text(bytes, value)
  }
}

function readMembers(reader: Reader): Member[] {
  const count = reader.number16()
  const members: Member[] = []
  if (count > MAX_MEMBERS) reader.fail()
  for (let at = 0; at < count && !reader.hasFailed; at++) members.push(readMember(reader))
  return members
}

function readMember(reader: Reader): Member {
  const [vote, flags] = [reader.byte(), reader.byte()]
  if (vote > 1 || flags > (HAS_STORE | HAS_ADDED_AT | HAS_METADATA)) reader.fail()
  const suffrage = vote === 1 ? 'voter' : 'learner'
  const [id, address] = [reader.text(), reader.text()]
  const member = { id, address, suffrage } as const
  const store = (flags & HAS_STORE) === 0 ? {} : { storeId: reader.text() }
  const added = (flags & HAS_ADDED_AT) === 0 ? {} : { addedAt: reader.integer() }
  const facts = (flags & HAS_METADATA) === 0 ? {} : { metadata: readMetadata(reader) }
  return { ...member, ...facts, ...store, ...added }
}

/** Names rise, so that equal metadata have equal bytes. Defined instead of set: the names are a user's (H103). */
function readMetadata(reader: Reader): Record<string, string> {
  const metadata: Record<string, string> = {}
  const count = reader.number16()
  let previous: string | null = null
  for (let at = 0; at < count && !reader.hasFailed; at++) {
    const [name, value] = [reader.text(), reader.text()]
    if (previous !== null && name <= previous) reader.fail()
    previous = name
    Object.defineProperty(metadata, name, { value, enumerable: true, writable: true, configurable: true })
  }
  return metadata
}

function number16(bytes: number[], value: number): void {
  bytes.push(value >>> 8, value & 0xff)
}

function number32(bytes: number[], value: number): void {
  number16(bytes, value >>> 16)
  number16(bytes, value & 0xffff)
}

function text(bytes: number[], value: string): void {
  number16(bytes, value.length)
  for (let at = 0; at < value.length; at++) number16(bytes, value.charCodeAt(at))
}

/** Reads zeros behind the end, and remembers that it did. */
class Reader {
  readonly #data: Uint8Array
  #at = 0
  hasFailed = false

  constructor(data: Uint8Array) {
    this.#data = data
  }

  /** Everything was there, and nothing is left. */
  get isDone(): boolean {
    return !this.hasFailed && this.#at === this.#data.length
  }

  fail(): void {
    this.hasFailed = true
  }

  byte(): number {
    const value = this.#data[this.#at]
    this.#at += 1
    if (value === undefined) this.fail()
    return value ?? 0
  }

  number16(): number {
    return this.byte() * 0x100 + this.byte()
  }

  number32(): number {
    return this.number16() * 0x1_0000 + this.number16()
  }

  integer(): number {
    const value = this.number32() * HALF + this.number32()
    if (!Number.isSafeInteger(value)) this.fail()
    return value
  }

  text(): string {
    let value = ''
    const length = this.number16()
    for (let at = 0; at < length && !this.hasFailed; at++) value += String.fromCharCode(this.number16())
    return value
  }
}
