// §6 and thesis §4: cluster membership changes. Joint consensus, learners that catch up first, and the three problems of
// the paper: new servers without a log, a leader that is left out, and removed servers that disrupt (F22-F24).
import { CATCH_UP_ROUNDS, type Message, RULES } from 'helios-raft/core'
import { describe, expect, it } from 'vitest'
import { CoreCluster, ofType, type Packet, to } from '../support/core-cluster.js'

const nextOf = (cluster: CoreCluster, matches: (message: Message) => boolean): Packet => {
  const packet = cluster.network.find(({ message }) => matches(message))
  if (packet === undefined) throw new Error('nothing is left')
  return packet
}
/** Whether a message says nothing of the entry at `index`. */
const leavesOut = (message: Message, index: number): boolean => {
  if (message.type === 'appendEntries') return message.entries.every((entry) => entry.index < index)
  return message.type !== 'appendEntriesResponse' || message.index < index
}
const types = (cluster: CoreCluster, id: string): string =>
  cluster
    .node(id)
    .log.map(({ type }) => type[0])
    .join('')

describe('§6: a configuration', () => {
  it('is in force as soon as it is appended, committed or not', () => {
    const cluster = new CoreCluster({ voters: ['a', 'b', 'c'] })
    const leader = cluster.elect('a')
    leader.change('remove', ['c'])
    expect(leader.voters).toBe('ab/')
    expect(leader.state.commitIndex).toBe(1)
    cluster.deliver(to('b'))
    expect(cluster.node('b').voters).toBe('ab/')
  })

  it('is taken back when its entry is truncated', () => {
    const cluster = new CoreCluster({ voters: ['a', 'b', 'c'] })
    cluster.elect('a')
    cluster.partition(['a'], ['b', 'c'])
    cluster.node('a').change('remove', ['c'])
    expect(cluster.node('a').voters).toBe('ab/')
    cluster.run(500)
    cluster.heal()
    cluster.run(200)
    expect(cluster.leader?.id).not.toBe('a')
    expect(cluster.node('a').voters).toBe('abc/')
    cluster.checks.checkNothingLost()
  })

  it('survives a restart, also while it is not committed', () => {
    const cluster = new CoreCluster({ voters: ['a', 'b', 'c'] })
    cluster.elect('a').change('remove', ['c'])
    cluster.deliver(to('b'))
    cluster.crash('b')
    cluster.restart('b')
    expect(cluster.node('b').voters).toBe('ab/')
  })
})

describe('§6: joint consensus', () => {
  it('replaces several voters by two entries, each committed by both majorities while it is joint', () => {
    const cluster = new CoreCluster({ voters: ['a', 'b', 'c'], joiners: ['d', 'e', 'f'] })
    const leader = cluster.elect('a')
    const id = leader.change('set', ['d', 'e', 'f'])
    const seen = new Set<string>()
    cluster.onOutput = (node) => node.id === 'a' && seen.add(node.voters)
    cluster.run(300)
    expect([...seen]).toEqual(['abc/', 'def/abc', 'def/'])
    expect(leader.changes.at(-1)).toMatchObject({ type: 'done', id })
    cluster.run(400)
    expect(['d', 'e', 'f']).toContain(cluster.leader?.id)
    expect(cluster.leader?.state.currentTerm).toBe(2)
    cluster.checks.checkNothingLost()
  })

  it('commits nothing with one majority only', () => {
    for (const dead of [
      ['b', 'c'],
      ['e', 'f'],
    ]) {
      const cluster = new CoreCluster({ voters: ['a', 'b', 'c'], joiners: ['d', 'e', 'f'] })
      const leader = cluster.elect('a')
      leader.change('set', ['d', 'e', 'f'])
      while (leader.voters !== 'def/abc') cluster.deliver()
      const joint = leader.state.log.lastIndex
      cluster.network = []
      for (const id of dead) cluster.crash(id)
      cluster.run(90)
      expect(leader.state.commitIndex, `without ${dead.join()}`).toBeLessThan(joint)
    }
  })

  it('is left by whoever leads when it is committed', () => {
    const cluster = new CoreCluster({ voters: ['a', 'b', 'c'], joiners: ['d', 'e', 'f'] })
    const leader = cluster.elect('a')
    leader.change('set', ['d', 'e', 'f'])
    while (cluster.node('b').voters !== 'def/abc') cluster.deliver()
    // The old leader dies with the joint configuration in the log of b alone.
    cluster.crash('a')
    cluster.network = []
    cluster.run(1_500)
    const next = cluster.leader
    expect(next?.voters).toBe('def/')
    expect(['d', 'e', 'f']).toContain(next?.id)
    cluster.checks.checkNothingLost()
  })

  it('is not needed where one voter differs', () => {
    const cluster = new CoreCluster({ voters: ['a', 'b', 'c'] })
    const leader = cluster.elect('a')
    const id = leader.change('demote', ['c'])
    cluster.settle()
    expect(leader.changes).toMatchObject([{ type: 'done', id, index: 2 }])
    expect(types(cluster, 'a')).toBe('nc')
  })
})

