// The judge of configurations: which may follow which, when, and by which one a node counts (§6, F22, F25).
import { describe, expect, it } from 'vitest'
import type { CoreState } from '../../../src/core/index.js'
import { describe as textOf, isQuorumOf } from '../../../src/testing/configuration-judge.js'
import type { Invariants } from '../../../src/testing/invariants.js'
import { commitAll, configuration, heldAt } from './configurations.js'
import { Lab } from './lab.js'

const FIRST = { before: null, term: 1 }

/** A judge who saw these committed, in term 1. */
function judged(...texts: (string | null)[]): Invariants {
  const { invariants } = new Lab('a', 'b', 'c')
  commitAll(invariants, texts)
  return invariants
}

describe('a configuration that is appended', () => {
  it('is fine when it is founded by one, and changed by joint consensus and by single steps', () => {
    const log = ['a', 'a b c / a', 'a b c', 'a b c d?', 'a b c d', 'b c d']
    const { invariants } = new Lab('a')
    invariants.configurations.appended('a', heldAt(1, log[0]!), FIRST)
    expect(invariants.violation).toBeNull()
    for (let at = 1; at < log.length; at++) {
      const all = new Lab('a').invariants
      commitAll(all, log.slice(0, at))
      const before = heldAt(at, log[at - 1]!)
      all.configurations.appended('a', heldAt(at + 1, log[at]!), { before, term: 1 })
      expect(all.violation, log[at]).toBeNull()
    }
  })

  it.each([
    ['a b c', 'c d e', /goes from a,b,c to c,d,e in one step/],
    ['a b c', 'a b c d e', /in one step/],
    ['a b c', 'a? b? c?', /has no voter/],
    ['a b c', 'a b b c', /names a member twice/],
    ['a b c', 'd e / a b', /does not begin at the voters there are/],
    ['a b c / a', 'a b', /does not leave the joint one/],
    ['a b c / a', 'a b c d / a', /does not leave the joint one/],
  ])('may not go from %s to %s', (before, next, problem) => {
    const invariants = judged(before)
    invariants.configurations.appended('n', heldAt(2, next), { before: heldAt(1, before), term: 1 })
    expect(invariants.violatedCheck).toBe('legal-configuration')
    expect(invariants.violation).toMatch(problem)
  })

  it('may not be appended before the one in front of it is committed (H40, H42)', () => {
    const invariants = judged('a b c')
    invariants.configurations.appended('n', heldAt(3, 'a b c'), { before: heldAt(2, 'a b c d'), term: 1 })
    expect(invariants.violatedCheck).toBe('legal-configuration')
    expect(invariants.violation).toMatch(/at 3 was appended before the one at 2 was committed/)
  })

  it('may not be appended before an entry of its term is committed (H39)', () => {
    const invariants = judged('a b c')
    invariants.configurations.appended('n', heldAt(2, 'a b'), { before: heldAt(1, 'a b c'), term: 2 })
    expect(invariants.violatedCheck).toBe('legal-configuration')
    expect(invariants.violation).toMatch(/before an entry of its term 2 was committed/)
  })
})

describe('the first configuration of a log', () => {
  it('may be made again by who founded, as long as nothing is committed', () => {
    const { invariants } = new Lab('a', 'b')
    for (const term of [1, 2]) invariants.configurations.appended('a', heldAt(1, 'a'), { before: null, term })
    expect(invariants.violation).toBeNull()
  })

  it.each([
    ['with two voters', 1, 'a b', /with the voters a,b, founded by a/],
    ['by another node', 1, 'b', /with the voters b, founded by a/],
    ['behind other entries', 2, 'a', /begins at 2/],
  ])('may not be founded %s (F25)', (_, index, text, problem) => {
    const { invariants } = new Lab('a', 'b')
    invariants.configurations.appended('a', heldAt(1, 'a'), FIRST)
    invariants.configurations.appended('b', heldAt(index, text), FIRST)
    expect(invariants.violatedCheck).toBe('legal-configuration')
    expect(invariants.violation).toMatch(problem)
  })

  it('may not be made again in another term once it is committed', () => {
    const invariants = judged('a')
    invariants.configurations.appended('a', heldAt(1, 'a'), { before: null, term: 2 })
    expect(invariants.violatedCheck).toBe('legal-configuration')
    expect(invariants.violation).toMatch(/begins at 1 in term 2, the committed one in term 1/)
  })
})

describe('what a node counts by', () => {
  const stateOf = (held: number | null, incoming: string, outgoing = '') => {
    const words = (text: string) => text.split(' ').filter((word) => word !== '')
    const configurations = held === null ? [] : [heldAt(held, incoming)]
    const quorum = { incoming: words(incoming), outgoing: words(outgoing) }
    return { log: { configurations }, quorum } as unknown as CoreState
  }

  it('is fine when it is the newest in its log, in any order, and nothing without one', () => {
    const { invariants } = new Lab('a')
    invariants.configurations.inForce('a', stateOf(4, 'c b', 'a b'), heldAt(4, 'b c / a b'))
    invariants.configurations.inForce('a', stateOf(null, ''), null)
    expect(invariants.violation).toBeNull()
  })

  it('is not the one before (H43)', () => {
    const { invariants } = new Lab('a')
    invariants.configurations.inForce('a', stateOf(1, 'a b c'), heldAt(4, 'a b'))
    expect(invariants.violatedCheck).toBe('configuration-in-force')
    expect(invariants.violation).toMatch(/holds the configuration of 1 in force, the newest is that of 4/)
  })

  it('is not one half of a joint one (H41)', () => {
    const { invariants } = new Lab('a')
    invariants.configurations.inForce('a', stateOf(4, 'b c'), heldAt(4, 'b c / a b'))
    expect(invariants.violatedCheck).toBe('configuration-in-force')
    expect(invariants.violation).toMatch(/counts b,c and , the configuration of 4 has b,c and a,b/)
  })
})

describe('the judge', () => {
  it('knows what was in force at each place, and that something changed', () => {
    const { configurations } = judged('a', null, 'a b')
    expect([1, 2, 3].map((index) => configurations.committedAt(index)?.index)).toEqual([1, 1, 3])
    expect(configurations.newest?.index).toBe(3)
    const { version } = configurations
    configurations.changed()
    expect(configurations.version).toBe(version + 1)
    expect(new Lab('a').invariants.configurations.newest).toBeNull()
  })

  it.each([
    ['a b c', 'a b', true],
    ['a b c', 'a', false],
    ['a b', 'a', false],
    ['a b c? d?', 'a c d', false],
    ['a b c / d e f', 'a b d e', true],
    ['a b c / d e f', 'a b c d', false],
    ['a b c / d e f', 'd e f a', false],
  ])('of %s takes %s for a quorum: %s', (text, nodes, expected) => {
    expect(isQuorumOf(configuration(text), (id) => nodes.split(' ').includes(id))).toBe(expected)
  })

  it('names the voters, both halves', () => {
    expect(textOf(configuration('a b c?'))).toBe('a,b')
    expect(textOf(configuration('b c / a b'))).toBe('b,c and a,b')
  })
})
