// Seeded bugs of the log, its replication and what is committed (§5.3, §5.4.2).
import type { LogEntry } from '../../core/types.js'
import type { BugTable } from './seeded-bug.js'

export const REPLICATION_BUGS: BugTable = {
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
}
