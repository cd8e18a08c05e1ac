// The trace of one run in memory, for a SimulationFailure: from its first line on, because only that can be replayed, and
// up to a bound.
import { SIMULATION_EPOCH_MS } from '../virtual-clock.js'
import { traceHeader } from './format.js'
import { TraceWriter } from './trace-writer.js'

/** Lines of a trace that a failure brings; what comes behind is left out. */
export const MAX_TRACE_LINES = 100_000

export class TraceBuffer {
  readonly writer: TraceWriter
  readonly #lines: string[] = []

  constructor(run: { readonly seed: bigint; readonly cluster: unknown }) {
    const described = { source: 'simulate', seed: String(run.seed), bug: null, cluster: run.cluster ?? null } as const
    const sink = (line: string): void => {
      if (this.#lines.length < MAX_TRACE_LINES) this.#lines.push(line)
    }
    this.writer = new TraceWriter(sink, traceHeader({ ...described, epochMs: SIMULATION_EPOCH_MS }))
  }

  /** NDJSON. */
  get text(): string {
    return this.#lines.join('\n')
  }
}
