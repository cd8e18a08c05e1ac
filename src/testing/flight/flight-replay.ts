// Feeds what a flight recorder kept into the same core again, and compares after each event what the core says with what it said
// then. A segment that follows the one before without a gap is compared with the whole state; another one is begun from it.
import { type CoreEvent, type CoreOptions, type CoreState, type NodeId, Output, RaftCore } from '../../core/index.js'
import { hashOf } from '../trace/hash.js'
import { statusOf } from '../trace/replayed-status.js'
import type { ReplayOptions, ReplayResult } from '../trace/replay.js'
import { FRAME, type FlightOrigin, optionsAfter, RECORD } from './flight-format.js'
import { damagedAt, type FlightFrame, framesOf, splitSegment } from './flight-reader.js'
import { PlainReader } from './plain-reader.js'
import { stepMark } from './step-mark.js'

/**
 * @throws RaftError RAFT_VERSION for a recording of another build, RAFT_CORRUPTION naming the byte from which on it is damaged
 */
export async function replayFlight(chunks: AsyncIterable<Uint8Array>, options: ReplayOptions): Promise<ReplayResult> {
  const replayed = new FlightReplay(options)
  for await (const frame of framesOf(chunks)) {
    if (!replayed.take(frame)) return { steps: replayed.steps, divergedAt: replayed.number }
  }
  return { steps: replayed.steps, divergedAt: null }
}

interface ReplayedLife {
  readonly node: NodeId
  options: CoreOptions
  /** Null when it could not begin, or has found itself wrong. */
  core: RaftCore | null
  /** Of the last event; null between two batches. */
  output: Output | null
  /** Events since the node began. */
  steps: number
}

class FlightReplay {
  steps = 0
  /** Of the last record; the beginning of a segment is one. */
  number = 0
  readonly #options: ReplayOptions
  #reader = new PlainReader()
  #life: ReplayedLife | null = null

  constructor(options: ReplayOptions) {
    this.#options = options
  }

  /** Returns whether all of it is what the core does now. */
  take(frame: FlightFrame): boolean {
    if (frame.kind === FRAME.segment) return this.#segment(frame)
    this.#reader.open(frame.payload)
    while (!this.#reader.isAtEnd) if (!this.#record(frame.offset)) return false
    return true
  }

  #segment(frame: FlightFrame): boolean {
    const { header, rest } = splitSegment(frame)
    this.#reader = new PlainReader()
    this.#reader.open(rest)
    const origin = this.#decoded(frame.offset, () => this.#reader.value() as FlightOrigin)
    this.number += 1
    if (origin.start !== null) return this.#begin(header.node, origin.options, origin.start)
    const state = origin.state as CoreState
    const life = this.#life
    const isNext = life?.node === header.node && life.options.boot === origin.options.boot
    if (life !== null && life.core !== null && isNext && life.steps === origin.steps) {
      life.output = null
      return hashOf(life.options, life.core.state) === hashOf(origin.options, state)
    }
    const { options, steps } = origin
    const core = this.#decoded(frame.offset, () => RaftCore.resume(options, state))
    this.#life = { node: header.node, options, core, output: null, steps }
    this.#tell({ type: 'resume', options, steps, now: state.now })
    return true
  }

  #begin(node: NodeId, options: CoreOptions, start: NonNullable<FlightOrigin['start']>): boolean {
    const life: ReplayedLife = { node, options, core: null, output: null, steps: 0 }
    this.#life = life
    try {
      life.core = new RaftCore(options, start.restored, start.now)
    } catch {
      // Where it could not begin then either nothing follows.
    }
    this.#tell({ type: 'init', options, ...start })
    return true
  }

  #record(offset: number): boolean {
    const life = this.#life
    if (life === null) throw damagedAt(offset, 'it begins in the midst of a segment')
    this.number += 1
    const reader = this.#reader
    const kind = this.#decoded(offset, () => reader.byte())
    if (kind === RECORD.check) {
      const hash = this.#decoded(offset, () => reader.value())
      return life.core !== null && hashOf(life.core.state) === hash
    }
    if (kind > RECORD.check) throw damagedAt(offset, `a record of the unknown kind ${kind}`)
    const event = this.#decoded(offset, () => reader.value() as CoreEvent)
    const isFailed = kind === RECORD.failed || kind === RECORD.joiningFailed
    const mark = isFailed ? null : this.#decoded(offset, () => reader.uint32())
    if (life.core === null) return false
    const joins = kind === RECORD.joiningStep || kind === RECORD.joiningFailed
    return this.#step(life, event, { output: joins ? life.output : null, mark })
  }

  /** @param mark - null where the core found itself wrong */
  #step(
    life: ReplayedLife,
    event: CoreEvent,
    { output, mark }: { output: Output | null; mark: number | null },
  ): boolean {
    const core = life.core as RaftCore
    this.steps += 1
    life.steps += 1
    life.options = optionsAfter(life.options, event)
    try {
      life.output = core.step(event, output ?? new Output())
    } catch {
      life.core = null
      return mark === null
    }
    if (mark === null) return false
    this.#options.onStep?.({ number: this.number, node: life.node, event, status: statusOf(life.options, core.state) })
    return stepMark(core.state, life.output) === mark
  }

  /** The core of this life was made, or gone on with. */
  #tell(event: unknown): void {
    const life = this.#life
    this.steps += 1
    if (life === null || life.core === null) return
    const { node, options, core } = life
    this.#options.onStep?.({ number: this.number, node, event, status: statusOf(options, core.state) })
  }

  #decoded<T>(offset: number, decode: () => T): T {
    try {
      return decode()
    } catch (error) {
      throw damagedAt(offset, (error as Error).message, error)
    }
  }
}
