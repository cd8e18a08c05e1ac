// How much a node has taken in and is not done with (F13, H33). What a client may still propose is what is left of
// `limits.uncommittedBytes` beside the proposals that wait and, on a leader, the entries that are not applied. What a
// follower may still receive counts only what this node works off by itself: writes and applies. Entries that are durable
// and not committed never count there, because they may need just the entries that would be refused to be committed.
import type { LogEntry, LogIndex } from '../core/types.js'
import type { ResolvedLimits } from './options.js'

/** Entries that a leader holds unapplied at most, whatever their size: each costs memory and disk beside its payload. */
export const MAX_UNAPPLIED_ENTRIES = 1_048_576

interface Run {
  readonly first: LogIndex
  readonly last: LogIndex
  readonly bytes: number
}

/** Bytes of the runs that reached some stage; `next` is the first run that did not. */
interface Stage {
  next: number
  bytes: number
}

/** Read whenever it counts: it may change. */
export interface BudgetSettings {
  readonly limits: Pick<ResolvedLimits, 'uncommittedBytes'>
}

export class LogBudget {
  readonly #settings: BudgetSettings
  #waitingBytes = 0
  #logBytes = 0
  /** Of what was appended since the start. */
  #lastIndex: LogIndex = 0
  #appliedIndex: LogIndex = 0
  /** One per append that is not applied. Those before `#head` are. */
  #runs: Run[] = []
  #head = 0
  /** Of the runs from `#head` on. */
  readonly #persisted: Stage = { next: 0, bytes: 0 }
  readonly #committed: Stage = { next: 0, bytes: 0 }

  constructor(settings: BudgetSettings) {
    this.#settings = settings
  }

  /** What counts against a proposal. */
  usedBytes(isLeader: boolean): number {
    return this.#waitingBytes + (isLeader ? this.#logBytes : 0)
  }

  /** Entries that were appended since the start and are not applied. */
  get unappliedEntries(): number {
    return Math.max(0, this.#lastIndex - this.#appliedIndex)
  }

  /** Less than half of what may be under way is: producers may go on. */
  isHalfFree(isLeader: boolean): boolean {
    const isFewEntries = !isLeader || this.unappliedEntries < MAX_UNAPPLIED_ENTRIES / 2
    return isFewEntries && this.usedBytes(isLeader) < this.#limitBytes / 2
  }

  /** Bytes that may still be proposed, beside `extraBytes`. Whatever its size, something is taken when nothing is under way (H34). */
  proposableBytes(isLeader: boolean, extraBytes = 0): number {
    // Below zero, because commands may be empty.
    if (isLeader && this.unappliedEntries >= MAX_UNAPPLIED_ENTRIES) return -1
    return this.#remaining(this.usedBytes(isLeader) + extraBytes)
  }

  /** Bytes of entries that may still be received from a leader, beside `extraBytes`. */
  receivableBytes(extraBytes = 0): number {
    return this.#remaining(this.#logBytes - this.#persisted.bytes + this.#committed.bytes + extraBytes)
  }

  /** A proposal waits to be appended, or is passed on to the leader. */
  addWaiting(bytes: number): void {
    this.#waitingBytes += bytes
  }

  removeWaiting(bytes: number): void {
    this.#waitingBytes -= bytes
  }

  /** Entries went into the log; from the first of them on, earlier ones are gone. */
  append(entries: readonly LogEntry[]): void {
    const first = entries[0]
    if (first === undefined) return
    this.#truncate(first.index)
    if (this.#lastIndex === 0) this.#appliedIndex = first.index - 1
    this.#lastIndex = first.index + entries.length - 1
    let bytes = 0
    for (const entry of entries) bytes += entry.data.length
    this.#push({ first: first.index, last: first.index + entries.length - 1, bytes })
    // What is left of a run that was cut may be applied already, and nobody would say so again.
    this.applied(this.#appliedIndex)
  }

  /** Everything up to `index` is durable. */
  persisted(index: LogIndex): void {
    this.#advance(this.#persisted, index)
  }

  /** Everything up to `index` is committed. */
  committed(index: LogIndex): void {
    this.#advance(this.#committed, index)
  }

  /** Everything up to `index` is applied. */
  applied(index: LogIndex): void {
    this.#appliedIndex = Math.max(this.#appliedIndex, index)
    this.#advance(this.#persisted, index)
    this.#advance(this.#committed, index)
    for (;;) {
      const run = this.#runs[this.#head]
      if (run === undefined || run.last > index) break
      this.#head += 1
      this.#logBytes -= run.bytes
      this.#persisted.bytes -= run.bytes
      this.#committed.bytes -= run.bytes
    }
    if (this.#head <= 64 || this.#head * 2 <= this.#runs.length) return
    this.#runs = this.#runs.slice(this.#head)
    this.#persisted.next -= this.#head
    this.#committed.next -= this.#head
    this.#head = 0
  }

  /** The log was replaced by a snapshot of `index`, which is applied. */
  reset(index: LogIndex): void {
    this.#runs = []
    this.#head = 0
    this.#logBytes = 0
    for (const stage of [this.#persisted, this.#committed]) {
      stage.next = 0
      stage.bytes = 0
    }
    this.#lastIndex = index
    this.#appliedIndex = index
  }

  get #limitBytes(): number {
    return this.#settings.limits.uncommittedBytes
  }

  #remaining(usedBytes: number): number {
    return usedBytes === 0 ? Number.POSITIVE_INFINITY : Math.max(0, this.#limitBytes - usedBytes)
  }

  #advance(stage: Stage, index: LogIndex): void {
    for (let run = this.#runs[stage.next]; run !== undefined && run.last <= index; run = this.#runs[stage.next]) {
      stage.next += 1
      stage.bytes += run.bytes
    }
  }

  #truncate(index: LogIndex): void {
    for (let tail = this.#runs.at(-1); tail !== undefined && tail.last >= index; tail = this.#runs.at(-1)) {
      if (this.#runs.length === this.#head) return
      this.#pop(tail)
      // Of a run that is cut only the size of the whole is known: what stays of it counts in full until it is applied.
      if (tail.first < index) this.#push({ first: tail.first, last: index - 1, bytes: tail.bytes })
    }
  }

  #pop(tail: Run): void {
    this.#runs.pop()
    this.#logBytes -= tail.bytes
    for (const stage of [this.#persisted, this.#committed]) {
      if (stage.next <= this.#runs.length) continue
      stage.next -= 1
      stage.bytes -= tail.bytes
    }
  }

  #push(run: Run): void {
    if (run.bytes === 0) return
    this.#runs.push(run)
    this.#logBytes += run.bytes
  }
}
