import type { LogEntry } from 'helios-raft'
import { describe, expect, test } from 'vitest'
import { initialState } from '../../../src/core/state.js'
import { Applier, SLICE_MS } from '../../../src/node/applier.js'
import { EntryCache } from '../../../src/node/entry-cache.js'
import { LogReader } from '../../../src/node/log-reader.js'
import { PendingCalls } from '../../../src/node/pending-call.js'
import { Reads } from '../../../src/node/reads.js'
import { CORE_OPTIONS, EMPTY_STORES, ManualClock, settle, TestLogStore } from './harness.js'

const entry = (index: number, type: LogEntry['type'] = 'command'): LogEntry => {
  return { index, term: 1, type, timestamp: index * 10, data: Uint8Array.of(index) }
}

async function makeApplier(apply: (value: number) => unknown, cachedFrom = 1, appliedIndex = 0) {
  const clock = new ManualClock()
  const store = new TestLogStore()
  await store.open()
  store.entries = Array.from({ length: 40 }, (_, at) => entry(at + 1, at === 0 ? 'noop' : 'command'))
  const cache = new EntryCache()
  cache.append(store.entries.slice(cachedFrom - 1))
  const log: string[] = []
  const restored = { ...EMPTY_STORES, hardState: { currentTerm: 1, votedFor: null } }
  const reads = new Reads({
    calls: new PendingCalls(clock),
    clock,
    state: initialState(CORE_OPTIONS, restored, 0),
    settings: { heartbeatIntervalMs: 1 },
    leaseEnd: () => Number.NEGATIVE_INFINITY,
    appliedIndex: () => applier.appliedIndex,
    wake: () => undefined,
    onDue: () => undefined,
  })
  const failures: Error[] = []
  const applier: Applier = new Applier({
    apply: ({ index, timestamp, data }) => {
      log.push(`apply ${index}@${timestamp}`)
      return apply(data[0] as number)
    },
    clock,
    cache,
    reader: new LogReader(store),
    reads,
    appliedIndex,
    onEntry: (index, term, result) => log.push(`entry ${index}/${term} ${String(result)}`),
    onBatch: (index) => log.push(`batch ${index}`),
    yieldTurn: () => log.push('yield'),
    onFailure: (error) => failures.push(error as Error),
  })
  const read = (name: string, query: () => unknown = () => undefined, minIndex = 0) => {
    const common = {
      consistency: 'local',
      maxStalenessMs: Number.POSITIVE_INFINITY,
      timeoutMs: 1_000,
      signal: undefined,
    } as const
    const call = reads.submit(
      () => {
        log.push(name)
        return query()
      },
      { ...common, minIndex },
    )
    call.promise.catch(() => undefined)
    return call
  }
  return { applier, clock, store, log, failures, read }
}

describe('Applier', () => {
  test('applies in order up to its target, no-ops to nobody, and reports once per batch', async () => {
    const { applier, log } = await makeApplier((value) => value * 2)
    applier.pump()
    applier.advanceTo(3)
    applier.pump()
    expect(log).toEqual(['entry 1/1 undefined', 'apply 2@20', 'entry 2/1 4', 'apply 3@30', 'entry 3/1 6', 'batch 3'])
  })

  test('waits for a promise before the next entry (H76)', async () => {
    const finish: (() => void)[] = []
    const { applier, log } = await makeApplier(() => new Promise<void>((resolve) => finish.push(resolve)))
    applier.advanceTo(3)
    applier.pump()
    applier.pump()
    await settle()
    expect(log).toEqual(['entry 1/1 undefined', 'apply 2@20'])
    finish[0]?.()
    await settle()
    expect(log.slice(2)).toEqual(['entry 2/1 undefined', 'apply 3@30'])
    finish[1]?.()
    await settle()
    expect(log.slice(4)).toEqual(['entry 3/1 undefined', 'batch 3'])
  })

  test('yields when its slice is over, for entries and for settled promises alike (H16)', async () => {
    for (const isAsync of [false, true]) {
      const { applier, clock, log } = await makeApplier(() => {
        clock.jump(SLICE_MS / 2)
        return isAsync ? Promise.resolve() : undefined
      })
      applier.advanceTo(10)
      applier.pump()
      await settle()
      expect(log.filter((line) => line.startsWith('apply'))).toEqual(['apply 2@20', 'apply 3@30'])
      expect(log.slice(-2)).toEqual(['batch 3', 'yield'])
      applier.pump()
      await settle()
      expect(applier.appliedIndex).toBe(5)
    }
  })

  test('reads what is not in memory in pages, then goes on from memory', async () => {
    const { applier, store, log } = await makeApplier(() => undefined, 31)
    store.read = async (first, last) => store.entries.slice(first - 1, Math.min(last, first + 9))
    applier.advanceTo(40)
    applier.pump()
    await settle()
    expect(applier.appliedIndex).toBe(40)
    expect(log.at(-1)).toBe('batch 40')
  })

  test('stops at an entry that it can not apply, decode or find, and applies nothing behind it (H75)', async () => {
    const throwing = await makeApplier((value) => {
      if (value === 3) throw new Error('mine')
    })
    throwing.applier.advanceTo(5)
    throwing.applier.pump()
    throwing.applier.pump()
    expect(throwing.failures).toMatchObject([{ code: 'RAFT_STATE_MACHINE', cause: { message: 'mine' } }])
    expect(throwing.log.at(-1)).toBe('apply 3@30')
    const rejecting = await makeApplier(() => Promise.reject(new Error('later')))
    rejecting.applier.advanceTo(5)
    rejecting.applier.pump()
    await settle()
    expect(rejecting.failures).toMatchObject([{ code: 'RAFT_STATE_MACHINE', cause: { message: 'later' } }])
    const missing = await makeApplier(() => undefined, 31)
    missing.store.read = async () => []
    missing.applier.advanceTo(5)
    missing.applier.pump()
    await settle()
    expect(missing.failures).toMatchObject([{ code: 'RAFT_CORRUPTION' }])
  })

  test('runs a read exactly when its index is applied, between two entries (H67)', async () => {
    const { applier, log, read } = await makeApplier(() => undefined)
    read('read at 3', undefined, 3)
    read('read now')
    applier.advanceTo(4)
    applier.pump()
    expect(log.filter((line) => !line.startsWith('entry'))).toEqual([
      'read now',
      'apply 2@20',
      'apply 3@30',
      'read at 3',
      'apply 4@40',
      'batch 4',
    ])
  })

  test('applies nothing while a query goes on, and lets one entry in before later queries (H130)', async () => {
    const finish: (() => void)[] = []
    const { applier, log, read } = await makeApplier(() => undefined)
    const slow = () => new Promise<void>((resolve) => finish.push(resolve))
    read('first', slow)
    applier.pump()
    applier.advanceTo(3)
    read('second', slow)
    applier.pump()
    expect(log).toEqual(['first'])
    finish[0]?.()
    await settle()
    expect(log.at(-1)).toBe('yield')
    applier.pump()
    expect(log.filter((line) => line !== 'yield')).toContain('second')
    finish[1]?.()
    await settle()
    applier.pump()
    expect(applier.appliedIndex).toBe(3)
  })

  test('does nothing after it was closed', async () => {
    let finish = (): void => undefined
    const { applier, log, failures } = await makeApplier(() => new Promise<void>((resolve) => (finish = resolve)))
    applier.advanceTo(3)
    applier.pump()
    applier.close()
    finish()
    await settle()
    applier.pump()
    expect(log).toEqual(['entry 1/1 undefined', 'apply 2@20'])
    expect(failures).toEqual([])
  })
})
