// Changes of the membership, the leader's side (§6, thesis §4): new voters come in as learners, catch up, and then vote by
// joint consensus or, where one voter differs, in one step. One change at a time; each configuration is committed before
// the next is appended. Whoever leads when a joint one is committed leaves it, without being asked (F22-F24).
import { assert } from './assert.js'
import type { Core } from './core.js'
import { appendConfiguration, boundToStores, forgetDeparted } from './members.js'
import {
  isSameMembers,
  joiningVoters,
  nextConfiguration,
  votersOf,
  votersThatDiffer,
  wantedMembers,
  withNewLearners,
} from './membership-change.js'
import { answerChange } from './membership-answers.js'
import type { ChangeEndReason } from './output.js'
import { heardAt } from './progress.js'
import { isVoter } from './quorum.js'
import type { CatchUp, Change } from './state.js'
import { hasHandedOver } from './transfer.js'
import type { Configuration, Member, NodeId } from './types.js'

/** Rounds in which a learner may catch up; the log grows during each of them (thesis §4.2.1). */
export const CATCH_UP_ROUNDS = 10

/** Election timeouts without a word of a learner after which it is not waited for any more. */
export const SILENT_TIMEOUTS = 10

/** Election timeouts without a word of the node that asked for a change after which nobody seems to wait for it. */
export const FORSAKEN_TIMEOUTS = 5

/** No event has this id: of the change that a founder makes by itself, and no call waits for. */
const FOUNDING_CHANGE = 0

/** Begins a change, or says why not. What it asks for is looked at when the configuration in force is committed. */
export function beginChange(
  core: Core,
  { id, origin, boot, asked, force }: Pick<Change, 'id' | 'origin' | 'boot' | 'asked' | 'force'>,
): void {
  const { state } = core
  const to = { id, origin, boot }
  // A founder's own change comes first, and nobody knows of that.
  if (state.founding !== null || state.change?.id === FOUNDING_CHANGE)
    return answerChange(core, to, { type: 'retry', id })
  if (state.transfer !== null)
    return answerChange(core, to, { type: 'refused', id, reason: 'transferring', problem: '' })
  const calledOff = calledOffBy(state.change, asked)
  if (calledOff !== undefined) endChange(core, 'cancelled', calledOff)
  if (state.change !== null) return answerChange(core, to, { type: 'refused', id, reason: 'pending', problem: '' })
  state.change = { ...to, asked, force, askedAt: state.now, phase: 'waiting', wanted: [], catchUps: [] }
}

/** The learner that `change` waits for and `asked` takes out: it may never catch up, and whoever operates it knows. */
function calledOffBy(change: Change | null, asked: Change['asked']): NodeId | undefined {
  if (change === null || change.phase !== 'catchingUp' || asked.type !== 'remove') return undefined
  return change.catchUps.find(({ id }) => asked.members.some((member) => member.id === id))?.id
}

/** Another node asks once more for that change: somebody still waits for it. */
export function repeatChange({ state }: Core, id: number, origin: NodeId): void {
  if (state.change?.id === id && state.change.origin === origin) state.change = { ...state.change, askedAt: state.now }
}

/** `origin` waits for one change at a time: what it asked for before this one, or in an earlier boot, it waits for no more. */
export function supersedeChange(core: Core, origin: NodeId): void {
  const { change } = core.state
  if (change?.origin === origin) cancelChange(core, change.id, origin)
}

/** Whoever asked does not wait any more. What votes already, or is on the way there, can't be called back. */
export function cancelChange(core: Core, id: number, origin: NodeId | null): void {
  const { change } = core.state
  if (change === null || change.id !== id || change.origin !== origin || change.phase === 'voting') return
  endChange(core, 'cancelled')
}

/** Nothing more is done for the change that is under way; its learners stay learners. */
export function endChange(core: Core, reason: ChangeEndReason, member: NodeId = ''): void {
  const { change } = core.state
  if (change === null) return
  core.state.change = null
  answerChange(core, change, { type: 'ended', id: change.id, reason, member })
}

/**
 * After each event of a leader: goes on with what waits for a commit, for a learner or for time. Returns whether this
 * leader, which is left out of the configuration, has nothing left to do and must step down.
 */
export function continueMembership(core: Core): boolean {
  const { state, options, rules } = core
  const held = state.log.configurations.at(-1)
  assert(held !== undefined, 'a leader knows its configuration')
  forsakeChange(core)
  if (state.founding !== null && state.change === null) state.change = changeTo(state.founding)
  const { index, configuration } = held
  const isCommitted = rules.isConfigurationCommitted(index, state.commitIndex)
  if (!isCommitted || !rules.mayChangeMembers(state.commitIndex, state.termFirstIndex)) return false
  const isLeaving = rules.mustDepart(isVoter(state.quorum, options.id))
  // Who was told to campaign has all that stands in this log, and must go on to have it, or it could not win.
  if (!isLeaving && state.transfer !== null && state.transfer.toldAt !== null) return false
  if (configuration.votersOutgoing.length > 0) {
    appendConfiguration(core, { members: configuration.members, votersOutgoing: [] })
    return false
  }
  forgetDeparted(core)
  // Nobody asks for it: a store that holds something is the member's from now on, before it counts for more (F25). A leader
  // that leaves lets the next one do that: whoever it tells to campaign must have all that it appends.
  if (!isLeaving && boundToStores(core, configuration) !== configuration) appendConfiguration(core, configuration)
  else if (state.change !== null) continueChange(core, state.change, configuration)
  if (state.log.configurations.at(-1) !== held) return false
  return isLeaving && hasHandedOver(core)
}

