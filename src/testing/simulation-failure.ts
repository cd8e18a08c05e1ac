// What a failed simulation of the user's own leaves behind: the full trace of a second run of the same seed, and its data
// made small, as a call that can be pasted. A run that holds pays for none of it.
import type { Check } from './checks.js'
import { leaveOut } from './plan/leave-out.js'
import { literalOf } from './plan/literal.js'
import { type AnyStateMachine, SimulationFailure, type SimulationOptions } from './report.js'
import { TraceBuffer } from './trace/trace-buffer.js'
import type { TraceWriter } from './trace/trace-writer.js'

/** Most runs that making the data small may take. */
export const MAX_SHRINK_RUNS = 100

/** What went wrong in one run. */
export interface RunViolation {
  readonly violation: string
  readonly check: Check
  readonly cause?: unknown
}

export interface FailedRun<SM extends AnyStateMachine, Query, Answer> {
  readonly first: RunViolation
  readonly seed: bigint
  readonly options: SimulationOptions<SM, Query, Answer>
  /** Runs such options from the beginning. */
  readonly run: (
    options: SimulationOptions<SM, Query, Answer>,
    writer: TraceWriter | null,
  ) => Promise<RunViolation | null>
}

/** The failure of that run, in full. */
export async function explainFailure<SM extends AnyStateMachine, Query, Answer>(
  failed: FailedRun<SM, Query, Answer>,
): Promise<SimulationFailure> {
  const { first, seed, options, run } = failed
  const trace = new TraceBuffer({ seed, cluster: options.cluster })
  const second = await run(options, trace.writer)
  const isDecided = second?.violation === first.violation
  const small = isDecided && options.shrink !== false ? await shrink(failed) : options
  const { violation, cause } = first
  return new SimulationFailure({
    violation,
    cause,
    seed,
    trace: trace.text,
    script: scriptOf(violation, seed, small),
    isDecided,
  })
}

/** The same failure of fewer faults and steps: coarse parts first, then one by one, until nothing more can go. */
async function shrink<SM extends AnyStateMachine, Query, Answer>({
  first,
  options,
  run,
}: FailedRun<SM, Query, Answer>): Promise<SimulationOptions<SM, Query, Answer>> {
  let small = options
  let runs = 0
  const fails = async (like: SimulationOptions<SM, Query, Answer>): Promise<boolean> => {
    if (runs >= MAX_SHRINK_RUNS) return false
    runs += 1
    if ((await run(like, null))?.check !== first.check) return false
    small = like
    return true
  }
  const sizeOf = ({ faults, workload }: typeof small): number => (faults?.faults.length ?? 0) + (workload?.length ?? 0)
  for (let divisor = 1, before = -1; runs < MAX_SHRINK_RUNS && before !== sizeOf(small); divisor *= 4) {
    if (divisor >= sizeOf(small)) before = sizeOf(small)
    const faults = small.faults?.faults ?? []
    await leaveOut({ items: faults, divisor, failsWith: (kept) => fails({ ...small, faults: { faults: kept } }) })
    const workload = small.workload ?? []
    await leaveOut({ items: workload, divisor, failsWith: (kept) => fails({ ...small, workload: kept }) })
  }
  return small
}

/** The data of the options as a call; what is code is the user's. */
function scriptOf<SM extends AnyStateMachine, Query, Answer>(
  violation: string,
  seed: bigint,
  { cluster, liveness, maxEvents, faults, workload }: SimulationOptions<SM, Query, Answer>,
): string {
  const field = (name: string, value: unknown): string[] => {
    return value === undefined ? [] : [`  ${name}: ${literalOf(value)},`]
  }
  const list = (items: readonly unknown[] = []): string => {
    return items.length === 0 ? '[]' : `[\n${items.map((item) => `    ${literalOf(item)},`).join('\n')}\n  ]`
  }
  return [
    ...violation.split('\n').map((line) => `// ${line}`),
    'await simulate({',
    '  ...yours, // stateMachine, codec, query, invariant, model',
    ...field('seed', seed),
    ...field('cluster', cluster),
    ...field('liveness', liveness),
    ...field('maxEvents', maxEvents),
    `  faults: { faults: ${list(faults?.faults)} },`,
    `  workload: ${list(workload)},`,
    '})',
    '',
  ].join('\n')
}
