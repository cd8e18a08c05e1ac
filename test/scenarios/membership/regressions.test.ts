// Executions that lost data or froze clusters elsewhere, named after where they were found; told in our words on our core.
import { describe, expect, it } from 'vitest'
import { configurationOf, CoreCluster, diskOf, ofType, to } from '../../support/core-cluster.js'
import { installSnapshot } from '../../support/core-node.js'
import { append, entriesOf, heartbeat, requestVote, SoloCore } from '../../support/solo-core.js'

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
      leaseMs: 0,
    })
    expect(leader.state.progress.get('c')).toMatchObject({ matchIndex: 0, confirmedRound: 0, contactAt: null })
    expect(cluster.network.filter(ofType('appendEntriesResponse'))).toEqual([])
  })
})

describe('regressions of others: who may vote and campaign', () => {
  it('hashicorp/raft 661: a voter that dies between its new term and its vote votes once all the same', () => {
    const voter = () => {
      const node = new SoloCore({ terms: [1], currentTerm: 1, votedFor: 'c' })
      node.persistence = 'later'
      node.receive('b', requestVote({ term: 2, lastLogIndex: 1, lastLogTerm: 1 }))
      return node
    }
    // There is no place between: term and vote are one write, and the answer waits for it.
    expect(voter().writes.map(({ hardState }) => hardState)).toEqual([{ currentTerm: 2, votedFor: 'b' }])
    for (const written of [0, 1]) {
      const node = voter()
      node.persist(written)
      const promised = node.take('requestVoteResponse').map(({ message }) => message.voteGranted)
      expect(promised).toEqual(written === 0 ? [] : [true])
      node.crash()
      node.start()
      node.receive('c', requestVote({ term: 2, lastLogIndex: 1, lastLogTerm: 1 }))
      node.persist()
      expect(node.last('requestVoteResponse').voteGranted).toBe(written === 0)
    }
  })

  it('etcd 7280: a voter that has not applied who the members are counts those of its log', () => {
    const cluster = new CoreCluster({ voters: ['a', 'b', 'c'], learners: ['d', 'e'] })
    const leader = cluster.elect('a')
    for (const id of ['b', 'c']) cluster.node(id).applies = 'later'
    leader.change('set', ['a', 'b', 'c', 'd', 'e'])
    cluster.run(100)
    expect(cluster.node('b').state.commitIndex).toBe(leader.state.commitIndex)
    expect(cluster.node('b').state.lastApplied).toBe(0)
    for (const id of ['b', 'c']) cluster.crash(id)
    for (const id of ['b', 'c']) cluster.restart(id)
    // Two of the three that were: a majority of members that are none any more.
    cluster.partition(['b', 'c'], ['a', 'd', 'e'])
    cluster.run(1_500)
    expect(cluster.up.filter(({ state }) => state.role === 'leader').map(({ id }) => id)).toEqual(['a'])
    for (const id of ['b', 'c']) expect(cluster.node(id).state.currentTerm).toBe(1)
  })

  it('etcd 7280: a voter that has not applied its own removal yet campaigns no more', () => {
    const cluster = new CoreCluster({ voters: ['a', 'b', 'c'] })
    const leader = cluster.elect('a')
    cluster.node('c').applies = 'later'
    leader.change('remove', ['c'])
    cluster.settle()
    const removed = cluster.node('c')
    expect(removed.state.commitIndex).toBe(leader.state.commitIndex)
    expect(removed.state.lastApplied).toBeLessThan(removed.state.commitIndex)
    cluster.crash('a')
    cluster.run(1_500)
    expect(removed.state).toMatchObject({ role: 'follower', currentTerm: 1, preVoteRound: 0 })
    removed.receive('a', { type: 'timeoutNow', term: 1 })
    expect(removed.state).toMatchObject({ role: 'follower', currentTerm: 1 })
  })

  it('etcd 10998: a learner that was promoted and does not know it gives the vote that is needed', () => {
    const cluster = new CoreCluster({ voters: ['a', 'b'], learners: ['c'] })
    const leader = cluster.elect('a')
    leader.change('promote', ['c'])
    cluster.drop(to('c'))
    cluster.settle(to('a', 'b'))
    expect(leader.state.commitIndex).toBe(2)
    cluster.network = []
    cluster.crash('a')
    expect(cluster.node('c').voters).toBe('ab/')
    cluster.run(1_500)
    expect(cluster.leader?.id).toBe('b')
    expect(cluster.leader?.state.commitIndex).toBe(3)
    expect(cluster.node('c').voters).toBe('abc/')
    cluster.checks.checkNothingLost()
  })

  it('openraft 2080: an old leader without a quorum lets the one node go that connects the others', () => {
    const cluster = new CoreCluster({ voters: ['a', 'b', 'c', 'd', 'e'] })
    cluster.elect('a')
    cluster.partition(['a'], ['b', 'c', 'd'], ['e'])
    cluster.heal()
    for (const other of ['c', 'd', 'e']) {
      for (const [from, target] of [
        ['a', other],
        [other, 'a'],
      ] as const) {
        cluster.cut(from, target)
      }
    }
    for (const other of ['b', 'c', 'd']) {
      cluster.cut('e', other)
      cluster.cut(other, 'e')
    }
    cluster.run(2_000)
    // 'a' hears 'b' only. It yields, says nothing more, and the three that hear each other have a leader.
    const { leader } = cluster
    expect(['b', 'c', 'd']).toContain(leader?.id)
    const written = leader?.propose('x')
    cluster.run(100)
    expect(leader?.results).toContainEqual(expect.objectContaining({ id: written, type: 'appended' }))
    expect(leader?.state.commitIndex).toBe(leader?.state.log.lastIndex)
    expect(cluster.up.filter(({ state }) => state.role === 'leader')).toHaveLength(1)
  })
})

