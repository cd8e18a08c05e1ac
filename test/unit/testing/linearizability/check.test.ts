import * as fc from 'fast-check'
import { checkLinearizability, type KvInput, type KvOutput, models, type Operation } from 'helios-raft/testing'
import { describe, expect, it } from 'vitest'
import { arbHistory } from './histories.js'
import { objects } from './objects.js'

type KvOperation = Operation<KvInput, KvOutput>

function op(input: KvInput, [invokedMs, returnedMs]: readonly [number, number], output: KvOutput): KvOperation {
  return { client: 1, input, invokedMs, returnedMs, outcome: 'ok', output }
}

function unknown(input: KvInput, invokedMs: number): KvOperation {
  return { client: 9, input, invokedMs, returnedMs: Infinity, outcome: 'unknown' }
}

const get = (key: string): KvInput => ({ op: 'get', key })
const set = (key: string, value: string): KvInput => ({ op: 'set', key, value })
const verdictOf = (history: readonly KvOperation[], timeoutMs = Infinity) =>
  checkLinearizability(models.kv(), history, { timeoutMs }).verdict

/** Every subset of the unknown adds has another sum, and none is negative: more than anyone can go through. */
const exploding: readonly KvOperation[] = [
  ...Array.from({ length: 40 }, (_, bit) => unknown({ op: 'add', key: 'hard', by: 2 ** bit }, 0)),
  op(get('hard'), [10, 11], -1),
]

describe('checkLinearizability', () => {
  it('finds an empty history ok, whatever the time', () => {
    expect(checkLinearizability(models.kv(), [], { timeoutMs: 0 })).toEqual({ verdict: 'ok', failure: null })
  })

  it('refuses an operation that the model does not know, rather than to take it for one that does nothing', () => {
    const put = { op: 'put', key: 'a', value: 'b' } as unknown as KvInput
    expect(() => verdictOf([op(put, [0, 1], true)])).toThrow(/"op":"put".*must be get, set, del, cas, add/)
  })

  it('is undecided when the time ran out', () => {
    expect(verdictOf(exploding, 30)).toBe('undecided')
    expect(verdictOf([op(get('a'), [0, 1], null)], 0)).toBe('undecided')
  })

  it('finds the easy illegal key beside one that explodes', () => {
    const easy = [op(set('easy', 'a'), [0, 1], true), op(set('easy', 'b'), [2, 3], true), op(get('easy'), [4, 5], 'a')]
    const { verdict, failure } = checkLinearizability(models.kv(), [...exploding, ...easy], { timeoutMs: Infinity })
    expect(verdict).toBe('illegal')
    expect(failure?.key).toBe('easy')
    expect(failure?.window).toEqual(easy)
  })

  it('takes a return and an invocation of the same millisecond as concurrent', () => {
    expect(verdictOf([op(set('a', '1'), [0, 5], true), op(get('a'), [5, 6], null)])).toBe('ok')
    expect(verdictOf([op(set('a', '1'), [0, 4], true), op(get('a'), [5, 6], null)])).toBe('illegal')
  })

  it('lets an unknown write happen at any later time, once, or never', () => {
    const write = unknown(set('a', '1'), 5)
    expect(verdictOf([write, op(get('a'), [6, 7], null), op(get('a'), [90, 91], '1')])).toBe('ok')
    expect(verdictOf([write, op(get('a'), [6, 7], null)])).toBe('ok')
    expect(verdictOf([write, op(get('a'), [6, 7], '1'), op(get('a'), [90, 91], null)])).toBe('illegal')
    expect(verdictOf([write, op(get('a'), [1, 2], '1')])).toBe('illegal')
  })

  it('leaves out what was rejected, and takes an answer that never came back as certain', () => {
    const rejected = { ...op(set('a', '1'), [0, 1], true), outcome: 'rejected' as const }
    expect(verdictOf([rejected, op(get('a'), [2, 3], '1')])).toBe('illegal')
    expect(verdictOf([op(set('a', '1'), [0, Infinity], true), op(get('a'), [2, 3], '1')])).toBe('ok')
    expect(verdictOf([op({ op: 'del', key: 'a' }, [0, Infinity], true)])).toBe('illegal')
  })

  it('judges a history in any order of its operations', () => {
    const history = [op(get('a'), [4, 5], '2'), op(set('a', '2'), [2, 3], true), op(set('a', '1'), [0, 1], true)]
    expect(verdictOf(history)).toBe('ok')
    expect(verdictOf([op(get('a'), [4, 5], '1'), ...history.slice(1)])).toBe('illegal')
  })

  it.each([[{ timeoutMs: -1 }], [{ timeoutMs: Number.NaN }]])('refuses %j', (options) => {
    expect(() => checkLinearizability(models.kv(), [], options)).toThrow(/timeoutMs is (-1|NaN)/)
  })

  it('refuses an operation that returned before it was invoked', () => {
    expect(() => verdictOf([op(get('a'), [5, 4], null)])).toThrow(/invoked at 5 and returned at 4/)
  })
})

