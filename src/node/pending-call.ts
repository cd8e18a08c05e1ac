// Calls that wait: each settles exactly once, by its result, its deadline, its AbortSignal or the end of the node,
// and leaves nothing behind, neither listener nor timer (F14, H101, H108).
import { RaftError } from '../errors.js'
import type { Clock } from '../interfaces/clock.js'
import type { ResolvedCallOptions } from './calls.js'
import { NODE_RULES, type NodeRules } from './node-rules.js'
import { ignore } from './promises.js'

/** Why a call ends without a result of its own. */
export type EndReason = 'timeout' | 'aborted' | 'stopped'

/** How late a deadline may be noticed, ms: calls that end about the same time share a timer. */
const RESOLUTION_MS = 10

interface Settle<T> {
  resolve(value: T): void
  reject(error: unknown): void
}

/** One promise that a node gave out. Subclasses say what is known of its fate when it must end early. */
export abstract class PendingCall<T> {
  readonly promise: Promise<T>
  readonly #calls: PendingCalls
  readonly #signal: AbortSignal | undefined
  readonly #onAbort: (() => void) | undefined
  readonly #bucket: number
  readonly #settleWith: Settle<T>
  #isSettled = false

  constructor(calls: PendingCalls, options: ResolvedCallOptions) {
    let settleWith: Settle<T> = { resolve: ignore, reject: ignore }
    this.promise = new Promise<T>((resolve, reject) => {
      settleWith = { resolve, reject }
    })
    this.#settleWith = settleWith
    this.#calls = calls
    this.#bucket = calls.add(this, options.timeoutMs)
    this.#signal = options.signal
    if (this.#signal === undefined) return
    this.#onAbort = () => this.end('aborted', this.#signal?.reason)
    this.#signal.addEventListener('abort', this.#onAbort, { once: true })
  }

  get isSettled(): boolean {
    return this.#isSettled
  }

  /** What the caller is told when the call ends early: its code and outcome depend on how far the call came. */
  abstract endError(reason: EndReason, cause: unknown): RaftError

  /** Once, when the call has settled: gives back what it held. */
  protected onSettled(): void {}

  /** It ends without a result of its own. */
  end(reason: EndReason, cause: unknown): void {
    this.reject(this.endError(reason, cause))
  }

  resolve(value: T): void {
    if (this.#settle()) this.#settleWith.resolve(value)
  }

  reject(error: unknown): void {
    if (this.#settle()) this.#settleWith.reject(error)
  }

  #settle(): boolean {
    if (this.#isSettled) return false
    this.#isSettled = true
    this.#calls.remove(this, this.#bucket)
    if (this.#onAbort !== undefined) this.#signal?.removeEventListener('abort', this.#onAbort)
    this.onSettled()
    return true
  }
}

/** Every unsettled call of a node, by deadline. One timer for all of them. */
export class PendingCalls {
  readonly rules: NodeRules
  readonly #clock: Clock
  /** Calls by the end of the interval in which their deadline lies; Infinity for those without one. */
  readonly #buckets = new Map<number, Set<PendingCall<unknown>>>()
  #armedFor = Number.POSITIVE_INFINITY
  #timer: { cancel(): void } | undefined
  #isOver = false

  constructor(clock: Clock, rules: NodeRules = NODE_RULES) {
    this.#clock = clock
    this.rules = rules
  }

  /** The node has stopped: whoever still asks is told so. */
  get isOver(): boolean {
    return this.#isOver
  }

  /** Returns the bucket that the call is in. */
  add(call: PendingCall<unknown>, timeoutMs: number): number {
    const bucket = Math.ceil((this.#clock.now() + timeoutMs) / RESOLUTION_MS) * RESOLUTION_MS
    let held = this.#buckets.get(bucket)
    if (held === undefined) {
      held = new Set()
      this.#buckets.set(bucket, held)
    }
    held.add(call)
    if (bucket < this.#armedFor) this.#arm(bucket)
    return bucket
  }

  remove(call: PendingCall<unknown>, bucket: number): void {
    const held = this.#buckets.get(bucket)
    if (held === undefined) return
    held.delete(call)
    if (held.size === 0) this.#buckets.delete(bucket)
  }

  /** Ends every call: the node stops or has failed. */
  endAll(cause: unknown): void {
    this.#isOver = true
    this.#timer?.cancel()
    this.#timer = undefined
    this.#armedFor = Number.POSITIVE_INFINITY
    if (!this.rules.ends('stopped')) return
    for (const held of [...this.#buckets.values()]) {
      for (const call of [...held]) call.end('stopped', cause)
    }
  }

  #arm(bucket: number): void {
    this.#timer?.cancel()
    this.#armedFor = bucket
    this.#timer = this.#clock.schedule(bucket, () => this.#expire())
  }

  #expire(): void {
    const now = this.#clock.now()
    this.#timer = undefined
    this.#armedFor = Number.POSITIVE_INFINITY
    let next = Number.POSITIVE_INFINITY
    const due: PendingCall<unknown>[] = []
    for (const [bucket, held] of this.#buckets) {
      // One by one: all calls of a node may be due together, and as arguments of one call they would not fit the stack.
      if (bucket <= now) for (const call of held) due.push(call)
      else next = Math.min(next, bucket)
    }
    if (this.rules.ends('timeout')) for (const call of due) call.end('timeout', undefined)
    if (next < this.#armedFor) this.#arm(next)
  }
}

/** @throws RaftError RAFT_ABORTED when the signal was aborted before the call began */
export function throwIfAborted({ signal }: ResolvedCallOptions): void {
  if (signal?.aborted !== true) return
  throw new RaftError('RAFT_ABORTED', 'the call was aborted before it began: nothing was done', {
    cause: signal.reason,
  })
}
