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
  readonly retryMs: () => number
  /** After so long without an answer it is sent again, ms: what a transport lost nobody else will bring. */
  readonly attemptMs: () => number
  readonly forwardProposals: boolean
  /** Room for a call that waits; `isHeld` for one that had some. @throws RaftError RAFT_OVERLOADED, RAFT_TOO_LARGE */
  reserve(sizeBytes: number, isHeld: boolean): void
  unreserve(sizeBytes: number): void
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
  #watchTimer: { cancel(): void } | null = null
  /** The last proposal was too much as a whole. */
  #oneByOne = false

  constructor(context: SessionQueueContext) {
    this.calls = context.calls
    this.#context = context
  }

  /** Before a call is numbered. @throws RaftError RAFT_OVERLOADED, RAFT_TOO_LARGE, RAFT_STOPPED */
  checkRoom(sizeBytes: number): void {
    if (this.calls.isOver)
      throw new RaftError('RAFT_STOPPED', 'the node was stopped: take the session up on another one')
    if (this.#waiting.length >= MAX_QUEUED_STEPS) {
      throw new RaftError('RAFT_OVERLOADED', `${MAX_QUEUED_STEPS} calls wait in this session: call again later`)
    }
    this.#context.reserve(sizeBytes, false)
    this.#context.unreserve(sizeBytes)
  }

  /** Behind a `checkRoom` in the same turn. */
  add(plan: SessionStepPlan, options: ResolvedProposeOptions): Promise<unknown> {
    const step = new SessionStep(this, options, plan)
    this.#reserve(step)
    this.#waiting.push(step)
    this.#pump()
    return step.promise
  }

  released(step: SessionStep): void {
    if (step.isReserved) this.#unreserve(step)
    else if (this.#sent.length === 0) return
    else if (this.#sent.every((each) => each.isSettled) || this.#attempt?.stage === 'waiting') {
      // Nobody waits for what is under way: the next ones need not either. And who was told that nobody has seen its command
      // must be right: what still waits goes back without it.
      this.#abort?.abort()
    }
  }

  #pump(): void {
    if (this.#abort !== null || this.#retryTimer !== null || this.calls.isOver) return
    const steps = this.#take()
    const [first] = steps
    if (first === undefined) return
    const abort = new AbortController()
    this.#abort = abort
    this.#sent = steps
    const { ifTerm } = first.plan
    const options = { timeoutMs: Number.POSITIVE_INFINITY, signal: abort.signal, ifTerm }
    try {
      const attempt = this.#context.submit(
        steps.flatMap((step) => step.entries()),
        options,
      )
      this.#attempt = attempt
      for (const step of steps) step.sent(attempt)
      this.#watch(attempt)
      attempt.promise.then(
        (proposed) => this.#onAnswered(proposed as readonly Proposed<unknown>[]),
        (error: unknown) => this.#onFailed(error),
      )
    } catch (error) {
      this.#onFailed(error)
    }
  }

  /**
   * What was passed on and is not answered for long may be lost, and nobody else will bring it: it is sent again. What waits
   * here goes when there is a leader, and what stands in a log is answered from there.
   */
  #watch(attempt: ProposalCall): void {
    const { clock, attemptMs } = this.#context
    this.#watchTimer?.cancel()
    this.#watchTimer = clock.schedule(clock.now() + attemptMs(), () => {
      if (this.#attempt !== attempt) return
      if (attempt.stage === 'forwarded') this.#abort?.abort()
      else this.#watch(attempt)
    })
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
    for (const step of steps) this.#unreserve(step)
    this.#oneByOne = false
    return steps
  }

  #reserve(step: SessionStep): void {
    step.isReserved = true
    this.#context.reserve(step.plan.sizeBytes, true)
  }

  #unreserve(step: SessionStep): void {
    step.isReserved = false
    this.#context.unreserve(step.plan.sizeBytes)
  }

  #bringBack(steps: readonly SessionStep[]): void {
    for (const step of steps) this.#reserve(step)
    this.#waiting = [...steps, ...this.#waiting]
  }

  #onAnswered(proposed: readonly Proposed<unknown>[]): void {
    const again: SessionStep[] = []
    let at = 0
    for (const step of this.#takeSent()) {
      if (step.onReplies(proposed.slice(at, at + step.plan.count))) again.push(step)
      at += step.plan.count
    }
    if (again.length > 0) this.#oneByOne = true
    this.#bringBack(again)
    this.#pump()
  }

  #onFailed(error: unknown): void {
    const failure = isRaftError(error) ? error : new RaftError('RAFT_INVARIANT', String(error), { outcome: 'unknown' })
    const isGivenUp = this.#abort?.signal.aborted === true
    const steps = this.#takeSent().filter((step) => !step.isSettled)
    const isWithdrawn = isGivenUp && failure.outcome === 'rejected'
    for (const step of steps) {
      if (isWithdrawn) step.withdrawn()
      else step.attemptFailed(failure)
    }
    const isTooLarge = isRaftError(failure, 'RAFT_TOO_LARGE') && steps.length > 1
    if (isGivenUp || isTooLarge) {
      this.#oneByOne = isTooLarge
      this.#bringBack(steps)
    } else if (this.#isFinal(failure)) {
      for (const step of steps) step.giveUp(failure)
    } else if (steps.length > 0) {
      // Less may fit where so much does not.
      this.#oneByOne = isRaftError(failure, 'RAFT_OVERLOADED')
      this.#bringBack(steps)
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
    this.#watchTimer?.cancel()
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
    this.#retryTimer = clock.schedule(clock.now() + retryMs(), () => {
      this.#retryTimer = null
      this.#pump()
    })
  }
}
