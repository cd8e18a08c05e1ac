// A core that goes on from a whole state, as a model checker makes many of them from one.
import {
  bootstrapConfiguration,
  type CoreEvent,
  type CoreOptions,
  RaftCore,
  type RestoredState,
} from 'helios-raft/core'
import { describe, expect, it } from 'vitest'

const options: CoreOptions = {
  id: 'a',
  electionTimeoutMs: 100,
  heartbeatIntervalMs: 30,
  seed: 7,
  boot: 1,
  maxClockDriftRatio: 0.1,
  appendEntries: 8,
  inflightMessages: 8,
}
const configuration = bootstrapConfiguration(['a', 'b', 'c'].map((id) => ({ id, address: id })))
const restored: RestoredState = {
  hardState: { currentTerm: 3, votedFor: null },
  firstIndex: 1,
  lastIndex: 2,
  previousTerm: 0,
  termRuns: [{ first: 1, term: 3 }],
  logTime: 0,
  configuration: { index: 0, configuration },
}
const grant: CoreEvent = {
  type: 'receive',
  now: 150,
  wallTime: 0,
  from: 'b',
  message: { type: 'preVoteResponse', term: 4, round: 1, voteGranted: true },
  budgetBytes: 1_000,
}

describe('RaftCore.resume', () => {
  it('goes on as the core would have gone on whose state it was given', () => {
    const core = new RaftCore(options, restored, 0)
    core.step({ type: 'tick', now: 60 })
    core.step({ type: 'tick', now: 150 })
    const state = structuredClone(core.state)
    while (core.state.role === 'follower') core.step({ type: 'tick', now: core.state.now + 50 })
    const resumed = RaftCore.resume(options, state)
    while (resumed.state.role === 'follower') resumed.step({ type: 'tick', now: resumed.state.now + 50 })
    const later = { ...grant, now: core.state.now }
    expect(resumed.step(later)).toEqual(core.step(later))
    expect(resumed.state.role).toBe('candidate')
    expect(resumed.state).toEqual(core.state)
  })

  it('takes the state as it is: no timer is drawn anew, nothing is forgotten', () => {
    const { state } = new RaftCore(options, restored, 0)
    const copy = structuredClone(state)
    const resumed = RaftCore.resume(options, state)
    expect(resumed.state).toBe(state)
    expect(state).toEqual(copy)
  })

  it('refuses a state that breaks an invariant', () => {
    const { state } = new RaftCore(options, restored, 0)
    expect(() => RaftCore.resume(options, { ...state, commitIndex: 9 })).toThrow(/commitIndex 9/)
  })
})
