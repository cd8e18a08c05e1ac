// The flight recorder (F46): everything that the core of one node takes, in a bounded ring in memory or in files, so that
// `replay` can let an incident happen again. It watches only: what goes wrong in it ends the recording, never the node.
import { resolve } from 'node:path'
import type { NodeId } from '../../core/index.js'
import type { Instrumentation } from '../../node/instrumentation.js'
import { type CoreObserver, INTERNALS } from '../../node/internals.js'
import type { Logger } from '../../interfaces/logger.js'
import { checkBoolean, checkKeys, checkObject, refuse, show } from '../option-checks.js'
import { coreBuild } from './build.js'
import { FlightFile } from './flight-file.js'
import { FlightLife } from './flight-life.js'
import type { FlightSink } from './flight-sink.js'
import { MemoryRing } from './memory-ring.js'

export interface FlightRecorderOptions {
  /** The recording is kept in this file and in another one of that name with `.1` behind. @defaultValue in memory */
  file?: string | undefined
  /** Of all of it, in memory or in both files: 64 KiB to 1 GiB. @defaultValue 16 MiB */
  maxBytes?: number | undefined
  /** Keep of commands and of chunks of snapshots only how long they are. @defaultValue false */
  redactPayloads?: boolean | undefined
}

/** An Instrumentation that records, and hands out what it holds. */
export interface FlightRecorder extends Instrumentation {
  /** The recording as it is now, for `replay`: a copy. @throws Error of the file system, with `file` */
  dump(): Uint8Array
}

const DEFAULT_MAX_BYTES = 16 * 1024 * 1024
const [SMALLEST_BYTES, LARGEST_BYTES] = [64 * 1024, 1024 * 1024 * 1024] as const

/**
 * Records what the core of one node takes, for `replay` of the same build: put it into `instrumentation` of that node. One
 * recorder is of one node, and of one life of it after the other. When `maxBytes` are reached the oldest part is dropped, an
 * eighth in memory and the older file on disk; what is left can still be replayed. A disk that fails ends the recording with
 * one warning of the node's logger.
 * @throws RaftError RAFT_INVALID_OPTION
 */
export function flightRecorder(options: FlightRecorderOptions = {}): FlightRecorder {
  checkObject('the argument of flightRecorder', options, '{ file, maxBytes, redactPayloads }')
  checkKeys('flightRecorder', options, ['file', 'maxBytes', 'redactPayloads'])
  const { file, maxBytes = DEFAULT_MAX_BYTES, redactPayloads = false } = options
  if (file !== undefined && (typeof file !== 'string' || file === '')) refuse(`file is ${show(file)}: use a path`)
  if (!Number.isSafeInteger(maxBytes) || maxBytes < SMALLEST_BYTES || maxBytes > LARGEST_BYTES) {
    refuse(`maxBytes is ${show(maxBytes)}: use a whole number from ${SMALLEST_BYTES} to ${LARGEST_BYTES}`)
  }
  checkBoolean('redactPayloads', redactPayloads)
  // Now, and not while a node starts: it reads the files of the core.
  coreBuild()
  return new Recorder({ file: file === undefined ? null : resolve(file), maxBytes, redactPayloads })
}

interface ResolvedOptions {
  readonly file: string | null
  readonly maxBytes: number
  readonly redactPayloads: boolean
}

class Recorder implements FlightRecorder {
  readonly name: string = 'flightRecorder'
  readonly #options: ResolvedOptions
  readonly #sink: FlightSink
  #id: NodeId | null = null
  #logger: Logger | null = null
  /** Of the node that was attached last. */
  #life: FlightLife | null = null

  constructor(options: ResolvedOptions) {
    const { file, maxBytes } = options
    this.#options = options
    const onTrouble = (error: unknown): void => this.#life?.giveUp(error)
    this.#sink = file === null ? new MemoryRing(maxBytes) : new FlightFile({ file, maxBytes }, onTrouble)
  }

  /** @throws RaftError RAFT_INVALID_OPTION for a second node */
  attach({ id }: { readonly id: NodeId }): () => void {
    if (this.#id !== null && this.#id !== id) {
      refuse(`the flight recorder of node '${this.#id}' was given to '${id}' too: make one for each node`)
    }
    this.#id = id
    this.#life?.close()
    const life = new FlightLife(id, this.#sink, {
      ...this.#options,
      onGivenUp: (reason) => this.#logger?.warn({ node: id, reason }, 'Flight recorder stopped'),
    })
    this.#life = life
    return () => life.close()
  }

  [INTERNALS]({ logger }: { readonly logger: Logger }): CoreObserver {
    this.#logger = logger
    return this.#life?.observer ?? {}
  }

  dump(): Uint8Array {
    this.#life?.flush()
    const parts = this.#sink.read()
    const whole = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0))
    let at = 0
    for (const part of parts) {
      whole.set(part, at)
      at += part.length
    }
    return whole
  }
}