describe('thesis §4.1: one change at a time', () => {
  it('waits for the first entry of its own term: else two leaders may commit by disjoint majorities (H39)', () => {
    const cluster = new CoreCluster({ voters: ['a', 'b', 'c'] })
    cluster.campaign('a')
    cluster.settle(ofType('preVote', 'preVoteResponse', 'requestVote', 'requestVoteResponse'))
    const leader = cluster.node('a')
    expect(leader.state.role).toBe('leader')
    leader.change('remove', ['c'])
    expect(types(cluster, 'a')).toBe('n')
    cluster.settle()
    expect(types(cluster, 'a')).toBe('nc')
  })

  it('refuses a second change while the first is under way', () => {
    const cluster = new CoreCluster({ voters: ['a', 'b', 'c'] })
    const leader = cluster.elect('a')
    leader.change('remove', ['c'])
    const id = leader.change('remove', ['b'])
    expect(leader.changes).toEqual([{ type: 'refused', id, reason: 'pending', problem: '' }])
  })

  it('waits for what an earlier leader left behind', () => {
    const cluster = new CoreCluster({ voters: ['a', 'b', 'c', 'd', 'e'] })
    cluster.elect('a').change('remove', ['e'])
    cluster.deliver(to('b', 'c', 'd'))
    cluster.crash('a')
    cluster.network = []
    cluster.run(500)
    cluster.leader?.change('remove', ['a'])
    cluster.run(200)
    expect(cluster.leader?.voters).toBe('bcd/')
  })
})

describe('thesis §4.2.1: a new server', () => {
  it('does not vote before it has caught up, so that the cluster stays available meanwhile (H46)', () => {
    const cluster = new CoreCluster({ voters: ['a', 'b', 'c'], joiners: ['d'] })
    const leader = cluster.elect('a')
    cluster.crash('d')
    const id = leader.change('add', ['d'])
    cluster.run(900)
    expect(leader.voters).toBe('abc/')
    leader.propose('still here')
    cluster.settle()
    expect(leader.state.commitIndex).toBe(leader.state.log.lastIndex)
    cluster.run(300)
    expect(leader.changes.at(-1)).toEqual({ type: 'ended', id, reason: 'unreachable', member: 'd' })
    // It is a learner now, and the same call goes on from there.
    cluster.restart('d')
    const again = leader.change('add', ['d'])
    cluster.run(300)
    expect(leader.voters).toBe('abcd/')
    expect(leader.changes.at(-1)).toMatchObject({ type: 'done', id: again })
  })

  it('takes another round for what was appended during one that was slower than an election timeout', () => {
    const cluster = new CoreCluster({ voters: ['a', 'b', 'c'], joiners: ['d'] })
    const leader = cluster.elect('a')
    leader.change('add', ['d'])
    const isLate = ({ from, message }: Packet): boolean =>
      from === 'd' && message.type === 'appendEntriesResponse' && message.outcome === 'success'
    cluster.settle((packet) => !isLate(packet))
    leader.propose('meanwhile')
    for (let turn = 0; turn < 6; turn++) {
      cluster.advance(20)
      cluster.settle((packet) => !isLate(packet))
    }
    expect(leader.state.change?.catchUps).toMatchObject([{ id: 'd', round: 1, upTo: 2 }])
    cluster.deliver((packet) => isLate(packet) && leavesOut(packet.message, 3))
    expect(leader.state.change?.catchUps).toMatchObject([{ id: 'd', round: 2, upTo: 3 }])
    expect(leader.voters).toBe('abc/')
    cluster.settle()
    expect(leader.voters).toBe('abcd/')
  })

  it('fails when no round is quick enough', () => {
    const rules = { ...RULES, isFastEnough: () => false }
    const cluster = new CoreCluster({ voters: ['a', 'b', 'c'], joiners: ['d'], rules })
    const leader = cluster.elect('a')
    const id = leader.change('add', ['d'])
    for (let round = 0; round < CATCH_UP_ROUNDS + 2; round++) {
      leader.propose('more')
      cluster.settle()
    }
    expect(leader.changes.at(-1)).toEqual({ type: 'ended', id, reason: 'tooSlow', member: 'd' })
    expect(leader.voters).toBe('abc/')
  })

  it('adopts what it is given, and votes even before it knows that it may (F6)', () => {
    const cluster = new CoreCluster({ voters: ['a'], joiners: ['b'] })
    const leader = cluster.elect('a')
    leader.change('add', ['b?'])
    cluster.settle()
    leader.change('promote', ['b'])
    // It has acknowledged everything but the entry that makes it a voter.
    expect(leader.voters).toBe('ab/')
    expect(cluster.node('b').voters).toBe('a/')
    cluster.network = []
    leader.crash()
    cluster.restart('a')
    cluster.run(300)
    expect(cluster.leader?.id).toBe('a')
    expect(cluster.node('b').voters).toBe('ab/')
  })

  it('never votes without a configuration, whoever asks', () => {
    const cluster = new CoreCluster({ voters: ['a', 'b', 'c'], joiners: ['d'] })
    cluster
      .node('d')
      .receive('a', { type: 'requestVote', term: 5, lastLogIndex: 9, lastLogTerm: 4, leadershipTransfer: false })
    expect(cluster.network.at(-1)?.message).toMatchObject({ type: 'requestVoteResponse', voteGranted: false })
  })
})

