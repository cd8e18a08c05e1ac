// Proposals that the leader refused because it was handing over (F4): nobody took them, so they wait here, within their own
// deadlines, and are passed on again. Owns their order: none overtakes another on its way back (F17).
import type { Term } from '../core/types.js'
import type { Clock } from '../interfaces/clock.js'
import type { SettingValues } from './options.js'
import type { ProposalCall } from './proposal-call.js'

export interface HeldBackContext {
  readonly clock: Clock
  /** The same leader is left in peace for a heartbeat interval. */
  readonly settings: Pick<SettingValues, 'heartbeatIntervalMs'>
  /** Asks for a turn in which `take` is called. */
  wake(): void
}

interface Refused {
  readonly number: number
  readonly calls: readonly ProposalCall[]
}

/** Bounded by the forwards that may be under way, which are no more while these wait. */
export class HeldBack {
  readonly #context: HeldBackContext
  #refused: Refused[] = []
  #term: Term = 0
  #mayRetry = false
  #timer: { cancel(): void } | undefined

  constructor(context: HeldBackContext) {
    this.#context = context
  }

  get isEmpty(): boolean {
    return this.#refused.length === 0
  }

  /** The leader of `term` refused the forward `number`. */
  add(refused: Refused, term: Term): void {
    this.#refused.push(refused)
    this.#term = term
    this.#mayRetry = false
    const { clock, settings, wake } = this.#context
    this.#timer ??= clock.schedule(clock.now() + settings.heartbeatIntervalMs, () => {
      this.#timer = undefined
      this.#mayRetry = true
      wake()
    })
  }

  /** Those that a later forward, `number`, has overtaken: their place in the order is gone. */
  takeOvertaken(number: number): readonly ProposalCall[] {
    const overtaken = this.#refused.filter((refused) => refused.number < number)
    this.#refused = this.#refused.filter((refused) => refused.number > number)
    return overtaken.flatMap(({ calls }) => calls)
  }

  /** All of them in the order of the calls, once they may go; nothing before. */
  take(term: Term): readonly ProposalCall[] {
    if (this.isEmpty || !(this.#mayRetry || term > this.#term)) return []
    const refused = this.#refused.sort((one, other) => one.number - other.number)
    this.#refused = []
    return refused.flatMap(({ calls }) => calls)
  }

  close(): void {
    this.#timer?.cancel()
    this.#timer = undefined
    this.#refused = []
  }
}
