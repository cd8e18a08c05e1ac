// Whoever answers reads without a round must be the only one who may lead (thesis §6.4.1): looked at whenever somebody begins to.
import { hasJumped } from '../core/clocks.js'
import type { NodeId, Term } from '../core/types.js'
import type { RaftNode } from '../node/raft-node.js'
import type { Incarnation } from './incarnation.js'
import type { Invariants } from './invariants.js'

type Watched = Pick<Incarnation<never, never, unknown>, 'witness' | 'gate' | 'clock'> & {
  readonly node: Pick<RaftNode, 'status'>
}

interface Process {
  readonly id: NodeId
  readonly current: Watched | null
}

export function checkLeases(elected: NodeId, processes: readonly Process[], invariants: Invariants): void {
  const term = processes.find(({ id }) => id === elected)?.current?.witness.state?.currentTerm ?? 0
  for (const { id, current } of processes) {
    const leaseTerm = id === elected || current === null ? null : leaseTermOf(current)
    if (leaseTerm === null || leaseTerm >= term) continue
    const problem = `${elected} leads term ${term} while ${id} holds a lease of term ${leaseTerm}`
    invariants.fail('lease-exclusivity', `${problem} (H117)`)
  }
}

/** The term in which a node answers reads without a round just now; null for none, and while it is asleep. */
function leaseTermOf({ witness, gate, clock, node }: Watched): Term | null {
  const { coreState } = witness
  if (coreState === null || gate.isPaused || gate.isDead) return null
  // It has not looked at its clocks since it woke up.
  if (hasJumped(coreState, { now: clock.now(), wallTime: clock.wallTime() })) return null
  const { leaseRemainingMs, currentTerm } = node.status()
  return leaseRemainingMs > 0 ? currentTerm : null
}
