// A recording in memory: segments of an eighth of the room, of which the oldest is dropped for the newest.
import { type FlightSink, HEAD_SHARE } from './flight-sink.js'

const SEGMENTS = 8

interface Segment {
  readonly frames: Uint8Array<ArrayBuffer>[]
  bytes: number
}

export class MemoryRing implements FlightSink {
  readonly isReady: boolean = true
  readonly #maxBytes: number
  readonly #segments: Segment[] = []
  #bytes = 0

  constructor(maxBytes: number) {
    this.#maxBytes = maxBytes
  }

  get isFull(): boolean {
    const newest = this.#segments.at(-1)
    if (newest === undefined) return false
    // One that begins large goes on for as long: or writing beginnings would be all that is done.
    return newest.bytes >= Math.max(this.#maxBytes / SEGMENTS, 2 * (newest.frames[0]?.length ?? 0))
  }

  begin(head: Uint8Array<ArrayBuffer>): boolean {
    if (head.length > this.#maxBytes * HEAD_SHARE) return false
    this.#segments.push({ frames: [], bytes: 0 })
    return this.append(head)
  }

  append(frame: Uint8Array<ArrayBuffer>): boolean {
    const newest = this.#segments.at(-1)
    if (newest === undefined || newest.bytes + frame.length > this.#maxBytes) return false
    newest.frames.push(frame)
    newest.bytes += frame.length
    this.#bytes += frame.length
    while (this.#bytes > this.#maxBytes) this.#bytes -= this.#segments.shift()?.bytes ?? 0
    return true
  }

  close(): void {}

  read(): readonly Uint8Array[] {
    return this.#segments.flatMap(({ frames }) => frames)
  }
}
