// What is committed, by whom and when (§5.3, §5.4.2): the leader's count of replicas in every size of cluster, what a
// follower may call committed, and what becomes of it when leaders change.
import type { Term } from 'helios-raft/core'
import { describe, expect, it } from 'vitest'
import { text } from '../../support/core-node.js'
import { CoreCluster, ofType, to } from '../../support/core-cluster.js'
import { append, entriesOf, heartbeat, SoloCore } from '../../support/solo-core.js'

const VOTERS = ['a', 'b', 'c', 'd', 'e', 'f', 'g']

/** Commands of a node's log up to what it applied. */
const applied = (cluster: CoreCluster, id: string): string[] => {
  const { log, state } = cluster.node(id)
  const done = log.slice(0, state.lastApplied).filter((entry) => entry.type === 'command')
  return done.map((entry) => text(entry.data))
}

describe('a cluster', () => {
  it('applies the same commands everywhere, those before and after a change of leader alike', () => {
    const cluster = new CoreCluster()
    cluster.elect('a').propose('x')
    cluster.run(30)
    for (const id of ['a', 'b', 'c']) expect(applied(cluster, id), id).toEqual(['x'])
    cluster.crash('a')
    cluster.pass(100)
    cluster.elect('b').propose('y')
    cluster.restart('a')
    cluster.run(60)
    for (const id of ['a', 'b', 'c']) expect(applied(cluster, id), id).toEqual(['x', 'y'])
  })

  it('commits on one voter by its own disk alone, and not before', () => {
    const alone = new SoloCore({ voters: ['a'] })
    alone.persistence = 'later'
    alone.tick()
    alone.persist()
    alone.propose('x')
    alone.propose('y')
    expect(alone.state).toMatchObject({ role: 'leader', commitIndex: 1 })
    alone.persist(1)
    expect(alone.state.commitIndex).toBe(2)
    alone.persist(1)
    expect(alone.state).toMatchObject({ commitIndex: 3, lastApplied: 3 })
  })
})

