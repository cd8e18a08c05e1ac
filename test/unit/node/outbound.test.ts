import type { LogEntry, Message } from 'helios-raft'
import { describe, expect, test } from 'vitest'
import { bootstrapConfiguration } from '../../../src/core/configuration.js'
import type { AppendEntries, AppendRange } from '../../../src/core/messages.js'
import { newProgress } from '../../../src/core/progress.js'
import { type CoreState, initialState } from '../../../src/core/state.js'
import { EntryCache } from '../../../src/node/entry-cache.js'
import { LogReader } from '../../../src/node/log-reader.js'
import { DEFAULTS, type ResolvedLimits } from '../../../src/node/options.js'
import { Outbound } from '../../../src/node/outbound.js'
import { CORE_OPTIONS, settle, TestLogStore } from './harness.js'

const entry = (index: number, term: number, sizeBytes: number): LogEntry => {
  return { index, term, type: 'command', timestamp: 0, data: new Uint8Array(sizeBytes) }
}
const range = (first: number, last: number, changes: Partial<AppendRange> = {}): AppendRange => {
  const prevLogIndex = first - 1
  const prevLogTerm = prevLogIndex === 0 ? 0 : 5
  return {
    type: 'appendRange',
    term: 5,
    addedAt: 0,
    prevLogIndex,
    prevLogTerm,
    first,
    last,
    leaderCommit: 0,
    ...changes,
  }
}

/** A leader of term 5 with entries 1..20 of 10 bytes; those from `cachedFrom` on are in memory. */
async function leader(limits: Partial<ResolvedLimits> = {}, cachedFrom = 1, maxMessageBytes = 1e6) {
  const store = new TestLogStore()
  await store.open()
  store.entries = Array.from({ length: 20 }, (_, at) => entry(at + 1, 5, 10))
  const configuration = {
    index: 0,
    configuration: bootstrapConfiguration(['a', 'b'].map((id) => ({ id, address: `${id}:1` }))),
  }
  const log = {
    hardState: { currentTerm: 5, votedFor: 'a' },
    firstIndex: 1,
    lastIndex: 20,
    previousTerm: 0,
    termRuns: [{ first: 1, term: 5 }],
  }
  const state: CoreState = initialState(CORE_OPTIONS, { ...log, logTime: 0, configuration }, 0)
  state.role = 'leader'
  state.progress.set('b', newProgress(20, 0))
  const cache = new EntryCache()
  cache.append(store.entries.slice(cachedFrom - 1))
  const sent: { to: object; message: Message }[] = []
  const dropped: [string, number][] = []
  const failures: unknown[] = []
  const clock = { nowMs: 0 }
  const outbound = new Outbound({
    transport: {
      maxMessageBytes,
      start: async () => undefined,
      stop: async () => undefined,
      send: (to, message) => void sent.push({ to, message }),
    },
    clock: { now: () => clock.nowMs },
    settings: { limits: { ...DEFAULTS.limits, ...limits } },
    cache,
    reader: new LogReader(store),
    state,
    onDropped: (peer, index) => dropped.push([peer, index]),
    onFailure: (error) => failures.push(error),
  })
  const appends = () => sent.map(({ message }) => message as AppendEntries)
  const spans = () =>
    appends().map(({ entries, prevLogIndex }) => [prevLogIndex, entries[0]?.index, entries.at(-1)?.index])
  const acknowledge = (index: number) => {
    state.progress.get('b')!.matchIndex = index
    outbound.pump()
  }
  return { store, state, cache, sent, dropped, failures, outbound, clock, appends, spans, acknowledge }
}

