import { describe, expect, it } from 'vitest'
import { newProgress } from '../../../src/core/progress.js'
import { initialState } from '../../../src/core/state.js'
import { CompactionWatch } from '../../../src/testing/compaction-watch.js'
import { CORE_OPTIONS } from '../node/harness.js'

/** A leader since 0 that hears `b`, which holds 3 entries, at `heardAt`, and forgets 5 at 1,000. */
function accusation(contactAt: number, quorumCheckSince = 0): string | null {
  const log = {
    hardState: { currentTerm: 1, votedFor: null },
    firstIndex: 1,
    lastIndex: 9,
    previousTerm: 0,
    termRuns: [{ first: 1, term: 1 }],
  }
  const state = initialState(CORE_OPTIONS, { ...log, logTime: 0, configuration: null }, 0)
  state.role = 'leader'
  state.progress.set('b', { ...newProgress(9, 0), matchIndex: 3, contactAt })
  const watch = new CompactionWatch(100)
  state.quorumCheckSince = 0
  expect(watch.observe(state, null)).toBe(null)
  state.now = 1_000
  state.log.baseIndex = 5
  state.quorumCheckSince = quorumCheckSince
  return watch.observe(state, null)
}

describe('CompactionWatch', () => {
  it('accuses who forgets what a peer needs that it heard within an election timeout (F27)', () => {
    expect(accusation(901)).toMatch(/forgot up to 5, and hears b, which holds 3/)
    expect(accusation(900)).toBe(null)
  })

  it('judges by the silence before the step: a configuration that the same step appends lets it count anew', () => {
    expect(accusation(700, 1_000)).toBe(null)
  })
})
