// The format of a backup (F49): magic and version, then records: one header, chunks of the state, one trailer. Each record has a
// number, a length and a CRC, so that damage, a lost piece and a wrong order are told with their place; the trailer has a
// digest of all bytes before it. The size is not known in advance. Pure: it reads and writes no stream. Sources: H60, H89.
import type { SnapshotMeta } from '../core/types.js'
import { RaftError } from '../errors.js'
import { ByteReader, ByteWriter } from './binary.js'
import { text } from './membership-fields.js'
import { portableCrc32 } from './portable-crc32.js'
import { Sha256 } from './sha256.js'
import { digest, DIGEST_BYTES, snapshotMeta } from './snapshot-field.js'

/** 'HRBK', the first four bytes. */
const MAGIC = 0x4852424b
const VERSION = 1
/** Magic 4, version 1. */
export const PREAMBLE_BYTES = 5
/** CRC-32 of what follows 4, type 1, number 4, length of the payload 4. */
export const RECORD_HEAD_BYTES = 13
/** Largest payload of a record. */
export const MAX_RECORD_BYTES: number = 1024 * 1024
const MAX_NUMBER = 0xffff_ffff
/** Chunk count 8, size of the state 8, digest. */
const TRAILER_BYTES = 16 + DIGEST_BYTES

const TYPES = ['header', 'chunk', 'trailer'] as const
export type BackupRecordType = (typeof TYPES)[number]

/** What a backup says of itself. */
export interface BackupHeader {
  /** Of the cluster that it was taken from; '' where that has none. */
  readonly clusterId: string
  /** Position, log time and configuration of the state. */
  readonly meta: SnapshotMeta
}

export interface BackupTrailer {
  readonly chunkCount: number
  readonly sizeBytes: number
  /** SHA-256 of every byte of the backup before the trailer's record. */
  readonly digest: Uint8Array
}

/** Where the first bytes of a record are, to be looked at before its payload is waited for. */
export interface RecordHead {
  readonly type: BackupRecordType
  readonly payloadBytes: number
}

/** Writes one backup: `begin`, any number of chunks, `end`. Each call returns the bytes that come next. */
export class BackupEncoder {
  readonly #digest: Sha256 = new Sha256()
  #number = 0
  #sizeBytes = 0

  begin({ clusterId, meta }: BackupHeader): Uint8Array<ArrayBuffer> {
    const payload = new ByteWriter(new Uint8Array(text.sizeOf(clusterId) + snapshotMeta.sizeOf(meta)), 0)
    text.write(payload, clusterId, 'clusterId')
    snapshotMeta.write(payload, meta, 'meta')
    const record = this.#record('header', payload.bytes)
    const bytes = new ByteWriter(new Uint8Array(PREAMBLE_BYTES + record.byteLength), 0)
    bytes.uint32(MAGIC)
    bytes.uint8(VERSION)
    bytes.raw(record)
    this.#digest.update(bytes.bytes)
    return bytes.bytes
  }

  /** The next piece of the state, at most MAX_RECORD_BYTES. Keeps no reference to it. */
  chunk(content: Uint8Array): Uint8Array<ArrayBuffer> {
    this.#sizeBytes += content.byteLength
    const record = this.#record('chunk', content)
    this.#digest.update(record)
    return record
  }

