// How a cluster begins (F25): one member founds it, with a log of its own that begins with a configuration in which it is
// the only voter. It leads at once, and brings the others in by an ordinary change of the membership; until that is in
// force no proposal is taken. A store without a configuration never votes and never campaigns, so that nobody else founds.
import { assert } from './assert.js'
import { type Core, currentConfiguration } from './core.js'
import { bringIntoForce } from './members.js'
import { becomeFollower } from './roles.js'
import { isTermDurable } from './send.js'
import type { Member } from './types.js'

/** Where the log of every cluster begins, and with it the replication sessions of its first members. */
const FIRST_INDEX = 1

/**
 * This store is empty, and so are those of all others that are listed: the caller has heard so. Its term is durable before
 * there is an entry of it: one that is lost with its write is of another term than the next, and no two entries ever share both.
 */
export function onFound(core: Core, members: readonly Member[]): void {
  const { state, options } = core
  assert(currentConfiguration(state) === null && state.log.lastIndex === 0, 'only an empty store founds a cluster')
  assert(
    members.some(({ id, suffrage }) => id === options.id && suffrage === 'voter'),
    'who founds a cluster votes in it',
  )
  state.founding = members
  becomeFollower(core, state.currentTerm + 1, 'founds the cluster')
}

/** A write is durable: the founder's log may begin. */
export function continueFounding(core: Core): void {
  const { state } = core
  if (state.founding === null || currentConfiguration(state) !== null || !isTermDurable(state)) return
  const members = state.founding.map((each) => asFirst(core, each))
  const index = bringIntoForce(core, { members, votersOutgoing: [] })
  assert(index === FIRST_INDEX, 'the log begins with it')
}

/** The others learn before they vote: none of them has anything yet. */
function asFirst({ options }: Core, member: Member): Member {
  return { ...member, suffrage: member.id === options.id ? 'voter' : 'learner', addedAt: FIRST_INDEX }
}
