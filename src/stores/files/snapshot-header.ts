// The head of a snapshot file: magic, version, state, size, digest and meta under one CRC-32; the content follows.
// Numbers are big-endian. Decides nothing about files. Sources: F28, F30, H60, H89.
import { crc32 } from '../../codec/crc32.js'
import { RaftError } from '../../errors.js'
import type { SnapshotMeta } from '../../interfaces/state-machine.js'
import { canonicalMeta, DIGEST_BYTES, metaProblem } from '../snapshot-rules.js'

/** 'HRSS' */
const MAGIC = 0x48525353
const VERSION = 1
const HALF = 0x1_0000_0000
const CRC_OFFSET = 12
const SIZE_OFFSET = 16
const DIGEST_OFFSET = 24
/** magic 4, version 1, state 1, reserved 2, meta length 4, CRC-32 4, content size 8, SHA-256 32; the meta follows. */
export const FIXED_HEADER_BYTES: number = DIGEST_OFFSET + DIGEST_BYTES
/** Largest meta, bytes of JSON: 64 members with 1 KiB of metadata each take a fifteenth of it. */
export const MAX_META_BYTES: number = 1024 * 1024

/** What the head of a snapshot file says. */
export interface SnapshotHeader {
  readonly meta: SnapshotMeta
  readonly sizeBytes: number
  /** SHA-256 of the content. */
  readonly digest: Uint8Array
  /** False as long as content may be missing. */
  readonly complete: boolean
}

/** The bytes before the content. Throws RAFT_TOO_LARGE for a meta above MAX_META_BYTES. */
export function encodeHeader(header: SnapshotHeader): Uint8Array<ArrayBuffer> {
  const meta = new TextEncoder().encode(canonicalMeta(header.meta))
  if (meta.byteLength > MAX_META_BYTES) {
    const sizes = `${meta.byteLength} bytes, the most that can be stored is ${MAX_META_BYTES}`
    throw new RaftError('RAFT_TOO_LARGE', `The meta of a snapshot has ${sizes}. Shorten the members' metadata.`)
  }
  const bytes = new Uint8Array(FIXED_HEADER_BYTES + meta.byteLength)
  const view = new DataView(bytes.buffer)
  view.setUint32(0, MAGIC)
  bytes[4] = VERSION
  bytes[5] = header.complete ? 1 : 0
  view.setUint32(8, meta.byteLength)
  view.setUint32(SIZE_OFFSET, Math.floor(header.sizeBytes / HALF))
  view.setUint32(SIZE_OFFSET + 4, header.sizeBytes % HALF)
  bytes.set(header.digest, DIGEST_OFFSET)
  bytes.set(meta, FIXED_HEADER_BYTES)
  view.setUint32(CRC_OFFSET, headerCrc(bytes))
  return bytes
}

/** How long the whole header is, from its fixed part. `damage` makes the error of a file that can't be a snapshot. */
export function headerLength(fixed: Uint8Array, damage: (reason: string) => RaftError): number {
  if (fixed.byteLength < FIXED_HEADER_BYTES) throw damage(`it ends within its header`)
  const view = new DataView(fixed.buffer, fixed.byteOffset, fixed.byteLength)
  if (view.getUint32(0) !== MAGIC) throw damage('it does not begin as a snapshot does')
  const version = fixed[4] ?? 0
  if (version !== VERSION) {
    const text = `A snapshot file has format version ${version}; this release reads ${VERSION}`
    const cause = damage(`its format version is ${version}`)
    throw new RaftError('RAFT_VERSION', `${text}. Start a release that is as new. ${cause.message}`, { cause })
  }
  const metaBytes = view.getUint32(8)
  if (metaBytes > MAX_META_BYTES) throw damage(`it claims ${metaBytes} bytes of meta`)
  return FIXED_HEADER_BYTES + metaBytes
}

/** The header of `bytes`, which are exactly as long as `headerLength` says. */
export function decodeHeader(bytes: Uint8Array, damage: (reason: string) => RaftError): SnapshotHeader {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  if (bytes.byteLength !== headerLength(bytes, damage)) throw damage('it ends within its header')
  if (view.getUint32(CRC_OFFSET) !== headerCrc(bytes)) throw damage('the CRC of its header is wrong')
  const sizeBytes = view.getUint32(SIZE_OFFSET) * HALF + view.getUint32(SIZE_OFFSET + 4)
  if (!Number.isSafeInteger(sizeBytes)) throw damage(`it claims ${sizeBytes} bytes of content`)
  const digest = new Uint8Array(bytes.subarray(DIGEST_OFFSET, FIXED_HEADER_BYTES))
  return { meta: parseMeta(bytes.subarray(FIXED_HEADER_BYTES), damage), sizeBytes, digest, complete: bytes[5] === 1 }
}

function parseMeta(bytes: Uint8Array, damage: (reason: string) => RaftError): SnapshotMeta {
  let meta: SnapshotMeta
  try {
    meta = JSON.parse(new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes)) as SnapshotMeta
  } catch {
    throw damage('its meta is not JSON')
  }
  const problem = typeof meta === 'object' && meta !== null ? metaProblem(meta) : 'it is not an object'
  if (problem !== null) throw damage(`its meta can't be: ${problem}`)
  return meta
}

function headerCrc(bytes: Uint8Array): number {
  return crc32(bytes.subarray(SIZE_OFFSET), crc32(bytes.subarray(0, CRC_OFFSET)))
}
