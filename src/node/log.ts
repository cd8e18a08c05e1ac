// The log lines of a node (F42, atlas §6): a logger that may throw, block on nothing and re-enter the node is the
// user's code; here it is kept from doing harm. No line ever carries a payload (H110).
import type { Clock } from '../interfaces/clock.js'
import type { Logger } from '../interfaces/logger.js'

const nothing = (): void => {}

/** The default: says nothing. */
export const silentLogger: Logger = Object.freeze({ debug: nothing, info: nothing, warn: nothing, error: nothing })

/** The same lines, but an exception of the logger ends there: logging must not stop a node. */
export function guardedLogger(logger: Logger): Logger {
  const guard = (level: keyof Logger) => (fields: object, message: string) => {
    try {
      logger[level](fields, message)
    } catch {
      // There is nobody left to tell.
    }
  }
  return { debug: guard('debug'), info: guard('info'), warn: guard('warn'), error: guard('error') }
}

/** How often the same complaint may be repeated, ms. */
const REPEAT_MS = 5_000
/** Kinds of complaints that are told apart; beyond it the oldest is forgotten. */
const MAX_KINDS = 256

/** Lets each kind of line through once in a while, so that a broken peer can't fill a disk. */
export class LogThrottle {
  readonly #clock: Clock
  readonly #lastAt = new Map<string, number>()

  constructor(clock: Clock) {
    this.#clock = clock
  }

  /** Whether a line of this kind is due. */
  allows(kind: string): boolean {
    const now = this.#clock.now()
    const lastAt = this.#lastAt.get(kind)
    if (lastAt !== undefined && now - lastAt < REPEAT_MS) return false
    this.#lastAt.delete(kind)
    this.#lastAt.set(kind, now)
    if (this.#lastAt.size > MAX_KINDS) this.#forgetOldest()
    return true
  }

  #forgetOldest(): void {
    for (const kind of this.#lastAt.keys()) {
      this.#lastAt.delete(kind)
      return
    }
  }
}
