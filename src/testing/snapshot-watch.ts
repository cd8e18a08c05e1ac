// What the disk of a simulated process tells of snapshots and compactions, for the trace, the coverage and the judge.
import type { NodeId } from '../core/types.js'
import { SNAPSHOT_DEFAULTS, type SnapshotPolicy } from '../node/snapshot-policy.js'
import type { Coverage } from './coverage.js'
import type { Invariants } from './invariants.js'
import type { Timeline } from './timeline.js'
import type { Trace } from './trace/trace.js'
import type { DiskWatch, VirtualDisk } from './virtual-disk.js'

export interface WatchedSnapshots {
  readonly id: NodeId
  readonly timeline: Timeline
  readonly trace: Trace
  readonly coverage: Coverage
  readonly invariants: Invariants
  /** As the node was given it. */
  readonly policy: SnapshotPolicy | undefined
  /** That tells of them. */
  readonly disk: () => VirtualDisk
}

/** The part of a DiskWatch that snapshots need. */
export function snapshotWatch(watched: WatchedSnapshots): Pick<DiskWatch, 'onForget' | 'onSnapshot' | 'onHit'> {
  const { id, timeline, trace, coverage, invariants, policy, disk } = watched
  const kept = policy?.trailingEntries ?? SNAPSHOT_DEFAULTS.trailingEntries
  return {
    onForget: (index, isReset) => {
      trace.record(timeline.nowMs, id, 'forget', { index })
      coverage.count(isReset ? 'point.logReset' : 'point.compaction')
      // A reset replaces the whole log.
      const trailingEntries = isReset ? 0 : kept
      invariants.snapshots.forgets(id, index, { snapshotIndex: disk().snapshots.latestIndex, trailingEntries })
    },
    onSnapshot: (snapshot) => {
      trace.record(timeline.nowMs, id, 'snapshot', { index: snapshot.meta.lastIncludedIndex })
      coverage.count('point.snapshot')
      invariants.snapshots.stored(id, snapshot)
    },
    onHit: (hit) => coverage.count(`hit.${hit}`),
  }
}
