// After the faults the cluster must work again (assurance §1, liveness): within ten election timeouts every node that was
// healed takes writes and answers linearizable reads, and leadership hardly moves. First a random quorum is healed alone,
// then everybody.
import type { NodeId } from '../core/types.js'
import type { Caller, CallerAction } from './caller.js'
import type { Cluster } from './cluster.js'
import type { CallRecord } from './history.js'
import type { SimulatedProcess } from './simulated-process.js'
import type { StateMachine } from '../interfaces/state-machine.js'
import { canGoOn, isMember, whileUnchanged } from './quorum-view.js'
import { CALM_LINKS } from './virtual-network.js'

/** What is asked of a cluster whose faults are over. */
export interface LivenessPace {
  /** Election timeouts within which healed nodes must serve. */
  readonly timeouts: number
  /** Writes, and reads, that each healed node must answer in that time. */
  readonly callsPerNode: number
  /** Deadline of each, in election timeouts; what fails is tried again. */
  readonly callTimeouts: number
  /** Most changes of leader meanwhile. */
  readonly maxLeaderChanges: number
}

/** Disks and links are calm. */
const CALM_PACE: LivenessPace = { timeouts: 10, callsPerNode: 3, callTimeouts: 2, maxLeaderChanges: 2 }

/** Each write takes longer than an election timeout, everywhere and for ever (H125). */
export const SLOW_DISKS_PACE: LivenessPace = { timeouts: 100, callsPerNode: 1, callTimeouts: 30, maxLeaderChanges: 6 }

/** Client number of these calls. */
const LIVENESS_CLIENT = -1

export interface LivenessOptions<Command, Result, SM extends StateMachine<Command, Result>> {
  readonly cluster: Cluster<Command, Result, SM>
  readonly caller: Caller<Command, Result, SM>
  readonly electionTimeoutMs: number
  /** What is written; null for nothing, so that the state of a user's machine stays what the workload made of it. */
  readonly nextWrite: (() => CallerAction<Command, SM>) | null
  readonly query: (stateMachine: SM) => unknown
  /** The nodes that must serve. @defaultValue all */
  readonly nodes?: readonly NodeId[] | undefined
  /** @defaultValue that of calm disks */
  readonly pace?: LivenessPace | undefined
}

/** Ends every fault: all links and disks are calm, and every process runs. */
export function healAll<Command, Result, SM extends StateMachine<Command, Result>>(
  cluster: Cluster<Command, Result, SM>,
): void {
  cluster.network.heal()
  cluster.setLinks(CALM_LINKS)
  for (const process of cluster.processes) heal(process)
}

/** The process runs, with a calm disk, whatever it suffered. */
export function heal<Command, Result, SM extends StateMachine<Command, Result>>(
  process: SimulatedProcess<Command, Result, SM>,
): void {
  process.disk.calm()
  process.crashAfter(Number.POSITIVE_INFINITY)
  process.resume()
  const isOnItsWayOut = process.state === 'failed' || process.state === 'stopping'
  if (process.isDiskBroken || isOnItsWayOut) process.crash()
  process.start()
}

/** Runs until every healed node serves, or fails the run. */
export async function expectLiveness<Command, Result, SM extends StateMachine<Command, Result>>(
  options: LivenessOptions<Command, Result, SM>,
): Promise<void> {
  const { cluster, electionTimeoutMs, nextWrite, query, pace = CALM_PACE } = options
  const { invariants } = cluster
  const boundMs = pace.timeouts * electionTimeoutMs + catchUpMs(cluster)
  const read: CallerAction<Command, SM> = { type: 'read', query, consistency: 'linearizable', input: 'liveness' }
  const write = (): CallerAction<Command, SM> | null => nextWrite?.() ?? null
  const calls = (): (CallerAction<Command, SM> | null)[] => {
    return Array.from({ length: 2 * pace.callsPerNode }, (_, at) => (at % 2 === 0 ? write() : read))
  }
  const [leadersBefore, configurationsBefore] = [invariants.leaderChanges, invariants.configurations.version]
  await everyNodeServes(options, { what: 'its writes and linearizable reads', boundMs, actions: calls() })
  if (invariants.violation !== null) return
  const changes = invariants.leaderChanges - leadersBefore
  // A leader that is left out hands over.
  const reconfigured = invariants.configurations.version - configurationsBefore
  if (changes > pace.maxLeaderChanges + reconfigured)
    invariants.fail('leader-changes', `no liveness: ${changes} changes of leader while nothing new went wrong (H14)`)
  const known = cluster.history.knownIndex
  const catchUp: CallerAction<Command, SM> = { ...read, consistency: 'local', minIndex: known }
  await everyNodeServes(options, { what: `a local read at ${known}`, boundMs, actions: [catchUp] })
}

