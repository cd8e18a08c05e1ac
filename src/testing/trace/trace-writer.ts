// Writes the full trace of a simulation: a header, then a line for each step of each core, each message that leaves, and
// what befalls the processes, in the one order in which it happened. Only made when somebody listens.
import type { CoreEvent, CoreState, Message, NodeId, Output } from '../../core/index.js'
import type { CoreStart } from '../../node/internals.js'
import { encodeEvent, encodeMessage } from './event-codec.js'
import { type StepBody, type TraceHeader, WORLD } from './format.js'
import { StepDescriber } from './step-describer.js'
import type { TraceFields } from './trace.js'

/** Records that stand in the trace in more detail, or that say nothing: every turn of a process is one. */
const LEFT_OUT: ReadonlySet<string> = new Set([
  'step',
  'send',
  'receive',
  'peerStatus',
  'timer',
  'message',
  'disk',
  'call',
])

export class TraceWriter {
  readonly #sink: (line: string) => void
  /** Of the cores that live. */
  readonly #cores = new Map<NodeId, StepDescriber>()
  #number = 1

  /** @param sink - takes each line, without the line feed */
  constructor(sink: (line: string) => void, header: TraceHeader) {
    this.#sink = sink
    sink(JSON.stringify(header))
  }

  /** A core was made. */
  init(atMs: number, node: NodeId, start: CoreStart, state: CoreState): void {
    const core = new StepDescriber()
    this.#cores.set(node, core)
    for (const body of core.init(start, state)) this.#write(atMs, node, body)
  }

  /** A core took an event. */
  step(atMs: number, node: NodeId, event: CoreEvent, output: Output, state: CoreState): void {
    const bodies = this.#cores.get(node)?.step(event, output, state) ?? []
    for (const body of bodies) this.#write(atMs, node, body)
  }

  /** A core found itself wrong at an event: what it became by it is nothing to rely on. */
  failed(atMs: number, node: NodeId, event: CoreEvent, output: Output): void {
    const joins = this.#cores.get(node)?.hasLast(output) ?? false
    this.#write(atMs, node, { step: 'failed', event: encodeEvent(event), joins, state: this.#stateOf(node) })
  }

  /** A message leaves. */
  send(atMs: number, node: NodeId, to: NodeId, message: Message): void {
    this.#write(atMs, node, { step: 'send', to, message: encodeMessage(message), state: this.#stateOf(node) })
  }

  /** Anything else that happened. */
  record(atMs: number, node: string, kind: string, fields: TraceFields): void {
    if (LEFT_OUT.has(kind)) return
    if (kind === 'crash' || kind === 'start') this.#cores.delete(node)
    if (node === WORLD) this.#write(atMs, node, worldBody(kind, fields))
    else this.#write(atMs, node, { step: nameOf(kind, fields), ...fields, state: this.#stateOf(node) })
  }

  /** The last line: without it a reader knows that the trace was cut off. */
  end(atMs: number, end: { readonly violation: string | null; readonly traceHash: string }): void {
    this.#write(atMs, WORLD, { step: 'end', ...end })
  }

  #stateOf(node: NodeId): unknown {
    return this.#cores.get(node)?.state ?? null
  }

  #write(atMs: number, node: string, body: StepBody): void {
    this.#number += 1
    this.#sink(JSON.stringify({ number: this.#number, atMs, node, ...body }))
  }
}

function nameOf(kind: string, { incarnation }: TraceFields): string {
  if (kind === 'start') return incarnation === 1 ? 'start' : 'restart'
  return kind === 'applied' ? 'stateMachineApplied' : kind
}

function worldBody(kind: string, fields: TraceFields): StepBody {
  const { fault } = fields
  return typeof fault === 'string' ? { step: kind, fault: JSON.parse(fault) as unknown } : { step: kind, ...fields }
}
