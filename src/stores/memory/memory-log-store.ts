// A LogStore that lasts as long as its process: closed and opened again, as after a restart of the node, it has what
// was written. It survives nothing else. No Node built-ins: it runs in a browser. Never hands out or keeps memory of
// its caller (H96). Source: F35, figure 2 "persistent state".
import type { HardState, LogEntry, LogIndex } from '../../core/types.js'
import { RaftError } from '../../errors.js'
import type { LogStore, LogWrite, RestoredLog, StoreIdentity } from '../../interfaces/log-store.js'
import { EMPTY_SHAPE, type LogShape, restoredShape, shapeAfter, shapeCompacted } from '../log-shape.js'

/** A log in memory, for tests, examples and browsers. A second `open` without `close` is RAFT_LOCKED (H85). */
export class MemoryLogStore implements LogStore {
  #opened = false
  #hardState: HardState = { currentTerm: 0, votedFor: null }
  #identity: StoreIdentity | null = null
  #shape: LogShape = EMPTY_SHAPE
  /** The entries of `baseIndex + 1..lastIndex`. */
  #entries: LogEntry[] = []

  /** Rejects with RAFT_LOCKED while it is open. After `close` it may be opened again. */
  async open(): Promise<RestoredLog> {
    if (this.#opened) {
      throw new RaftError('RAFT_LOCKED', 'This MemoryLogStore is open already. Give each node a store of its own.')
    }
    this.#opened = true
    return {
      ...restoredShape(this.#shape),
      hardState: { ...this.#hardState },
      configurations: this.#shape.configurations.map((index) => copy(this.#entryAt(index))),
      identity: this.#identity === null ? null : { ...this.#identity },
    }
  }

  /** In effect when it returns. Rejects with RAFT_INVARIANT, and changes nothing, when the batch doesn't fit the log. */
  async write(batch: LogWrite): Promise<void> {
    this.#requireOpen('write')
    const shape = shapeAfter(this.#shape, batch)
    const entries = (batch.entries ?? []).map(copy)
    if (batch.resetTo !== undefined) this.#entries = []
    const baseIndex = shape.baseIndex
    const [first] = entries
    if (first !== undefined) {
      this.#entries.length = first.index - baseIndex - 1
      for (const entry of entries) this.#entries.push(entry)
    }
    this.#shape = shape
    if (batch.hardState !== undefined) this.#hardState = { ...batch.hardState }
    if (batch.identity !== undefined) this.#identity = { ...batch.identity }
  }

  async read(first: LogIndex, last: LogIndex, maxBytes: number): Promise<readonly LogEntry[]> {
    this.#requireOpen('read')
    const { baseIndex, lastIndex } = this.#shape
    const found: LogEntry[] = []
    if (first <= baseIndex || first > lastIndex) return found
    let bytes = 0
    for (let index = first; index <= Math.min(last, lastIndex); index++) {
      const entry = this.#entryAt(index)
      bytes += entry.data.byteLength
      if (bytes > maxBytes && found.length > 0) break
      found.push(copy(entry))
    }
    return found
  }

  async compact(index: LogIndex): Promise<void> {
    this.#requireOpen('compact')
    const shape = shapeCompacted(this.#shape, index)
    this.#entries.splice(0, shape.baseIndex - this.#shape.baseIndex)
    this.#shape = shape
  }

  async close(): Promise<void> {
    this.#opened = false
  }

  #entryAt(index: LogIndex): LogEntry {
    const entry = this.#entries[index - this.#shape.baseIndex - 1]
    if (entry === undefined) throw new RaftError('RAFT_CORRUPTION', `Entry ${index} is missing from a MemoryLogStore.`)
    return entry
  }

  #requireOpen(call: string): void {
    if (this.#opened) return
    throw new RaftError('RAFT_STOPPED', `${call} was called on a MemoryLogStore that is not open. Call open() first.`)
  }
}

function copy(entry: LogEntry): LogEntry {
  const { index, term, type, timestamp } = entry
  // Not entry.data.slice(): that of a Buffer is a view.
  return { index, term, type, timestamp, data: new Uint8Array(entry.data) }
}
