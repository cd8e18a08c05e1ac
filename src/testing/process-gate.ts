// What may still reach a simulated process: everything while it runs, nothing once it is dead, and while it is paused
// what arrives waits, as under SIGSTOP: on waking the late timers and what lies in the sockets come in a burst (H105).
import type { Timeline } from './timeline.js'

export type GateEntry = 'timer' | 'message' | 'disk' | 'call' | 'work'

/** Entries that wait at a paused process; a pause that collects more has lost its bound. */
export const MAX_HELD = 100_000

/** The door of one incarnation of a process. */
export class ProcessGate {
  readonly #timeline: Timeline
  /** Called before each entry runs. */
  readonly #onEnter: (kind: GateEntry) => void
  #state: 'running' | 'paused' | 'dead' = 'running'
  #held: { readonly kind: GateEntry; readonly run: () => void }[] = []
  #effectCount = 0
  #limit: { readonly effectCount: number; readonly reach: () => void } | null = null

  constructor(timeline: Timeline, onEnter: (kind: GateEntry) => void = () => {}) {
    this.#timeline = timeline
    this.#onEnter = onEnter
  }

  get isDead(): boolean {
    return this.#state === 'dead'
  }

  get isPaused(): boolean {
    return this.#state === 'paused'
  }

  /** Runs `run` now, later or never. */
  enter(kind: GateEntry, run: () => void): void {
    if (this.#state === 'dead') return
    if (this.#state === 'running') {
      this.#onEnter(kind)
      run()
      return
    }
    if (this.#held.length >= MAX_HELD) throw new RangeError(`more than ${MAX_HELD} entries wait at a paused process`)
    this.#held.push({ kind, run })
  }

  /** What the process has done to the world so far: messages sent and writes begun. */
  get effectCount(): number {
    return this.#effectCount
  }

  /** Called before each message leaves and each write begins, by what carries it out. */
  effect(): void {
    if (this.#state === 'dead') return
    if (this.#limit !== null && this.#effectCount >= this.#limit.effectCount) return this.#limit.reach()
    this.#effectCount += 1
  }

  /**
   * `reach` is called in place of the effect after the next `effectCount` ones: whoever kills the process there, kills it
   * in the middle of what it does. Infinity is never.
   */
  stopAfter(effectCount: number, reach: () => void): void {
    this.#limit = { effectCount: this.#effectCount + effectCount, reach }
  }

  pause(): void {
    if (this.#state === 'running') this.#state = 'paused'
  }

  /** Everything held arrives at once, each as an event of its own: the timers first when `timersFirst`, as Node does it. */
  resume(timersFirst: boolean): void {
    if (this.#state !== 'paused') return
    this.#state = 'running'
    const held = this.#held
    this.#held = []
    const timers = timersFirst ? held.filter((entry) => entry.kind === 'timer') : []
    const rest = timersFirst ? held.filter((entry) => entry.kind !== 'timer') : held
    for (const { kind, run } of [...timers, ...rest]) this.#timeline.after(0, () => this.enter(kind, run))
  }

  /** For ever: what the process began goes nowhere. */
  kill(): void {
    this.#state = 'dead'
    this.#held = []
  }
}
