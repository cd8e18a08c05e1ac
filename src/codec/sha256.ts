// SHA-256 (FIPS 180-4) in plain JavaScript, for modules that run in a browser and in the simulator: the platform's own
// digest answers from another thread, at a moment that virtual time can't own. It guards against damage, it keeps no
// secret. Stores on disk use the native one.

/** The first 32 bits of the fractional parts of the cube roots of the first 64 primes. */
const ROUND_CONSTANTS: Uint32Array = fractions(64, 1 / 3)
/** The same of the square roots of the first 8 primes. */
const INITIAL_STATE: Uint32Array = fractions(8, 1 / 2)
const BLOCK_BYTES = 64
const LENGTH_BYTES = 8

/** An incremental SHA-256. */
export class Sha256 {
  readonly #state: Uint32Array<ArrayBuffer> = INITIAL_STATE.slice()
  readonly #words: Uint32Array<ArrayBuffer> = new Uint32Array(64)
  readonly #block: Uint8Array<ArrayBuffer> = new Uint8Array(BLOCK_BYTES)
  readonly #view: DataView = new DataView(this.#block.buffer)
  #length = 0
  #filled = 0

  /** Takes more of the content. Keeps no reference to `bytes`. */
  update(bytes: Uint8Array): this {
    this.#length += bytes.byteLength
    let offset = 0
    while (offset < bytes.byteLength) {
      const taken = Math.min(BLOCK_BYTES - this.#filled, bytes.byteLength - offset)
      this.#block.set(bytes.subarray(offset, offset + taken), this.#filled)
      this.#filled += taken
      offset += taken
      if (this.#filled === BLOCK_BYTES) this.#compress()
    }
    return this
  }

  /** The 32 bytes of the digest. The object is spent afterwards. */
  digest(): Uint8Array<ArrayBuffer> {
    const bits = this.#length * 8
    this.#block[this.#filled++] = 0x80
    this.#block.fill(0, this.#filled)
    if (this.#filled > BLOCK_BYTES - LENGTH_BYTES) {
      this.#compress()
      this.#block.fill(0)
    }
    this.#view.setUint32(BLOCK_BYTES - LENGTH_BYTES, Math.floor(bits / 0x1_0000_0000))
    this.#view.setUint32(BLOCK_BYTES - 4, bits % 0x1_0000_0000)
    this.#compress()
    const digest = new Uint8Array(32)
    const view = new DataView(digest.buffer)
    this.#state.forEach((word, i) => {
      view.setUint32(i * 4, word)
    })
    return digest
  }

  #compress(): void {
    const words = this.#words
    for (let i = 0; i < 16; i++) words[i] = this.#view.getUint32(i * 4)
    for (let i = 16; i < 64; i++) {
      const early = word(words, i - 15)
      const late = word(words, i - 2)
      const mixedEarly = rotate(early, 7) ^ rotate(early, 18) ^ (early >>> 3)
      const mixedLate = rotate(late, 17) ^ rotate(late, 19) ^ (late >>> 10)
      words[i] = word(words, i - 16) + mixedEarly + word(words, i - 7) + mixedLate
    }
    mix(this.#state, words)
    this.#filled = 0
  }
}

/** SHA-256 of one piece of content, 32 bytes. */
export function sha256(bytes: Uint8Array): Uint8Array<ArrayBuffer> {
  return new Sha256().update(bytes).digest()
}

/** The 64 rounds over one block (FIPS 180-4 §6.2.2, steps 2 to 4, in the standard's letters). */
function mix(state: Uint32Array, words: Uint32Array): void {
  let [a = 0, b = 0, c = 0, d = 0, e = 0, f = 0, g = 0, h = 0] = state
  for (let i = 0; i < 64; i++) {
    const choice = (e & f) ^ (~e & g)
    const first =
      h + (rotate(e, 6) ^ rotate(e, 11) ^ rotate(e, 25)) + choice + word(ROUND_CONSTANTS, i) + word(words, i)
    const majority = (a & b) ^ (a & c) ^ (b & c)
    const second = (rotate(a, 2) ^ rotate(a, 13) ^ rotate(a, 22)) + majority
    h = g
    g = f
    f = e
    e = (d + first) | 0
    d = c
    c = b
    b = a
    a = (first + second) | 0
  }
  const sums = [a, b, c, d, e, f, g, h]
  sums.forEach((sum, i) => {
    state[i] = word(state, i) + sum
  })
}

function word(words: Uint32Array, i: number): number {
  return words[i] ?? 0
}

function rotate(value: number, by: number): number {
  return (value >>> by) | (value << (32 - by))
}

function fractions(count: number, power: number): Uint32Array<ArrayBuffer> {
  const result = new Uint32Array(count)
  for (let found = 0, candidate = 2; found < count; candidate++) {
    if (!isPrime(candidate)) continue
    result[found++] = Math.floor((candidate ** power % 1) * 0x1_0000_0000)
  }
  return result
}

function isPrime(candidate: number): boolean {
  for (let divisor = 2; divisor * divisor <= candidate; divisor++) if (candidate % divisor === 0) return false
  return true
}
