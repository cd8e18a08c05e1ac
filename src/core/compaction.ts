// When the log forgets what a snapshot holds (§7, F27). A log is compacted behind a durable snapshot only, as far as its
// policy goes; a leader also keeps what a peer that it hears still needs. Chooses no moment for a snapshot: that is the
// driver's.
import { assert } from './assert.js'
import type { Core } from './core.js'
import type { SnapshotTakenEvent } from './event.js'
import { compactUpTo } from './log-trail.js'
import { heardAt, needSnapshot } from './progress.js'
import { settleFreshness } from './read-index.js'
import { firstBehindTransfer } from './snapshot-transfer.js'
import type { LogIndex } from './types.js'

/**
 * Entries beyond what the policy keeps that are kept for peers at most, whatever their size: one that hears its leader and
 * never catches up must not fill the disks of all. How many bytes they may be is the driver's to count.
 */
export const MAX_ENTRIES_KEPT_FOR_PEERS = 1_048_576

/** A snapshot of this node is durable. One that is behind the newest says nothing new (H119). */
export function onSnapshotTaken(core: Core, event: SnapshotTakenEvent): void {
  const { state } = core
  const { lastIncludedIndex, compactableIndex, expendableIndex = 0 } = event
  assert(compactableIndex <= lastIncludedIndex, `only what the snapshot of ${lastIncludedIndex} holds is forgotten`)
  const durable = Math.min(state.commitIndex, state.persistedIndex)
  assert(lastIncludedIndex <= durable, `a snapshot of ${lastIncludedIndex} holds what is committed and durable`)
  if (lastIncludedIndex < state.snapshotIndex) return
  // What it holds was applied, also where that was not told yet.
  state.lastApplied = Math.max(state.lastApplied, lastIncludedIndex)
  settleFreshness(state)
  state.snapshotIndex = lastIncludedIndex
  state.compactableIndex = Math.max(state.compactableIndex, compactableIndex)
  state.expendableIndex = Math.max(state.expendableIndex, expendableIndex)
  compactLog(core)
}

/** Forgets what may be forgotten now. What has to wait for a peer is tried again with each tick. */
export function compactLog(core: Core): void {
  const { state, output } = core
  // What is below is replaced as a whole in a moment.
  if (state.installing !== null) return
  const { compactableIndex, expendableIndex } = state
  const keptForNobody = Math.max(expendableIndex, compactableIndex - MAX_ENTRIES_KEPT_FOR_PEERS)
  const index = Math.min(compactableIndex, Math.max(firstNeeded(core) - 1, keptForNobody))
  if (index <= state.log.baseIndex) return
  compactUpTo(state.log, index)
  for (const progress of state.progress.values()) needSnapshot(progress, index)
  output.setCompactTo(index)
}

/**
 * The first index that a peer of this leader may need: behind what it is known to hold, or will hold with the snapshot
 * that it is being sent (H58). Who was not heard within an election timeout is not waited for, or one dead node would fill
 * the disks of all (F27).
 */
function firstNeeded({ state, options, rules }: Core): LogIndex {
  let first = Number.POSITIVE_INFINITY
  for (const progress of state.progress.values()) {
    const isLive = rules.isWaitedFor(state.now - heardAt(state, progress), options.electionTimeoutMs)
    const { state: mode, matchIndex } = progress
    if (isLive) first = Math.min(first, mode === 'snapshot' ? firstBehindTransfer(progress) : matchIndex + 1)
  }
  return first
}
