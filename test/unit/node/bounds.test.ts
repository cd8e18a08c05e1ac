// Bounds of what waits inside a node: at each of them something stated happens, and it is not that memory grows.
import { type LogEntry, RaftError } from 'helios-raft'
import { describe, expect, test } from 'vitest'
import { MAX_FORWARD_ORIGINS } from '../../../src/core/forwarding.js'
import type { AppendRange, Envelope } from '../../../src/core/messages.js'
import type { CoreState } from '../../../src/core/state.js'
import { EntryCache } from '../../../src/node/entry-cache.js'
import { AppendedCalls } from '../../../src/node/appended-calls.js'
import { LogBudget, MAX_UNAPPLIED_ENTRIES } from '../../../src/node/log-budget.js'
import { ProposalCall, type ProposalOwner } from '../../../src/node/proposal-call.js'
import { LogReader } from '../../../src/node/log-reader.js'
import { LogWriter, MAX_WAITING_ANSWERS } from '../../../src/node/log-writer.js'
import { DEFAULTS } from '../../../src/node/options.js'
import { Outbound } from '../../../src/node/outbound.js'
import { PendingCall, PendingCalls } from '../../../src/node/pending-call.js'
import { MAX_PENDING_PROPOSALS } from '../../../src/node/proposals.js'
import { proposeRequest, SoloCore } from '../../support/solo-core.js'
import { ManualClock, settle, TestLogStore } from './harness.js'

const TIMEOUT = new RaftError('RAFT_TIMEOUT', 'the deadline passed')

class Call extends PendingCall<void> {
  override endError(): RaftError {
    return TIMEOUT
  }
}

describe('PendingCalls', () => {
  test('ends as many calls as a node may hold, all due at once (H108)', async () => {
    const clock = new ManualClock()
    const calls = new PendingCalls(clock)
    let ended = 0
    for (let count = 0; count < MAX_PENDING_PROPOSALS; count++) {
      new Call(calls, { timeoutMs: 5, signal: undefined }).promise.catch(() => void (ended += 1))
    }
    await clock.run(20)
    await settle()
    expect(ended).toBe(MAX_PENDING_PROPOSALS)
    expect(clock.timerCount).toBe(0)
  })
})

describe('answers that wait for a disk that hangs', () => {
  const answer: Envelope = { to: 'b', message: { type: 'requestVoteResponse', term: 1, voteGranted: false } }
  const submitted = async (count: number): Promise<number> => {
    const store = new TestLogStore()
    await store.open()
    store.isHeld = true
    let released = 0
    const writer = new LogWriter(store, {
      clock: new ManualClock(),
      release: (envelopes) => void (released += envelopes.length),
      onDurable: () => undefined,
      onFailure: () => undefined,
    })
    const nothing = { append: undefined, hardState: undefined }
    writer.submit({ ...nothing, hardState: { currentTerm: 1, votedFor: null }, messagesAfterPersist: [] })
    for (let sent = 0; sent < count; sent++) writer.submit({ ...nothing, messagesAfterPersist: [answer] })
    store.release()
    await settle()
    return released
  }

  test.each([-1, 0, 1])('are kept up to the bound and lost beyond it, at the bound %d (H87)', async (beside) => {
    const count = MAX_WAITING_ANSWERS + beside
    expect(await submitted(count)).toBe(Math.min(count, MAX_WAITING_ANSWERS))
  })
})

describe('questions to a peer while a read of the store hangs', () => {
  test('are asked once when it ends, however often the core put them out (H87)', async () => {
    const { outbound, store, sent } = await outboundOf20()
    let read: (() => void) | undefined
    store.read = () => new Promise((resolve) => (read = () => resolve([store.entries[0] as LogEntry])))
    outbound.send([{ to: 'b', message: rangeOf(1, 1) }])
    for (let asked = 0; asked < 1_000; asked++) outbound.send([{ to: 'b', message: rangeOf(2, 1) }])
    await settle()
    read?.()
    await settle()
    expect(sent.map(({ entries }) => (entries as LogEntry[]).length)).toEqual([1, 0])
  })
})