describe("the leader's commitIndex", () => {
  /** What each voter holds durably, the leader's own first; the log's terms; and what a leader of `term` may commit. */
  const table: readonly { match: number[]; terms: Term[]; term: Term; commits: number }[] = [
    // One voter.
    { match: [1], terms: [1], term: 1, commits: 1 },
    { match: [1], terms: [1], term: 2, commits: 0 },
    { match: [2], terms: [1, 2], term: 2, commits: 2 },
    { match: [1], terms: [2], term: 2, commits: 1 },
    // Three: two of them.
    { match: [2, 1, 1], terms: [1, 1], term: 1, commits: 1 },
    { match: [2, 1, 1], terms: [1, 1], term: 2, commits: 0 },
    { match: [2, 1, 2], terms: [1, 2], term: 2, commits: 2 },
    { match: [2, 1, 2], terms: [1, 1], term: 2, commits: 0 },
    { match: [2, 0, 0], terms: [2, 2], term: 2, commits: 0 },
    // Four: three of them.
    { match: [2, 1, 1, 1], terms: [1, 1], term: 1, commits: 1 },
    { match: [2, 1, 1, 2], terms: [1, 1], term: 1, commits: 1 },
    { match: [2, 1, 1, 2], terms: [1, 1], term: 2, commits: 0 },
    { match: [2, 1, 2, 2], terms: [1, 2], term: 2, commits: 2 },
    { match: [2, 1, 2, 2], terms: [1, 1], term: 2, commits: 0 },
    { match: [2, 2, 0, 0], terms: [2, 2], term: 2, commits: 0 },
    // Five: three of them. Six: four.
    { match: [3, 3, 2, 1, 0], terms: [2, 2, 2], term: 2, commits: 2 },
    { match: [3, 3, 3, 0, 0], terms: [1, 1, 2], term: 2, commits: 3 },
    { match: [3, 3, 0, 0, 0], terms: [2, 2, 2], term: 2, commits: 0 },
    { match: [3, 3, 3, 0, 0, 0], terms: [2, 2, 2], term: 2, commits: 0 },
    { match: [3, 3, 3, 1, 0, 0], terms: [2, 2, 2], term: 2, commits: 1 },
    { match: [3, 3, 3, 3, 0, 0, 0], terms: [1, 2, 2], term: 2, commits: 3 },
  ]

  it.each(table)('with $match of the terms $terms in term $term is $commits', ({ match, terms, term, commits }) => {
    // A leader of `term` whose log is exactly that: its own no-op is taken out of what it says, not out of what it does.
    const before = terms.filter((of) => of < term)
    const leader = new SoloCore({ voters: VOTERS.slice(0, match.length), terms: before, currentTerm: term - 1 })
    leader.persistence = 'later'
    if (match.length === 1) leader.tick()
    else leader.timeOut()
    elect(leader, match.length)
    expect(leader.state).toMatchObject({ role: 'leader', currentTerm: term })
    const own = terms.filter((of) => of === term).length
    for (let count = 1; count < own; count++) leader.propose(`${count}`)
    const [mine = 0, ...others] = match
    while (leader.state.persistedIndex < mine && leader.persist(1) > 0);
    expect(leader.state.persistedIndex).toBe(mine)
    others.forEach((index, at) => {
      if (index > 0) leader.acknowledge(VOTERS[at + 1] as string, index)
    })
    expect(leader.state.commitIndex).toBe(commits)
  })

  it.each([
    [1, []],
    [2, ['b']],
    [3, ['b']],
    [4, ['b', 'c']],
    [5, ['b', 'c']],
    [6, ['b', 'c', 'd']],
    [7, ['b', 'c', 'd']],
  ])('in a cluster of %i rises with the last of %j, and with no fewer', (size, needed) => {
    const cluster = new CoreCluster({ voters: VOTERS.slice(0, size) })
    const leader = cluster.elect('a')
    cluster.run(30)
    leader.propose('x')
    expect(leader.state.commitIndex).toBe(size === 1 ? 2 : 1)
    for (const id of needed) {
      expect(leader.state.commitIndex).toBe(1)
      cluster.deliver(to(id))
      cluster.deliver(to('a'))
    }
    expect(leader.state.commitIndex).toBe(2)
  })

  it('takes the entries of earlier leaders along, which alone it never counts', () => {
    for (const earlier of [[1], [1, 1], [1, 2, 3], [3, 3]] as const) {
      const leader = new SoloCore({ terms: earlier, currentTerm: 3 })
      leader.becomeLeader()
      leader.acknowledge('b', earlier.length)
      leader.acknowledge('c', earlier.length)
      expect(leader.state.commitIndex, `${earlier.join()} on all`).toBe(0)
      leader.acknowledge('b', earlier.length + 1)
      expect(leader.state).toMatchObject({ commitIndex: earlier.length + 1, lastApplied: earlier.length + 1 })
    }
  })

  it('stays behind while the new leader cannot bring its own first entry to a majority', () => {
    // Given entries 2..4 of term 1 on a and b only, of five, and then b, which leads, with its no-op held up.
    const cluster = new CoreCluster({ voters: VOTERS.slice(0, 5), appendEntries: 1, inflightMessages: 1 })
    cluster.elect('a')
    cluster.partition(['a', 'b'], ['c', 'd', 'e'])
    for (const command of ['x', 'y', 'z']) cluster.node('a').propose(command)
    cluster.settle()
    expect(cluster.node('a').state.commitIndex).toBe(1)
    cluster.heal()
    cluster.crash('a')
    cluster.pass(100)
    cluster.campaign('b')
    // When all which is of term 1 gets to everybody, and nothing of term 2: a probe with it is let through to be refused.
    cluster.settle(({ to: receiver, message }) => {
      if (message.type !== 'appendEntries' || !message.entries.some(({ term }) => term === 2)) return true
      return cluster.node(receiver).entry(message.prevLogIndex) === undefined
    })
    for (const id of ['c', 'd', 'e']) expect(cluster.node(id).log.map(({ term }) => term)).toEqual([1, 1, 1, 1])
    expect(cluster.node('b').state).toMatchObject({ role: 'leader', currentTerm: 2, commitIndex: 1 })
    expect(cluster.node('b').state.log.lastIndex).toBe(5)
    // Then, with it, all of them at once.
    cluster.run(60)
    expect(cluster.node('b').state.commitIndex).toBe(5)
    for (const id of ['b', 'c', 'd', 'e']) expect(applied(cluster, id), id).toEqual(['x', 'y', 'z'])
  })

  it('rises only: an old acknowledgement after a new one changes nothing', () => {
    const leader = new SoloCore()
    leader.becomeLeader()
    leader.acknowledge('b', 1)
    for (const command of ['x', 'y']) leader.propose(command)
    leader.acknowledge('b', 3)
    leader.acknowledge('b', 1)
    leader.acknowledge('c', 1)
    expect(leader.state.commitIndex).toBe(3)
  })
})