describe('regressions of others: leadership transfer', () => {
  it('hashicorp/raft 696: a leader that lost its office during a transfer takes proposals when it is elected again', () => {
    const cluster = new CoreCluster()
    const leader = cluster.elect('a')
    leader.propose('that b does not get')
    cluster.drop(to('b'))
    leader.transfer('b')
    const held = leader.propose('too early')
    expect(leader.results.at(-1)).toEqual({ type: 'transferring', id: held })
    // Long enough for its quorum to be gone, too short for the transfer to be given up.
    leader.receive('c', requestVote({ term: 2, leadershipTransfer: true }))
    expect(leader.state.role).toBe('follower')
    expect(leader.transfers.at(-1)).toMatchObject({ type: 'ended', to: 'b', wasTold: false })
    cluster.run(300)
    const again = cluster.leader?.id === 'a' ? cluster.node('a') : cluster.elect('a')
    const taken = again.propose('in time')
    cluster.run(60)
    expect(again.results.at(-1)).toMatchObject({ type: 'appended', id: taken })
    expect(again.state.commitIndex).toBe(again.state.log.lastIndex)
  })

  it('openraft 1747: reads do not keep a transfer alive of which the target is dead', () => {
    const cluster = new CoreCluster()
    const leader = cluster.elect('a')
    cluster.crash('b')
    const transfer = leader.transfer('b')
    for (let turn = 0; turn < 20; turn++) {
      cluster.read('a')
      cluster.run(10)
    }
    expect(leader.transfers.at(-1)).toMatchObject({ type: 'ended', id: transfer, reason: 'timeout' })
    const taken = leader.propose('x')
    expect(leader.results.at(-1)).toMatchObject({ type: 'appended', id: taken })
    expect(leader.reads.filter(({ type }) => type === 'ready')).toHaveLength(20)
  })

  it('openraft 1747: a leader that handed over answers no read when the target leads and writes already', () => {
    const cluster = new CoreCluster()
    const leader = cluster.elect('a')
    cluster.read('a')
    cluster.run(60)
    expect(leader.reads).toHaveLength(1)
    leader.transfer('b')
    cluster.deliver(ofType('timeoutNow'))
    cluster.partition(['a'], ['b', 'c'])
    cluster.settle()
    expect(cluster.leader?.id).toBe('b')
    cluster.leader?.propose('x')
    cluster.settle()
    for (let turn = 0; turn < 5; turn++) {
      cluster.read('a')
      cluster.run(10)
    }
    expect(leader.state.role).toBe('leader')
    expect(leader.reads).toHaveLength(1)
    cluster.heal()
    cluster.run(300)
    expect(leader.reads.slice(1).filter(({ type }) => type === 'ready')).toEqual([])
  })
})

