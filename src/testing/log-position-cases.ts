// The rules of LogStore about where a log begins, ends and changes its term: truncation, compaction, reset, and the
// edges of number encodings. Sources: interfaces/log-store.ts, hazards H83, H84, H102.
import { type ConformanceCase, expectEqual } from './conformance.js'
import { ALL, command, commands, configurationEntry, type LogBench } from './log-bench.js'

/** Where encodings change their width or lose precision (H83, H102). */
const EDGES: readonly number[] = [255, 256, 65_535, 2 ** 31 - 1, 2 ** 32 - 1, 2 ** 32, 2 ** 32 + 1, 2 ** 48, 2 ** 52]

type Case = ConformanceCase<LogBench>

const truncation: readonly Case[] = [
  {
    name: 'truncation leaves no stale suffix, in the running store and after a crash (H84)',
    body: async (bench) => {
      await bench.open()
      await bench.store.write({ entries: commands(1, 300, 1) })
      await bench.store.write({ entries: [command(100, 2)] })
      const expected = [...commands(1, 99, 1), command(100, 2)]
      await bench.expectLog(expected, 'the log after a truncation')
      expectEqual((await bench.crash()).lastIndex, 100, 'lastIndex after a truncation and a crash')
      await bench.expectLog(expected, 'the log after a truncation and a crash')
      await bench.store.write({ entries: commands(101, 103, 3) })
      await bench.expectLog([...expected, ...commands(101, 103, 3)], 'the log where the old suffix was')
    },
  },
  {
    name: 'truncation to the first index replaces the whole log',
    body: async (bench) => {
      await bench.open()
      await bench.store.write({ entries: [...commands(1, 3, 1), ...commands(4, 6, 2)] })
      await bench.store.write({ entries: [command(1, 3)] })
      await bench.expectLog([command(1, 3)], 'the replaced log')
      const restored = await bench.crash()
      expectEqual(restored.termRuns, [{ first: 1, term: 3 }], 'the term runs of the replaced log')
    },
  },
  {
    name: 'term runs follow appends, truncations and compactions',
    body: async (bench) => {
      await bench.open()
      await bench.store.write({ entries: [...commands(1, 4, 1), ...commands(5, 8, 3), ...commands(9, 12, 4)] })
      await bench.store.write({ entries: commands(7, 10, 5) })
      await bench.store.write({ entries: commands(11, 12, 5) })
      await bench.store.compact(5)
      const restored = await bench.restart()
      const runs = [
        { first: 6, term: 3 },
        { first: 7, term: 5 },
      ]
      expectEqual(restored.termRuns, runs, 'the term runs')
      const { firstIndex, lastIndex, previousTerm } = restored
      expectEqual(
        { firstIndex, lastIndex, previousTerm },
        { firstIndex: 6, lastIndex: 12, previousTerm: 3 },
        'the ends',
      )
    },
  },
  {
    name: 'configuration entries are found at open, those truncated or compacted are not',
    body: async (bench) => {
      await bench.open()
      const all = [1, 3, 5, 8].map((index) => configurationEntry(index, 1))
      const entries = Array.from(
        { length: 8 },
        (_, i) => all.find((entry) => entry.index === i + 1) ?? command(i + 1, 1),
      )
      await bench.store.write({ entries })
      expectEqual((await bench.crash()).configurations, all, 'the configurations')
      await bench.store.write({ entries: [command(6, 2), configurationEntry(7, 2)] })
      await bench.store.compact(1)
      const expected = [configurationEntry(3, 1), configurationEntry(5, 1), configurationEntry(7, 2)]
      expectEqual((await bench.crash()).configurations, expected, 'the configurations after truncation and compaction')
      await bench.store.write({ resetTo: { index: 9, term: 2 } })
      expectEqual((await bench.crash()).configurations, [], 'the configurations after a reset')
    },
  },
]

