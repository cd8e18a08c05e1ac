// A random life of a cluster as plain data, so that fast-check prints, shrinks and replays it: what is delivered, lost,
// doubled, overtaken, persisted, crashed and cut, and when. Numbers choose among what is possible at that moment.
import fc from 'fast-check'
import type { NodeId } from 'helios-raft/core'
import type { CoreCluster } from './core-cluster.js'
import type { SimulatedNode } from './core-node.js'

const KINDS = {
  deliverOldest: 30,
  deliverAny: 12,
  settle: 3,
  drop: 4,
  duplicate: 4,
  pass: 12,
  campaign: 3,
  propose: 6,
  proposeAnywhere: 3,
  read: 4,
  persist: 8,
  persistLater: 1,
  persistNow: 1,
  crash: 1,
  restart: 4,
  cut: 1,
  heal: 1,
  reset: 1,
  up: 1,
  outboundDropped: 1,
} as const

export interface ScheduleStep {
  readonly kind: keyof typeof KINDS
  readonly pick: number
  readonly other: number
}

const kinds = Object.entries(KINDS).map(([kind, weight]) => ({
  weight,
  arbitrary: fc.constant(kind as ScheduleStep['kind']),
}))

export function arbSchedule(maxLength: number): fc.Arbitrary<ScheduleStep[]> {
  const step = fc.record({ kind: fc.oneof(...kinds), pick: fc.nat(1 << 16), other: fc.nat(1 << 16) })
  return fc.array(step, { maxLength, size: 'max' })
}

/** Carries out one step; a step that is not possible now does nothing. */
export function play(cluster: CoreCluster, { kind, pick, other }: ScheduleStep): void {
  const node = choose(cluster.up, pick)
  const packet = choose(cluster.network, other)
  switch (kind) {
    case 'deliverOldest':
      if (cluster.network[0] !== undefined) cluster.deliverPacket(cluster.network[0])
      return
    case 'deliverAny':
      if (packet !== undefined) cluster.deliverPacket(packet)
      return
    case 'settle':
      return cluster.settle()
    case 'drop':
      if (packet !== undefined) cluster.network.splice(cluster.network.indexOf(packet), 1)
      return
    case 'duplicate':
      if (packet !== undefined) cluster.duplicate(packet)
      return
    case 'pass':
      return cluster.advance(pick % 40)
    case 'heal':
      return cluster.heal()
    case 'restart': {
      const down = choose(
        [...cluster.nodes.values()].filter((candidate) => !candidate.isUp),
        pick,
      )
      if (down !== undefined) cluster.restart(down.id, other % 500)
      return
    }
    default:
      if (node !== undefined) playOn(cluster, node, kind, other)
  }
}

function playOn(cluster: CoreCluster, node: SimulatedNode, kind: ScheduleStep['kind'], other: number): void {
  const ids = [...cluster.nodes.keys()]
  const peer = choose(
    ids.filter((id) => id !== node.id),
    other,
  ) as NodeId
  switch (kind) {
    case 'campaign':
      if (node.state.role !== 'leader') cluster.advance(Math.max(0, node.state.electionDeadline - node.clock))
      return
    case 'propose': {
      cluster.leader?.propose(`${other}`)
      return
    }
    case 'proposeAnywhere':
      node.propose(`${other}`, `${other}'`)
      return
    case 'read':
      cluster.read(node.id)
      return
    case 'persist':
      node.persist(1)
      return
    case 'persistLater':
      node.persistence = 'later'
      return
    case 'persistNow':
      node.persistence = 'now'
      node.persist()
      return
    case 'crash':
      return cluster.crash(node.id)
    case 'cut':
      return cluster.cut(node.id, peer)
    case 'reset':
      return node.peerStatus(peer, 'reset')
    case 'up':
      return node.peerStatus(peer, 'up')
    case 'outboundDropped': {
      const index = node.state.progress.get(peer)?.matchIndex ?? 0
      node.step({ type: 'outboundDropped', now: node.clock, peer, index: index + 1 + (other % 3) })
      return
    }
    default:
      return
  }
}

function choose<T>(from: readonly T[], number: number): T | undefined {
  return from[number % Math.max(1, from.length)]
}

/** Everybody is up, every link and every disk works. */
export function repairAll(cluster: CoreCluster): void {
  cluster.heal()
  for (const node of cluster.nodes.values()) {
    if (!node.isUp) cluster.restart(node.id)
    node.persistence = 'now'
    node.persist()
  }
}

/** Everything works again, for long enough: whatever happened before, the cluster must make progress. */
export function healAll(cluster: CoreCluster): void {
  repairAll(cluster)
  cluster.run(10 * 100)
}
