// What a failed simulation of the user's own leaves behind: the full trace of a second run of the same seed. A run that
// holds pays for none of it.
import type { AnyStateMachine, SimulationOptions } from './report.js'
import { SimulationFailure } from './report.js'
import { TraceBuffer } from './trace/trace-buffer.js'
import type { TraceWriter } from './trace/trace-writer.js'

/** What went wrong in one run. */
export interface Violation {
  readonly violation: string
  readonly cause?: unknown
}

export interface FailedRun<SM extends AnyStateMachine, Query, Answer> {
  readonly first: Violation
  readonly seed: bigint
  readonly options: SimulationOptions<SM, Query, Answer>
  /** Runs such options from the beginning. */
  readonly run: (options: SimulationOptions<SM, Query, Answer>, writer: TraceWriter | null) => Promise<Violation | null>
}

/** The failure of that run, in full. */
export async function explainFailure<SM extends AnyStateMachine, Query, Answer>(
  failed: FailedRun<SM, Query, Answer>,
): Promise<SimulationFailure> {
  const { first, seed, options, run } = failed
  const trace = new TraceBuffer({ seed, cluster: options.cluster })
  const second = await run(options, trace.writer)
  const isDecided = second?.violation === first.violation
  return new SimulationFailure({ ...first, seed, trace: trace.text, isDecided })
}
