// Feeds the events of a trace into the same core again and compares each line with what the core now says (assurance §1,
// replay). A core is pure, so the first line that differs is where this core, or the trace, is another one.
import { type CoreEvent, type NodeId, Output, RaftCore, RULES } from '../../core/index.js'
import type { RaftStatus } from '../../node/status.js'
import type { SteppedCore } from '../../node/internals.js'
import { BUGS } from '../bugs/index.js'
import { replayFlight } from '../flight/flight-replay.js'
import { beginsFlight } from '../flight/flight-reader.js'
import { decodeEvent, decodeStart } from './event-codec.js'
import type { StepBody, TraceHeader } from './format.js'
import { statusOf } from './replayed-status.js'
import { StepDescriber } from './step-describer.js'
import { damaged, openTrace, type TraceLine } from './trace-lines.js'

/** One event of one core. */
export interface ReplayedStep {
  /** Line of the trace; the header is line 1. Of a recording: number of the record, from 1. */
  readonly number: number
  readonly node: NodeId
  /**
   * A `CoreEvent`, or what the core was made of: `{ type: 'init', options, restored, now }`. Of a recording also
   * `{ type: 'resume', options, steps, now }`, where `steps` events of that life are not in it.
   */
  readonly event: unknown
  /** As far as a core alone can tell: see `replay`. */
  readonly status: RaftStatus
}

export interface ReplayOptions {
  readonly onStep?: ((step: ReplayedStep) => void) | undefined
}

export interface ReplayResult {
  /** Events that cores were given, their beginnings among them. */
  readonly steps: number
  /** The first line of the trace, or record, that is not what the core does now; the replay ends there. Null when all are. */
  readonly divergedAt: number | null
}

/** Lines that follow from the event before them. */
const CONSEQUENCES: ReadonlySet<string> = new Set([
  'becomeFollower',
  'becomePreCandidate',
  'becomeCandidate',
  'becomeLeader',
  'append',
  'commit',
  'compact',
  'configuration',
])

/**
 * The same events into the same core, from a trace of `simulate` or of `npm run sim -- --trace FILE`, or from what a
 * `flightRecorder` kept: its `dump()`, or its files, the older one first. `onStep` sees each event after it was taken. In its
 * `status`, `ready` means that a leader is known and all that is known to be committed is
 * applied; `clusterId`, `pendingProposals` and `uncommittedBytes` are the driver's, and so empty and 0.
 * @throws RaftError RAFT_VERSION for a trace of another format or version of the library, and for a recording of another build;
 * RAFT_CORRUPTION naming the line, or the byte, that is damaged, or where a trace was cut off. A recording may be cut off
 */
export async function replay(
  trace: string | Uint8Array | AsyncIterable<Uint8Array>,
  options: ReplayOptions = {},
): Promise<ReplayResult> {
  if (!isBinary(trace)) return replayTrace(trace, options)
  const chunks = trace instanceof Uint8Array ? [trace] : trace
  const { first, all } = await peeked(chunks)
  return beginsFlight(first) ? replayFlight(all, options) : replayTrace(all, options)
}

async function replayTrace(trace: string | AsyncIterable<Uint8Array>, options: ReplayOptions): Promise<ReplayResult> {
  const { header, lines } = await openTrace(trace)
  const replayed = new Replay(header, options)
  for await (const line of lines) {
    if (!replayed.take(line)) return { steps: replayed.steps, divergedAt: line.number }
  }
  return { steps: replayed.steps, divergedAt: null }
}

interface ReplayedCore {
  readonly core: SteppedCore
  electionTimeoutMs: number
  readonly describer: StepDescriber
  /** Of the last event. */
  output: Output
}

class Replay {
  steps = 0
  readonly #header: TraceHeader
  readonly #options: ReplayOptions
  readonly #cores = new Map<NodeId, ReplayedCore>()
  /** What must follow the last event, line by line. */
  #expected: readonly StepBody[] = []

  constructor(header: TraceHeader, options: ReplayOptions) {
    this.#header = header
    this.#options = options
  }

