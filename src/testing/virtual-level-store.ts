// The shipped LevelLogStore on a simulated disk: its own code reads and writes records, and what it restores is held
// against what the disk knows to be durable. Part of the runs of the simulator use it in place of a disk without format.
import { isDeepStrictEqual } from 'node:util'
import type { LogEntry, LogIndex } from '../core/types.js'
import { isRaftError } from '../errors.js'
import type { LogStore, LogWrite, RestoredLog } from '../interfaces/log-store.js'
import { LevelLogStore } from '../stores/level/level-log-store.js'
import { Serial } from '../stores/level/serial.js'
import type { ProcessGate } from './process-gate.js'
import type { VirtualDisk } from './virtual-disk.js'
import { type LevelChange, type VirtualLevel, VirtualLevelDatabase } from './virtual-level.js'

export interface VirtualLevelStoreOptions {
  readonly disk: VirtualDisk
  readonly level: VirtualLevel
  readonly gate: ProcessGate
  /** Settles in the time that a read takes, and never once the process is dead. */
  readonly later: <T>(answer: () => T) => Promise<T>
  readonly onMisuse: (problem: string) => void
  /** The store found what is rotten. */
  readonly onDamageFound: (place: 'open' | 'read') => void
}

/** The log store of one incarnation. */
export class VirtualLevelStore implements LogStore {
  readonly #options: VirtualLevelStoreOptions
  readonly #inner: LevelLogStore
  /** The batch that the store writes now; null while it makes its first records. */
  #batch: LogWrite | null = null
  /** The last write before the first compaction; from then on they go through `turns`. */
  #writing: Promise<void> | null = null
  #takesTurns = false
  readonly #turns = new Serial()
  /** Where the compaction under way goes to; 0 for none. */
  #compactTo: LogIndex = 0

  constructor(options: VirtualLevelStoreOptions) {
    this.#options = options
    const write = (changes: readonly LevelChange[], sync: boolean): Promise<void> => this.#writeChanges(changes, sync)
    this.#inner = new LevelLogStore({
      database: new VirtualLevelDatabase(options.level, { later: options.later, write }),
    })
  }

  async open(): Promise<RestoredLog> {
    const { disk, onMisuse } = this.#options
    const restored = await this.#watchDamage(this.#inner.open(), 'open')
    const due = disk.restored()
    // What a write under way at the crash left is known to the disk too: it kept it or lost it.
    if (!isDeepStrictEqual(restored, due)) onMisuse('LevelLogStore did not restore what was durable')
    return restored
  }

  write(batch: LogWrite): Promise<void> {
    if (this.#takesTurns) return this.#turns.run(() => this.#write(batch))
    this.#writing = this.#write(batch)
    return this.#writing
  }

  async #write(batch: LogWrite): Promise<void> {
    if (this.#options.gate.isDead) return new Promise(() => {})
    this.#batch = batch
    await this.#inner.write(batch)
  }

  read(first: LogIndex, last: LogIndex, maxBytes: number): Promise<readonly LogEntry[]> {
    return this.#watchDamage(this.#inner.read(first, last, maxBytes), 'read')
  }

  /** Takes turns with writes, so that it is known what each change of the records is for. */
  compact(index: LogIndex): Promise<void> {
    if (!this.#takesTurns) void this.#turns.run(async () => await this.#writing).catch(() => {})
    this.#takesTurns = true
    return this.#turns.run(async () => {
      if (this.#options.gate.isDead) return new Promise(() => {})
      this.#compactTo = index
      try {
        await this.#inner.compact(index)
      } finally {
        this.#compactTo = 0
      }
    })
  }

  close(): Promise<void> {
    return this.#inner.close()
  }

  #writeChanges(changes: readonly LevelChange[], isSynced: boolean): Promise<void> {
    const { disk, level, gate } = this.#options
    gate.effect()
    if (gate.isDead) return new Promise(() => {})
    const batch = this.#batch ?? {}
    this.#batch = null
    return new Promise((resolve, reject) => {
      const settle = (error: Error | null): void => {
        gate.enter('disk', () => (error === null ? resolve() : reject(error)))
      }
      const compactTo = this.#compactTo
      if (compactTo > 0) disk.willForget(compactTo)
      disk.begin(batch, settle, () => {
        level.apply(changes, isSynced)
        if (compactTo > 0) disk.forget(compactTo)
      })
    })
  }

  async #watchDamage<T>(reading: Promise<T>, place: 'open' | 'read'): Promise<T> {
    try {
      return await reading
    } catch (error) {
      if (isRaftError(error, 'RAFT_CORRUPTION') && this.#options.disk.isRotten) this.#options.onDamageFound(place)
      throw error
    }
  }
}