  end(): Uint8Array<ArrayBuffer> {
    const payload = new ByteWriter(new Uint8Array(TRAILER_BYTES), 0)
    payload.integer(this.#number - 1)
    payload.integer(this.#sizeBytes)
    payload.raw(this.#digest.digest())
    return this.#record('trailer', payload.bytes)
  }

  #record(type: BackupRecordType, payload: Uint8Array): Uint8Array<ArrayBuffer> {
    if (payload.byteLength > MAX_RECORD_BYTES || this.#number > MAX_NUMBER) {
      const found = `record ${this.#number} of a backup has ${payload.byteLength} bytes`
      throw new RaftError('RAFT_TOO_LARGE', `${found}: at most ${MAX_RECORD_BYTES}, and ${MAX_NUMBER} records, can be`)
    }
    const writer = new ByteWriter(new Uint8Array(RECORD_HEAD_BYTES + payload.byteLength), 4)
    writer.uint8(TYPES.indexOf(type) + 1)
    writer.uint32(this.#number++)
    writer.uint32(payload.byteLength)
    writer.raw(payload)
    writer.offset = 0
    writer.uint32(portableCrc32(writer.bytes.subarray(4)))
    return writer.bytes
  }
}

/**
 * Checks one backup, piece by piece in its order. Everything that it throws says where: RAFT_CORRUPTION, RAFT_VERSION for a
 * format of a newer release.
 */
export class BackupDecoder {
  readonly #digest: Sha256 = new Sha256()
  #offset = 0
  #number = 0
  #sizeBytes = 0

  /** Of the byte that comes next. */
  get offset(): number {
    return this.#offset
  }

  /** The first PREAMBLE_BYTES. */
  preamble(bytes: Uint8Array): void {
    const view = viewOf(bytes)
    if (view.getUint32(0) !== MAGIC) throw this.damage('it does not begin as a backup does')
    const version = view.getUint8(4)
    if (version !== VERSION) {
      throw new RaftError(
        'RAFT_VERSION',
        `the backup has format version ${version} (byte 4), and this release reads ${VERSION}: use a release that is as ` +
          'new as the one that wrote it; nothing was restored',
      )
    }
    this.#passed(bytes)
  }

  /** The first RECORD_HEAD_BYTES of a record: how long it is, nothing of which is proven before `record` took all of it. */
  head(bytes: Uint8Array): RecordHead {
    const view = viewOf(bytes)
    const type = TYPES[view.getUint8(4) - 1]
    if (type === undefined) throw this.damage(`its type is ${view.getUint8(4)}`)
    const payloadBytes = view.getUint32(9)
    if (payloadBytes > MAX_RECORD_BYTES)
      throw this.damage(`it claims ${payloadBytes} bytes, more than a record can have`)
    return { type, payloadBytes }
  }

  /** A whole record: the payload, as a view of `bytes`. */
  record(bytes: Uint8Array): Uint8Array {
    const view = viewOf(bytes)
    if (view.getUint32(0) !== portableCrc32(bytes.subarray(4))) throw this.damage('its CRC is wrong')
    const { type } = this.head(bytes)
    const number = view.getUint32(5)
    if (number !== this.#number) throw this.damage(`record ${number} stands in its place`)
    if ((type === 'header') !== (number === 0)) throw this.damage(`a ${type} stands where it can't`)
    const payload = bytes.subarray(RECORD_HEAD_BYTES)
    if (type === 'trailer') this.#checkTrailer(payload)
    if (type === 'chunk') this.#sizeBytes += payload.byteLength
    this.#passed(bytes)
    this.#number += 1
    return payload
  }

  /** The payload of the header, copied. `offset` is behind it. */
  header(payload: Uint8Array): BackupHeader {
    const reader = new ByteReader(payload, 'the header of the backup')
    const header = { clusterId: text.read(reader, 'clusterId'), meta: snapshotMeta.read(reader, 'meta') }
    reader.end()
    const { lastIncludedIndex, lastIncludedTerm, configurationIndex } = header.meta
    if (lastIncludedIndex < 1 || lastIncludedTerm < 1 || configurationIndex > lastIncludedIndex) {
      reader.fail(
        `its position is index ${lastIncludedIndex}, term ${lastIncludedTerm}, configuration ${configurationIndex}`,
      )
    }
    return header
  }

  /** The error of damage in the record that comes next. */
  damage(reason: string): RaftError {
    const place = `byte ${this.#offset}, record ${this.#number}`
    return new RaftError(
      'RAFT_CORRUPTION',
      `the backup is damaged at ${place}: ${reason}; nothing was restored: use another copy of it, or another backup`,
    )
  }

  #checkTrailer(payload: Uint8Array): void {
    if (payload.byteLength !== TRAILER_BYTES) throw this.damage(`its trailer has ${payload.byteLength} bytes`)
    const reader = new ByteReader(payload, 'the trailer of the backup')
    const [chunkCount, sizeBytes] = [reader.integer('chunkCount'), reader.integer('sizeBytes')]
    const announced = digest.read(reader, 'digest')
    if (chunkCount !== this.#number - 1 || sizeBytes !== this.#sizeBytes) {
      const came = `${this.#number - 1} chunks with ${this.#sizeBytes} bytes came`
      throw this.damage(`${came}, and its trailer says ${chunkCount} with ${sizeBytes}`)
    }
    const found = this.#digest.digest()
    if (found.some((byte, at) => byte !== announced[at]))
      throw this.damage('what came before fails the SHA-256 of its trailer')
  }

  #passed(bytes: Uint8Array): void {
    this.#digest.update(bytes)
    this.#offset += bytes.byteLength
  }
}

function viewOf(bytes: Uint8Array): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
}
