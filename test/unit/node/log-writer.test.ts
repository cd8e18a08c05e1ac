import fc from 'fast-check'
import type { LogEntry } from 'helios-raft'
import { describe, expect, test } from 'vitest'
import type { Envelope } from '../../../src/core/messages.js'
import type { Append } from '../../../src/core/output.js'
import { type DurableWrite, LogWriter } from '../../../src/node/log-writer.js'
import { ManualClock, settle, TestLogStore } from './harness.js'

const run = (first: number, last: number, term = 1): LogEntry[] =>
  Array.from({ length: last - first + 1 }, (_, at) => {
    return { index: first + at, term, type: 'command', timestamp: 0, data: new Uint8Array(0) }
  })
const answer = (to: string): Envelope => ({ to, message: { type: 'requestVoteResponse', term: 1, voteGranted: true } })
const output = (parts: { append?: Append; vote?: string; answers?: string[] }) => ({
  append: parts.append,
  hardState: parts.vote === undefined ? undefined : { currentTerm: 1, votedFor: parts.vote },
  messagesAfterPersist: (parts.answers ?? []).map(answer),
})

async function makeWriter(answersWait?: ConstructorParameters<typeof LogWriter>[1]['answersWait']) {
  const store = new TestLogStore()
  await store.open()
  store.isHeld = true
  const released: string[] = []
  const durable: DurableWrite[] = []
  const failures: unknown[] = []
  const writer = new LogWriter(store, {
    clock: new ManualClock(),
    release: (envelopes) => released.push(...envelopes.map(({ to }) => to)),
    onDurable: (write) => durable.push(write),
    onFailure: (error) => failures.push(error),
    answersWait,
  })
  return { store, writer, released, durable, failures }
}

