// Thesis §6.4.1, leases, as promises of the voters (F20): 1. a leader asks while somebody reads by lease, 2. a voter that
// promised elects nobody until its time is over, 3. the lease counts from when the leader sent what a quorum answered, less
// the drift of clocks, 4. a promise outlives the restart of who made it.
import type { Heartbeat } from 'helios-raft/core'
import { describe, expect, it } from 'vitest'
import { between, CoreCluster, ofType } from '../support/core-cluster.js'
import { heartbeat, heartbeatResponse, preVote, requestVote, SoloCore } from '../support/solo-core.js'

/** A follower of 'b' in term 1, whose promise of 100 ms from 20 on is durable and was given. */
function boundVoter(options: ConstructorParameters<typeof SoloCore>[0] = {}): SoloCore {
  const voter = new SoloCore({ terms: [1], currentTerm: 1, ...options })
  voter.tick(10)
  voter.receive('b', heartbeat({ term: 1, leaseMs: 100 }))
  voter.tick(10)
  voter.receive('b', heartbeat({ term: 1, leaseMs: 100 }))
  expect(voter.last('heartbeatResponse').leaseMs).toBe(100)
  voter.sent = []
  return voter
}

/** Leads term 1 with one entry, which is committed; somebody read by lease, and nobody has promised anything yet. */
function askingLeader(options: ConstructorParameters<typeof SoloCore>[0] = {}): SoloCore {
  const leader = new SoloCore(options)
  leader.becomeLeader()
  leader.acknowledge('b', 1)
  leader.acknowledge('c', 1)
  leader.tick(30)
  leader.read(true)
  leader.tick(30)
  leader.reads = []
  return leader
}

/** The last heartbeat that left. */
function newest(leader: SoloCore): Heartbeat {
  const beats = leader.sent.map(({ message }) => message).filter((message) => message.type === 'heartbeat')
  return beats.at(-1)!
}

/** A peer promises, in answer to the newest heartbeat. Returns when that was sent. */
function promise(leader: SoloCore, from = 'b', leaseMs = 100): number {
  const { sentMs, round } = newest(leader)
  leader.receive(from, heartbeatResponse({ term: leader.state.currentTerm, round, echoMs: sentMs, leaseMs }))
  leader.reads = []
  return sentMs
}

/** Whether a read by lease is answered at once. */
function reads(leader: SoloCore): boolean {
  leader.reads = []
  leader.read(true)
  return leader.reads.some(({ type }) => type === 'ready')
}

