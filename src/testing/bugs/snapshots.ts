// Seeded bugs of snapshots and compaction (§7, F27-F30): what a snapshot holds and says, when it counts, what is forgotten
// behind it, and what a node begins with after a restart.
import type { SnapshotSink, SnapshotStore, StoredSnapshot } from '../../interfaces/snapshot-store.js'
import type { StateMachine } from '../../interfaces/state-machine.js'
import { ignore } from '../../node/promises.js'
import type { WrappedProcess } from '../process-wrappers.js'
import type { BugTable, SeededBug } from './seeded-bug.js'
import { tampered } from './tampered-core.js'

type Machine = StateMachine<unknown, unknown>

export const SNAPSHOT_BUGS: BugTable = {
  'snapshot-taken-before-durable': storeBug(
    'H53',
    'a snapshot counts as soon as its commit has begun: the log is compacted behind what a crash may take',
    (store) => ({ create: async (meta, source) => hastySink(await store.create(meta, source), store) }),
  ),
  'compaction-beyond-snapshot': {
    description: 'the log forgets all that is applied, whatever the snapshot holds of it',
    hazard: 'H53',
    profile: 'snapshots',
    internals: tampered(({ state }) => ({
      after: (output) => {
        const { compactTo } = output
        if (compactTo !== undefined && state.lastApplied > compactTo) output.setCompactTo(state.lastApplied)
      },
    })),
  },
  'trailing-entries-not-kept': {
    description: 'the log forgets everything behind a snapshot, the trailing entries too',
    hazard: 'H58',
    profile: 'snapshots',
    internals: tampered(() => ({
      before: (event) =>
        event.type === 'snapshotTaken' ? { ...event, compactableIndex: event.lastIncludedIndex } : event,
    })),
  },
  'compaction-ignores-peers': {
    description: 'a leader forgets what peers that it hears have not got yet',
    hazard: 'H58',
    profile: 'snapshots',
    internals: { rules: { isWaitedFor: () => false } },
  },
  'snapshot-claims-one-more': storeBug(
    'H51',
    'a snapshot says that it holds one entry more than it does: after a restart that one is left out',
    (store) => ({
      create: (meta, source) => store.create({ ...meta, lastIncludedIndex: meta.lastIncludedIndex + 1 }, source),
    }),
  ),
  'snapshot-restored-as-earlier': storeBug(
    'H51',
    'a snapshot is restored as if it ended one entry earlier: that one is applied a second time',
    (store) => ({ latest: async () => earlier(await store.latest()) }),
  ),
  'command-behind-snapshot-skipped': machineBug(
    'H51, H75',
    'the first command behind a restored snapshot is not applied',
    (machine) => {
      let skips = false
      return {
        restore: (chunks, meta) => {
          skips = true
          return machine.restore(chunks, meta)
        },
        apply: (command, context) => {
          const isSkipped = skips
          skips = false
          return isSkipped ? undefined : machine.apply(command, context)
        },
      }
    },
  ),
  'snapshot-streams-live-state': machineBug(
    'H52',
    'the state of a snapshot is read when its first bytes are on the disk, and not when it is asked for',
    (machine) => ({
      snapshot: async function* (context) {
        yield new Uint8Array()
        yield* await machine.snapshot(context)
      },
    }),
  ),
  'apply-during-checkpoint': {
    description: 'entries are applied while the state machine still makes ready for a snapshot',
    hazard: 'H52',
    profile: 'snapshots',
    internals: {
      nodeRules: {
        mayApply: ({ isApplying, isFetching, queryCount }) => !isApplying && !isFetching && queryCount === 0,
      },
    },
  },
  'damaged-snapshot-restored': storeBug(
    'H60',
    'a snapshot that fails its digest is restored all the same',
    (store) => ({
      latest: async () => withoutDamage(await store.latest()),
    }),
  ),
  'log-reset-at-start': {
    description: 'the log is taken for one that ends before the snapshot, and is reset: what lay behind is lost',
    hazard: 'H54',
    profile: 'snapshots',
    internals: {},
    wrappers: {
      logStore: (store, { disk }) => ({
        open: async () => {
          const log = await store.open()
          const { latestIndex } = disk.snapshots
          // As after a crash within an install: nothing behind the snapshot is known.
          if (latestIndex < log.firstIndex || latestIndex === 0) return log
          const termRuns = log.termRuns.filter(({ first }) => first < latestIndex)
          return { ...log, lastIndex: latestIndex - 1, termRuns }
        },
        write: (batch) => store.write(batch),
        read: (first, last, maxBytes) => store.read(first, last, maxBytes),
        compact: (index) => store.compact(index),
        close: () => store.close(),
      }),
    },
  },
}

function storeBug(
  hazard: string,
  description: string,
  wrong: (store: SnapshotStore, process: WrappedProcess) => Partial<SnapshotStore>,
): SeededBug {
  const snapshotStore = (store: SnapshotStore, process: WrappedProcess): SnapshotStore => ({
    create: (meta, source) => store.create(meta, source),
    latest: () => store.latest(),
    close: () => store.close(),
    ...wrong(store, process),
  })
  return { description, hazard, profile: 'snapshots', internals: {}, wrappers: { snapshotStore } }
}

function machineBug(hazard: string, description: string, wrong: (machine: Machine) => Partial<Machine>): SeededBug {
  const stateMachine = (machine: Machine): Machine => ({
    apply: (command, context) => machine.apply(command, context),
    snapshot: (context) => machine.snapshot(context),
    restore: (chunks, meta) => machine.restore(chunks, meta),
    ...wrong(machine),
  })
  return { description, hazard, profile: 'snapshots', internals: {}, wrappers: { stateMachine } }
}

/** Says that it is committed while it is being committed. */
function hastySink(sink: SnapshotSink, store: SnapshotStore): SnapshotSink {
  return {
    get writtenBytes() {
      return sink.writtenBytes
    },
    write: (chunk) => sink.write(chunk),
    abort: () => sink.abort(),
    commit: async () => {
      const committing = sink.commit()
      committing.catch(ignore)
      const latest = await store.latest()
      return latest ?? (await committing)
    },
  }
}

function earlier(snapshot: StoredSnapshot | null): StoredSnapshot | null {
  if (snapshot === null || snapshot.meta.lastIncludedIndex < 2) return snapshot
  const { meta, sizeBytes, digest } = snapshot
  const lastIncludedIndex = meta.lastIncludedIndex - 1
  return { meta: { ...meta, lastIncludedIndex }, sizeBytes, digest, read: (offset) => snapshot.read(offset) }
}

function withoutDamage(snapshot: StoredSnapshot | null): StoredSnapshot | null {
  if (snapshot === null) return null
  const { meta, sizeBytes, digest } = snapshot
  return {
    meta,
    sizeBytes,
    digest,
    read: async function* (offset) {
      try {
        yield* snapshot.read(offset)
      } catch {
        // What came is taken for the whole.
      }
    },
  }
}
