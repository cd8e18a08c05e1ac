// The clocks and timers of the platform, and the only file of a node that touches them (H106). Everything else is
// given a Clock, so that a test or a simulator owns time.
import type { Clock } from '../interfaces/clock.js'

/** Longest delay of setTimeout: a longer one would fire at once (H107). */
export const MAX_DELAY_MS: number = 2 ** 31 - 1

/** `performance.now`, `Date.now` and `setTimeout`. A timer keeps the process alive until it fires or is cancelled. */
export const systemClock: Clock = Object.freeze({
  now: () => performance.now(),
  wallTime: () => Date.now(),
  schedule(atMs: number, fire: () => void): { cancel(): void } {
    return new SystemTimer(atMs, fire)
  },
})

/** Waits in steps that setTimeout can wait for, and again where it woke a fraction of a millisecond too early. */
class SystemTimer {
  readonly #atMs: number
  readonly #fire: () => void
  #timeout: ReturnType<typeof setTimeout>

  constructor(atMs: number, fire: () => void) {
    this.#atMs = atMs
    this.#fire = fire
    this.#timeout = this.#wait()
  }

  cancel(): void {
    clearTimeout(this.#timeout)
  }

  #wait(): ReturnType<typeof setTimeout> {
    const delayMs = Math.min(Math.max(0, Math.ceil(this.#atMs - performance.now())), MAX_DELAY_MS)
    return setTimeout(() => {
      if (performance.now() >= this.#atMs) this.#fire()
      else this.#timeout = this.#wait()
    }, delayMs)
  }
}

/**
 * How a node asks for its next turn: once, after what is waiting now. On the platform's own clock that is after the I/O
 * of this turn of the event loop, so that everything which arrived together is one batch. On any other clock it is
 * `schedule(now)`, so that whoever owns the clock owns the order of all turns.
 */
export function turnScheduler(clock: Clock): (turn: () => void) => void {
  if (clock !== systemClock) return (turn) => void clock.schedule(clock.now(), turn)
  if (typeof setImmediate === 'function') return (turn) => void setImmediate(turn)
  return messageChannelScheduler()
}

/** Browsers have no setImmediate and delay nested timeouts: a message to oneself is their shortest macrotask. */
function messageChannelScheduler(): (turn: () => void) => void {
  const { port1, port2 } = new MessageChannel()
  const turns: (() => void)[] = []
  port1.addEventListener('message', () => turns.shift()?.())
  port1.start()
  return (turn) => {
    turns.push(turn)
    port2.postMessage(null)
  }
}