describe('regressions of others: what is committed and what is not', () => {
  it('etcd 14370: the only voter acknowledges nothing that is not on its disk', () => {
    const node = new SoloCore({ voters: ['a'], learners: ['l'] })
    node.persistence = 'later'
    node.tick(0)
    node.persist()
    expect(node.state).toMatchObject({ role: 'leader', commitIndex: 1 })
    node.propose('x')
    expect(node.results.at(-1)).toMatchObject({ type: 'appended', firstIndex: 2 })
    // Whoever has it, a learner too: its own disk is the quorum.
    node.acknowledge('l', 2)
    expect(node.state).toMatchObject({ commitIndex: 1, lastApplied: 1 })
    node.crash()
    node.start()
    node.tick(0)
    node.persist()
    // Nobody was told of it, so it may be gone; what is told now stays.
    node.propose('y')
    node.persist()
    const { commitIndex } = node.state
    expect(node.entry(commitIndex)?.data).toEqual(new TextEncoder().encode('y'))
    node.crash()
    node.start()
    node.tick(0)
    node.persist()
    expect(node.state.commitIndex).toBe(commitIndex + 1)
    expect(node.entry(commitIndex)?.data).toEqual(new TextEncoder().encode('y'))
  })

  it('hashicorp/raft 695: a heartbeat of the next leader between the steps of the last one makes nobody speak for both', () => {
    const place = { term: 3, prevLogIndex: 1, prevLogTerm: 1 }
    const steps: Readonly<Record<string, (node: SoloCore) => unknown>> = {
      propose: (node) => node.propose('of the last term'),
      heartbeat: (node) => node.receive('b', heartbeat(place)),
      append: (node) => node.receive('b', append({ ...place, entries: entriesOf(2, 3) })),
      vote: (node) => node.receive('c', requestVote({ term: 3, lastLogIndex: 9, lastLogTerm: 2 })),
      persist: (node) => node.persist(1),
    }
    for (const order of ordersOf(Object.keys(steps))) {
      const node = new SoloCore({ terms: [1] })
      node.becomeLeader()
      node.persistence = 'later'
      for (const step of order) steps[step]?.(node)
      node.persist()
      const appends = node.sent.flatMap(({ message }) => (message.type === 'appendEntries' ? [message] : []))
      for (const { term, entries } of appends) expect(entries.filter((entry) => entry.term > term)).toEqual([])
      expect(appends.filter(({ term }) => term !== 2)).toEqual([])
      // Index 2 and term 3 are one entry, that of the leader of term 3; and a vote that is told is one that is written.
      expect(node.log.map(({ index, term }) => `${index}:${term}`)).toEqual(['1:1', '2:3'])
      expect(node.durable.log.at(-1)?.data).toEqual(entriesOf(2, 3)[0]?.data)
      const isGranted = node.take('requestVoteResponse').some(({ message }) => message.voteGranted)
      expect(isGranted).toBe(node.durable.hardState.votedFor === 'c')
      expect(node.state).toMatchObject({ role: 'follower', leaderId: 'b', currentTerm: 3 })
    }
  })

  it('hashicorp/raft 697: a snapshot that ends at an entry which the follower holds of another term is sent once', () => {
    const disks = { a: diskOf([1, 2, 2, 2], 2), b: diskOf([1, 2, 2, 2], 2), c: diskOf([1, 1, 1, 1, 1, 1], 1) }
    const cluster = new CoreCluster({ disks })
    let sent = 0
    cluster.onDeliver = ({ message }) => {
      if (message.type === 'installSnapshot') sent += 1
    }
    cluster.partition(['a', 'b'], ['c'])
    const leader = cluster.elect('a')
    cluster.run(100)
    leader.takeSnapshot()
    cluster.run(200)
    expect(leader.state.log.baseIndex).toBe(5)
    cluster.heal()
    cluster.run(600)
    const now = cluster.leader
    now?.propose('x')
    cluster.run(100)
    // Once: then the entries that follow it fit.
    expect(sent).toBe(1)
    expect(cluster.node('c').state).toMatchObject({ snapshotIndex: 5, commitIndex: now?.state.commitIndex })
    expect(cluster.node('c').log).toEqual(now?.log)
  })

  it('scylladb 9965: old entries behind a snapshot are not committed by an index that was never compared', () => {
    const node = new SoloCore({ terms: [1, 2, 2, 2, 2, 2], currentTerm: 3 })
    const meta = { lastIncludedIndex: 4, lastIncludedTerm: 3, lastIncludedTimestamp: 0, configurationIndex: 0 }
    const configuration = configurationOf(['a', 'b', 'c'])
    node.receive('b', append({ term: 3, prevLogIndex: 1, prevLogTerm: 1, leaderCommit: 9 }))
    expect(node.state.commitIndex).toBe(1)
    node.receive('b', installSnapshot({ term: 3, transfer: 1, meta: { ...meta, configuration } }))
    const place = { term: 3, prevLogIndex: 4, prevLogTerm: 3, leaderCommit: 9 }
    node.receive('b', append(place))
    node.receive('b', heartbeat(place))
    expect(node.state).toMatchObject({ commitIndex: 4, lastApplied: 4 })
    expect(node.state.log).toMatchObject({ baseIndex: 4, lastIndex: 4 })
    expect(node.durable.log).toEqual([])
  })
})

function ordersOf<T>(things: readonly T[]): readonly (readonly T[])[] {
  if (things.length === 0) return [[]]
  return things.flatMap((thing) => ordersOf(things.filter((other) => other !== thing)).map((rest) => [thing, ...rest]))
}