/**
 * The node that asked may be stopped, or its word that it gave up is lost: it would block every other change for as long as
 * a learner does not catch up. Should it still be there, it is told to ask anew, as it would ask another leader.
 */
function forsakeChange(core: Core): void {
  const { state, options } = core
  const { change } = state
  // What this node's own clients ask for ends by their deadlines. After a stall nobody can have been heard.
  if (change === null || change.origin === null || change.phase === 'voting') return
  const silentMs = state.now - Math.max(change.askedAt, state.quorumCheckSince)
  if (silentMs < FORSAKEN_TIMEOUTS * options.electionTimeoutMs) return
  state.change = null
  answerChange(core, change, { type: 'retry', id: change.id })
}

function changeTo(members: readonly Member[]): Change {
  const asked = { type: 'set', members } as const
  const nobody = { id: FOUNDING_CHANGE, origin: null, boot: 0, askedAt: 0 }
  return { ...nobody, asked, force: false, phase: 'waiting', wanted: [], catchUps: [] }
}

/** A heartbeat goes out: whoever asked for the change hears how far the learners are. */
export function reportCatchUp(core: Core): void {
  const { change, progress, log } = core.state
  if (change === null) return
  for (const { id: member } of change.catchUps) {
    const matchIndex = progress.get(member)?.matchIndex ?? 0
    answerChange(core, change, { type: 'progress', id: change.id, member, matchIndex, lastIndex: log.lastIndex })
  }
}

/** The configuration in force, `current`, is committed and simple. */
function continueChange(core: Core, change: Change, current: Configuration): void {
  switch (change.phase) {
    case 'waiting':
      return startChange(core, change, current)
    case 'adding':
      return startCatchUp(core, change, current)
    case 'catchingUp':
      return catchUp(core, change, current)
    case 'voting':
      return finishChange(core, change)
  }
}

function startChange(core: Core, change: Change, current: Configuration): void {
  const { state } = core
  const wanted = wantedMembers(current, change.asked)
  if ('problem' in wanted) {
    state.change = null
    answerChange(core, change, { type: 'refused', id: change.id, reason: 'invalid', problem: wanted.problem })
    return
  }
  const { members } = wanted
  if (isSameMembers(current.members, members)) return finishChange(core, change)
  const started: Change = { ...change, wanted: members }
  if (!hasReachableQuorum(core, started, current)) return endChange(core, 'noQuorum')
  const withLearners = withNewLearners(current, members, state.log.lastIndex + 1)
  if (withLearners === null) return startCatchUp(core, started, current)
  state.change = { ...started, phase: 'adding' }
  appendConfiguration(core, withLearners)
}

/** The first round begins for every voter to be (thesis §4.2.1). */
function startCatchUp(core: Core, change: Change, current: Configuration): void {
  const { state } = core
  const joining = joiningVoters(current.members, change.wanted)
  const first = { round: 1, upTo: state.log.lastIndex, startedAt: state.now }
  const started: Change = { ...change, phase: 'catchingUp', catchUps: joining.map((id) => ({ id, ...first })) }
  state.change = started
  catchUp(core, started, current)
}

function catchUp(core: Core, change: Change, current: Configuration): void {
  const { state, options } = core
  for (const { id, round, startedAt } of change.catchUps) {
    const silentMs = state.now - Math.max(startedAt, state.progress.get(id)?.contactAt ?? 0)
    if (round > 0 && silentMs >= SILENT_TIMEOUTS * options.electionTimeoutMs) return endChange(core, 'unreachable', id)
  }
  const catchUps = change.catchUps.map((each) => nextRound(core, each))
  const late = catchUps.find(({ round }) => round > CATCH_UP_ROUNDS)
  if (late !== undefined) return endChange(core, 'tooSlow', late.id)
  const caughtUp: Change = { ...change, catchUps }
  state.change = caughtUp
  if (catchUps.every(({ round }) => round === 0)) appendWanted(core, caughtUp, current)
}

function nextRound({ state, options, rules }: Core, each: CatchUp): CatchUp {
  const matchIndex = state.progress.get(each.id)?.matchIndex ?? 0
  if (each.round === 0 || matchIndex < each.upTo) return each
  if (rules.isFastEnough(state.now - each.startedAt, options.electionTimeoutMs)) return { ...each, round: 0 }
  return { id: each.id, round: each.round + 1, upTo: state.log.lastIndex, startedAt: state.now }
}

function appendWanted(core: Core, change: Change, current: Configuration): void {
  const { state, rules } = core
  if (!hasReachableQuorum(core, change, current)) return endChange(core, 'noQuorum')
  const isJoint = rules.needsJointConsensus(votersThatDiffer(current.members, change.wanted))
  const index = state.log.lastIndex + 1
  state.change = { ...change, phase: 'voting', catchUps: [] }
  appendConfiguration(core, nextConfiguration(current, { wanted: change.wanted, index, isJoint }))
}

function finishChange(core: Core, change: Change): void {
  const { state } = core
  const held = state.log.configurations.at(-1)
  assert(held !== undefined, 'what was committed is in the log')
  state.change = null
  answerChange(core, change, { type: 'done', id: change.id, ...held })
}

/** Whether a majority of those who will vote was heard within an election timeout; who is still to join counts (F24). */
function hasReachableQuorum(core: Core, { wanted, force }: Change, current: Configuration): boolean {
  if (force) return true
  const { state, options } = core
  const voters = votersOf(wanted)
  const isReachable = (id: NodeId): boolean => {
    if (id === options.id || !votersOf(current.members).includes(id)) return true
    const progress = state.progress.get(id)
    return progress !== undefined && state.now - heardAt(state, progress) < options.electionTimeoutMs
  }
  return voters.filter(isReachable).length > voters.length / 2
}
