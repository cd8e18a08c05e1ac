// What must hold between any two events (figure 3 and the comments beside CoreState), as code. `checkState` is constant
// time and runs in production; `checkStep` compares before and after and is run by tests and the simulator.
import { assert } from './assert.js'
import { lastTerm, termAt } from './log-trail.js'
import type { Progress } from './progress.js'
import type { CoreState } from './state.js'
import type { LogIndex, NodeId, Term } from './types.js'

/** @throws InvariantViolation naming the first rule that is broken */
export function checkState(state: CoreState): void {
  const { log, commitIndex, lastApplied, persistedIndex, currentTerm } = state
  assert(persistedIndex <= log.lastIndex, `persistedIndex ${persistedIndex} is in the log up to ${log.lastIndex}`)
  assert(commitIndex <= log.lastIndex, `commitIndex ${commitIndex} is in the log up to ${log.lastIndex}`)
  assert(lastApplied <= commitIndex, `lastApplied ${lastApplied} is committed (${commitIndex})`)
  assert(lastApplied <= persistedIndex, `lastApplied ${lastApplied} is durable (${persistedIndex})`)
  assert(log.baseIndex <= state.snapshotIndex, `what was compacted up to ${log.baseIndex} is in a snapshot`)
  assert(state.snapshotIndex <= lastApplied, `the snapshot of ${state.snapshotIndex} holds what is applied`)
  assert(lastTerm(log) <= currentTerm, 'no entry is of a later term than currentTerm')
  assert(state.persistedHardState.currentTerm <= currentTerm, 'no later term than currentTerm is durable')
  assert(state.persistedLeasePromiseMs <= state.leasePromiseMs, 'no longer promise is durable than was ever to be made')
  assert(state.installing === null || state.role === 'follower', 'who installs a snapshot follows')
  if (state.role === 'leader') {
    assert(state.leaderId !== null, 'a leader knows who leads')
    assert(state.persistedHardState.currentTerm === currentTerm, 'a leader leads a durable term')
    const firstHeld = Math.max(state.termFirstIndex, log.baseIndex)
    assert(termAt(log, firstHeld) === currentTerm, "a leader's term begins with its own entry")
  } else {
    assert(state.progress.size === 0, 'only a leader keeps progress')
    assert(state.transfer === null, 'only a leader hands over')
  }
}

/** The part of a state that `checkStep` compares. */
export interface StateSummary {
  readonly currentTerm: Term
  readonly votedFor: NodeId | null
  readonly commitIndex: LogIndex
  readonly lastApplied: LogIndex
  readonly role: CoreState['role']
  readonly lastIndex: LogIndex
  readonly baseIndex: LogIndex
  readonly commitTerm: Term | null
  /** Of each replication session. */
  readonly matches: ReadonlyMap<NodeId, Pick<Progress, 'addedAt' | 'matchIndex'>>
}

export function summarize(state: CoreState): StateSummary {
  const { currentTerm, votedFor, commitIndex, lastApplied, role, log } = state
  const matches = new Map([...state.progress].map(([id, { addedAt, matchIndex }]) => [id, { addedAt, matchIndex }]))
  const commitTerm = termAt(log, commitIndex)
  const { lastIndex, baseIndex } = log
  return { currentTerm, votedFor, commitIndex, lastApplied, role, lastIndex, baseIndex, commitTerm, matches }
}

/** What one event may not do. @throws InvariantViolation */
export function checkStep(before: StateSummary, state: CoreState): void {
  assert(state.currentTerm >= before.currentTerm, 'currentTerm never falls')
  const sameTerm = state.currentTerm === before.currentTerm
  if (sameTerm && before.votedFor !== null) assert(state.votedFor === before.votedFor, 'a vote stands for its term')
  assert(state.commitIndex >= before.commitIndex, 'commitIndex never falls')
  assert(state.log.baseIndex >= before.baseIndex, 'the base of the log never falls')
  const isCompacted = before.commitIndex < state.log.baseIndex
  const commitTerm = isCompacted ? before.commitTerm : termAt(state.log, before.commitIndex)
  assert(commitTerm === before.commitTerm, 'what is committed stays in the log, or in a snapshot')
  assert(state.lastApplied >= before.lastApplied, 'lastApplied never falls')
  if (sameTerm && before.role === 'leader' && state.role === 'leader') {
    assert(state.log.lastIndex >= before.lastIndex, 'a leader only appends (figure 3)')
    for (const [id, { addedAt, matchIndex }] of before.matches) {
      const progress = state.progress.get(id)
      // Who was taken out and comes back has a session that begins anew (F12).
      if (progress?.addedAt !== addedAt) continue
      assert(progress.matchIndex >= matchIndex, `matchIndex of ${id} never falls`)
    }
  }
  const endsLeadership = before.role === 'leader' && state.role !== 'leader'
  assert(!endsLeadership || state.role === 'follower', 'a leader steps down to follower')
  assert(!(sameTerm && before.role === 'follower' && state.role === 'leader'), 'a follower campaigns before it leads')
}
