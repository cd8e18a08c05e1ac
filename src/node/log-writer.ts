// Writes of the log, one at a time: what is handed out while one is under way becomes the next, so that many proposals
// share one fsync (F9). Owns the rule that answers leave when every write handed out before them is durable, also those
// of an Output that writes nothing (H111). A failed write is never repeated (F31, H78).
import type { Envelope } from '../core/messages.js'
import type { Output } from '../core/output.js'
import type { HardState, LogEntry, LogIndex } from '../core/types.js'
import type { Clock } from '../interfaces/clock.js'
import type { LogStore, LogWrite, StoreIdentity } from '../interfaces/log-store.js'
import type { WriterPosition } from './internals.js'

/** Answers that may wait for one write; beyond it they are lost, which Raft bears: a disk that hangs must not fill memory. */
export const MAX_WAITING_ANSWERS = 16_384

/** What one write made durable. */
export interface DurableWrite {
  readonly hardState: HardState | null
  /** Last entry of the write; 0 when it held none. */
  readonly index: LogIndex
  readonly epoch: number
  /** Of the identity that it held; undefined for none. */
  readonly leasePromiseMs: number | undefined
}

export interface LogWriterHooks {
  readonly clock: Clock
  /** Sends what waited, in the order in which it was handed out. */
  readonly release: (envelopes: readonly Envelope[]) => void
  readonly onDurable: (write: DurableWrite, tookMs: number) => void
  /** The store failed: nothing will be written any more. */
  readonly onFailure: (error: unknown) => void
  readonly answersWait?: ((position: WriterPosition) => boolean) | undefined
}

/**
 * What one write takes together at most, bytes: who catches up gets more than that at once, and a store that encodes all of
 * it in one turn keeps heartbeats waiting (H16), as its disk keeps a vote. A single run that is larger is not divided.
 */
const MAX_BATCH_BYTES = 1024 * 1024

/** What an entry costs a store beside its payload, bytes. */
const ENTRY_COST_BYTES = 256

/** Everything of one write, merged from one Output or several. */
class Batch {
  #costBytes = 0

  resetTo: LogWrite['resetTo']
  identity: LogWrite['identity']
  entries: LogEntry[] = []
  epoch = 0
  hardState: HardState | undefined
  readonly envelopes: Envelope[] = []

  add({ append, hardState }: Pick<Output, 'append' | 'hardState'>): void {
    if (hardState !== undefined) this.hardState = hardState
    if (append === undefined) return
    const first = append.entries[0]?.index ?? 0
    // A later run replaces what it overlaps: the store drops its own suffix from the first entry of the write on.
    const kept = first - (this.entries[0]?.index ?? first)
    if (kept <= 0) this.entries = append.entries.slice()
    else {
      this.entries.length = Math.min(this.entries.length, kept)
      for (const entry of append.entries) this.entries.push(entry)
    }
    this.epoch = append.epoch
    for (const { data } of append.entries) this.#costBytes += data.byteLength + ENTRY_COST_BYTES
  }

  get isFull(): boolean {
    return this.#costBytes >= MAX_BATCH_BYTES
  }

  /** The log is replaced: what was to be written before is of the log that is gone. */
  reset(position: NonNullable<LogWrite['resetTo']>): void {
    this.resetTo = position
    this.entries = []
  }

  toLogWrite(): LogWrite {
    return {
      ...(this.resetTo === undefined ? {} : { resetTo: this.resetTo }),
      ...(this.hardState === undefined ? {} : { hardState: this.hardState }),
      ...(this.entries.length === 0 ? {} : { entries: this.entries }),
      ...(this.identity === undefined ? {} : { identity: this.identity }),
    }
  }
}

export class LogWriter {
  readonly #store: LogStore
  readonly #hooks: LogWriterHooks
  readonly #answersWait: (position: WriterPosition) => boolean
  #running: Batch | null = null
  /** Not begun yet, in the order in which they are to be written. */
  #waiting: Batch[] = []
  #writing: Promise<void> = Promise.resolve()
  #isClosed = false

  constructor(store: LogStore, hooks: LogWriterHooks) {
    this.#store = store
    this.#hooks = hooks
    this.#answersWait = hooks.answersWait ?? (({ writes, hasEarlierWrites }) => writes || hasEarlierWrites)
  }

  /** Takes what an Output wants written and the messages that wait for it. The write begins now unless one is under way. */
  submit(output: Pick<Output, 'append' | 'hardState' | 'messagesAfterPersist'>): void {
    if (this.#isClosed) return
    const writes = output.append !== undefined || output.hardState !== undefined
    const hasEarlierWrites = this.#running !== null || this.#waiting.length > 0
    if (writes) this.#open().add(output)
    if (output.messagesAfterPersist.length > 0) {
      const behind = this.#waiting.at(-1) ?? this.#running
      if (behind === null || !this.#answersWait({ writes, hasEarlierWrites })) {
        this.#hooks.release(output.messagesAfterPersist)
      } else {
        const room = MAX_WAITING_ANSWERS - behind.envelopes.length
        for (const envelope of output.messagesAfterPersist.slice(0, room)) behind.envelopes.push(envelope)
      }
    }
    if (this.#running === null && this.#waiting.length > 0) this.#writing = this.#run()
  }

  /** This store belongs to another cluster from now on, or made a promise: no answer leaves before that is durable. */
  submitIdentity(identity: StoreIdentity): void {
    if (this.#isClosed) return
    this.#open().identity = identity
    if (this.#running === null) this.#writing = this.#run()
  }

  /**
   * Replaces the whole log by a position, behind the write under way. Resolves when that is durable, or the writer was
   * closed or failed. Never rejects.
   */
  async reset(position: NonNullable<LogWrite['resetTo']>): Promise<void> {
    if (this.#isClosed) return
    this.#open().reset(position)
    if (this.#running === null) this.#writing = this.#run()
    await this.#writing
  }

  /** Begins no further write and releases nothing more. */
  close(): void {
    this.#isClosed = true
    this.#waiting = []
  }

  /** When all that was handed out is written, or nothing will be. Never rejects. */
  async idle(): Promise<void> {
    await this.#writing
  }

  /** The batch that what comes now belongs to. */
  #open(): Batch {
    const last = this.#waiting.at(-1)
    if (last !== undefined && !last.isFull) return last
    const batch = new Batch()
    this.#waiting.push(batch)
    return batch
  }

  async #run(): Promise<void> {
    try {
      for (let batch = this.#waiting.shift(); batch !== undefined; batch = this.#waiting.shift()) {
        this.#running = batch
        const beganAt = this.#hooks.clock.now()
        await this.#store.write(batch.toLogWrite())
        this.#running = null
        if (this.#isClosed) return
        this.#hooks.release(batch.envelopes)
        const index = batch.entries.at(-1)?.index ?? 0
        const { hardState = null, epoch, identity } = batch
        const durable = { hardState, index, epoch, leasePromiseMs: identity?.leasePromiseMs }
        this.#hooks.onDurable(durable, this.#hooks.clock.now() - beganAt)
      }
    } catch (error) {
      this.close()
      this.#hooks.onFailure(error)
    }
  }
}
