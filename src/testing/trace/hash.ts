// A running hash of 64 bits over numbers and texts: to compare two runs, not to resist anybody. Numbers go in by their
// bits, so that neither formatting nor locale nor the version of Node can change it.

/** Words that come again and again, as names of nodes and of messages do, are hashed once. */
const MAX_KNOWN_TEXTS = 1_024
const MAX_KNOWN_LENGTH = 32
const knownTexts = new Map<string, number>()

export class RunningHash {
  readonly #float = new Float64Array(1)
  readonly #words = new Uint32Array(this.#float.buffer)
  #low = 0x811c9dc5
  #high = 0x9dc5811c

  /** 16 hexadecimal digits; the same for the same input in the same order. */
  get hex(): string {
    const hex = (word: number): string => (word >>> 0).toString(16).padStart(8, '0')
    return hex(this.#high) + hex(this.#low)
  }

  number(value: number): void {
    // -0 and 0 are one number to us but not in bits.
    this.#float[0] = value + 0
    this.#word(this.#words[0] as number)
    this.#word(this.#words[1] as number)
  }

  /** Any plain value of the core, its maps, sets and bytes too, by its fields in their order; `undefined` is no field. */
  value(value: unknown): void {
    if (typeof value === 'number') return this.number(value)
    if (typeof value !== 'object' || value === null) return this.text(String(value))
    if (value instanceof Uint8Array) {
      this.#word(0x20000 + value.length)
      for (const byte of value) this.#word(byte)
    } else if (Array.isArray(value) || value instanceof Set || value instanceof Map) {
      this.#word(0x30000)
      for (const item of value) this.value(item)
      this.#word(0x30001)
    } else {
      this.#word(0x40000)
      for (const name in value) this.#field(name, (value as Readonly<Record<string, unknown>>)[name])
      this.#word(0x40001)
    }
  }

  text(text: string): void {
    this.#word(wordOf(text))
    this.#word(0x10000 + text.length)
  }

  #field(name: string, value: unknown): void {
    if (value === undefined) return
    this.text(name)
    this.value(value)
  }

  #word(word: number): void {
    const low = Math.imul(this.#low ^ word, 0x01000193)
    this.#low = low ^ (low >>> 15)
    const high = Math.imul(this.#high ^ (word + this.#low), 0x85ebca6b)
    this.#high = high ^ (high >>> 13)
  }
}

function wordOf(text: string): number {
  const known = knownTexts.get(text)
  if (known !== undefined) return known
  let word = 0x811c9dc5
  for (let at = 0; at < text.length; at++) word = Math.imul(word ^ text.charCodeAt(at), 0x01000193)
  if (text.length <= MAX_KNOWN_LENGTH && knownTexts.size < MAX_KNOWN_TEXTS) knownTexts.set(text, word)
  return word
}

/** The hash of some values. */
export function hashOf(...values: readonly unknown[]): string {
  const hash = new RunningHash()
  for (const value of values) hash.value(value)
  return hash.hex
}
