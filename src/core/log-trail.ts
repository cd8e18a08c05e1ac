// What the core knows of the log without holding a payload: where it begins, where each term begins, where it ends, and
// which configurations stand in it (design of §5.3's log matching). Its size grows with terms, not with entries.
import { assert } from './assert.js'
import type { Configuration, LogEntry, LogIndex, Term } from './types.js'

/** A run of entries of one term, from `first` to the next run or the end. */
interface TermRun {
  readonly first: LogIndex
  readonly term: Term
}

export interface LogTrail {
  /** Position before the first entry: index 0 and term 0, or the last one that was compacted. */
  baseIndex: LogIndex
  baseTerm: Term
  lastIndex: LogIndex
  readonly runs: TermRun[]
  /** Rising by index; the last one is in force. Empty where none is known. */
  readonly configurations: { readonly index: LogIndex; readonly configuration: Configuration }[]
}

/** Term of the entry at `index`, of the base too; null when the log does not hold it. */
export function termAt(log: LogTrail, index: LogIndex): Term | null {
  if (index === log.baseIndex) return log.baseTerm
  if (index < log.baseIndex || index > log.lastIndex) return null
  const run = log.runs[runHolding(log, index)]
  assert(run !== undefined, `entry ${index} belongs to a run of a term`)
  return run.term
}

/** Term of the last entry, or of the base where there is none. */
export function lastTerm(log: LogTrail): Term {
  return log.runs.at(-1)?.term ?? log.baseTerm
}

/** Whether the entry at `index` has `term`: then all before it are the same too (log matching property). */
export function hasEntry(log: LogTrail, index: LogIndex, term: Term): boolean {
  return termAt(log, index) === term
}

/**
 * Whether the log of the leader that sent (`index`, `term`) is this one up to there. What was compacted is committed, so
 * that every later leader holds it (leader completeness): below the base there is nothing left to compare.
 */
export function matchesLeader(log: LogTrail, index: LogIndex, term: Term): boolean {
  return index < log.baseIndex || hasEntry(log, index, term)
}

/** Adds entries `first..last` of one term at the end. */
export function appendRun(log: LogTrail, run: { first: LogIndex; last: LogIndex; term: Term }): void {
  assert(
    run.first === log.lastIndex + 1 && run.last >= run.first,
    `entries ${run.first}..${run.last} follow ${log.lastIndex}`,
  )
  assert(run.term >= lastTerm(log), `terms never fall along the log: ${run.term} after ${lastTerm(log)}`)
  if (log.runs.length === 0 || run.term !== lastTerm(log)) log.runs.push({ first: run.first, term: run.term })
  log.lastIndex = run.last
}

/** Drops entry `index` and everything behind it. */
export function truncateFrom(log: LogTrail, index: LogIndex): void {
  assert(index > log.baseIndex && index <= log.lastIndex, `entry ${index} is in the log that ends at ${log.lastIndex}`)
  while ((log.runs.at(-1)?.first ?? 0) >= index) log.runs.pop()
  while ((log.configurations.at(-1)?.index ?? 0) >= index) log.configurations.pop()
  log.lastIndex = index - 1
}

/** Forgets entries up to `index`, whose term stays known (§7). */
export function compactUpTo(log: LogTrail, index: LogIndex): void {
  const term = termAt(log, index)
  assert(term !== null && index > log.baseIndex, `entry ${index} is in the log ${log.baseIndex + 1}..${log.lastIndex}`)
  const held = runHolding(log, index)
  log.runs.splice(0, held)
  const [first] = log.runs
  if (index === log.lastIndex) log.runs.length = 0
  else if (first !== undefined) {
    // The run that holds `index` ends there, or goes on behind it.
    if (log.runs[1]?.first === index + 1) log.runs.shift()
    else log.runs[0] = { first: index + 1, term: first.term }
  }
  // The last configuration at or below the base is what a truncation behind it goes back to (H43).
  const inForce = log.configurations.findLastIndex((configuration) => configuration.index <= index)
  if (inForce > 0) log.configurations.splice(0, inForce)
  log.baseIndex = index
  log.baseTerm = term
}

/** Forgets everything: the log is empty behind a position that a snapshot stands for (§7). */
export function resetTo(log: LogTrail, { index, term }: { readonly index: LogIndex; readonly term: Term }): void {
  assert(index > log.baseIndex, `the base of the log only rises: ${index} is not behind ${log.baseIndex}`)
  log.runs.length = 0
  log.configurations.length = 0
  log.baseIndex = index
  log.baseTerm = term
  log.lastIndex = index
}

/**
 * The largest index at or below `index` whose term is at most `term`; the base when there is none. Both sides of a
 * mismatch skip a whole term with it (F8). `index` is not below the base.
 */
export function lastIndexOfTermAtMost(log: LogTrail, index: LogIndex, term: Term): LogIndex {
  assert(index >= log.baseIndex, `nothing is known of ${index}, which lies below the base ${log.baseIndex}`)
  let at = Math.min(index, log.lastIndex)
  for (let run = runHolding(log, at); run >= 0 && at > log.baseIndex; run--) {
    const { first, term: runTerm } = log.runs[run] as TermRun
    if (runTerm <= term) return at
    at = first - 1
  }
  return log.baseIndex
}

/** Whether an entry that the log holds is of another term than the one at its index in `entries`. */
export function hasConflict(log: LogTrail, entries: readonly LogEntry[]): boolean {
  const conflicts = ({ index, term }: LogEntry) => {
    const held = termAt(log, index)
    return held !== null && held !== term
  }
  return entries.some(conflicts)
}

/** Position in `runs` of the run that holds `index`; -1 for an index at or below the base. */
function runHolding(log: LogTrail, index: LogIndex): number {
  let low = 0
  let high = log.runs.length - 1
  if (high >= 0 && (log.runs[high] as TermRun).first <= index) return high
  while (low <= high) {
    const middle = (low + high) >> 1
    if ((log.runs[middle] as TermRun).first <= index) low = middle + 1
    else high = middle - 1
  }
  return high
}
