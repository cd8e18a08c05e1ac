// The replicated state of the scheduler: when each job is due, and which run of it was begun. A run is begun once, by one
// command, whoever proposes it again: this is what makes a run happen at most once. Reads no clock but that of the log.
import type { ApplyContext, StateMachine } from 'helios-raft'

export type Command =
  | { readonly type: 'add'; readonly job: string; readonly everyMs: number }
  | { readonly type: 'begin' | 'end'; readonly job: string; readonly run: number }

/** `done` to one command for each run and type; `refused` to all others, which then change nothing. */
export type Answer = 'done' | 'refused'

export interface Job {
  readonly everyMs: number
  /** Log time from which the next run may begin. */
  readonly dueAt: number
  /** Number of the last run that was begun. Runs are 1, 2, 3, … */
  readonly begun: number
  /** Whether that run was begun and didn't end: it is at work, or whoever began it died or lost its leadership. */
  readonly isOpen: boolean
  /** How many runs ended. */
  readonly ended: number
}

export const MAX_JOBS = 1_000

export class Schedule implements StateMachine<Command, Answer> {
  #jobs = new Map<string, Job>()

  get jobs(): ReadonlyMap<string, Job> {
    return this.#jobs
  }

  readonly apply = (command: Command, { timestamp }: ApplyContext): Answer => {
    const job = this.#jobs.get(command.job)
    const next = command.type === 'add' ? this.#added(command, job, timestamp) : changed(command, job, timestamp)
    if (next === null) return 'refused'
    this.#jobs.set(command.job, next)
    return 'done'
  }

  async *snapshot(): AsyncGenerator<Uint8Array> {
    yield new TextEncoder().encode(JSON.stringify([...this.#jobs]))
  }

  async restore(chunks: AsyncIterable<Uint8Array>): Promise<void> {
    const decoder = new TextDecoder()
    let text = ''
    for await (const chunk of chunks) text += decoder.decode(chunk, { stream: true })
    this.#jobs = new Map(JSON.parse(text) as [string, Job][])
  }

  #added({ everyMs }: { readonly everyMs: number }, job: Job | undefined, timestamp: number): Job | null {
    if (job !== undefined || this.#jobs.size >= MAX_JOBS || !(everyMs > 0)) return null
    return { everyMs, dueAt: timestamp + everyMs, begun: 0, isOpen: false, ended: 0 }
  }
}

function changed(
  { type, run }: { readonly type: 'begin' | 'end'; readonly run: number },
  job: Job | undefined,
  timestamp: number,
): Job | null {
  if (job === undefined) return null
  if (type === 'end') {
    return run === job.begun && job.isOpen ? { ...job, isOpen: false, ended: job.ended + 1 } : null
  }
  if (run !== job.begun + 1 || timestamp < job.dueAt) return null
  // Times that passed while nobody led are left out, not made up for.
  const missed = Math.floor((timestamp - job.dueAt) / job.everyMs)
  return { ...job, begun: run, isOpen: true, dueAt: job.dueAt + (missed + 1) * job.everyMs }
}