describe('LogWriter', () => {
  test('has one write in flight and merges what comes meanwhile into the next (F9)', async () => {
    const { store, writer, durable } = await makeWriter()
    writer.submit(output({ append: { entries: run(1, 1), epoch: 0 } }))
    writer.submit(output({ append: { entries: run(2, 3), epoch: 0 } }))
    writer.submit(output({ vote: 'b' }))
    writer.submit(output({ append: { entries: run(4, 4), epoch: 0 } }))
    await settle()
    expect(store.writes.length).toBe(1)
    store.release()
    await settle()
    expect(store.writes.length).toBe(2)
    expect(store.writes[1]?.entries?.map(({ index }) => index)).toEqual([2, 3, 4])
    store.release()
    await settle()
    expect(durable).toEqual([
      { hardState: null, index: 1, epoch: 0 },
      { hardState: { currentTerm: 1, votedFor: 'b' }, index: 4, epoch: 0 },
    ])
  })

  test('merges no more than 1 MiB into a write, in the order in which it came, and answers with the last of it (H16)', async () => {
    const { store, writer, durable, released } = await makeWriter()
    const large = (first: number, last: number) => {
      return run(first, last).map((entry) => ({ ...entry, data: new Uint8Array(300 * 1024) }))
    }
    writer.submit(output({ vote: 'b' }))
    for (let first = 1; first < 9; first += 2) {
      writer.submit(output({ append: { entries: large(first, first + 1), epoch: 0 }, answers: [`${first + 1}`] }))
    }
    writer.submit(output({ append: { entries: run(5, 5, 2), epoch: 1 }, vote: 'c', answers: ['c'] }))
    const seen: string[] = []
    for (let write = 1; write <= 4; write++) {
      await settle()
      expect(store.writes.length).toBe(Math.min(write, 4))
      store.release()
      await settle()
      seen.push(released.splice(0).join())
    }
    expect(store.writes.map(({ entries = [] }) => entries.map(({ index }) => index))).toEqual([
      [],
      [1, 2, 3, 4],
      [5, 6, 7, 8],
      [5],
    ])
    expect(seen).toEqual(['', '2,4', '6,8', 'c'])
    expect(durable.map(({ index, hardState }) => [index, hardState?.votedFor])).toEqual([
      [0, 'b'],
      [4, undefined],
      [8, undefined],
      [5, 'c'],
    ])
  })

  test('divides small entries too, since each of them costs its store something', async () => {
    const { store, writer } = await makeWriter()
    writer.submit(output({ vote: 'b' }))
    for (let first = 1; first < 10_000; first += 100) {
      writer.submit(output({ append: { entries: run(first, first + 99), epoch: 0 } }))
    }
    store.isHeld = false
    store.release()
    await settle()
    expect(store.writes.map(({ entries = [] }) => entries.length)).toEqual([0, 4_100, 4_100, 1_800])
  })

  test('resets the log behind the write under way, and drops entries that were to come before it', async () => {
    const { store, writer, durable } = await makeWriter()
    writer.submit(output({ append: { entries: run(1, 1), epoch: 0 } }))
    writer.submit(output({ append: { entries: run(2, 3), epoch: 0 }, vote: 'b' }))
    let isReset = false
    const reset = writer.reset({ index: 9, term: 1 }).then(() => void (isReset = true))
    store.release()
    await settle()
    expect(store.writes[1]).toEqual({ resetTo: { index: 9, term: 1 }, hardState: { currentTerm: 1, votedFor: 'b' } })
    expect(isReset).toBe(false)
    store.release()
    await reset
    expect(durable.at(-1)).toMatchObject({ index: 0, hardState: { votedFor: 'b' } })
  })

  test('ends the wait for a reset when the write fails, and takes none after it', async () => {
    const { store, writer, failures } = await makeWriter()
    store.failure = new Error('no disk')
    const reset = writer.reset({ index: 9, term: 1 })
    store.release()
    await reset
    expect(failures).toHaveLength(1)
    await writer.reset({ index: 10, term: 1 })
    expect(store.writes).toHaveLength(1)
  })

  test('releases answers when their own write is durable', async () => {
    const { store, writer, released } = await makeWriter()
    writer.submit(output({ vote: 'b', answers: ['b'] }))
    await settle()
    expect(released).toEqual([])
    store.release()
    await settle()
    expect(released).toEqual(['b'])
  })

  test('holds the answers of an Output that writes nothing behind every write before it (H111)', async () => {
    const { store, writer, released } = await makeWriter()
    writer.submit(output({ vote: 'b' }))
    writer.submit(output({ answers: ['repeated grant'] }))
    writer.submit(output({ append: { entries: run(1, 1), epoch: 0 }, answers: ['second write'] }))
    writer.submit(output({ answers: ['behind both'] }))
    await settle()
    expect(released).toEqual([])
    store.release()
    await settle()
    expect(released).toEqual(['repeated grant'])
    store.release()
    await settle()
    expect(released).toEqual(['repeated grant', 'second write', 'behind both'])
    writer.submit(output({ answers: ['nothing under way'] }))
    expect(released.at(-1)).toBe('nothing under way')
  })

  test('lets a harness replace that rule', async () => {
    const { writer, released } = await makeWriter(({ writes }) => writes)
    writer.submit(output({ vote: 'b' }))
    writer.submit(output({ answers: ['too early'] }))
    expect(released).toEqual(['too early'])
  })

  test('writes nothing more after a failed write, and releases nothing (H78)', async () => {
    const { store, writer, released, durable, failures } = await makeWriter()
    store.failure = new Error('EIO')
    writer.submit(output({ vote: 'b', answers: ['b'] }))
    writer.submit(output({ append: { entries: run(1, 1), epoch: 0 }, answers: ['c'] }))
    store.release()
    await settle()
    writer.submit(output({ vote: 'c', answers: ['d'] }))
    await settle()
    expect(failures).toMatchObject([{ message: 'EIO' }])
    expect([store.writes.length, released, durable]).toEqual([1, [], []])
  })

  test('releases nothing after it was closed, though the running write ends', async () => {
    const { store, writer, released, durable } = await makeWriter()
    writer.submit(output({ vote: 'b', answers: ['b'] }))
    writer.close()
    store.release()
    await writer.idle()
    expect([released, durable]).toEqual([[], []])
    expect(store.hardState.votedFor).toBe('b')
  })

  test('leaves in the store what the appends mean in order, whatever merges (H22, H26)', async () => {
    const step = fc.record({ back: fc.nat(5), count: fc.integer({ min: 1, max: 4 }), release: fc.boolean() })
    await fc.assert(
      fc.asyncProperty(fc.array(step, { maxLength: 25 }), async (steps) => {
        const { store, writer, durable } = await makeWriter()
        let log: LogEntry[] = []
        let epoch = 0
        for (const [at, { back, count, release }] of steps.entries()) {
          const first = Math.max(1, log.length + 1 - back)
          if (first <= log.length) epoch += 1
          const entries = run(first, first + count - 1, at + 1)
          log = [...log.slice(0, first - 1), ...entries]
          writer.submit(output({ append: { entries, epoch } }))
          if (release) store.release()
          await settle()
        }
        for (let at = 0; at <= steps.length; at++) {
          store.release()
          await settle()
        }
        expect(store.entries).toEqual(log)
        if (steps.length > 0) expect(durable.at(-1)).toEqual({ hardState: null, index: log.length, epoch })
      }),
      { numRuns: 60 },
    )
  })
})
