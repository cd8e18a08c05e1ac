// InstallSnapshot RPC (§7, figure 13), both ends of it. A receiver decides by its log before anything of a snapshot is
// visible: what it holds itself it never replaces (F29, H54). While one is installed no index moves; what is being
// installed is committed, so no leader, term or vote that comes meanwhile can make it wrong.
import { followLeader } from './append-entries.js'
import { assert } from './assert.js'
import { configurationProblem } from './configuration.js'
import type { Core } from './core.js'
import type { SnapshotInstalledEvent, SnapshotReceivedEvent, SnapshotWrittenEvent } from './event.js'
import { resetTo } from './log-trail.js'
import { adoptConfiguration } from './members.js'
import type { InstallSnapshot, InstallSnapshotResponse } from './messages.js'
import { settleFreshness } from './read-index.js'
import { onAcknowledged, sessionWith, setCommitIndex } from './replication.js'
import { send } from './send.js'
import { failTransfer, forgetFailures } from './snapshot-transfer.js'
import type { SnapshotSource } from './state.js'
import { resetElectionTimer } from './timers.js'
import type { NodeId, SnapshotMeta } from './types.js'

/** A chunk, receiver implementation (figure 13): any of them is a sign of life of the leader, as AppendEntries is. */
export function handleInstallSnapshot(core: Core, from: NodeId, message: InstallSnapshot): void {
  const { state, output } = core
  const { term, addedAt, transfer, meta } = message
  const source = { from, term, addedAt, transfer }
  if (term < state.currentTerm) {
    answer(core, source, { outcome: 'refused' })
    return
  }
  followLeader(core, from)
  if (configurationProblem(meta.configuration) !== null) answer(core, source, { outcome: 'refused' })
  else if (isHeld(core, meta)) answer(core, source, { outcome: 'installed', index: meta.lastIncludedIndex })
  else if (state.installing !== null) answer(core, source, { outcome: 'busy' })
  else output.chunks.push({ from, message })
}

/** The driver took a chunk in, or gave the transfer up. */
export function onSnapshotWritten(core: Core, { source, outcome, offset }: SnapshotWrittenEvent): void {
  answer(core, source, { outcome, offset })
}

/**
 * All of it is here: whether it is installed. One who campaigns decides nothing: the next leader sends it again, and what
 * was received stays.
 */
export function onSnapshotReceived(core: Core, { source, meta }: SnapshotReceivedEvent): void {
  const { state, output } = core
  assert(state.installing === null, 'one snapshot is installed at a time')
  if (isHeld(core, meta)) {
    output.setSnapshotDecision('discard')
    answer(core, source, { outcome: 'installed', index: meta.lastIncludedIndex })
  } else if (state.role !== 'follower') {
    output.setSnapshotDecision('keep')
  } else {
    state.installing = { source, meta }
    output.setSnapshotDecision('install')
  }
}

/** The log begins behind the snapshot now; or nothing was replaced, and the leader is told to begin anew (F30). */
export function onSnapshotInstalled(core: Core, { outcome }: SnapshotInstalledEvent): void {
  const { state } = core
  assert(state.installing !== null, 'a snapshot is being installed')
  const { source, meta } = state.installing
  state.installing = null
  // Others may have waited for this node's vote, or for it to campaign: it begins as one that has just heard its leader.
  resetElectionTimer(core)
  if (outcome === 'failed') {
    answer(core, source, { outcome: 'refused' })
    return
  }
  install(core, meta)
  answer(core, source, { outcome: 'installed', index: meta.lastIncludedIndex })
}

/** The answer to a chunk. `installed` counts like an acknowledgement of entries, whichever transfer it is of. */
export function handleInstallSnapshotResponse(core: Core, from: NodeId, message: InstallSnapshotResponse): void {
  const { state, output } = core
  const { outcome, transfer, offset, index } = message
  const progress = sessionWith(core, from, message)
  if (progress === null || index > state.log.lastIndex) return
  progress.contactAt = state.now
  if (outcome === 'installed') {
    // It is over also where the log was compacted further meanwhile: then a newer one is sent, not this one again.
    if (transfer === progress.transfer) {
      progress.transfer = 0
      forgetFailures(progress)
    }
    onAcknowledged(core, from, index)
  } else if (transfer === progress.transfer) {
    output.snapshotAnswers.push({ from, transfer, outcome, offset })
    if (outcome === 'refused') failTransfer(core, progress)
  }
}

/**
 * Whether this log holds what the snapshot holds. A reset would then drop entries behind it that were acknowledged and
 * counted; but what a snapshot holds is committed, and that is news.
 */
function isHeld(core: Core, meta: SnapshotMeta): boolean {
  const { state, rules } = core
  if (!rules.holdsSnapshot(meta, state.log, state.commitIndex)) return false
  const isNews = meta.lastIncludedIndex > state.commitIndex && state.installing === null
  if (isNews) setCommitIndex(core, meta.lastIncludedIndex)
  return true
}

function install(core: Core, meta: SnapshotMeta): void {
  const { state, output } = core
  const { lastIncludedIndex: index, lastIncludedTerm: term, configurationIndex, configuration } = meta
  assert(state.role === 'follower', 'a follower installs snapshots')
  assert(index > state.commitIndex, `the snapshot of ${index} lies beyond what is committed, ${state.commitIndex}`)
  assert(term <= state.currentTerm, `the snapshot of term ${term} is not of a later one than ${state.currentTerm}`)
  resetTo(state.log, { index, term })
  state.log.configurations.push({ index: configurationIndex, configuration })
  adoptConfiguration(core)
  // What was under way to the disk is of the log that is gone.
  state.epoch += 1
  state.persistedIndex = index
  state.snapshotIndex = index
  state.compactableIndex = index
  setCommitIndex(core, index)
  state.lastApplied = index
  state.logTime = Math.max(state.logTime, meta.lastIncludedTimestamp)
  settleFreshness(state)
  output.installed = meta
  output.endsBatch = true
}

/** To the leader of this term only: one of the past hears of its end by what it sends itself. */
function answer(
  core: Core,
  { from, term, addedAt, transfer }: SnapshotSource,
  verdict: Pick<InstallSnapshotResponse, 'outcome'> & Partial<Pick<InstallSnapshotResponse, 'offset' | 'index'>>,
): void {
  const { currentTerm } = core.state
  const isStaleRequest = verdict.outcome === 'refused' && term < currentTerm
  if (term !== currentTerm && !isStaleRequest) return
  const message = { type: 'installSnapshotResponse', term: currentTerm, addedAt, transfer } as const
  send(core, from, { ...message, offset: 0, index: 0, ...verdict })
}
