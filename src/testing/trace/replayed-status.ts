// The status of a node as far as its core alone can tell it, for replays. What is the driver's is empty or 0.
import type { CoreOptions, CoreState } from '../../core/index.js'
import { type RaftStatus, runningStatus } from '../../node/status.js'

/** `ready` means that a leader is known and all that is known to be committed is applied. */
export function statusOf(
  { id, electionTimeoutMs }: Pick<CoreOptions, 'id' | 'electionTimeoutMs'>,
  state: CoreState,
): RaftStatus {
  const { now, lastApplied: appliedIndex, leaderId, role, commitIndex, termFirstIndex } = state
  const knowsCommit = role !== 'leader' || commitIndex >= termFirstIndex
  const isReady = leaderId !== null && knowsCommit && appliedIndex === commitIndex
  const ofDriver = {
    clusterId: '',
    pendingProposals: 0,
    uncommittedBytes: 0,
    founding: null,
    isFounding: false,
    lastRefusal: null,
    longConnected: [],
  }
  return runningStatus(state, {
    options: { id },
    settings: { electionTimeoutMs },
    now,
    isReady,
    appliedIndex,
    ...ofDriver,
  })
}
