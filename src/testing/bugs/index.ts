// All seeded bugs in one table.
import { DRIVER_BUGS } from './driver.js'
import { ELECTION_BUGS } from './elections.js'
import { FORWARD_BUGS } from './forwards.js'
import { IDENTITY_BUGS } from './identity.js'
import { LEASE_BUGS } from './leases.js'
import { MEMBERSHIP_BUGS } from './membership.js'
import { READ_BUGS } from './reads.js'
import { REPLICATION_BUGS } from './replication.js'
import { SESSION_BUGS } from './sessions.js'
import { SNAPSHOT_BUGS } from './snapshots.js'
import { STORAGE_BUGS } from './storage.js'
import { TRANSFER_BUGS } from './transfers.js'
import type { BugTable } from './seeded-bug.js'

export type { BugTable, SeededBug } from './seeded-bug.js'

/** By name, as in `npm run sim -- --bug NAME`. */
export const BUGS: BugTable = Object.freeze({
  ...ELECTION_BUGS,
  ...REPLICATION_BUGS,
  ...READ_BUGS,
  ...FORWARD_BUGS,
  ...DRIVER_BUGS,
  ...STORAGE_BUGS,
  ...TRANSFER_BUGS,
  ...SNAPSHOT_BUGS,
  ...MEMBERSHIP_BUGS,
  ...IDENTITY_BUGS,
  ...SESSION_BUGS,
  ...LEASE_BUGS,
})

/** Names of all seeded bugs, in the order of the table. */
export function bugNames(): readonly string[] {
  return Object.keys(BUGS)
}
