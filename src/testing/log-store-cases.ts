// The rules of LogStore, one case each, in the words of its contract. A case says in its messages what it expected of
// the store. Sources: interfaces/log-store.ts, hazards H48, H78 to H90, H96, H102.
import type { LogEntry } from '../core/types.js'
import type { StoreIdentity } from '../interfaces/log-store.js'
import { type ConformanceCase, expectEqual, expectRejection, expectThat } from './conformance.js'
import { ALL, command, commands, type LogBench } from './log-bench.js'
import { LOG_POSITION_CASES } from './log-position-cases.js'

const IDENTITY: StoreIdentity = {
  clusterId: 'clüster',
  nonce: 'nonce',
  storeId: 'store-1',
  bootCount: 3,
  leasePromiseMs: 512.5,
  nodeId: 'node-1',
  bootstrapDigest: 'digest',
}

const EMPTY = {
  hardState: { currentTerm: 0, votedFor: null },
  firstIndex: 1,
  lastIndex: 0,
  previousTerm: 0,
  termRuns: [],
  configurations: [],
  identity: null,
}

type Case = ConformanceCase<LogBench>

const opening: readonly Case[] = [
  {
    name: 'a new store is empty and begins at index 1',
    body: async (bench) => {
      expectEqual(await bench.open(), EMPTY, 'open() of a new store')
      await bench.expectLog([], 'a new log')
      expectEqual(await bench.restart(), EMPTY, 'open() after nothing was written')
    },
  },
  {
    name: 'a second open is refused with RAFT_LOCKED, and the first one goes on (H85)',
    body: async (bench) => {
      await bench.open()
      await expectRejection(bench.store.open(), 'open() of an open store', 'RAFT_LOCKED')
      await bench.store.write({ entries: [command(1, 1)] })
      await bench.expectLog([command(1, 1)], 'the log after a refused open')
    },
  },
  {
    name: 'close is idempotent',
    body: async (bench) => {
      await bench.open()
      await bench.store.close()
      await bench.store.close()
    },
  },
  {
    name: 'an empty batch changes nothing',
    body: async (bench) => {
      await bench.open()
      await bench.store.write({ hardState: { currentTerm: 1, votedFor: 'a' }, entries: commands(1, 3, 1) })
      await bench.store.write({})
      await bench.store.write({ entries: [] })
      await bench.expectLog(commands(1, 3, 1), 'the log after empty batches')
      const restored = await bench.restart()
      expectEqual(restored.hardState, { currentTerm: 1, votedFor: 'a' }, 'the hard state after empty batches')
    },
  },
]

