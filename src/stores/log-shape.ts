// The shape of a stored log without its payloads: where it begins and ends, where each term begins, where configuration
// entries stand. Shared by the log stores, which keep the entries themselves; pure, no I/O. Checks a LogWrite before
// anything is touched, so that a caller's mistake can't become a damaged log (H84). Sources: F35, paper figure 2.
import type { LogEntry, LogIndex, Term } from '../core/types.js'
import { RaftError } from '../errors.js'
import type { LogWrite, RestoredLog } from '../interfaces/log-store.js'

/** A run of entries of one term, from `first` to the next run or the end of the log. */
export interface TermRun {
  readonly first: LogIndex
  readonly term: Term
}

/** Immutable: a write makes a new one, which shares the arrays that it doesn't change. */
export interface LogShape {
  /** Position before the first entry; 0 and 0 for a log that begins at 1. */
  readonly baseIndex: LogIndex
  readonly baseTerm: Term
  /** `baseIndex` when there is no entry. */
  readonly lastIndex: LogIndex
  /** Rising in both; the first run begins at `baseIndex + 1`. Empty for an empty log. */
  readonly runs: readonly TermRun[]
  /** Indexes of the configuration entries, rising. */
  readonly configurations: readonly LogIndex[]
}

/** A log that never held anything. */
export const EMPTY_SHAPE: LogShape = Object.freeze({
  baseIndex: 0,
  baseTerm: 0,
  lastIndex: 0,
  runs: Object.freeze([]),
  configurations: Object.freeze([]),
})

/** The type of entries that stores index by position. A plain string: the core's union need not know it yet. */
const CONFIGURATION: string = 'configuration'

/** Whether the entry is one of those that `RestoredLog.configurations` returns. */
export function isConfiguration(entry: LogEntry): boolean {
  const type: string = entry.type
  return type === CONFIGURATION
}

/**
 * The shape after a write: `resetTo`, then truncation, then `entries`. Throws RAFT_INVARIANT when the batch doesn't fit
 * the log (a gap, a falling term, an entry at or below the base) or holds what can't be stored; nothing is changed then.
 */
export function shapeAfter(shape: LogShape, batch: LogWrite): LogShape {
  const start = batch.resetTo === undefined ? shape : resetShape(batch.resetTo)
  const [first] = batch.entries ?? []
  if (batch.entries === undefined || first === undefined) return start
  if (!Number.isSafeInteger(first.index) || first.index <= start.baseIndex || first.index > start.lastIndex + 1) {
    throw misfit(`entries from index ${first.index} don't fit a log of ${start.baseIndex + 1}..${start.lastIndex}`)
  }
  return append(truncate(start, first.index), batch.entries)
}

/** The shape without the entries up to `index`; the same object when there is nothing to forget. */
export function shapeCompacted(shape: LogShape, index: LogIndex): LogShape {
  if (!Number.isSafeInteger(index) || index < 0) throw misfit(`${index} is not an index to compact to`)
  const baseIndex = Math.min(index, shape.lastIndex)
  if (baseIndex <= shape.baseIndex) return shape
  const runs = shape.runs.filter((_, i) => (shape.runs[i + 1]?.first ?? shape.lastIndex + 1) > baseIndex + 1)
  return {
    baseIndex,
    baseTerm: termAt(shape, baseIndex),
    lastIndex: shape.lastIndex,
    runs: runs.map((run) => (run.first > baseIndex ? run : { first: baseIndex + 1, term: run.term })),
    configurations: shape.configurations.filter((at) => at > baseIndex),
  }
}

/** Term of the entry at `index`, which lies in `baseIndex..lastIndex`. */
export function termAt(shape: LogShape, index: LogIndex): Term {
  if (index === shape.baseIndex) return shape.baseTerm
  return shape.runs.findLast((run) => run.first <= index)?.term ?? shape.baseTerm
}

