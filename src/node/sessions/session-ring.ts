// Sessions by id, in a ring: the order in which they are looked at for expiry, which is the same on every node and travels in
// snapshots. Every step takes the same time, however many there are: a Map alone would walk over what was deleted before.
import type { SessionRecord } from './session-record.js'

interface Link {
  record: SessionRecord
  previous: Link
  next: Link
}

export class SessionRing {
  readonly #links = new Map<string, Link>()
  /** The one that was not looked at for longest. */
  #first: Link | null = null

  get size(): number {
    return this.#links.size
  }

  get(id: string): SessionRecord | undefined {
    return this.#links.get(id)?.record
  }

  /** In the place of the one of that id, or behind all others. */
  set(record: SessionRecord): void {
    const held = this.#links.get(record.id)
    if (held !== undefined) {
      held.record = record
      return
    }
    const link = { record } as Link
    this.#links.set(record.id, link)
    const first = this.#first
    if (first === null) {
      link.previous = link
      link.next = link
      this.#first = link
      return
    }
    link.previous = first.previous
    link.next = first
    first.previous.next = link
    first.previous = link
  }

  delete(id: string): void {
    const link = this.#links.get(id)
    if (link === undefined) return
    this.#links.delete(id)
    link.previous.next = link.next
    link.next.previous = link.previous
    if (this.#first === link) this.#first = link.next === link ? null : link.next
  }

  /** The one that was not looked at for longest; it is behind all others now. */
  turn(): SessionRecord | undefined {
    const first = this.#first
    if (first === null) return undefined
    this.#first = first.next
    return first.record
  }

  /** All of them, in their order. */
  toArray(): readonly SessionRecord[] {
    const records: SessionRecord[] = []
    let link = this.#first
    for (let count = 0; link !== null && count < this.#links.size; count++) {
      records.push(link.record)
      link = link.next
    }
    return records
  }
}
