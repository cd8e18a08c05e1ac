// When a leader sends a snapshot (§7): to a peer that needs what the log does not hold any more, as soon as it is heard; one
// transfer at a time to each, given up when the peer is not heard any more or says that it failed, with a pause before the
// next (F28, H57). Sees no bytes: the driver opens the newest snapshot and sends it.
import type { Core } from './core.js'
import type { SnapshotUnsentEvent } from './event.js'
import type { Progress } from './progress.js'
import type { LogIndex, NodeId } from './types.js'

/** The peer has just answered: begins a transfer where one is needed, and forgets it where it is not any more. */
export function continueSnapshot(core: Core, peer: NodeId, progress: Progress): void {
  const { state, output } = core
  if (progress.state !== 'snapshot') {
    progress.transfer = 0
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
    const heardAt = Math.max(state.quorumCheckSince, progress.contactAt ?? Number.NEGATIVE_INFINITY)
    if (state.now - heardAt >= options.electionTimeoutMs) giveUpTransfer(core, progress)
  }
}

/** The driver could not send it. */
export function onSnapshotUnsent(core: Core, { peer, transfer }: SnapshotUnsentEvent): void {
  const progress = core.state.progress.get(peer)
  if (progress?.transfer === transfer) giveUpTransfer(core, progress)
}

/** The next transfer to this peer begins after an election timeout, so that a failure that lasts can't spin. */
export function giveUpTransfer({ state, options }: Core, progress: Progress): void {
  progress.transfer = 0
  progress.transferAt = state.now + options.electionTimeoutMs
}

/** The first index that a peer in state `snapshot` will need; Infinity while nothing is sent to it. */
export function firstBehindTransfer({ transfer, transferIndex }: Progress): LogIndex {
  return transfer === 0 ? Number.POSITIVE_INFINITY : transferIndex + 1
}
