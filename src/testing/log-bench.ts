// What the cases of the log store suite are written with: a store under test that can be restarted or crashed, and
// entries to fill it. Ends every store that it began.
import type { LogEntry, LogIndex, Term } from '../core/types.js'
import type { LogStore, RestoredLog } from '../interfaces/log-store.js'
import { expectEqual, type StoreFactory } from './conformance.js'

/** One store under test. */
export class LogBench {
  readonly #factory: StoreFactory<LogStore>
  #store: LogStore | null = null

  constructor(factory: StoreFactory<LogStore>) {
    this.#factory = factory
  }

  /** The store that is open now. */
  get store(): LogStore {
    if (this.#store === null) throw new Error('the case has no open store: call open() or restart() first')
    return this.#store
  }

  get canCrash(): boolean {
    return this.#factory.crash !== undefined
  }

  async open(): Promise<RestoredLog> {
    this.#store = await this.#factory.create()
    return await this.#store.open()
  }

  /** Closes the store and opens what it left. */
  async restart(): Promise<RestoredLog> {
    await this.store.close()
    return await this.#reopen()
  }

  /** A power cut where the factory has one, else a restart. */
  async crash(): Promise<RestoredLog> {
    if (this.#factory.crash === undefined) return await this.restart()
    await this.#factory.crash()
    return await this.#reopen()
  }

  /** Checks the whole log by `read`, and that nothing lies around it. */
  async expectLog(expected: readonly LogEntry[], what: string): Promise<void> {
    const first = expected[0]?.index ?? 1
    const last = first + expected.length - 1
    if (expected.length > 0) expectEqual(await this.store.read(first, last, ALL), expected, what)
    expectEqual(await this.store.read(last + 1, last + 10, ALL), [], `${what}, behind its end`)
    if (first > 1) expectEqual(await this.store.read(first - 1, last, ALL), [], `${what}, before its beginning`)
  }

  async finish(): Promise<void> {
    try {
      await this.#store?.close()
    } finally {
      await this.#factory.destroy?.()
    }
  }

  async #reopen(): Promise<RestoredLog> {
    // A failing reopen must not leave a dead store to be closed.
    this.#store = null
    const store = await this.#factory.reopen()
    this.#store = store
    return await store.open()
  }
}

/** For `maxBytes`: no limit. */
export const ALL: number = Number.MAX_SAFE_INTEGER

/** A command whose bytes tell its index and term. */
export function command(index: LogIndex, term: Term, sizeBytes: number = 12): LogEntry {
  const data = new Uint8Array(sizeBytes)
  for (let at = 0; at < sizeBytes; at++) data[at] = (index * 31 + term * 7 + at) % 256
  return { index, term, type: 'command', timestamp: 1_700_000_000_000 + index, data }
}

/** Commands `first..last` of one term. */
export function commands(first: LogIndex, last: LogIndex, term: Term, sizeBytes: number = 12): readonly LogEntry[] {
  return Array.from({ length: last - first + 1 }, (_, i) => command(first + i, term, sizeBytes))
}

/** A configuration entry. The suite tests what the contract names, also where the core's own type doesn't have it yet. */
export function configurationEntry(index: LogIndex, term: Term): LogEntry {
  return { ...command(index, term, 40), type: 'configuration' as LogEntry['type'] }
}
