// A clock for a process that plays a machine which may be suspended: its monotonic clock doesn't count what its process slept by
// SIGSTOP, its wall clock does. Else the clock of the platform.

/** Whoever doesn't look at the clock for so long was suspended, ms. A process that runs looks far more often. */
const SUSPENDED_MS = 60
const LOOK_MS = 5

export class SuspendableClock {
  /** What was slept through, each longer than SUSPENDED_MS. */
  sleptMs = 0
  #seenAt = performance.now()

  constructor() {
    setInterval(() => this.now(), LOOK_MS).unref()
  }

  now = () => {
    const at = performance.now()
    const passedMs = at - this.#seenAt
    this.#seenAt = at
    if (passedMs > SUSPENDED_MS) this.sleptMs += passedMs
    return at - this.sleptMs
  }

  wallTime = () => Date.now()

  schedule = (atMs, fire) => {
    let timeout
    const wait = () => {
      timeout = setTimeout(
        () => {
          if (this.now() >= atMs) fire()
          else wait()
        },
        Math.max(0, Math.ceil(atMs - this.now())),
      )
    }
    wait()
    return { cancel: () => clearTimeout(timeout) }
  }
}
