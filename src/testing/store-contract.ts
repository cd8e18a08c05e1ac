// Holds a node to the contract of LogStore: no call after close, no close during a write, no write after one that failed.
// It changes nothing of what the store answers.
import type { LogEntry, LogIndex } from '../core/types.js'
import type { LogStore, LogWrite, RestoredLog } from '../interfaces/log-store.js'

export interface StoreContract {
  readonly isWriting: () => boolean
  readonly onMisuse: (problem: string) => void
}

/** The store of one incarnation, watched. */
export class ContractedStore implements LogStore {
  readonly #inner: LogStore
  readonly #contract: StoreContract
  #isClosed = false
  #hasFailed = false

  constructor(inner: LogStore, contract: StoreContract) {
    this.#inner = inner
    this.#contract = contract
  }

  open(): Promise<RestoredLog> {
    return this.#inner.open()
  }

  async write(batch: LogWrite): Promise<void> {
    this.#checkOpen('write')
    if (this.#hasFailed) this.#contract.onMisuse('write was called after a write had failed (H78)')
    try {
      await this.#inner.write(batch)
    } catch (error) {
      this.#hasFailed = true
      throw error
    }
  }

  read(first: LogIndex, last: LogIndex, maxBytes: number): Promise<readonly LogEntry[]> {
    this.#checkOpen('read')
    return this.#inner.read(first, last, maxBytes)
  }

  compact(index: LogIndex): Promise<void> {
    this.#checkOpen('compact')
    return this.#inner.compact(index)
  }

  close(): Promise<void> {
    if (!this.#isClosed && this.#contract.isWriting()) this.#contract.onMisuse('close was called during a write')
    this.#isClosed = true
    return this.#inner.close()
  }

  #checkOpen(call: string): void {
    if (this.#isClosed) this.#contract.onMisuse(`${call} was called after close`)
  }
}
