// Other timings and bounds for a core that runs (F43); nothing of the membership. What was waited for under the old timings
// is not held against anybody by the new ones: timers begin again.
import { assert } from './assert.js'
import type { Core } from './core.js'
import type { ReconfigureEvent } from './event.js'
import { resetElectionTimer } from './timers.js'

/** From here on the core has these options. */
export function onReconfigure(core: Core, event: ReconfigureEvent): void {
  const { electionTimeoutMs, heartbeatIntervalMs, appendEntries, inflightMessages } = event
  assert(electionTimeoutMs > 0 && heartbeatIntervalMs > 0, 'timings are above 0')
  assert(appendEntries >= 1 && inflightMessages >= 1, 'something may be sent')
  const before = core.options
  core.options = { ...before, electionTimeoutMs, heartbeatIntervalMs, appendEntries, inflightMessages }
  const isAsBefore =
    electionTimeoutMs === before.electionTimeoutMs && heartbeatIntervalMs === before.heartbeatIntervalMs
  if (!isAsBefore) restartTimers(core)
}

/**
 * A shorter timeout would have a follower campaign, and a leader step down, for a silence that was none when it began; the
 * deadline of a shorter one before would come before the next heartbeat of a leader that sends them more rarely now.
 */
function restartTimers(core: Core): void {
  const { state, options } = core
  resetElectionTimer(core)
  state.quorumCheckSince = state.now
  // The others may wait for no longer than the new interval already. An earlier one does no harm.
  state.heartbeatDeadline = Math.min(state.heartbeatDeadline, state.now + options.heartbeatIntervalMs)
}
