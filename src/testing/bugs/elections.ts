// Seeded bugs of elections and votes (§5.2, §5.4.1, thesis §9.6).
import type { BugTable } from './seeded-bug.js'

export const ELECTION_BUGS: BugTable = {}
