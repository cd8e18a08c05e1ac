// Histories of a correct key-value store with a known verdict, for the benchmark and the tests: each operation takes
// effect at one moment between its invocation and its return, so the history is linearizable; a planted stale read makes
// it provably not so. All from one stream of random numbers.
import type { SimulationRandom } from '../prng.js'
import type { Operation } from '../report.js'
import type { KvInput, KvOutput } from './models/kv.js'

export interface HistoryShape {
  readonly operationCount: number
  readonly keyCount: number
  readonly clientCount: number
  /** How many operations have an unknown outcome; half of these took effect. */
  readonly unknownRatio: number
}

export type KvOperation = Operation<KvInput, KvOutput>

/** One key in ten is a counter: half reads, half `add`. The others: reads 1/2, set, cas and del of unique values. */
const KEYS_PER_COUNTER = 10
const MAX_GAP_MS = 3
const MAX_HALF_MS = 10
/** An unknown operation may take effect that much later than an answered one. */
const MAX_LATE_MS = 500

interface Call {
  readonly client: number
  readonly input: KvInput
  readonly invokedMs: number
  /** When it takes effect. */
  readonly atMs: number
  readonly returnedMs: number
}

/** Linearizable, in the order in which the operations took effect. */
export function correctHistory(random: SimulationRandom, shape: HistoryShape): KvOperation[] {
  const store = new CorrectStore(random, shape)
  const history: KvOperation[] = []
  const calls = Array.from({ length: shape.clientCount }, (_, client) => store.call(client, 0))
  while (history.length < shape.operationCount) {
    const call = calls.reduce((first, other) => (other.atMs < first.atMs ? other : first))
    history.push(store.answer(call))
    calls[call.client] = store.call(call.client, call.returnedMs)
  }
  return history
}

/**
 * Replaces the answer of one read by a value that was overwritten for certain before it was invoked: all values are
 * unique, so nobody can have written it again. Looks from the middle of the history on.
 * @returns that read
 */
export function plantStaleRead(history: KvOperation[]): KvOperation {
  for (let at = history.length >> 1; at < history.length; at++) {
    const read = history[at] as KvOperation
    if (read.input.op !== 'get' || read.outcome !== 'ok') continue
    const { key } = read.input
    const overwriter = lastSet(history, key, read.invokedMs)
    const overwritten = overwriter && lastSet(history, key, overwriter.invokedMs)
    if (overwritten?.input.op !== 'set') continue
    const stale: KvOperation = { ...read, output: overwritten.input.value }
    history[at] = stale
    return stale
  }
  throw new RangeError('the history has no read behind two sets of its key')
}

function lastSet(history: readonly KvOperation[], key: string, beforeMs: number): KvOperation | undefined {
  return history.findLast(
    ({ input, outcome, returnedMs }) =>
      input.op === 'set' && input.key === key && outcome === 'ok' && returnedMs < beforeMs,
  )
}

class CorrectStore {
  readonly #random: SimulationRandom
  readonly #shape: HistoryShape
  readonly #values = new Map<string, string>()
  /** Reads and deletions by key, made once. */
  readonly #gets: readonly KvInput[]
  readonly #dels: readonly KvInput[]
  /** Unknown operations that take effect later; a few at a time. */
  readonly #late: { input: KvInput; atMs: number }[] = []
  #valueCount = 0

  constructor(random: SimulationRandom, shape: HistoryShape) {
    this.#random = random
    this.#shape = shape
    const keys = Array.from({ length: shape.keyCount }, (_, number) => `k${number}`)
    this.#gets = keys.map((key) => ({ op: 'get', key }))
    this.#dels = keys.map((key) => ({ op: 'del', key }))
  }

  /** The next call of a client that is free from `freeMs` on. */
  call(client: number, freeMs: number): Call {
    const invokedMs = freeMs + this.#random.integer(0, MAX_GAP_MS)
    const atMs = invokedMs + this.#random.integer(0, MAX_HALF_MS)
    return { client, input: this.#input(), invokedMs, atMs, returnedMs: atMs + this.#random.integer(1, MAX_HALF_MS) }
  }

  /** Calls must come in the order of `atMs`. */
  answer({ client, input, invokedMs, atMs, returnedMs }: Call): KvOperation {
    this.#applyLate(atMs)
    if (!this.#random.chance(this.#shape.unknownRatio)) {
      return { client, input, invokedMs, returnedMs, outcome: 'ok', output: this.#apply(input) }
    }
    if (this.#random.chance(0.5)) this.#late.push({ input, atMs: atMs + this.#random.integer(0, MAX_LATE_MS) })
    return { client, input, invokedMs, returnedMs: Number.POSITIVE_INFINITY, outcome: 'unknown' }
  }

  #applyLate(nowMs: number): void {
    for (let at = 0; at < this.#late.length; ) {
      const { input, atMs } = this.#late[at] as { input: KvInput; atMs: number }
      if (atMs > nowMs) at += 1
      else {
        this.#apply(input)
        this.#late.splice(at, 1)
      }
    }
  }

  #input(): KvInput {
    const number = this.#random.integer(0, this.#shape.keyCount - 1)
    const get = this.#gets[number] as KvInput
    const { key } = get
    const draw = this.#random.next()
    if (draw < 0.5) return get
    if (number % KEYS_PER_COUNTER === 0) return { op: 'add', key, by: this.#random.integer(1, 3) }
    if (draw < 0.85) return { op: 'set', key, value: this.#uniqueValue() }
    if (draw < 0.95) return { op: 'cas', key, from: this.#values.get(key) ?? null, to: this.#uniqueValue() }
    return this.#dels[number] as KvInput
  }

  #uniqueValue(): string {
    this.#valueCount += 1
    return `v${this.#valueCount}`
  }

  #apply(input: KvInput): KvOutput {
    const { key } = input
    const value = this.#values.get(key)
    switch (input.op) {
      case 'get':
        return value ?? null
      case 'del':
        return this.#values.delete(key)
      case 'set':
        this.#values.set(key, input.value)
        return true
      case 'cas':
        if ((value ?? null) !== input.from) return false
        this.#values.set(key, input.to)
        return true
      case 'add': {
        const sum = Number(value ?? 0) + input.by
        this.#values.set(key, String(sum))
        return sum
      }
    }
  }
}
