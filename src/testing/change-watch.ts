// Watches how one incarnation of a leader takes requests to change the members that other nodes pass on: each is acted upon
// once in a term, however many copies of it travel. A `remove` that acts again may take out who was added since.
import type { CoreEvent, CoreState } from '../core/index.js'

/** Of one incarnation. */
export class ChangeWatch {
  readonly #acted = new Set<string>()
  #before: CoreState['change'] = null

  /** After each step of the core; what it did wrong, in words, or null. */
  observe({ change, currentTerm }: CoreState, event: CoreEvent | null): string | null {
    const isNew = change !== null && change !== this.#before && this.#before === null
    this.#before = change
    if (!isNew || change.origin === null || event?.type !== 'receive' || event.message.type !== 'membershipRequest')
      return null
    const { boot, number } = event.message
    const key = `${currentTerm} ${change.origin} ${boot} ${number}`
    if (this.#acted.has(key)) return `it acts a second time on change ${number} that ${change.origin} asked for (H37)`
    this.#acted.add(key)
    return null
  }
}