describe('§6: a leader that is left out', () => {
  it('does not count itself, leads until that is committed, and then hands over', () => {
    const cluster = new CoreCluster({ voters: ['a', 'b', 'c'] })
    const leader = cluster.elect('a')
    leader.change('remove', ['a'])
    expect(leader.voters).toBe('bc/')
    cluster.settle(to('b'))
    expect(leader.state.role).toBe('leader')
    cluster.settle(to('a'))
    // b alone is no majority of b and c, however durable the entry is on a.
    expect(leader.state.commitIndex).toBe(1)
    cluster.settle()
    expect(leader.state.role).toBe('follower')
    expect(leader.changes).toMatchObject([{ type: 'done' }])
    expect(cluster.leader?.state.currentTerm).toBe(2)
    expect(['b', 'c']).toContain(cluster.leader?.id)
    cluster.checks.checkNothingLost()
  })

  it('does not campaign afterwards', () => {
    const cluster = new CoreCluster({ voters: ['a', 'b', 'c'] })
    cluster.elect('a').change('remove', ['a'])
    cluster.settle()
    cluster.partition(['a'], ['b', 'c'])
    const { currentTerm } = cluster.node('a').state
    cluster.run(1_000)
    expect(cluster.node('a').state).toMatchObject({ role: 'follower', currentTerm })
  })

  it('may campaign while that is not committed: its log may be the only one that can win', () => {
    const cluster = new CoreCluster({ voters: ['a', 'b'] })
    cluster.elect('a').change('remove', ['a'])
    cluster.network = []
    for (const id of ['a', 'b']) cluster.crash(id)
    for (const id of ['a', 'b']) cluster.restart(id)
    cluster.run(1_000)
    expect(cluster.leader?.id).toBe('b')
    expect(cluster.leader?.voters).toBe('b/')
    cluster.checks.checkNothingLost()
  })

  it('takes no proposal between the commit and the hand-over', () => {
    const cluster = new CoreCluster({ voters: ['a', 'b', 'c'] })
    const leader = cluster.elect('a')
    leader.change('remove', ['a'])
    leader.propose('before')
    cluster.settle()
    expect(cluster.leader?.log.filter(({ type }) => type === 'command')).toHaveLength(1)
    expect(leader.state.lastApplied).toBe(3)
    const late = leader.propose('late')
    expect(leader.results.at(-1)).toEqual({ type: 'noLeader', id: late })
  })

  it('takes no proposal while it waits for what it appended before', () => {
    const cluster = new CoreCluster({ voters: ['a', 'b', 'c'] })
    const leader = cluster.elect('a')
    leader.change('remove', ['a'])
    leader.propose('before')
    while (leader.state.commitIndex < 2) cluster.deliverPacket(nextOf(cluster, (message) => leavesOut(message, 3)))
    expect(leader.state).toMatchObject({ role: 'leader', commitIndex: 2 })
    const late = leader.propose('late')
    expect(leader.results.at(-1)).toEqual({ type: 'transferring', id: late })
  })
})

describe('§6: a removed server', () => {
  it('hears that it is out, when it can be told', () => {
    const cluster = new CoreCluster({ voters: ['a', 'b', 'c'] })
    cluster.elect('a').change('remove', ['c'])
    cluster.settle()
    expect(cluster.node('c').voters).toBe('ab/')
    expect(cluster.node('c').state.commitIndex).toBe(2)
  })

  it('does not disrupt those that hear their leader, when it was not told', () => {
    const cluster = new CoreCluster({ voters: ['a', 'b', 'c'] })
    cluster.elect('a')
    cluster.partition(['a', 'b'], ['c'])
    cluster.node('a').change('remove', ['c'])
    cluster.settle()
    cluster.heal()
    cluster.run(1_000)
    expect(cluster.node('a').state).toMatchObject({ role: 'leader', currentTerm: 1 })
  })

  it('begins a new replication session when it comes back in the same term: late answers of the old one say nothing (F12)', () => {
    const cluster = new CoreCluster({ voters: ['a', 'b', 'c'] })
    const leader = cluster.elect('a')
    leader.propose('one')
    cluster.deliver()
    const late = cluster.network.find(({ from, message }) => from === 'c' && message.type === 'appendEntriesResponse')
    if (late === undefined) throw new Error('c answered')
    cluster.settle()
    leader.change('remove', ['c'])
    cluster.settle()
    leader.change('add', ['c?'])
    cluster.drop(to('c'))
    cluster.settle()
    leader.receive('c', { ...late.message })
    expect(leader.state.progress.get('c')).toMatchObject({ matchIndex: 0, addedAt: 4 })
  })
})