const durability: readonly Case[] = [
  {
    name: 'hard state survives a crash as soon as write resolves (H1)',
    body: async (bench) => {
      await bench.open()
      await bench.store.write({ hardState: { currentTerm: 7, votedFor: 'node-1' } })
      expectEqual((await bench.crash()).hardState, { currentTerm: 7, votedFor: 'node-1' }, 'the vote after a crash')
      await bench.store.write({ hardState: { currentTerm: 2 ** 52, votedFor: null } })
      expectEqual((await bench.crash()).hardState, { currentTerm: 2 ** 52, votedFor: null }, 'the term after a crash')
    },
  },
  {
    name: 'identity survives a crash, also without its optional parts, and later writes leave it alone',
    body: async (bench) => {
      await bench.open()
      await bench.store.write({ identity: IDENTITY })
      await bench.store.write({ entries: [command(1, 1)], hardState: { currentTerm: 1, votedFor: null } })
      expectEqual((await bench.crash()).identity, IDENTITY, 'the identity after a crash')
      const founded: StoreIdentity = { clusterId: '', nonce: '', storeId: 's', bootCount: 0, leasePromiseMs: 0 }
      await bench.store.write({ identity: founded })
      expectEqual((await bench.crash()).identity, founded, 'an identity of empty texts after a crash')
    },
  },
  {
    name: 'every part of an acknowledged batch survives a crash together (H80)',
    body: async (bench) => {
      await bench.open()
      await bench.store.write({ entries: commands(1, 5, 1) })
      const hardState = { currentTerm: 3, votedFor: 'b' }
      const entries = [...commands(4, 5, 2), ...commands(6, 8, 3)]
      await bench.store.write({ hardState, identity: IDENTITY, entries })
      const restored = await bench.crash()
      const termRuns = [
        { first: 1, term: 1 },
        { first: 4, term: 2 },
        { first: 6, term: 3 },
      ]
      expectEqual(restored, { ...EMPTY, hardState, identity: IDENTITY, lastIndex: 8, termRuns }, 'open() after a crash')
      await bench.expectLog([...commands(1, 3, 1), ...entries], 'the log after a crash')
    },
  },
  {
    name: 'entries keep index, term, type, timestamp and every byte',
    body: async (bench) => {
      await bench.open()
      const all = Uint8Array.from({ length: 256 }, (_, byte) => byte)
      const entries: LogEntry[] = [
        { index: 1, term: 1, type: 'noop', timestamp: 0, data: new Uint8Array() },
        { index: 2, term: 1, type: 'command', timestamp: 1_700_000_000_123.25, data: all },
        { index: 3, term: 4, type: 'command', timestamp: Number.MAX_SAFE_INTEGER, data: new Uint8Array(1) },
      ]
      await bench.store.write({ entries })
      await bench.expectLog(entries, 'the entries that were written')
      await bench.crash()
      await bench.expectLog(entries, 'the entries after a crash')
    },
  },
  {
    name: 'payloads are copied both ways: the caller may reuse its memory (H96)',
    body: async (bench) => {
      await bench.open()
      const slab = new Uint8Array(64).fill(7)
      await bench.store.write({ entries: [{ ...command(1, 1), data: slab.subarray(8, 24) }] })
      slab.fill(255)
      const [read] = await bench.store.read(1, 1, ALL)
      expectEqual(read?.data, new Uint8Array(16).fill(7), 'a payload whose memory was reused after the write')
      read?.data.fill(1)
      const [again] = await bench.store.read(1, 1, ALL)
      expectEqual(again?.data, new Uint8Array(16).fill(7), 'a payload that a reader has overwritten')
    },
  },
  {
    name: 'a large entry is stored whole',
    body: async (bench) => {
      await bench.open()
      const entries = [command(1, 1, 3_000_001), command(2, 1, 1)]
      await bench.store.write({ entries })
      await bench.crash()
      const found = await bench.store.read(1, 2, ALL)
      expectEqual(
        found.map((entry) => entry.data.byteLength),
        [3_000_001, 1],
        'the sizes of the payloads',
      )
      const same = found[0]?.data.every((byte, at) => byte === entries[0]?.data[at]) ?? false
      expectThat(same, 'a payload of 3 MB came back with other bytes')
    },
  },
]

