// Lets log time pass when nobody writes: the leader proposes a tick when a key is due by its clock. Followers propose
// none, and there is none while nothing is volatile. A tick that is late or lost only delays an expiry: what is expired
// is decided by the log (atlas.md §4).
import type { RaftNode } from 'helios-raft'
import type { KvCommand, KvResult } from '../state-machine/command.js'
import type { KvStateMachine } from '../state-machine/kv-state-machine.js'

/** At most one tick in that time. */
const MIN_INTERVAL_MS = 50
/** A timer is set no further ahead: it looks again, also after a jump of the wall clock. */
const MAX_DELAY_MS = 30_000

export interface ExpiryTickerOptions {
  readonly node: Pick<RaftNode<KvCommand, KvResult>, 'propose' | 'isLeader'>
  readonly machine: KvStateMachine
  /** Wall clock, ms since 1970. @defaultValue Date.now */
  readonly wallTime?: (() => number) | undefined
}

export class ExpiryTicker {
  readonly #node: ExpiryTickerOptions['node']
  readonly #machine: KvStateMachine
  readonly #wallTime: () => number
  #timer: NodeJS.Timeout | null = null
  #armedFor: number | null = null
  #isTicking = false
  #isStopped = false

  constructor({ node, machine, wallTime = Date.now }: ExpiryTickerOptions) {
    this.#node = node
    this.#machine = machine
    this.#wallTime = wallTime
  }

  /** After entries were applied, or the role changed: looks when the next key is due. */
  observe(): void {
    if (this.#isTicking || this.#isStopped) return
    const next = this.#node.isLeader ? this.#machine.state.nextExpiry() : null
    if (next === this.#armedFor) return
    this.#arm(next, 0)
  }

  /** A leader that begins brings log time up to date at once, so that countdowns on all nodes start from it. */
  begin(): void {
    if (this.#machine.state.nextExpiry() === null) this.observe()
    else void this.#tick()
  }

  stop(): void {
    this.#isStopped = true
    this.#disarm()
  }

  #arm(next: number | null, minDelayMs: number): void {
    this.#disarm()
    if (next === null || this.#isStopped) return
    this.#armedFor = next
    const delay = Math.min(MAX_DELAY_MS, Math.max(minDelayMs, next - this.#wallTime()))
    this.#timer = setTimeout(() => this.#due(next), delay)
  }

  #disarm(): void {
    if (this.#timer !== null) clearTimeout(this.#timer)
    this.#timer = null
    this.#armedFor = null
  }

  #due(next: number): void {
    this.#disarm()
    // Before that moment a tick would carry a timestamp that expires nothing.
    if (next <= this.#wallTime()) void this.#tick()
    else this.observe()
  }

  async #tick(): Promise<void> {
    if (this.#isTicking || this.#isStopped) return
    this.#disarm()
    this.#isTicking = true
    try {
      await this.#node.propose({ type: 'tick' })
    } catch {
      // Another leader ticks, or the next look does.
    }
    this.#isTicking = false
    this.#arm(this.#node.isLeader ? this.#machine.state.nextExpiry() : null, MIN_INTERVAL_MS)
  }
}
