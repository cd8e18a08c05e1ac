// §5.3, log replication: the consistency check, the log matching property, and followers brought to the leader's log
// (figure 7).
import fc from 'fast-check'
import type { Term } from 'helios-raft/core'
import { describe, expect, it } from 'vitest'
import { CoreCluster, diskOf, ofType, to } from '../support/core-cluster.js'
import { append, entriesOf, SoloCore } from '../support/solo-core.js'

/** Figure 7: the log of the leader of term 8, and what its followers may hold. */
const LEADER: readonly Term[] = [1, 1, 1, 4, 4, 5, 5, 6, 6, 6]
const FIGURE_7: Readonly<Record<string, readonly Term[]>> = {
  a: [1, 1, 1, 4, 4, 5, 5, 6, 6],
  b: [1, 1, 1, 4],
  c: [1, 1, 1, 4, 4, 5, 5, 6, 6, 6, 6],
  d: [1, 1, 1, 4, 4, 5, 5, 6, 6, 6, 7, 7],
  e: [1, 1, 1, 4, 4, 4, 4],
  f: [1, 1, 1, 2, 2, 2, 3, 3, 3, 3, 3],
}

/** The seven servers of the figure, the leader elected for term 8 by those whose logs are not ahead of it. */
function figure7(): CoreCluster {
  const names = Object.keys(FIGURE_7)
  const disks = Object.fromEntries(names.map((id) => [id, diskOf(FIGURE_7[id] as Term[], 7)]))
  return new CoreCluster({ voters: ['leader', ...names], disks: { ...disks, leader: diskOf(LEADER, 7) } })
}

