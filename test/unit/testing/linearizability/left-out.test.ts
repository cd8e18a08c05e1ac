// What the search leaves out, by its parts: big histories would need luck to show that a part is wrong.
import { type KvInput, type KvOutput, models, type Operation } from 'helios-raft/testing'
import { describe, expect, it } from 'vitest'
import { FailedConfigurations, MemoBudget } from '../../../../src/testing/linearizability/failed-configurations.js'
import { OptionalOperations } from '../../../../src/testing/linearizability/optional-operations.js'
import { ListMemory, PendingList } from '../../../../src/testing/linearizability/pending-list.js'
import { isUnseenWrite } from '../../../../src/testing/linearizability/unseen-write.js'

type KvOperation = Operation<KvInput, KvOutput>
const key = 'k'

function ok(input: KvInput, output: KvOutput, invokedMs = 5): KvOperation {
  return { client: 1, input, invokedMs, returnedMs: 10, outcome: 'ok', output }
}

function unknown(input: KvInput, invokedMs = 1): KvOperation {
  return { client: 1, input, invokedMs, returnedMs: Infinity, outcome: 'unknown' }
}

describe('isUnseenWrite', () => {
  const write = unknown({ op: 'set', key, value: 'unique' })
  const judge = (observers: readonly KvOperation[], others: readonly KvOperation[] = []) =>
    isUnseenWrite(models.kv(), { observers, optional: new OptionalOperations(models.kv(), [write, ...others]) }, 0)

  it('leaves out what no answer allows', () => {
    expect(judge([])).toBe(true)
    expect(judge([ok({ op: 'get', key }, 'other'), ok({ op: 'get', key }, null)])).toBe(true)
    expect(judge([ok({ op: 'cas', key, from: 'other', to: 'x' }, true)])).toBe(true)
    expect(judge([], [unknown({ op: 'cas', key, from: 'other', to: 'x' }), unknown({ op: 'del', key })])).toBe(true)
  })

  it.each<[string, KvOperation]>([
    ['a read of its value', ok({ op: 'get', key }, 'unique')],
    ['a del that found something', ok({ op: 'del', key }, true)],
    ['a cas that was refused', ok({ op: 'cas', key, from: null, to: 'x' }, false)],
    ['an add that was refused', ok({ op: 'add', key, by: 1 }, null)],
  ])('keeps what %s may have seen', (_, observer) => {
    expect(judge([observer])).toBe(false)
    const returnedMs = 0.5
    expect(judge([{ ...observer, invokedMs: 0, returnedMs }])).toBe(true)
  })

  it('keeps what an unknown cas may have changed', () => {
    expect(judge([], [unknown({ op: 'cas', key, from: 'unique', to: 'x' })])).toBe(false)
  })

  it('keeps what does not overwrite', () => {
    const add = new OptionalOperations(models.kv(), [unknown({ op: 'add', key, by: 1 })])
    expect(isUnseenWrite(models.kv(), { observers: [], optional: add }, 0)).toBe(false)
  })
})

describe('FailedConfigurations', () => {
  const setHash = 7
  const used = { used: new Int32Array(2), placed: new Int32Array(2), placedCount: 0 }
  const concurrent = Array.from({ length: 4 }, () => ok({ op: 'get', key }, null))
  const create = (words?: number) => {
    const pending = new PendingList(concurrent, new ListMemory())
    const budget = new MemoBudget(words)
    return { pending, budget, failed: new FailedConfigurations(models.kv(), pending, budget) }
  }

  it('compares sets and states exactly, also when their hashes are the same', () => {
    const { pending, failed } = create()
    pending.lift(1)
    failed.add({ state: 'a', setHash, optional: used })
    expect(failed.has({ state: 'a', setHash, optional: used })).toBe(true)
    expect(failed.has({ state: 'b', setHash, optional: used })).toBe(false)
    pending.unlift(1)
    pending.lift(2)
    expect(failed.has({ state: 'a', setHash, optional: used })).toBe(false)
    pending.lift(1)
    expect(failed.has({ state: 'a', setHash, optional: used })).toBe(false)
  })

  it('covers configurations that used more unknown operations, never those that used fewer', () => {
    const { failed } = create()
    const withUsed = (counts: readonly [number, number]) => {
      const placed = [0, 1].filter((number) => (counts[number] ?? 0) > 0)
      return { used: Int32Array.from(counts), placed: Int32Array.from(placed), placedCount: placed.length }
    }
    failed.add({ state: 'a', setHash, optional: withUsed([0, 1]) })
    expect(failed.has({ state: 'a', setHash, optional: withUsed([0, 1]) })).toBe(true)
    expect(failed.has({ state: 'a', setHash, optional: withUsed([3, 2]) })).toBe(true)
    expect(failed.has({ state: 'a', setHash, optional: withUsed([3, 0]) })).toBe(false)
    expect(failed.has({ state: 'a', setHash, optional: withUsed([0, 0]) })).toBe(false)
  })

  it('forgets the others when the budget is spent, and stores nothing that is beyond it', () => {
    // Four pending operations take 6 words, and every configuration 8 more.
    for (const [words, kept] of [
      [13, [false, false]],
      [14, [false, true]],
      [27, [false, true]],
      [28, [true, true]],
    ] as const) {
      const { failed, budget } = create(words)
      for (const state of ['a', 'b']) failed.add({ state, setHash, optional: used })
      expect(['a', 'b'].map((state) => failed.has({ state, setHash, optional: used }))).toEqual(kept)
      failed.clear()
      expect(budget.wordsLeft).toBe(words)
    }
  })
})
