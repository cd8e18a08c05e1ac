// Calls that wait for a condition: `ready`, `writable` and `waitFor` (F51). Looked at after each change, in the order in
// which they came; without any of them a change costs nothing.
import { RaftError } from '../errors.js'
import type { ResolvedCallOptions } from './calls.js'
import { type EndReason, PendingCall, type PendingCalls } from './pending-call.js'

/** Conditions that may be waited for at once. */
export const MAX_WATCHERS = 16_384

/** What a watcher waits for. */
export interface Watched<T> {
  /** The value once it holds; undefined before. What it throws rejects the call. */
  readonly look: () => T | undefined
  /** For errors: what did not come to be, and why. */
  readonly describe: () => string
}

class Watcher<T> extends PendingCall<T> {
  readonly watched: Watched<T>

  constructor(calls: PendingCalls, options: ResolvedCallOptions, watched: Watched<T>) {
    super(calls, options)
    this.watched = watched
  }

  look(): void {
    try {
      const value = this.watched.look()
      if (value !== undefined) this.resolve(value)
    } catch (error) {
      this.reject(error)
    }
  }

  override endError(reason: EndReason, cause: unknown): RaftError {
    const options = { cause }
    if (reason === 'aborted')
      return new RaftError('RAFT_ABORTED', `aborted while waiting for ${this.watched.describe()}`, options)
    if (reason === 'stopped')
      return new RaftError('RAFT_STOPPED', `the node stopped while waiting for ${this.watched.describe()}`, options)
    return new RaftError('RAFT_TIMEOUT', `the deadline passed while waiting for ${this.watched.describe()}`, options)
  }
}

export class Watchers {
  readonly #calls: PendingCalls
  #watchers: Watcher<never>[] = []

  constructor(calls: PendingCalls) {
    this.#calls = calls
  }

  /** Whether somebody waits, so that a change is worth a look. */
  get isEmpty(): boolean {
    return this.#watchers.length === 0
  }

  /** Waits until `look` gives a value; it is looked at now and after each change. @throws RaftError RAFT_OVERLOADED */
  watch<T>(options: ResolvedCallOptions, watched: Watched<T>): Promise<T> {
    if (this.#watchers.length >= MAX_WATCHERS) {
      throw new RaftError('RAFT_OVERLOADED', `${MAX_WATCHERS} calls wait for conditions on this node: wait for fewer`)
    }
    const watcher = new Watcher(this.#calls, options, watched)
    watcher.look()
    if (!watcher.isSettled) this.#watchers.push(watcher as unknown as Watcher<never>)
    return watcher.promise
  }

  /** Something changed. */
  look(): void {
    const watchers = this.#watchers
    if (watchers.length === 0) return
    // A condition is the user's code and may begin another wait.
    this.#watchers = []
    for (const watcher of watchers) if (!watcher.isSettled) watcher.look()
    const waiting = watchers.filter((watcher) => !watcher.isSettled)
    this.#watchers = [...waiting, ...this.#watchers]
  }
}
