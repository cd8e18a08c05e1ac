// One call on a session on its way through its queue. It may be sent several times: what is known of its fate is the worst
// that any of those ended with, and a number that may have run stays the command's own (F18).
import type { Term } from '../../core/types.js'
import { isRaftError, RaftError, type RaftErrorCode } from '../../errors.js'
import type { Proposed, ResolvedProposeOptions } from '../calls.js'
import { textOf } from '../failures.js'
import { type EndReason, PendingCall, type PendingCalls } from '../pending-call.js'
import type { ProposalCall } from '../proposal-call.js'
import type { SessionRefusal, SessionReply } from './session-table.js'

/** What a step asks of its queue. */
export interface SessionStepOwner {
  readonly calls: PendingCalls
  released(step: SessionStep): void
}

/** What a call wants of the log, and what it makes of the replies. */
export interface SessionStepPlan {
  readonly what: string
  /** Of the first command; null for open and close. */
  readonly sequence: number | null
  /** Another life of the caller may have sent it before. */
  readonly mayHaveRun: boolean
  readonly count: number
  readonly sizeBytes: number
  readonly ifTerm?: Term | undefined
  /** Encoded when it is sent, for the first time or again, with what is acknowledged by then. */
  entries(attempt: number): readonly Uint8Array[]
  /** More is acknowledged by now than the entries said. */
  hasNews(): boolean
  /** As many as there are entries, none of them refused. */
  resultOf(replies: readonly SessionReply[]): unknown
  /** It ended: with an answer, or so that it never runs, or in doubt. */
  onEnd(end: 'answered' | 'rejected' | 'unknown'): void
}

/** What an error says of a call. */
interface Fate {
  readonly isInDoubt: boolean
  readonly cause: unknown
  /** @defaultValue what the code implies */
  readonly retryable?: boolean
}

export class SessionStep extends PendingCall<unknown> {
  readonly plan: SessionStepPlan
  /** It waits in the queue, and has room there. */
  isReserved = false
  readonly #owner: SessionStepOwner
  /** Some earlier attempt may have left it in a log. */
  #mayBeApplied = false
  #attempt: ProposalCall | null = null
  #attempts = 0
  /** Why the last attempt failed. */
  #lastFailure: RaftError | null = null

  constructor(owner: SessionStepOwner, options: ResolvedProposeOptions, plan: SessionStepPlan) {
    super(owner.calls, options)
    this.#owner = owner
    this.plan = plan
  }

  /** What is to be sent now. */
  entries(): readonly Uint8Array[] {
    this.#attempts += 1
    return this.plan.entries(this.#attempts)
  }

  /** It is part of that proposal now. */
  sent(attempt: ProposalCall): void {
    this.#attempt = attempt
  }

  /** Nobody has seen that proposal, nor ever will; another one follows. */
  withdrawn(): void {
    this.#attempt = null
  }

  /** That proposal failed; another one may follow. */
  attemptFailed(error: RaftError): void {
    this.#attempt = null
    this.#lastFailure = error
    if (error.outcome === 'unknown') this.#mayBeApplied = true
  }

  /** No other attempt can do better. */
  giveUp(error: RaftError): void {
    this.#end(error.code, error.message, { isInDoubt: this.#mayHaveRun, cause: error, retryable: error.retryable })
  }

  /** What its entries became. Returns whether they are to be sent once more: what was in their way is told to be gone then. */
  onReplies(proposed: readonly Proposed<unknown>[]): boolean {
    const replies = proposed.map(({ result }) => result as SessionReply)
    const refused = replies.find((reply) => reply.type === 'refused')
    if (refused === undefined) {
      this.#answer(replies)
      return false
    }
    const { reason } = refused
    if (reason === 'answersFull' && this.plan.hasNews() && !this.isSettled) return true
    const isPartlyDone = replies.some((reply) => reply.type !== 'refused')
    const isInDoubt = reason === 'overtaken' ? isPartlyDone : isPartlyDone || this.#mayHaveRun
    const code = reason === 'answersFull' || reason === 'tableFull' ? 'RAFT_OVERLOADED' : 'RAFT_SESSION_EXPIRED'
    this.#end(code, `${this.plan.what} was refused: ${REFUSALS[reason]}`, { isInDoubt, cause: undefined })
    return false
  }

  override endError(reason: EndReason, cause: unknown): RaftError {
    const isInDoubt = this.#mayHaveRun || (this.#attempt !== null && this.#attempt.stage !== 'waiting')
    const failure = this.#lastFailure ?? this.#attempt?.endError(reason, undefined) ?? null
    const why = failure === null ? 'it waited behind earlier ones' : failure.message
    const message = `${END_TEXTS[reason]} before ${this.plan.what} was answered: ${why}`
    return this.#errorOf(codeOf(reason, isInDoubt, failure), message, { isInDoubt, cause })
  }

  protected override onSettled(): void {
    this.#owner.released(this)
  }

  override reject(error: unknown): void {
    if (!this.isSettled) this.plan.onEnd(isRaftError(error) && error.outcome === 'rejected' ? 'rejected' : 'unknown')
    super.reject(error)
  }

  get #mayHaveRun(): boolean {
    return this.#mayBeApplied || this.plan.mayHaveRun
  }

