// The hash of a cluster, whatever its nodes are called: for each permutation the exclusive or of the hashes of all that
// it holds, and of these one that does not depend on which of the renamed clusters was met first.
import type { HashTable } from './symmetry.js'
import { HASH_WORDS } from './symmetry.js'

/** A cluster as numbers of interned things. */
export interface Cluster {
  /** State of each node. */
  readonly nodes: readonly number[]
  readonly history: number
  /** No packet twice; their order means nothing. */
  readonly packets: readonly number[]
}

interface Hashes {
  readonly permutations: readonly unknown[]
  readonly nodeHashes: HashTable
  readonly packetHashes: HashTable
  readonly historyHashes: HashTable
}

export class Canonical {
  /** The hash of the last cluster. */
  readonly words: Uint32Array<ArrayBuffer> = new Uint32Array(HASH_WORDS)
  readonly #hashes: Hashes
  readonly #candidate = new Uint32Array(HASH_WORDS)
  /** By permutation: one word for the nodes. */
  readonly #nodeWords: Uint32Array<ArrayBuffer>
  /** By permutation: the hash of the packets of `base`, once it is known. */
  readonly #baseWords: Uint32Array<ArrayBuffer>
  readonly #isBaseKnown: boolean[] = []
  #base: readonly number[] = []

  constructor(hashes: Hashes) {
    this.#hashes = hashes
    this.#nodeWords = new Uint32Array(hashes.permutations.length)
    this.#baseWords = new Uint32Array(hashes.permutations.length * HASH_WORDS)
  }

  /** Clusters that begin with these packets come next, many of them: their part of the hash is made once. */
  begin(packets: readonly number[]): void {
    this.#base = packets
    this.#isBaseKnown.length = 0
  }

  /** Leaves the hash in `words`. @param extendsBase - the first packets are those of `begin` */
  hash(cluster: Cluster, extendsBase = false): void {
    // The nodes alone choose the permutation, by one word; only where they tie is the whole cluster compared.
    const smallest = this.#smallestNodesWord(cluster)
    let isFirst = true
    this.#nodeWords.forEach((word, permutation) => {
      if (word !== smallest) return
      this.#hashUnder(cluster, permutation, extendsBase)
      if (isFirst || isLess(this.#candidate, this.words)) this.words.set(this.#candidate)
      isFirst = false
    })
  }

  #smallestNodesWord({ nodes }: Cluster): number {
    const { nodeHashes } = this.#hashes
    const count = this.#nodeWords.length
    let smallest = 0xffff_ffff
    for (let permutation = 0; permutation < count; permutation++) {
      let word = 0
      for (const node of nodes) word ^= nodeHashes.words[(node * count + permutation) * HASH_WORDS] as number
      word >>>= 0
      this.#nodeWords[permutation] = word
      if (word < smallest) smallest = word
    }
    return smallest
  }

  #hashUnder({ nodes, history, packets }: Cluster, permutation: number, extendsBase: boolean): void {
    const { nodeHashes, packetHashes, historyHashes } = this.#hashes
    this.#candidate.fill(0)
    this.#mix(historyHashes, history, permutation)
    for (const node of nodes) this.#mix(nodeHashes, node, permutation)
    const start = extendsBase ? this.#base.length : 0
    if (extendsBase) this.#mixBase(permutation)
    for (let at = start; at < packets.length; at++) this.#mix(packetHashes, packets[at] as number, permutation)
  }

  #mix({ words }: HashTable, number: number, permutation: number): void {
    const start = (number * this.#nodeWords.length + permutation) * HASH_WORDS
    xor(this.#candidate, words, start)
  }

  #mixBase(permutation: number): void {
    const start = permutation * HASH_WORDS
    if (this.#isBaseKnown[permutation] !== true) {
      const kept = this.#candidate.slice()
      this.#candidate.fill(0)
      for (const packet of this.#base) this.#mix(this.#hashes.packetHashes, packet, permutation)
      this.#baseWords.set(this.#candidate, start)
      this.#candidate.set(kept)
      this.#isBaseKnown[permutation] = true
    }
    xor(this.#candidate, this.#baseWords, start)
  }
}

function xor(into: Uint32Array, words: Uint32Array, start: number): void {
  into[0] = (into[0] as number) ^ (words[start] as number)
  into[1] = (into[1] as number) ^ (words[start + 1] as number)
  into[2] = (into[2] as number) ^ (words[start + 2] as number)
}

function isLess(one: Uint32Array, other: Uint32Array): boolean {
  for (let word = 0; word < HASH_WORDS; word++) {
    if (one[word] !== other[word]) return (one[word] as number) < (other[word] as number)
  }
  return false
}
