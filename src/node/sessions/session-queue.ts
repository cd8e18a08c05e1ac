// The steps of one session, in their order (F18). One proposal is under way at a time, of as many steps as fit: what fails is
// sent again in front of everything behind it, so that a later number never overtakes one that is still tried. Copies do no
// harm: the table knows them.
import { RaftError, isRaftError } from '../../errors.js'
import type { Clock } from '../../interfaces/clock.js'
import type { Proposed, ResolvedProposeOptions } from '../calls.js'
import type { PendingCalls } from '../pending-call.js'
import type { ProposalCall } from '../proposal-call.js'
import { SessionStep, type SessionStepOwner, type SessionStepPlan } from './session-step.js'

/** Calls that may wait in one session. */
export const MAX_QUEUED_STEPS = 65_536
/** Commands, and their bytes, that go together; one call always goes whole. */
const BATCH_COMMANDS = 256
const BATCH_BYTES: number = 256 * 1024

export interface SessionQueueContext {
  readonly calls: PendingCalls
  readonly clock: Clock
  /** Between two attempts, ms. */
  readonly retryMs: number
  /** After so long without an answer it is sent again, ms: what a transport lost nobody else will bring. */
  readonly attemptMs: number
  readonly forwardProposals: boolean
  /** @throws RaftError when it can't be taken */
  submit(entries: readonly Uint8Array[], options: ResolvedProposeOptions): ProposalCall
}

export class SessionQueue implements SessionStepOwner {
  readonly calls: PendingCalls
  readonly #context: SessionQueueContext
  #waiting: SessionStep[] = []
  /** Part of the proposal that is under way. */
  #sent: readonly SessionStep[] = []
  #abort: AbortController | null = null
  #attempt: ProposalCall | null = null
  #retryTimer: { cancel(): void } | null = null
  /** The last proposal was too large as a whole. */
  #oneByOne = false

  constructor(context: SessionQueueContext) {
    this.calls = context.calls
    this.#context = context
  }

  /** @throws RaftError RAFT_OVERLOADED */
  add(plan: SessionStepPlan, options: ResolvedProposeOptions): Promise<unknown> {
    if (this.#waiting.length >= MAX_QUEUED_STEPS) {
      throw new RaftError('RAFT_OVERLOADED', `${MAX_QUEUED_STEPS} calls wait in this session: call again later`)
    }
    const step = new SessionStep(this, options, plan)
    this.#waiting.push(step)
    this.#pump()
    return step.promise
  }

  released(): void {
    const [abort, attempt] = [this.#abort, this.#attempt]
    if (abort === null) return
    // Who was told that nobody has seen its command must be right: what still waits goes back without it. And where nobody
    // waits for what is under way, the next ones need not either.
    const isWithdrawable = attempt?.stage === 'waiting' && this.#sent.some((step) => step.isSettled)
    if (isWithdrawable || this.#sent.every((step) => step.isSettled)) abort.abort()
  }

  #pump(): void {
    if (this.#abort !== null || this.#retryTimer !== null) return
    const steps = this.#take()
    const [first] = steps
    if (first === undefined) return
    const abort = new AbortController()
    this.#abort = abort
    this.#sent = steps
    const { ifTerm } = first.plan
    const options = { timeoutMs: this.#context.attemptMs, signal: abort.signal, ifTerm }
    try {
      const attempt = this.#context.submit(
        steps.flatMap((step) => step.entries()),
        options,
      )
      this.#attempt = attempt
      for (const step of steps) step.sent(attempt)
      attempt.promise.then(
        (proposed) => this.#onAnswered(proposed as readonly Proposed<unknown>[]),
        (error: unknown) => this.#onFailed(error),
      )
    } catch (error) {
      this.#onFailed(error)
    }
  }

  /** The next ones, as many as go together. */
  #take(): readonly SessionStep[] {
    const steps: SessionStep[] = []
    let count = 0
    let bytes = 0
    this.#waiting = this.#waiting.filter((step) => !step.isSettled)
    for (const step of this.#waiting) {
      const { plan } = step
      count += plan.count
      bytes += plan.sizeBytes
      const fits = count <= BATCH_COMMANDS && bytes <= BATCH_BYTES && plan.ifTerm === steps[0]?.plan.ifTerm
      if (steps.length > 0 && (!fits || this.#oneByOne)) break
      steps.push(step)
    }
    this.#waiting.splice(0, steps.length)
    this.#oneByOne = false
    return steps
  }

  #onAnswered(proposed: readonly Proposed<unknown>[]): void {
    const steps = this.#takeSent()
    let at = 0
    for (const step of steps) {
      step.onReplies(proposed.slice(at, at + step.plan.count))
      at += step.plan.count
    }
    this.#pump()
  }

  #onFailed(error: unknown): void {
    const failure = isRaftError(error) ? error : new RaftError('RAFT_INVARIANT', String(error), { outcome: 'unknown' })
    const isWithdrawn = this.#abort?.signal.aborted === true
    const steps = this.#takeSent().filter((step) => !step.isSettled)
    for (const step of steps) step.attemptFailed(failure)
    if (isWithdrawn) this.#waiting = [...steps, ...this.#waiting]
    else if (isRaftError(failure, 'RAFT_TOO_LARGE') && steps.length > 1) {
      this.#oneByOne = true
      this.#waiting = [...steps, ...this.#waiting]
    } else if (this.#isFinal(failure)) {
      for (const step of steps) step.giveUp(failure)
    } else if (steps.length > 0) {
      this.#waiting = [...steps, ...this.#waiting]
      this.#retryLater()
      return
    }
    this.#pump()
  }

  #takeSent(): readonly SessionStep[] {
    const steps = this.#sent
    this.#sent = []
    this.#abort = null
    this.#attempt = null
    return steps
  }

  /** Whether the same would be said again. */
  #isFinal(error: RaftError): boolean {
    if (isRaftError(error, 'RAFT_STOPPED')) return true
    if (isRaftError(error, 'RAFT_NOT_LEADER')) return !this.#context.forwardProposals
    return error.outcome === 'rejected' && !error.retryable
  }

  #retryLater(): void {
    const { clock, retryMs } = this.#context
    this.#retryTimer = clock.schedule(clock.now() + retryMs, () => {
      this.#retryTimer = null
      this.#pump()
    })
  }
}
