// Executions that lost data or froze clusters elsewhere, named after where they were found; told in our words on our core.
import { describe, expect, it } from 'vitest'
import { CoreCluster, ofType, to } from '../../support/core-cluster.js'

describe('regressions of others', () => {
  it('etcd 12359: a leader dies when its change is committed and nobody else knows that it is', () => {
    const cluster = new CoreCluster({ voters: ['a', 'b'], learners: ['c'] })
    const leader = cluster.elect('a')
    leader.change('promote', ['c'])
    cluster.deliver(to('b', 'c'))
    cluster.settle(to('a'))
    expect(leader.state.commitIndex).toBe(2)
    cluster.network = []
    cluster.crash('a')
    cluster.run(1_500)
    expect(['b', 'c']).toContain(cluster.leader?.id)
    expect(cluster.leader?.state.commitIndex).toBe(3)
    cluster.checks.checkNothingLost()
  })

  it('etcd 12136: the joint configuration is left although its leader steps down right after it committed', () => {
    const cluster = new CoreCluster({ voters: ['a', 'b', 'c'], learners: ['d', 'e'] })
    const leader = cluster.elect('a')
    leader.change('set', ['a', 'd', 'e'])
    cluster.deliver(to('b', 'c', 'd', 'e'))
    // It hears the acknowledgements, commits, appends C_new, and dies before anybody gets that.
    cluster.settle(to('a'))
    expect(leader.voters).toBe('ade/')
    cluster.network = []
    cluster.crash('a')
    cluster.run(2_000)
    expect(cluster.leader?.voters).toBe('ade/')
    cluster.checks.checkNothingLost()
  })

  it('openraft 2091: the only log that can win belongs to a voter that its last entry leaves out', () => {
    const cluster = new CoreCluster({ voters: ['a', 'b'] })
    const leader = cluster.elect('a')
    leader.change('remove', ['a'])
    cluster.network = []
    cluster.run(300)
    for (const id of ['a', 'b']) cluster.crash(id)
    for (const id of ['a', 'b']) cluster.restart(id)
    cluster.run(1_500)
    expect(cluster.leader?.voters).toBe('b/')
    expect(cluster.leader?.id).toBe('b')
  })

  it('openraft 1808: a snapshot takes a configuration with it that was never committed', () => {
    const cluster = new CoreCluster({ voters: ['a', 'b', 'c'] })
    cluster.elect('a')
    cluster.partition(['a'], ['b', 'c'])
    // Appended by a leader of the past, and in force there until it hears better.
    cluster.node('a').change('remove', ['c'])
    expect(cluster.node('a').voters).toBe('ab/')
    cluster.run(600)
    const { leader } = cluster
    leader?.change('demote', ['a'])
    for (let write = 0; write < 5; write++) leader?.propose(`write ${write}`)
    cluster.run(200)
    for (const id of ['b', 'c']) cluster.node(id).takeSnapshot()
    cluster.heal()
    cluster.run(600)
    expect(cluster.node('a').voters).toBe('bc/')
    expect(cluster.node('a').state.log.baseIndex).toBeGreaterThan(2)
    expect(cluster.node('a').state.role).toBe('follower')
  })

  it('etcd 11038, 10833 of scylladb: a leader that is removed steps down, and is told that it is done', () => {
    const cluster = new CoreCluster({ voters: ['a', 'b', 'c'] })
    const leader = cluster.elect('a')
    const id = leader.change('remove', ['a'])
    cluster.settle()
    expect(leader.state.role).toBe('follower')
    expect(leader.changes).toMatchObject([{ type: 'done', id }])
  })

  it('a member that is removed and added again within a term: what was on its way from before counts for nothing', () => {
    const cluster = new CoreCluster({ voters: ['a', 'b', 'c'] })
    const leader = cluster.elect('a')
    for (const write of ['x', 'y']) leader.propose(write)
    cluster.settle(to('c'))
    const late = cluster.network.filter(
      ({ from, message }) => from === 'c' && message.type === 'appendEntriesResponse' && message.outcome === 'success',
    )
    expect(late.length).toBeGreaterThan(0)
    cluster.settle()
    leader.change('remove', ['c'])
    cluster.run(60)
    // It comes back with an empty disk, as a member that is still to get everything.
    cluster.crash('c')
    leader.change('add', ['c?'])
    cluster.settle()
    for (const packet of late) leader.receive('c', packet.message)
    leader.receive('c', {
      type: 'heartbeatResponse',
      term: 1,
      addedAt: 0,
      index: 3,
      round: 99,
      sentMs: 0,
      boot: 1,
      echoMs: 0,
    })
    expect(leader.state.progress.get('c')).toMatchObject({ matchIndex: 0, confirmedRound: 0, contactAt: null })
    expect(cluster.network.filter(ofType('appendEntriesResponse'))).toEqual([])
  })
})
