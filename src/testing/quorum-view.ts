// Which nodes a simulated cluster needs just now, and which are members of it: worked out from the logs that its nodes hold,
// anew whenever a configuration in force changes somewhere.
import type { Configuration, NodeId } from '../core/types.js'
import type { StateMachine } from '../interfaces/state-machine.js'
import type { Cluster } from './cluster.js'
import { configurationIn, type HeldConfiguration } from './committed-log.js'
import { isQuorumOf } from './configuration-judge.js'
import type { SimulatedProcess } from './simulated-process.js'
import { hasLostStore } from './wiped-disk.js'

/** The configuration that the leader of the latest term counts by, or else the newest that is committed. */
export function currentMembers<Command, Result, SM extends StateMachine<Command, Result>>(
  cluster: Cluster<Command, Result, SM>,
): Configuration {
  const held = cluster.leader?.current?.witness.configuration ?? cluster.invariants.configurations.newest
  return held?.configuration ?? { members: [], votersOutgoing: [] }
}

/**
 * Whether the node is to serve: a member of what is committed, and of what the leader counts by, with the store that it has; or of
 * what is to be founded.
 */
export function isMember<Command, Result, SM extends StateMachine<Command, Result>>(
  cluster: Cluster<Command, Result, SM>,
  id: NodeId,
): boolean {
  const disk = cluster.process(id)?.disk
  const named = (configuration: Configuration | undefined): boolean => {
    const isThere = configuration?.members.some((member) => member.id === id) ?? false
    return isThere && disk !== undefined && !hasLostStore(configuration, id, disk)
  }
  if (cluster.invariants.configurations.newest === null) return cluster.isListed(id)
  return named(currentMembers(cluster)) && named(cluster.invariants.configurations.newest?.configuration)
}

/**
 * Whether these nodes can go on alone, whoever of them comes to lead: they are a quorum of the newest committed
 * configuration, and of each later one that one of them holds.
 */
export function canGoOn<Command, Result, SM extends StateMachine<Command, Result>>(
  cluster: Cluster<Command, Result, SM>,
  nodes: readonly NodeId[],
): boolean {
  const { newest } = cluster.invariants.configurations
  // Until it is founded it needs everybody that is listed (F25).
  if (newest === null || newest.index === 1) return cluster.canFound(nodes)
  const later = cluster.processes.flatMap((process) => {
    const held = nodes.includes(process.id) ? heldBy(process) : null
    return held === null || held.index <= newest.index ? [] : [held]
  })
  return [newest, ...later].every(({ configuration }) => isQuorumOf(configuration, (id) => nodes.includes(id)))
}

/** What the node has in force, or will have when it starts. */
function heldBy<Command, Result, SM extends StateMachine<Command, Result>>({
  current,
  disk,
}: SimulatedProcess<Command, Result, SM>): HeldConfiguration | null {
  const held = current?.witness.configuration ?? null
  if (held !== null) return held
  for (const entry of [...disk.entries].reverse()) {
    const configuration = configurationIn(entry)
    if (configuration !== null) return configuration
  }
  return null
}

/** Remembers an answer for as long as nobody's configuration changes. */
export function whileUnchanged<Command, Result, SM extends StateMachine<Command, Result>, Answer>(
  cluster: Cluster<Command, Result, SM>,
  ask: () => Answer,
): () => Answer {
  let known: { readonly version: number; readonly leader: NodeId | null; readonly answer: Answer } | null = null
  return () => {
    const { configurations } = cluster.invariants
    const leader = cluster.leader?.id ?? null
    if (known?.version !== configurations.version || known.leader !== leader)
      known = { version: configurations.version, leader, answer: ask() }
    return known.answer
  }
}
