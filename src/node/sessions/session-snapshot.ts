// How the sessions lie in a snapshot: in front of what the state machine gave, so that state, sessions and position are one
// thing that is there whole or not at all (H51). Without sessions a snapshot is what the state machine gave, byte for byte,
// unless that begins as sessions do: then an empty table stands in front of it.
import { ByteReader, ByteWriter } from '../../codec/binary.js'
import { RaftError } from '../../errors.js'
import { joined, Pieces } from '../pieces.js'
import { ignore } from '../promises.js'
import { encodeSessionId } from './session-entry.js'
import { answersBytes, type SessionAnswer, type SessionRecord } from './session-record.js'

/** "HRSTSESS" */
const MAGIC = Uint8Array.of(0x48, 0x52, 0x53, 0x54, 0x53, 0x45, 0x53, 0x53)
const VERSION = 1
/** magic 8, version 1, count 4. */
const HEAD_BYTES = 13
/** Of a record beside its id and answers: length of the id 1, five numbers 40, count of answers 4. */
const RECORD_BYTES = 45
/** Of an answer beside its data: sequence, index and term 24, type 1, length 4. */
const ANSWER_BYTES = 29
/** A record is far below that; whatever claims more is damage. */
const MAX_RECORD_BYTES = 64 * 1024 * 1024
/** Records are handed on in chunks of about so many bytes. */
const CHUNK_BYTES = 64 * 1024

const ANSWER_TYPES = ['none', 'value', 'unencodable'] as const

/** Encodes while it is pulled: the event loop is never kept longer than one chunk takes. */
export function* encodeSessions(records: readonly SessionRecord[]): Generator<Uint8Array, undefined> {
  const head = new ByteWriter(new Uint8Array(HEAD_BYTES), 0)
  head.raw(MAGIC)
  head.uint8(VERSION)
  head.uint32(records.length)
  let pending: Uint8Array[] = [head.bytes]
  let bytes = HEAD_BYTES
  for (const record of records) {
    const encoded = encodeRecord(record)
    pending.push(encoded)
    bytes += encoded.length
    if (bytes < CHUNK_BYTES) continue
    yield joined(pending, bytes)
    pending = []
    bytes = 0
  }
  if (bytes > 0) yield joined(pending, bytes)
  return undefined
}

/** Whether it may be taken for the beginning of sessions: all of it is as there, as far as it reaches. */
export function beginsAsSessions(bytes: Uint8Array): boolean {
  return bytes.subarray(0, MAGIC.length).every((byte, at) => byte === MAGIC[at])
}

/** Takes the sessions off the front of a snapshot. @throws RaftError RAFT_CORRUPTION, RAFT_VERSION; what the stream throws */
export async function takeSessions(pieces: Pieces): Promise<readonly SessionRecord[]> {
  if (!(await pieces.has(MAGIC.length)) || !beginsAsSessions(pieces.peek(MAGIC.length))) return []
  const head = new ByteReader(await take(pieces, HEAD_BYTES), 'The beginning of a snapshot')
  head.copy(MAGIC.length, 'magic')
  const version = head.uint8('version')
  if (version !== VERSION) {
    throw new RaftError(
      'RAFT_VERSION',
      `the snapshot has version ${version}, not ${VERSION}: start the version that wrote it`,
    )
  }
  const count = head.uint32('count')
  const records: SessionRecord[] = []
  for (let at = 0; at < count; at++) {
    const size = new ByteReader(await take(pieces, 4), 'The length of a session').uint32('length')
    if (size > MAX_RECORD_BYTES) return head.fail(`session ${at} claims ${size} bytes`)
    records.push(decodeRecord(await take(pieces, size)))
  }
  return records
}

/** The sessions, then the chunks, of which the first is pulled when the iterator is made (H52). */
export function behindSessions(
  records: readonly SessionRecord[],
  chunks: AsyncIterable<Uint8Array>,
): AsyncIterable<Uint8Array> {
  return {
    [Symbol.asyncIterator]() {
      const inner = chunks[Symbol.asyncIterator]()
      // An iterator may answer without a promise, as those of arrays do.
      const first = Promise.resolve(inner.next())
      first.catch(ignore)
      return new SessionsFirst(records, inner, first)
    },
  }
}

