// Virtual time: a heap of (time, sequence) from which everything that happens in a simulation comes (assurance §1). It
// has no relation to the clock of the machine; between two events all promises run until none is ready.

/** Most events that may wait at once; a simulation beyond it has a leak. */
export const MAX_SCHEDULED = 1_000_000

/** Something that will happen. */
export interface Scheduled {
  readonly atMs: number
  readonly sequence: number
  fire: (() => void) | null
  cancel(): void
}

/** One order of everything: by time, and at one time by the order of the calls. */
export class Timeline {
  #nowMs = 0
  #sequence = 0
  readonly #heap: Scheduled[] = []

  /** Ms since the beginning of the simulation, with fractions. */
  get nowMs(): number {
    return this.#nowMs
  }

  /** When the next event happens; Infinity when none waits. */
  get nextAtMs(): number {
    this.#dropCancelled()
    return this.#heap[0]?.atMs ?? Number.POSITIVE_INFINITY
  }

  /** Calls `fire` once, at `atMs` or now if that has passed, and never within this call. Infinity is never. */
  schedule(atMs: number, fire: () => void): Scheduled {
    if (Number.isNaN(atMs)) throw new RangeError('an event needs a time, and NaN is none')
    const scheduled: Scheduled = { atMs: Math.max(atMs, this.#nowMs), sequence: this.#sequence++, fire, cancel }
    if (atMs === Number.POSITIVE_INFINITY) return scheduled
    if (this.#heap.length >= MAX_SCHEDULED) throw new RangeError(`more than ${MAX_SCHEDULED} events wait at once`)
    this.#push(scheduled)
    return scheduled
  }

  after(delayMs: number, fire: () => void): Scheduled {
    return this.schedule(this.#nowMs + delayMs, fire)
  }

  /** Runs the next event, unless it happens after `limitMs`. Returns whether one ran; without one the time becomes `limitMs`. */
  step(limitMs: number): boolean {
    this.#dropCancelled()
    const next = this.#heap[0]
    if (next === undefined || next.atMs > limitMs) {
      if (limitMs !== Number.POSITIVE_INFINITY) this.#nowMs = Math.max(this.#nowMs, limitMs)
      return false
    }
    this.#pop()
    this.#nowMs = next.atMs
    const { fire } = next
    next.fire = null
    fire?.()
    return true
  }

  #dropCancelled(): void {
    while (this.#heap.length > 0 && this.#heap[0]?.fire === null) this.#pop()
  }

  #push(scheduled: Scheduled): void {
    const heap = this.#heap
    let at = heap.length
    heap.push(scheduled)
    while (at > 0) {
      const parent = (at - 1) >> 1
      const above = heap[parent] as Scheduled
      if (isBefore(above, scheduled)) break
      heap[at] = above
      at = parent
    }
    heap[at] = scheduled
  }

  #pop(): void {
    const heap = this.#heap
    const last = heap.pop()
    if (last === undefined || heap.length === 0) return
    let at = 0
    for (;;) {
      let child = 2 * at + 1
      if (child >= heap.length) break
      if (child + 1 < heap.length && isBefore(heap[child + 1] as Scheduled, heap[child] as Scheduled)) child += 1
      if (isBefore(last, heap[child] as Scheduled)) break
      heap[at] = heap[child] as Scheduled
      at = child
    }
    heap[at] = last
  }
}

/** Turns between two of the machine's event loop: unhandled rejections come to light there, and others get their turn. */
const TURNS_PER_YIELD = 128

/** Cheaper than queueMicrotask, which makes an asynchronous resource of each callback. */
const SETTLED = Promise.resolve()

/**
 * Calls `turn` again and again until it returns false; between two calls every promise that can settle has settled. A
 * tick that a microtask asks for runs when no microtask is left, which costs a small part of a turn of the event loop.
 */
export function runTurns(turn: () => boolean): Promise<void> {
  return new Promise((resolve, reject) => {
    let turns = 0
    const later = (): void => process.nextTick(next)
    const next = (): void => {
      try {
        if (!turn()) return resolve()
      } catch (error) {
        return reject(error as Error)
      }
      turns += 1
      if (turns % TURNS_PER_YIELD === 0) setImmediate(next)
      else void SETTLED.then(later)
    }
    setImmediate(next)
  })
}

function cancel(this: Scheduled): void {
  this.fire = null
}

function isBefore(one: Scheduled, other: Scheduled): boolean {
  return one.atMs < other.atMs || (one.atMs === other.atMs && one.sequence < other.sequence)
}
