// The settings of one node: those of its options that may be changed while it runs (F43). Whoever goes by one reads it here
// each time; a copy of it is a setting that never changes.
import { checkKeys, refuse, show } from './option-checks.js'
import type { RaftNodeOptions, ResolvedLimits, SettingValues } from './options.js'
import { resolveLimits, resolveTimings } from './options.js'
import type { ReconfigureEvent } from '../core/event.js'
import { type ResolvedSnapshotPolicy, resolveSnapshotPolicy } from './snapshot-policy.js'

/** What `node.reconfigure` is given: what is left out, or undefined, stays as it is. */
export type SettingChanges = Pick<RaftNodeOptions, 'snapshot' | 'limits' | 'electionTimeoutMs' | 'heartbeatIntervalMs'>

const SETTING_KEYS: readonly string[] = ['electionTimeoutMs', 'heartbeatIntervalMs', 'snapshot', 'limits']

export class Settings implements SettingValues {
  #values: SettingValues

  constructor(values: SettingValues) {
    this.#values = valuesOf(values)
  }

  /** All of them as they are now: they don't change with the settings. */
  get values(): SettingValues {
    return this.#values
  }

  get electionTimeoutMs(): number {
    return this.#values.electionTimeoutMs
  }

  get heartbeatIntervalMs(): number {
    return this.#values.heartbeatIntervalMs
  }

  get snapshot(): ResolvedSnapshotPolicy {
    return this.#values.snapshot
  }

  get limits(): ResolvedLimits {
    return this.#values.limits
  }

  replace(values: SettingValues): void {
    this.#values = valuesOf(values)
  }
}

/**
 * What the settings would be, checked as a whole; nothing is changed yet.
 * @throws RaftError RAFT_INVALID_OPTION naming the option and the value
 */
export function changedValues(
  held: SettingValues,
  changes: SettingChanges,
  { maxMessageBytes }: { readonly maxMessageBytes: number },
): SettingValues {
  if (typeof changes !== 'object' || changes === null) refuse(`reconfigure takes an object, not ${show(changes)}`)
  checkKeys(changes, SETTING_KEYS, 'option for reconfigure')
  const { snapshot = {}, limits = {} } = changes
  return {
    ...resolveTimings(changes, held),
    snapshot: resolveSnapshotPolicy(snapshot, held.snapshot),
    limits: resolveLimits(limits, maxMessageBytes, held.limits),
  }
}

/** What the core goes by. */
export function coreSettings(values: SettingValues): Omit<ReconfigureEvent, 'type' | 'now'> {
  const { electionTimeoutMs, heartbeatIntervalMs, limits } = values
  const { appendEntries, inflightMessages } = limits
  return { electionTimeoutMs, heartbeatIntervalMs, appendEntries, inflightMessages }
}

function valuesOf({ electionTimeoutMs, heartbeatIntervalMs, snapshot, limits }: SettingValues): SettingValues {
  return Object.freeze({ electionTimeoutMs, heartbeatIntervalMs, snapshot, limits })
}