describe("a follower's commitIndex", () => {
  it.each([
    { entries: ['x'], leaderCommit: 1, applies: 1 },
    { entries: ['x', 'y'], leaderCommit: 2, applies: 2 },
    { entries: ['x', 'y'], leaderCommit: 1, applies: 1 },
    { entries: ['x'], leaderCommit: 7, applies: 1 },
    { entries: ['x', 'y', 'z'], leaderCommit: 0, applies: 0 },
  ])('after $entries with leaderCommit $leaderCommit is $applies', ({ entries, leaderCommit, applies }) => {
    const node = new SoloCore({ currentTerm: 1 })
    const message = append({ term: 1, entries: entriesOf(1, ...entries.map(() => 1)), leaderCommit })
    node.receive('b', message)
    expect(node.state).toMatchObject({ commitIndex: applies, lastApplied: applies })
  })

  it('follows the next message of the leader, whatever it is for', () => {
    for (const message of [
      heartbeat({ term: 1, prevLogIndex: 2, prevLogTerm: 1, leaderCommit: 2 }),
      append({ term: 1, prevLogIndex: 2, prevLogTerm: 1, leaderCommit: 2 }),
      append({ term: 1, prevLogIndex: 2, prevLogTerm: 1, entries: entriesOf(3, 1), leaderCommit: 2 }),
    ]) {
      const node = new SoloCore({ terms: [1, 1], currentTerm: 1 })
      node.receive('b', message)
      expect(node.state.commitIndex, JSON.stringify(message)).toBe(2)
    }
  })
})

describe('no entry is told to be committed', () => {
  it('before the acknowledgement of the one whose disk makes the majority', () => {
    const cluster = new CoreCluster()
    cluster.elect('a')
    cluster.node('b').persistence = 'later'
    cluster.crash('c')
    cluster.node('a').propose('x')
    cluster.settle()
    expect(cluster.node('a').state.commitIndex).toBe(1)
    cluster.node('b').persist()
    expect(cluster.network.filter(ofType('appendEntriesResponse'))).toHaveLength(1)
    cluster.settle()
    expect(cluster.node('a').state.commitIndex).toBe(2)
  })
})

/** Gets the pre-votes and the votes of everybody else, whatever the disk of the leader holds back. */
function elect(leader: SoloCore, size: number): void {
  const others = VOTERS.slice(1, size)
  for (const from of others) {
    if (leader.state.role !== 'preCandidate') break
    const { currentTerm, preVoteRound: round } = leader.state
    leader.receive(from, { type: 'preVoteResponse', term: currentTerm + 1, round, voteGranted: true })
  }
  leader.persist(1)
  for (const from of others) {
    if (leader.state.role !== 'candidate') break
    leader.receive(from, { type: 'requestVoteResponse', term: leader.state.currentTerm, voteGranted: true })
  }
}
