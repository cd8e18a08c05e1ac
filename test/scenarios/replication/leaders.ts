// Leaders in the middle of their work, and what they send: the start of the scenarios of flow control.
import type { AppendEntries, Output, Progress } from 'helios-raft/core'
import { heartbeatResponse, SoloCore, type SoloOptions } from '../../support/solo-core.js'

/** A new leader that has sent nothing yet. */
export function leaderOf(options: SoloOptions = {}): SoloCore {
  const leader = new SoloCore(options)
  leader.becomeLeader()
  leader.sent = []
  return leader
}

/** A leader whose peer b has acknowledged everything and streams. */
export function streaming(options: SoloOptions = {}): SoloCore {
  const leader = leaderOf(options)
  leader.acknowledge('b', leader.state.log.lastIndex)
  leader.sent = []
  return leader
}

/** What the leader knows of a peer. */
export const progressOf = (leader: SoloCore, peer = 'b'): Progress | undefined => leader.state.progress.get(peer)
/** A peer answers the leader's heartbeat. */
export const answerHeartbeat = (leader: SoloCore, from = 'b'): Output =>
  leader.receive(from, heartbeatResponse({ term: leader.state.currentTerm }))

/** What left for one peer since the last look: prevLogIndex and the entries. */
export function sentTo(leader: SoloCore, peer = 'b'): [number, ...number[]][] {
  const appends = leader.take('appendEntries').filter((sent) => sent.to === peer)
  const indexes = ({ entries }: AppendEntries) => entries.map(({ index }) => index)
  return appends.map(({ message }) => [message.prevLogIndex, ...indexes(message)])
}
