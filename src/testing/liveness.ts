// After the faults: everything is healed and started, and then the cluster must work (assurance §1, liveness). Within ten
// election timeouts each node takes a write and answers a linearizable read; at the end all hold the same state.
import type { Caller, CallerAction } from './caller.js'
import type { Cluster } from './cluster.js'
import type { CallRecord } from './history.js'
import type { SimulatedProcess } from './simulated-process.js'
import type { StateMachine } from '../interfaces/state-machine.js'
import { CALM_DISK } from './virtual-disk.js'
import { CALM_LINKS } from './virtual-network.js'

/** Election timeouts, the longest that can be drawn, within which a healed cluster must serve. */
export const LIVENESS_TIMEOUTS = 10

/** Client number of these calls. */
const LIVENESS_CLIENT = -1

export interface LivenessOptions<Command, Result, SM extends StateMachine<Command, Result>> {
  readonly cluster: Cluster<Command, Result, SM>
  readonly caller: Caller<Command, Result, SM>
  readonly electionTimeoutMs: number
  /** A command to write; null where the workload of the user has none. */
  readonly nextCommand: (() => Command) | null
  readonly query: (stateMachine: SM) => unknown
}

/** Ends every fault: all links and disks are calm, and every process runs. */
export function healAll<Command, Result, SM extends StateMachine<Command, Result>>(
  cluster: Cluster<Command, Result, SM>,
): void {
  cluster.network.heal()
  cluster.setLinks(CALM_LINKS)
  for (const process of cluster.processes) {
    process.disk.speed = CALM_DISK
    process.resume()
    const isOnItsWayOut = process.state === 'failed' || process.state === 'stopping'
    if (process.isDiskBroken || isOnItsWayOut) process.crash()
    process.start()
  }
}

/** Runs until the cluster serves on every node, or fails the run. */
export async function expectLiveness<Command, Result, SM extends StateMachine<Command, Result>>(
  options: LivenessOptions<Command, Result, SM>,
): Promise<void> {
  const { cluster, electionTimeoutMs, nextCommand, query } = options
  const boundMs = LIVENESS_TIMEOUTS * 2 * electionTimeoutMs
  const read: CallerAction<Command, SM> = { type: 'read', query, consistency: 'linearizable', input: 'liveness' }
  const write = (): CallerAction<Command, SM> | null => {
    return nextCommand === null
      ? null
      : { type: 'propose', commands: [nextCommand()], asMany: false, input: 'liveness' }
  }
  await everyNodeServes(options, { what: 'a write and a linearizable read', boundMs, actions: () => [write(), read] })
  if (cluster.invariants.violation !== null) return
  const known = cluster.history.knownIndex
  const catchUp: CallerAction<Command, SM> = { ...read, consistency: 'local', minIndex: known }
  await everyNodeServes(options, { what: `a local read at ${known}`, boundMs, actions: () => [catchUp] })
}

interface Expectation<Command, SM> {
  readonly what: string
  readonly boundMs: number
  /** Made one after the other on each node; each again until it succeeds. Null is left out. */
  readonly actions: () => readonly (CallerAction<Command, SM> | null)[]
}

async function everyNodeServes<Command, Result, SM extends StateMachine<Command, Result>>(
  options: LivenessOptions<Command, Result, SM>,
  { what, boundMs, actions }: Expectation<Command, SM>,
): Promise<void> {
  const { cluster } = options
  const untilMs = cluster.nowMs + boundMs
  const waiting = new Set(cluster.processes.map(({ id }) => id))
  for (const process of cluster.processes) {
    serve(options, process, actions, () => waiting.delete(process.id))
  }
  await cluster.run(untilMs, () => waiting.size === 0)
  if (waiting.size === 0) return
  const states = cluster.processes.map(describe).join(', ')
  cluster.invariants.fail(
    `no liveness: ${Math.round(boundMs)} ms after everything was healed, ${[...waiting].join(', ')} did not serve ${what}: ${states}`,
  )
}

/** Attempts on one node until each action succeeded once. */
function serve<Command, Result, SM extends StateMachine<Command, Result>>(
  options: LivenessOptions<Command, Result, SM>,
  process: SimulatedProcess<Command, Result, SM>,
  actions: () => readonly (CallerAction<Command, SM> | null)[],
  onServed: () => void,
): void {
  const { cluster, caller, electionTimeoutMs } = options
  let step = 0
  const attempt = (): void => {
    const action = actions()[step]
    if (action === undefined) return onServed()
    if (action === null) return next()
    const isReady = process.isUp && !process.isPaused
    if (!isReady) return again()
    caller.call({ process, client: LIVENESS_CLIENT, action, timeoutMs: 2 * electionTimeoutMs }, onEnd)
  }
  const onEnd = (record: CallRecord): void => (record.outcome === 'ok' ? next() : again())
  const next = (): void => {
    step += 1
    attempt()
  }
  const again = (): void => void cluster.timeline.after(electionTimeoutMs / 10, attempt)
  attempt()
}

function describe<Command, Result, SM extends StateMachine<Command, Result>>(
  process: SimulatedProcess<Command, Result, SM>,
): string {
  const state = process.current?.witness.state
  if (state === undefined || state === null) return `${process.id} ${process.state}`
  const { role, currentTerm, commitIndex, lastApplied, lastIndex } = state
  return `${process.id} ${process.state} ${role} term ${currentTerm} applied ${lastApplied} commit ${commitIndex} last ${lastIndex}`
}
