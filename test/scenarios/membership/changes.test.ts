// Scenarios of the membership group at the level of the core: who is counted when, what a change commits, what a
// truncation takes back, and what the next leader does with what it finds.
import { describe, expect, it } from 'vitest'
import { CoreCluster, ofType, to } from '../../support/core-cluster.js'
import type { SimulatedNode } from '../../support/core-node.js'

function leaderOf(cluster: CoreCluster): SimulatedNode {
  const { leader } = cluster
  if (leader === null) throw new Error('nobody leads')
  return leader
}
const idsOf = (node: SimulatedNode): string =>
  (node.state.log.configurations.at(-1)?.configuration.members ?? []).map(({ id }) => id).join('')

describe('a member that is added', () => {
  it('counts as a voter from the entry on that makes it one, and its vote may decide', () => {
    const cluster = new CoreCluster({ voters: ['a'], joiners: ['b'] })
    const leader = cluster.elect('a')
    leader.change('add', ['b'])
    cluster.run(100)
    expect(leader.voters).toBe('ab/')
    cluster.cut('b', 'a')
    leader.propose('alone')
    cluster.settle()
    expect(leader.state.commitIndex).toBe(leader.state.log.lastIndex - 1)
  })

  it('counts for no commit as a learner, and is sent everything', () => {
    const cluster = new CoreCluster({ voters: ['a', 'b'], joiners: ['c'] })
    const leader = cluster.elect('a')
    leader.change('add', ['c?'])
    cluster.settle()
    cluster.cut('b', 'a')
    leader.propose('x')
    cluster.settle()
    expect(cluster.node('c').state.log.lastIndex).toBe(3)
    expect(leader.state.commitIndex).toBe(2)
    expect(leader.changes).toMatchObject([{ type: 'done', index: 2 }])
  })

  it('has a whole election timeout to be heard before it counts against the leader', () => {
    const cluster = new CoreCluster({ voters: ['a'], learners: ['b'] })
    const leader = cluster.elect('a')
    cluster.run(60)
    leader.change('promote', ['b'])
    expect(leader.voters).toBe('ab/')
    cluster.partition(['a'], ['b'])
    cluster.run(90)
    expect(leader.state.role).toBe('leader')
    cluster.run(40)
    expect(leader.state.role).toBe('follower')
  })

  it('may be elected when it was a learner and votes now', () => {
    const cluster = new CoreCluster({ voters: ['a', 'b'], learners: ['c'] })
    cluster.elect('a').change('promote', ['c'])
    cluster.settle()
    cluster.crash('a')
    cluster.run(500)
    cluster.crash('b')
    cluster.restart('a')
    cluster.run(800)
    expect(leaderOf(cluster).voters).toBe('abc/')
    cluster.node('a').tick()
    cluster.crash('a')
    cluster.restart('b')
    cluster.run(800)
    expect(cluster.nodes.size).toBe(3)
    expect(['b', 'c']).toContain(leaderOf(cluster).id)
  })

  it('stands in the configuration by its id, sorted', () => {
    const cluster = new CoreCluster({ voters: ['b', 'd'], joiners: ['a', 'c'] })
    const leader = cluster.elect('b')
    leader.change('add', ['c?'])
    cluster.settle()
    leader.change('add', ['a?'])
    cluster.settle()
    expect(idsOf(leader)).toBe('abcd')
  })

  it('is added under writes, as learner and as voter, and removed under writes', () => {
    const cluster = new CoreCluster({ voters: ['a', 'b', 'c'], joiners: ['d'] })
    const leader = cluster.elect('a')
    for (const [type, name] of [
      ['add', 'd?'],
      ['promote', 'd'],
      ['remove', 'd'],
    ] as const) {
      const id = leader.change(type, [name])
      for (let write = 0; write < 20; write++) {
        leader.propose(`${type} ${write}`)
        cluster.deliver()
      }
      cluster.run(60)
      expect(leader.changes.at(-1)).toMatchObject({ type: 'done', id })
    }
    expect(leader.state.commitIndex).toBe(leader.state.log.lastIndex)
    cluster.checks.checkNothingLost()
  })
})

