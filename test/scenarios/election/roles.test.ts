// The changes of role (figure 4): which may follow which, what each leaves of term and leader, and that what belongs to a
// role that is over (an own vote, an own write, a late answer) counts for nothing any more.
import type { Message, Role } from 'helios-raft/core'
import { describe, expect, it } from 'vitest'
import { CoreCluster } from '../../support/core-cluster.js'
import { append, heartbeat, heartbeatResponse, requestVote, SoloCore } from '../../support/solo-core.js'

const grant = (term: number) => ({ type: 'requestVoteResponse', term, voteGranted: true }) as const
const preGrant = (term: number, round: number) => ({ type: 'preVoteResponse', term, round, voteGranted: true }) as const

const BECOME: Readonly<Record<Role, (node: SoloCore) => void>> = {
  follower: () => {},
  preCandidate: (node) => node.timeOut(),
  candidate: (node) => node.becomeCandidate(),
  leader: (node) => node.becomeLeader(),
}

describe('the changes of role', () => {
  it('are those of figure 4 with its pre-candidate, and no others, whatever happens', () => {
    const allowed = new Set([
      'follower preCandidate',
      'preCandidate candidate',
      'candidate preCandidate',
      'candidate leader',
      'preCandidate leader',
      'preCandidate follower',
      'candidate follower',
      'leader follower',
    ])
    const seen = new Set<string>()
    for (let seed = 1; seed <= 8; seed++) {
      const cluster = new CoreCluster({ seed, voters: ['a', 'b', 'c', 'd'] })
      for (let at = 0; at < 24; at++) {
        if (at % 4 === 0) cluster.partition(at % 8 === 0 ? ['a', 'b'] : ['a', 'c', 'd'], ['b'])
        if (at % 4 === 2) cluster.heal()
        cluster.drop(({ message }) => message.type === 'requestVoteResponse' && (at + seed) % 3 === 0)
        cluster.run(70 + seed)
      }
      for (const { roles } of cluster.nodes.values())
        for (const { previous, role } of roles) seen.add(`${previous} ${role}`)
    }
    expect([...seen].filter((change) => !allowed.has(change))).toEqual([])
    for (const change of ['follower preCandidate', 'preCandidate candidate', 'candidate leader', 'leader follower'])
      expect(seen, change).toContain(change)
  })

  it.each([
    { from: 'follower', by: 'its timer', to: 'preCandidate', term: 2, leaderId: null },
    { from: 'preCandidate', by: 'its timer', to: 'preCandidate', term: 2, leaderId: null },
    { from: 'preCandidate', by: 'a grant', to: 'candidate', term: 3, leaderId: null },
    { from: 'preCandidate', by: 'the leader', to: 'follower', term: 2, leaderId: 'b' },
    { from: 'candidate', by: 'its timer', to: 'preCandidate', term: 3, leaderId: null },
    { from: 'candidate', by: 'a grant', to: 'leader', term: 3, leaderId: 'a' },
    { from: 'candidate', by: 'the leader', to: 'follower', term: 3, leaderId: 'b' },
    { from: 'leader', by: 'its timer', to: 'follower', term: 3, leaderId: null },
    { from: 'leader', by: 'a grant', to: 'leader', term: 3, leaderId: 'a' },
  ] as const)('a $from becomes $to by $by, in term $term under $leaderId', ({ from, by, to, term, leaderId }) => {
    const node = new SoloCore({ terms: [1], currentTerm: 2 })
    BECOME[from](node)
    const { currentTerm, preVoteRound } = node.state
    if (by === 'its timer') from === 'leader' ? node.tick(100) : node.timeOut()
    if (by === 'the leader') node.receive('b', heartbeat({ term: currentTerm }))
    if (by === 'a grant') {
      node.receive('b', from === 'preCandidate' ? preGrant(currentTerm + 1, preVoteRound) : grant(currentTerm))
    }
    expect(node.state).toMatchObject({ role: to, currentTerm: term, leaderId })
  })
})

describe('a later term', () => {
  const messages: readonly { readonly message: Message; readonly leaderId: string | null }[] = [
    { message: requestVote({ term: 7 }), leaderId: null },
    { message: append({ term: 7 }), leaderId: 'b' },
    { message: heartbeat({ term: 7 }), leaderId: 'b' },
  ]
  const rows = messages.flatMap((row) => (Object.keys(BECOME) as Role[]).map((role) => ({ ...row, role })))

  it.each(rows)('in a $message.type makes a $role a follower of $leaderId and leaves its log alone', (row) => {
    const { message, leaderId, role } = row
    const node = new SoloCore({ terms: [1, 2], currentTerm: 2 })
    BECOME[role](node)
    const { length } = node.log
    // A leader that hears its quorum helps nobody to replace it; one that lost it obeys as everybody does.
    if (role === 'leader' && message.type === 'requestVote') node.tick(100)
    node.receive('b', message)
    expect(node.state).toMatchObject({ role: 'follower', currentTerm: 7, leaderId })
    expect(node.log).toHaveLength(length)
  })
})

