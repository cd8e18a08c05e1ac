// The members that a simulated cluster begins with: how many there may be, what they are called, and whether a configuration
// has come to hold all of them.
import type { MemberSpec } from '../core/types.js'
import { RaftError } from '../errors.js'
import type { HeldConfiguration } from './committed-log.js'
import type { ClusterShape } from './fault-plan.js'
import { VirtualNetwork } from './virtual-network.js'

/** Most voters of a simulated cluster, and most nodes. */
export const MAX_VOTERS = 7

/** The bootstrap list. @throws RaftError RAFT_INVALID_OPTION */
export function bootstrapOf(shape: ClusterShape): readonly MemberSpec[] {
  checkShape(shape)
  const { voters, learners = 0 } = shape
  const ids = Array.from({ length: voters + learners }, (_, at) => `n${at + 1}`)
  return ids.map((id, at): MemberSpec => {
    const member = { id, address: VirtualNetwork.addressOf(id) }
    return at < voters ? member : { ...member, suffrage: 'learner' }
  })
}

/** Whether all that were listed are what they were listed as, and no change is under way. */
export function holdsAll(held: HeldConfiguration | null | undefined, listed: readonly MemberSpec[]): boolean {
  if (held === null || held === undefined || held.configuration.votersOutgoing.length > 0) return false
  const { members } = held.configuration
  return listed.every(({ id, suffrage = 'voter' }) =>
    members.some((each) => each.id === id && each.suffrage === suffrage),
  )
}

function checkShape({ voters, learners = 0 }: ClusterShape): void {
  const refuse = (problem: string): never => {
    throw new RaftError('RAFT_INVALID_OPTION', problem)
  }
  if (!(Number.isInteger(voters) && voters >= 1 && voters <= MAX_VOTERS))
    refuse(`cluster.voters is ${voters}: use a whole number from 1 to ${MAX_VOTERS}`)
  if (!(Number.isInteger(learners) && learners >= 0 && voters + learners <= MAX_VOTERS))
    refuse(`cluster.learners is ${learners}: use a whole number from 0, at most ${MAX_VOTERS} with the voters`)
}
