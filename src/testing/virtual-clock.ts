// The clock of one simulated process: its own origin, rate and wall clock, all driven by the timeline. What the process
// scheduled goes through its gate, so that a dead process has no timers and a paused one gets them late.
import type { Clock } from '../interfaces/clock.js'
import type { ProcessGate } from './process-gate.js'
import type { Timeline } from './timeline.js'

/** Wall clock of a process without skew at the beginning of a simulation, ms since 1970. */
export const SIMULATION_EPOCH_MS = 1_700_000_000_000

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
  readonly #bornMs: number

  constructor(options: VirtualClockOptions) {
    this.#options = options
    this.#bornMs = options.timeline.nowMs
  }

  now(): number {
    const { timeline, startsAtMs, rate } = this.#options
    return startsAtMs + (timeline.nowMs - this.#bornMs) * rate
  }

  wallTime(): number {
    const { timeline, skewMs } = this.#options
    return Math.floor(SIMULATION_EPOCH_MS + timeline.nowMs + skewMs)
  }

  schedule(atMs: number, fire: () => void): { cancel(): void } {
    const { timeline, gate, startsAtMs, rate } = this.#options
    // Converting there and back rounds: what is due now must not become due a hair later, behind other events.
    const dueMs = atMs <= this.now() ? timeline.nowMs : this.#bornMs + (atMs - startsAtMs) / rate
    let scheduled = timeline.schedule(dueMs, attempt)
    const local = (): number => this.now()
    let isCancelled = false
    function attempt(): void {
      // Rounding may bring us here a hair early, and a clock never fires early.
      if (local() < atMs) scheduled = timeline.after(0.001, attempt)
      else gate.enter('timer', run)
    }
    function run(): void {
      if (!isCancelled) fire()
    }
    return {
      cancel(): void {
        isCancelled = true
        scheduled.cancel()
      },
    }
  }
}