const positions: readonly Case[] = [
  {
    name: 'compaction forgets the prefix and remembers its last term',
    body: async (bench) => {
      await bench.open()
      await bench.store.write({ entries: [...commands(1, 10, 1), ...commands(11, 20, 2)] })
      await bench.store.compact(10)
      await bench.expectLog(commands(11, 20, 2), 'the log after compaction')
      expectEqual(await bench.store.read(10, 20, ALL), [], 'a read that begins in the compacted part')
      await bench.store.compact(10)
      await bench.store.compact(4)
      const restored = await bench.restart()
      const { firstIndex, lastIndex, previousTerm } = restored
      expectEqual(
        { firstIndex, lastIndex, previousTerm },
        { firstIndex: 11, lastIndex: 20, previousTerm: 1 },
        'the ends',
      )
      await bench.expectLog(commands(11, 20, 2), 'the log after compaction and a restart')
    },
  },
  {
    name: 'compaction goes at most to the last entry, and the log goes on from there',
    body: async (bench) => {
      await bench.open()
      await bench.store.write({ entries: [...commands(1, 3, 1), command(4, 2)] })
      await bench.store.compact(1000)
      const { firstIndex, lastIndex, previousTerm, termRuns } = await bench.restart()
      const found = { firstIndex, lastIndex, previousTerm, termRuns }
      expectEqual(found, { firstIndex: 5, lastIndex: 4, previousTerm: 2, termRuns: [] }, 'a wholly compacted log')
      await bench.store.write({ entries: commands(5, 6, 2) })
      await bench.expectLog(commands(5, 6, 2), 'the log that goes on')
    },
  },
  {
    name: 'a long prefix is compacted whole',
    body: async (bench) => {
      await bench.open()
      for (let first = 1; first <= 5000; first += 1000)
        await bench.store.write({ entries: commands(first, first + 999, 1) })
      await bench.store.compact(4990)
      await bench.expectLog(commands(4991, 5000, 1), 'the log after a long compaction')
      expectEqual((await bench.restart()).firstIndex, 4991, 'firstIndex after a long compaction')
      await bench.expectLog(commands(4991, 5000, 1), 'the log after a long compaction and a restart')
    },
  },
  {
    name: 'resetTo replaces the whole log by a position, forward and backward',
    body: async (bench) => {
      await bench.open()
      await bench.store.write({ entries: commands(1, 10, 1) })
      await bench.store.write({ resetTo: { index: 100, term: 4 } })
      await bench.expectLog([], 'the log after a reset')
      const { firstIndex, lastIndex, previousTerm, termRuns } = await bench.crash()
      const found = { firstIndex, lastIndex, previousTerm, termRuns }
      expectEqual(found, { firstIndex: 101, lastIndex: 100, previousTerm: 4, termRuns: [] }, 'open() after a reset')
      expectEqual(await bench.store.read(1, 200, ALL), [], 'a read of the replaced log')
      await bench.store.write({ entries: commands(101, 110, 5) })
      await bench.store.compact(105)
      await bench.store.write({ resetTo: { index: 103, term: 5 } })
      const restored = await bench.crash()
      expectEqual([restored.firstIndex, restored.lastIndex], [104, 103], 'the ends after a reset backward')
      await bench.store.write({ entries: [command(104, 6)] })
      await bench.expectLog([command(104, 6)], 'the log after a reset backward')
      expectEqual((await bench.crash()).lastIndex, 104, 'lastIndex after a reset backward')
    },
  },
  {
    name: 'within a batch resetTo comes before entries, and hard state goes with both',
    body: async (bench) => {
      await bench.open()
      await bench.store.write({ entries: commands(1, 60, 1) })
      const hardState = { currentTerm: 9, votedFor: 'c' }
      await bench.store.write({ hardState, resetTo: { index: 50, term: 8 }, entries: commands(51, 53, 9) })
      await bench.expectLog(commands(51, 53, 9), 'the log after a reset with entries')
      const restored = await bench.crash()
      const termRuns = [{ first: 51, term: 9 }]
      const position = { firstIndex: 51, lastIndex: 53, previousTerm: 8, termRuns }
      const expected = { hardState, ...position, configurations: [], identity: null }
      expectEqual(restored, expected, 'open() after a reset with entries')
    },
  },
  ...EDGES.map(
    (edge): Case => ({
      name: `indexes and terms around ${edge} keep their order and value (H83, H102)`,
      body: async (bench) => {
        await bench.open()
        const first = edge - 2
        await bench.store.write({ resetTo: { index: first - 1, term: edge - 1 } })
        await bench.store.write({
          entries: [...commands(first, edge, edge - 1), ...commands(edge + 1, edge + 3, edge)],
        })
        await bench.store.write({ entries: [command(edge + 2, edge + 1)] })
        await bench.store.compact(edge - 1)
        const expected = [command(edge, edge - 1), command(edge + 1, edge), command(edge + 2, edge + 1)]
        await bench.expectLog(expected, `the log around ${edge}`)
        const { firstIndex, lastIndex, previousTerm } = await bench.crash()
        const found = { firstIndex, lastIndex, previousTerm }
        expectEqual(found, { firstIndex: edge, lastIndex: edge + 2, previousTerm: edge - 1 }, `the ends around ${edge}`)
        await bench.expectLog(expected, `the log around ${edge} after a crash`)
      },
    }),
  ),
]

/** Cases about truncation, compaction and reset. */
export const LOG_POSITION_CASES: readonly Case[] = [...truncation, ...positions]
