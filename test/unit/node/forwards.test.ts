import { describe, expect, test } from 'vitest'
import { FORWARD_WINDOW } from '../../../src/core/forwarding.js'
import { initialState } from '../../../src/core/state.js'
import { APPLIED_RESULTS, AppliedResults } from '../../../src/node/applied-results.js'
import { LogBudget } from '../../../src/node/log-budget.js'
import { DEFAULTS } from '../../../src/node/options.js'
import { PendingCalls } from '../../../src/node/pending-call.js'
import { Proposals } from '../../../src/node/proposals.js'
import { bytes, CORE_OPTIONS, EMPTY_STORES, errorOf, ManualClock } from './harness.js'

/** A follower of 'b' in term 1, whose core is the test. */
function follower(maxMessageBytes = 1_000_000) {
  const clock = new ManualClock()
  const restored = { ...EMPTY_STORES, hardState: { currentTerm: 1, votedFor: null } }
  const state = initialState(CORE_OPTIONS, restored, 0)
  state.leaderId = 'b'
  let appliedIndex = 0
  const budget = new LogBudget(DEFAULTS)
  const proposals = new Proposals({
    calls: new PendingCalls(clock),
    budget,
    settings: { limits: DEFAULTS.limits, heartbeatIntervalMs: 50 },
    forwardProposals: true,
    maxMessageBytes,
    state,
    clock,
    appliedIndex: () => appliedIndex,
    notLeader: () => {
      throw new Error('not here')
    },
    wake: () => undefined,
    onReleased: () => undefined,
  })
  let number = 0
  /** What the core does with each batch: a forward with the next number. Returns how many there were. */
  const forwardAll = () => {
    let batches = 0
    for (let batch = proposals.next(); batch !== null; batch = proposals.next()) {
      number += 1
      batches += 1
      proposals.onResult({ type: 'forwarded', id: batch.id, number, term: 1 })
    }
    return batches
  }
  const submit = (...commands: Uint8Array[]) => {
    const proposal = { entryType: 'command', commands, isMany: commands.length > 1 } as const
    const { promise } = proposals.submit(proposal, { signal: undefined, timeoutMs: 5_000 })
    promise.catch(() => undefined)
    return promise
  }
  const apply = (index: number, result: unknown, term = 1) => {
    appliedIndex = index
    proposals.onApplied(index, term, result)
  }
  return { clock, state, budget, proposals, submit, forwardAll, apply }
}

describe('forwards of a node', () => {
  test('carry the calls of a turn together, as far as one message holds', async () => {
    const { submit, forwardAll } = follower(96 + 3 * (32 + 10))
    for (let call = 0; call < 7; call++) void submit(new Uint8Array(10))
    expect(forwardAll()).toBe(3)
  })

  test('are at most a window at once: at the bound, and beyond it', async () => {
    const { proposals, submit, forwardAll } = follower(96 + 32 + 10)
    for (let call = 0; call < FORWARD_WINDOW + 1; call++) void submit(new Uint8Array(10))
    expect(forwardAll()).toBe(FORWARD_WINDOW)
    expect(proposals.hasWaiting).toBe(true)
    proposals.onResult({ type: 'accepted', number: 1, firstIndex: 1, term: 1 })
    expect(forwardAll()).toBe(1)
    expect(proposals.hasWaiting).toBe(false)
  })

  test('of a batch are resolved each by its own index', async () => {
    const { proposals, submit, forwardAll, apply } = follower()
    const calls = [submit(bytes(1)), submit(bytes(2), bytes(3)), submit(bytes(4))]
    forwardAll()
    proposals.onResult({ type: 'accepted', number: 1, firstIndex: 7, term: 1 })
    for (const index of [6, 7, 8, 9, 10]) apply(index, `result ${index}`)
    expect(await Promise.all(calls)).toMatchObject([
      { index: 7 },
      [{ index: 8 }, { index: 9 }],
      { index: 10, result: 'result 10' },
    ])
  })

  test('that were applied before the answer came are resolved by it, or rejected where another term stands (H116)', async () => {
    const { proposals, submit, forwardAll, apply } = follower()
    const calls = [submit(bytes(1)), submit(bytes(2))]
    forwardAll()
    apply(3, 'three')
    apply(4, 'four', 2)
    proposals.onResult({ type: 'accepted', number: 1, firstIndex: 3, term: 1 })
    expect(await calls[0]).toEqual({ index: 3, term: 1, result: 'three' })
    expect(await errorOf(calls[1]!)).toMatchObject({ code: 'RAFT_LEADERSHIP_LOST', outcome: 'rejected' })
  })

  test('whose results are no longer kept are unknown: at the bound, and beyond it', async () => {
    for (const [firstIndex, isKept] of [
      [2, true],
      [1, false],
    ] as const) {
      const { proposals, submit, forwardAll, apply } = follower()
      const call = submit(bytes(1))
      forwardAll()
      for (let index = 1; index <= APPLIED_RESULTS + 1; index++) apply(index, index)
      proposals.onResult({ type: 'accepted', number: 1, firstIndex, term: 1 })
      if (isKept) expect(await call).toMatchObject({ result: 2 })
      else expect(await errorOf(call)).toMatchObject({ code: 'RAFT_TIMEOUT', outcome: 'unknown' })
    }
  })

  test('give back their bytes and their place when they settle, however they do', async () => {
    const { proposals, budget, submit, forwardAll, clock, state, apply } = follower()
    const refused = submit(bytes(1))
    forwardAll()
    proposals.onResult({ type: 'refused', number: 1, refusal: 'notLeader' })
    const accepted = submit(bytes(2))
    forwardAll()
    proposals.onResult({ type: 'accepted', number: 2, firstIndex: 1, term: 1 })
    apply(1, 'one')
    const late = submit(bytes(3))
    forwardAll()
    await clock.run(6_000)
    state.currentTerm = 2
    const lost = submit(bytes(4))
    forwardAll()
    proposals.onTerm(2)
    await Promise.allSettled([refused, accepted, late, lost])
    expect(await errorOf(late)).toMatchObject({ code: 'RAFT_TIMEOUT', outcome: 'unknown' })
    expect(await errorOf(lost)).toMatchObject({ code: 'RAFT_LEADERSHIP_LOST', outcome: 'unknown' })
    expect([budget.usedBytes(true), proposals.pendingCount]).toEqual([0, 0])
  })
})

describe('AppliedResults', () => {
  test('keeps the newest results and says which are gone', () => {
    const results = new AppliedResults()
    for (let index = 5; index < 5 + APPLIED_RESULTS + 3; index++) results.add(index, 1, `r${index}`)
    expect(results.at(7)).toEqual({ type: 'gone' })
    expect(results.at(8)).toEqual({ type: 'held', term: 1, result: 'r8' })
    expect(results.at(5 + APPLIED_RESULTS + 3)).toEqual({ type: 'gone' })
    results.clear()
    expect(results.at(8)).toEqual({ type: 'gone' })
    results.add(1, 2, 'again')
    expect(results.at(1)).toEqual({ type: 'held', term: 2, result: 'again' })
  })
})
