// Seeded bugs of sessions: a retry that is another command, answers that are not kept, a table that does not travel.
import type { BugTable } from './seeded-bug.js'

export const SESSION_BUGS: BugTable = {
  'session-retry-renumbered': {
    description: 'a command of a session that is sent again gets a number of its own',
    hazard: 'H114, H71',
    profile: 'sessions',
    internals: { nodeRules: { sequenceOfAttempt: (sequence, attempt) => sequence + attempt - 1 } },
  },
  'session-answer-not-kept': {
    description: 'what a command of a session returned is forgotten: who asks again is told that it never ran',
    hazard: 'H114',
    profile: 'sessions',
    internals: { nodeRules: { isSessionAnswerKept: () => false } },
  },
  'sessions-not-in-snapshot': {
    description: 'a snapshot holds the state and not the sessions: whoever is restored from it knows none',
    hazard: 'H51, H114',
    profile: 'sessions',
    internals: { nodeRules: { keepsSessionsInSnapshots: () => false } },
  },
}
