// Random lives of a cluster of cores. The safety rules are checked by the harness after each step; here each life ends
// in a healed cluster that must make progress (figure 3, §5.2-§5.4; H1, H13, H21-H31).
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { CoreCluster } from '../../support/core-cluster.js'
import { arbSchedule, healAll, play, repairAll } from '../../support/schedule.js'

const sizes = fc.constantFrom(['a', 'b', 'c'], ['a', 'b', 'c', 'd'], ['a', 'b', 'c', 'd', 'e'])
const shapes = fc.record({
  voters: sizes,
  seed: fc.nat(1_000),
  inflightMessages: fc.constantFrom(1, 2, 256),
  appendEntries: fc.constantFrom(1, 3, 1_024),
})

describe('random schedules', () => {
  it('keep every rule of figure 3 and every promise of a message, and end in progress', () => {
    const life = fc.property(shapes, arbSchedule(400), (shape, schedule) => {
      const cluster = new CoreCluster(shape)
      for (const step of schedule) play(cluster, step)
      healAll(cluster)
      const { leader } = cluster
      expect(leader, 'a connected quorum has a leader').not.toBeNull()
      leader?.propose('last')
      cluster.run(100)
      for (const node of cluster.nodes.values()) {
        expect(node.state.lastApplied, `${node.id} applied everything`).toBe(leader?.state.log.lastIndex)
      }
      cluster.checks.checkNothingLost()
    })
    fc.assert(life, { numRuns: 150 })
  })

  it('H13, H14: with a minority broken for ever, one-way links too, there is progress under one stable leader', () => {
    const cuts = fc.array(fc.tuple(fc.nat(4), fc.nat(4)), { maxLength: 8 })
    const life = fc.property(shapes, arbSchedule(200), fc.nat(4), cuts, (shape, schedule, first, links) => {
      const cluster = new CoreCluster(shape)
      for (const step of schedule) play(cluster, step)
      const minoritySize = Math.floor((shape.voters.length - 1) / 2)
      const at = (number: number) => shape.voters[number % shape.voters.length] as string
      const broken = new Set(Array.from({ length: minoritySize }, (_, offset) => at(first + offset)))
      repairAll(cluster)
      for (const [from, to] of links.map(([x, y]) => [at(x), at(y)] as const)) {
        if (from !== to && (broken.has(from) || broken.has(to))) cluster.cut(from, to)
      }
      cluster.run(2_500)
      const { leader } = cluster
      const term = leader?.state.currentTerm ?? 0
      leader?.propose('progress')
      cluster.run(1_500)
      expect(leader?.state.commitIndex).toBe(leader?.state.log.lastIndex)
      expect(cluster.leader?.state.currentTerm).toBe(term)
    })
    fc.assert(life, { numRuns: 40 })
  })
})
