// The timings of one life of a simulated node: those of the cluster or, where that is wanted, other ones each time. Whoever was
// told to wait by the timeout of one node must wait by it, whatever its own is (H117).
import { DEFAULTS } from '../node/options.js'
import type { SimulationRandom } from './prng.js'

export interface Timings {
  readonly electionTimeoutMs: number
  readonly heartbeatIntervalMs: number
}

export function timingsOf(
  options: { readonly [Key in keyof Timings]: number | undefined } & { readonly mixesTimings: boolean },
  random: SimulationRandom,
): Timings {
  const { mixesTimings } = options
  const { electionTimeoutMs = DEFAULTS.electionTimeoutMs, heartbeatIntervalMs = DEFAULTS.heartbeatIntervalMs } = options
  if (!mixesTimings) return { electionTimeoutMs, heartbeatIntervalMs }
  // The rarest heartbeats come more often than the shortest timeout passes, drift included.
  const ownMs = electionTimeoutMs * random.pick([0.5, 0.75, 1, 1, 1.5])
  return { electionTimeoutMs: ownMs, heartbeatIntervalMs: ownMs / 4 }
}