describe('thesis §6.4.1: the leader', () => {
  it('asks nobody for a promise before somebody reads by lease, and 10 s later no more', () => {
    const leader = new SoloCore()
    leader.becomeLeader()
    leader.acknowledge('b', 1)
    leader.read()
    expect(newest(leader).leaseMs).toBe(0)
    leader.read(true)
    leader.tick(30)
    expect(newest(leader).leaseMs).toBe(100)
    for (let passed = 0; passed < 10_020; passed += 20) {
      leader.tick(20)
      leader.receive('b', heartbeatResponse({ term: 1, echoMs: newest(leader).sentMs }))
    }
    leader.tick(30)
    expect(newest(leader).leaseMs).toBe(0)
  })

  it('asks for no more than voters promise, however long its election timeout is', () => {
    const leader = new SoloCore({ electionTimeoutMs: 100_000, heartbeatIntervalMs: 30 })
    leader.becomeLeader()
    leader.acknowledge('b', 1)
    leader.read(true)
    expect(newest(leader).leaseMs).toBe(60_000)
  })

  it('answers without a round while a quorum has promised: from when it sent what was answered, less the drift', () => {
    const leader = askingLeader()
    const sentMs = newest(leader).sentMs
    leader.clock += 25
    expect(reads(leader)).toBe(false)
    promise(leader)
    expect(reads(leader)).toBe(true)
    expect(leader.reads).toMatchObject([{ readIndex: 1, isByOwnLease: true }])
    leader.clock = sentMs + 100 / 1.1 - 0.1
    expect(reads(leader)).toBe(true)
    leader.clock = sentMs + 100 / 1.1
    expect(reads(leader)).toBe(false)
  })

  it('takes less than it asked for, and nothing of a voter that promised nothing', () => {
    const leader = askingLeader()
    promise(leader, 'c', 0)
    expect(reads(leader)).toBe(false)
    const sentMs = promise(leader, 'b', 50)
    expect(reads(leader)).toBe(true)
    leader.clock = sentMs + 50 / 1.1
    expect(reads(leader)).toBe(false)
  })

  it('needs a quorum: one of four others is none', () => {
    const leader = askingLeader({ voters: ['a', 'b', 'c', 'd', 'e'] })
    leader.acknowledge('d', 1)
    promise(leader)
    expect(reads(leader)).toBe(false)
    promise(leader, 'd')
    expect(reads(leader)).toBe(true)
  })

  it('H63: has none before an entry of its term is committed', () => {
    const leader = new SoloCore()
    leader.becomeLeader()
    leader.read(true)
    leader.tick(30)
    promise(leader)
    expect(reads(leader)).toBe(false)
    leader.acknowledge('b', 1)
    expect(reads(leader)).toBe(true)
  })

  it('H117: has none any more in a term in which it told somebody to take over, and asks for none', () => {
    const leader = askingLeader()
    promise(leader)
    leader.transfer('b')
    expect(leader.take('timeoutNow')).toHaveLength(1)
    expect(reads(leader)).toBe(false)
    leader.tick(60)
    leader.receive('c', heartbeatResponse({ term: 1 }))
    leader.tick(50)
    expect(leader.transfers.at(-1)).toMatchObject({ type: 'ended', reason: 'timeout' })
    expect(newest(leader).leaseMs).toBe(0)
    promise(leader)
    expect(reads(leader)).toBe(false)
  })

  it('H20: keeps it while the target of a transfer catches up: nobody was told to campaign', () => {
    const leader = askingLeader()
    promise(leader)
    leader.propose('one')
    leader.transfer('b')
    expect(leader.take('timeoutNow')).toEqual([])
    expect(reads(leader)).toBe(true)
  })

  it('has none from the append of a configuration until a heartbeat behind its commit is answered', () => {
    const leader = askingLeader()
    promise(leader)
    leader.change('add', ['d?'])
    leader.tick(30)
    const { sentMs } = newest(leader)
    expect(reads(leader)).toBe(false)
    promise(leader)
    expect(reads(leader)).toBe(false)
    leader.acknowledge('b', 2)
    expect(leader.state.commitIndex).toBe(2)
    leader.receive('b', heartbeatResponse({ term: 1, echoMs: sentMs, leaseMs: 100 }))
    expect(reads(leader)).toBe(false)
    leader.tick(30)
    promise(leader)
    expect(reads(leader)).toBe(true)
  })

  it('H117: forgets it when the wall clock says that the machine was suspended', () => {
    const leader = askingLeader()
    promise(leader)
    leader.wallTime += leader.clock
    expect(reads(leader)).toBe(false)
    leader.tick(30)
    promise(leader)
    expect(reads(leader)).toBe(true)
    leader.wallTime += 11
    expect(reads(leader)).toBe(false)
  })

  it('H105: forgets it when its event loop stood still', () => {
    const leader = askingLeader()
    promise(leader, 'b', 60_000)
    expect(reads(leader)).toBe(true)
    leader.clock += 101
    expect(reads(leader)).toBe(false)
  })

  it('has it by itself where it is the only voter', () => {
    const leader = new SoloCore({ voters: ['a'] })
    leader.tick()
    expect(leader.state.role).toBe('leader')
    expect(reads(leader)).toBe(true)
  })

  it('answers a follower by its lease too, and by a round without one', () => {
    const cluster = new CoreCluster()
    const leader = cluster.elect('a')
    cluster.read('b', true)
    cluster.settle()
    cluster.run(60)
    expect(leader.state.progress.get('b')?.promisedUntil).toBeGreaterThan(0)
    cluster.read('b', true)
    cluster.deliver(between('b', 'a'))
    expect(leader.state.reads).toEqual([])
    expect(cluster.network.filter(ofType('readIndexResponse'))).toHaveLength(1)
  })
})

