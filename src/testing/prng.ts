// The only source of chance in a simulation (assurance §1): a 64-bit seed, forked by label into streams that don't
// disturb each other, so that one more draw by the network moves nothing on the disks. Never used for secrets.

/** Largest seed, inclusive. */
export const MAX_SEED = 0xffff_ffff_ffff_ffffn

/** A stream of random numbers that is decided by a seed and a path of labels alone: the same on every machine. */
export class SimulationRandom {
  readonly #key: readonly [number, number]
  #a: number
  #b: number
  #c: number
  #d: number

  /** @param seed - 0 to 2^64 - 1; higher bits are dropped */
  constructor(seed: bigint | readonly [number, number]) {
    this.#key = typeof seed === 'bigint' ? halves(seed) : seed
    const [high, low] = this.#key
    this.#a = mix(low ^ 0x9e3779b9)
    this.#b = mix(high ^ this.#a)
    this.#c = mix(low ^ this.#b)
    // xoshiro's state must not be all zero.
    this.#d = mix(high ^ this.#c) | 1
  }

  /** A stream of its own for `label`; the same one however much was drawn from this stream before. */
  fork(label: string): SimulationRandom {
    let [high, low] = this.#key
    for (let at = 0; at < label.length; at++) {
      low = mix(low ^ label.charCodeAt(at))
      high = mix(high ^ low)
    }
    return new SimulationRandom([mix(high ^ 0x85ebca6b), low])
  }

  /** 32 random bits (xoshiro128**). */
  uint32(): number {
    const scaled = Math.imul(this.#b, 5)
    const result = Math.imul((scaled << 7) | (scaled >>> 25), 9) >>> 0
    const shifted = this.#b << 9
    this.#c ^= this.#a
    this.#d ^= this.#b
    this.#b ^= this.#c
    this.#a ^= this.#d
    this.#c ^= shifted
    this.#d = (this.#d << 11) | (this.#d >>> 21)
    return result
  }

  /** In [0, 1). */
  next(): number {
    return this.uint32() / 0x1_0000_0000
  }

  /** An integer in `min..max`, both included. */
  integer(min: number, max: number): number {
    return min + Math.floor(this.next() * (max - min + 1))
  }

  /** A number in [min, max). */
  between(min: number, max: number): number {
    return min + this.next() * (max - min)
  }

  /** True with that probability. */
  chance(probability: number): boolean {
    return this.next() < probability
  }

  /** One of the list, which must not be empty. */
  pick<T>(list: readonly T[]): T {
    if (list.length === 0) throw new RangeError('there is nothing to pick from an empty list')
    return list[this.integer(0, list.length - 1)] as T
  }

  /** The list in a random order. */
  shuffle<T>(list: readonly T[]): T[] {
    const shuffled = list.slice()
    for (let at = shuffled.length - 1; at > 0; at--) {
      const other = this.integer(0, at)
      const held = shuffled[at] as T
      shuffled[at] = shuffled[other] as T
      shuffled[other] = held
    }
    return shuffled
  }
}

function halves(seed: bigint): readonly [number, number] {
  return [Number((seed >> 32n) & 0xffff_ffffn), Number(seed & 0xffff_ffffn)]
}

/** A bijection of 32 bits in which each bit of the input moves half of the output. */
function mix(value: number): number {
  let mixed = (value + 0x6d2b79f5) | 0
  mixed = Math.imul(mixed ^ (mixed >>> 16), 0x21f0aaad)
  mixed = Math.imul(mixed ^ (mixed >>> 15), 0x735a2d97)
  return (mixed ^ (mixed >>> 15)) >>> 0
}