describe('a member that is removed', () => {
  it('lowers the quorum, which may commit what waited for it', () => {
    const cluster = new CoreCluster({ voters: ['a', 'b', 'c', 'd'] })
    const leader = cluster.elect('a')
    cluster.partition(['a', 'b'], ['c', 'd'])
    leader.propose('waits')
    cluster.settle()
    expect(leader.state.commitIndex).toBe(1)
    leader.change('remove', ['c'])
    expect(leader.voters).toBe('abd/')
    cluster.settle()
    expect(leader.state.commitIndex).toBe(3)
  })

  it('may be parted from everybody: its entry commits without it', () => {
    const cluster = new CoreCluster({ voters: ['a', 'b', 'c'] })
    const leader = cluster.elect('a')
    cluster.partition(['a', 'b'], ['c'])
    const id = leader.change('remove', ['c'])
    cluster.run(60)
    expect(leader.changes).toMatchObject([{ type: 'done', id }])
    // And when it comes back, it may ask for votes and gets none.
    cluster.heal()
    cluster.crash('a')
    cluster.run(40)
    cluster.campaign('c')
    const { currentTerm } = cluster.node('c').state
    cluster.settle()
    expect(cluster.node('c').state).toMatchObject({ role: 'preCandidate', currentTerm })
  })

  it('restarts without an election: it can not know that its removal is committed, and asks in vain', () => {
    const cluster = new CoreCluster({ voters: ['a', 'b', 'c'] })
    const leader = cluster.elect('a')
    leader.change('remove', ['c'])
    cluster.run(60)
    cluster.crash('c')
    cluster.restart('c')
    cluster.run(1_000)
    expect(leader.state).toMatchObject({ role: 'leader', currentTerm: 1 })
    expect(cluster.node('c').state).toMatchObject({ leaderId: null, currentTerm: 1 })
  })

  it('of two voters leaves one that goes on alone, and can not be removed', () => {
    const cluster = new CoreCluster({ voters: ['a', 'b'] })
    const leader = cluster.elect('a')
    leader.change('remove', ['b'])
    cluster.settle()
    cluster.crash('b')
    leader.propose('alone')
    cluster.run(300)
    expect(leader.state).toMatchObject({ role: 'leader', commitIndex: 3 })
    leader.change('remove', ['a'])
    expect(leader.changes.at(-1)).toMatchObject({ type: 'refused', reason: 'invalid' })
  })

  it('was a learner: nobody is asked but the voters', () => {
    const cluster = new CoreCluster({ voters: ['a', 'b', 'c'], learners: ['d'] })
    const leader = cluster.elect('a')
    cluster.crash('d')
    const id = leader.change('remove', ['d'])
    cluster.settle()
    expect(leader.changes).toMatchObject([{ type: 'done', id, index: 2 }])
    cluster.run(200)
    expect([...leader.state.progress.keys()].sort()).toEqual(['b', 'c'])
  })

  it('does not hold up reads: they are confirmed by those that are left', () => {
    const cluster = new CoreCluster({ voters: ['a', 'b', 'c', 'd'] })
    const leader = cluster.elect('a')
    cluster.partition(['a', 'b'], ['c', 'd'])
    const id = cluster.read('a')
    cluster.settle()
    expect(leader.reads).toEqual([])
    leader.change('remove', ['c'], true)
    cluster.run(60)
    expect(leader.reads).toMatchObject([{ type: 'ready', id }])
  })

  it('that hangs blocks neither its removal nor anything else', () => {
    const cluster = new CoreCluster({ voters: ['a', 'b', 'c'] })
    const leader = cluster.elect('a')
    cluster.node('c').persistence = 'later'
    leader.propose('x')
    const id = leader.change('remove', ['c'])
    leader.propose('y')
    cluster.run(60)
    expect(leader.changes).toMatchObject([{ type: 'done', id }])
    expect(leader.state.commitIndex).toBe(4)
  })
})

