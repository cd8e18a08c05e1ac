// Thesis §4.2.3 and §6.2: who hears a leader helps nobody to replace it, and a leader that hears no quorum stops being
// one (F1-F3; H9, H13-H16, H105).
import { RULES } from 'helios-raft/core'
import { describe, expect, it } from 'vitest'
import { CoreCluster } from '../support/core-cluster.js'
import { heartbeat, heartbeatResponse, preVote, requestVote, SoloCore } from '../support/solo-core.js'

describe('thesis §4.2.3: stickiness', () => {
  it('within the shortest election timeout a follower of a leader ignores RequestVote, its term too', () => {
    const node = new SoloCore({ currentTerm: 1 })
    node.receive('b', heartbeat({ term: 1 }))
    node.sent = []
    node.clock += 99
    node.receive('c', requestVote({ term: 9 }))
    expect(node.state.currentTerm).toBe(1)
    expect(node.sent).toEqual([])
    node.clock += 1
    node.receive('c', requestVote({ term: 9 }))
    expect(node.state).toMatchObject({ currentTerm: 9, votedFor: 'c' })
  })

  it('refuses a pre-vote meanwhile, and grants it after', () => {
    const node = new SoloCore({ currentTerm: 1 })
    node.receive('b', heartbeat({ term: 1 }))
    node.clock += 99
    node.receive('c', preVote({ term: 2 }))
    expect(node.last('preVoteResponse').voteGranted).toBe(false)
    node.clock += 1
    node.receive('c', preVote({ term: 2 }))
    expect(node.last('preVoteResponse').voteGranted).toBe(true)
  })

  it('a leader never helps to replace itself', () => {
    const node = new SoloCore()
    node.becomeLeader()
    node.receive('b', requestVote({ term: 9, lastLogIndex: 9, lastLogTerm: 8 }))
    node.receive('b', preVote({ term: 9, lastLogIndex: 9, lastLogTerm: 8 }))
    expect(node.state).toMatchObject({ role: 'leader', currentTerm: 1 })
    expect(node.last('preVoteResponse').voteGranted).toBe(false)
  })

  it('a leader of the past is no reason to be sticky', () => {
    const node = new SoloCore({ currentTerm: 2 })
    node.receive('b', heartbeat({ term: 1 }))
    node.receive('c', preVote({ term: 3 }))
    expect(node.last('preVoteResponse').voteGranted).toBe(true)
  })

  it('a restarted voter has heard nobody and votes', () => {
    const node = new SoloCore({ currentTerm: 1 })
    node.receive('b', heartbeat({ term: 1 }))
    node.crash()
    node.start()
    node.receive('c', preVote({ term: 2 }))
    expect(node.last('preVoteResponse').voteGranted).toBe(true)
  })
})

describe('thesis §6.2: CheckQuorum', () => {
  it('answers of a quorum keep a leader; answers of learners and of a minority do not', () => {
    const node = new SoloCore({ voters: ['a', 'b', 'c', 'd', 'e'], learners: ['l'] })
    node.becomeLeader(['b', 'c', 'd', 'e'])
    const hear = (...ids: string[]) => {
      for (const id of ids) node.receive(id, heartbeatResponse({ term: 1 }))
    }
    for (let round = 0; round < 5; round++) {
      node.tick(80)
      hear('b', 'c')
    }
    expect(node.state.role).toBe('leader')
    node.tick(80)
    hear('b', 'l')
    node.tick(20)
    expect(node.state.role).toBe('follower')
  })

  it('a leader that stepped down stops all traffic and starts its timer anew', () => {
    const node = new SoloCore()
    node.becomeLeader()
    node.tick(100)
    node.sent = []
    expect(node.state.electionDeadline).toBeGreaterThanOrEqual(node.clock + 100)
    node.tick(60)
    expect(node.sent).toEqual([])
  })

  it('H13: with a link that works one way only, for ever, there is one stable leader', () => {
    for (const [from, to] of [
      ['a', 'b'],
      ['b', 'a'],
    ] as const) {
      const cluster = new CoreCluster()
      cluster.elect('a')
      cluster.cut(from, to)
      cluster.run(2_000)
      const term = cluster.leader?.state.currentTerm ?? 0
      expect(term).toBeGreaterThan(0)
      cluster.run(3_000)
      expect(cluster.leader?.state.currentTerm, `${from} to ${to} cut`).toBe(term)
    }
  })

  it('H13: a leader that can send but not hear makes room', () => {
    const cluster = new CoreCluster()
    cluster.elect('a')
    cluster.cut('b', 'a')
    cluster.cut('c', 'a')
    cluster.run(1_000)
    expect(cluster.leader?.id).not.toBe('a')
    expect(cluster.node('a').state.role).not.toBe('leader')
  })

  it('H13: a leader that can hear but not send is replaced, and follows', () => {
    const cluster = new CoreCluster()
    cluster.elect('a')
    cluster.cut('a', 'b')
    cluster.cut('a', 'c')
    cluster.run(1_000)
    expect(cluster.leader?.id).not.toBe('a')
    expect(cluster.node('a').state).toMatchObject({ role: 'follower', leaderId: cluster.leader?.id })
  })

  it('H14: a partial partition, a ring and a bridge keep one leader', () => {
    const ids = ['a', 'b', 'c', 'd', 'e']
    const joined = {
      partial: (x: number, y: number) => !(x === 0 && y === 2) && !(x === 2 && y === 0),
      ring: (x: number, y: number) => [1, 4].includes((x - y + 5) % 5),
      bridge: (x: number, y: number) => x === 2 || y === 2 || x < 2 === y < 2,
    }
    for (const [name, isJoined] of Object.entries(joined)) {
      const cluster = new CoreCluster({ voters: ids })
      cluster.run(1_000)
      ids.forEach((from, x) => {
        ids.forEach((to, y) => {
          if (x !== y && !isJoined(x, y)) cluster.cut(from, to)
        })
      })
      cluster.run(3_000)
      const leader = cluster.leader?.id
      expect(leader, name).toBeDefined()
      cluster.run(5_000)
      expect(cluster.leader?.id, name).toBe(leader)
    }
  })
})

