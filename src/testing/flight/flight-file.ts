// A recording in two files, FILE and the older FILE.1, each of at most half the room: when FILE has had its share it becomes
// FILE.1. Written in the background, one write at a time, never synced: what the process handed over survives its end, not the
// machine's. Trouble with the disk is told once and ends the recording.
import {
  closeSync,
  fstatSync,
  ftruncateSync,
  mkdirSync,
  openSync,
  readFileSync,
  readSync,
  renameSync,
  write,
  writeSync,
} from 'node:fs'
import { dirname } from 'node:path'
import { coreBuild } from './build.js'
import { FRAME, FRAME_HEADER_BYTES, type FlightHeader, MAX_FRAME_BYTES } from './flight-format.js'
import { type FlightSink, HEAD_SHARE } from './flight-sink.js'

/** A file is exchanged at the next chance when so much of its room is taken. */
const FULL_SHARE = 0.75
/** Longest line that a segment begins with. */
const MAX_HEADER_LENGTH = 4_096

type Write = { readonly bytes: Uint8Array; readonly position: number } | 'rotate'

export class FlightFile implements FlightSink {
  readonly #file: string
  readonly #roomBytes: number
  readonly #onTrouble: (error: unknown) => void
  #descriptor: number | null = null
  /** Of FILE, with what waits. */
  #bytes = 0
  /** Of it, what is written. */
  #writtenBytes = 0
  #queue: Write[] = []
  #queuedBytes = 0
  /** Descriptor of the write that is under way. */
  #writing: number | null = null
  constructor({ file, maxBytes }: { file: string; maxBytes: number }, onTrouble: (error: unknown) => void) {
    this.#file = file
    this.#roomBytes = Math.floor(maxBytes / 2)
    this.#onTrouble = onTrouble
  }

  get isFull(): boolean {
    return this.#bytes >= this.#roomBytes * FULL_SHARE
  }

  get isReady(): boolean {
    return this.#queuedBytes <= this.#roomBytes / 2
  }