describe('a change that a leader leaves behind', () => {
  it('counts for the next leader from the start: elections use the newest configuration in the log', () => {
    const cluster = new CoreCluster({ voters: ['a', 'b', 'c'], learners: ['d', 'e'] })
    const leader = cluster.elect('a')
    leader.change('set', ['a', 'b', 'c', 'd', 'e'])
    expect(leader.voters).toBe('abcde/abc')
    cluster.settle(to('b', 'd'))
    cluster.crash('a')
    cluster.network = []
    cluster.cut('e', 'b')
    cluster.run(100)
    cluster.campaign('b')
    cluster.settle(ofType('preVote', 'preVoteResponse', 'requestVote', 'requestVoteResponse'))
    // b, c and d are a majority of the five and of the three.
    expect(cluster.node('b').state.role).toBe('leader')
    cluster.run(100)
    expect(cluster.node('b').voters).toBe('abcde/')
  })

  it('is taken back by a truncation to the one before, and to the first', () => {
    for (const first of ['abc', 'ab']) {
      const cluster = new CoreCluster({ voters: ['a', 'b', 'c'] })
      const leader = cluster.elect('a')
      if (first === 'ab') leader.change('demote', ['c'])
      cluster.settle()
      cluster.partition(['a'], ['b', 'c'])
      leader.change(first === 'ab' ? 'promote' : 'remove', ['c'], true)
      leader.propose('lost')
      cluster.run(1_500)
      if (first === 'ab') {
        // b alone is no majority of a and b: the leader comes back and keeps its entries.
        cluster.heal()
        cluster.run(600)
        expect(leaderOf(cluster).voters).toBe('abc/')
        continue
      }
      expect(leaderOf(cluster).id).not.toBe('a')
      cluster.heal()
      cluster.run(600)
      expect(cluster.node('a').voters).toBe('abc/')
      // And works when it is asked for again.
      leaderOf(cluster).change('remove', ['a'])
      cluster.run(600)
      expect(leaderOf(cluster).voters).toBe('bc/')
    }
  })

  it('goes back to the configuration of the snapshot where the log begins behind one', () => {
    const cluster = new CoreCluster({ voters: ['a', 'b', 'c', 'd', 'e'] })
    const leader = cluster.elect('a')
    leader.change('remove', ['e'])
    cluster.run(200)
    for (const id of ['a', 'b', 'c', 'd']) cluster.node(id).takeSnapshot()
    cluster.run(60)
    expect(cluster.node('a').state.log.configurations).toHaveLength(1)
    cluster.partition(['a'], ['b', 'c', 'd'])
    leader.change('remove', ['d'], true)
    expect(leader.voters).toBe('abc/')
    cluster.run(600)
    cluster.heal()
    cluster.run(600)
    expect(cluster.node('a').voters).toBe('abcd/')
  })
})

describe('a transfer beside a change', () => {
  it.each(['set', 'demote'] as const)('is given up when a change (%s) takes the vote of its target', (type) => {
    const cluster = new CoreCluster({ voters: ['a', 'b', 'c'], joiners: ['d'] })
    const leader = cluster.elect('a')
    cluster.cut('c', 'a')
    if (type === 'set') leader.change('set', ['a', 'b', 'd'])
    else leader.change('set', ['a', 'b', 'c?', 'd'])
    cluster.settle((packet) => packet.to !== 'd')
    expect(leader.state.change?.phase).toBe('catchingUp')
    leader.propose('c can not tell that it has this')
    const id = leader.transfer('c')
    expect(leader.transfers).toEqual([{ type: 'begun', id, to: 'c' }])
    cluster.run(60)
    expect(leader.voters).toBe('abd/')
    expect(leader.transfers.at(-1)).toMatchObject({ type: 'ended', id, reason: 'notVoter', wasTold: false })
    expect(leader.state.role).toBe('leader')
  })

  it('hands over what is appended, and the next leader finishes it', () => {
    const cluster = new CoreCluster({ voters: ['a', 'b', 'c'], learners: ['d', 'e'] })
    const leader = cluster.elect('a')
    leader.change('set', ['a', 'b', 'c', 'd', 'e'])
    leader.transfer('b')
    cluster.run(100)
    expect(leaderOf(cluster).id).toBe('b')
    expect(leaderOf(cluster).voters).toBe('abcde/')
  })

  it('is waited for by a change that is asked for meanwhile', () => {
    const cluster = new CoreCluster({ voters: ['a', 'b', 'c'] })
    const leader = cluster.elect('a')
    cluster.cut('b', 'a')
    leader.propose('x')
    leader.transfer('b')
    const id = leader.change('remove', ['c'])
    expect(leader.changes).toEqual([{ type: 'refused', id, reason: 'transferring', problem: '' }])
  })
})
