// What an operator does about a member whose disk was wiped (F25): it is removed, and added again under its new store, and
// serves then. Fails the run where that can't be done.
import type { StateMachine } from '../interfaces/state-machine.js'
import type { Cluster } from './cluster.js'
import { canGoOn, isMember } from './quorum-view.js'
import { hasLostStore } from './wiped-disk.js'

/** Election timeouts within which a member is taken out, and within which it is a member again. */
const REPLACE_TIMEOUTS = 60

/** Election timeouts until the operator looks again. */
const PATIENCE_TIMEOUTS = 3

/** Takes every member out whose disk was wiped, and adds it again; fails the run where that can't be done. Returns whether there was one. */
export async function replaceWiped<Command, Result, SM extends StateMachine<Command, Result>>(
  cluster: Cluster<Command, Result, SM>,
  electionTimeoutMs: number,
): Promise<boolean> {
  const { invariants } = cluster
  let wasNeeded = false
  for (const { id: node, disk } of cluster.processes) {
    const isLost = (): boolean => hasLostStore(invariants.configurations.newest?.configuration, node, disk)
    if (!isLost() || invariants.violation !== null) continue
    if (!canGoOn(cluster, cluster.soundIds)) {
      cluster.coverage.count('liveness.needsOthers')
      continue
    }
    wasNeeded = true
    cluster.coverage.count('point.wipedReplaced')
    const steps = [
      { fault: { type: 'remove', node }, isDone: () => !isLost() },
      { fault: { type: 'add', node }, isDone: () => isMember(cluster, node) && cluster.soundIds.includes(node) },
    ] as const
    for (const { fault, isDone } of steps) {
      const untilMs = cluster.nowMs + REPLACE_TIMEOUTS * electionTimeoutMs
      while (!isDone() && cluster.nowMs < untilMs && invariants.violation === null) {
        cluster.inject({ ...fault, timeoutMs: PATIENCE_TIMEOUTS * electionTimeoutMs })
        await cluster.run(cluster.nowMs + PATIENCE_TIMEOUTS * electionTimeoutMs, isDone)
      }
      if (!isDone())
        invariants.fail('liveness', `no liveness: ${node}, whose disk was wiped, could not be replaced (${fault.type})`)
    }
  }
  return wasNeeded
}