  #answer(replies: readonly SessionReply[]): void {
    if (this.isSettled) return
    try {
      const result = this.plan.resultOf(replies)
      this.plan.onEnd('answered')
      this.resolve(result)
    } catch (error) {
      const isKnown = isRaftError(error, 'RAFT_INVALID_OPTION')
      // It was applied, and there is no other answer than that.
      if (isKnown) this.plan.onEnd('answered')
      const text = `${this.plan.what} was applied, and the resultCodec can't decode its result: ${textOf(error)}`
      super.reject(isKnown ? error : this.#errorOf('RAFT_INVALID_OPTION', text, { isInDoubt: true, cause: error }))
    }
  }

  #end(code: RaftErrorCode, message: string, fate: Fate): void {
    this.reject(this.#errorOf(code, message, fate))
  }

  #errorOf(code: RaftErrorCode, message: string, { isInDoubt, cause, retryable }: Fate): RaftError {
    const { sequence } = this.plan
    const isRepeatable = isInDoubt && sequence !== null && code !== 'RAFT_SESSION_EXPIRED'
    const repeat = isRepeatable ? `; to learn its fate propose it again with sequence ${sequence}` : ''
    const outcome = isInDoubt ? 'unknown' : 'rejected'
    return new RaftError(code, message + repeat, {
      outcome,
      cause,
      retryable,
      // What surely did not run needs no number: it is a new command.
      ...(sequence === null || !isInDoubt ? {} : { sequence }),
    })
  }
}

const END_TEXTS = {
  timeout: 'the deadline passed',
  aborted: 'the call was aborted',
  stopped: 'the node stopped',
} as const

const REFUSALS: Readonly<Record<SessionRefusal, string>> = {
  expired:
    'the session is not known: it was idle for longer than its ttlMs, was closed, or never was; nothing was executed now; open a new one',
  acknowledged: 'its sequence was acknowledged, so its answer is not kept any more; nothing was executed now',
  overtaken: 'a later sequence of the session ran before it, so it never will; propose it under a new one',
  answersFull: 'the session keeps too many answers: acknowledge those that are not needed any more',
  tableFull: 'the sessions of the cluster take up their whole room: close some, or wait until some expire',
}

function codeOf(reason: EndReason, isInDoubt: boolean, failure: RaftError | null): RaftErrorCode {
  if (reason === 'aborted') return 'RAFT_ABORTED'
  if (reason === 'stopped') return 'RAFT_STOPPED'
  return !isInDoubt && failure !== null && isRaftError(failure, 'RAFT_NO_LEADER') ? 'RAFT_NO_LEADER' : 'RAFT_TIMEOUT'
}
