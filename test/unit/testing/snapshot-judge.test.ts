// The judge of snapshots: their place, what they say of themselves, one content for an index, and what a log may forget.
import { describe, expect, it } from 'vitest'
import type { CoreState, SnapshotMeta } from '../../../src/core/index.js'
import type { Invariants } from '../../../src/testing/invariants.js'
import { commitAll, configuration } from './configurations.js'
import { entry, Lab, logOf } from './lab.js'

/** A configuration, a no-op, and a change of the configuration, committed. */
function judged(): Invariants {
  const { invariants } = new Lab('a')
  commitAll(invariants, ['a', null, 'a b'])
  return invariants
}

/** Three commands, committed in term 1. */
function ofCommands(): Invariants {
  const { invariants } = new Lab('a')
  const at = { currentTerm: 1, nowMs: 0 }
  for (const one of logOf(entry(1, 1), entry(2, 1), entry(3, 1))) invariants.committed.committed(one, at)
  return invariants
}

const META: SnapshotMeta = {
  lastIncludedIndex: 2,
  lastIncludedTerm: 1,
  lastIncludedTimestamp: 20,
  configurationIndex: 1,
  configuration: configuration('a'),
}

const store = (invariants: Invariants, meta: Partial<SnapshotMeta> = {}, content = 1, id = 'a') =>
  invariants.snapshots.stored(id, {
    meta: { ...META, ...meta },
    sizeBytes: 1,
    digest: new Uint8Array(32).fill(content),
    read: () => {
      throw new Error('the judge reads no content')
    },
  })

const ask = (invariants: Invariants, lastApplied: number, index: number, term = 1) =>
  invariants.snapshots.asks('a', lastApplied, { index, term, signal: new AbortController().signal })

describe('a snapshot that is asked for', () => {
  it('is fine at what is applied, and behind entries that are no commands', () => {
    const commands = ofCommands()
    ask(commands, 2, 2)
    const others = judged()
    ask(others, 0, 3)
    expect([commands.violation, others.violation]).toEqual([null, null])
  })

  it.each([
    ['of less than the state holds', 3, 2, 1, /a snapshot of 2 was asked of a state that holds 3/],
    ['of a command that is not applied', 1, 2, 1, /a snapshot of 2 was asked before 2 was applied/],
    ['of another term', 2, 2, 2, /a snapshot of 2 in term 2 was asked, which is not committed/],
    ['of what is not committed', 3, 4, 1, /a snapshot of 4 in term 1 was asked, which is not committed/],
  ])('%s is in the wrong place', (_, lastApplied, index, term, problem) => {
    const invariants = ofCommands()
    ask(invariants, lastApplied, index, term)
    expect(invariants.violatedCheck).toBe('snapshot-place')
    expect(invariants.violation).toMatch(problem)
  })
})

describe('a snapshot that is durable', () => {
  it('is fine when it says what the log says, on each node with the same content', () => {
    const invariants = judged()
    for (const id of ['a', 'b']) store(invariants, {}, 1, id)
    for (const id of ['a', 'c']) invariants.snapshots.isState(id, 2, new Uint8Array(32).fill(1))
    store(invariants, {
      lastIncludedIndex: 3,
      lastIncludedTimestamp: 30,
      configurationIndex: 3,
      configuration: configuration('a b'),
    })
    expect(invariants.violation).toBeNull()
  })

  it.each<[string, Partial<SnapshotMeta>, RegExp]>([
    ['is of what is not committed', { lastIncludedIndex: 4 }, /its snapshot of 4 is not committed/],
    ['says another term', { lastIncludedTerm: 2 }, /says term 2, the log 1/],
    ['says another log time', { lastIncludedTimestamp: 21 }, /says log time 21, the log 20/],
    ['has a later configuration', { configurationIndex: 3 }, /has the configuration of 3, in force was that of 1/],
    ['has other members', { configuration: configuration('a b') }, /another configuration than the entry at 1/],
  ])('is in the wrong place when it %s', (_, meta, problem) => {
    const invariants = judged()
    store(invariants, meta)
    expect(invariants.violatedCheck).toBe('snapshot-place')
    expect(invariants.violation).toMatch(problem)
  })

  it('has one content on all nodes, as stored, and as state machines gave and were given it', () => {
    const twice = judged()
    store(twice)
    store(twice, {}, 2, 'b')
    const restored = judged()
    restored.snapshots.isState('a', 2, new Uint8Array(32).fill(1))
    restored.snapshots.isState('b', 2, new Uint8Array(32).fill(2))
    for (const invariants of [twice, restored]) {
      expect(invariants.violatedCheck).toBe('same-states')
      expect(invariants.violation).toMatch(/^b: the snapshot of 2 has other content than that of a/)
    }
  })
})

describe('a log that forgets', () => {
  const forget = (index: number, snapshotIndex: number, trailingEntries: number) => {
    const { invariants } = new Lab('a')
    invariants.snapshots.forgets('a', index, { snapshotIndex, trailingEntries })
    return { check: invariants.violatedCheck, problem: invariants.violation }
  }

  it('may forget what a durable snapshot holds, but for the trailing entries', () => {
    expect(forget(7, 10, 3).check).toBeNull()
    expect(forget(10, 10, 0).check).toBeNull()
    expect(forget(0, 2, 5).check).toBeNull()
  })

  it('keeps the trailing entries for others (F27)', () => {
    expect(forget(8, 10, 3)).toMatchObject({ check: 'kept-for-others', problem: expect.stringMatching(/3 entries/) })
  })

  it('keeps what no durable snapshot holds (H53)', () => {
    const problem = expect.stringMatching(/forgets up to 11, and the durable snapshot ends at 10/)
    expect(forget(11, 10, 0)).toMatchObject({ check: 'snapshot-is-durable', problem })
    expect(forget(1, 0, 0)).toMatchObject({ problem: expect.stringMatching(/no snapshot is durable/) })
  })
})

describe('the places in the state of a core', () => {
  const observe = (places: readonly number[], durable: number) => {
    const [baseIndex, snapshotIndex, lastApplied, commitIndex, lastIndex] = places
    const state = { log: { baseIndex, lastIndex }, snapshotIndex, lastApplied, commitIndex } as unknown as CoreState
    const { invariants } = new Lab('a')
    invariants.snapshots.observe('a', state, durable)
    return invariants.violatedCheck
  }

  it('are in order: base, snapshot, applied, commit, last', () => {
    expect(observe([1, 2, 3, 4, 5], 2)).toBeNull()
    expect(observe([3, 3, 3, 3, 3], 4)).toBeNull()
  })

  it.each([[[3, 2, 3, 4, 5]], [[1, 4, 3, 4, 5]], [[1, 2, 5, 4, 5]], [[1, 2, 3, 6, 5]]])('are not %j', (places) => {
    expect(observe(places, 9)).toBe('snapshot-place')
  })

  it('hold no snapshot that is not durable (H53)', () => {
    expect(observe([1, 2, 3, 4, 5], 1)).toBe('snapshot-is-durable')
  })
})