  /** Returns whether the line is what the cores do now. */
  take(line: TraceLine): boolean {
    const { node, body } = line
    if (CONSEQUENCES.has(body.step)) {
      const [expected, ...rest] = this.#expected
      this.#expected = rest
      return expected !== undefined && isSame(expected, body)
    }
    if (this.#expected.length > 0) return false
    if (body.step === 'init') return this.#init(line)
    if (body.step === 'failed') return this.#failed(line)
    if ('event' in body) return this.#step(line)
    if (body.step === 'crash' || body.step === 'restart') this.#cores.delete(node)
    const state = this.#cores.get(node)?.describer.state ?? null
    return !('state' in body) || isSame(state, body['state'])
  }

  #init(line: TraceLine): boolean {
    const start = decoded(line, () => decodeStart(line.body))
    const { rules, wrapCore } = BUGS[this.#header.bug ?? '']?.internals ?? {}
    const describer = new StepDescriber()
    return this.#compare(line, { type: 'init', ...start }, () => {
      const shipped = new RaftCore(start.options, start.restored, start.now, { ...RULES, ...rules })
      const core = wrapCore?.(shipped, start.options) ?? shipped
      const { electionTimeoutMs } = start.options
      this.#cores.set(line.node, { core, electionTimeoutMs, describer, output: new Output() })
      return describer.init(start, core.state)
    })
  }

  #step(line: TraceLine): boolean {
    const held = this.#cores.get(line.node)
    if (held === undefined) throw damaged(line.number, `is an event of '${line.node}', which has not begun`)
    const event: CoreEvent = decoded(line, () => decodeEvent(line.body['event']))
    return this.#compare(line, event, () => {
      if (event.type === 'reconfigure') held.electionTimeoutMs = event.electionTimeoutMs
      held.output = held.core.step(event, line.body['joins'] === true ? held.output : new Output())
      return held.describer.step(event, held.output, held.core.state)
    })
  }

  /** A core that found itself wrong does so again, and takes nothing more. */
  #failed({ node, number, body }: TraceLine): boolean {
    const held = this.#cores.get(node)
    const event = decoded({ number }, () => decodeEvent(body['event']))
    this.steps += 1
    try {
      held?.core.step(event, body['joins'] === true ? held.output : new Output())
    } catch {
      return held !== undefined && isSame(held.describer.state, body['state'])
    }
    return false
  }

  /** Lets the core take what the line says. A core that stops there didn't stop when the trace was written. */
  #compare({ node, number, body }: TraceLine, event: unknown, take: () => readonly StepBody[]): boolean {
    this.steps += 1
    let first: StepBody | undefined
    try {
      ;[first, ...this.#expected] = take()
    } catch {
      return false
    }
    const held = this.#cores.get(node)
    if (held !== undefined) {
      const status = statusOf({ id: node, electionTimeoutMs: held.electionTimeoutMs }, held.core.state)
      this.#options.onStep?.({ number, node, event, status })
    }
    return first !== undefined && isSame(first, body)
  }
}

/** Looks at the first byte, and gives all of them. */
async function peeked(
  chunks: Iterable<Uint8Array> | AsyncIterable<Uint8Array>,
): Promise<{ readonly first: Uint8Array; readonly all: AsyncIterable<Uint8Array> }> {
  const iterator = followed(chunks)
  let next = await iterator.next()
  while (next.done !== true && next.value.length === 0) next = await iterator.next()
  const first = next.done === true ? new Uint8Array(0) : next.value
  return { first, all: joined(first, iterator) }
}

async function* followed(chunks: Iterable<Uint8Array> | AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
  yield* chunks
}

async function* joined(first: Uint8Array, rest: AsyncGenerator<Uint8Array>): AsyncGenerator<Uint8Array> {
  try {
    yield first
    yield* rest
  } finally {
    await rest.return(undefined)
  }
}

function isBinary(trace: unknown): trace is Uint8Array | AsyncIterable<Uint8Array> {
  if (typeof trace !== 'object' || trace === null) return false
  return trace instanceof Uint8Array || Symbol.asyncIterator in trace
}

function isSame(one: unknown, other: unknown): boolean {
  return JSON.stringify(one) === JSON.stringify(other)
}

function decoded<T>({ number }: Pick<TraceLine, 'number'>, decode: () => T): T {
  try {
    return decode()
  } catch (error) {
    throw damaged(number, `lacks ${(error as Error).message}`, error)
  }
}