describe('a leader', () => {
  it('never campaigns, however long its election timer has run out', () => {
    const node = new SoloCore()
    node.becomeLeader()
    const { electionDeadline } = node.state
    for (let time = 0; time < 2_000; time += 50) {
      node.tick(50)
      for (const from of ['b', 'c']) node.receive(from, heartbeatResponse({ term: 1 }))
    }
    expect(node.clock).toBeGreaterThan(electionDeadline + 1_000)
    expect(node.state).toMatchObject({ role: 'leader', currentTerm: 1, preVoteRound: 1 })
    expect(node.roles.map(({ role }) => role)).toEqual(['preCandidate', 'candidate', 'leader'])
    expect(node.take('preVote')).toHaveLength(2)
  })

  it('of one voter does not either', () => {
    const node = new SoloCore({ voters: ['a'] })
    node.tick(5_000)
    expect(node.state).toMatchObject({ role: 'leader', currentTerm: 1, preVoteRound: 1 })
  })

  it('that was deposed commits nothing when its own write becomes durable', () => {
    const node = new SoloCore({ voters: ['a', 'b', 'c'] })
    node.becomeLeader()
    node.persistence = 'later'
    node.propose('x')
    node.acknowledge('b', 1)
    expect(node.state.commitIndex).toBe(1)
    node.receive('c', heartbeat({ term: 2 }))
    node.persist()
    expect(node.state).toMatchObject({ role: 'follower', leaderId: 'c', commitIndex: 1, persistedIndex: 2 })
  })

  it('that was deposed by who overwrites its entry commits nothing of it either', () => {
    const node = new SoloCore({ voters: ['a', 'b', 'c'] })
    node.becomeLeader()
    node.persistence = 'later'
    node.propose('x')
    const entries = [{ index: 2, term: 2, type: 'noop', timestamp: 0, data: new Uint8Array() }] as const
    node.receive('c', append({ term: 2, prevLogIndex: 1, prevLogTerm: 1, entries }))
    node.persist(1)
    expect(node.state).toMatchObject({ role: 'follower', persistedIndex: 1, commitIndex: 0 })
  })
})

describe('an election that is over', () => {
  it.each([
    { what: 'the leader of its term', message: heartbeat({ term: 1 }), votedFor: 'a' },
    { what: 'a later term', message: heartbeat({ term: 2 }), votedFor: null },
  ])('by $what: the own vote that becomes durable now elects nobody', ({ message, votedFor }) => {
    const node = new SoloCore({ voters: ['a', 'b', 'c'] })
    node.persistence = 'later'
    node.becomeCandidate()
    node.receive('c', grant(1))
    node.receive('b', message)
    node.persist()
    node.receive('c', grant(1))
    expect(node.state).toMatchObject({ role: 'follower', leaderId: 'b', currentTerm: message.term, votedFor })
    expect(node.roles.map(({ role }) => role)).not.toContain('leader')
  })

  it('before it began: grants that come to a pre-candidate which follows again begin no candidacy', () => {
    const node = new SoloCore({ voters: ['a', 'b', 'c'], currentTerm: 1 })
    node.timeOut()
    const { preVoteRound } = node.state
    node.receive('b', heartbeat({ term: 1 }))
    for (const from of ['b', 'c']) node.receive(from, preGrant(2, preVoteRound))
    expect(node.state).toMatchObject({ role: 'follower', leaderId: 'b', currentTerm: 1 })
  })
})

describe('a node that its own configuration leaves out', () => {
  it('follows the leader, stores what it sends, and never campaigns', () => {
    const node = new SoloCore({ id: 'x', voters: ['a', 'b', 'c'], currentTerm: 1 })
    const entries = [{ index: 1, term: 1, type: 'noop', timestamp: 0, data: new Uint8Array() }] as const
    node.receive('a', append({ term: 1, entries, leaderCommit: 1 }))
    expect(node.state).toMatchObject({ role: 'follower', leaderId: 'a', commitIndex: 1 })
    node.sent = []
    node.tick(5_000)
    expect(node.state).toMatchObject({ role: 'follower', currentTerm: 1, preVoteRound: 0 })
    expect(node.sent).toEqual([])
  })
})
