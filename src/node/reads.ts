// Reads of this node's clients (F19, F21): all linearizable ones of a turn share one read index, asked with a fresh id
// for each attempt (H65); then each waits until its index is applied and runs between two applies, never in the middle
// of one (H67, H130).
import { hasJumped } from '../core/clocks.js'
import { freshness } from '../core/read-index.js'
import type { ReadOutcome } from '../core/output.js'
import type { CoreState } from '../core/state.js'
import type { LogIndex, Term } from '../core/types.js'
import { RaftError } from '../errors.js'
import type { Clock } from '../interfaces/clock.js'
import type { ResolvedReadOptions } from './calls.js'
import type { SettingValues } from './options.js'
import type { PendingCalls } from './pending-call.js'
import { ReadCall, type ReadOwner } from './read-call.js'

/** Reads that may wait at once. */
export const MAX_PENDING_READS = 65_536

export interface ReadsContext {
  readonly calls: PendingCalls
  readonly clock: Clock
  readonly state: CoreState
  readonly settings: Pick<SettingValues, 'heartbeatIntervalMs'>
  /** When this leader's lease ends; -Infinity without one. */
  leaseEnd(): number
  appliedIndex(): LogIndex
  /** Asks for a turn in which `next` is called. */
  wake(): void
  /** A read may run as soon as no apply is under way. */
  onDue(): void
}

interface Attempt {
  readonly term: Term
  readonly calls: ReadCall[]
}

export class Reads implements ReadOwner {
  readonly calls: PendingCalls
  readonly #context: ReadsContext
  /** Want a read index. */
  #asking: ReadCall[] = []
  /** Asked for one, by the id of the attempt. */
  readonly #attempts = new Map<number, Attempt>()
  #lastId = 0
  /** Know the index that must be applied first; unordered. */
  #waiting: ReadCall[] = []
  /** Smallest index that one of `#waiting` needs. */
  #dueAt: LogIndex = Number.POSITIVE_INFINITY
  #retryTimer: { cancel(): void } | undefined
  #pendingCount = 0

  constructor(context: ReadsContext) {
    this.calls = context.calls
    this.#context = context
  }

  /** Whether a read may run now that `appliedIndex` is applied. */
  isDue(appliedIndex: LogIndex): boolean {
    return appliedIndex >= this.#dueAt
  }

  /** Queues one read. @throws RaftError RAFT_OVERLOADED */
  submit<T>(query: () => T, options: ResolvedReadOptions): ReadCall {
    if (this.#pendingCount >= MAX_PENDING_READS) {
      throw new RaftError('RAFT_OVERLOADED', `${MAX_PENDING_READS} reads wait on this node: read again later`)
    }
    const call = new ReadCall(this, options, query)
    this.#pendingCount += 1
    if (options.consistency === 'local') this.#await(call, this.#localIndex(call))
    else this.#ask(call)
    return call
  }

