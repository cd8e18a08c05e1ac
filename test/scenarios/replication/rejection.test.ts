// How leader and follower find the place where their logs meet (§5.3; F8, H28): refusal by refusal for pairs of logs of
// every shape, and one probe for each kind of stale answer.
import type { Term } from 'helios-raft/core'
import { describe, expect, it } from 'vitest'
import { both, CoreCluster, diskOf, ofType, to } from '../../support/core-cluster.js'
import { append, appendResponse, entriesOf, SoloCore } from '../../support/solo-core.js'

interface Pair {
  readonly what: string
  readonly leader: readonly Term[]
  readonly follower: readonly Term[]
  /** What the follower says to each probe that is refused: index and term. */
  readonly hints: readonly (readonly [number, Term])[]
  /** prevLogIndex of the probe that is taken. */
  readonly meet: number
}

const PAIRS: readonly Pair[] = [
  { what: 'the same', leader: [1, 1, 2], follower: [1, 1, 2], hints: [], meet: 3 },
  { what: 'an empty follower', leader: [1, 2, 3, 4, 5], follower: [], hints: [[0, 0]], meet: 0 },
  { what: 'a prefix of one term', leader: [1, 1, 1, 1], follower: [1, 1], hints: [[2, 1]], meet: 2 },
  { what: 'a prefix of another term', leader: [1, 3, 3, 3], follower: [1], hints: [[1, 1]], meet: 1 },
  { what: 'a longer follower that agrees', leader: [1, 1], follower: [1, 1, 1, 1], hints: [], meet: 2 },
  { what: 'newer terms on the follower', leader: [1, 1, 1, 1], follower: [1, 2, 2, 4], hints: [[1, 1]], meet: 1 },
  { what: 'newer terms on a short follower', leader: [1, 1, 1, 1], follower: [1, 2], hints: [[1, 1]], meet: 1 },
  { what: 'terms around those of the leader', leader: [1, 3, 3, 3], follower: [1, 2, 2, 5], hints: [[3, 2]], meet: 1 },
  {
    what: 'an older term, longer',
    leader: [1, 2, 2, 4, 4, 4, 4],
    follower: [1, 2, 2, 3, 3, 3, 3, 3],
    hints: [[7, 3]],
    meet: 3,
  },
  {
    what: 'an older term that both know',
    leader: [1, 2, 2, 3, 4, 4, 4, 5],
    follower: [1, 2, 2, 3, 3, 3, 3, 3, 3, 3],
    hints: [[8, 3]],
    meet: 4,
  },
  {
    what: 'one old term below one new term',
    leader: [2, 5, 5, 5, 5, 5, 5, 5, 5],
    follower: [2, 4, 4, 4, 4, 4],
    hints: [[6, 4]],
    meet: 1,
  },
  {
    what: 'nothing in common',
    leader: [2, 5, 5, 5, 5, 5, 5, 5, 5],
    follower: [3, 3, 3, 3],
    hints: [
      [4, 3],
      [0, 0],
    ],
    meet: 0,
  },
  { what: 'nothing in common, short leader', leader: [7], follower: [1, 1, 1], hints: [[1, 1]], meet: 0 },
  { what: 'one entry of another term', leader: [1, 4], follower: [1, 2, 3], hints: [[2, 2]], meet: 1 },
  {
    what: 'a term for each entry, in turns',
    leader: [1, 3, 5, 7],
    follower: [1, 2, 4, 6],
    hints: [
      [4, 6],
      [3, 4],
      [2, 2],
    ],
    meet: 1,
  },
]

/** a leads with one log, b follows with another, c has none and votes for a. b has heard nothing yet. */
function pair(leader: readonly Term[], follower: readonly Term[]): CoreCluster {
  const cluster = new CoreCluster({ disks: { a: diskOf(leader, 9), b: diskOf(follower, 9), c: diskOf([], 9) } })
  cluster.partition(['a', 'c'], ['b'])
  cluster.elect('a')
  cluster.heal()
  cluster.node('a').peerStatus('b', 'up')
  return cluster
}

describe('logs that differ', () => {
  it.each(PAIRS)('$what: $leader and $follower', ({ leader, follower, hints, meet }) => {
    const cluster = pair(leader, follower)
    const refusals: [number, Term][] = []
    let prevLogIndex = -1
    cluster.onDeliver = ({ message, to: receiver }) => {
      if (message.type === 'appendEntries' && receiver === 'b') prevLogIndex = message.prevLogIndex
      if (message.type !== 'appendEntriesResponse' || message.outcome !== 'mismatch') return
      expect(message.index).toBe(prevLogIndex)
      refusals.push([message.hintIndex, message.hintTerm])
    }
    cluster.settle((packet) => packet.message.type !== 'appendEntriesResponse' || refusals.length <= hints.length)
    expect(refusals).toEqual(hints)
    expect(prevLogIndex).toBe(meet)
    expect(cluster.node('b').log.map(({ term }) => term)).toEqual([...leader, 10])
    expect(cluster.node('b').durable.log.map(({ term }) => term)).toEqual([...leader, 10])
  })

  it('the leader sends no second probe before the first is answered', () => {
    const cluster = pair([1, 3, 5, 7], [1, 2, 4, 6])
    const probes = both(ofType('appendEntries'), to('b'))
    for (let probe = 0; probe < 4; probe++) {
      cluster.node('a').propose(`${probe}`)
      expect(cluster.network.filter(probes)).toHaveLength(1)
      cluster.deliver(probes)
      cluster.deliver(ofType('appendEntriesResponse'))
    }
    expect(cluster.node('a').state.progress.get('b')?.state).toBe('replicate')
  })

  it('the first answer that fits opens the window behind it, from there and not from the end', () => {
    const cluster = pair([1, 1, 1, 1], [1])
    cluster.node('a').propose('x')
    cluster.settle()
    expect(cluster.node('a').state.progress.get('b')).toMatchObject({ state: 'replicate', matchIndex: 6, nextIndex: 7 })
  })
})

