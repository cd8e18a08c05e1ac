// The one timer of a core: a tick at the latest at the deadline of its last Output. A timer that comes late says more
// about this process than about the cluster, so it steps aside once, and what arrived meanwhile is heard first (H105).
import type { Clock } from '../interfaces/clock.js'
import type { SettingValues } from './options.js'

export class TickTimer {
  readonly #clock: Clock
  readonly #settings: Pick<SettingValues, 'heartbeatIntervalMs'>
  readonly #onTick: () => void
  #deadline = Number.POSITIVE_INFINITY
  #firesAt = Number.POSITIVE_INFINITY
  #timer: { cancel(): void } | undefined
  #steppedAside = false

  constructor(options: {
    clock: Clock
    settings: Pick<SettingValues, 'heartbeatIntervalMs'>
    onTick: () => void
  }) {
    this.#clock = options.clock
    this.#settings = options.settings
    this.#onTick = options.onTick
  }

  /** A tick is due at `deadline`. A later deadline than before costs nothing until the old one is reached. */
  arm(deadline: number): void {
    this.#deadline = deadline
    if (deadline === Number.POSITIVE_INFINITY || this.#firesAt <= deadline) return
    this.#schedule(deadline)
  }

  cancel(): void {
    this.#timer?.cancel()
    this.#timer = undefined
    this.#firesAt = Number.POSITIVE_INFINITY
    this.#deadline = Number.POSITIVE_INFINITY
  }

  /** How late a timer may be before the node believes that it stood still. */
  get #lateMs(): number {
    return this.#settings.heartbeatIntervalMs / 2
  }

  #schedule(atMs: number): void {
    this.#timer?.cancel()
    this.#firesAt = atMs
    this.#timer = this.#clock.schedule(atMs, () => this.#fire())
  }

  #fire(): void {
    const now = this.#clock.now()
    const firedAt = this.#firesAt
    this.#timer = undefined
    this.#firesAt = Number.POSITIVE_INFINITY
    const isLate = now - firedAt > this.#lateMs
    if (isLate && !this.#steppedAside) {
      this.#steppedAside = true
      this.#schedule(now)
      return
    }
    this.#steppedAside = false
    if (now >= this.#deadline) this.#onTick()
    else this.arm(this.#deadline)
  }
}