  /** An attempt for all reads that want a round, and one for those that a lease will do; none when nobody can answer. */
  next(): readonly { readonly id: number; readonly byLease: boolean }[] {
    const { state } = this.#context
    if (state.leaderId === null) return []
    const calls = this.#asking.filter((call) => !call.isSettled)
    this.#asking = []
    return [false, true].flatMap((byLease) => {
      const alike = calls.filter((call) => call.takesLease === byLease)
      if (alike.length === 0) return []
      this.#lastId += 1
      this.#attempts.set(this.#lastId, { term: state.currentTerm, calls: alike })
      return [{ id: this.#lastId, byLease }]
    })
  }

  /** What the core says of an attempt. */
  onOutcome(outcome: ReadOutcome): void {
    const attempt = this.#attempts.get(outcome.id)
    if (attempt === undefined) return
    this.#attempts.delete(outcome.id)
    if (outcome.type === 'ready') {
      for (const call of attempt.calls) {
        call.isByOwnLease = outcome.isByOwnLease ?? false
        this.#await(call, outcome.readIndex)
      }
      return
    }
    for (const call of attempt.calls) if (!call.isSettled) this.#asking.push(call)
    // A new term is a new chance; within the same one the answer would be the same again and again in a busy loop.
    if (attempt.term < this.#context.state.currentTerm) this.#context.wake()
    else this.#retryLater()
  }

  /** A leader is known now. */
  onLeader(): void {
    if (this.#asking.length > 0) this.#context.wake()
  }

  /**
   * Runs every read whose index is applied. Called between two applies only. Returns the promises of those whose query
   * goes on: the next apply waits for them.
   */
  runDue(appliedIndex: LogIndex): readonly Promise<unknown>[] {
    if (appliedIndex < this.#dueAt) return []
    const due = this.#waiting
    this.#waiting = []
    this.#dueAt = Number.POSITIVE_INFINITY
    const running: Promise<unknown>[] = []
    for (const call of due) {
      if (call.isSettled) continue
      if (call.needsIndex > appliedIndex) {
        this.#await(call, call.needsIndex)
        continue
      }
      const promise = this.#isStale(call, appliedIndex) ? undefined : call.run(appliedIndex)
      if (promise !== undefined) running.push(promise)
    }
    return running
  }

  close(): void {
    this.#retryTimer?.cancel()
    this.#asking = []
    this.#waiting = []
    this.#attempts.clear()
  }

  describeWait(): string {
    const { state } = this.#context
    return state.leaderId === null ? 'no leader is known' : `the leader is '${state.leaderId}'`
  }

  /** The lease by which a query was run: it must have lasted until it was over (H68). */
  holdsLease(): boolean {
    const { clock, leaseEnd } = this.#context
    return clock.now() < leaseEnd()
  }

  askAgain(call: ReadCall): void {
    this.#ask(call)
  }

  hasLeader(): boolean {
    return this.#context.state.leaderId !== null
  }

  released(): void {
    this.#pendingCount -= 1
  }

  #ask(call: ReadCall): void {
    this.#asking.push(call)
    if (this.#asking.length > MAX_PENDING_READS) this.#asking = this.#asking.filter((held) => !held.isSettled)
    this.#context.wake()
  }

  #await(call: ReadCall, readIndex: LogIndex): void {
    if (call.isSettled) return
    call.needsIndex = this.calls.rules.readIndexOf(call.needsIndex, readIndex)
    this.#waiting.push(call)
    this.#dueAt = Math.min(this.#dueAt, call.needsIndex)
    if (this.#waiting.length > MAX_PENDING_READS) this.#waiting = this.#waiting.filter((held) => !held.isSettled)
    if (call.needsIndex <= this.#context.appliedIndex()) this.#context.onDue()
  }

  /**
   * A leader that has to be fresh applies what it knows to be committed first: that much is always behind for a moment. What
   * is committed while it does makes the read no staler than it was to be.
   */
  #localIndex(call: ReadCall): LogIndex {
    const { state } = this.#context
    if (state.role !== 'leader' || call.options.maxStalenessMs === Number.POSITIVE_INFINITY) return 0
    const { commitIndex } = state
    const { now, ageMs } = this.#ageOf(commitIndex)
    call.freshAt = now - ageMs
    return commitIndex
  }

  #isStale(call: ReadCall, appliedIndex: LogIndex): boolean {
    const { maxStalenessMs } = call.options
    if (maxStalenessMs === Number.POSITIVE_INFINITY) return false
    const ageMs = this.#ageOf(appliedIndex, call.freshAt).ageMs
    if (ageMs <= maxStalenessMs) return false
    const age = ageMs === Number.POSITIVE_INFINITY ? 'of unknown age' : `up to ${Math.ceil(ageMs)} ms old`
    call.reject(
      new RaftError(
        'RAFT_STALE',
        `this node's state is ${age}, and maxStalenessMs is ${maxStalenessMs}: read elsewhere or linearizable`,
      ),
    )
    return true
  }

  /** How old a state is that holds all up to `lastApplied`, and as of `freshAt` all that was committed. */
  #ageOf(lastApplied: LogIndex, freshAt = Number.NEGATIVE_INFINITY): { readonly now: number; readonly ageMs: number } {
    const { state, clock } = this.#context
    const clocks = { now: clock.now(), wallTime: clock.wallTime() }
    const { now } = clocks
    if (hasJumped(state, clocks)) return { now, ageMs: Number.POSITIVE_INFINITY }
    // The core hears of an apply a moment later than it happens.
    const ageMs = freshness({ ...state, lastApplied }, now)
    return { now, ageMs: freshAt > state.clockJumpedAt ? Math.min(ageMs, now - freshAt) : ageMs }
  }

  #retryLater(): void {
    const { clock, settings } = this.#context
    this.#retryTimer ??= clock.schedule(clock.now() + settings.heartbeatIntervalMs / 4, () => {
      this.#retryTimer = undefined
      this.#context.wake()
    })
  }
}