describe('a refusal', () => {
  function probing(): SoloCore {
    const leader = new SoloCore({ terms: [1, 2, 3, 4, 5, 5], currentTerm: 6 })
    leader.becomeLeader()
    leader.sent = []
    return leader
  }
  const refuse = (leader: SoloCore, index: number, hint: readonly [number, Term]) => {
    const [hintIndex, hintTerm] = hint
    leader.receive('b', appendResponse({ term: 7, outcome: 'mismatch', index, hintIndex, hintTerm }))
  }
  const nextIndex = (leader: SoloCore) => leader.state.progress.get('b')?.nextIndex

  it('with a hint jumps to it, term by term and not entry by entry', () => {
    for (const [hint, next] of [
      [[4, 4], 5],
      [[3, 2], 3],
      [[1, 1], 2],
      [[0, 0], 1],
    ] as const) {
      const leader = probing()
      refuse(leader, 6, hint)
      expect(nextIndex(leader), `hint ${hint.join('/')}`).toBe(next)
      expect(leader.take('appendEntries').filter((sent) => sent.to === 'b')).toMatchObject([
        { message: { prevLogIndex: next - 1 } },
      ])
    }
  })

  it('always moves, also when its hint is beyond what was asked', () => {
    const leader = probing()
    refuse(leader, 6, [9, 5])
    expect(nextIndex(leader)).toBe(6)
    refuse(leader, 5, [5, 9])
    expect(nextIndex(leader)).toBe(5)
  })

  it('of another probe than the one under way, and one that comes twice, moves nothing', () => {
    const leader = probing()
    refuse(leader, 5, [0, 0])
    expect(nextIndex(leader)).toBe(7)
    refuse(leader, 6, [4, 4])
    leader.sent = []
    refuse(leader, 6, [4, 4])
    expect([nextIndex(leader), leader.sent]).toEqual([5, []])
  })

  it('in the window moves nothing when it is of what is acknowledged already, and starts over when it is not', () => {
    const leader = probing()
    leader.acknowledge('b', 7)
    for (const command of ['x', 'y', 'z']) leader.propose(command)
    leader.acknowledge('b', 8)
    leader.sent = []
    for (const stale of [0, 6, 7, 8]) refuse(leader, stale, [stale, 5])
    expect(leader.state.progress.get('b')).toMatchObject({ state: 'replicate', matchIndex: 8, nextIndex: 11 })
    expect(leader.sent).toEqual([])
    refuse(leader, 9, [8, 7])
    expect(leader.state.progress.get('b')).toMatchObject({ state: 'probe', matchIndex: 8, nextIndex: 9 })
    expect(leader.take('appendEntries')).toMatchObject([{ to: 'b', message: { prevLogIndex: 8 } }])
  })

  it('of an earlier term or session moves nothing', () => {
    const leader = probing()
    const stale = { outcome: 'mismatch', index: 6, hintIndex: 0, hintTerm: 0 } as const
    leader.receive('b', appendResponse({ term: 6, ...stale }))
    leader.receive('b', appendResponse({ term: 7, addedAt: 3, ...stale }))
    expect(nextIndex(leader)).toBe(7)
  })
})

describe('an append without entries', () => {
  it('that does not match is a conflict like any other, and drops nothing', () => {
    for (const [prevLogIndex, prevLogTerm] of [
      [5, 2],
      [2, 2],
      [2, 3],
    ] as const) {
      const node = new SoloCore({ terms: [1, 1, 2], currentTerm: 2 })
      node.receive('b', append({ term: 3, prevLogIndex, prevLogTerm }))
      expect(node.last('appendEntriesResponse')).toMatchObject({ outcome: 'mismatch', index: prevLogIndex })
      expect(node.log.map(({ term }) => term)).toEqual([1, 1, 2])
    }
  })

  it('that matches is taken, and what lies behind it stays until something conflicts with it', () => {
    const node = new SoloCore({ terms: [1, 1, 2], currentTerm: 2 })
    node.receive('b', append({ term: 3, prevLogIndex: 2, prevLogTerm: 1 }))
    expect(node.last('appendEntriesResponse')).toMatchObject({ outcome: 'success', index: 2 })
    expect(node.log).toHaveLength(3)
    node.receive('b', append({ term: 3, prevLogIndex: 2, prevLogTerm: 1, entries: entriesOf(3, 3) }))
    expect(node.log.map(({ term }) => term)).toEqual([1, 1, 3])
  })
})