describe('the shortcut for unknown writes', () => {
  const { effect: _, ...withoutShortcut } = models.kv()

  it('keeps a write that a del or a refused cas saw without reading it', () => {
    const write = unknown(set('a', 'unique'), 0)
    const refused: KvInput = { op: 'cas', key: 'a', from: null, to: 'x' }
    expect(verdictOf([write, op({ op: 'del', key: 'a' }, [5, 6], true)])).toBe('ok')
    expect(verdictOf([write, op(refused, [5, 6], false)])).toBe('ok')
    expect(
      verdictOf([write, unknown({ op: 'cas', key: 'a', from: 'unique', to: 'y' }, 1), op(get('a'), [5, 6], 'y')]),
    ).toBe('ok')
  })

  it('changes no verdict', () => {
    const counts = { ok: 0, illegal: 0, undecided: 0 }
    const histories = fc.array(arbHistory(objects.kv), { minLength: 3, maxLength: 4 }).map((parts) =>
      parts.flatMap((part, number) =>
        part.map((item) => ({
          ...item,
          invokedMs: item.invokedMs + 8 * number,
          returnedMs: item.returnedMs + 8 * number,
        })),
      ),
    )
    const property = fc.property(histories, fc.integer({ min: 0, max: 30 }), (history, at) => {
      const all = [...history, ...Array.from({ length: 5 }, (_, n) => unknown(set('x', `unique ${n}`), at + n))]
      const { verdict } = checkLinearizability(models.kv(), all, { timeoutMs: Infinity })
      expect(checkLinearizability(withoutShortcut, all, { timeoutMs: Infinity }).verdict).toBe(verdict)
      counts[verdict] += 1
    })
    fc.assert(property, { numRuns: 600 })
    expect(counts.ok).toBeGreaterThan(50)
    expect(counts.illegal).toBeGreaterThan(50)
  })

  it('decides an illegal read beside hundreds of unknown writes', () => {
    const writes = Array.from({ length: 300 }, (_, number) => unknown(set('a', `v${number}`), number))
    const steps = Array.from({ length: 100 }, (_, n) => op(set('a', `s${n}`), [2_000 + 4 * n, 2_001 + 4 * n], true))
    expect(verdictOf([...writes, ...steps, op(get('a'), [9_000, 9_001], 's98')])).toBe('illegal')
    expect(verdictOf([...writes, ...steps, op(get('a'), [9_000, 9_001], 'v7')])).toBe('ok')
  })
})

describe('the text of a failure', () => {
  it('is the smallest window as a timeline', () => {
    const history: KvOperation[] = [
      op(set('k', 'a'), [0, 4], true),
      op(get('k'), [5, 9], 'a'),
      { ...op(set('k', 'b'), [10, 14], true), client: 12 },
      op(get('k'), [15, 120], 'b'),
      unknown(set('k', 'c'), 16),
      { ...op(get('k'), [20, 121], 'a'), client: 3 },
      op(set('k', 'd'), [130, 140], true),
    ]
    expect(checkLinearizability(models.kv(), history).failure?.text.split('\n')).toEqual([
      'key "k" is not linearizable: no order of these (3 of 6 answered operations) explains their answers',
      '  client  1  0-4    ms  set k "a" -> true',
      '  client 12  10-14  ms  set k "b" -> true',
      '  client  3  20-121 ms  get k -> "a"   <- the first answer that no order explains',
    ])
  })

  it('shows inputs and outputs as they are when the model has no words for them', () => {
    const { describe: _, key: _key, ...plain } = models.kv()
    const text = checkLinearizability(plain, [op(get('k'), [1, 2], 'a')]).failure?.text.split('\n')
    expect(text).toEqual([
      'the history is not linearizable: no order of these (1 of 1 answered operations) explains their answers',
      "  client 1  1-2 ms  { op: 'get', key: 'k' } -> 'a'   <- the first answer that no order explains",
    ])
  })

  it('prints the last sixty operations of a bigger window', () => {
    const adds = Array.from({ length: 61 }, (_, n) => op({ op: 'add', key: 'n', by: 1 }, [2 * n, 2 * n], n + 1))
    const text = (count: number) => {
      const read = op(get('n'), [1_000, 1_001], count - 1)
      return checkLinearizability(models.counter(), [...adds.slice(0, count), read].map(asCounter)).failure?.text ?? ''
    }
    expect(text(59).split('\n')).toHaveLength(61)
    expect(text(59)).not.toContain('left out')
    expect(text(60).split('\n')).toHaveLength(62)
    expect(text(60)).toContain('(1 earlier operations are left out)')
  })
})

/** Adds that don't say their sum: each is needed to show that the read is wrong. */
function asCounter({ input, output, ...rest }: KvOperation): Operation<any, any> {
  return input.op === 'add'
    ? { ...rest, input: { op: 'add', by: input.by }, output: null }
    : { ...rest, input: { op: 'read' }, output }
}
