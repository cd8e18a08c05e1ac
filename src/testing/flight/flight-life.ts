// The recording of one life of a node: takes what its core takes, in order, as records, and cuts them into segments that each
// begin with the whole state. A segment begins between two batches only, because an Output is no plain data.
import type { CoreEvent, CoreOptions, CoreState, NodeId, Output } from '../../core/index.js'
import type { CoreObserver, CoreStart } from '../../node/internals.js'
import { hashOf } from '../trace/hash.js'
import { FRAME, type FlightOrigin, flightHeader, frameOf, optionsAfter, RECORD } from './flight-format.js'
import type { FlightSink } from './flight-sink.js'
import { PlainWriter } from './plain-writer.js'
import { stepMark } from './step-mark.js'

/** Steps from one hash over the whole state to the next. */
const CHECK_STEPS = 4_096
/** A frame is closed when it is so large, or after so long: a process that is killed loses that much. */
const MAX_FRAME_BYTES = 64 * 1024
const FLUSH_MS = 10

export interface FlightLifeOptions {
  readonly maxBytes: number
  readonly file: string | null
  readonly redactPayloads: boolean
  /** Nothing more is recorded; told once. */
  readonly onGivenUp: (reason: string) => void
}

export class FlightLife {
  readonly observer: CoreObserver
  readonly #id: NodeId
  readonly #sink: FlightSink
  readonly #options: FlightLifeOptions
  readonly #frameBytes: number
  readonly #writer: PlainWriter
  #core: CoreOptions | null = null
  #state: CoreState | null = null
  /** Of the last event, as long as another one may join it. */
  #output: Output | null = null
  #steps = 0
  /** A segment is under way. */
  #isOpen = false
  #isOver = false
  #timer: NodeJS.Timeout | null = null

  constructor(id: NodeId, sink: FlightSink, options: FlightLifeOptions) {
    this.#id = id
    this.#sink = sink
    this.#options = options
    this.#frameBytes = Math.min(MAX_FRAME_BYTES, options.maxBytes / 16)
    this.#writer = new PlainWriter(options.redactPayloads)
    this.observer = {
      observeStart: (start) => this.#guarded(() => this.#begin(start)),
      observe: (state, event, output) => this.#guarded(() => this.#step(state, event, output)),
      observeHandOut: (state) => this.#guarded(() => this.#betweenBatches(state)),
      observeFailure: (event, output) => this.#guarded(() => this.#failed(event, output)),
    }
  }

  /** What was recorded so far goes to the sink. */
  flush(): void {
    if (this.#timer !== null) clearTimeout(this.#timer)
    this.#timer = null
    if (this.#writer.length === 0 || !this.#isOpen) return
    this.#isOpen = this.#sink.append(frameOf(FRAME.records, this.#writer.take()))
  }

  /** The node has stopped, or another life of it begins. */
  close(): void {
    if (this.#isOver) return
    this.#guarded(() => {
      if (this.#state !== null) this.#check(this.#state)
      this.flush()
      this.#sink.close()
    })
    this.#isOver = true
  }

  giveUp(error: unknown): void {
    if (this.#isOver) return
    this.#isOver = true
    this.#isOpen = false
    if (this.#timer !== null) clearTimeout(this.#timer)
    this.#options.onGivenUp(error instanceof Error ? error.message : String(error))
  }

  #guarded(record: () => void): void {
    if (this.#isOver) return
    try {
      record()
    } catch (error) {
      this.giveUp(error)
    }
  }

  #begin({ options, ...start }: CoreStart): void {
    this.#core = options
    this.#beginSegment({ options, start, state: null, steps: 0 })
  }

  #betweenBatches(state: CoreState): void {
    this.#output = null
    if (this.#isOpen && !this.#sink.isFull) return
    if (this.#core === null || !this.#sink.isReady) return
    this.flush()
    this.#beginSegment({ options: this.#core, start: null, state, steps: this.#steps })
  }

  #beginSegment(origin: FlightOrigin): void {
    const writer = this.#writer
    writer.reset()
    writer.value(origin)
    const line = new TextEncoder().encode(`${JSON.stringify(flightHeader(this.#id))}\n`)
    const head = frameOf(FRAME.segment, line, writer.take())
    this.#isOpen = this.#sink.begin(head)
    if (!this.#isOpen) {
      throw new Error(
        `the state of the core takes ${head.length} bytes, too many for maxBytes ${this.#options.maxBytes}`,
      )
    }
  }

  #step(state: CoreState, event: CoreEvent | null, output: Output | null): void {
    this.#state = state
    if (event === null) return this.#check(state)
    const joins = output === this.#output
    this.#output = output
    this.#steps += 1
    this.#core = optionsAfter(this.#core, event)
    if (!this.#isOpen) return
    const writer = this.#writer
    writer.byte(joins ? RECORD.joiningStep : RECORD.step)
    writer.value(event)
    writer.uint32(stepMark(state, output))
    if (this.#steps % CHECK_STEPS === 0) this.#check(state)
    if (writer.length >= this.#frameBytes) this.flush()
    else if (this.#options.file !== null)
      this.#timer ??= setTimeout(() => this.#guarded(() => this.flush()), FLUSH_MS).unref()
  }

  /** The state is not what any event made of it, and nothing follows. */
  #failed(event: CoreEvent, output: Output): void {
    this.#state = null
    if (!this.#isOpen) return
    this.#writer.byte(output === this.#output ? RECORD.joiningFailed : RECORD.failed)
    this.#writer.value(event)
    this.flush()
  }

  #check(state: CoreState): void {
    if (!this.#isOpen) return
    this.#writer.byte(RECORD.check)
    this.#writer.value(hashOf(state))
  }
}
