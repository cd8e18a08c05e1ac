// Seeded bugs of log stores: each wraps the store of the simulated disk and breaks one promise of `LogStore`.
import type { LogEntry, LogIndex } from '../../core/types.js'
import type { LogStore, LogWrite, RestoredLog } from '../../interfaces/log-store.js'
import type { WrappedProcess } from '../process-wrappers.js'
import type { VirtualDisk } from '../virtual-disk.js'
import type { BugTable, SeededBug } from './seeded-bug.js'

/** First index of the last batch with entries, by the disk that outlives each node. */
const lastBatches = new WeakMap<VirtualDisk, LogIndex>()

export const STORAGE_BUGS: BugTable = {
  'failed-write-repeated': storeBug(
    'H78',
    'a write that failed is written again, and then taken for durable',
    (store) => ({
      write: (batch) => store.write(batch).catch(() => store.write(batch)),
    }),
  ),
  'failed-write-ignored': storeBug('H78', 'the error of a write is lost: the node goes on', (store) => ({
    write: (batch) => store.write(batch).catch(() => undefined),
  })),
  'write-not-synced': storeBug('H79', 'a write resolves before it is durable', (store) => {
    let last: Promise<unknown> = Promise.resolve()
    return {
      write: (batch) => {
        last = last.then(() => store.write(batch)).catch(() => undefined)
        return Promise.resolve()
      },
      close: () => last.then(() => store.close()),
    }
  }),
  'batch-cut-short': storeBug('H80', 'of a batch with several entries the last one is not written', (store) => ({
    write: ({ entries, ...batch }) =>
      store.write(entries === undefined ? batch : { ...batch, entries: cutShort(entries) }),
  })),
  'entries-before-hard-state': {
    ...storeBug('H80', 'entries and hard state are two writes: a crash may fall between', (store) => ({
      write: async (batch) => {
        const { hardState, ...rest } = batch
        if (hardState === undefined || rest.entries === undefined) return store.write(batch)
        await store.write(rest)
        await store.write({ hardState })
      },
    })),
    profile: 'divergence',
  },
  'truncated-suffix-stays': storeBug('H84', 'entries beyond what replaces them are not dropped', (store, { disk }) => ({
    write: (batch) => store.write(withOldSuffix(batch, disk)),
  })),
  'read-error-is-empty-log': storeBug(
    'H88',
    'a read error at the start is taken for an empty log',
    (store, process) => ({
      open: async () => {
        const log = await store.open()
        const hasReadError = process.incarnation > 1 && process.random.chance(0.3)
        return hasReadError ? endingAt(log, 0) : log
      },
    }),
  ),
  'last-batch-lost': storeBug(
    'H81',
    'the last batch is taken for torn at the start, and cut off',
    (store, { disk }) => ({
      open: async () => {
        const log = await store.open()
        return endingAt(log, Math.min(log.lastIndex, (lastBatches.get(disk) ?? Number.POSITIVE_INFINITY) - 1))
      },
      write: (batch) => {
        const first = batch.entries?.[0]
        return store.write(batch).then(() => {
          if (first !== undefined) lastBatches.set(disk, first.index)
        })
      },
    }),
  ),
  'boot-count-not-stored': storeBug(
    'H66, H115',
    'the identity of the store is not written: each boot is the first',
    (store) => ({
      write: ({ identity, ...batch }) => (identity === undefined ? store.write(batch) : Promise.resolve()),
    }),
  ),
  'large-entry-not-read': storeBug(
    'H34',
    'a read that may bring fewer bytes than its first entry has brings none',
    (store) => ({
      read: async (first, last, maxBytes) => {
        const entries = await store.read(first, last, maxBytes)
        // An entry by itself is asked for without a limit in mind.
        const isOverLimit = first < last && (entries[0]?.data.length ?? 0) > maxBytes
        return isOverLimit ? [] : entries
      },
    }),
  ),
}

function storeBug(
  hazard: string,
  description: string,
  wrong: (store: LogStore, process: WrappedProcess) => Partial<LogStore>,
): SeededBug {
  const logStore = (store: LogStore, process: WrappedProcess): LogStore => ({
    open: () => store.open(),
    write: (batch) => store.write(batch),
    read: (first, last, maxBytes) => store.read(first, last, maxBytes),
    compact: (index) => store.compact(index),
    close: () => store.close(),
    ...wrong(store, process),
  })
  return { description, hazard, internals: {}, wrappers: { logStore } }
}

function cutShort(entries: readonly LogEntry[]): readonly LogEntry[] {
  return entries.length > 1 ? entries.slice(0, -1) : entries
}

function withOldSuffix(batch: LogWrite, disk: VirtualDisk): LogWrite {
  const last = batch.entries?.at(-1)
  if (batch.entries === undefined || last === undefined || last.index >= disk.lastIndex) return batch
  return { ...batch, entries: [...batch.entries, ...disk.entries.filter(({ index }) => index > last.index)] }
}

function endingAt(log: RestoredLog, lastIndex: LogIndex): RestoredLog {
  return { ...log, lastIndex, termRuns: log.termRuns.filter(({ first }) => first <= lastIndex) }
}
