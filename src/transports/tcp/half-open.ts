// Who may hold a connection without having said who they are: few in all, fewer from one address, so that a stranger
// who opens connections and stays silent can't keep members out for longer than the deadline of the hello (H91).
import { MAX_HALF_OPEN, MAX_HALF_OPEN_PER_ADDRESS } from './limits.js'

export class HalfOpen {
  readonly #byAddress = new Map<string, number>()
  #count = 0

  /** Takes a place; false when there is none. What was taken must be given back by `release`. */
  admit(address: string): boolean {
    const sameAddress = this.#byAddress.get(address) ?? 0
    if (this.#count >= MAX_HALF_OPEN || sameAddress >= MAX_HALF_OPEN_PER_ADDRESS) return false
    this.#count += 1
    this.#byAddress.set(address, sameAddress + 1)
    return true
  }

  release(address: string): void {
    const sameAddress = this.#byAddress.get(address) ?? 0
    this.#count -= 1
    if (sameAddress <= 1) this.#byAddress.delete(address)
    else this.#byAddress.set(address, sameAddress - 1)
  }
}
