// Nodes whose disks were wiped (H19, H112, F25): whom a configuration still names with a store that is gone, and which of
// their hellos must be refused and which may be. How they come back is in `replace-wiped.ts`.
import { decodeHello } from '../codec/hello.js'
import { findMember } from '../core/configuration.js'
import type { Configuration, NodeId } from '../core/types.js'
import { isRaftError } from '../errors.js'
import type { StateMachine } from '../interfaces/state-machine.js'
import type { Cluster } from './cluster.js'
import type { VirtualDisk } from './virtual-disk.js'
import type { VirtualTransport } from './virtual-network.js'

/** Whether the configuration names the node with a store that this disk has lost. */
export function hasLostStore(configuration: Configuration | undefined, id: NodeId, disk: VirtualDisk): boolean {
  if (!disk.wasWiped || configuration === undefined) return false
  const expected = findMember(configuration, id)?.storeId
  return expected !== undefined && expected !== disk.identity?.storeId
}

/** `by` took the hello of `other`, or refused it with `error`. Returns what is wrong, or null; counts the refusals that are due. */
export function judgeHello<Command, Result, SM extends StateMachine<Command, Result>>(
  cluster: Cluster<Command, Result, SM>,
  { by, other, error }: { readonly by: VirtualTransport; readonly other: VirtualTransport; readonly error: unknown },
): string | null {
  const configuration = cluster.process(by.id)?.current?.witness.configuration?.configuration
  const disk = cluster.process(other.id)?.disk
  const isLost = disk !== undefined && hasLostStore(configuration, other.id, disk)
  if (error === null) {
    // One that was added again since has the word of its leader; who has the older configuration may hear it (F33).
    return isLost && !belongsToCluster(other) ? `${by.id} let ${other.id} in, whose disk was wiped (H112)` : null
  }
  if (!isLost || !isRaftError(error, 'RAFT_IDENTITY'))
    return `${by.id} refused the hello of ${other.id}: ${String(error)}`
  cluster.coverage.count('point.wipedRefused')
  return null
}

function belongsToCluster({ local }: VirtualTransport): boolean {
  if (local === null) return false
  const { nonce, bootstrapDigest } = decodeHello(local.hello)
  return nonce !== '' && bootstrapDigest === ''
}
