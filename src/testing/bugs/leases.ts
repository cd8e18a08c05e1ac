// Seeded bugs of leases (thesis §6.4.1, F20): each lets another leader be elected while one still answers without asking.
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
  'lease-forgotten-at-restart': {
    description: 'a voter that restarts knows nothing of what it promised',
    hazard: 'H69',
    profile: 'lease',
    internals: tampered(({ state }) => {
      state.promisedUntil = Number.NEGATIVE_INFINITY
      return {}
    }),
  },
  'lease-restart-by-own-timeout': {
    description: 'a voter that restarts waits for an election timeout of its own, not as long as it ever promised',
    hazard: 'H117, H69',
    profile: 'lease',
    internals: tampered(({ state, options }) => {
      state.promisedUntil = Math.min(state.promisedUntil, state.now + options.electionTimeoutMs)
      return {}
    }),
  },
  'lease-promise-not-durable': {
    description: 'a voter promises before its disk knows that it promises such long leases',
    hazard: 'H69',
    profile: 'lease',
    internals: { rules: { isPromiseDurable: () => true } },
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
  'lease-of-other-voters': {
    description: 'promises of voters from before a change of the configuration count behind it',
    hazard: 'H117',
    profile: 'lease',
    internals: tampered(({ state }) => {
      let before = new Map<string, number>()
      return {
        before: (event) => {
          before = new Map([...state.progress].map(([id, { promisedUntil }]) => [id, promisedUntil]))
          return event
        },
        after: () => {
          state.leaseNotBefore = Number.NEGATIVE_INFINITY
          for (const [id, progress] of state.progress) {
            progress.promisedUntil = Math.max(progress.promisedUntil, before.get(id) ?? Number.NEGATIVE_INFINITY)
          }
        },
      }
    }),
  },
}
