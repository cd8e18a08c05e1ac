// §5.6, timing and availability: broadcastTime << electionTimeout. The timings of a cluster are changed node by node, so that
// for a while its nodes differ: what holds meanwhile, and in what order nobody loses a leader that lives.
import { describe, expect, it } from 'vitest'
import { CoreCluster } from '../support/core-cluster.js'

interface Timings {
  readonly electionTimeoutMs: number
  readonly heartbeatIntervalMs: number
}

const SHORT: Timings = { electionTimeoutMs: 100, heartbeatIntervalMs: 30 }
const LONG: Timings = { electionTimeoutMs: 1_000, heartbeatIntervalMs: 300 }

function change(cluster: CoreCluster, id: string, timings: Timings): void {
  const node = cluster.node(id)
  node.step({ type: 'reconfigure', now: node.clock, ...timings, appendEntries: 1_024, inflightMessages: 256 })
}

/** One node after the other, a while apart; in every order of the nodes. */
function changeAll(cluster: CoreCluster, ids: readonly string[], timings: Timings): void {
  for (const id of ids) {
    change(cluster, id, timings)
    cluster.run(700)
  }
}

const ORDERS = [
  ['a', 'b', 'c'],
  ['b', 'c', 'a'],
  ['c', 'a', 'b'],
] as const

describe('§5.6', () => {
  it.each(ORDERS)('timeouts grow before heartbeats become rare, and the leader stays: %s, %s, %s', (...order) => {
    const cluster = new CoreCluster()
    cluster.elect('a')
    cluster.run(200)
    changeAll(cluster, order, { ...SHORT, electionTimeoutMs: LONG.electionTimeoutMs })
    changeAll(cluster, order, LONG)
    cluster.run(20_000)
    expect(cluster.leader).toMatchObject({ id: 'a', state: { currentTerm: 1 } })
    for (const node of cluster.up) expect(node.state.leaderId).toBe('a')
  })

  it.each(ORDERS)('heartbeats become frequent before timeouts shrink, and the leader stays: %s, %s, %s', (...order) => {
    const cluster = new CoreCluster(LONG)
    cluster.elect('a')
    cluster.run(2_000)
    changeAll(cluster, order, { ...LONG, heartbeatIntervalMs: SHORT.heartbeatIntervalMs })
    changeAll(cluster, order, SHORT)
    cluster.run(20_000)
    expect(cluster.leader).toMatchObject({ id: 'a', state: { currentTerm: 1 } })
    for (const node of cluster.up) expect(node.state.leaderId).toBe('a')
  })

  it('a leader whose heartbeats are rarer than the timeouts of the others loses it, and not a vote more than safe', () => {
    const cluster = new CoreCluster()
    cluster.elect('a')
    cluster.node('a').propose('kept')
    cluster.run(200)
    change(cluster, 'a', LONG)
    cluster.run(5_000)
    expect(cluster.leader?.state.currentTerm).toBeGreaterThan(1)
    expect(cluster.leader?.id).not.toBe('a')
    // The checks of the cluster saw one leader a term, and the same log everywhere.
    expect(cluster.up.every((node) => node.committed >= 2)).toBe(true)
  })

  it('after a change a dead leader is replaced by the new timeouts', () => {
    const cluster = new CoreCluster({ ...LONG })
    cluster.elect('a')
    changeAll(cluster, ['a', 'b', 'c'], { ...LONG, heartbeatIntervalMs: SHORT.heartbeatIntervalMs })
    changeAll(cluster, ['a', 'b', 'c'], SHORT)
    cluster.crash('a')
    cluster.run(4 * SHORT.electionTimeoutMs)
    expect(cluster.leader?.id).not.toBe('a')
    expect(cluster.leader?.state.currentTerm).toBeGreaterThan(1)
  })
})
