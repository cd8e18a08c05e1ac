// The order in which volatile keys expire: a binary heap by time. Replaced and deleted keys leave dead items behind,
// which are recognized by identity; when more than half are dead the heap is built anew, so that its size is bounded
// by twice the number of volatile keys plus SLACK. It never decides what expires: the state does, by log time.
import type { ByteString } from './command.js'
import type { KvEntry } from './kv-state.js'

/** Dead items that are tolerated in a small heap. */
const SLACK = 64

interface Item {
  readonly at: number
  readonly key: ByteString
  readonly entry: KvEntry
}

export class ExpiryHeap {
  #items: Item[] = []
  readonly #isLive: (key: ByteString, entry: KvEntry) => boolean

  /** @param isLive - whether that very entry is still the one under its key */
  constructor(isLive: (key: ByteString, entry: KvEntry) => boolean) {
    this.#isLive = isLive
  }

  get size(): number {
    return this.#items.length
  }

  /** @param volatileCount - keys with an expiry at this moment, this one included */
  add(key: ByteString, entry: KvEntry, volatileCount: number): void {
    if (this.#items.length >= 2 * volatileCount + SLACK) this.#rebuild()
    this.#push({ at: entry.expireAt, key, entry })
  }

  /** The earliest expiry of a live key, ms since 1970; null when nothing is volatile. */
  next(): number | null {
    for (;;) {
      const first = this.#items[0]
      if (first === undefined) return null
      if (this.#isLive(first.key, first.entry)) return first.at
      this.#pop()
    }
  }

  /** Takes the next live key that expires at or before `now`. */
  takeDue(now: number): ByteString | null {
    const at = this.next()
    if (at === null || at > now) return null
    return this.#pop()?.key ?? null
  }

  clear(): void {
    this.#items = []
  }

  #rebuild(): void {
    const live = this.#items.filter((item) => this.#isLive(item.key, item.entry))
    // A sorted array is a heap.
    this.#items = live.sort((a, b) => a.at - b.at)
  }

  #push(item: Item): void {
    const items = this.#items
    let at = items.length
    items.push(item)
    while (at > 0) {
      const parent = (at - 1) >> 1
      const above = items[parent]
      if (above === undefined || above.at <= item.at) break
      items[at] = above
      at = parent
    }
    items[at] = item
  }

  #pop(): Item | undefined {
    const items = this.#items
    const first = items[0]
    const last = items.pop()
    if (last === undefined || items.length === 0) return first
    let at = 0
    for (;;) {
      let child = 2 * at + 1
      const right = items[child + 1]
      let below = items[child]
      if (below === undefined) break
      if (right !== undefined && right.at < below.at) {
        below = right
        child += 1
      }
      if (below.at >= last.at) break
      items[at] = below
      at = child
    }
    items[at] = last
    return first
  }
}
