// Small models, exhausted, and each removed guard with the invariant that it breaks.
import type { Rules } from '../../../../src/core/rules.js'
import { modelCheck } from 'helios-raft/testing'
import { describe, expect, it } from 'vitest'
import { findModel } from '../../../../src/testing/model-checker/models.js'
import type { Model } from '../../../../src/testing/model-checker/model.js'
import {
  REMOVED_GUARDS,
  type RemovedGuard,
  removedGuardNames,
} from '../../../../src/testing/model-checker/removed-guards.js'
import { Search } from '../../../../src/testing/model-checker/search.js'
import { SMALL } from './support.js'

// A count changes when the core sends, remembers or decides something else, or when the checker takes other states for
// the same. Look at which of them it was before writing the new number down.
const COUNTED: readonly [name: string, model: Model, states: number, depth: number][] = [
  ['one term', SMALL, 55, 8],
  ['one term on slow disks', { ...SMALL, disks: 'slow' }, 714, 15],
  ['a crash', { ...SMALL, disks: 'slow', crashes: 1 }, 3_454, 17],
  ['pre-votes that travel', { ...SMALL, preVote: 'real' }, 2_711, 16],
  ['heartbeats', { ...SMALL, heartbeats: 'any' }, 1_303, 16],
  ['a leader to begin with', { ...SMALL, start: { type: 'led' }, maxTerm: 2 }, 184, 9],
  ['two voters, two terms', { ...SMALL, voters: 2, maxTerm: 2, maxEntries: 1 }, 166, 14],
  ['one voter', { ...SMALL, voters: 1, maxTerm: 2, maxEntries: 2, disks: 'slow', crashes: 1, reads: 1 }, 95, 10],
  [
    'a change of the members',
    { ...SMALL, start: { type: 'led' }, maxTerm: 2, changes: [[0]], maxChanges: 1, lastTermReplicates: false },
    1_030,
    14,
  ],
  ['snapshots', { ...SMALL, start: { type: 'led' }, maxTerm: 2, snapshotters: [0, 1, 2] }, 704, 12],
  [
    'leases',
    { ...SMALL, start: { type: 'led' }, heartbeats: 'beforeLastTerm', maxTerm: 2, leases: 1, candidates: [1] },
    1_415,
    13,
  ],
  ['a transfer', { ...SMALL, start: { type: 'led' }, maxTerm: 2, transfers: true, lastTermReplicates: false }, 239, 8],
]

describe('the search', () => {
  it.each(COUNTED)('exhausts a small model: %s', (_name, model, states, depth) => {
    const result = new Search(model).run()
    expect(result.violation?.script).toBeUndefined()
    expect({ states: result.states, depth: result.depth, complete: result.complete }).toEqual({
      states,
      depth,
      complete: true,
    })
  })

  it('gives up at its bound, and says so', () => {
    const { states, complete } = new Search({ ...SMALL, maxTerm: 2, maxStates: 1_000 }).run()
    expect(complete).toBe(false)
    // The step under way may add a few.
    expect(states).toBeGreaterThanOrEqual(1_000)
    expect(states).toBeLessThan(1_100)
  })
})

describe('a removed guard', () => {
  it.each(removedGuardNames())('is found: %s', (name) => {
    const guard = REMOVED_GUARDS[name]!
    const model = findModel(guard.model!)!
    // Found long before the model is exhausted; this is where it would be given up.
    const { violation } = new Search({ ...model, maxStates: 1_000_000 }, { guard }).run()
    expect(violation?.invariant).toBe(guard.breaks)
    expect(violation?.script).toContain(`violated: ${guard.breaks}`)
  })
})

describe('a rule that only brings a change or a transfer to its end', () => {
  const led = { ...SMALL, maxTerm: 2, start: { type: 'led' }, lastTermReplicates: false } as const
  const changes = { ...led, changes: [[0], [1, 2]], maxChanges: 1 }
  const transfers = { ...led, transfers: true, maxEntries: 2 }

  it.each<[name: string, model: Model, rules: Partial<Rules>]>([
    ['isCaughtUp', transfers, { isCaughtUp: () => true }],
    ['takesProposals', transfers, { takesProposals: () => true }],
    ['isTransferOver', transfers, { isTransferOver: () => false }],
    ['isFastEnough', changes, { isFastEnough: () => false }],
    ['mustDepart', changes, { mustDepart: () => false }],
  ])('breaks nothing when it is taken away: %s', (_name, model, rules) => {
    const guard: RemovedGuard = { description: 'less alive', hazard: 'none', model: null, breaks: null, rules }
    const { complete, violation } = new Search(model, { guard }).run()
    expect(violation?.script).toBeUndefined()
    expect(complete).toBe(true)
  })
})

