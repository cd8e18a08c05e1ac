// Applies committed, durable entries to the state machine, in order and one at a time (H76), and runs reads between two
// of them (H130). Yields to the event loop within a time budget, so that heartbeats go on under load (H16). Nothing is
// ever skipped: an error of the state machine stops the node (F31, H75).
import type { LogEntry, LogIndex, Term } from '../core/types.js'
import { RaftError } from '../errors.js'
import type { Clock } from '../interfaces/clock.js'
import type { EntryCache } from './entry-cache.js'
import { LEAVE_OFF } from './failures.js'
import type { LogReader } from './log-reader.js'
import { type ApplierWork, NODE_RULES, type NodeRules } from './node-rules.js'
import { isThenable } from './promises.js'
import type { Reads } from './reads.js'

/** How long one slice of work may keep the event loop, ms. */
export const SLICE_MS = 8
/** Payload of entries that are read from the store at once, bytes. */
const PAGE_BYTES: number = 1024 * 1024

export interface ApplierContext {
  /** What an entry of the application does; may give a promise. */
  readonly apply: (entry: LogEntry) => unknown
  readonly clock: Clock
  readonly cache: EntryCache
  readonly reader: LogReader
  readonly reads: Reads
  /** Last index that the state machine holds already. */
  readonly appliedIndex: LogIndex
  /** Its timestamp; what `appliedTimestamp` is until an entry is applied. @defaultValue 0 */
  readonly appliedTimestamp?: number | undefined
  /** Between two applies: whoever looks at the state may hold the next one, by a promise that never rejects. */
  readonly checkpoint?: (() => Promise<void> | null) | undefined
  /** After each entry, the no-ops too. */
  readonly onEntry: (index: LogIndex, term: Term, result: unknown) => void
  /** At the end of a slice in which something was applied. */
  readonly onBatch: (index: LogIndex) => void
  /** Asks that `pump` is called in a later turn. */
  readonly yieldTurn: () => void
  readonly onFailure: (error: unknown) => void
  readonly rules?: NodeRules | undefined
}

type Mutable<T> = { -readonly [Key in keyof T]: T[Key] }

export class Applier {
  readonly #context: ApplierContext
  readonly #rules: NodeRules
  #appliedIndex: LogIndex
  #appliedTimestamp: number
  #appliedBytes = 0
  /** A snapshot takes the place of the state: nothing is applied and no query runs. */
  #isPaused = false
  #onPaused: (() => void) | null = null
  /** May be applied: min(commitIndex, persistedIndex). */
  #target: LogIndex
  /** Last index that `onBatch` was told. */
  #reported: LogIndex
  #page: readonly LogEntry[] = []
  #isInSlice = false
  #sliceEndsAt = 0
  readonly #work: Mutable<ApplierWork> = { isApplying: false, isFetching: false, isHeld: false, queryCount: 0 }
  #isClosed = false

  constructor(context: ApplierContext) {
    this.#context = context
    this.#rules = context.rules ?? NODE_RULES
    this.#appliedIndex = context.appliedIndex
    this.#appliedTimestamp = context.appliedTimestamp ?? 0
    this.#target = context.appliedIndex
    this.#reported = context.appliedIndex
  }

  get appliedIndex(): LogIndex {
    return this.#appliedIndex
  }

  /** Of the entry at `appliedIndex`. */
  get appliedTimestamp(): number {
    return this.#appliedTimestamp
  }

  /** Payload of the entries applied since the start. */
  get appliedBytes(): number {
    return this.#appliedBytes
  }

  /** More may be applied. Nothing happens before `pump`. */
  advanceTo(index: LogIndex): void {
    this.#target = Math.max(this.#target, index)
  }

