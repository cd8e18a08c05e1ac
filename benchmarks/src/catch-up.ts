// How long a node that was away for many writes takes to catch up by a snapshot while writes go on, and what the writers
// notice of it: three processes over TCP, a state of many keys, the load in the leader's process.
import { Cluster } from './cluster.js'
import { type Conditions, conditions } from './conditions.js'
import type { Load } from './load.js'
import type { CatchUpOptions } from './options.js'

const NODES = 3
/** Proposers that bring the writes about that the node misses. */
const FILLING_PROPOSERS = 256
const LONGEST_SECONDS = 600
/** It has caught up when it is no further behind than what may be under way at that load. */
const CAUGHT_UP_ENTRIES = 1_000
/** How often the node is asked how far it is, ms. */
const LOOK_MS = 50

export interface CatchUpReport {
  readonly benchmark: 'catch-up'
  readonly conditions: Conditions
  readonly options: CatchUpOptions
  /** With the node away, and from its start until it has applied what was committed. */
  readonly before: Load
  readonly during: Load
  readonly after: Load
  readonly missedWrites: number
  readonly catchUpSeconds: number
  readonly isBySnapshot: boolean
  readonly elections: number
  /** What the state takes in memory, bytes. */
  readonly stateBytes: number
  /** The most that the leader's process held meanwhile above what it held before, and the node's above its state, bytes. */
  readonly extraBytes: { readonly leader: number; readonly node: number }
}

export async function catchUpBenchmark(
  options: CatchUpOptions,
  progress: (line: string) => void,
): Promise<CatchUpReport> {
  const { store, directory, commandBytes, keys, proposers, seconds, writes } = options
  await using cluster = await Cluster.start({ nodes: NODES, store, directory, state: 'keyed' })
  const away = cluster.followers[0] ?? ''
  const measured = { proposers, commandBytes, keys }
  progress(`${away} is killed, and misses ${writes} writes of ${commandBytes} B to ${keys} keys`)
  await cluster.kill(away)
  const { commitIndex: began, currentTerm } = await cluster.status(cluster.leader)
  for (let missed = 0; missed < writes; ) {
    await cluster.load({ proposers: FILLING_PROPOSERS, seconds: 1, commandBytes, keys })
    missed = (await cluster.status(cluster.leader)).commitIndex - began
    progress(`${missed} of ${writes} writes`)
  }
  progress(`${seconds} s of ${proposers} proposers without it`)
  const before = await cluster.load({ ...measured, seconds })
  progress(`${away} is started again`)
  const load = cluster.load({ ...measured, seconds: LONGEST_SECONDS })
  const missed = await cluster.status(cluster.leader)
  const since = performance.now()
  await cluster.restart(away)
  const caughtUp = await untilCaughtUp(cluster, away)
  const catchUpSeconds = (performance.now() - since) / 1_000
  await cluster.endLoad()
  const during = await load
  progress(`${seconds} s of ${proposers} proposers with all three`)
  const after = await cluster.load({ ...measured, seconds })
  const leader = await cluster.status(cluster.leader)
  const stateBytes = Math.min(keys, missed.commitIndex) * commandBytes
  return {
    benchmark: 'catch-up',
    conditions: conditions(),
    options,
    before,
    during,
    after,
    missedWrites: missed.commitIndex - began,
    catchUpSeconds,
    isBySnapshot: caughtUp.snapshotIndex > began,
    elections: leader.currentTerm - currentTerm,
    stateBytes,
    extraBytes: { leader: caughtUp.leaderBytes - missed.memoryBytes, node: caughtUp.nodeBytes - stateBytes },
  }
}

/** Resolves when the node has applied nearly all that is committed: with its snapshot, and the most memory that both held. */
async function untilCaughtUp(cluster: Cluster, away: string) {
  let [leaderBytes, nodeBytes] = [0, 0]
  for (;;) {
    const [leader, node] = await Promise.all([cluster.status(cluster.leader), cluster.status(away)])
    leaderBytes = Math.max(leaderBytes, leader.memoryBytes)
    nodeBytes = Math.max(nodeBytes, node.memoryBytes)
    if (node.lastApplied >= leader.commitIndex - CAUGHT_UP_ENTRIES)
      return { snapshotIndex: node.snapshotIndex, leaderBytes, nodeBytes }
    await new Promise((resolve) => setTimeout(resolve, LOOK_MS))
  }
}
