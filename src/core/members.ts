// The configuration in force (§6): the newest one in the log, from the moment that it is appended, on every node. When it
// changes, the quorum changes with it, and a leader's peers do.
import { assert } from './assert.js'
import { decodeConfiguration, encodeConfiguration } from './configuration-codec.js'
import { findMember, peersOf } from './configuration.js'
import { type Core, currentConfiguration } from './core.js'
import { sendHeartbeat } from './heartbeat.js'
import { isSameMembers, withStores } from './membership-change.js'
import { newProgress } from './progress.js'
import { quorumOf } from './quorum.js'
import { finishConfirmedReads } from './read-index.js'
import { appendNext, broadcastAppends } from './replication.js'
import type { LogTrail } from './log-trail.js'
import type { Configuration, LogEntry, LogIndex, NodeId } from './types.js'

/** Peers whose stores are remembered; beyond them only members' are. More than a cluster has members. */
export const MAX_STORES = 1_024

/** The log was appended to, truncated or replaced: what its newest configuration says holds from now on (H43). */
export function adoptConfiguration(core: Core): void {
  const { state, output } = core
  const held = state.log.configurations.at(-1)
  state.quorum = quorumOf(held?.configuration ?? null)
  if (held === undefined) return
  const { configuration } = held
  output.configuration = held
  if (state.founding === null || !isSameMembers(configuration.members, state.founding)) return
  state.founding = null
  output.isFounded = true
}

/**
 * A peer is connected, with that store, whether it is a member yet or not: it may become one on the same connection. The newest
 * one that was heard stands, also when a connection ends: the end of an earlier one may be seen later than the beginning of the next.
 */
export function noteStore({ state }: Core, peer: NodeId, storeId: string): void {
  const { stores } = state
  const isKnown = stores.has(peer) || findMember(currentConfiguration(state), peer) !== null
  if (isKnown || stores.size < MAX_STORES) stores.set(peer, storeId)
}

/**
 * `current` with the stores that its members had when they first acknowledged something in their session: what is open by now
 * may be a connection to a store that was lost, or to the one that took its place. The same one where that tells nothing new.
 */
export function boundToStores({ state }: Core, current: Configuration): Configuration {
  return withStores(current, ({ id, addedAt = 0 }) => {
    const progress = state.progress.get(id)
    return progress?.addedAt === addedAt ? progress.storeId : undefined
  })
}

/** A configuration entry was appended to `log`. */
export function noteConfiguration(log: LogTrail, { index, data }: LogEntry): void {
  const configuration = decodeConfiguration(data)
  assert(configuration !== null, `entry ${index} is a configuration`)
  log.configurations.push({ index, configuration })
}

/** Appends a configuration to this node's own log; it is in force at once. Returns its index. */
export function bringIntoForce(core: Core, configuration: Configuration): LogIndex {
  const index = appendNext(core, [{ type: 'configuration', data: encodeConfiguration(configuration) }])
  core.state.log.configurations.push({ index, configuration })
  adoptConfiguration(core)
  return index
}

/**
 * A leader appends the next configuration, which is in force at once, with the stores that the members have been heard with.
 * Those that it leaves out are told until it commits.
 */
export function appendConfiguration(core: Core, next: Configuration): void {
  const { state } = core
  assert(state.role === 'leader', 'only a leader changes the configuration')
  const configuration = boundToStores(core, next)
  const before = state.log.lastIndex
  bringIntoForce(core, configuration)
  // Whoever votes from now on has a whole timeout to be heard.
  state.quorumCheckSince = state.now
  for (const id of peersOf(configuration, core.options.id)) {
    const addedAt = findMember(configuration, id)?.addedAt ?? 0
    if (state.progress.get(id)?.addedAt !== addedAt) state.progress.set(id, newProgress(before, addedAt))
  }
  broadcastAppends(core)
  // A round that waited for those who are gone may be answered by now, and where nobody is left no answer comes any more.
  finishConfirmedReads(core)
}

/**
 * The configuration in force is committed. Those that it leaves out hear so when they have it, and are waited for no longer
 * than an election timeout (H45).
 */
export function forgetDeparted(core: Core): void {
  const { state, options } = core
  const held = state.log.configurations.at(-1)
  assert(held !== undefined, 'a leader knows its configuration')
  if (held.index !== state.settledIndex) state.departingSince = state.now
  state.settledIndex = held.index
  if (state.departingSince === null) return
  const isOver = state.now - state.departingSince >= options.electionTimeoutMs
  const peers = new Set(peersOf(held.configuration, options.id))
  const departed = [...state.progress].filter(([id]) => !peers.has(id))
  for (const [id, progress] of departed) {
    if (progress.matchIndex < held.index && !isOver) continue
    sendHeartbeat(core, id, progress)
    state.progress.delete(id)
  }
  if (state.progress.size === peers.size) state.departingSince = null
}