const reading: readonly Case[] = [
  {
    name: 'read returns first..last, and [] where first is compacted or beyond the end',
    body: async (bench) => {
      await bench.open()
      await bench.store.write({ entries: commands(1, 20, 1) })
      await bench.store.compact(5)
      const { store } = bench
      expectEqual(await store.read(7, 9, ALL), commands(7, 9, 1), 'read(7, 9)')
      expectEqual(await store.read(6, 6, ALL), commands(6, 6, 1), 'read of the first entry')
      expectEqual(await store.read(20, 20, ALL), commands(20, 20, 1), 'read of the last entry')
      expectEqual(await store.read(18, 99, ALL), commands(18, 20, 1), 'read beyond the end')
      expectEqual(await store.read(5, 9, ALL), [], 'read from the compacted index')
      expectEqual(await store.read(1, 9, ALL), [], 'read from far before the beginning')
      expectEqual(await store.read(21, 30, ALL), [], 'read from behind the end')
    },
  },
  {
    name: 'read stops early past maxBytes of payload, after at least one entry, and for no other reason (H34)',
    body: async (bench) => {
      await bench.open()
      const entries = commands(1, 400, 1, 100)
      await bench.store.write({ entries })
      for (const maxBytes of [0, 1, 99, 100, 101, 199, 200, 201, 1050, 25_600, 39_999, 40_000, ALL]) {
        const found = await bench.store.read(1, 400, maxBytes)
        expectEqual(found, entries.slice(0, found.length), `read(1, 400, ${maxBytes})`)
        expectThat(found.length >= 1, `read(1, 400, ${maxBytes}) returned no entry`)
        const before = (found.length - 1) * 100
        expectThat(
          found.length === 1 || before <= maxBytes,
          `read(1, 400, ${maxBytes}) returned ${found.length} entries of 100 bytes`,
        )
        const next = (found.length + 1) * 100
        expectThat(
          found.length === 400 || next > maxBytes,
          `read(1, 400, ${maxBytes}) stopped after ${found.length} entries`,
        )
      }
    },
  },
  {
    name: 'a read beside a running write sees the log before it or after it, whole',
    body: async (bench) => {
      await bench.open()
      let before: readonly LogEntry[] = commands(1, 40, 1)
      await bench.store.write({ entries: before })
      for (let round = 0; round < 30; round++) {
        const from = 10 + ((round * 7) % (before.length - 8))
        const suffix = commands(from, from + ((round * 11) % 25), round + 2)
        const after = [...before.slice(0, from - 1), ...suffix]
        const [, long, short] = await Promise.all([
          bench.store.write({ entries: suffix }),
          bench.store.read(5, 100, ALL),
          bench.store.read(from, from + 2, ALL),
        ])
        const options = (first: number, last: number) => [before.slice(first - 1, last), after.slice(first - 1, last)]
        expectOneOf(long, options(5, 100), `read(5, 100) beside write ${round}`)
        expectOneOf(short, options(from, from + 2), `read(${from}, ${from + 2}) beside write ${round}`)
        before = after
      }
    },
  },
  {
    name: 'a read beside a running reset sees the old log or the new one',
    body: async (bench) => {
      await bench.open()
      for (let round = 0; round < 20; round++) {
        const base = round * 100
        const old = commands(base + 1, base + 50, 1)
        await bench.store.write({ resetTo: { index: base, term: 1 }, entries: old })
        const next = commands(base + 31, base + 33, 2)
        const [, low, high] = await Promise.all([
          bench.store.write({ resetTo: { index: base + 30, term: 2 }, entries: next }),
          bench.store.read(base + 1, base + 50, ALL),
          bench.store.read(base + 32, base + 50, ALL),
        ])
        expectOneOf(low, [old, []], 'a read below the new position')
        expectOneOf(high, [old.slice(31), next.slice(1)], 'a read above the new position')
      }
    },
  },
  {
    name: 'compaction beside writes and reads loses nothing',
    body: async (bench) => {
      await bench.open()
      await bench.store.write({ entries: commands(1, 2500, 1) })
      const writes: LogEntry[] = []
      const writing = async () => {
        for (let index = 2501; index <= 2520; index++) {
          await bench.store.write({ entries: [command(index, 2)] })
          writes.push(command(index, 2))
          const found = await bench.store.read(2450, 3000, ALL)
          expectEqual(found, [...commands(2450, 2500, 1), ...writes], 'a read beside a compaction')
        }
      }
      await Promise.all([bench.store.compact(2400), writing()])
      await bench.expectLog([...commands(2401, 2500, 1), ...writes], 'the log after the compaction')
      expectEqual((await bench.crash()).firstIndex, 2401, 'firstIndex after the compaction')
    },
  },
]

function expectOneOf(found: readonly LogEntry[], options: readonly (readonly LogEntry[])[], what: string): void {
  const terms = (entries: readonly LogEntry[]) => entries.map((entry) => `${entry.index}/${entry.term}`).join(' ')
  const wanted = options.map(terms)
  expectThat(wanted.includes(terms(found)), `${what}: found ${terms(found)}, expected one of ${wanted.join(' | ')}`)
  const match = options.find((option) => terms(option) === terms(found)) ?? []
  expectEqual(found, match, what)
}

/** Every case but the random one. */
export const LOG_STORE_CASES: readonly Case[] = [...opening, ...durability, ...LOG_POSITION_CASES, ...reading]
