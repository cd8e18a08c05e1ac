// The memo of the search: configurations that were searched through and lead nowhere. A configuration is the set of
// placed operations and the state; it is compared exactly, never by its hash alone. The set is kept as what is still
// pending among those that may be placed next, which with the order of returns says it all, and as the number that is
// placed of each class of optional operations. Fewer of those is better: a configuration that failed with fewer of them
// and the same otherwise proves that this one fails too.
import { mix32, structuralHash } from './structural.js'
import type { LinearizabilityModel } from './model.js'
import type { OptionalOperations } from './optional-operations.js'
import type { PendingList } from './pending-list.js'
import { areSame } from './unseen-write.js'

/** 32-bit words that all memos of one check may hold, beside the states themselves; arrays grow to twice of it at most. */
const MEMO_WORDS = 16 * 1024 * 1024
/** Words that each configuration takes beside its sets. */
const ENTRY_WORDS = 8
const FIRST_ENTRIES = 64

/** Shared by the searches of one check. */
export class MemoBudget {
  wordsLeft: number

  constructor(words: number = MEMO_WORDS) {
    this.wordsLeft = words
  }
}

/** Where the search stands. */
export interface Configuration<State> {
  readonly state: State
  /** Of the set of answered operations that are placed. */
  readonly setHash: number
  readonly optional: Pick<OptionalOperations<unknown, unknown>, 'used' | 'placed' | 'placedCount'>
}

export class FailedConfigurations<State> {
  readonly #model: LinearizabilityModel<State, never, never>
  readonly #pending: PendingList
  readonly #budget: MemoBudget
  /** By the operation that returns first: most of them never fail, and need no hash. */
  readonly #hasAny: Uint8Array
  #heads = new Int32Array(0)
  #next = new Int32Array(0)
  #hashes = new Int32Array(0)
  #offsets = new Int32Array(0)
  #words = new Int32Array(0)
  #states: State[] = []
  #wordCount = 0

  constructor(model: LinearizabilityModel<State, never, never>, pending: PendingList, budget: MemoBudget) {
    this.#model = model
    this.#pending = pending
    this.#budget = budget
    this.#hasAny = new Uint8Array(pending.length + 1)
  }

  /** Whether any failed while `target` was the first to return: to be asked first, because mostly none did. */
  hasAny(target: number): boolean {
    return this.#hasAny[target] === 1
  }

  has(configuration: Configuration<State>): boolean {
    if (this.#heads.length === 0) return false
    const hash = this.#hash(configuration)
    let entry = (this.#heads[hash & (this.#heads.length - 1)] as number) - 1
    while (entry >= 0) {
      if (this.#hashes[entry] === hash && this.#covers(entry, configuration)) return true
      entry = (this.#next[entry] as number) - 1
    }
    return false
  }

  /** Forgets the others when there is no room: slower, never wrong. */
  add(configuration: Configuration<State>): void {
    const words = this.#wordsOf(configuration) + ENTRY_WORDS
    if (words > this.#budget.wordsLeft) this.clear()
    if (words > this.#budget.wordsLeft) return
    this.#budget.wordsLeft -= words
    const entry = this.#states.length
    if (entry === this.#hashes.length) this.#grow()
    const hash = this.#hash(configuration)
    const slot = hash & (this.#heads.length - 1)
    this.#hashes[entry] = hash
    this.#next[entry] = this.#heads[slot] as number
    this.#heads[slot] = entry + 1
    this.#offsets[entry] = this.#wordCount
    this.#states.push(configuration.state)
    this.#store(configuration, words)
    this.#hasAny[this.#pending.firstReturn] = 1
  }

  /** Gives everything back. */
  clear(): void {
    this.#budget.wordsLeft += this.#wordCount + this.#states.length * ENTRY_WORDS
    this.#heads = new Int32Array(0)
    this.#next = new Int32Array(0)
    this.#hashes = new Int32Array(0)
    this.#offsets = new Int32Array(0)
    this.#words = new Int32Array(0)
    this.#states = []
    this.#wordCount = 0
    this.#hasAny.fill(0)
  }

  #hash({ state, setHash }: Configuration<State>): number {
    const { equal, hash } = this.#model
    if (hash !== undefined) return mix32(setHash ^ mix32(hash.call(this.#model, state)))
    return mix32(equal === undefined ? setHash ^ structuralHash(state) : setHash)
  }

  #wordsOf({ optional }: Configuration<State>): number {
    const limit = this.#pending.callLimit[this.#pending.firstReturn] as number
    let words = 2 + 2 * optional.placedCount
    for (let at = this.#pending.firstCall; at < limit; at = this.#pending.callAfter(at)) words += 1
    return words
  }

  /** Count and numbers of what is pending, then count and pairs of what is placed of each class. */
  #store({ optional }: Configuration<State>, words: number): void {
    if (this.#wordCount + words > this.#words.length) {
      this.#words = copyOf(this.#words, Math.max(4 * FIRST_ENTRIES, 2 * (this.#wordCount + words)))
    }
    const limit = this.#pending.callLimit[this.#pending.firstReturn] as number
    const start = this.#wordCount
    let end = start + 1
    for (let at = this.#pending.firstCall; at < limit; at = this.#pending.callAfter(at)) this.#words[end++] = at
    this.#words[start] = end - start - 1
    this.#words[end++] = optional.placedCount
    for (let at = 0; at < optional.placedCount; at++) {
      const number = optional.placed[at] as number
      this.#words[end++] = number
      this.#words[end++] = optional.used[number] as number
    }
    this.#wordCount = end
  }

  /** The same pending operations and the same state, and no more of any class. */
  #covers(entry: number, { optional, state }: Configuration<State>): boolean {
    const limit = this.#pending.callLimit[this.#pending.firstReturn] as number
    let offset = this.#offsets[entry] as number
    const pendingEnd = offset + 1 + (this.#words[offset] as number)
    let at = this.#pending.firstCall
    for (offset += 1; offset < pendingEnd; offset++) {
      if (this.#words[offset] !== at) return false
      at = this.#pending.callAfter(at)
    }
    if (at < limit) return false
    const pairsEnd = pendingEnd + 1 + 2 * (this.#words[pendingEnd] as number)
    for (offset = pendingEnd + 1; offset < pairsEnd; offset += 2) {
      const used = optional.used[this.#words[offset] as number] as number
      if (used < (this.#words[offset + 1] as number)) return false
    }
    return areSame(this.#model, this.#states[entry] as State, state)
  }

  #grow(): void {
    const size = Math.max(FIRST_ENTRIES, 2 * this.#hashes.length)
    this.#next = copyOf(this.#next, size)
    this.#hashes = copyOf(this.#hashes, size)
    this.#offsets = copyOf(this.#offsets, size)
    this.#heads = new Int32Array(size)
    for (let entry = 0; entry < this.#states.length; entry++) {
      const slot = (this.#hashes[entry] as number) & (size - 1)
      this.#next[entry] = this.#heads[slot] as number
      this.#heads[slot] = entry + 1
    }
  }
}

function copyOf(words: Int32Array, length: number): Int32Array<ArrayBuffer> {
  const copy = new Int32Array(length)
  copy.set(words)
  return copy
}