describe('F2: stalls', () => {
  it('H16, H105: after a gap longer than the timeout nobody campaigns at once; the timer starts again', () => {
    const node = new SoloCore({ currentTerm: 1 })
    node.receive('b', heartbeat({ term: 1 }))
    node.clock += 3_000
    node.step({ type: 'tick', now: node.clock })
    expect(node.state).toMatchObject({ role: 'follower', currentTerm: 1 })
    expect(node.state.electionDeadline).toBeGreaterThanOrEqual(node.clock + 100)
  })

  it('a gap of just the timeout is no stall', () => {
    const node = new SoloCore({ currentTerm: 1, seed: 3 })
    node.clock = node.state.electionDeadline
    while (node.clock - node.state.now > 100) node.step({ type: 'tick', now: node.state.now + 100 })
    node.step({ type: 'tick', now: node.clock })
    expect(node.state.role).toBe('preCandidate')
  })

  it('a leader that stood still has one timeout to hear from its quorum, and no more', () => {
    const node = new SoloCore()
    node.becomeLeader()
    node.clock += 3_000
    node.step({ type: 'tick', now: node.clock })
    expect(node.state.role).toBe('leader')
    node.tick(100)
    expect(node.state.role).toBe('follower')
  })

  it('a clock that goes back is a broken promise of the driver and stops the node', () => {
    const node = new SoloCore()
    node.tick(50)
    expect(() => node.step({ type: 'tick', now: 49 })).toThrow(/clock never goes back/)
  })
})

describe('F3: the connection of the leader was ended by its side', () => {
  it('a follower asks early, and the others must agree', () => {
    const cluster = new CoreCluster()
    cluster.elect('a')
    cluster.run(60)
    cluster.crash('a')
    for (const id of ['b', 'c']) cluster.node(id).peerStatus('a', 'reset')
    cluster.run(50)
    expect(cluster.leader?.id).toMatch(/[bc]/)
  })

  it('a follower that saw it too grants a pre-vote at once, well within the timeout', () => {
    const node = new SoloCore({ currentTerm: 1 })
    node.receive('b', heartbeat({ term: 1 }))
    node.peerStatus('b', 'reset')
    node.receive('c', preVote({ term: 2 }))
    expect(node.last('preVoteResponse').voteGranted).toBe(true)
  })

  it('while the leader lives and the others hear it nothing happens', () => {
    const cluster = new CoreCluster()
    cluster.elect('a')
    cluster.run(60)
    cluster.node('b').peerStatus('a', 'reset')
    cluster.run(500)
    expect(cluster.leader?.state).toMatchObject({ leaderId: 'a', currentTerm: 1 })
  })

  it('the end of another connection, or one that we closed, changes nothing', () => {
    const node = new SoloCore({ currentTerm: 1 })
    node.receive('b', heartbeat({ term: 1 }))
    const before = structuredClone(node.state)
    node.peerStatus('c', 'reset')
    node.peerStatus('b', 'closed')
    node.peerStatus('b', 'up')
    expect(node.state).toEqual(before)
  })

  it('a rule that is never sticky would let any reset depose a living leader', () => {
    const cluster = new CoreCluster({ rules: { ...RULES, isSticky: () => false } })
    cluster.elect('a')
    cluster.node('b').peerStatus('a', 'reset')
    cluster.run(20)
    expect(cluster.leader?.state.currentTerm).toBeGreaterThan(1)
  })
})
