// What becomes of a change of the membership, told to whoever asked for it: a client of this node, or another node that
// passed it on and whose last answer is kept, for the copies of its request.
import type { Core } from './core.js'
import type { MembershipRequest, MembershipResponse } from './messages.js'
import type { ChangeOutcome } from './output.js'
import { send } from './send.js'
import type { Change } from './state.js'

/** To the client of this node, or to the node that passed the change on. */
export function answerChange(core: Core, to: Pick<Change, 'id' | 'origin' | 'boot'>, outcome: ChangeOutcome): void {
  const { id, origin, boot } = to
  const { state, output } = core
  if (origin === null) {
    output.changes.push(outcome)
    return
  }
  const known = state.changeOrigins.get(origin)
  if (known?.number !== id || known.boot !== boot) return
  const answer = { ...answerTo(core, { boot, number: id }), ...fieldsOf(outcome) }
  if (outcome.type !== 'progress') state.changeOrigins.set(origin, { ...known, answer })
  send(core, origin, answer)
}

type Fields = Omit<MembershipResponse, 'type' | 'term' | 'boot' | 'number'>

const NOTHING: Fields = { outcome: 'done', problem: '', member: '', index: 0, lastIndex: 0, configuration: null }

/** An answer to a request of another node that says nothing yet. */
export function answerTo(
  { state }: Core,
  { boot, number }: Pick<MembershipRequest, 'boot' | 'number'>,
): MembershipResponse {
  return { type: 'membershipResponse', term: state.currentTerm, boot, number, ...NOTHING }
}

function fieldsOf(outcome: ChangeOutcome): Fields {
  switch (outcome.type) {
    case 'refused':
      return { ...NOTHING, outcome: outcome.reason, problem: outcome.problem }
    case 'progress':
      return {
        ...NOTHING,
        outcome: 'progress',
        member: outcome.member,
        index: outcome.matchIndex,
        lastIndex: outcome.lastIndex,
      }
    case 'done':
      return { ...NOTHING, index: outcome.index, configuration: outcome.configuration }
    case 'ended':
      return { ...NOTHING, outcome: outcome.reason, member: outcome.member }
    case 'retry':
      return { ...NOTHING, outcome: 'notLeader' }
  }
}
