// What a snapshot says of itself: the position that it stands for and the configuration as of that position, never one of
// a later entry, which may still be truncated (H59).
import { assert } from '../core/assert.js'
import { termAt } from '../core/log-trail.js'
import type { CoreState } from '../core/state.js'
import type { LogIndex } from '../core/types.js'
import type { SnapshotMeta } from '../interfaces/state-machine.js'

/**
 * Whether the configuration of that place is known. One who joins applies what lies in front of the entry that adds it, and
 * learns only from that entry, or from a snapshot of its leader, who the members are.
 */
export function isConfigurationKnownAt({ log }: CoreState, lastIncludedIndex: LogIndex): boolean {
  return log.configurations.some(({ index }) => index <= lastIncludedIndex)
}

/** The meta of a snapshot of what is applied. */
export function snapshotMeta(
  { log }: CoreState,
  applied: { readonly appliedIndex: LogIndex; readonly appliedTimestamp: number },
): SnapshotMeta {
  const { appliedIndex: lastIncludedIndex, appliedTimestamp: lastIncludedTimestamp } = applied
  const lastIncludedTerm = termAt(log, lastIncludedIndex)
  assert(lastIncludedTerm !== null, `entry ${lastIncludedIndex} is applied, and so in the log`)
  const inForce = log.configurations.findLast(({ index }) => index <= lastIncludedIndex)
  assert(inForce !== undefined, 'who applies entries has a configuration')
  const { index: configurationIndex, configuration } = inForce
  return { lastIncludedIndex, lastIncludedTerm, lastIncludedTimestamp, configuration, configurationIndex }
}
