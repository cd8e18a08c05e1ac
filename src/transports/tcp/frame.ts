// Frames on a byte stream: [magic 2, version 1, kind 1, length 4, CRC-32 4] and the payload. The length is checked
// before anything is allocated by it (H91), memory grows only as bytes arrive, and a frame may be split at any byte
// (H92). The CRC covers the header, too. Knows nothing of sockets or messages.
import { crc32 } from '../../codec/crc32.js'
import { RaftError } from '../../errors.js'

/** `refused` carries the code of the error for which a hello was refused. */
export type FrameKind = 'controlHello' | 'bulkHello' | 'message' | 'ping' | 'pong' | 'refused'

export const FRAME_HEADER_BYTES = 12
/** "HR" in ASCII. */
const MAGIC = 0x4852
const VERSION = 1
const CRC_OFFSET = 8
/** A number on the wire never gets another meaning. */
const KINDS: readonly FrameKind[] = ['controlHello', 'bulkHello', 'message', 'ping', 'pong', 'refused']
/** First memory for a frame that did not come in one piece. */
const FIRST_BODY_BYTES = 128 * 1024

/** Writes the header into the first FRAME_HEADER_BYTES of `frame`, whose rest is the payload already. */
export function sealFrame(kind: FrameKind, frame: Uint8Array<ArrayBuffer>): void {
  const view = new DataView(frame.buffer, frame.byteOffset, FRAME_HEADER_BYTES)
  view.setUint16(0, MAGIC)
  view.setUint8(2, VERSION)
  view.setUint8(3, KINDS.indexOf(kind))
  view.setUint32(4, frame.byteLength - FRAME_HEADER_BYTES)
  view.setUint32(CRC_OFFSET, frameCrc(frame.subarray(0, CRC_OFFSET), frame.subarray(FRAME_HEADER_BYTES)))
}

/** A frame around a copy of `payload`. */
export function makeFrame(kind: FrameKind, payload: Uint8Array = new Uint8Array(0)): Uint8Array<ArrayBuffer> {
  const frame = new Uint8Array(FRAME_HEADER_BYTES + payload.byteLength)
  frame.set(payload, FRAME_HEADER_BYTES)
  sealFrame(kind, frame)
  return frame
}

export interface FrameHandler {
  /** Largest payload that may come now; asked for each frame. */
  maxPayloadBytes(): number
  /** `payload` is valid within the call only. Returns false when nothing more is wanted. */
  onFrame(kind: FrameKind, payload: Uint8Array): boolean
}

/** Cuts a stream into frames. After an error or a `false` it takes nothing more. */
export class FrameParser {
  readonly #handler: FrameHandler
  readonly #header = new Uint8Array(FRAME_HEADER_BYTES)
  readonly #view = new DataView(this.#header.buffer)
  #headerBytes = 0
  /** What was received of a payload that came in pieces; at most twice as large as what has arrived. */
  #body = new Uint8Array(0)
  #bodyBytes = 0
  #isDone = false

  constructor(handler: FrameHandler) {
    this.#handler = handler
  }

  /** @throws RaftError RAFT_CORRUPTION that says what is wrong with the frame */
  push(chunk: Uint8Array): void {
    let offset = 0
    while (!this.#isDone) {
      if (this.#headerBytes < FRAME_HEADER_BYTES) {
        const taken = Math.min(FRAME_HEADER_BYTES - this.#headerBytes, chunk.byteLength - offset)
        this.#header.set(chunk.subarray(offset, offset + taken), this.#headerBytes)
        this.#headerBytes += taken
        offset += taken
        if (this.#headerBytes < FRAME_HEADER_BYTES) return
        this.#checkHeader()
      }
      const length = this.#view.getUint32(4)
      const available = chunk.byteLength - offset
      if (this.#bodyBytes === 0 && available >= length) {
        this.#finish(chunk.subarray(offset, offset + length))
        offset += length
        continue
      }
      const taken = Math.min(length - this.#bodyBytes, available)
      this.#collect(chunk.subarray(offset, offset + taken), length)
      offset += taken
      if (this.#bodyBytes < length) return
      this.#finish(this.#body.subarray(0, length))
    }
  }

  #checkHeader(): void {
    const magic = this.#view.getUint16(0)
    if (magic !== MAGIC) this.#fail(`it begins with 0x${magic.toString(16).padStart(4, '0')}, which is not ours`)
    const version = this.#view.getUint8(2)
    if (version !== VERSION) this.#fail(`its version is ${version}, not ${VERSION}`)
    if (this.#kind === undefined) this.#fail(`its kind ${this.#view.getUint8(3)} is unknown`)
    const length = this.#view.getUint32(4)
    const limit = this.#handler.maxPayloadBytes()
    if (length > limit) this.#fail(`it claims ${length} bytes, ${limit} are allowed here`)
  }

  #collect(piece: Uint8Array, length: number): void {
    const needed = this.#bodyBytes + piece.byteLength
    if (needed > this.#body.byteLength) {
      const size = Math.min(length, Math.max(FIRST_BODY_BYTES, needed * 2))
      const larger = new Uint8Array(size)
      larger.set(this.#body.subarray(0, this.#bodyBytes))
      this.#body = larger
    }
    this.#body.set(piece, this.#bodyBytes)
    this.#bodyBytes = needed
  }

  #finish(payload: Uint8Array): void {
    const kind = this.#kind
    const crc = frameCrc(this.#header.subarray(0, CRC_OFFSET), payload)
    const claimed = this.#view.getUint32(CRC_OFFSET)
    if (kind === undefined || crc !== claimed) this.#fail(`its CRC is ${claimed}, its content gives ${crc}`)
    this.#headerBytes = 0
    this.#bodyBytes = 0
    this.#body = new Uint8Array(0)
    if (!this.#handler.onFrame(kind, payload)) this.#isDone = true
  }

  get #kind(): FrameKind | undefined {
    return KINDS[this.#view.getUint8(3)]
  }

  #fail(reason: string): never {
    this.#isDone = true
    throw new RaftError('RAFT_CORRUPTION', `A frame is damaged or from another program: ${reason}`)
  }
}

function frameCrc(header: Uint8Array, payload: Uint8Array): number {
  return crc32(payload, crc32(header))
}