  /** Does what can be done now: due reads, then entries, until there are no more or the slice is over. */
  pump(): void {
    if (this.#isClosed || this.#isInSlice) return
    if (this.#work.isApplying) return this.#runReads()
    this.#sliceEndsAt = this.#context.clock.now() + SLICE_MS
    this.#runSlice()
  }

  /** Resolves when nothing reads or changes the state, and nothing begins to, until `resume` or `jump`. */
  pause(): Promise<void> {
    this.#isPaused = true
    return new Promise((resolve) => {
      this.#onPaused = resolve
      this.#tellPaused()
    })
  }

  /** Nothing took the place of the state. */
  resume(): void {
    this.#isPaused = false
    this.#context.yieldTurn()
  }

  /** The state machine holds the snapshot of `index` now, and apply goes on behind it. */
  jump(index: LogIndex, timestamp: number): void {
    this.#appliedIndex = index
    this.#appliedTimestamp = timestamp
    this.#target = index
    this.#reported = index
    this.#page = []
    this.resume()
  }

  /** Applies nothing more. */
  close(): void {
    this.#isClosed = true
    this.#page = []
    this.#tellPaused()
  }

  #runSlice(done?: { readonly entry: LogEntry; readonly result: unknown }): void {
    this.#isInSlice = true
    try {
      if (done !== undefined) this.#applied(done.entry, done.result)
      this.#runReads()
      this.#look()
      while (this.#mayApply() && this.#context.clock.now() < this.#sliceEndsAt && this.#step());
    } catch (error) {
      this.#fail(error)
    }
    this.#isInSlice = false
    this.#tellPaused()
    if (this.#isClosed || this.#work.isApplying) return
    if (this.#appliedIndex !== this.#reported) {
      this.#reported = this.#appliedIndex
      this.#context.onBatch(this.#appliedIndex)
    }
    if (this.#mayApply() || (this.#mayQuery() && this.#isReadDue())) this.#context.yieldTurn()
  }

  /** Reads that came while queries run wait for the next apply if there is one, or reads could starve it. */
  #mayQuery(): boolean {
    return !this.#isPaused && this.#rules.mayQuery(this.#work, this.#appliedIndex >= this.#target)
  }

  #mayApply(): boolean {
    const isStopped = this.#isClosed || this.#isPaused
    return !isStopped && this.#appliedIndex < this.#target && this.#rules.mayApply(this.#work)
  }

  #isReadDue(): boolean {
    return this.#context.reads.isDue(this.#appliedIndex)
  }

  /** Applies the next entry, or asks for it. Returns whether it is done. */
  #step(): boolean {
    const entry = this.#next()
    if (entry === undefined) {
      this.#fetch()
      return false
    }
    if (entry.type === 'noop' || entry.type === 'configuration') {
      this.#applied(entry, undefined)
      return true
    }
    let result: unknown
    let pending: PromiseLike<unknown> | undefined
    try {
      result = this.#context.apply(entry)
      if (isThenable(result)) pending = result
    } catch (error) {
      throw stateMachineError(entry, error)
    }
    if (pending === undefined) this.#applied(entry, result)
    else void this.#awaitApply(entry, pending)
    return !this.#work.isApplying
  }

  #next(): LogEntry | undefined {
    const index = this.#appliedIndex + 1
    const cached = this.#context.cache.get(index)
    if (cached !== undefined) return cached
    const first = this.#page[0]
    return first === undefined ? undefined : this.#page[index - first.index]
  }

  async #awaitApply(entry: LogEntry, result: PromiseLike<unknown>): Promise<void> {
    this.#work.isApplying = true
    let settled: unknown
    try {
      settled = await result
    } catch (error) {
      this.#fail(stateMachineError(entry, error))
      return
    }
    this.#work.isApplying = false
    if (this.#isClosed) return
    // The same slice goes on: promises that are settled at once must not keep the event loop for ever.
    this.#runSlice({ entry, result: settled })
  }

  #applied(entry: LogEntry, result: unknown): void {
    this.#appliedIndex = entry.index
    this.#appliedTimestamp = entry.timestamp
    this.#appliedBytes += entry.data.length
    this.#context.onEntry(entry.index, entry.term, result)
    if (this.#isReadDue()) this.#runReads()
    this.#look()
  }

  /** Nothing is half applied now. */
  #look(): void {
    if (this.#isClosed || this.#work.isHeld || this.#isPaused) return
    const held = this.#context.checkpoint?.() ?? null
    if (held === null) return
    this.#work.isHeld = true
    void held.then(() => {
      this.#work.isHeld = false
      this.#tellPaused()
      if (!this.#isClosed) this.#context.yieldTurn()
    })
  }

  /** Between two applies: everything whose index is applied now. */
  #runReads(): void {
    if (!this.#mayQuery() || !this.#isReadDue()) return
    for (const query of this.#context.reads.runDue(this.#appliedIndex)) {
      this.#work.queryCount += 1
      void query.then(() => {
        this.#work.queryCount -= 1
        this.#tellPaused()
        if (this.#work.queryCount === 0) this.#context.yieldTurn()
      })
    }
  }

  /** The next entries are not in memory: reads them in pages. */
  #fetch(): void {
    this.#work.isFetching = true
    const first = this.#appliedIndex + 1
    this.#context.reader.read(first, this.#target, PAGE_BYTES).then(
      (entries) => {
        this.#work.isFetching = false
        this.#page = entries
        if (entries.length > 0) this.pump()
        else this.#fail(missingError(first))
      },
      (error) => this.#fail(error),
    )
  }

  #tellPaused(): void {
    const { isApplying, isFetching, queryCount } = this.#work
    const isBusy = this.#isInSlice || this.#work.isHeld || isApplying || isFetching || queryCount > 0
    if (!this.#isClosed && (isBusy || !this.#isPaused)) return
    this.#onPaused?.()
    this.#onPaused = null
  }

  #fail(error: unknown): void {
    if (this.#isClosed) return
    this.close()
    this.#context.onFailure(error)
  }
}

function stateMachineError({ index, term }: LogEntry, cause: unknown): RaftError {
  const text = cause instanceof Error ? cause.message : String(cause)
  return new RaftError(
    'RAFT_STATE_MACHINE',
    `the state machine failed at entry ${index} of term ${term}: ${text}; this node stops, because skipping the entry ` +
      'would make its state differ from the others: fix the state machine (to refuse a command, return a value), then restart',
    { cause },
  )
}

function missingError(index: LogIndex): RaftError {
  return new RaftError(
    'RAFT_CORRUPTION',
    `the log store does not hold entry ${index}, which is committed and durable: ${LEAVE_OFF}`,
  )
}