class SessionsFirst implements AsyncIterator<Uint8Array> {
  readonly #records: readonly SessionRecord[]
  readonly #inner: AsyncIterator<Uint8Array>
  /** Pulled, and not handed on yet. */
  #first: Promise<IteratorResult<Uint8Array>> | null
  /** Null until it is known whether they are needed. */
  #head: Iterator<Uint8Array, undefined> | null = null

  constructor(
    records: readonly SessionRecord[],
    inner: AsyncIterator<Uint8Array>,
    first: Promise<IteratorResult<Uint8Array>>,
  ) {
    this.#records = records
    this.#inner = inner
    this.#first = first
  }

  async next(): Promise<IteratorResult<Uint8Array>> {
    this.#head ??= (await this.#needsHead()) ? encodeSessions(this.#records) : [][Symbol.iterator]()
    const own = this.#head.next()
    if (own.done !== true) return own
    const pulled = this.#first ?? this.#inner.next()
    this.#first = null
    return await pulled
  }

  async return(): Promise<IteratorResult<Uint8Array>> {
    await this.#inner.return?.()
    return { done: true, value: undefined }
  }

  async #needsHead(): Promise<boolean> {
    if (this.#records.length > 0) return true
    let first = await (this.#first ?? this.#inner.next())
    while (first.done !== true && first.value.length === 0) first = await this.#inner.next()
    this.#first = Promise.resolve(first)
    return first.done !== true && first.value instanceof Uint8Array && beginsAsSessions(first.value)
  }
}

/** The same state without sessions: of a new cluster, whose clients are others. @throws as `takeSessions` */
export async function* withoutSessions(chunks: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
  const pieces = new Pieces(chunks, 'the snapshot')
  try {
    await takeSessions(pieces)
    yield* behindSessions([], pieces.rest())
  } finally {
    await pieces.close()
  }
}

async function take(pieces: Pieces, length: number): Promise<Uint8Array> {
  if (!(await pieces.has(length))) {
    throw new RaftError(
      'RAFT_CORRUPTION',
      `the snapshot ends ${length - pieces.heldBytes} bytes before its sessions do`,
    )
  }
  // Not one that is reused: the text of an id and the data of answers are copied out of it below.
  const bytes = pieces.peek(length)
  pieces.drop(length)
  return bytes
}

function encodeRecord(record: SessionRecord): Uint8Array {
  const id = encodeSessionId(record.id)
  const encodedAnswers = record.answers.reduce((sum, { data }) => sum + ANSWER_BYTES + data.length, 0)
  const size = RECORD_BYTES + id.length + encodedAnswers
  const writer = new ByteWriter(new Uint8Array(4 + size), 0)
  writer.uint32(size)
  writer.uint8(id.length)
  writer.raw(id)
  writer.integer(record.openedAt)
  writer.float64(record.ttlMs)
  writer.float64(record.activeAt)
  writer.integer(record.acknowledged)
  writer.integer(record.lastSequence)
  writer.uint32(record.answers.length)
  for (const { sequence, index, term, type, data } of record.answers) {
    writer.integer(sequence)
    writer.integer(index)
    writer.integer(term)
    writer.uint8(ANSWER_TYPES.indexOf(type))
    writer.uint32(data.length)
    writer.raw(data)
  }
  return writer.bytes
}

function decodeRecord(bytes: Uint8Array): SessionRecord {
  const reader = new ByteReader(bytes, 'A session of a snapshot')
  const id = new TextDecoder().decode(reader.copy(reader.uint8('length of the id'), 'id'))
  const openedAt = reader.integer('openedAt')
  const ttlMs = reader.float64('ttlMs')
  const activeAt = reader.float64('activeAt')
  const acknowledged = reader.integer('acknowledged')
  const lastSequence = reader.integer('lastSequence')
  const count = reader.uint32('count of answers')
  reader.need(count * ANSWER_BYTES, 'answers')
  const answers = Array.from({ length: count }, () => decodeAnswer(reader))
  reader.end()
  const bytesOfAnswers = answersBytes(answers)
  return { id, openedAt, ttlMs, activeAt, acknowledged, lastSequence, answers, answersBytes: bytesOfAnswers }
}

function decodeAnswer(reader: ByteReader): SessionAnswer {
  const sequence = reader.integer('sequence')
  const index = reader.integer('index')
  const term = reader.integer('term')
  const number = reader.uint8('type')
  const type = ANSWER_TYPES[number] ?? reader.fail(`an answer has the type ${number}`)
  return { sequence, index, term, type, data: reader.copy(reader.uint32('length'), 'data') }
}