  begin(head: Uint8Array<ArrayBuffer>): boolean {
    if (head.length > this.#roomBytes * HEAD_SHARE) return false
    if (this.#descriptor === null) this.#open()
    if (this.#bytes > 0 && this.#bytes + head.length > this.#roomBytes * FULL_SHARE) this.#rotateLater()
    return this.append(head)
  }

  append(bytes: Uint8Array<ArrayBuffer>): boolean {
    if (this.#bytes + bytes.length > this.#roomBytes || this.#queuedBytes + bytes.length > this.#roomBytes) return false
    this.#queue.push({ bytes, position: this.#bytes })
    this.#bytes += bytes.length
    this.#queuedBytes += bytes.length
    this.#pump()
    return true
  }

  /** Writes what waits before it returns, so that `process.exit` may follow: even what is being written, once more at its place. */
  close(): void {
    if (this.#descriptor === null) return
    try {
      for (const item of this.#queue.splice(0)) this.#writeNow(item)
      this.#queuedBytes = 0
    } catch (error) {
      this.#fail(error)
    }
    this.#release()
  }

  read(): readonly Uint8Array[] {
    const isRotating = this.#queue.includes('rotate')
    const newest = readIfThere(this.#file)
    const held = this.#descriptor === null ? newest : newest.subarray(0, this.#writtenBytes)
    const waiting = this.#queue.flatMap((item) => (item === 'rotate' ? [] : [item.bytes]))
    return [...(isRotating ? [] : [readIfThere(this.#older)]), held, ...waiting]
  }

  get #older(): string {
    return `${this.#file}.1`
  }

  /** Goes on behind what an earlier life left, without the piece that its end cut off. */
  #open(): void {
    mkdirSync(dirname(this.#file), { recursive: true, mode: 0o700 })
    this.#descriptor = openSync(this.#file, 'a+', 0o600)
    closeSync(this.#descriptor)
    this.#descriptor = openSync(this.#file, 'r+')
    const { wholeBytes, sizeBytes, isReadable } = walk(this.#descriptor)
    this.#bytes = isReadable ? wholeBytes : sizeBytes
    this.#writtenBytes = this.#bytes
    if (wholeBytes < sizeBytes && isReadable) ftruncateSync(this.#descriptor, wholeBytes)
    if (!isReadable) this.#rotateLater()
  }

  #rotateLater(): void {
    this.#queue.push('rotate')
    this.#bytes = 0
    this.#pump()
  }

  #pump(): void {
    while (this.#writing === null && this.#descriptor !== null) {
      const [item] = this.#queue
      if (item === undefined) return
      if (item === 'rotate') {
        this.#queue.shift()
        this.#rotateNow()
      } else this.#write(this.#descriptor, item)
    }
  }

  #write(descriptor: number, item: Exclude<Write, 'rotate'>): void {
    const { bytes, position } = item
    this.#writing = descriptor
    write(descriptor, bytes, 0, bytes.length, position, (error, count) => {
      this.#writing = null
      // It was written once more by `close`, which left the descriptor to this.
      if (this.#descriptor !== descriptor) {
        closeSync(descriptor)
        return this.#pump()
      }
      if (error !== null) return this.#fail(error)
      this.#written(item, count)
      this.#pump()
    })
  }

  #written({ bytes, position }: Exclude<Write, 'rotate'>, count: number): void {
    this.#writtenBytes = position + count
    this.#queuedBytes -= count
    if (count === bytes.length) this.#queue.shift()
    else this.#queue[0] = { bytes: bytes.subarray(count), position: position + count }
  }

  #writeNow(item: Write): void {
    if (item === 'rotate') return this.#rotateNow()
    const { bytes, position } = item
    for (let at = 0; at < bytes.length; ) {
      at += writeSync(this.#descriptor as number, bytes, at, bytes.length - at, position + at)
    }
  }

  /** Rare, and no data: not worth another thread. */
  #rotateNow(): void {
    try {
      this.#release()
      renameSync(this.#file, this.#older)
      this.#descriptor = openSync(this.#file, 'wx', 0o600)
      this.#writtenBytes = 0
    } catch (error) {
      this.#fail(error)
    }
  }

  #fail(error: unknown): void {
    this.#queue = []
    this.#queuedBytes = 0
    this.#release()
    this.#onTrouble(error)
  }

  /** A descriptor that a write still uses is closed when that ends. */
  #release(): void {
    const descriptor = this.#descriptor
    this.#descriptor = null
    if (descriptor !== null && this.#writing !== descriptor) closeSync(descriptor)
  }
}

interface Walked {
  readonly sizeBytes: number
  /** Where the last whole frame ends. */
  readonly wholeBytes: number
  /** Frames of this build, and at most the last one cut off: it may be gone on with. */
  readonly isReadable: boolean
}

/** Goes from frame to frame by their lengths. */
function walk(descriptor: number): Walked {
  const sizeBytes = fstatSync(descriptor).size
  const header = Buffer.alloc(FRAME_HEADER_BYTES)
  let isReadable = true
  let at = 0
  while (isReadable && at + FRAME_HEADER_BYTES <= sizeBytes) {
    readSync(descriptor, header, 0, FRAME_HEADER_BYTES, at)
    const [kind, length] = [header[0], header.readUInt32BE(1)]
    isReadable = (kind === FRAME.segment || (kind === FRAME.records && at > 0)) && length <= MAX_FRAME_BYTES
    if (kind === FRAME.segment) isReadable &&= isOfThisBuild(descriptor, at)
    if (!isReadable || at + FRAME_HEADER_BYTES + length > sizeBytes) break
    at += FRAME_HEADER_BYTES + length
  }
  return { sizeBytes, wholeBytes: at, isReadable }
}

/** A recording of two builds could be replayed by neither. */
function isOfThisBuild(descriptor: number, at: number): boolean {
  const text = Buffer.alloc(MAX_HEADER_LENGTH)
  const count = readSync(descriptor, text, 0, text.length, at + FRAME_HEADER_BYTES)
  const line = text.toString('utf8', 0, count).split('\n', 1)[0] ?? ''
  try {
    return (JSON.parse(line) as Partial<FlightHeader>).build === coreBuild()
  } catch {
    return false
  }
}

function readIfThere(file: string): Uint8Array {
  try {
    return readFileSync(file)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return new Uint8Array(0)
    throw error
  }
}
