// The clock of one simulated process: its own origin, rate and wall clock, all driven by the timeline. What the process
// scheduled goes through its gate, so that a dead process has no timers and a paused one gets them late.
import type { Clock } from '../interfaces/clock.js'
import type { ProcessGate } from './process-gate.js'
import type { Timeline } from './timeline.js'

/** Wall clock of a process without skew at the beginning of a simulation, ms since 1970. */
export const SIMULATION_EPOCH_MS = 1_700_000_000_000

/** Least time between two looks at a clock that is not there yet, ms. */
const SHORTEST_WAIT_MS = 0.001

export interface VirtualClockOptions {
  readonly timeline: Timeline
  readonly gate: ProcessGate
  /** What `now()` is when the process starts: a monotonic clock begins anywhere. */
  readonly startsAtMs: number
  /** Local ms in one ms of the simulation. */
  readonly rate: number
  /** How far the wall clock is wrong, ms. */
  readonly skewMs: number
}

/** Monotonic and wall time of one incarnation of a process. */
export class VirtualClock implements Clock {
  readonly #options: VirtualClockOptions
  /** A moment at which both clocks were read, since when the rate is what it is: both follow one oscillator. */
  #anchor: { readonly globalMs: number; readonly localMs: number; readonly wallMs: number; readonly rate: number }

  /** Of each timer that waits: what sets it again. */
  readonly #waiting = new Set<() => void>()

  constructor(options: VirtualClockOptions) {
    this.#options = options
    const { timeline, startsAtMs: localMs, rate, skewMs } = options
    this.#anchor = { globalMs: timeline.nowMs, localMs, wallMs: SIMULATION_EPOCH_MS + timeline.nowMs + skewMs, rate }
  }

  now(): number {
    const { globalMs, localMs, rate } = this.#anchor
    return localMs + (this.#options.timeline.nowMs - globalMs) * rate
  }

  wallTime(): number {
    return Math.floor(this.#wallMs())
  }

  /** The clock goes faster or slower from now on, and with it every timer that waits. */
  setRate(rate: number): void {
    this.#setAnchor({ localMs: this.now(), rate })
  }

  /** The machine was suspended for the last `ms` of the simulation: the wall clock has counted them, the other one has not. */
  wasSuspended(ms: number): void {
    const { rate } = this.#anchor
    this.#setAnchor({ localMs: this.now() - ms * rate, rate })
  }

  schedule(atMs: number, fire: () => void): { cancel(): void } {
    const { timeline, gate } = this.#options
    const local = (): number => this.now()
    const due = (): number => this.#dueMs(atMs)
    const waiting = this.#waiting
    let scheduled = timeline.schedule(due(), attempt)
    let isCancelled = false
    function retime(): void {
      scheduled.cancel()
      scheduled = timeline.schedule(due(), attempt)
    }
    function attempt(): void {
      // Rounding may bring us here early, and a clock never fires early.
      if (local() < atMs) {
        scheduled = timeline.schedule(Math.max(due(), timeline.nowMs + SHORTEST_WAIT_MS), attempt)
        return
      }
      waiting.delete(retime)
      gate.enter('timer', run)
    }
    function run(): void {
      if (!isCancelled) fire()
    }
    waiting.add(retime)
    return {
      cancel(): void {
        isCancelled = true
        waiting.delete(retime)
        scheduled.cancel()
      },
    }
  }

  #wallMs(): number {
    const { globalMs, wallMs, rate } = this.#anchor
    return wallMs + (this.#options.timeline.nowMs - globalMs) * rate
  }

  #setAnchor({ localMs, rate }: { readonly localMs: number; readonly rate: number }): void {
    this.#anchor = { globalMs: this.#options.timeline.nowMs, localMs, wallMs: this.#wallMs(), rate }
    for (const retime of [...this.#waiting]) retime()
  }

  /** Converting there and back rounds: what is due now must not become due a hair later, behind other events. */
  #dueMs(atMs: number): number {
    const { globalMs, localMs, rate } = this.#anchor
    return atMs <= this.now() ? this.#options.timeline.nowMs : globalMs + (atMs - localMs) / rate
  }
}