/** What is wrong with a shape that was read back, in words; null when nothing is (H84). */
export function shapeProblem(shape: LogShape): string | null {
  const { baseIndex, baseTerm, lastIndex, runs, configurations } = shape
  if (lastIndex < baseIndex) return `the log ends at ${lastIndex}, before its base ${baseIndex}`
  if (lastIndex === baseIndex && runs.length > 0) return `the log is empty but has ${runs.length} term runs`
  if (lastIndex > baseIndex && runs[0]?.first !== baseIndex + 1) {
    return `the first term run begins at ${runs[0]?.first ?? 'no index'}, the log at ${baseIndex + 1}`
  }
  let previous: TermRun = { first: baseIndex, term: baseTerm }
  for (const [i, run] of runs.entries()) {
    const rises = i === 0 ? run.term >= previous.term && run.term > 0 : run.term > previous.term
    if (run.first <= previous.first || run.first > lastIndex || !rises) {
      return `the run of term ${run.term} from ${run.first} doesn't follow term ${previous.term} at ${previous.first} in a log that ends at ${lastIndex}`
    }
    previous = run
  }
  const outside = configurations.find((at) => at <= baseIndex || at > lastIndex)
  return outside === undefined
    ? null
    : `a configuration is noted at ${outside}, outside of ${baseIndex + 1}..${lastIndex}`
}

/** The part of RestoredLog that the shape knows. */
export function restoredShape(
  shape: LogShape,
): Pick<RestoredLog, 'firstIndex' | 'lastIndex' | 'previousTerm' | 'termRuns'> {
  return {
    firstIndex: shape.baseIndex + 1,
    lastIndex: shape.lastIndex,
    previousTerm: shape.baseTerm,
    termRuns: shape.runs.map((run) => ({ ...run })),
  }
}

function resetShape(position: { readonly index: LogIndex; readonly term: Term }): LogShape {
  const { index, term } = position
  // One is kept free above it: firstIndex is index + 1 and must be exact too.
  if (!Number.isSafeInteger(index + 1) || index < 0 || !Number.isSafeInteger(term) || term < 0) {
    throw misfit(`{ index: ${index}, term: ${term} } is not a position to reset to`)
  }
  return { baseIndex: index, baseTerm: term, lastIndex: index, runs: [], configurations: [] }
}

function truncate(shape: LogShape, from: LogIndex): LogShape {
  if (from > shape.lastIndex) return shape
  return {
    ...shape,
    lastIndex: from - 1,
    runs: shape.runs.filter((run) => run.first < from),
    configurations: shape.configurations.filter((at) => at < from),
  }
}

function append(shape: LogShape, entries: readonly LogEntry[]): LogShape {
  const added: TermRun[] = []
  const configurations: LogIndex[] = []
  let lastIndex = shape.lastIndex
  let term = shape.runs.at(-1)?.term ?? shape.baseTerm
  let empty = shape.runs.length === 0
  for (const entry of entries) {
    checkEntry(entry, lastIndex + 1, term)
    if (entry.term > term || empty) added.push({ first: entry.index, term: entry.term })
    if (isConfiguration(entry)) configurations.push(entry.index)
    empty = false
    term = entry.term
    lastIndex = entry.index
  }
  return {
    ...shape,
    lastIndex,
    // The same array where nothing is added: an append of the current term costs nothing here.
    runs: added.length === 0 ? shape.runs : [...shape.runs, ...added],
    configurations: configurations.length === 0 ? shape.configurations : [...shape.configurations, ...configurations],
  }
}

function checkEntry(entry: LogEntry, expected: LogIndex, previousTerm: Term): void {
  const { index, term, timestamp } = entry
  if (index !== expected) throw misfit(`an entry of index ${index} stands where ${expected} belongs`)
  if (!Number.isSafeInteger(index)) throw misfit(`index ${index} is not below 2^53`)
  if (!Number.isSafeInteger(term) || term < 1 || term < previousTerm) {
    throw misfit(`entry ${index} has term ${term} after term ${previousTerm}`)
  }
  if (!Number.isFinite(timestamp)) throw misfit(`entry ${index} has the timestamp ${timestamp}`)
  if (!(entry.data instanceof Uint8Array)) throw misfit(`the data of entry ${index} is not a Uint8Array`)
}

function misfit(what: string): RaftError {
  return new RaftError(
    'RAFT_INVARIANT',
    `The log write was refused, nothing of it was stored: ${what}. This is a defect of the caller: report it.`,
  )
}
