// One process of the cluster: `node-main.js ID DIRECTORY FILE ADDRESS…`. A run appends its name to FILE, the part of the world that
// a job changes, where a run that happened twice can be seen. Obeys its parent: `pause`, `report`, `stop`.
import { appendFileSync } from 'node:fs'
import { setTimeout as wait } from 'node:timers/promises'
import { isRaftError, presets, RaftNode } from 'helios-raft'
import { levelStorage } from 'helios-raft/level'
import { TcpTransport } from 'helios-raft/tcp'
import { type Answer, type Command, Schedule } from './schedule.js'
import { type Run, startScheduler } from './scheduler.js'

/** What the parent is told. */
export type Report =
  | { readonly type: 'began'; readonly id: string; readonly job: string; readonly run: number }
  | { readonly type: 'schedule'; readonly begun: number; readonly ended: number }

/** Longer than any election: when the leader goes on, another one has been at work. */
const PAUSE_MS = 1_000
const WORK_MS = 20
const JOBS = { mail: 30, bill: 70 }

const [id = '', directory = '', file = '', ...addresses] = process.argv.slice(2)
const members = addresses.map((address, at) => ({ id: `n${at + 1}`, address }))
const schedule = new Schedule()
const node = new RaftNode<Command, Answer>({
  id,
  stateMachine: schedule,
  transport: new TcpTransport({ listen: members.find((member) => member.id === id)?.address ?? '' }),
  bootstrap: members,
  ...presets.lan,
  ...levelStorage({ directory }),
})
node.on('fatal', fail)

const tell = (report: Report): void => void process.send?.(report)

async function work({ job, run, signal }: Run): Promise<void> {
  appendFileSync(file, `${job} ${run}\n`)
  tell({ type: 'began', id, job, run })
  // Where leadership is lost in here, the run stays open, and is not begun again.
  await wait(WORK_MS, undefined, { signal })
}

const orders: Readonly<Record<string, () => Promise<void>>> = {
  /** Nothing of this process runs meanwhile, as under a long garbage collection or SIGSTOP. */
  pause: async () => void Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, PAUSE_MS),
  /** Begins no more runs here, and says what the cluster knows of those before. */
  report: async () => {
    endScheduler()
    const { value: jobs } = await node.read(() => [...schedule.jobs.values()], { timeoutMs: 10_000 })
    const sum = (count: 'begun' | 'ended'): number => jobs.reduce((total, job) => total + job[count], 0)
    tell({ type: 'schedule', begun: sum('begun'), ended: sum('ended') })
  },
  stop: async () => {
    await node.stop({ transferMs: 0 })
    process.disconnect()
  },
}
function fail(error: unknown): void {
  console.error(`${id}: ${String(error)}`)
  process.exit(1)
}

/** Every node adds every job, and the first one counts: what may be repeated is tried until it is answered. */
async function add(job: string, everyMs: number): Promise<void> {
  for (;;) {
    try {
      await node.ready({ timeoutMs: 30_000 })
      return void (await node.propose({ type: 'add', job, everyMs }))
    } catch (error) {
      if (isRaftError(error, 'RAFT_STOPPED')) return
      if (!isRaftError(error)) throw error
    }
  }
}

await node.start().catch(fail)
const onError = (error: unknown): void => console.error(`${id}: a run failed: ${String(error)}`)
const endScheduler = startScheduler({ node, schedule, work, onError })
// A parent that is gone can't order anything any more.
process.on('disconnect', () => process.exit())
process.on('message', (order: string) => void orders[order]?.().catch(fail))
for (const [job, everyMs] of Object.entries(JOBS)) await add(job, everyMs).catch(fail)
