// §5.4.1, election restriction: a candidate must hold every committed entry, so it must be as up to date as a majority.
import { RULES, type Term } from 'helios-raft/core'
import { describe, expect, it } from 'vitest'
import { CoreCluster, diskOf } from '../support/core-cluster.js'
import { requestVote, SoloCore } from '../support/solo-core.js'

describe('§5.4.1', () => {
  it('H3: compares the last terms first and the lengths only where those are equal, in both directions', () => {
    for (let ourTerm = 1; ourTerm <= 4; ourTerm++) {
      for (let ourLength = 1; ourLength <= 4; ourLength++) {
        for (let lastLogTerm = 1; lastLogTerm <= 4; lastLogTerm++) {
          for (let lastLogIndex = 1; lastLogIndex <= 4; lastLogIndex++) {
            const node = new SoloCore({ terms: Array.from({ length: ourLength }, () => ourTerm), currentTerm: 5 })
            node.receive('b', requestVote({ term: 5, lastLogIndex, lastLogTerm }))
            const upToDate = lastLogTerm > ourTerm || (lastLogTerm === ourTerm && lastLogIndex >= ourLength)
            const place = `${lastLogIndex}/${lastLogTerm} for ${ourLength}/${ourTerm}`
            expect(node.last('requestVoteResponse').voteGranted, place).toBe(upToDate)
          }
        }
      }
    }
  })

  it('who may win: a longer or newer log than a majority, and nobody else', () => {
    const table: readonly { logs: readonly (readonly Term[])[]; wins: boolean }[] = [
      { logs: [[1], [1], [1]], wins: true },
      { logs: [[1], [1, 1], [1]], wins: true },
      { logs: [[1], [1, 1], [1, 1]], wins: false },
      { logs: [[1, 1, 1], [2], [1]], wins: true },
      { logs: [[1, 1, 1], [2], [2]], wins: false },
      { logs: [[2], [1, 1, 1], [1, 1, 1]], wins: true },
    ]
    for (const { logs, wins } of table) {
      const [a = [], b = [], c = []] = logs
      const cluster = new CoreCluster({ disks: { a: diskOf(a, 3), b: diskOf(b, 3), c: diskOf(c, 3) } })
      cluster.campaign('a')
      cluster.settle()
      expect(cluster.node('a').state.role === 'leader', JSON.stringify(logs)).toBe(wins)
    }
  })

  it('a leader with fewer, newer entries overwrites longer uncommitted logs', () => {
    const disks = { a: diskOf([1, 1, 1, 1], 3), b: diskOf([1, 3], 3), c: diskOf([1], 3) }
    const cluster = new CoreCluster({ disks })
    cluster.elect('b')
    for (const node of cluster.up) expect(node.log.map((entry) => entry.term)).toEqual([1, 3, 4])
  })

  it('leader completeness: whoever is elected holds what was committed, also after a crash of its only witness', () => {
    const cluster = new CoreCluster({ voters: ['a', 'b', 'c'] })
    cluster.elect('a')
    cluster.partition(['a', 'b'], ['c'])
    cluster.node('a').propose('kept')
    cluster.settle()
    cluster.crash('a')
    cluster.heal()
    cluster.run(1_000)
    expect(cluster.leader?.id).toBe('b')
    expect(cluster.node('c').log.map((entry) => entry.term)).toEqual([1, 1, cluster.leader?.state.currentTerm])
  })

  it('the harness would notice a vote that looks at the length alone', () => {
    const isUpToDate: typeof RULES.isUpToDate = (candidate, log) => candidate.lastLogIndex >= log.lastIndex
    const disks = { a: diskOf([1, 1, 1, 1], 3), b: diskOf([1, 3], 3), c: diskOf([1, 3], 3) }
    const cluster = new CoreCluster({ disks, rules: { ...RULES, isUpToDate } })
    cluster.campaign('a')
    cluster.settle()
    expect(cluster.node('a').state.role).toBe('leader')
  })
})
