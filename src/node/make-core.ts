// The core of a node, from its options and what its stores held. Parts that a harness replaced come in by Internals.
import { RaftCore } from '../core/raft-core.js'
import { RULES } from '../core/rules.js'
import type { NodeId } from '../core/types.js'
import { bootNumber } from './store-id.js'
import type { Internals, SteppedCore } from './internals.js'
import type { Recovered } from './recovery.js'
import type { RunningOptions } from './replicated-state.js'
import { coreSettings } from './settings.js'

export function makeCore(
  options: RunningOptions,
  { restored, identity }: Recovered,
  { rules, wrapCore, observeStart }: Internals,
): SteppedCore {
  const { id, maxClockDriftRatio, seed, clock, settings } = options
  const [boot, { storeId }] = [bootNumber(identity), identity]
  const own = { id, seed: jitterSeed(id, seed), boot, storeId, maxClockDriftRatio }
  const coreOptions = { ...own, ...coreSettings(settings.values) }
  const now = clock.now()
  observeStart?.({ options: coreOptions, restored, now })
  const core = new RaftCore(coreOptions, restored, now, { ...RULES, ...rules })
  return wrapCore?.(core, coreOptions) ?? core
}

/** Nodes that were given the same seed must not draw the same timeouts, or their elections tie for ever (H8). */
export function jitterSeed(id: NodeId, seed: number): number {
  let hash = 0x811c9dc5
  for (const character of id) hash = Math.imul(hash ^ character.charCodeAt(0), 0x01000193)
  return (Math.imul(hash ^ (hash >>> 15), 0x9e3779b1) + (seed % 0x1_0000_0000)) >>> 0
}
