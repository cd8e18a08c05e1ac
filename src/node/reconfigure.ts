// How other settings reach the parts of a node that runs (F43). Most parts read them when they need them; here is who must
// be told, and who is asked first.
import type { EventLoop } from './event-loop.js'
import type { Identity } from './identity.js'
import type { Narrator } from './narrator.js'
import { excessOf } from './message-capacity.js'
import { refuse } from './option-checks.js'
import type { ResolvedLimits, SettingValues } from './options.js'
import type { NodeId } from '../core/types.js'
import type { Reception } from './reception.js'
import { coreSettings, type Settings } from './settings.js'
import type { Snapshotter } from './snapshotter.js'

export interface ReconfiguredParts {
  readonly identity: Identity
  readonly reception: Reception
  readonly snapshotter: Snapshotter
  readonly narrator: Narrator
  readonly loop: EventLoop
}

/** @throws RaftError RAFT_INVALID_OPTION when a peer could not take what they allow; nothing was changed then */
export function reconfigure(parts: ReconfiguredParts, settings: Settings, values: SettingValues): void {
  const { identity, reception, snapshotter, narrator, loop } = parts
  checkPeers({ identity, connected: reception.connected }, values.limits)
  const before = settings.values
  settings.replace(values)
  // Timers begin again with each change of the timings, so that one that is none must not be told.
  const changed = coreSettings(values)
  if (!isSame(coreSettings(before), changed)) loop.push({ type: 'reconfigure', ...changed })
  snapshotter.onPolicy(before.snapshot)
  narrator.onReconfigured(values)
  // Calls that wait for room may have some now, and a snapshot may be due.
  loop.wake()
}

/** Those too that are no members: one may become one over the connection that it has (F13). */
function checkPeers(
  { identity, connected }: { readonly identity: Identity; readonly connected: readonly NodeId[] },
  limits: ResolvedLimits,
): void {
  for (const peer of connected) {
    const maxMessageBytes = identity.heardOf(peer)?.maxMessageBytes ?? Number.POSITIVE_INFINITY
    const excess = excessOf(limits, maxMessageBytes)
    if (excess === null) continue
    const { name, neededBytes } = excess
    refuse(
      `limits.${name} of ${limits[name]} needs messages of ${neededBytes} bytes, and '${peer}', which is connected, takes at ` +
        `most ${maxMessageBytes}: raise the limit of its transport first, or ask for less`,
    )
  }
}

function isSame(one: ReturnType<typeof coreSettings>, other: ReturnType<typeof coreSettings>): boolean {
  return (
    one.electionTimeoutMs === other.electionTimeoutMs &&
    one.heartbeatIntervalMs === other.heartbeatIntervalMs &&
    one.appendEntries === other.appendEntries &&
    one.inflightMessages === other.inflightMessages
  )
}
