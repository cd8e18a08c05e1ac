// What the leader does: begins the runs that are due, and runs those of which the log said that they are new. Leading is
// no permission: another leader may be at work before this one hears of it. The permission is the answer to `begin`.
import { setTimeout as wait } from 'node:timers/promises'
import type { Leadership, RaftNode } from 'helios-raft'
import type { Answer, Command, Schedule } from './schedule.js'

export interface Run {
  readonly job: string
  readonly run: number
  /** Aborts when this node leads no more: stop what can be stopped, for the next leader may begin the next run by now. */
  readonly signal: AbortSignal
}

export interface SchedulerOptions {
  readonly node: RaftNode<Command, Answer>
  /** The state machine of that node. */
  readonly schedule: Schedule
  readonly work: (run: Run) => Promise<void>
  /** What went wrong with one run; the scheduler goes on with the next one. */
  readonly onError: (error: unknown) => void
}

/** How often the leader looks for what is due. */
const LOOK_MS = 10

/** Returns what ends it. */
export function startScheduler({ node, schedule, work, onError }: SchedulerOptions): () => void {
  const runNext = async (job: string, { term, signal }: Leadership): Promise<void> => {
    const run = (schedule.jobs.get(job)?.begun ?? 0) + 1
    // When this rejects, nobody may run it: with the outcome `unknown` the run may count as begun already. It is left out then.
    const { result } = await node.propose({ type: 'begin', job, run }, { ifTerm: term, signal })
    if (result !== 'done') return
    await work({ job, run, signal })
    await node.propose({ type: 'end', job, run }, { ifTerm: term, signal })
  }
  // Begins when all that was committed before is applied here: `schedule` knows every run that an earlier leader began.
  return node.onLeadership(async (leadership) => {
    const { signal } = leadership
    while (!signal.aborted) {
      for (const [job, { dueAt }] of [...schedule.jobs]) {
        // Its own clock tells the leader when to ask. Whether the run is due is decided by log time, the same on each node.
        if (signal.aborted || Date.now() < dueAt) continue
        // A task that throws is not begun again in this term, and nothing would be scheduled any more.
        await runNext(job, leadership).catch((error: unknown) => signal.aborted || onError(error))
      }
      await wait(LOOK_MS, undefined, { signal }).catch(() => undefined)
    }
  })
}
