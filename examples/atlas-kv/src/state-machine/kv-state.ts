// The data: keys, their values, their expiries, and log time. Entries are never changed, only replaced, so that a
// snapshot that holds them stays as it was (H52). It reads no clock: a key is gone when expireAt ≤ log time, and it is
// removed at once by the entry that moves log time there, on each replica alike (H74, atlas.md §4).
import type { ByteString, ExpireCommand, ExpiryTime, KvResult, SetCommand } from './command.js'
import { MAX_EXPIRY_MS } from './command.js'
import { bytesOf } from './bytes.js'
import { ExpiryHeap } from './expiry-heap.js'
import { addInteger, parseInteger } from './integer.js'

/** `expireAt` of a key that stays. */
export const NEVER: number = Number.POSITIVE_INFINITY

/** A value as it was written. */
export interface KvEntry {
  readonly value: Uint8Array
  /** Ms since 1970 by log time, or NEVER. */
  readonly expireAt: number
  /** Index of the entry that wrote it: the modification index of HTTP's ETag. */
  readonly index: number
}

export class KvState {
  readonly #data = new Map<ByteString, KvEntry>()
  readonly #expiries = new ExpiryHeap((key, entry) => this.#data.get(key) === entry)
  #volatileCount = 0
  #logTime = 0

  get size(): number {
    return this.#data.size
  }

  get volatileCount(): number {
    return this.#volatileCount
  }

  /** Places in the order of expiries, dead ones included. */
  get heapSize(): number {
    return this.#expiries.size
  }

  get logTime(): number {
    return this.#logTime
  }

  get entries(): ReadonlyMap<ByteString, KvEntry> {
    return this.#data
  }

  get(key: ByteString): KvEntry | null {
    return this.#data.get(key) ?? null
  }

  /** When the next key expires, ms since 1970 by log time; null when nothing is volatile. */
  nextExpiry(): number | null {
    return this.#expiries.next()
  }

  /** Lets log time pass, never backward (H127), and removes what is due by then. */
  advance(timestamp: number): void {
    // Whole milliseconds, so that expiries and snapshots never meet a fraction.
    if (timestamp > this.#logTime) this.#logTime = Math.floor(timestamp)
    for (;;) {
      const key = this.#expiries.takeDue(this.#logTime)
      if (key === null) return
      this.delete(key)
    }
  }

  set({ key, value, condition, expiry, returnPrevious }: SetCommand, index: number): KvResult {
    const old = this.get(key)
    const expireAt =
      expiry === null ? NEVER : expiry === 'keep' ? (old?.expireAt ?? NEVER) : this.#resolveExpiry(expiry)
    if (expireAt > MAX_EXPIRY_MS && expireAt !== NEVER) return { failure: 'expiryOutOfRange' }
    const applies =
      condition === 'always' ||
      (condition === 'absent' ? old === null : condition === 'present' ? old !== null : old?.index === condition.index)
    if (applies) this.put(key, { value, expireAt, index })
    if (returnPrevious) return old?.value ?? null
    return applies ? 'OK' : null
  }

  /** Stores an entry that is due as no entry at all. */
  put(key: ByteString, entry: KvEntry): void {
    const old = this.#data.get(key)
    if (old !== undefined && old.expireAt !== NEVER) this.#volatileCount -= 1
    if (entry.expireAt <= this.#logTime) {
      this.#data.delete(key)
      return
    }
    this.#data.set(key, entry)
    if (entry.expireAt === NEVER) return
    this.#volatileCount += 1
    this.#expiries.add(key, entry, this.#volatileCount)
  }

  delete(key: ByteString): boolean {
    const old = this.#data.get(key)
    if (old === undefined) return false
    if (old.expireAt !== NEVER) this.#volatileCount -= 1
    return this.#data.delete(key)
  }

  increment(key: ByteString, by: bigint, index: number): KvResult {
    const old = this.get(key)
    const value = old === null ? 0 : parseInteger(old.value)
    if (value === null) return { failure: 'notInteger' }
    const sum = addInteger(value, by)
    if (sum === null) return { failure: 'overflow' }
    this.put(key, { value: bytesOf(sum.toString()), expireAt: old?.expireAt ?? NEVER, index })
    return sum
  }

  /** @returns 1 when the expiry was set (or the key removed, its time being past), else 0 */
  expire({ key, time, condition }: ExpireCommand, index: number): KvResult {
    const old = this.get(key)
    const expireAt = this.#resolveExpiry(time)
    if (Math.abs(expireAt) > MAX_EXPIRY_MS) return { failure: 'expiryOutOfRange' }
    if (old === null) return 0
    const isVolatile = old.expireAt !== NEVER
    if (condition === 'absent' && isVolatile) return 0
    if (condition.startsWith('present') && !isVolatile) return 0
    if ((condition === 'greater' || condition === 'presentGreater') && expireAt <= old.expireAt) return 0
    if ((condition === 'less' || condition === 'presentLess') && expireAt >= old.expireAt) return 0
    this.put(key, { value: old.value, expireAt, index })
    return 1
  }

  persist(key: ByteString, index: number): KvResult {
    const old = this.get(key)
    if (old === null || old.expireAt === NEVER) return 0
    this.put(key, { value: old.value, expireAt: NEVER, index })
    return 1
  }

  /** Forgets the data; log time stays. */
  flush(): void {
    this.#data.clear()
    this.#expiries.clear()
    this.#volatileCount = 0
  }

  #resolveExpiry(time: ExpiryTime): number {
    return 'inMs' in time ? this.#logTime + time.inMs : time.atMs
  }
}
