// When a leader sends a snapshot (§7): to a peer that needs what the log does not hold any more, as soon as it is heard; one
// transfer at a time to each, given up when the peer is not heard any more or says that it failed, with a pause before the
// next that doubles with each failure in a row (F28, H57). Sees no bytes: the driver opens the newest snapshot and sends it.
import type { Core } from './core.js'
import type { SnapshotUnsentEvent } from './event.js'
import { heardAt, type Progress } from './progress.js'
import type { LogIndex, NodeId } from './types.js'

/** However often transfers to a peer failed, another one begins within this time, ms; or an election timeout, where that is longer. */
export const MAX_TRANSFER_PAUSE_MS = 60_000

/** The peer has just answered: begins a transfer where one is needed, and forgets it where it is not any more. */
export function continueSnapshot(core: Core, peer: NodeId, progress: Progress): void {
  const { state, output } = core
  if (progress.state !== 'snapshot') {
    progress.transfer = 0
    forgetFailures(progress)
    return
  }
  if (progress.transfer !== 0 || state.now < progress.transferAt) return
  state.lastTransfer += 1
  progress.transfer = state.lastTransfer
  progress.transferIndex = state.snapshotIndex
  const { currentTerm: term } = state
  output.sendSnapshots.push({ to: peer, term, addedAt: progress.addedAt, transfer: progress.transfer })
}

/** Nobody sends to a peer that is away; when it is heard again another transfer begins, with what is the newest then. */
export function checkTransfersOfSnapshots(core: Core): void {
  const { state, options } = core
  for (const progress of state.progress.values()) {
    if (progress.transfer === 0) continue
    if (state.now - heardAt(state, progress) >= options.electionTimeoutMs)
      wait(core, progress, options.electionTimeoutMs)
  }
}

/** The driver could not send it. */
export function onSnapshotUnsent(core: Core, { peer, transfer }: SnapshotUnsentEvent): void {
  const progress = core.state.progress.get(peer)
  if (progress?.transfer === transfer) failTransfer(core, progress)
}

/**
 * It failed, here or there. The next one begins after an election timeout, and twice as late after each failure in a row: what
 * lasts, as a full disk does, would have the whole snapshot sent again and again (H57).
 */
export function failTransfer(core: Core, progress: Progress): void {
  const { electionTimeoutMs } = core.options
  const longestMs = Math.max(electionTimeoutMs, MAX_TRANSFER_PAUSE_MS)
  progress.transferPauseMs = Math.min(Math.max(electionTimeoutMs, 2 * progress.transferPauseMs), longestMs)
  wait(core, progress, progress.transferPauseMs)
}

/** The peer has what it was sent, or it is another process now: what failed before says nothing of the next transfer. */
export function forgetFailures(progress: Progress): void {
  progress.transferAt = 0
  progress.transferPauseMs = 0
}

function wait({ state }: Core, progress: Progress, pauseMs: number): void {
  progress.transfer = 0
  progress.transferAt = state.now + pauseMs
}

/** The first index that a peer in state `snapshot` will need; Infinity while nothing is sent to it. */
export function firstBehindTransfer({ transfer, transferIndex }: Progress): LogIndex {
  return transfer === 0 ? Number.POSITIVE_INFINITY : transferIndex + 1
}