describe('Outbound', () => {
  test('fills a range from memory and sends it to the address of the configuration', async () => {
    const { outbound, sent } = await leader()
    outbound.send([{ to: 'b', message: range(3, 4) }])
    expect(sent).toMatchObject([
      {
        to: { id: 'b', address: 'b:1' },
        message: { type: 'appendEntries', prevLogIndex: 2, entries: [{ index: 3 }, { index: 4 }] },
      },
    ])
    outbound.send([{ to: 'stranger', message: { type: 'requestVoteResponse', term: 5, voteGranted: false } }])
    expect(sent.at(-1)?.to).toEqual({ id: 'stranger' })
  })

  test('cuts by bytes and by count into pieces that are each valid by themselves', async () => {
    const byBytes = await leader({ appendBytes: 30 })
    byBytes.outbound.send([{ to: 'b', message: range(1, 8) }])
    expect(byBytes.spans()).toEqual([
      [0, 1, 3],
      [3, 4, 6],
      [6, 7, 8],
    ])
    expect(byBytes.appends().map(({ prevLogTerm }) => prevLogTerm)).toEqual([0, 5, 5])
    const byCount = await leader({ appendEntries: 5 })
    byCount.outbound.send([{ to: 'b', message: range(1, 8) }])
    expect(byCount.spans()).toEqual([
      [0, 1, 5],
      [5, 6, 8],
    ])
    const byFrame = await leader({}, 1, 96 + 2 * 42)
    byFrame.outbound.send([{ to: 'b', message: range(1, 4) }])
    expect(byFrame.spans()).toEqual([
      [0, 1, 2],
      [2, 3, 4],
    ])
  })

  test('sends a single entry that is larger than appendBytes', async () => {
    const { outbound, spans } = await leader({ appendBytes: 5 })
    outbound.send([{ to: 'b', message: range(1, 2) }])
    expect(spans()).toEqual([
      [0, 1, 1],
      [1, 2, 2],
    ])
  })

  test('holds what exceeds the byte window until something is acknowledged, and drops nothing (F7)', async () => {
    const { outbound, spans, acknowledge, dropped } = await leader({ appendBytes: 20, inflightBytes: 40 })
    outbound.send([{ to: 'b', message: range(1, 12) }])
    expect(spans()).toEqual([
      [0, 1, 2],
      [2, 3, 4],
    ])
    acknowledge(1)
    expect(spans().length).toBe(2)
    acknowledge(2)
    expect(spans().at(-1)).toEqual([4, 5, 6])
    acknowledge(6)
    expect(spans().slice(3)).toEqual([
      [6, 7, 8],
      [8, 9, 10],
    ])
    acknowledge(10)
    expect(spans().at(-1)).toEqual([10, 11, 12])
    expect(dropped).toEqual([])
  })

  test('asks about the last entry that was sent when the core asks and the window is full (H29)', async () => {
    const { outbound, appends } = await leader({ appendBytes: 20, inflightBytes: 20 })
    outbound.send([{ to: 'b', message: range(1, 12) }])
    outbound.send([{ to: 'b', message: range(13, 12) }])
    expect(appends().at(-1)).toMatchObject({ prevLogIndex: 2, prevLogTerm: 5, entries: [] })
  })

  test('forgets what was held when the core starts over below it', async () => {
    const { outbound, spans } = await leader({ appendBytes: 20, inflightBytes: 20 })
    outbound.send([{ to: 'b', message: range(1, 12) }])
    outbound.send([{ to: 'b', message: range(1, 12) }])
    expect(spans()).toEqual([
      [0, 1, 2],
      [0, 1, 2],
    ])
  })

  test('reads what is not in memory, in order with what is', async () => {
    const { outbound, spans } = await leader({}, 11)
    outbound.send([
      { to: 'b', message: range(6, 14) },
      { to: 'b', message: range(15, 16) },
    ])
    expect(spans()).toEqual([])
    await settle()
    expect(spans()).toEqual([
      [5, 6, 10],
      [10, 11, 14],
      [14, 15, 16],
    ])
  })

  test('has one message of what it reads on its way to a near peer, and more over a distance', async () => {
    for (const { answerMs, onTheirWay } of [
      { answerMs: 24, onTheirWay: 1 },
      { answerMs: 60, onTheirWay: 3 },
    ]) {
      const { outbound, state, clock, spans, acknowledge } = await leader({ appendBytes: 20 }, 20)
      state.progress.get('b')!.state = 'replicate'
      outbound.send([{ to: 'b', message: range(1, 18) }])
      for (let turn = 0; turn < 5; turn++) await settle()
      expect(spans()).toEqual([[0, 1, 2]])
      clock.nowMs += answerMs
      acknowledge(2)
      for (let turn = 0; turn < 5; turn++) await settle()
      expect(spans().length).toBe(1 + onTheirWay)
      // An answer that waited for others says nothing about the distance.
      clock.nowMs += 1_000
      acknowledge(4)
      for (let turn = 0; turn < 5; turn++) await settle()
      expect(spans().length).toBe(2 + onTheirWay)
    }
  })

  test('lets what may be lost hold up no probe of what it reads', async () => {
    const { outbound, state, spans } = await leader({ appendBytes: 20 }, 20)
    const progress = state.progress.get('b')!
    progress.state = 'replicate'
    outbound.send([{ to: 'b', message: range(1, 4) }])
    await settle()
    // The peer answers that it holds 1 and 2, and by that not that they are durable: the core begins behind them.
    progress.state = 'probe'
    for (let heartbeat = 1; heartbeat <= 3; heartbeat++) {
      outbound.send([{ to: 'b', message: range(3, 4) }])
      await settle()
      expect(spans()).toEqual([[0, 1, 2], ...Array.from({ length: heartbeat }, () => [2, 3, 4])])
    }
  })

  test('lets what may be lost hold up no probe that follows it, and keeps that within the window', async () => {
    const { outbound, state, spans } = await leader({ inflightBytes: 40, appendBytes: 20 })
    state.progress.get('b')!.state = 'replicate'
    outbound.send([{ to: 'b', message: range(1, 8) }])
    expect(spans().at(-1)).toEqual([2, 3, 4])
    // The peer says that it holds 4, and not that this is durable: the core begins behind it, and asks by nothing else.
    state.progress.get('b')!.state = 'probe'
    for (let probe = 0; probe < 2; probe++) {
      outbound.send([{ to: 'b', message: range(5, 12) }])
      expect(spans().slice(-2)).toEqual([
        [4, 5, 6],
        [6, 7, 8],
      ])
    }
    expect(spans()).toHaveLength(6)
  })

  test('takes no answer to one of several copies for the time of an answer', async () => {
    const { outbound, state, clock, spans, acknowledge } = await leader({ appendBytes: 20 }, 20)
    const progress = state.progress.get('b')!
    for (const nowMs of [0, 100, 200]) {
      clock.nowMs = nowMs
      outbound.send([{ to: 'b', message: range(1, 2) }])
      await settle()
    }
    clock.nowMs = 201
    progress.state = 'replicate'
    acknowledge(2)
    outbound.send([{ to: 'b', message: range(3, 18) }])
    await settle()
    clock.nowMs = 261
    acknowledge(4)
    for (let turn = 0; turn < 5; turn++) await settle()
    expect(spans().slice(4).length).toBe(3)
  })

  test('times an answer when it comes, not when there is something to send again', async () => {
    const { outbound, state, clock, spans, acknowledge } = await leader({ appendBytes: 20 }, 20)
    state.progress.get('b')!.state = 'replicate'
    outbound.send([{ to: 'b', message: range(1, 2) }])
    await settle()
    acknowledge(2)
    clock.nowMs = 1_000
    outbound.send([{ to: 'b', message: range(3, 18) }])
    for (let turn = 0; turn < 5; turn++) await settle()
    expect(spans().length).toBe(2)
  })

  test('never lets a control message wait for a read', async () => {
    const { outbound, sent } = await leader({}, 11)
    outbound.send([
      { to: 'b', message: range(1, 4) },
      {
        to: 'b',
        message: { type: 'requestVote', term: 5, lastLogIndex: 1, lastLogTerm: 1, leadershipTransfer: false },
      },
    ])
    expect(sent.map(({ message }) => message.type)).toEqual(['requestVote'])
  })

  test('sends what it read when the core asks for the same again meanwhile: reads may take longer than heartbeats', async () => {
    const { outbound, state, store, spans, dropped } = await leader({}, 11)
    const read = store.read.bind(store)
    const waiting: (() => void)[] = []
    store.read = (first, last, maxBytes) =>
      new Promise((resolve) => waiting.push(() => resolve(read(first, last, maxBytes))))
    state.progress.get('b')!.state = 'probe'
    for (const last of [6, 4]) {
      outbound.send([{ to: 'b', message: range(1, last) }])
      await settle()
      outbound.send([{ to: 'b', message: range(1, last) }])
      waiting.shift()!()
      for (let turn = 0; turn < 5; turn++) await settle()
      expect(spans().at(-1)).toEqual([0, 1, last])
    }
    expect(waiting).toEqual([])
    // A question, which needs no entries, in the place of what is read.
    outbound.send([{ to: 'b', message: range(1, 4) }])
    await settle()
    outbound.send([{ to: 'b', message: range(1, 0) }])
    waiting.shift()!()
    for (let turn = 0; turn < 5; turn++) await settle()
    expect(spans().at(-1)).toEqual([0, undefined, undefined])
    expect(dropped).toEqual([])
  })

  test('drops in silence what it read for a leadership that is over (H98, H128)', async () => {
    for (const change of [
      (state: CoreState) => void (state.role = 'follower'),
      (state: CoreState) => void (state.currentTerm = 6),
      (state: CoreState) => void state.progress.set('b', newProgress(20, 7)),
      (state: CoreState) => void state.progress.delete('b'),
    ]) {
      const { outbound, state, sent, dropped } = await leader({}, 11)
      outbound.send([{ to: 'b', message: range(1, 4) }])
      change(state)
      await settle()
      expect([sent, dropped]).toEqual([[], []])
    }
  })

  test('tells the core when the entries are gone', async () => {
    const { outbound, dropped, sent, store } = await leader({}, 11)
    store.read = async () => []
    outbound.send([
      { to: 'b', message: range(1, 4) },
      { to: 'b', message: range(5, 6) },
    ])
    await settle()
    expect([sent, dropped]).toEqual([[], [['b', 1]]])
  })

  test('a read that fails, or gives other entries than it was asked for, is a failure of the node', async () => {
    const failing = await leader({}, 11)
    failing.store.readFailure = new Error('EIO')
    failing.outbound.send([{ to: 'b', message: range(1, 4) }])
    await settle()
    expect(failing.failures).toMatchObject([{ message: 'EIO' }])
    const lying = await leader({}, 11)
    lying.store.read = async () => [entry(2, 5, 1)]
    lying.outbound.send([{ to: 'b', message: range(1, 4) }])
    await settle()
    expect(lying.failures).toMatchObject([{ code: 'RAFT_CORRUPTION' }])
  })

  test('has one read at a time, whoever needs it', async () => {
    const { outbound, store, state } = await leader({}, 11)
    state.progress.set('c', newProgress(20, 0))
    let running = 0
    const { read } = store
    store.read = async (...args) => {
      running += 1
      expect(running).toBe(1)
      await settle()
      running -= 1
      return read.apply(store, args)
    }
    outbound.send([
      { to: 'b', message: range(1, 4) },
      { to: 'c', message: range(1, 4) },
    ])
    for (let turn = 0; turn < 5; turn++) await settle()
    expect(store.log.filter((line) => line.startsWith('read')).length).toBe(2)
  })

  test('survives a transport that throws', async () => {
    const { outbound, sent } = await leader()
    sent.push = () => {
      throw new Error('against the contract')
    }
    outbound.send([{ to: 'b', message: range(1, 2) }])
  })
})
