// One call of read: its query, the index that must be applied before it runs, and how it ends. Nothing is ever applied
// by a read, so whatever ends it early, the outcome is `rejected`.
import type { LogIndex } from '../core/types.js'
import { RaftError } from '../errors.js'
import type { ReadResult, ResolvedReadOptions } from './calls.js'
import { type EndReason, PendingCall, type PendingCalls } from './pending-call.js'
import { isThenable } from './promises.js'

/** What a read asks of its owner. */
export interface ReadOwner {
  readonly calls: PendingCalls
  hasLeader(): boolean
  /** This node has a lease at this moment. */
  holdsLease(): boolean
  /** The call wants a read index again. */
  askAgain(call: ReadCall): void
  /** What it waits for, in words. */
  describeWait(): string
  released(call: ReadCall): void
}

export class ReadCall extends PendingCall<ReadResult<unknown>> {
  readonly options: ResolvedReadOptions
  readonly #owner: ReadOwner
  readonly #query: () => unknown
  /** Runs when this is applied here. */
  needsIndex: LogIndex
  /** Once that is applied, the state holds all that was committed then, ms; -Infinity where that is not known (F21). */
  freshAt: number = Number.NEGATIVE_INFINITY
  /** A lease will do: until one was over before the query was. */
  takesLease: boolean
  /** Its read index came by this node's own lease, without a round. */
  isByOwnLease: boolean = false
  #isRunning = false
  #onEnd: (() => void) | undefined

  constructor(owner: ReadOwner, options: ResolvedReadOptions, query: () => unknown) {
    super(owner.calls, options)
    this.options = options
    this.#owner = owner
    this.#query = query
    this.needsIndex = options.minIndex
    this.takesLease = options.consistency === 'lease'
  }

  /** Runs the query now. Returns a promise, which never rejects, while the state must not change because of it. */
  run(index: LogIndex): Promise<void> | undefined {
    this.#isRunning = true
    let value: unknown
    let pending: Promise<unknown> | undefined
    try {
      value = this.#query()
      // A promise of our own: a `then` of the application may throw, never answer, or answer twice.
      if (isThenable(value)) pending = Promise.resolve(value)
    } catch (error) {
      this.reject(error)
      return undefined
    }
    if (pending === undefined) {
      this.#answer({ value, index })
      return undefined
    }
    pending.then(
      (settled) => this.#answer({ value: settled, index }),
      (error) => this.reject(error),
    )
    // The apply behind it waits no longer than the call: its deadline ends it even if the query never does.
    return new Promise((resolve) => {
      this.#onEnd = resolve
    })
  }

  /** Unless the lease was over before the query was: then it runs once more, by a round, which a lease can't fail (H68). */
  #answer(result: ReadResult<unknown>): void {
    if (this.isSettled || !this.isByOwnLease || this.#owner.holdsLease()) {
      this.resolve(result)
      return
    }
    this.#isRunning = false
    this.takesLease = false
    this.#onEnd?.()
    this.#owner.askAgain(this)
  }

  override endError(reason: EndReason, cause: unknown): RaftError {
    const options = { cause }
    if (reason === 'aborted') return new RaftError('RAFT_ABORTED', 'the read was aborted', options)
    if (reason === 'stopped') return new RaftError('RAFT_STOPPED', 'the node stopped before the read was done', options)
    if (this.#isRunning) return new RaftError('RAFT_TIMEOUT', 'the deadline passed while the query ran', options)
    const isLeaderless = this.options.consistency !== 'local' && !this.#owner.hasLeader()
    return new RaftError(
      isLeaderless ? 'RAFT_NO_LEADER' : 'RAFT_TIMEOUT',
      `the deadline passed before the read could run: ${this.#owner.describeWait()}` +
        (this.needsIndex > 0 ? `, and index ${this.needsIndex} must be applied here first` : ''),
      options,
    )
  }

  protected override onSettled(): void {
    this.#onEnd?.()
    this.#owner.released(this)
  }
}
