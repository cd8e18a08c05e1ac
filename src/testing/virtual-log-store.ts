// The log store of one incarnation on a disk without format: entries lie there as they are. Everything that it promises
// comes from the timeline of its disk.
import type { LogEntry, LogIndex } from '../core/types.js'
import type { RaftError } from '../errors.js'
import type { LogStore, LogWrite, RestoredLog } from '../interfaces/log-store.js'
import type { ProcessGate } from './process-gate.js'
import type { SimulationRandom } from './prng.js'
import type { VirtualDisk } from './virtual-disk.js'

export class VirtualLogStore implements LogStore {
  readonly #disk: VirtualDisk
  readonly #random: SimulationRandom
  readonly #gate: ProcessGate

  constructor(disk: VirtualDisk, random: SimulationRandom, gate: ProcessGate) {
    this.#disk = disk
    this.#random = random
    this.#gate = gate
  }

  open(): Promise<RestoredLog> {
    return this.#later(() => {
      // A store looks at its ends and at a sample when it opens, not at everything.
      const damage = this.#random.chance(0.5) ? this.#disk.damageIn(1, this.#disk.lastIndex) : null
      if (damage !== null) throw this.#damaged(damage, 'open')
      return this.#disk.restored()
    })
  }

  write(batch: LogWrite): Promise<void> {
    this.#gate.effect()
    if (this.#gate.isDead) return new Promise(() => {})
    return new Promise((resolve, reject) => {
      this.#disk.begin(batch, (error) => {
        this.#gate.enter('disk', () => (error === null ? resolve() : reject(error)))
      })
    })
  }

  read(first: LogIndex, last: LogIndex, maxBytes: number): Promise<readonly LogEntry[]> {
    return this.#later(() => {
      const damage = this.#disk.damageIn(first, last)
      if (damage !== null) throw this.#damaged(damage, 'read')
      const entries: LogEntry[] = []
      let bytes = 0
      for (let index = first; index <= last && (entries.length === 0 || bytes <= maxBytes); index++) {
        const entry = this.#disk.entryAt(index)
        if (entry === undefined) break
        bytes += entry.data.length
        if (entries.length === 0 || bytes <= maxBytes) entries.push({ ...entry, data: entry.data.slice() })
      }
      return entries
    })
  }

  /** At once, or some time later if no crash comes before. */
  compact(index: LogIndex): Promise<void> {
    this.#gate.effect()
    if (this.#gate.isDead) return new Promise(() => {})
    return this.#later(() => this.#disk.compact(index, this.#random.chance(0.5)))
  }

  close(): Promise<void> {
    return this.#later(() => {})
  }

  #damaged(error: RaftError, place: 'open' | 'read'): RaftError {
    this.#disk.damageFound(place)
    return error
  }

  #later<T>(answer: () => T): Promise<T> {
    return this.#disk.later(this.#gate, answer)
  }
}
