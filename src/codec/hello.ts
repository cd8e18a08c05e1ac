// The first bytes on a connection, from both ends: who a node is, which cluster and store it belongs to and what it
// can take (F25, F33, security promise 3). At most 512 bytes, read before anything else is known of the peer. Whether
// two hellos fit each other is decided by the node, not here.
import type { NodeId } from '../core/types.js'
import { RaftError } from '../errors.js'
import { ByteReader, ByteWriter } from './binary.js'

/** What a node says of itself. */
export interface Hello {
  /** Versions of the wire format that it speaks, 1 to 65535. */
  readonly minVersion: number
  readonly maxVersion: number
  /** Empty when it is not known yet. At most 128 bytes of UTF-8. */
  readonly clusterId: string
  /** Of the founding; empty when it is not known yet. */
  readonly nonce: string
  readonly nodeId: NodeId
  readonly storeId: string
  readonly bootCount: number
  /** Empty for a node without a bootstrap list. */
  readonly bootstrapDigest: string
  /** Largest encoded message that it takes, bytes. */
  readonly maxMessageBytes: number
  /** Kept for proofs of identity; at most 96 bytes. @defaultValue empty */
  readonly auth?: Uint8Array | undefined
}

/** Largest hello, bytes: what a connection may send before it is known. */
export const MAX_HELLO_BYTES = 512

/** "HELR" in ASCII. */
const MAGIC = 0x48454c52
const FORMAT = 1
const MAX_AUTH_BYTES = 96
const MAX_TEXT_BYTES = 64
const MAX_CLUSTER_ID_BYTES = 128
const NODE_ID = /^[A-Za-z0-9._-]{1,64}$/
// Control characters would end up in logs.
const PRINTABLE = /^[^\p{Cc}\p{Zl}\p{Zp}\p{Cs}]*$/u
const FIXED_BYTES = 4 + 1 + 2 + 2 + 8 + 8 + 2

type TextName = 'clusterId' | 'nonce' | 'nodeId' | 'storeId' | 'bootstrapDigest'
const TEXTS: readonly TextName[] = ['clusterId', 'nonce', 'nodeId', 'storeId', 'bootstrapDigest']

/** @throws RaftError RAFT_INVALID_OPTION when a value can't be said in a hello */
export function encodeHello(hello: Hello): Uint8Array<ArrayBuffer> {
  const auth = hello.auth ?? new Uint8Array(0)
  const problem = wrongNumber(hello) ?? (auth.byteLength > MAX_AUTH_BYTES ? `auth has ${auth.byteLength} bytes` : null)
  if (problem !== null) invalid(problem)
  const texts = TEXTS.map((name) => {
    const bytes = new TextEncoder().encode(hello[name])
    const problem = wrongText(name, hello[name], bytes.byteLength)
    if (problem !== null) invalid(problem)
    return bytes
  })
  const size = texts.reduce((sum, text) => sum + 1 + text.byteLength, FIXED_BYTES + auth.byteLength)
  const writer = new ByteWriter(new Uint8Array(size), 0)
  writer.uint32(MAGIC)
  writer.uint8(FORMAT)
  writer.uint16(hello.minVersion)
  writer.uint16(hello.maxVersion)
  for (const text of texts) {
    writer.uint8(text.byteLength)
    writer.raw(text)
  }
  writer.integer(hello.bootCount)
  writer.integer(hello.maxMessageBytes)
  writer.uint16(auth.byteLength)
  writer.raw(auth)
  return writer.bytes
}

/**
 * Checks every field and copies.
 * @throws RaftError RAFT_CORRUPTION when it is no hello, RAFT_VERSION when it is one of a format that came later
 */
export function decodeHello(bytes: Uint8Array): Required<Hello> {
  const reader = new ByteReader(bytes, 'A hello')
  if (bytes.byteLength > MAX_HELLO_BYTES) reader.fail(`it has ${bytes.byteLength} bytes, more than ${MAX_HELLO_BYTES}`)
  if (reader.uint32('the magic number') !== MAGIC) reader.fail('it does not begin with the magic number')
  const format = reader.uint8('the format')
  if (format === 0) reader.fail('its format is 0')
  if (format > FORMAT) {
    const advice = 'upgrade this node before the others speak only the newer format'
    throw new RaftError('RAFT_VERSION', `A peer's hello has format ${format}, this node knows ${FORMAT}: ${advice}.`)
  }
  const minVersion = reader.uint16('minVersion')
  const maxVersion = reader.uint16('maxVersion')
  const clusterId = readText(reader, 'clusterId')
  const nonce = readText(reader, 'nonce')
  const nodeId = readText(reader, 'nodeId')
  const storeId = readText(reader, 'storeId')
  const bootstrapDigest = readText(reader, 'bootstrapDigest')
  const bootCount = reader.integer('bootCount')
  const maxMessageBytes = reader.integer('maxMessageBytes')
  const authLength = reader.uint16('the length of auth')
  if (authLength > MAX_AUTH_BYTES) reader.fail(`auth has ${authLength} bytes, more than ${MAX_AUTH_BYTES}`)
  const auth = reader.copy(authLength, 'auth')
  reader.end()
  const problem = wrongNumber({ minVersion, maxVersion, bootCount, maxMessageBytes })
  if (problem !== null) reader.fail(problem)
  return {
    minVersion,
    maxVersion,
    clusterId,
    nonce,
    nodeId,
    storeId,
    bootCount,
    bootstrapDigest,
    maxMessageBytes,
    auth,
  }
}

function readText(reader: ByteReader, name: TextName): string {
  const bytes = reader.copy(reader.uint8(`the length of ${name}`), name)
  let text: string
  try {
    text = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes)
  } catch {
    return reader.fail(`${name} is not UTF-8`)
  }
  const problem = wrongText(name, text, bytes.byteLength)
  if (problem !== null) reader.fail(problem)
  return text
}

function wrongText(name: TextName, text: string, sizeBytes: number): string | null {
  // The value is not shown: it may be anything.
  if (name === 'nodeId') return NODE_ID.test(text) ? null : 'nodeId is not 1 to 64 of A-Z a-z 0-9 . _ -'
  if (name === 'storeId' && text === '') return 'storeId is empty'
  const limit = name === 'clusterId' ? MAX_CLUSTER_ID_BYTES : MAX_TEXT_BYTES
  if (sizeBytes > limit) return `${name} has ${sizeBytes} bytes, more than ${limit}`
  return PRINTABLE.test(text) ? null : `${name} holds characters that can't be printed`
}

function wrongNumber(hello: Pick<Hello, 'minVersion' | 'maxVersion' | 'bootCount' | 'maxMessageBytes'>): string | null {
  const { minVersion, maxVersion, bootCount, maxMessageBytes } = hello
  const isRange =
    Number.isInteger(minVersion) && Number.isInteger(maxVersion) && minVersion >= 1 && maxVersion <= 0xffff
  if (!isRange || minVersion > maxVersion) return `the versions are ${minVersion} to ${maxVersion}`
  if (!Number.isSafeInteger(bootCount) || bootCount < 0) return `bootCount is ${bootCount}`
  if (!Number.isSafeInteger(maxMessageBytes) || maxMessageBytes < 1) return `maxMessageBytes is ${maxMessageBytes}`
  return null
}

function invalid(problem: string): never {
  throw new RaftError('RAFT_INVALID_OPTION', `A hello can't be made: ${problem}.`)
}
