// Seeded bugs of reads and of forwarded proposals (§8, thesis §6.4).
import type { BugTable } from './seeded-bug.js'

export const READ_BUGS: BugTable = {}
