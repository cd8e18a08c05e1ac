// Calls that change the membership (F22-F24): each waits until its configuration is committed, or is told why it can't be.
// The core makes one change at a time and passes it on to the leader; here its outcomes become promises. A call whose leader
// is lost is made again: it asks for a state, not for a step, so that asking twice does no harm.
import { CATCH_UP_ROUNDS, SILENT_TIMEOUTS } from '../core/membership.js'
import type { MembershipChange } from '../core/membership-change.js'
import type { ChangeEndReason, ChangeOutcome, ChangeRefusal } from '../core/output.js'
import type { Configuration, NodeId } from '../core/types.js'
import { findMember } from '../core/configuration.js'
import type { CoreState } from '../core/state.js'
import { RaftError } from '../errors.js'
import type { Clock } from '../interfaces/clock.js'
import type { Logger } from '../interfaces/logger.js'
import type { ResolvedMembershipOptions } from './calls.js'
import { textOf } from './failures.js'
import type { SettingValues } from './options.js'
import type { Refusal } from './reception.js'
import { type EndReason, PendingCall, type PendingCalls } from './pending-call.js'

/** Calls that may wait at once; the core makes one change at a time, and refuses the others in their turn. */
export const MAX_PENDING_CHANGES = 1_024

export interface MembershipContext {
  readonly id: NodeId
  readonly settings: Pick<SettingValues, 'electionTimeoutMs' | 'heartbeatIntervalMs'>
  readonly clock: Clock
  readonly logger: Logger
  readonly calls: PendingCalls
  /** The core's own state, to be read only. */
  readonly state: CoreState
  /** Why this node has lately refused who calls itself so; null where it has not. */
  refusalOf(peer: NodeId, withinMs: number): Refusal | null
  /** Hands the wish to the core. */
  ask(id: number, change: MembershipChange, force: boolean): void
  /** Nobody waits for that one any more. */
  cancel(id: number): void
}

interface CallParts {
  readonly change: MembershipChange
  readonly onProgress: ResolvedMembershipOptions['onProgress']
  readonly force: boolean
  readonly release: (call: ChangeCall) => void
}

class ChangeCall extends PendingCall<Configuration> {
  readonly parts: CallParts
  /** Of the event that was handed to the core last. */
  id = 0
  retry: { cancel(): void } | undefined

  constructor(calls: PendingCalls, options: ResolvedMembershipOptions, parts: CallParts) {
    super(calls, options)
    this.parts = parts
  }

  override endError(reason: EndReason, cause: unknown): RaftError {
    const code = reason === 'aborted' ? 'RAFT_ABORTED' : reason === 'stopped' ? 'RAFT_STOPPED' : 'RAFT_TIMEOUT'
    const how = { aborted: 'the call was aborted', stopped: 'the node stopped', timeout: 'the deadline passed' }[reason]
    const fate = 'while the membership was being changed: it may still change, see status().configuration, or ask again'
    return new RaftError(code, `${how} ${fate}`, { outcome: 'unknown', cause })
  }

  protected override onSettled(): void {
    this.retry?.cancel()
    this.parts.release(this)
  }
}

export class Membership {
  readonly #context: MembershipContext
  readonly #open = new Map<number, ChangeCall>()
  #waiting = 0
  #lastId = 0

  constructor(context: MembershipContext) {
    this.#context = context
  }