describe('thesis §6.4.1: the voter', () => {
  it('makes a promise when the store knows such long ones, and answers 0 until then', () => {
    const voter = new SoloCore({ terms: [1], currentTerm: 1 })
    voter.persistence = 'later'
    voter.receive('b', heartbeat({ term: 1, leaseMs: 100 }))
    voter.receive('b', heartbeat({ term: 1, leaseMs: 100 }))
    expect(voter.writes.map(({ leasePromiseMs }) => leasePromiseMs)).toEqual([100])
    expect(voter.take('heartbeatResponse').map(({ message }) => message)).toMatchObject([
      { leaseMs: 0 },
      { leaseMs: 0 },
    ])
    voter.persist()
    voter.receive('b', heartbeat({ term: 1, leaseMs: 100 }))
    expect(voter.last('heartbeatResponse').leaseMs).toBe(100)
    voter.receive('b', heartbeat({ term: 1, leaseMs: 80 }))
    expect(voter.last('heartbeatResponse').leaseMs).toBe(80)
    expect(voter.writes).toEqual([])
  })

  it('promises nothing to a leader of the past, nor longer than a minute', () => {
    const voter = new SoloCore({ terms: [1], currentTerm: 2 })
    voter.receive('b', heartbeat({ term: 1, leaseMs: 100 }))
    voter.receive('c', heartbeat({ term: 2, leaseMs: 60_001 }))
    expect(voter.take('heartbeatResponse').map(({ message }) => message)).toMatchObject([
      { leaseMs: 0 },
      { leaseMs: 0 },
    ])
    expect(voter.state.leasePromiseMs).toBe(0)
  })

  it('H117: elects nobody until its time is over, whatever its own election timeout is', () => {
    const voter = boundVoter({ electionTimeoutMs: 30, heartbeatIntervalMs: 10 })
    voter.clock = 119
    voter.receive('c', preVote({ term: 2, lastLogIndex: 1, lastLogTerm: 1 }))
    expect(voter.last('preVoteResponse').voteGranted).toBe(false)
    voter.receive('c', requestVote({ term: 2, lastLogIndex: 1, lastLogTerm: 1 }))
    expect(voter.take('requestVoteResponse')).toEqual([])
    expect(voter.state.currentTerm).toBe(1)
    voter.clock = 120
    voter.receive('c', preVote({ term: 2, lastLogIndex: 1, lastLogTerm: 1 }))
    expect(voter.last('preVoteResponse').voteGranted).toBe(true)
    voter.receive('c', requestVote({ term: 2, lastLogIndex: 1, lastLogTerm: 1 }))
    expect(voter.last('requestVoteResponse').voteGranted).toBe(true)
  })

  it('does not campaign itself before that', () => {
    const voter = boundVoter({ electionTimeoutMs: 30, heartbeatIntervalMs: 10 })
    voter.tick(99)
    expect(voter.state.role).toBe('follower')
    voter.tick(1)
    expect(voter.state.role).toBe('preCandidate')
  })

  it('H117: owes it also when the connection of its leader ends (F3), and asks soon behind it', () => {
    const voter = boundVoter()
    voter.peerStatus('b', 'reset')
    voter.receive('c', requestVote({ term: 2, lastLogIndex: 1, lastLogTerm: 1 }))
    expect(voter.state.currentTerm).toBe(1)
    voter.tick(99)
    expect(voter.state.role).toBe('follower')
    voter.tick(16)
    expect(voter.state.role).toBe('preCandidate')
  })

  it('refuses also in a term that it got into without a vote', () => {
    const voter = boundVoter()
    voter.receive('c', heartbeatResponse({ term: 2 }))
    expect(voter.state.currentTerm).toBe(2)
    voter.receive('c', requestVote({ term: 2, lastLogIndex: 1, lastLogTerm: 1 }))
    expect(voter.last('requestVoteResponse').voteGranted).toBe(false)
    expect(voter.state.votedFor).toBeNull()
  })

  it('H20: votes for whom its leader told to take over, in the term behind its own only', () => {
    const asked = { lastLogIndex: 1, lastLogTerm: 1, leadershipTransfer: true }
    const later = boundVoter()
    later.receive('c', requestVote({ ...asked, term: 3 }))
    expect(later.state.currentTerm).toBe(1)
    const voter = boundVoter()
    voter.receive('c', requestVote({ ...asked, term: 2 }))
    expect(voter.last('requestVoteResponse').voteGranted).toBe(true)
  })

  it('campaigns when its leader tells it to, and not when another one does', () => {
    const voter = boundVoter()
    voter.receive('c', heartbeat({ term: 2 }))
    voter.receive('c', { type: 'timeoutNow', term: 2 })
    expect(voter.state.role).toBe('follower')
    const target = boundVoter()
    target.receive('b', { type: 'timeoutNow', term: 1 })
    expect(target.state.role).toBe('candidate')
  })

  it('H69: owes after a restart the longest that it ever promised, to everybody and without an exemption', () => {
    const voter = boundVoter()
    voter.crash()
    voter.start(1_000)
    const asked = { lastLogIndex: 1, lastLogTerm: 1, leadershipTransfer: true }
    voter.clock = 1_099
    voter.receive('c', preVote({ term: 2, lastLogIndex: 1, lastLogTerm: 1 }))
    expect(voter.last('preVoteResponse').voteGranted).toBe(false)
    voter.receive('c', requestVote({ ...asked, term: 2 }))
    expect(voter.state.currentTerm).toBe(1)
    voter.receive('b', { type: 'timeoutNow', term: 1 })
    expect(voter.state.role).toBe('follower')
    voter.clock = 1_100
    voter.receive('c', requestVote({ ...asked, term: 2 }))
    expect(voter.last('requestVoteResponse').voteGranted).toBe(true)
  })

  it('waits also where it is the only voter', () => {
    const voter = boundVoter()
    voter.crash()
    const alone = new SoloCore({ voters: ['a'], disk: { ...voter.durable } })
    alone.tick(99)
    expect(alone.state.role).toBe('follower')
    alone.tick(1)
    expect(alone.state.role).toBe('leader')
  })
})
