// Seeded bugs: each replaces one decision of the library by a wrong one, so that the simulator can prove that it would
// notice (assurance §5). Nothing in production reaches this file.
import type { LogEntry } from '../core/types.js'
import type { Internals } from '../node/internals.js'

export interface SeededBug {
  /** What is done wrong. */
  readonly description: string
  /** The hazard that it is. */
  readonly hazard: string
  readonly internals: Internals
}

/** By name, as in `npm run sim -- --bug NAME`. */
export const BUGS: Readonly<Record<string, SeededBug>> = Object.freeze({
  'commit-old-term': {
    description: 'a leader counts replicas of entries of earlier terms (figure 8)',
    hazard: 'H21',
    internals: { rules: { countsForCommit: () => true } },
  },
  'answers-do-not-wait': {
    description: 'an answer leaves as soon as its own Output has nothing to write, before earlier writes are durable',
    hazard: 'H111',
    internals: { answersWait: ({ writes }) => writes },
  },
  'truncate-always': {
    description: 'a follower truncates on every AppendEntries instead of on a conflict only',
    hazard: 'H22',
    internals: { rules: { firstNewEntry: (entries: readonly LogEntry[]) => (entries.length > 0 ? 0 : -1) } },
  },
})

/** Names of all seeded bugs, in the order of the table. */
export function bugNames(): readonly string[] {
  return Object.keys(BUGS)
}