  /** Resolves with the configuration that was committed. @throws RaftError when too many calls wait */
  submit(change: MembershipChange, options: ResolvedMembershipOptions): Promise<Configuration> {
    if (this.#open.size + this.#waiting >= MAX_PENDING_CHANGES) throw refusalOf('pending', '')
    this.#checkStores(change)
    const { onProgress, force } = options
    const release = (call: ChangeCall) => this.#release(call)
    const call = new ChangeCall(this.#context.calls, options, { change, onProgress, force, release })
    this.#ask(call)
    return call.promise
  }

  onOutcome(outcome: ChangeOutcome): void {
    const call = this.#open.get(outcome.id)
    if (call === undefined) return
    if (outcome.type === 'progress') {
      this.#onProgress(call, outcome)
      return
    }
    this.#open.delete(outcome.id)
    if (outcome.type === 'done') call.resolve(structuredClone(outcome.configuration))
    else if (outcome.type === 'retry') this.#askLater(call)
    else if (outcome.type === 'refused') call.reject(refusalOf(outcome.reason, outcome.problem))
    else if (outcome.reason === 'steppedDown') this.#askLater(call)
    else call.reject(this.#endOf(outcome.reason, outcome.member))
  }

  #ask(call: ChangeCall): void {
    this.#lastId += 1
    call.id = this.#lastId
    this.#open.set(call.id, call)
    this.#context.ask(call.id, call.parts.change, call.parts.force)
  }

  /**
   * A member whose disk was lost and that starts anew holds nothing of what it was added with: to say that it is a member
   * already would let its operator wait for ever.
   */
  #checkStores({ type, members }: MembershipChange): void {
    const { state, settings } = this.#context
    if (state.role !== 'leader' || (type !== 'add' && type !== 'promote')) return
    const configuration = state.log.configurations.at(-1)?.configuration ?? null
    for (const { id } of members) {
      const storeId = findMember(configuration, id)?.storeId
      const refusal = this.#refusalOf(id)
      if (storeId === undefined || refusal === null || refusal.storeId === storeId) continue
      const contactAt = state.progress.get(id)?.contactAt ?? null
      // The member itself is there: somebody else was refused, who was given its name.
      if (contactAt !== null && state.now - contactAt < settings.electionTimeoutMs) continue
      throw new RaftError(
        'RAFT_IDENTITY',
        `'${id}' is a member already with another store, '${storeId}', than it comes with now, '${refusal.storeId}': ` +
          `remove '${id}' first, then add it again`,
        { cause: refusal.error },
      )
    }
  }

  #refusalOf(id: NodeId): Refusal | null {
    const { refusalOf, settings } = this.#context
    return refusalOf(id, SILENT_TIMEOUTS * settings.electionTimeoutMs)
  }

  /** There is no leader, or it is about to be another one. */
  #askLater(call: ChangeCall): void {
    const { clock, settings } = this.#context
    this.#waiting += 1
    call.retry = clock.schedule(clock.now() + settings.heartbeatIntervalMs, () => {
      call.retry = undefined
      this.#waiting -= 1
      this.#ask(call)
    })
  }

  #release(call: ChangeCall): void {
    if (call.retry !== undefined) this.#waiting -= 1
    // Settled from outside: the core still works for it.
    if (this.#open.delete(call.id)) this.#context.cancel(call.id)
  }

  #onProgress(call: ChangeCall, { member, matchIndex, lastIndex }: Extract<ChangeOutcome, { type: 'progress' }>): void {
    const { id: node, logger } = this.#context
    try {
      call.parts.onProgress?.({ id: member, matchIndex, lastIndex })
    } catch (error) {
      logger.error({ node, reason: textOf(error) }, 'onProgress failed')
    }
  }

  #unheard(member: NodeId): RaftError {
    const refusal = this.#refusalOf(member)
    const told = `'${member}' was not heard for ${SILENT_TIMEOUTS * this.#context.settings.electionTimeoutMs} ms: it stays a learner`
    if (refusal === null) {
      return new RaftError(
        'RAFT_TIMEOUT',
        `${told}; start it, check its address, look for 'Peer refused' in its log, and ask again`,
      )
    }
    const { message } = refusal.error
    return new RaftError('RAFT_TIMEOUT', `${told}; it is there, and was refused: ${message}`, { cause: refusal.error })
  }

  #endOf(reason: Exclude<ChangeEndReason, 'steppedDown'>, member: NodeId): RaftError {
    const { electionTimeoutMs } = this.#context.settings
    switch (reason) {
      case 'unreachable':
        return this.#unheard(member)
      case 'tooSlow':
        return new RaftError(
          'RAFT_TIMEOUT',
          `'${member}' did not catch up in ${CATCH_UP_ROUNDS} rounds, the last one within ${electionTimeoutMs} ms: it stays a learner; ask again when it is closer, or under less load`,
        )
      case 'noQuorum':
        return new RaftError(
          'RAFT_INVALID_CONFIGURATION',
          `of the voters that would be left fewer than a majority were heard within ${electionTimeoutMs} ms: bring them back or remove those that don't answer first, or use force, after which nothing may commit until they are back`,
        )
      case 'cancelled':
        return new RaftError(
          'RAFT_ABORTED',
          `the change of the membership was called off: ${member === '' ? 'nobody waited for it' : `'${member}' was removed before it had caught up`}`,
        )
    }
  }
}

function refusalOf(reason: ChangeRefusal, problem: string): RaftError {
  switch (reason) {
    case 'invalid':
      return new RaftError('RAFT_INVALID_CONFIGURATION', problem)
    case 'transferring':
      return new RaftError('RAFT_TRANSFERRING', 'leadership is being handed over: ask again in a moment')
    case 'pending':
    case 'notLeader':
      return new RaftError(
        'RAFT_CONFIGURATION_PENDING',
        'another change of the membership is under way: wait for the event configuration, and ask again',
      )
  }
}
