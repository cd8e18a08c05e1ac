// Whether this node would serve a linearizable read without catching up: it is a member, knows a leader, and has applied
// what was committed when it first heard that leader. Proven by a read of its own, once per leadership.
import { findMember } from '../core/configuration.js'
import type { CoreState } from '../core/state.js'
import type { NodeId } from '../core/types.js'
import type { ReadCall } from './read-call.js'
import type { Reads } from './reads.js'

const PROBE_OPTIONS = {
  consistency: 'linearizable',
  minIndex: 0,
  maxStalenessMs: Number.POSITIVE_INFINITY,
  timeoutMs: Number.POSITIVE_INFINITY,
  signal: undefined,
} as const

export class Readiness {
  readonly #id: NodeId
  readonly #isFounding: () => boolean
  readonly #state: CoreState
  readonly #reads: Reads
  /** The leadership that is being probed, or was. */
  #probed: string | null = null
  #probe: ReadCall | undefined
  /** The leadership in which the probe was answered. */
  #proven: string | null = null

  constructor(context: { id: NodeId; state: CoreState; reads: Reads; isFounding: () => boolean }) {
    this.#isFounding = context.isFounding
    this.#id = context.id
    this.#state = context.state
    this.#reads = context.reads
  }

  get isReady(): boolean {
    return this.#proven !== null && this.#proven === this.#leadership()
  }

  /** The leader may have changed. */
  look(): void {
    const leadership = this.#leadership()
    if (leadership === this.#probed) return
    this.#probe?.reject(undefined)
    this.#probe = undefined
    this.#probed = leadership
    if (leadership === null) return
    try {
      this.#probe = this.#reads.submit(() => {
        this.#proven = leadership
      }, PROBE_OPTIONS)
      this.#probe.promise.catch(() => undefined)
    } catch {
      // Too many reads wait: the next look tries again.
      this.#probed = null
    }
  }

  /** A name for the leadership that this node, a member, follows; null for none. */
  #leadership(): string | null {
    const { leaderId, currentTerm, log } = this.#state
    const isMember = findMember(log.configurations.at(-1)?.configuration ?? null, this.#id) !== null
    return leaderId === null || !isMember || this.#isFounding() ? null : `${currentTerm} ${leaderId}`
  }
}
