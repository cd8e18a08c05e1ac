// Thesis §3.10, leadership transfer, and the exemption of §4.2.3: 1. the leader stops taking proposals, 2. brings the
// target up to date, 3. sends TimeoutNow; an election timeout later it gives up and goes on (F4, H20).
import { type Message, RULES } from 'helios-raft/core'
import { describe, expect, it } from 'vitest'
import { between, CoreCluster, ofType } from '../support/core-cluster.js'
import {
  append,
  entriesOf,
  heartbeat,
  heartbeatResponse,
  proposeRequest,
  requestVote,
  SoloCore,
} from '../support/solo-core.js'

/** Leads term 1 with a log of one entry, which 'b' and 'c' have. */
function leaderOf(options: ConstructorParameters<typeof SoloCore>[0] = {}): SoloCore {
  const leader = new SoloCore(options)
  leader.becomeLeader()
  leader.acknowledge('b', 1)
  leader.acknowledge('c', 1)
  leader.sent = []
  leader.transfers = []
  return leader
}
const timeoutNow = (term: number): Message => ({ type: 'timeoutNow', term })

describe('thesis §3.10: the leader', () => {
  it('tells a target that has everything at once, and takes no proposal from then on', () => {
    const leader = leaderOf()
    const id = leader.transfer('b')
    expect(leader.transfers).toEqual([{ type: 'begun', id, to: 'b' }])
    expect(leader.take('timeoutNow')).toEqual([{ to: 'b', message: timeoutNow(1) }])
    const proposal = leader.propose('late')
    expect(leader.results.at(-1)).toEqual({ type: 'transferring', id: proposal })
    leader.receive('c', proposeRequest({ term: 1, number: 1 }))
    expect(leader.last('proposeResponse')).toMatchObject({ refusal: 'transferring', firstIndex: 0 })
    expect(leader.log).toHaveLength(1)
  })

  it('brings the target up to date first: matchIndex must equal its last index', () => {
    const leader = leaderOf()
    leader.propose('one')
    leader.propose('two')
    leader.transfer('b')
    expect(leader.take('timeoutNow')).toEqual([])
    leader.acknowledge('b', 2)
    leader.acknowledge('c', 3)
    expect(leader.take('timeoutNow')).toEqual([])
    leader.acknowledge('b', 3)
    expect(leader.take('timeoutNow')).toEqual([{ to: 'b', message: timeoutNow(1) }])
  })

  it('asks again once in a heartbeat interval, for a TimeoutNow that was lost', () => {
    const leader = leaderOf()
    leader.transfer('b')
    leader.acknowledge('b', 1)
    expect(leader.take('timeoutNow')).toHaveLength(1)
    leader.tick(60)
    expect(leader.take('timeoutNow')).toHaveLength(2)
  })

  it('gives up after one election timeout and takes proposals again, in the same term', () => {
    const leader = leaderOf()
    leader.propose('one')
    const id = leader.transfer('b')
    for (let at = 0; at < 99; at += 33) {
      leader.tick(33)
      leader.receive('c', heartbeatResponse({ term: 1 }))
    }
    expect(leader.transfers.at(-1)).toMatchObject({ type: 'begun' })
    leader.tick(1)
    expect(leader.transfers.at(-1)).toEqual({ type: 'ended', id, to: 'b', reason: 'timeout', wasTold: false })
    expect(leader.state).toMatchObject({ role: 'leader', currentTerm: 1, transfer: null })
    leader.propose('two')
    expect(leader.results.at(-1)).toMatchObject({ type: 'appended', firstIndex: 3 })
  })

  it('asks for a tick when it must give up, however far away the next heartbeat is', () => {
    const leader = leaderOf({ heartbeatIntervalMs: 40 })
    leader.propose('one')
    leader.tick(30)
    leader.transfer('b')
    const endsAt = leader.clock + 100
    while (leader.state.transfer !== null) {
      leader.receive('c', heartbeatResponse({ term: 1 }))
      leader.tick(leader.deadline - leader.clock)
    }
    expect(leader.state.role).toBe('leader')
    expect(leader.clock).toBe(endsAt)
  })

  it('ends it when it steps down, and says so', () => {
    const leader = leaderOf()
    const id = leader.transfer('b')
    leader.receive('b', requestVote({ term: 2, lastLogIndex: 1, lastLogTerm: 1, leadershipTransfer: true }))
    expect(leader.state).toMatchObject({ role: 'follower', currentTerm: 2, votedFor: 'b', transfer: null })
    expect(leader.transfers.at(-1)).toEqual({ type: 'ended', id, to: 'b', reason: 'steppedDown', wasTold: true })
  })

  it('ends it when the target is gone: its side ended the connection', () => {
    const leader = leaderOf()
    const id = leader.transfer('b')
    leader.peerStatus('c', 'reset')
    leader.peerStatus('b', 'closed')
    expect(leader.transfers).toHaveLength(1)
    leader.peerStatus('b', 'reset')
    expect(leader.transfers.at(-1)).toEqual({ type: 'ended', id, to: 'b', reason: 'unreachable', wasTold: true })
    expect(leader.state.role).toBe('leader')
  })

  it('answers reads meanwhile, by a round as ever', () => {
    const leader = leaderOf()
    leader.transfer('b')
    const read = leader.read()
    const { round } = leader.last('heartbeat')
    expect(leader.reads).toEqual([])
    leader.receive('c', heartbeatResponse({ term: 1, round }))
    expect(leader.reads).toEqual([{ type: 'ready', id: read, readIndex: 1 }])
  })

  it.each([
    ['itself', 'a', 'self'],
    ['a learner', 'l', 'notVoter'],
    ['a stranger', 'x', 'notVoter'],
  ])('refuses %s', (_, to, reason) => {
    const leader = leaderOf({ learners: ['l'] })
    const id = leader.transfer(to)
    expect(leader.transfers).toEqual([{ type: 'refused', id, reason }])
    expect(leader.state.transfer).toBeNull()
  })

  it('refuses a second one while one is under way, to the same target too', () => {
    const leader = leaderOf()
    leader.transfer('b')
    for (const to of ['b', 'c', null]) {
      const id = leader.transfer(to)
      expect(leader.transfers.at(-1)).toEqual({ type: 'refused', id, reason: 'transferring' })
    }
    expect(leader.state.transfer).toMatchObject({ to: 'b' })
  })

  it('refuses where nobody could take over', () => {
    const sole = new SoloCore({ voters: ['a'], learners: ['l'] })
    sole.tick(0)
    expect(sole.state.role).toBe('leader')
    sole.transfer()
    expect(sole.transfers.at(-1)).toMatchObject({ type: 'refused', reason: 'onlyVoter' })
    const follower = new SoloCore()
    follower.transfer('b')
    expect(follower.transfers).toMatchObject([{ type: 'refused', reason: 'notLeader' }])
  })
})

