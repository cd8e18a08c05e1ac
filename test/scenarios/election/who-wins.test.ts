// Who wins an election in nets whose nodes are up, down or ahead in their logs, and what it leaves behind (§5.2, §5.4.1,
// thesis §9.6). PreVote is always on, so a node that can not win must leave every term as it was.
import { describe, expect, it } from 'vitest'
import { CoreCluster, diskOf } from '../../support/core-cluster.js'
import { SoloCore } from '../../support/solo-core.js'

const IDS = ['a', 'b', 'c', 'd', 'e', 'f', 'g']

/** What a peer of the candidate is: dead, as long as the candidate's own empty log, or a log of these terms. */
type Peer = 'up' | 'down' | readonly number[]

interface Net {
  readonly peers: readonly Peer[]
  readonly wins: boolean
}

const NETS: readonly Net[] = [
  { peers: [], wins: true },
  { peers: ['up'], wins: true },
  { peers: ['down'], wins: false },
  { peers: ['up', 'up'], wins: true },
  { peers: ['up', 'down'], wins: true },
  { peers: ['down', 'down'], wins: false },
  { peers: ['up', 'down', 'down'], wins: false },
  { peers: ['up', 'up', 'down'], wins: true },
  { peers: ['up', 'up', 'down', 'down'], wins: true },
  { peers: ['up', 'down', 'down', 'down'], wins: false },
  { peers: [[1], [1]], wins: false },
  { peers: [[1], 'up'], wins: true },
  { peers: [[1], [1], [1, 2], 'up'], wins: false },
  { peers: [[1], [1, 2], 'up', 'up'], wins: true },
]

describe('an election', () => {
  it.each(NETS)('of a node with an empty log and the peers $peers is won: $wins', ({ peers, wins }) => {
    const logs = peers.map((peer, at) => [IDS[at + 1], diskOf(typeof peer === 'string' ? [] : peer, 2)] as const)
    const disks = Object.fromEntries([['a', diskOf([], 2)], ...logs])
    const cluster = new CoreCluster({ voters: IDS.slice(0, peers.length + 1), disks })
    peers.forEach((peer, at) => {
      if (peer === 'down') cluster.crash(IDS[at + 1] as string)
    })
    cluster.campaign('a')
    cluster.settle()
    expect(cluster.node('a').state).toMatchObject({ role: wins ? 'leader' : 'preCandidate', currentTerm: wins ? 3 : 2 })
    // Who lost has moved nobody, and whoever is up follows who won, its own log given up.
    for (const { state } of cluster.up) expect(state.currentTerm).toBe(wins ? 3 : 2)
    for (const { state, log } of wins ? cluster.up : []) {
      expect(state.leaderId).toBe('a')
      expect(log.map(({ term }) => term)).toEqual([3])
    }
  })

  it.each([
    { size: 1, answers: '', role: 'leader' },
    { size: 3, answers: '++', role: 'leader' },
    { size: 3, answers: '+', role: 'leader' },
    { size: 3, answers: '', role: 'candidate' },
    { size: 3, answers: '--', role: 'candidate' },
    { size: 5, answers: '++++', role: 'leader' },
    { size: 5, answers: '+++', role: 'leader' },
    { size: 5, answers: '++--', role: 'leader' },
    { size: 5, answers: '+---', role: 'candidate' },
    { size: 5, answers: '+', role: 'candidate' },
    { size: 5, answers: '----', role: 'candidate' },
    { size: 7, answers: '+++---', role: 'leader' },
    { size: 7, answers: '++----', role: 'candidate' },
  ])('of a candidate among $size ends as $role by the votes $answers', ({ size, answers, role }) => {
    const voters = IDS.slice(0, size)
    const node = new SoloCore({ voters })
    node.becomeCandidate(voters.slice(1))
    ;[...answers].forEach((answer, at) => {
      const voteGranted = answer === '+'
      node.receive(IDS[at + 1] as string, { type: 'requestVoteResponse', term: 1, voteGranted })
    })
    expect(node.state).toMatchObject({ role, currentTerm: 1, votedFor: 'a' })
  })
})

describe('after an election', () => {
  it.each([3, 4, 5, 6, 7])('of %d nodes the leader dies and another one of a later term leads the rest', (size) => {
    const cluster = new CoreCluster({ voters: IDS.slice(0, size) })
    cluster.run(1_000)
    const first = cluster.leader
    const firstTerm = first?.state.currentTerm ?? 0
    cluster.crash(first?.id as string)
    cluster.run(1_000)
    expect(cluster.leader?.state.currentTerm).toBeGreaterThan(firstTerm)
    for (const { state } of cluster.up) expect(state.leaderId).toBe(cluster.leader?.id)
  })

  it.each([3, 5, 7])(
    'of %d nodes one that was away comes back, the leader dies again, and there is a leader',
    (size) => {
      const cluster = new CoreCluster({ voters: IDS.slice(0, size) })
      cluster.run(1_000)
      const outdated = cluster.leader?.id as string
      cluster.crash(outdated)
      cluster.run(1_000)
      cluster.leader?.propose('missed by the node that is away')
      cluster.run(100)
      const second = cluster.leader?.id as string
      cluster.restart(outdated)
      cluster.crash(second)
      // Of three nodes the outdated one has to vote, but can not win itself: it lacks what is committed.
      cluster.run(2_000)
      expect(cluster.leader).not.toBeNull()
      if (size === 3) expect(cluster.leader?.id).not.toBe(outdated)
      expect(cluster.node(outdated).log).toEqual(cluster.leader?.log)
    },
  )

  it('a node whose term stayed behind while others elected twice can still complete an election with its vote', () => {
    const cluster = new CoreCluster()
    cluster.elect('a')
    cluster.partition(['a', 'b'], ['c'])
    for (const [last, next] of [
      ['a', 'b'],
      ['b', 'a'],
    ] as const) {
      cluster.crash(last)
      cluster.restart(last)
      cluster.elect(next)
    }
    cluster.run(500)
    expect(cluster.node('c').state).toMatchObject({ role: 'preCandidate', currentTerm: 1 })
    expect(cluster.leader?.state).toMatchObject({ leaderId: 'a', currentTerm: 3 })
    cluster.crash('a')
    cluster.heal()
    cluster.run(1_000)
    // b holds what c lacks, so it is b that wins, with the vote of c.
    expect(cluster.leader?.id).toBe('b')
    expect(cluster.node('c').state).toMatchObject({ role: 'follower', leaderId: 'b' })
  })
})
