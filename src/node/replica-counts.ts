// Calls that wait until enough voters hold an entry durably (F47). The leader knows, so it is asked, again and again until the
// answer is enough: an answer may be lost, and is only ever a moment old. Nothing is rejected for being late.
import type { ReplicaCount } from '../core/output.js'
import type { LogIndex } from '../core/types.js'
import { RaftError } from '../errors.js'
import type { Clock } from '../interfaces/clock.js'
import type { ResolvedCallOptions } from './calls.js'
import type { SettingValues } from './options.js'
import { type EndReason, PendingCall, type PendingCalls } from './pending-call.js'

/** Calls that may wait at once. */
export const MAX_PENDING_COUNTS = 16_384

export interface ReplicaCountsContext {
  readonly calls: PendingCalls
  readonly clock: Clock
  /** The leader is asked four times in a heartbeat interval. */
  readonly settings: Pick<SettingValues, 'heartbeatIntervalMs'>
  /** Hands the question to the core. */
  ask(id: number, index: LogIndex): void
}

interface Wanted {
  readonly index: LogIndex
  readonly count: number
}

class CountCall extends PendingCall<number> {
  readonly wanted: Wanted
  /** What the last answer said. */
  count = 0
  readonly #release: (call: CountCall) => void

  constructor(
    calls: PendingCalls,
    options: ResolvedCallOptions,
    parts: Wanted & { release: (call: CountCall) => void },
  ) {
    super(calls, options)
    this.wanted = parts
    this.#release = parts.release
  }

  /** To be late is no failure: what is known is the answer. */
  override end(reason: EndReason, cause: unknown): void {
    if (reason === 'timeout') this.resolve(this.count)
    else super.end(reason, cause)
  }

  override endError(reason: EndReason, cause: unknown): RaftError {
    const [code, how] =
      reason === 'aborted' ? (['RAFT_ABORTED', 'aborted'] as const) : (['RAFT_STOPPED', 'the node stopped'] as const)
    const { index, count } = this.wanted
    return new RaftError(code, `${how} while waiting until ${count} voters hold index ${index}`, { cause })
  }

  protected override onSettled(): void {
    this.#release(this)
  }
}

export class ReplicaCounts {
  readonly #context: ReplicaCountsContext
  readonly #waiting = new Map<number, CountCall>()
  #lastId = 0
  #timer: { cancel(): void } | null = null

  constructor(context: ReplicaCountsContext) {
    this.#context = context
  }

  /** Resolves with how many hold it: `count` or more, or fewer when the time is up. @throws RaftError RAFT_OVERLOADED */
  wait(index: LogIndex, count: number, options: ResolvedCallOptions): Promise<number> {
    if (this.#waiting.size >= MAX_PENDING_COUNTS) {
      throw new RaftError(
        'RAFT_OVERLOADED',
        `${MAX_PENDING_COUNTS} calls wait for replicas on this node: ask for fewer`,
      )
    }
    this.#lastId += 1
    const id = this.#lastId
    const release = (): void => void this.#waiting.delete(id)
    const call = new CountCall(this.#context.calls, options, { index, count, release })
    this.#waiting.set(id, call)
    this.#context.ask(id, index)
    this.#arm()
    return call.promise
  }

  onAnswer({ id, count }: ReplicaCount): void {
    const call = this.#waiting.get(id)
    if (call === undefined) return
    call.count = count
    if (count >= call.wanted.count) call.resolve(count)
  }

  close(): void {
    this.#timer?.cancel()
    this.#timer = null
  }

  #arm(): void {
    const { clock, settings, ask } = this.#context
    this.#timer ??= clock.schedule(clock.now() + settings.heartbeatIntervalMs / 4, () => {
      this.#timer = null
      for (const [id, { wanted }] of this.#waiting) ask(id, wanted.index)
      if (this.#waiting.size > 0) this.#arm()
    })
  }
}