describe('thesis §3.10: without a name', () => {
  it('takes the voter that is most up to date, never a learner', () => {
    const leader = leaderOf({ voters: ['a', 'b', 'c', 'd'], learners: ['l'] })
    leader.propose('one')
    leader.acknowledge('l', 2)
    leader.acknowledge('c', 2)
    leader.transfer()
    expect(leader.transfers).toMatchObject([{ type: 'begun', to: 'c' }])
  })

  it('leaves out who was not heard within an election timeout', () => {
    const leader = leaderOf({ voters: ['a', 'b', 'c', 'd', 'e'] })
    leader.propose('one')
    leader.acknowledge('b', 2)
    for (let at = 0; at < 120; at += 20) {
      leader.tick(20)
      for (const id of ['c', 'd']) leader.receive(id, heartbeatResponse({ term: 1 }))
    }
    leader.transfer()
    expect(leader.transfers).toMatchObject([{ type: 'begun', to: expect.stringMatching(/[cd]/) as string }])
  })

  it('of equals takes the one heard last', () => {
    const leader = leaderOf()
    leader.tick(20)
    leader.receive('c', heartbeatResponse({ term: 1 }))
    leader.transfer()
    expect(leader.transfers).toMatchObject([{ to: 'c' }])
  })
})

describe('thesis §3.10: the target', () => {
  const follower = (options: ConstructorParameters<typeof SoloCore>[0] = {}): SoloCore => {
    const node = new SoloCore({ currentTerm: 1, ...options })
    node.receive('b', append({ term: 1, entries: entriesOf(1, 1) }))
    node.sent = []
    node.roles = []
    return node
  }

  it('campaigns at once without a pre-vote, and says why it may disturb', () => {
    const node = follower()
    node.receive('b', timeoutNow(1))
    expect(node.state).toMatchObject({ role: 'candidate', currentTerm: 2, votedFor: 'a' })
    expect(node.sent.map(({ message }) => message)).toEqual([
      requestVote({ term: 2, lastLogIndex: 1, lastLogTerm: 1, leadershipTransfer: true }),
      requestVote({ term: 2, lastLogIndex: 1, lastLogTerm: 1, leadershipTransfer: true }),
    ])
  })

  it('asks for votes only when its own is durable (H6)', () => {
    const node = follower()
    node.persistence = 'later'
    node.receive('b', timeoutNow(1))
    expect(node.take('requestVote')).toEqual([])
    node.persist()
    expect(node.take('requestVote')).toHaveLength(2)
  })

  it('does not disturb when it campaigns again by itself: the next election begins with pre-votes', () => {
    const node = follower()
    node.receive('b', timeoutNow(1))
    node.sent = []
    node.timeOut()
    expect(node.state.role).toBe('preCandidate')
    const { preVoteRound: round } = node.state
    node.sent = []
    node.receive('c', { type: 'preVoteResponse', term: 3, round, voteGranted: true })
    expect(node.last('requestVote')).toMatchObject({ term: 3, leadershipTransfer: false })
  })

  it('ignores one of an earlier term, of another than its leader, and a copy', () => {
    const node = follower({ currentTerm: 1 })
    node.receive('c', heartbeat({ term: 2 }))
    for (const [from, term] of [
      ['b', 1],
      ['b', 2],
    ] as const) {
      node.receive(from, timeoutNow(term))
      expect(node.state).toMatchObject({ role: 'follower', currentTerm: 2 })
    }
    node.receive('c', timeoutNow(2))
    node.receive('c', timeoutNow(2))
    expect(node.state).toMatchObject({ role: 'candidate', currentTerm: 3 })
  })

  it('is no learner, no stranger and no leader', () => {
    for (const options of [{ voters: ['b', 'c'], learners: ['a'] }, { voters: ['b', 'c'] }]) {
      const node = follower(options)
      node.receive('b', timeoutNow(1))
      expect(node.state).toMatchObject({ role: 'follower', currentTerm: 1 })
    }
    const leader = leaderOf()
    leader.receive('b', timeoutNow(1))
    expect(leader.state).toMatchObject({ role: 'leader', currentTerm: 1 })
  })
})