describe('entries that a leader has not applied', () => {
  const empty = (first: number, last: number): LogEntry[] =>
    Array.from({ length: last - first + 1 }, (_, at) => {
      return { index: first + at, term: 1, type: 'command', timestamp: 0, data: new Uint8Array(0) }
    })

  test('are bounded by their number too: empty commands at the bound - 1, the bound and the bound + 1 (H33)', () => {
    const budget = new LogBudget({ limits: { uncommittedBytes: 100 } })
    const first = 1_000
    budget.append(empty(first, first + MAX_UNAPPLIED_ENTRIES - 2))
    const next = first + MAX_UNAPPLIED_ENTRIES - 1
    expect(budget.proposableBytes(true)).toBe(Number.POSITIVE_INFINITY)
    budget.append(empty(next, next))
    expect([budget.proposableBytes(true), budget.isHalfFree(true)]).toEqual([-1, false])
    expect([budget.proposableBytes(false), budget.isHalfFree(false)]).toEqual([Number.POSITIVE_INFINITY, true])
    budget.append(empty(next + 1, next + 1))
    expect(budget.proposableBytes(true)).toBe(-1)
    budget.applied(first + 1)
    expect([budget.proposableBytes(true), budget.isHalfFree(true)]).toEqual([Number.POSITIVE_INFINITY, false])
    budget.applied(first + MAX_UNAPPLIED_ENTRIES / 2 + 1)
    expect(budget.isHalfFree(true)).toBe(true)
  })

  test('keep no call whose part of them is applied, however leaderships come and go', async () => {
    const calls = new PendingCalls(new ManualClock())
    const owner: ProposalOwner = {
      calls,
      describeLeader: () => ({ isKnown: false, text: '' }),
      placed: () => undefined,
      released: () => undefined,
      leads: () => false,
    }
    const callOf = (count: number): ProposalCall => {
      const commands = Array.from({ length: count }, () => new Uint8Array(1))
      return new ProposalCall(
        owner,
        { timeoutMs: 1_000, signal: undefined },
        { entryType: 'command', commands, sizeBytes: count, isMany: true },
      )
    }
    const appended = new AppendedCalls()
    const [early, late] = [callOf(3), callOf(1)]
    early.appendedAt(5, 1)
    appended.addOwn(early)
    appended.onApplied(5, 1, 'a')
    late.appendedAt(9, 2)
    appended.addOwn(late)
    for (let index = 6; index <= 9; index++) appended.onApplied(index, index === 9 ? 2 : 1, index)
    expect(await early.promise).toHaveLength(3)
    expect(await late.promise).toHaveLength(1)
    expect(appended.size).toBe(0)
  })
})

describe('origins of forwards', () => {
  test('are remembered up to the bound; one beyond it gets no answer and nothing of it is taken (F16)', () => {
    const leader = new SoloCore()
    leader.becomeLeader()
    for (let at = 1; at <= MAX_FORWARD_ORIGINS + 1; at++) {
      leader.receive(`origin-${at}`, proposeRequest({ term: 1, number: 1 }))
    }
    const answered = leader.take('proposeResponse').map(({ to }) => to)
    expect(answered).toHaveLength(MAX_FORWARD_ORIGINS)
    expect(answered).not.toContain(`origin-${MAX_FORWARD_ORIGINS + 1}`)
    expect(leader.log.filter((entry) => entry.type === 'command')).toHaveLength(MAX_FORWARD_ORIGINS)
    leader.receive('origin-1', proposeRequest({ term: 1, number: 2 }))
    expect(leader.take('proposeResponse')).toHaveLength(1)
  })
})

function rangeOf(first: number, last: number): AppendRange {
  const prevLogIndex = first - 1
  const place = { prevLogIndex, prevLogTerm: prevLogIndex === 0 ? 0 : 5, first, last }
  return { type: 'appendRange', term: 5, addedAt: 0, ...place, leaderCommit: 0 }
}

/** Outbound of a leader of term 5 whose entries 1..20 are in the store, the last one in memory too. */
async function outboundOf20() {
  const store = new TestLogStore()
  await store.open()
  store.entries = Array.from({ length: 20 }, (_, at): LogEntry => {
    return { index: at + 1, term: 5, type: 'command', timestamp: 0, data: new Uint8Array(1) }
  })
  const leader = new SoloCore()
  leader.becomeLeader()
  const state: CoreState = { ...leader.state, currentTerm: 5 }
  const cache = new EntryCache()
  cache.append(store.entries.slice(19))
  const sent: Record<string, unknown>[] = []
  const outbound = new Outbound({
    transport: {
      maxMessageBytes: 1e6,
      start: async () => undefined,
      stop: async () => undefined,
      send: (_, message) => void sent.push({ ...message }),
    },
    clock: { now: () => 0 },
    settings: { limits: DEFAULTS.limits },
    cache,
    reader: new LogReader(store),
    state,
    onDropped: () => undefined,
    onFailure: () => undefined,
  })
  return { outbound, store, sent }
}
