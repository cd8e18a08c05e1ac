// Seeded bugs of leases (thesis §6.4.1, F20): each lets another leader be elected while one still answers without asking. What a
// restart forgets is found by the model checker: chance alone hardly restarts a quorum within one lease.
import type { BugTable } from './seeded-bug.js'
import { tampered } from './tampered-core.js'

export const LEASE_BUGS: BugTable = {
  'lease-from-receipt': {
    description: 'a lease counts from when the answer came, not from when the leader had sent what it answers',
    hazard: 'H68',
    profile: 'lease',
    internals: { rules: { leaseBegins: (_sentMs, receivedMs) => receivedMs } },
  },
  'lease-by-stickiness-alone': {
    description:
      'a voter keeps no promise: it defends its leader for an election timeout of its own, as without leases',
    hazard: 'H117',
    profile: 'lease',
    internals: { rules: { isPromiseKept: () => false } },
  },
  'lease-ended-by-reset': {
    description: 'a voter that sees the connection of its leader end owes it nothing any more',
    hazard: 'H117',
    profile: 'lease',
    internals: tampered(({ state }) => ({
      before: (event) => {
        const isOfLeader = event.type === 'peerStatus' && event.status === 'reset' && event.peer === state.leaderId
        if (isOfLeader) state.promisedUntil = Number.NEGATIVE_INFINITY
        return event
      },
    })),
  },
  'lease-during-transfer': {
    description: 'a leader goes on with its lease after it told another one to campaign',
    hazard: 'H20, H117',
    profile: 'lease',
    internals: tampered(({ state }) => ({
      after: () => {
        state.hasEndedLease = false
      },
    })),
  },
  'lease-through-suspend': {
    description: 'a leader trusts a clock that stood still while its machine was suspended',
    hazard: 'H117',
    profile: 'lease',
    internals: { rules: { isClockJump: () => false } },
  },
}
