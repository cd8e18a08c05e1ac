// The follower's side of §5.3: AppendEntries and the heartbeat of the leader of this term. Nothing is acknowledged that
// this very message did not verify, and nothing at or below commitIndex is ever dropped.
import { assert } from './assert.js'
import { observeFreshness } from './read-index.js'
import type { Core } from './core.js'
import { promiseTo } from './lease.js'
import { adoptConfiguration, noteConfiguration } from './members.js'
import { appendRun, lastIndexOfTermAtMost, matchesLeader, termAt, truncateFrom } from './log-trail.js'
import type { AppendEntries, AppendEntriesResponse, Heartbeat } from './messages.js'
import { setCommitIndex } from './replication.js'
import { becomeFollower, setLeader } from './roles.js'
import { send } from './send.js'
import { resetElectionTimer } from './timers.js'
import type { LogEntry, NodeId } from './types.js'

export interface AppendContext {
  readonly from: NodeId
  /** Bytes of entries that the node can still take in. */
  readonly budgetBytes: number
}

/** AppendEntries RPC, receiver implementation, 1 to 5 (figure 2). */
export function handleAppendEntries(core: Core, message: AppendEntries, context: AppendContext): void {
  const { state, rules } = core
  const { prevLogIndex, prevLogTerm, entries } = message
  const { from } = context
  if (message.term < state.currentTerm) {
    // Our term tells a leader of the past that it is one (H10). Index 0 judges nothing: by now it may lead our term.
    answer(core, from, message, { outcome: 'mismatch', index: 0 })
    return
  }
  followLeader(core, from)
  if (state.installing !== null) {
    // The log is about to be another one: nothing is judged by it, and nothing is added to it (F29).
    answer(core, from, message, { outcome: 'busy', index: prevLogIndex })
    return
  }
  if (!matchesLeader(state.log, prevLogIndex, prevLogTerm)) {
    const hintIndex = lastIndexOfTermAtMost(state.log, prevLogIndex, prevLogTerm)
    const hintTerm = termAt(state.log, hintIndex) ?? 0
    answer(core, from, message, { outcome: 'mismatch', index: prevLogIndex, hintIndex, hintTerm })
    return
  }
  const firstNew = rules.firstNewEntry(entries, state.log)
  const newEntries = firstNew === -1 ? [] : entries.slice(firstNew)
  if (sizeBytes(newEntries) > context.budgetBytes) {
    answer(core, from, message, { outcome: 'busy', index: prevLogIndex })
    return
  }
  if (newEntries.length > 0) replaceSuffix(core, newEntries)
  const verified = rules.acknowledgedIndex(prevLogIndex, entries)
  commitUpTo(core, rules.followerCommit(message.leaderCommit, verified))
  answer(core, from, message, { outcome: 'success', index: verified })
}

/** The leader is alive. Answered without waiting for entries, so that a slow disk doesn't look like a dead follower. */
export function handleHeartbeat(core: Core, from: NodeId, message: Heartbeat): void {
  const { state, options, rules } = core
  const { addedAt, round, prevLogIndex, prevLogTerm } = message
  let index = -1
  const isOfThisTerm = message.term === state.currentTerm
  if (isOfThisTerm) {
    followLeader(core, from)
    if (state.installing === null && matchesLeader(state.log, prevLogIndex, prevLogTerm)) {
      index = Math.min(prevLogIndex, state.persistedIndex)
      commitUpTo(core, rules.followerCommit(message.leaderCommit, prevLogIndex))
    }
    if (message.echoBoot === options.boot && message.echoMs >= 0 && message.echoMs > state.clockJumpedAt) {
      observeFreshness(state, message.echoMs - message.quorumAgeMs, message.leaderCommit)
    }
  }
  // The answer is of our term. With the round and the clock of an earlier term it would confirm reads that came later:
  // its sender may have restarted, with numbers that begin again, and lead our term by now (H64).
  const confirmed = isOfThisTerm
    ? { round, echoMs: message.sentMs, leaseMs: promiseTo(core, message) }
    : { round: 0, echoMs: 0, leaseMs: 0 }
  const { currentTerm: term, now: sentMs } = state
  send(core, from, { type: 'heartbeatResponse', term, addedAt, index, sentMs, boot: options.boot, ...confirmed })
}

/** A valid message of this term's leader: the only thing, beside a granted vote, that restarts the election timer (H15). */
export function followLeader(core: Core, leader: NodeId): void {
  const { state } = core
  assert(state.role !== 'leader', `${leader} leads term ${state.currentTerm}, which this node leads`)
  assert(state.leaderId === null || state.leaderId === leader, `term ${state.currentTerm} has one leader`)
  if (state.role !== 'follower') becomeFollower(core, state.currentTerm, `heard the leader ${leader}`)
  setLeader(core, leader)
  state.leaderContactAt = state.now
  resetElectionTimer(core)
}

/** Drops the suffix that conflicts, if there is one, and appends. */
function replaceSuffix(core: Core, entries: readonly LogEntry[]): void {
  const { state, output } = core
  const { index: first } = entries[0] as LogEntry
  const inForce = state.log.configurations.at(-1)
  if (first <= state.log.lastIndex) {
    assert(first > state.commitIndex, `entry ${first} is committed and never dropped`)
    truncateFrom(state.log, first)
    state.persistedIndex = Math.min(state.persistedIndex, first - 1)
    state.epoch += 1
    output.endsBatch = true
  }
  for (const entry of entries) {
    appendRun(state.log, { first: entry.index, last: entry.index, term: entry.term })
    state.logTime = Math.max(state.logTime, entry.timestamp)
    if (entry.type === 'configuration') noteConfiguration(state.log, entry)
  }
  if (state.log.configurations.at(-1) !== inForce) adoptConfiguration(core)
  output.addEntries(entries, state.epoch)
}

function commitUpTo(core: Core, index: number): void {
  if (index > core.state.commitIndex) setCommitIndex(core, index)
}

function answer(
  core: Core,
  to: NodeId,
  { addedAt }: AppendEntries,
  verdict: Pick<AppendEntriesResponse, 'outcome' | 'index'> & { hintIndex?: number; hintTerm?: number },
): void {
  const { hintIndex = 0, hintTerm = 0, ...rest } = verdict
  const term = core.state.currentTerm
  send(core, to, { type: 'appendEntriesResponse', term, addedAt, ...rest, hintIndex, hintTerm })
}

function sizeBytes(entries: readonly LogEntry[]): number {
  let bytes = 0
  for (const entry of entries) bytes += entry.data.length
  return bytes
}
