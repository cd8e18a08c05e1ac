// Open addressing over typed arrays: millions of keys without an object for each. Both double when they are full enough.

/** Share of the slots that may be in use. */
const MAX_LOAD = 0.6

/** Set of hashes of HASH_WORDS = 3 words. */
export class VisitedSet {
  #words: Uint32Array<ArrayBuffer>
  #mask: number
  #size = 0

  constructor(capacity: number = 2 ** 16) {
    this.#words = new Uint32Array(capacity * 3)
    this.#mask = capacity - 1
  }

  get size(): number {
    return this.#size
  }

  /** Returns whether it is new. */
  add(first: number, second: number, third: number): boolean {
    if (this.#size >= (this.#mask + 1) * MAX_LOAD) this.#grow()
    // A slot of zeros is free; no hash is all zeros but one in 2^96.
    if (!this.#place(first, second, third)) return false
    this.#size += 1
    return true
  }

  #place(first: number, second: number, third: number): boolean {
    const words = this.#words
    for (let slot = (first & this.#mask) * 3; ; slot = slot + 3 === words.length ? 0 : slot + 3) {
      const held = words[slot] as number
      if (held === first && words[slot + 1] === second && words[slot + 2] === third) return false
      if (held !== 0 || words[slot + 1] !== 0 || words[slot + 2] !== 0) continue
      words[slot] = first
      words[slot + 1] = second
      words[slot + 2] = third
      return true
    }
  }

  #grow(): void {
    const old = this.#words
    this.#words = new Uint32Array(old.length * 2)
    this.#mask = this.#mask * 2 + 1
    for (let at = 0; at < old.length; at += 3) {
      const [first, second, third] = [old[at] as number, old[at + 1] as number, old[at + 2] as number]
      if (first !== 0 || second !== 0 || third !== 0) this.#place(first, second, third)
    }
  }
}

/** Map from a pair of numbers, both not negative, to a number. */
export class PairMap {
  #left: Int32Array<ArrayBuffer>
  #right: Int32Array<ArrayBuffer>
  #values: Int32Array<ArrayBuffer>
  #mask: number
  #size = 0

  constructor(capacity: number = 2 ** 12) {
    this.#left = new Int32Array(capacity).fill(-1)
    this.#right = new Int32Array(capacity)
    this.#values = new Int32Array(capacity)
    this.#mask = capacity - 1
  }

  get(left: number, right: number): number | undefined {
    const slot = this.#slotOf(left, right)
    return this.#left[slot] === -1 ? undefined : this.#values[slot]
  }

  set(left: number, right: number, value: number): void {
    if (this.#size >= (this.#mask + 1) * MAX_LOAD) this.#grow()
    const slot = this.#slotOf(left, right)
    if (this.#left[slot] === -1) this.#size += 1
    this.#left[slot] = left
    this.#right[slot] = right
    this.#values[slot] = value
  }

  #slotOf(left: number, right: number): number {
    let slot = Math.imul(left * 31 + right, 0x9e3779b1)
    slot = (slot ^ (slot >>> 15)) & this.#mask
    while (this.#left[slot] !== -1 && (this.#left[slot] !== left || this.#right[slot] !== right)) {
      slot = (slot + 1) & this.#mask
    }
    return slot
  }

  #grow(): void {
    const [lefts, rights, values] = [this.#left, this.#right, this.#values]
    this.#left = new Int32Array(lefts.length * 2).fill(-1)
    this.#right = new Int32Array(lefts.length * 2)
    this.#values = new Int32Array(lefts.length * 2)
    this.#mask = this.#mask * 2 + 1
    lefts.forEach((left, at) => {
      if (left === -1) return
      const right = rights[at] as number
      const slot = this.#slotOf(left, right)
      this.#left[slot] = left
      this.#right[slot] = right
      this.#values[slot] = values[at] as number
    })
  }
}

/** Numbers, appended one by one. */
export class NumberList {
  #numbers: Int32Array<ArrayBuffer> = new Int32Array(2 ** 12)
  #length = 0

  get length(): number {
    return this.#length
  }

  push(value: number): void {
    if (this.#length === this.#numbers.length) {
      const grown = new Int32Array(this.#numbers.length * 2)
      grown.set(this.#numbers)
      this.#numbers = grown
    }
    this.#numbers[this.#length++] = value
  }

  at(position: number): number {
    return this.#numbers[position] as number
  }

  clear(): void {
    this.#length = 0
  }
}