describe('the counterexample', () => {
  it('says every step and what it made of the nodes', () => {
    const { violation } = modelCheck({ voters: 3, maxTerm: 1, maxEntries: 0, crashes: 1, bug: 'answers-leave-first' })
    expect(violation?.script.split('\n')).toEqual([
      '# modelCheck, while votes and acknowledgements leave before they are durable',
      '     a follower term 0 vote - [|]   b follower term 0 vote - [|]   c follower term 0 vote - [|]',
      "1. a's election timeout is over",
      '     sends to b: asks for a vote in term 1, last entry 0:0',
      '     sends to c: asks for a vote in term 1, last entry 0:0',
      '     a candidate term 1 vote a [|] disk 0:[]   b follower term 0 vote - [|]   c follower term 0 vote - [|]',
      "2. a's write is durable",
      '     a candidate term 1 vote a [|]   b follower term 0 vote - [|]   c follower term 0 vote - [|]',
      "3. b's election timeout is over",
      '     sends to a: asks for a vote in term 1, last entry 0:0',
      '     sends to c: asks for a vote in term 1, last entry 0:0',
      '     a candidate term 1 vote a [|]   b candidate term 1 vote b [|] disk 0:[]   c follower term 0 vote - [|]',
      "4. b's write is durable",
      '     a candidate term 1 vote a [|]   b candidate term 1 vote b [|]   c follower term 0 vote - [|]',
      '5. c receives from a: asks for a vote in term 1, last entry 0:0',
      '     sends to a: grants a vote, term 1',
      '     a candidate term 1 vote a [|]   b candidate term 1 vote b [|]   c follower term 1 vote a [|] disk 0:[]',
      '6. c crashes, loses what was not durable, and restarts',
      '     a candidate term 1 vote a [|]   b candidate term 1 vote b [|]   c follower term 0 vote - [|]',
      '7. c receives from b: asks for a vote in term 1, last entry 0:0',
      '     sends to b: grants a vote, term 1',
      '     a candidate term 1 vote a [|]   b candidate term 1 vote b [|]   c follower term 1 vote b [|] disk 0:[]',
      '8. a receives from c: grants a vote, term 1',
      '     sends to b: appends [1] after 0:0, commit 0, term 1',
      '     sends to c: appends [1] after 0:0, commit 0, term 1',
      '     a leader term 1 vote a [|1] disk 1:[]   b candidate term 1 vote b [|]   c follower term 1 vote b [|] disk 0:[]',
      '9. b receives from c: grants a vote, term 1',
      '     sends to a: appends [1] after 0:0, commit 0, term 1',
      '     sends to c: appends [1] after 0:0, commit 0, term 1',
      '     a leader term 1 vote a [|1] disk 1:[]   b leader term 1 vote b [|1] disk 1:[]   c follower term 1 vote b [|] disk 0:[]',
      'violated: election safety: b and a both led term 1',
    ])
  })
})

describe('modelCheck', () => {
  it('answers as its contract says', () => {
    const result = modelCheck({ voters: 3, maxTerm: 1, maxEntries: 1 })
    expect(result).toEqual({ states: expect.any(Number), depth: expect.any(Number), complete: true, violation: null })
  })

  it.each(['membership', 'snapshot', 'transfer', 'lease'] as const)(
    'looks at more with %s, all of it sound',
    (feature) => {
      const bounds = { voters: 3, maxTerm: 1, maxEntries: 0 }
      const { complete, states, violation } = modelCheck({ ...bounds, features: [feature] })
      expect({ complete, violation }).toEqual({ complete: true, violation: null })
      expect(states).toBeGreaterThan(modelCheck(bounds).states)
    },
  )

  it('finds two voters at once by the feature membership', () => {
    const bounds = { voters: 3, maxTerm: 2, maxEntries: 0, features: ['membership'] } as const
    expect(modelCheck({ ...bounds, bug: 'two-voters-at-once' }).violation?.invariant).toBe('leader completeness')
  })

  it('takes a seeded bug of the simulator that is a replaced rule', () => {
    const bounds = { voters: 3, maxTerm: 1, maxEntries: 0, crashes: 1 }
    expect(modelCheck({ ...bounds, bug: 'two-votes-a-term' }).violation).not.toBeNull()
  })

  it.each([
    [{ voters: 0 }, /voters is 0/],
    [{ voters: 6 }, /voters is 6/],
    [{ maxTerm: 0 }, /maxTerm is 0/],
    [{ maxEntries: -1 }, /maxEntries is -1/],
    [{ crashes: 0.5 }, /crashes is 0.5/],
    [{ maxStates: 0 }, /maxStates is 0/],
    [{ features: ['none-such' as 'lease'] }, /features has 'none-such': known are preVote/],
    [{ bug: 'none-such' }, /bug is 'none-such'/],
  ])('refuses %o', (wrong, message) => {
    expect(() => modelCheck({ voters: 3, maxTerm: 1, maxEntries: 0, ...wrong })).toThrow(message)
  })
})
