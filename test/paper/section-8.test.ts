// §8, client interaction, as far as the core goes: reads that write nothing, and where commands go. The details of
// ReadIndex are in test/unit/core/read-index.test.ts.
import { describe, expect, it } from 'vitest'
import { CoreCluster } from '../support/core-cluster.js'
import { heartbeat, heartbeatResponse, SoloCore } from '../support/solo-core.js'

describe('§8', () => {
  it('a read writes nothing to the log', () => {
    const cluster = new CoreCluster()
    cluster.elect('a')
    cluster.read('a')
    cluster.read('b')
    cluster.settle()
    expect(cluster.node('a').state.log.lastIndex).toBe(1)
    expect(cluster.node('a').reads.concat(cluster.node('b').reads)).toMatchObject([{ readIndex: 1 }, { readIndex: 1 }])
  })

  it('a leader knows what is committed once it has committed the no-op of its term', () => {
    const cluster = new CoreCluster()
    cluster.elect('a').propose('x')
    cluster.settle()
    cluster.crash('a')
    for (const id of ['b', 'c']) cluster.pass(0), cluster.node(id).tick(0)
    cluster.run(600)
    const id = cluster.read(cluster.leader?.id ?? '')
    cluster.settle()
    expect(cluster.leader?.reads).toEqual([{ type: 'ready', id, readIndex: 3 }])
  })

  it('a leader asks whether it has been deposed before it answers a read', () => {
    const cluster = new CoreCluster({ checkFreshness: false })
    cluster.elect('a')
    cluster.partition(['a'], ['b', 'c'])
    for (const id of ['b', 'c']) cluster.node(id).clock += 100
    cluster.elect('b').propose('x')
    cluster.settle()
    const id = cluster.read('a')
    cluster.settle()
    expect(cluster.node('a').reads).toEqual([])
    cluster.node('a').tick(100)
    expect(cluster.node('a').reads).toEqual([{ type: 'retry', id }])
  })

  it('a client that asks another server is passed on to the leader', () => {
    const cluster = new CoreCluster()
    cluster.elect('a')
    const id = cluster.node('c').propose('x')
    cluster.settle()
    expect(cluster.node('c').results).toEqual([
      { type: 'forwarded', id, number: 1, term: 1 },
      { type: 'accepted', number: 1, firstIndex: 2, term: 1 },
    ])
  })

  it('where nobody leads a command is refused', () => {
    const node = new SoloCore()
    const id = node.propose('x')
    expect(node.results).toEqual([{ type: 'noLeader', id }])
    node.receive('b', heartbeat({ term: 1 }))
    node.timeOut()
    const second = node.propose('y')
    expect(node.results.at(-1)).toEqual({ type: 'noLeader', id: second })
  })

  it('H38: two leaders at once are legal; a read tells which one is meant', () => {
    const leader = new SoloCore()
    leader.becomeLeader()
    leader.acknowledge('b', 1)
    leader.read()
    leader.receive('b', heartbeatResponse({ term: 2, round: leader.state.readRound }))
    expect(leader.state.role).toBe('follower')
    expect(leader.reads).toMatchObject([{ type: 'retry' }])
  })
})
