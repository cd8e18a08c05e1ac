// Reads a recording frame by frame, from chunks of bytes of any size. One that ends within a frame was cut off by the end of its
// process, and ends there; whatever else is wrong is refused with its place. What a record means is not decided here.
import { crc32 } from '../../codec/crc32.js'
import { RaftError } from '../../errors.js'
import { LIBRARY_VERSION } from '../trace/format.js'
import { coreBuild } from './build.js'
import {
  FLIGHT_FORMAT,
  FLIGHT_VERSION,
  FRAME,
  FRAME_HEADER_BYTES,
  type FlightHeader,
  MAX_FRAME_BYTES,
} from './flight-format.js'

export interface FlightFrame {
  readonly kind: number
  /** Where it begins in the recording. */
  readonly offset: number
  readonly payload: Uint8Array
}

/** Whether a recording begins so, and no trace. */
export function beginsFlight(bytes: Uint8Array): boolean {
  return bytes[0] === FRAME.segment
}

/** @throws RaftError RAFT_CORRUPTION naming the byte, while they are read */
export async function* framesOf(chunks: AsyncIterable<Uint8Array>): AsyncGenerator<FlightFrame> {
  const held: Uint8Array[] = []
  let heldBytes = 0
  let neededBytes = FRAME_HEADER_BYTES
  let offset = 0
  for await (const chunk of chunks) {
    held.push(chunk)
    heldBytes += chunk.length
    if (heldBytes < neededBytes) continue
    let bytes: Uint8Array = held.length === 1 ? chunk : Buffer.concat(held)
    for (;;) {
      neededBytes = frameBytes(bytes, offset)
      if (bytes.length < neededBytes) break
      yield frameAt(bytes, { offset, length: neededBytes })
      bytes = bytes.subarray(neededBytes)
      offset += neededBytes
    }
    held.splice(0, held.length, bytes)
    heldBytes = bytes.length
  }
  if (offset === 0) throw damagedAt(0, 'it ends before its first whole piece')
}

/** What stops a replay because of what stands there. */
export function damagedAt(offset: number, problem: string, cause?: unknown): RaftError {
  return new RaftError('RAFT_CORRUPTION', `the recording is damaged at byte ${offset}: ${problem}`, { cause })
}

/** The line that a segment begins with, and what follows it. @throws RaftError RAFT_VERSION for another build */
export function splitSegment({ payload, offset }: FlightFrame): { header: FlightHeader; rest: Uint8Array } {
  const feed = payload.indexOf(0x0a)
  let header: Partial<FlightHeader>
  try {
    header = JSON.parse(new TextDecoder().decode(payload.subarray(0, Math.max(feed, 0)))) as Partial<FlightHeader>
  } catch (error) {
    throw damagedAt(offset, 'a segment begins with no line of JSON', error)
  }
  if (header.format !== FLIGHT_FORMAT) throw damagedAt(offset, `its format is ${String(header.format)}`)
  const { version, library, build } = header
  const whose = `by version ${String(library)} of the library, build ${String(build)}`
  if (version !== FLIGHT_VERSION) {
    throw new RaftError(
      'RAFT_VERSION',
      `the recording has format version ${String(version)}, this library reads ${FLIGHT_VERSION}: replay it with the library that made it, ${String(library)}`,
    )
  }
  if (library !== LIBRARY_VERSION || build !== coreBuild()) {
    throw new RaftError(
      'RAFT_VERSION',
      `the recording was made ${whose}, and this is version ${LIBRARY_VERSION}, build ${coreBuild()}, whose core may take other steps: replay it with the build that made it`,
    )
  }
  return { header: header as FlightHeader, rest: payload.subarray(feed + 1) }
}

/** How long the frame is that begins here, as far as that is known. */
function frameBytes(bytes: Uint8Array, offset: number): number {
  const [kind] = bytes
  if (kind === undefined) return FRAME_HEADER_BYTES
  if (kind !== FRAME.segment && kind !== FRAME.records) throw damagedAt(offset, `no piece begins with ${kind}`)
  if (bytes.length < FRAME_HEADER_BYTES) return FRAME_HEADER_BYTES
  const length = viewOf(bytes).getUint32(1)
  if (length > MAX_FRAME_BYTES)
    throw damagedAt(offset, `a piece of ${length} bytes, and none has more than ${MAX_FRAME_BYTES}`)
  return FRAME_HEADER_BYTES + length
}

function frameAt(bytes: Uint8Array, { offset, length }: { offset: number; length: number }): FlightFrame {
  const payload = bytes.subarray(FRAME_HEADER_BYTES, length)
  if (crc32(payload) !== viewOf(bytes).getUint32(5)) throw damagedAt(offset, 'the checksum of a piece is wrong')
  return { kind: bytes[0] as number, offset, payload }
}

function viewOf(bytes: Uint8Array): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
}
