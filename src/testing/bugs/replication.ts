// Seeded bugs of the log, its replication and what is committed (§5.3, §5.4.2).
import { termAt } from '../../core/log-trail.js'
import type { Quorum } from '../../core/quorum.js'
import type { CoreState } from '../../core/state.js'
import type { LogEntry, LogIndex, NodeId } from '../../core/types.js'
import type { Internals } from '../../node/internals.js'
import type { BugTable } from './seeded-bug.js'
import { alterMessages, hurry, received, tampered, withMessage } from './tampered-core.js'

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
  'conflict-kept': {
    description: 'a follower keeps entries that conflict with those of its leader',
    hazard: 'H22',
    internals: {
      rules: { firstNewEntry: (entries, log) => entries.findIndex(({ index }) => index > log.lastIndex) },
    },
  },
  'previous-term-unchecked': {
    description: 'a follower takes entries behind one of another term than the leader says',
    hazard: 'H25',
    internals: tampered(({ state }) => ({
      before: (event) => {
        const message = received(event, 'appendEntries') ?? received(event, 'heartbeat')
        const held = message === null ? null : termAt(state.log, message.prevLogIndex)
        return message === null || held === null ? event : withMessage(event, { ...message, prevLogTerm: held })
      },
    })),
  },
  'commit-follows-leader': {
    description: 'a follower commits what it holds up to leaderCommit, verified or not',
    hazard: 'H23',
    internals: withState((stateOf) => ({
      followerCommit: (leaderCommit) => Math.min(leaderCommit, stateOf().log.lastIndex),
    })),
  },
  'acknowledges-last-index': {
    description:
      'a follower acknowledges the last entry that it holds instead of what was verified, heartbeats included',
    hazard: 'H25',
    internals: tampered(({ state }) => ({
      after: (output, event) => {
        const message = received(event, 'heartbeat')
        if (event.type !== 'receive' || message === null || message.term !== state.currentTerm) return
        const verdict = { outcome: 'success', index: state.persistedIndex, hintIndex: 0, hintTerm: 0 } as const
        const { term, addedAt } = message
        const answer = { type: 'appendEntriesResponse', term, addedAt, ...verdict } as const
        output.messagesAfterPersist.push({ to: event.from, message: answer })
      },
    })),
  },
  'acknowledges-before-durable': {
    description: 'a follower acknowledges entries before they are durable',
    hazard: 'H26',
    internals: tampered(() => ({
      after: (output) => hurry(output, ({ type }) => type === 'appendEntriesResponse'),
    })),
  },
  'completion-of-overwritten-counts': {
    description: 'a write that completes makes durable what has meanwhile replaced its entries',
    hazard: 'H26',
    profile: 'divergence',
    internals: tampered(({ state }) => ({
      before: (event) => {
        if (event.type !== 'persisted' || event.index > state.log.lastIndex) return event
        return { ...event, epoch: state.epoch }
      },
    })),
  },
  'own-entries-before-durable': {
    description: 'a leader counts its own entries before they are durable',
    hazard: 'H27',
    internals: tampered(({ state }) => ({
      before: (event) => {
        if (state.role === 'leader') state.persistedIndex = state.log.lastIndex
        return event
      },
    })),
  },
  'sole-voter-skips-disk': {
    description: 'a leader that is the only voter commits before its disk',
    hazard: 'H7',
    internals: tampered(({ state }) => ({
      after: (output) => {
        const { lastIndex } = state.log
        if (state.role !== 'leader' || state.quorum.incoming.length > 1 || state.commitIndex === lastIndex) return
        state.persistedIndex = lastIndex
        state.commitIndex = lastIndex
        output.setCommitIndex(lastIndex)
      },
    })),
  },
  'half-commits': {
    description: 'in a cluster of even size half of the voters commit',
    hazard: 'H32',
    internals: { rules: { replicatedIndex: (quorum, matchIndexOf) => upperMedian(quorum, matchIndexOf) } },
  },
  'match-moves-on-refusal': {
    description: 'a refusal moves matchIndex to the index that was asked for',
    hazard: 'H24',
    internals: tampered(() => ({
      before: (event) => {
        const message = received(event, 'appendEntriesResponse')
        return message?.outcome === 'mismatch' ? withMessage(event, { ...message, outcome: 'success' }) : event
      },
    })),
  },
  'match-moves-back': {
    description: 'a late acknowledgement moves matchIndex back',
    hazard: 'H24',
    internals: tampered(({ state }) => ({
      after: (_output, event) => {
        const message = received(event, 'appendEntriesResponse')
        if (event.type !== 'receive' || message?.outcome !== 'success' || message.term < state.currentTerm) return
        const progress = state.progress.get(event.from)
        if (progress !== undefined) progress.matchIndex = Math.min(progress.matchIndex, message.index)
      },
    })),
  },
  'acknowledgements-of-earlier-terms': {
    description: 'a leader counts acknowledgements that it was given when it led an earlier term',
    hazard: 'H24',
    profile: 'divergence',
    internals: tampered(({ state }) => ({
      before: (event) => {
        const message = received(event, 'appendEntriesResponse')
        const isLate = message?.outcome === 'success' && message.term < state.currentTerm
        return isLate ? withMessage(event, { ...message, term: state.currentTerm }) : event
      },
    })),
  },
  'next-index-stays': {
    description: 'a leader never goes back where a follower refuses',
    hazard: 'H28',
    internals: tampered(({ state }) => ({
      before: (event) => {
        const message = received(event, 'appendEntriesResponse')
        return message?.outcome === 'mismatch' && message.term === state.currentTerm ? null : event
      },
    })),
  },
  'window-stays-full': {
    description: 'a leader waits for ever for the acknowledgement of what was lost',
    hazard: 'H29',
    internals: tampered(({ state }) => ({
      before: (event) => {
        const progress = received(event, 'heartbeatResponse') && 'from' in event && state.progress.get(event.from)
        if (progress) progress.waitingSince = event.now
        return event
      },
    })),
  },
  'idle-follower-misses-commit': {
    description: 'heartbeats do not carry commitIndex',
    hazard: 'H30',
    internals: tampered(() => ({
      after: (output) =>
        alterMessages(output, ({ message }) =>
          message.type === 'heartbeat' ? { ...message, leaderCommit: 0 } : message,
        ),
    })),
  },
  'log-time-runs-back': {
    description: 'a leader stamps entries with its own clock, whatever the last entry says',
    hazard: 'H127',
    internals: tampered(({ state }) => ({
      before: (event) => {
        state.logTime = 0
        return event
      },
    })),
  },
}

/** Rules that look at the whole state of the node under way; a step runs to its end before the next node's. */
function withState(rules: (stateOf: () => CoreState) => NonNullable<Internals['rules']>): Internals {
  let current: CoreState | null = null
  const stateOf = (): CoreState => {
    if (current === null) throw new Error('a rule was asked before the first step')
    return current
  }
  const watch = tampered(({ state }) => ({
    before: (event) => {
      current = state
      return event
    },
  }))
  return { ...watch, rules: rules(stateOf) }
}

/** Where the lower one of two middle values would be the majority's, the upper one. */
function upperMedian({ incoming }: Quorum, matchIndexOf: (id: NodeId) => LogIndex): LogIndex {
  const indexes = incoming.map(matchIndexOf).sort((one, other) => other - one)
  return indexes[Math.ceil(indexes.length / 2) - 1] ?? 0
}