describe('thesis §4.2.3: the exemption', () => {
  it('who hears a leader answers a vote that this leader asked for, and no other', () => {
    const node = new SoloCore({ currentTerm: 1 })
    node.receive('b', heartbeat({ term: 1 }))
    node.receive('c', requestVote({ term: 2 }))
    expect(node.state.currentTerm).toBe(1)
    node.receive('c', requestVote({ term: 2, leadershipTransfer: true }))
    expect(node.state).toMatchObject({ currentTerm: 2, votedFor: 'c' })
  })

  it('it does not lift the other rules: one vote a term, for a log that is up to date', () => {
    const node = new SoloCore({ terms: [1, 1], currentTerm: 1 })
    node.receive('c', requestVote({ term: 2, lastLogIndex: 1, lastLogTerm: 1, leadershipTransfer: true }))
    expect(node.last('requestVoteResponse').voteGranted).toBe(false)
    node.receive('b', requestVote({ term: 2, lastLogIndex: 2, lastLogTerm: 1, leadershipTransfer: true }))
    node.receive('c', requestVote({ term: 2, lastLogIndex: 9, lastLogTerm: 1, leadershipTransfer: true }))
    expect(node.state.votedFor).toBe('b')
  })
})

describe('thesis §3.10: the cluster', () => {
  it('has a new leader within two round trips, long before an election timeout', () => {
    const cluster = new CoreCluster()
    cluster.elect('a').propose('one')
    cluster.settle()
    cluster.node('a').transfer('c')
    cluster.settle()
    expect(cluster.leader?.state).toMatchObject({ leaderId: 'c', currentTerm: 2 })
    expect(cluster.now).toBe(0)
    for (const node of cluster.up) expect(node.state.leaderId).toBe('c')
  })

  it('hands over in a cluster of seven', () => {
    const cluster = new CoreCluster({ voters: ['a', 'b', 'c', 'd', 'e', 'f', 'g'] })
    cluster.elect('a')
    cluster.node('a').transfer()
    cluster.settle()
    expect(cluster.leader?.state.currentTerm).toBe(2)
    for (const node of cluster.up) expect(node.state.leaderId).toBe(cluster.leader?.id)
  })

  it('can hand it round, and back', () => {
    const cluster = new CoreCluster()
    cluster.elect('a')
    for (const to of ['b', 'c', 'a']) {
      cluster.leader?.transfer(to)
      cluster.settle()
      expect(cluster.leader?.id).toBe(to)
    }
    cluster.run(500)
    expect(cluster.leader?.state).toMatchObject({ leaderId: 'a', currentTerm: 4 })
  })

  it('brings a target up that missed much, and commits under it what was appended before', () => {
    const cluster = new CoreCluster()
    cluster.elect('a')
    cluster.cut('a', 'c')
    for (let at = 0; at < 20; at++) cluster.node('a').propose(`entry ${at}`)
    cluster.settle()
    cluster.heal()
    cluster.node('a').transfer('c')
    cluster.run(90)
    expect(cluster.leader?.id).toBe('c')
    cluster.run(100)
    expect(cluster.checks.committedIndex).toBe(22)
  })

  it('goes on under the old leader where the target is away', () => {
    const cluster = new CoreCluster()
    cluster.elect('a')
    cluster.crash('c')
    cluster.node('a').transfer('c')
    cluster.run(300)
    expect(cluster.leader?.state).toMatchObject({ leaderId: 'a', currentTerm: 1, transfer: null })
    cluster.node('a').propose('again')
    cluster.run(50)
    expect(cluster.checks.committedIndex).toBe(2)
  })

  it('survives any loss of its messages: it has one leader, and what was committed stays', () => {
    for (const lost of ['timeoutNow', 'requestVote', 'requestVoteResponse'] as const) {
      const cluster = new CoreCluster()
      cluster.elect('a').propose('one')
      cluster.settle()
      cluster.node('a').transfer('b')
      for (let at = 0; at < 90; at += 10) {
        cluster.settle(({ message }) => message.type !== lost)
        expect(cluster.drop() > 0 || at > 0, lost).toBe(true)
        cluster.advance(10)
      }
      cluster.run(2_000)
      expect(cluster.leader, lost).not.toBeNull()
      cluster.leader?.propose('two')
      cluster.run(100)
      expect(cluster.checks.committedIndex, lost).toBeGreaterThanOrEqual(3)
      cluster.checks.checkNothingLost()
    }
  })

  it('a late TimeoutNow of a transfer that was given up costs an election, and nothing else', () => {
    const cluster = new CoreCluster()
    cluster.elect('a').propose('one')
    cluster.settle()
    cluster.node('a').transfer('b')
    const [late] = cluster.network.filter(ofType('timeoutNow'))
    cluster.cut('a', 'b')
    cluster.run(150)
    cluster.heal()
    cluster.run(50)
    expect(cluster.leader?.state).toMatchObject({ leaderId: 'a', currentTerm: 1, transfer: null })
    cluster.node('a').propose('two')
    cluster.duplicate(late!)
    cluster.settle()
    cluster.run(500)
    cluster.checks.checkNothingLost()
    expect(cluster.leader).not.toBeNull()
  })
})

describe('rules that are broken are noticed', () => {
  it('a TimeoutNow before the target has caught up comes to nothing: it loses the election', () => {
    const cluster = new CoreCluster({ rules: { ...RULES, isCaughtUp: () => true } })
    cluster.elect('a')
    cluster.cut('a', 'c')
    cluster.node('a').propose('one')
    cluster.settle()
    cluster.heal()
    cluster.node('a').transfer('c')
    cluster.settle(between('a', 'c'))
    cluster.settle()
    expect(cluster.leader?.id).not.toBe('c')
  })

  it('a voter that makes no exception lets no transfer succeed', () => {
    const cluster = new CoreCluster({ rules: { ...RULES, overrulesStickiness: () => false } })
    cluster.elect('a')
    cluster.node('a').transfer('b')
    cluster.settle()
    expect(cluster.leader?.id).toBe('a')
  })
})