describe('§5.3', () => {
  it('the leader issues AppendEntries in parallel to all, and again until all store it', () => {
    const cluster = new CoreCluster()
    cluster.elect('a')
    cluster.node('a').propose('x')
    expect(cluster.network.filter(ofType('appendEntries')).map((packet) => packet.to)).toEqual(['b', 'c'])
    cluster.drop()
    cluster.run(200)
    for (const node of cluster.up) expect(node.state.lastApplied).toBe(2)
  })

  it('an entry is committed once a majority holds it, and the ones before it with it', () => {
    const cluster = new CoreCluster({ voters: ['a', 'b', 'c', 'd', 'e'] })
    cluster.elect('a')
    cluster.partition(['a', 'b', 'c'], ['d', 'e'])
    for (const command of ['x', 'y', 'z']) cluster.node('a').propose(command)
    cluster.settle()
    expect(cluster.node('a').state.commitIndex).toBe(4)
  })

  it('an entry that a minority holds is not committed', () => {
    const cluster = new CoreCluster({ voters: ['a', 'b', 'c', 'd', 'e'] })
    cluster.elect('a')
    cluster.partition(['a', 'b'], ['c', 'd', 'e'])
    cluster.node('a').propose('x')
    cluster.settle()
    expect(cluster.node('a').state.commitIndex).toBe(1)
  })

  it('followers learn of a commit and apply in log order', () => {
    const cluster = new CoreCluster()
    cluster.elect('a')
    for (const command of ['x', 'y', 'z']) cluster.node('a').propose(command)
    cluster.run(60)
    for (const node of cluster.up) expect(node.state.lastApplied).toBe(4)
    expect(cluster.node('b').log).toEqual(cluster.node('a').log)
  })

  it('AppendEntries is idempotent: a message that comes twice changes nothing the second time', () => {
    const node = new SoloCore({ currentTerm: 1 })
    const message = append({ term: 1, entries: entriesOf(1, 1, 1), leaderCommit: 1 })
    node.receive('b', message)
    const [log, answer] = [[...node.log], node.last('appendEntriesResponse')]
    node.receive('b', message)
    expect(node.log).toEqual(log)
    expect(node.last('appendEntriesResponse')).toEqual(answer)
    expect(node.state.epoch).toBe(0)
  })

  it('H22: a message that was overtaken drops nothing that came with the later one', () => {
    const node = new SoloCore({ currentTerm: 1 })
    node.receive('b', append({ term: 1, entries: entriesOf(1, 1, 1, 1, 1) }))
    node.receive('b', append({ term: 1, entries: entriesOf(1, 1, 1) }))
    node.receive('b', append({ term: 1 }))
    expect(node.log).toHaveLength(4)
  })

  it('H22: what is committed is never dropped: a leader that asks for it stops the node', () => {
    const node = new SoloCore({ currentTerm: 1 })
    node.receive('b', append({ term: 1, entries: entriesOf(1, 1, 1), leaderCommit: 2 }))
    expect(() => node.receive('c', append({ term: 2, entries: entriesOf(1, 2) }))).toThrow(
      /committed and never dropped/,
    )
  })

  it('H24: a refusal raises matchIndex nowhere', () => {
    const cluster = figure7()
    cluster.elect('leader')
    // checkStep watches every step; here the end of it: everybody holds the leader's log.
    for (const node of cluster.up) expect(node.log).toEqual(cluster.node('leader').log)
  })

  it('a refusal names the last index whose term is not above the one asked about (F8)', () => {
    const table = [
      { ours: [1, 1, 1, 4], prev: [10, 6], hint: [4, 4] },
      { ours: [1, 1, 1, 4, 4, 4, 4], prev: [7, 5], hint: [7, 4] },
      { ours: [1, 1, 1, 2, 2, 2, 3, 3, 3, 3, 3], prev: [10, 6], hint: [10, 3] },
      { ours: [5, 5, 5], prev: [3, 4], hint: [0, 0] },
      { ours: [1, 5, 5], prev: [3, 4], hint: [1, 1] },
      { ours: [], prev: [3, 4], hint: [0, 0] },
    ] as const
    for (const { ours, prev, hint } of table) {
      const node = new SoloCore({ terms: ours, currentTerm: 9 })
      node.receive('b', append({ term: 9, prevLogIndex: prev[0], prevLogTerm: prev[1] }))
      const [hintIndex, hintTerm] = hint
      const expected = { outcome: 'mismatch', index: prev[0], hintIndex, hintTerm }
      expect(node.last('appendEntriesResponse'), ours.join()).toMatchObject(expected)
    }
  })

  it('figure 7: each of the followers a to f is brought to the log of the leader, in few rounds', () => {
    const rounds: Record<string, number> = {}
    const cluster = figure7()
    cluster.onDeliver = ({ to: receiver, message }) => {
      if (message.type === 'appendEntries') rounds[receiver] = (rounds[receiver] ?? 0) + 1
    }
    cluster.elect('leader')
    for (const id of Object.keys(FIGURE_7)) {
      expect(
        cluster.node(id).log.map((entry) => entry.term),
        id,
      ).toEqual([...LEADER, 8])
    }
    // c and d hold the entry before the leader's no-op; one refusal of the others names where the logs meet.
    expect(rounds).toEqual({ a: 2, b: 2, c: 1, d: 1, e: 2, f: 2 })
  })

  it('log matching: two logs that hold the same term at an index are equal up to it', () => {
    const append = fc.record({ from: fc.nat(6), length: fc.nat(4), drop: fc.boolean() })
    const property = fc.property(fc.array(append, { maxLength: 20 }), (steps) => {
      // Each node leads once in a while and its entries get through or don't; the harness compares every entry.
      const cluster = new CoreCluster({ checkFreshness: false })
      for (const { from, length, drop } of steps) {
        const id = ['a', 'b', 'c'][from % 3] as string
        for (const node of cluster.up) node.clock += 100
        cluster.campaign(id)
        cluster.settle(({ message }) => message.type !== 'appendEntries')
        const { leader } = cluster
        if (leader === null) continue
        for (let count = 0; count < length; count++) leader.propose(`${count}`)
        if (drop) cluster.drop(to('a', 'b'))
        cluster.settle()
      }
      const logs = cluster.up.map((node) => node.log)
      for (const left of logs) {
        for (const right of logs) {
          const agreed = left.findLastIndex((entry, at) => right[at]?.term === entry.term)
          expect(left.slice(0, agreed + 1)).toEqual(right.slice(0, agreed + 1))
        }
      }
    })
    fc.assert(property, { numRuns: 40 })
  })
})
