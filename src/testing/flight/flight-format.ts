// How a recording lies in a file (docs/reference/flight-recording.md): frames with their length and CRC, of which one begins
// each segment and says who wrote it. A segment is read by itself; nothing in it refers to an earlier one.
import { crc32 } from '../../codec/crc32.js'
import type { CoreEvent, CoreOptions, CoreState, NodeId } from '../../core/index.js'
import type { CoreStart } from '../../node/internals.js'
import { LIBRARY_VERSION } from '../trace/format.js'
import { coreBuild } from './build.js'

export const FLIGHT_FORMAT = 'helios-raft-flight'
/** Raised by each change that an older reader would misunderstand. */
export const FLIGHT_VERSION = 1

/** First byte of a frame: a segment begins, or goes on. No trace begins with one of them. */
export const FRAME: { readonly segment: 0x53; readonly records: 0x52 } = Object.freeze({ segment: 0x53, records: 0x52 })
/** Kind, length and CRC of what follows, big-endian. */
export const FRAME_HEADER_BYTES = 9
/** Longest frame that a reader takes: more than any message and any state. */
export const MAX_FRAME_BYTES: number = 256 * 1024 * 1024

/** What the line says that a segment begins with: JSON, so that any version can read it. */
export interface FlightHeader {
  readonly format: typeof FLIGHT_FORMAT
  readonly version: number
  readonly library: string
  readonly build: string
  readonly node: NodeId
  /** Wall clock when the segment began, ISO 8601. */
  readonly at: string
}

/** What a segment begins from: a life of the node, or the state in the midst of one. */
export interface FlightOrigin {
  readonly options: CoreOptions
  /** Null where the segment does not begin with the life. */
  readonly start: Omit<CoreStart, 'options'> | null
  /** Null where it does. */
  readonly state: CoreState | null
  /** Steps of this life before. */
  readonly steps: number
}

/** First byte of a record. */
export const RECORD: {
  readonly step: 0
  /** A step whose effects were added to the Output of the one before. */
  readonly joiningStep: 1
  /** The core found itself wrong at that event. */
  readonly failed: 2
  readonly joiningFailed: 3
  /** A hash over the whole state. */
  readonly check: 4
} = Object.freeze({ step: 0, joiningStep: 1, failed: 2, joiningFailed: 3, check: 4 })

/** What a core of these options has behind the event: they are the one part of it that stands beside its state. */
export function optionsAfter<Options extends CoreOptions | null>(options: Options, event: CoreEvent): Options {
  if (event.type !== 'reconfigure' || options === null) return options
  const { type: _type, now: _now, ...changed } = event
  return { ...options, ...changed }
}

/** The line of a segment that this build writes. */
export function flightHeader(node: NodeId): FlightHeader {
  return {
    format: FLIGHT_FORMAT,
    version: FLIGHT_VERSION,
    library: LIBRARY_VERSION,
    build: coreBuild(),
    node,
    at: new Date().toISOString(),
  }
}

/** A frame around the parts. */
export function frameOf(kind: number, ...parts: readonly Uint8Array[]): Uint8Array<ArrayBuffer> {
  const length = parts.reduce((sum, part) => sum + part.length, 0)
  const frame = new Uint8Array(FRAME_HEADER_BYTES + length)
  let at = FRAME_HEADER_BYTES
  for (const part of parts) {
    frame.set(part, at)
    at += part.length
  }
  const view = new DataView(frame.buffer)
  view.setUint8(0, kind)
  view.setUint32(1, length)
  view.setUint32(5, crc32(frame.subarray(FRAME_HEADER_BYTES)))
  return frame
}
