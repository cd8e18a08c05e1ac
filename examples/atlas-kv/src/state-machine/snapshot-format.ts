// A snapshot as a stream of bytes: records, each with its length, from a header (magic, version, log time) to an end
// that carries the count and the SHA-256 of all before it. A chunk is at most CHUNK_BYTES, whatever the values are
// (H61). Restoring believes nothing before the end has been checked (H60, H89); it never touches the state in use.
import { createHash } from 'node:crypto'
import { RaftError } from 'helios-raft'
import { ByteReader, ByteWriter, varintSize } from './bytes.js'
import type { ByteString } from './command.js'
import type { KvEntry } from './kv-state.js'
import { KvState, NEVER } from './kv-state.js'

/** Largest chunk of a snapshot, bytes. */
export const CHUNK_BYTES: number = 64 * 1024
/** Largest record: a value at the limit of a command has room to spare. */
const MAX_RECORD_BYTES = 64 * 1024 * 1024
const MAGIC = 'ATLASKV1'
const VERSION = 1
const RECORD = { header: 1, entry: 2, end: 4 }
const LENGTH_BYTES = 4
const DIGEST_BYTES = 32

interface Capture {
  readonly logTime: number
  readonly keys: readonly ByteString[]
  readonly entries: readonly KvEntry[]
}

/** Takes the state as it is now; the bytes are made as they are pulled. */
export function captureSnapshot(state: KvState, signal: AbortSignal): AsyncIterable<Uint8Array> {
  return stream(
    {
      logTime: state.logTime,
      keys: [...state.entries.keys()],
      entries: [...state.entries.values()],
    },
    signal,
  )
}

async function* stream(capture: Capture, signal: AbortSignal): AsyncGenerator<Uint8Array> {
  const hash = createHash('sha256')
  let chunk = Buffer.allocUnsafeSlow(CHUNK_BYTES)
  let used = 0
  for (const record of records(capture, () => hash.digest())) {
    if (record[LENGTH_BYTES] !== RECORD.end) hash.update(record)
    for (let from = 0; from < record.length; ) {
      const copied = record.copy(chunk, used, from)
      from += copied
      used += copied
      if (used < CHUNK_BYTES) continue
      signal.throwIfAborted()
      yield chunk
      chunk = Buffer.allocUnsafeSlow(CHUNK_BYTES)
      used = 0
    }
  }
  if (used > 0) yield chunk.subarray(0, used)
}

function* records(capture: Capture, digest: () => Buffer): Generator<Buffer> {
  yield record(RECORD.header, MAGIC.length + 2 + varintSize(capture.logTime), (writer) => {
    writer.text(MAGIC)
    writer.byte(VERSION)
    writer.varint(capture.logTime)
  })
  for (const [i, entry] of capture.entries.entries()) yield entryRecord(capture.keys[i] ?? '', entry)
  yield record(RECORD.end, varintSize(capture.entries.length) + DIGEST_BYTES, (writer) => {
    writer.varint(capture.entries.length)
    writer.raw(digest())
  })
}

function entryRecord(key: ByteString, { value, expireAt, index }: KvEntry): Buffer {
  // Zero says never: an expiry is always above log time, hence above zero.
  const time = expireAt === NEVER ? 0 : expireAt
  const size = varintSize(index) + varintSize(time) + varintSize(key.length) + key.length + value.length
  return record(RECORD.entry, size + varintSize(value.length), (writer) => {
    writer.varint(index)
    writer.varint(time)
    writer.text(key)
    writer.sized(value)
  })
}

function record(type: number, bodyBytes: number, fill: (writer: ByteWriter) => void): Buffer {
  const writer = new ByteWriter(LENGTH_BYTES + 1 + bodyBytes)
  writer.uint32(1 + bodyBytes)
  writer.byte(type)
  fill(writer)
  if (!writer.isFull) throw new Error(`a record of type ${type} was written to another size than computed`)
  return writer.bytes
}

/** A new state from a stream of `captureSnapshot`. Rejects with RAFT_CORRUPTION for any other stream. */
export async function restoreSnapshot(chunks: AsyncIterable<Uint8Array>): Promise<KvState> {
  const restore = new Restore()
  let rest: Buffer = Buffer.alloc(0)
  for await (const chunk of chunks) {
    rest = rest.length === 0 ? Buffer.from(chunk) : Buffer.concat([rest, chunk])
    let at = 0
    while (rest.length - at >= LENGTH_BYTES) {
      const length = rest.readUInt32BE(at)
      if (length < 1 || length > MAX_RECORD_BYTES) throw corrupt(`a record claims ${length} bytes`)
      if (rest.length - at - LENGTH_BYTES < length) break
      restore.take(rest.subarray(at, at + LENGTH_BYTES + length))
      at += LENGTH_BYTES + length
    }
    rest = rest.subarray(at)
  }
  if (rest.length > 0) throw corrupt('it ends within a record')
  return restore.finish()
}

class Restore {
  readonly #state = new KvState()
  readonly #hash = createHash('sha256')
  #stage: 'header' | 'body' | 'ended' = 'header'

  take(bytes: Buffer): void {
    const reader = new ByteReader(bytes.subarray(LENGTH_BYTES), 'a record of a snapshot')
    const type = reader.byte()
    if (this.#stage === 'ended') throw corrupt('records follow its end')
    if ((this.#stage === 'header') !== (type === RECORD.header)) throw corrupt(`a record of type ${type} is misplaced`)
    if (type === RECORD.end) this.#end(reader)
    else {
      this.#hash.update(bytes)
      this.#body(type, reader)
    }
    reader.end()
  }

  finish(): KvState {
    if (this.#stage !== 'ended') throw corrupt('it has no end')
    return this.#state
  }

  #body(type: number, reader: ByteReader): void {
    if (type === RECORD.header) {
      if (reader.text() !== MAGIC) throw corrupt('it is no snapshot of Atlas KV')
      const version = reader.byte()
      if (version !== VERSION) throw corrupt(`its format is version ${version}, this program reads ${VERSION}`)
      this.#state.advance(reader.varint())
      this.#stage = 'body'
    } else if (type === RECORD.entry) {
      const index = reader.varint()
      const time = reader.varint()
      const key = reader.text()
      this.#state.put(key, { index, expireAt: time === 0 ? NEVER : time, value: reader.sized() })
    } else {
      throw corrupt(`${type} is no type of record`)
    }
  }

  #end(reader: ByteReader): void {
    const count = reader.varint()
    if (count !== this.#state.size) throw corrupt(`it names ${count} keys and holds ${this.#state.size}`)
    const expected = this.#hash.digest()
    for (const byte of expected) if (reader.byte() !== byte) throw corrupt('its digest does not match')
    this.#stage = 'ended'
  }
}

function corrupt(why: string): RaftError {
  return new RaftError(
    'RAFT_CORRUPTION',
    `the snapshot of the key-value state can't be restored: ${why}. Nothing was changed; fetch it anew from a peer.`,
  )
}
