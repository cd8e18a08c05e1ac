// Nodes differ in nothing but their names, so a state and the one with the names exchanged are one state. Each thing has
// a hash for each permutation; the hash of a cluster is that of the permutation under which it is smallest.
import { hash } from 'node:crypto'
import type { Permutation } from './node-state.js'

/** 32-bit words of a hash. */
export const HASH_WORDS = 3

/** All ways to rename `count` nodes; the identity first. */
export function permutationsOf(count: number): readonly Permutation[] {
  if (count === 0) return [[]]
  return permutationsOf(count - 1).flatMap((shorter) =>
    Array.from({ length: count }, (_, at) => {
      const position = count - 1 - at
      return [...shorter.slice(0, position), count - 1, ...shorter.slice(position)]
    }),
  )
}

/** Hashes of interned things: for each thing and each permutation HASH_WORDS words. */
export class HashTable {
  /** Of thing i and permutation p from (i * permutations + p) * HASH_WORDS on. */
  words: Uint32Array<ArrayBuffer>
  readonly #permutations: number
  #count = 0

  constructor(permutations: number) {
    this.#permutations = permutations
    this.words = new Uint32Array(1_024 * permutations * HASH_WORDS)
  }

  /** @param texts - of the thing under each permutation. Returns the number of the thing. */
  add(texts: readonly string[]): number {
    const start = this.#count * this.#permutations * HASH_WORDS
    if (start + this.#permutations * HASH_WORDS > this.words.length) {
      const grown = new Uint32Array(this.words.length * 2)
      grown.set(this.words)
      this.words = grown
    }
    texts.forEach((text, permutation) => {
      const digest = hash('sha256', text, 'buffer')
      for (let word = 0; word < HASH_WORDS; word++) {
        this.words[start + permutation * HASH_WORDS + word] = digest.readUInt32LE(word * 4)
      }
    })
    return this.#count++
  }
}
