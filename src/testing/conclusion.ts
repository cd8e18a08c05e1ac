// How a run ends, whatever was simulated: every call settles, all replicas agree, and each outcome is held against the
// committed log.
import { isDeepStrictEqual } from 'node:util'
import type { StateMachine } from '../interfaces/state-machine.js'
import type { Cluster } from './cluster.js'
import { canGoOn, isMember } from './quorum-view.js'
import { STOP_BOUND_MS } from './simulated-process.js'

/** Waits for the calls that are still open; what is open after `withinMs` never settles. */
export async function settleCalls<Command, Result, SM extends StateMachine<Command, Result>>(
  cluster: Cluster<Command, Result, SM>,
  withinMs: number,
): Promise<void> {
  const isOpen = (): boolean => cluster.history.records.some(({ outcome }) => outcome === 'open')
  await cluster.run(cluster.nowMs + withinMs, () => !isOpen())
  cluster.changes.checkSettled()
}

/** Every node that is up applies what is committed, and all arrive at one state. */
export async function expectAgreement<Command, Result, SM extends StateMachine<Command, Result>>(
  cluster: Cluster<Command, Result, SM>,
  { withinMs, query }: { withinMs: number; query: (stateMachine: SM) => unknown },
): Promise<void> {
  const { committed } = cluster.invariants
  // Who took members out while a disk was lost may have left too few: nobody can tell the others what is committed.
  if (!canGoOn(cluster, cluster.soundIds)) return cluster.coverage.count('liveness.needsOthers')
  const isBehind = (): boolean => {
    return cluster.processes.some((process) => {
      return (
        process.isUp &&
        isMember(cluster, process.id) &&
        (process.current?.witness.state?.lastApplied ?? 0) < committed.lastIndex
      )
    })
  }
  await cluster.run(cluster.nowMs + withinMs, () => !isBehind())
  if (isBehind())
    return cluster.invariants.fail('agreement', `not every node applied up to ${committed.lastIndex} in ${withinMs} ms`)
  const machines = cluster.processes.flatMap(({ id, isUp, current }) => {
    return isUp && current !== null && isMember(cluster, id) ? [{ id, value: query(current.stateMachine) }] : []
  })
  const [first, ...others] = machines
  for (const { id, value } of others) {
    if (!isDeepStrictEqual(value, first?.value))
      cluster.invariants.fail('same-states', `${id} and ${first?.id} hold different states at the end`)
  }
}

/** Stops every node gracefully; each must be gone within a bound. */
export async function stopAll<Command, Result, SM extends StateMachine<Command, Result>>(
  cluster: Cluster<Command, Result, SM>,
): Promise<void> {
  for (const process of cluster.processes) process.stop()
  await cluster.run(cluster.nowMs + STOP_BOUND_MS, () => cluster.processes.every(({ state }) => state === 'down'))
}