/** Longer than a range of entries and its answer take over calm links, with calm disks. */
const MS_PER_RANGE = 6

/** What a log of this length takes at most, sent range by range to who holds none of it. */
function catchUpMs<Command, Result, SM extends StateMachine<Command, Result>>(
  cluster: Cluster<Command, Result, SM>,
): number {
  const entries = Math.max(...cluster.processes.map(({ disk }) => disk.lastIndex))
  return MS_PER_RANGE * Math.ceil(entries / cluster.appendEntries)
}

/** Election timeouts within which a change of the membership that was begun ends when everybody runs. */
const SETTLE_TIMEOUTS = 40

/** What was begun ends, and no joint configuration stays (F22): with everybody healed, and nobody asking for more. */
export async function expectSettledMembership<Command, Result, SM extends StateMachine<Command, Result>>(
  cluster: Cluster<Command, Result, SM>,
  electionTimeoutMs: number,
): Promise<void> {
  if (!cluster.changes.wereAsked) return
  const isSettled = (): boolean => {
    const held = cluster.leader?.current?.witness
    const inForce = held?.configuration ?? null
    return inForce !== null && inForce.configuration.votersOutgoing.length === 0 && held?.isChanging === false
  }
  await cluster.run(cluster.nowMs + SETTLE_TIMEOUTS * electionTimeoutMs, isSettled)
  // A change that was appended before a disk was lost may need that very node: no leader commits it, or anything else.
  if (isSettled() || !canGoOn(cluster, cluster.soundIds)) return
  const states = cluster.processes.map(describe).join(', ')
  cluster.invariants.fail('liveness', `no liveness: a change of the membership does not end (F22): ${states}`)
}

interface Expectation<Command, SM> {
  readonly what: string
  readonly boundMs: number
  /** Made one after the other on each node; each again until it succeeds. Null is left out. */
  readonly actions: readonly (CallerAction<Command, SM> | null)[]
}

async function everyNodeServes<Command, Result, SM extends StateMachine<Command, Result>>(
  options: LivenessOptions<Command, Result, SM>,
  { what, boundMs, actions }: Expectation<Command, SM>,
): Promise<void> {
  const { cluster, nodes = cluster.soundIds } = options
  const untilMs = cluster.nowMs + boundMs
  const waiting = new Set(nodes)
  let isOver = false
  for (const process of cluster.processes) {
    if (waiting.has(process.id))
      serve(options, process, actions, { onServed: () => waiting.delete(process.id), isOver: () => isOver })
  }
  const members = whileUnchanged(cluster, () => nodes.filter((id) => isMember(cluster, id)))
  // A change that was under way may have brought in nodes that stay broken: these alone owe nothing then.
  const suffice = whileUnchanged(cluster, () => canGoOn(cluster, nodes))
  const isDone = (): boolean => !members().some((id) => waiting.has(id)) || !suffice()
  await cluster.run(untilMs, isDone)
  isOver = true
  if (!suffice()) cluster.coverage.count('liveness.needsOthers')
  if (isDone()) return
  const states = cluster.processes.map(describe).join(', ')
  cluster.invariants.fail(
    'liveness',
    `no liveness: ${Math.round(boundMs)} ms after ${[...nodes].join(', ')} were healed, ${[...waiting].join(', ')} did not serve ${what}: ${states}`,
  )
}

/** Attempts on one node until each action succeeded once. */
function serve<Command, Result, SM extends StateMachine<Command, Result>>(
  options: LivenessOptions<Command, Result, SM>,
  process: SimulatedProcess<Command, Result, SM>,
  actions: readonly (CallerAction<Command, SM> | null)[],
  { onServed, isOver }: { readonly onServed: () => void; readonly isOver: () => boolean },
): void {
  const { cluster, caller, electionTimeoutMs, pace = CALM_PACE } = options
  let step = 0
  const attempt = (): void => {
    if (isOver()) return
    const action = actions[step]
    if (action === undefined) return onServed()
    if (action === null) return next()
    const isReady = process.isUp && !process.isPaused
    if (!isReady) return again()
    caller.call({ process, client: LIVENESS_CLIENT, action, timeoutMs: pace.callTimeouts * electionTimeoutMs }, onEnd)
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
