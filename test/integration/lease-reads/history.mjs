// What clients asked for and were told, by the clock of the process that they are in, and its judge.
import { checkLinearizability, models } from 'helios-raft/testing'

const CALL_TIMEOUT_MS = 2_000
const KEYS = ['w', 'x', 'y', 'z']

export class History {
  counts = { reads: 0, leaseReads: 0, followerReads: 0, localReads: 0, writes: 0, unknownWrites: 0 }
  /** What calls failed with, and how often. */
  codes = new Map()
  #strict = []
  #bounded = []
  #lastValue = 0

  /** Settles alike whatever becomes of it; true if it was written. */
  async write(process, client, key = anyKey()) {
    this.#lastValue += 1
    const input = { op: 'set', key, value: `${this.#lastValue}` }
    const outcome = await this.#record({
      list: this.#strict,
      operation: { client, input },
      work: () => process.ask('set', { key, value: input.value, timeoutMs: CALL_TIMEOUT_MS }),
    })
    if (outcome === 'ok') this.counts.writes += 1
    if (outcome === 'unknown') this.counts.unknownWrites += 1
    return outcome === 'ok'
  }

  /** A read of any consistency but `local`. */
  async read(process, client, { consistency, key = anyKey() }) {
    return await this.#read(process, { list: this.#strict, client, key, options: { consistency } })
  }

  /** May see what was so at any time since `maxStalenessMs` before it was asked for: as if it had begun then. */
  async readLocal(process, client, maxStalenessMs) {
    const options = { consistency: 'local', maxStalenessMs }
    return await this.#read(process, { list: this.#bounded, client, key: anyKey(), options })
  }

  /** Lease reads of each key, and local ones; when all have settled. */
  async burst(process, count) {
    const reads = Array.from({ length: count }, (_, at) => {
      const client = `burst-${at}`
      if (at % 5 === 4) return this.readLocal(process, client, 100)
      return this.read(process, client, { consistency: 'lease', key: KEYS[at % KEYS.length] })
    })
    await Promise.all(reads)
  }

  /** Writes each key by that process until it was acknowledged, or `isOver`. */
  async writeAll(process, isOver = () => false) {
    const writeOne = async (key) => {
      while (!(await this.write(process, 'parent', key)) && !isOver());
    }
    await Promise.all(KEYS.map(writeOne))
  }

  async readAll(process) {
    const read = (key) => this.read(process, 'parent', { consistency: 'linearizable', key })
    return await Promise.all(KEYS.map(read))
  }

  /** First without the local reads, which would hide nothing but make the counterexample longer. */
  judge() {
    const strict = checkLinearizability(models.kv(), this.#strict)
    if (strict.verdict !== 'ok') return strict
    return checkLinearizability(models.kv(), [...this.#strict, ...this.#bounded])
  }

  async #read(process, { list, client, key, options }) {
    const staleMs = options.maxStalenessMs ?? 0
    const work = async () => {
      const { value, byLease, role } = await process.ask('get', { key, ...options, timeoutMs: CALL_TIMEOUT_MS })
      this.counts.reads += 1
      if (byLease) this.counts.leaseReads += 1
      if (options.consistency === 'lease' && role !== 'leader') this.counts.followerReads += 1
      if (options.consistency === 'local') this.counts.localReads += 1
      return value
    }
    const outcome = await this.#record({ list, operation: { client, input: { op: 'get', key } }, work, staleMs })
    return outcome === 'ok'
  }

  async #record({ list, operation, work, staleMs = 0 }) {
    const invokedMs = performance.now() - staleMs
    const ended = (rest) => {
      list.push({ ...operation, invokedMs, returnedMs: performance.now(), ...rest })
      return rest.outcome
    }
    try {
      return ended({ output: (await work()) ?? null, outcome: 'ok' })
    } catch ({ code, outcome }) {
      this.codes.set(code, (this.codes.get(code) ?? 0) + 1)
      return ended({ outcome })
    }
  }
}

function anyKey() {
  return KEYS[Math.floor(Math.random() * KEYS.length)]
}
