// A cluster in two parts (§5.3, §5.4; figure 3): what the smaller one took gives way or is found again, and who may win when
// they meet.
import { describe, expect, it } from 'vitest'
import { text } from '../../support/core-node.js'
import { CoreCluster, diskOf } from '../../support/core-cluster.js'
import { append, entriesOf } from '../../support/solo-core.js'

const FIVE = ['a', 'b', 'c', 'd', 'e']

/** Commands of a node's log up to what it applied. */
const applied = (cluster: CoreCluster, id: string): string[] => {
  const { log, state } = cluster.node(id)
  const done = log.slice(0, state.lastApplied).filter((entry) => entry.type === 'command')
  return done.map((entry) => text(entry.data))
}

describe('a leader of the past', () => {
  it('replicates nothing and commits nothing, also when it is heard by followers of the new one', () => {
    const cluster = new CoreCluster({ checkFreshness: false })
    cluster.elect('a').propose('x')
    cluster.settle()
    cluster.partition(['a'], ['b', 'c'])
    cluster.node('c').clock += 100
    cluster.elect('b').propose('y')
    cluster.settle()
    const log = cluster.node('c').log.map(({ term }) => term)
    // An append of term 1 that was on its way all the time arrives at both.
    const old = append({ term: 1, prevLogIndex: 2, prevLogTerm: 1, entries: entriesOf(3, 1), leaderCommit: 3 })
    for (const id of ['b', 'c']) cluster.node(id).receive('a', old)
    expect(cluster.node('c').log.map(({ term }) => term)).toEqual(log)
    expect(cluster.node('c').state).toMatchObject({ currentTerm: 2, leaderId: 'b' })
    cluster.heal()
    cluster.run(60)
    for (const id of ['a', 'b', 'c']) expect(applied(cluster, id), id).toEqual(['x', 'y'])
  })

  it('commits no entry of which only its own disk knows; it is overwritten when the parts meet again', () => {
    const cluster = new CoreCluster({ voters: FIVE, checkFreshness: false })
    cluster.elect('a').propose('x')
    cluster.run(30)
    cluster.partition(['a'], ['b', 'c', 'd', 'e'])
    cluster.node('a').propose('lost')
    cluster.settle()
    expect(cluster.node('a').state.commitIndex).toBe(2)
    for (const id of ['c', 'd', 'e']) cluster.node(id).clock += 100
    cluster.elect('b').propose('y')
    cluster.settle()
    expect(cluster.node('b').state.commitIndex).toBe(4)
    cluster.heal()
    cluster.run(100)
    for (const id of FIVE) expect(applied(cluster, id), id).toEqual(['x', 'y'])
  })

  it('finds its own minority write again when it wins itself: nothing of it was lost', () => {
    const cluster = new CoreCluster({ voters: FIVE, checkFreshness: false })
    cluster.elect('a').propose('x')
    cluster.run(30)
    cluster.partition(['a', 'b'], ['c', 'd', 'e'])
    cluster.node('a').propose('kept')
    cluster.settle()
    expect(cluster.node('b').state.log.lastIndex).toBe(3)
    cluster.node('a').tick(100)
    expect(cluster.node('a').state).toMatchObject({ role: 'follower', commitIndex: 2 })
    cluster.drop()
    cluster.heal()
    cluster.pass(200)
    // b holds the longest log; a log without that entry is refused by b but not by the others.
    cluster.elect('b')
    cluster.run(30)
    for (const id of FIVE) expect(applied(cluster, id), id).toEqual(['x', 'kept'])
  })
})

describe('the longest log', () => {
  it('wins only where a majority would vote for it', () => {
    const disks = { a: diskOf([1, 1, 1]), b: diskOf([1, 1]), c: diskOf([1, 1]), d: diskOf([1]), e: diskOf([1]) }
    const cluster = new CoreCluster({ voters: FIVE, disks })
    // Alone with one other it asks for ever; the three others can do without it.
    cluster.partition(['a', 'd'], ['b', 'c', 'e'])
    for (let attempt = 0; attempt < 3; attempt++) {
      cluster.campaign('a')
      cluster.settle()
    }
    expect(cluster.node('a').state).toMatchObject({ role: 'preCandidate', currentTerm: 1 })
    // A shorter one is refused by a longer one, and e alone is no majority for it.
    cluster.campaign('e')
    cluster.settle()
    expect(cluster.node('e').state).toMatchObject({ role: 'preCandidate', currentTerm: 1 })
    cluster.pass(100)
    cluster.elect('b')
    cluster.heal()
    cluster.run(100)
    // Entry 3 of a was on one disk only: it gives way.
    expect(cluster.node('a').log.map(({ term }) => term)).toEqual([1, 1, 2])
  })
})
