// How many voters hold an entry durably (F47), as the leader knows it. A question changes nothing, so it may be asked, lost and
// asked again at will; nobody keeps it.
import type { Core } from './core.js'
import type { ReplicasRequest, ReplicasResponse } from './messages.js'
import { send } from './send.js'
import type { LogIndex, NodeId } from './types.js'

/** A question of this node's own: answered here by the leader, elsewhere passed on to it. Without one there is no answer. */
export function onReplicas(core: Core, id: number, index: LogIndex): void {
  const { state, options, output } = core
  if (state.role === 'leader') output.replicas.push({ id, count: replicasOf(core, index) })
  else if (state.leaderId !== null) {
    const { currentTerm: term } = state
    send(core, state.leaderId, { type: 'replicasRequest', term, boot: options.boot, number: id, index })
  }
}

/** Who does not lead that term says nothing: the question comes again. */
export function handleReplicasRequest(core: Core, from: NodeId, message: ReplicasRequest): void {
  const { state } = core
  if (state.role !== 'leader' || message.term !== state.currentTerm) return
  const { boot, number, index } = message
  const count = replicasOf(core, index)
  send(core, from, { type: 'replicasResponse', term: state.currentTerm, boot, number, count })
}

/** An answer to an earlier boot is nobody's. */
export function handleReplicasResponse({ options, output }: Core, { boot, number, count }: ReplicasResponse): void {
  if (boot === options.boot) output.replicas.push({ id: number, count })
}

/** Voters of the newest configuration, the leader among them where it is one. */
function replicasOf({ state, options }: Core, index: LogIndex): number {
  const holds = (id: NodeId): boolean => {
    const match = id === options.id ? state.persistedIndex : (state.progress.get(id)?.matchIndex ?? 0)
    return match >= index
  }
  return state.quorum.incoming.filter(holds).length
}
