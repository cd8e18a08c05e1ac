// Quorum against brute force: for every set of supporters, every size up to 7 and both halves of joint configurations
// (§6; H31, H32, H41).
import fc from 'fast-check'
import { hasQuorum, isVoter, type NodeId, type Quorum, quorumOf, quorumValue } from 'helios-raft/core'
import { describe, expect, it } from 'vitest'
import { isSoleVoter } from '../../../src/core/quorum.js'
import { configurationOf } from '../../support/core-cluster.js'

const IDS = ['a', 'b', 'c', 'd', 'e', 'f', 'g']

function* subsets(ids: readonly NodeId[]): Generator<ReadonlySet<NodeId>> {
  for (let bits = 0; bits < 2 ** ids.length; bits++)
    yield new Set(ids.filter((_, at) => Math.floor(bits / 2 ** at) % 2 === 1))
}

/** By counting heads, in each half. */
function isMajority(voters: readonly NodeId[], supporters: ReadonlySet<NodeId>): boolean {
  return voters.filter((id) => supporters.has(id)).length > voters.length / 2
}

function isQuorum({ incoming, outgoing }: Quorum, supporters: ReadonlySet<NodeId>): boolean {
  return isMajority(incoming, supporters) && (outgoing.length === 0 || isMajority(outgoing, supporters))
}

/** The largest value that some quorum has reached: tried with every value. */
function bestValue(quorum: Quorum, values: ReadonlyMap<NodeId, number>): number {
  const reached = (value: number) => new Set([...values].filter(([, own]) => own >= value).map(([id]) => id))
  return Math.max(...[...values.values()].filter((value) => isQuorum(quorum, reached(value))), Number.NEGATIVE_INFINITY)
}

describe('Quorum', () => {
  it('agrees with counting for every set of supporters of 1 to 7 voters', () => {
    for (let size = 1; size <= 7; size++) {
      const quorum = { incoming: IDS.slice(0, size), outgoing: [] }
      for (const supporters of subsets(IDS)) expect(hasQuorum(quorum, supporters)).toBe(isQuorum(quorum, supporters))
    }
  })

  it('agrees with counting in both halves of every joint configuration of up to 7 nodes', () => {
    for (const incoming of subsets(IDS)) {
      // Disjoint, overlapping and equal halves of every size, thinned out to keep it quick.
      for (const outgoing of [IDS.slice(0, incoming.size), IDS.slice(-3), IDS.filter((id) => !incoming.has(id))]) {
        if (incoming.size === 0) continue
        const quorum = { incoming: [...incoming], outgoing }
        for (const supporters of subsets(IDS)) {
          if (hasQuorum(quorum, supporters) !== isQuorum(quorum, supporters)) {
            expect.fail(`${quorum.incoming} / ${quorum.outgoing} with ${[...supporters]}`)
          }
        }
      }
    }
  })

  it('finds the largest value that a quorum has reached', () => {
    const halves = fc.tuple(fc.subarray(IDS, { minLength: 1 }), fc.subarray(IDS))
    const property = fc.property(halves, fc.array(fc.nat(9), { minLength: 7, maxLength: 7 }), (voters, numbers) => {
      const quorum = { incoming: voters[0], outgoing: voters[1] }
      const values = new Map(IDS.map((id, at) => [id, numbers[at] ?? 0]))
      expect(quorumValue(quorum, (id) => values.get(id) ?? 0)).toBe(bestValue(quorum, values))
    })
    fc.assert(property, { numRuns: 500 })
  })

  it('H31: any two quorums of a configuration, and of it and the joint one that leaves it, share a voter', () => {
    const [old, next] = [IDS.slice(0, 3), IDS.slice(3, 6)]
    const joint = { incoming: next, outgoing: old }
    for (const left of subsets(IDS)) {
      if (!hasQuorum(joint, left)) continue
      for (const right of subsets(IDS)) {
        if (!hasQuorum({ incoming: old, outgoing: [] }, right) && !hasQuorum({ incoming: next, outgoing: [] }, right))
          continue
        expect([...left].some((id) => right.has(id))).toBe(true)
      }
    }
  })

  it('H32: an even size needs more than half', () => {
    const two = { incoming: ['a', 'b'], outgoing: [] }
    expect(hasQuorum(two, new Set(['a']))).toBe(false)
    const four = { incoming: ['a', 'b', 'c', 'd'], outgoing: [] }
    expect(hasQuorum(four, new Set(['a', 'b']))).toBe(false)
    expect(hasQuorum(four, new Set(['a', 'b', 'c']))).toBe(true)
  })

  it('is nobody without a configuration, and never counts learners or strangers', () => {
    const nobody = quorumOf(null)
    expect(hasQuorum(nobody, new Set(IDS))).toBe(false)
    expect(quorumValue(nobody, () => 9)).toBe(Number.NEGATIVE_INFINITY)
    const quorum = quorumOf(configurationOf(['a', 'b', 'c'], ['l', 'm', 'n']))
    expect(hasQuorum(quorum, new Set(['a', 'l', 'm', 'n', 'x']))).toBe(false)
    expect(isVoter(quorum, 'l')).toBe(false)
    expect(isVoter(quorum, 'c')).toBe(true)
  })

  it('knows when one node is every majority', () => {
    expect(isSoleVoter({ incoming: ['a'], outgoing: [] }, 'a')).toBe(true)
    expect(isSoleVoter({ incoming: ['a'], outgoing: ['a'] }, 'a')).toBe(true)
    expect(isSoleVoter({ incoming: ['a'], outgoing: ['b'] }, 'a')).toBe(false)
    expect(isSoleVoter({ incoming: ['a', 'b'], outgoing: [] }, 'a')).toBe(false)
    expect(isSoleVoter({ incoming: [], outgoing: [] }, 'a')).toBe(false)
  })
})
