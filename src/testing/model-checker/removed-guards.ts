// Guards taken away, one at a time: each must lead the checker to a counterexample. They replace a rule of the core, or
// change what the environment does with its events and Outputs. No production path reaches this file.
import type { Rules } from '../../core/rules.js'
import type { CoreEvent } from '../../core/event.js'
import type { Output } from '../../core/output.js'
import type { Envelope } from '../../core/messages.js'
import type { CoreState } from '../../core/state.js'
import type { LogEntry, LogIndex } from '../../core/types.js'
import { BUGS } from '../bugs/index.js'
import type { AnswersWait, Disk } from './disk.js'
import type { Invariant } from './invariants.js'
import { recovered } from './snapshots.js'

export interface RemovedGuard {
  /** What is done wrong. */
  readonly description: string
  /** The hazard that it is. */
  readonly hazard: string
  /** The model that finds it, by name; null where that is not known. */
  readonly model: string | null
  /** The invariant that it is found by; null where that is not known. */
  readonly breaks: Invariant | null
  /** Checks that would notice earlier, and are left out so that the harm itself is seen. */
  readonly ignores?: readonly Invariant[]
  readonly rules?: Partial<Rules>
  readonly answersWait?: AnswersWait
  /** Who starts on an empty disk takes the list of its options for a configuration. */
  readonly listIsConfiguration?: boolean
  /** What recovery makes of a disk. */
  readonly recovered?: (disk: Disk) => Disk
  /** What the core gets instead of an event. */
  readonly changeEvent?: (event: CoreEvent, state: CoreState) => CoreEvent
  /** What becomes of the core's state after each step. */
  readonly tampers?: (state: CoreState) => void
  /** What the core gets beside what the Output asks for, before anything else. */
  readonly eventsAfter?: (event: CoreEvent, output: Output, state: CoreState) => readonly CoreEvent[]
}

export const REMOVED_GUARDS: Readonly<Record<string, RemovedGuard>> = Object.freeze({
  'vote-twice': {
    description: 'a voter grants every candidate of a term',
    hazard: 'H5',
    model: 'elections',
    breaks: 'election safety',
    ignores: ['core assertion', 'a step changes what it may', 'votes are never changed', 'durable before sent'],
    rules: { hasVoteFor: () => true },
  },
  'answers-leave-first': {
    description: 'votes and acknowledgements leave before they are durable',
    hazard: 'H1',
    model: 'elections',
    breaks: 'election safety',
    ignores: ['durable before sent', 'committed is durable on a quorum'],
    answersWait: () => false,
  },
  'answers-do-not-wait': {
    description: 'an answer leaves as soon as its own Output has nothing to write, before earlier writes are durable',
    hazard: 'H111',
    model: 'elections',
    breaks: 'election safety',
    ignores: ['durable before sent', 'committed is durable on a quorum'],
    answersWait: ({ writes }) => writes,
  },
  'pre-votes-count-as-votes': {
    description: 'a grant of a pre-vote is counted as a vote',
    hazard: 'H11',
    model: 'pre-vote',
    breaks: 'election safety',
    changeEvent: preVoteAsVote,
  },
  'not-sticky': {
    description: 'a node that just heard its leader helps to replace it',
    hazard: 'H13',
    model: 'pre-vote',
    breaks: 'who is led helps nobody',
    rules: { isSticky: () => false },
  },
  'any-log-is-up-to-date': {
    description: 'a vote is granted whatever the log of the candidate',
    hazard: 'H19',
    model: 'figure-8',
    breaks: 'leader completeness',
    ignores: ['core assertion'],
    rules: { isUpToDate: () => true },
  },
  'truncate-always': {
    description: 'a follower truncates on every AppendEntries instead of on a conflict only',
    hazard: 'H22',
    model: 'replication',
    breaks: 'committed is durable on a quorum',
    ignores: ['core assertion', 'durable before sent'],
    rules: { firstNewEntry: (entries: readonly LogEntry[]) => (entries.length > 0 ? 0 : -1) },
  },
  'commit-beyond-verified': {
    description: 'a follower commits up to leaderCommit, whatever the message verified',
    hazard: 'H23',
    model: 'catch-up',
    breaks: 'state machine safety',
    ignores: ['core assertion'],
    rules: { followerCommit: (leaderCommit: LogIndex) => leaderCommit },
  },
  'own-entries-count-early': {
    description: 'a leader counts its own entries before they are durable',
    hazard: 'H26',
    model: 'replication',
    breaks: 'committed is durable on a quorum',
    ignores: ['what the core takes for durable is durable'],
    eventsAfter: ownEntriesPersisted,
  },
  'old-completions-count': {
    description: 'the completion of an overwritten entry counts for the one that replaced it',
    hazard: 'H26',
    model: 'replication-slow',
    breaks: 'what the core takes for durable is durable',
    changeEvent: (event, { epoch }) => (event.type === 'persisted' ? { ...event, epoch } : event),
  },
  'commit-old-term': {
    description: 'a leader counts replicas of entries of earlier terms (figure 8)',
    hazard: 'H21',
    model: 'figure-8',
    breaks: 'leader completeness',
    rules: { countsForCommit: () => true },
  },
  'read-without-a-round': {
    description: 'a leader answers a read without asking whether it still leads',
    hazard: 'H62',
    model: 'read-index',
    breaks: 'reads are linearizable',
    eventsAfter: roundAnswered,
  },
  'late-answers-confirm-reads': {
    description: 'an answer to a heartbeat that was sent before the read confirms it',
    hazard: 'H121',
    model: 'read-index',
    breaks: 'reads are linearizable',
    changeEvent: asNewestRound,
  },
  'two-voters-at-once': {
    description: 'a change of several voters is made in one step, without joint consensus',
    hazard: 'H39',
    model: 'joint',
    breaks: 'leader completeness',
    rules: { needsJointConsensus: () => false },
  },
  'leave-joint-early': {
    description: 'the joint configuration is left before it is committed',
    hazard: 'H42',
    model: 'joint',
    breaks: 'leader completeness',
    rules: { isConfigurationCommitted: () => true },
  },
  'change-before-the-last': {
    description: 'the next change begins before the last one is committed',
    hazard: 'H40',
    model: 'changes-in-a-row',
    breaks: 'leader completeness',
    rules: { isConfigurationCommitted: () => true },
  },
  'change-before-own-term': {
    description: 'a new leader changes the members before it committed an entry of its term (raft-dev 2015)',
    hazard: 'H39',
    model: 'single-change',
    breaks: 'leader completeness',
    rules: { mayChangeMembers: () => true },
  },
  'target-does-not-wait': {
    description: 'whoever is told to campaign asks for votes, and counts its own, before that one is durable',
    hazard: 'H6',
    model: 'transfer-slow',
    breaks: 'election safety',
    ignores: ['durable before sent', 'what the core takes for durable is durable', 'committed is durable on a quorum'],
    answersWait: ({ answers }) => !answers.some(asksAsTold),
    eventsAfter: toldVotePersisted,
  },
  'install-over-held-log': {
    description: 'a snapshot replaces a log that holds what it holds, and more that was acknowledged',
    hazard: 'H54',
    model: 'snapshot',
    breaks: 'committed is durable on a quorum',
    rules: { holdsSnapshot: ({ lastIncludedIndex }, _log, commitIndex) => lastIncludedIndex <= commitIndex },
  },
  'held-whatever-the-term': {
    description: 'a log that is as long as a snapshot is taken for holding it',
    hazard: 'H54',
    model: 'snapshot',
    breaks: 'state machine safety',
    rules: { holdsSnapshot: ({ lastIncludedIndex }, { lastIndex }) => lastIncludedIndex <= lastIndex },
  },
  'log-not-reset': {
    description: 'recovery keeps a log that does not hold what the snapshot ends with',
    hazard: 'H55',
    model: 'snapshot-crash',
    breaks: 'state machine safety',
    recovered: (disk) => disk,
  },
  'lease-by-stickiness-alone': {
    description: 'a voter keeps no promise that it made to a leader',
    hazard: 'H117',
    model: 'lease',
    breaks: 'reads are linearizable',
    rules: { isPromiseKept: () => false },
  },
  'lease-from-receipt': {
    description: 'a lease counts from when the answer came, not from when the leader had sent what it answers',
    hazard: 'H68',
    model: 'lease',
    breaks: 'reads are linearizable',
    rules: { leaseBegins: (_sentMs, receivedMs) => receivedMs },
  },
  'lease-forgotten-at-restart': {
    description: 'a voter that restarts knows nothing of what it promised',
    hazard: 'H69',
    model: 'lease-slow',
    breaks: 'reads are linearizable',
    recovered: (disk) => ({ ...recovered(disk), leasePromiseMs: 0 }),
  },
  'lease-during-transfer': {
    description: 'a leader goes on with its lease after it told another one to campaign',
    hazard: 'H20, H117',
    model: 'lease-transfer',
    breaks: 'reads are linearizable',
    tampers: (state) => {
      state.hasEndedLease = false
    },
  },
  'list-is-configuration': {
    description: 'a member that lost its disk takes the bootstrap list for a configuration, and votes',
    hazard: 'H112',
    model: 'lost-disk',
    breaks: 'leader completeness',
    listIsConfiguration: true,
  },
})

function asksAsTold({ message }: Envelope): boolean {
  return message.type === 'requestVote' && message.leadershipTransfer
}

function toldVotePersisted(event: CoreEvent, { hardState }: Output, { role, now }: CoreState): readonly CoreEvent[] {
  const isTold = event.type === 'receive' && event.message.type === 'timeoutNow'
  if (!isTold || role !== 'candidate' || hardState === undefined) return []
  return [{ type: 'persisted', now, hardState, index: 0, epoch: 0 }]
}

/** PreVote only asks: a candidate that takes the answers for votes wins without anybody's. */
function preVoteAsVote(event: CoreEvent, { role }: CoreState): CoreEvent {
  if (event.type !== 'receive' || role !== 'candidate') return event
  const { message } = event
  if (message.type !== 'preVoteResponse' || !message.voteGranted) return event
  return { ...event, message: { type: 'requestVoteResponse', term: message.term, voteGranted: true } }
}

function ownEntriesPersisted(_event: CoreEvent, { append }: Output, { role, now }: CoreState): readonly CoreEvent[] {
  const tail = append?.entries.at(-1)
  if (append === undefined || tail === undefined || role !== 'leader') return []
  return [{ type: 'persisted', now, hardState: null, index: tail.index, epoch: append.epoch }]
}

function asNewestRound(event: CoreEvent, { readRound }: CoreState): CoreEvent {
  if (event.type !== 'receive' || event.message.type !== 'heartbeatResponse') return event
  return { ...event, message: { ...event.message, round: readRound } }
}

function roundAnswered(event: CoreEvent, _output: Output, state: CoreState): readonly CoreEvent[] {
  if (event.type !== 'read' || state.role !== 'leader') return []
  const { now } = state
  const common = { addedAt: 0, index: 0, sentMs: now, boot: 0, echoMs: 0, leaseMs: 0, round: state.readRound } as const
  return state.quorum.incoming
    .filter((id) => id !== state.leaderId)
    .map((from): CoreEvent => {
      const message = { type: 'heartbeatResponse', term: state.currentTerm, ...common } as const
      return { type: 'receive', now, wallTime: 0, from, message, budgetBytes: Number.MAX_SAFE_INTEGER }
    })
}

/** Names of all removed guards, in the order of the table. */
export function removedGuardNames(): readonly string[] {
  return Object.keys(REMOVED_GUARDS)
}

/**
 * The guard of that name; or the seeded bug of the simulator of that name, where it is a replaced rule of the core or of the
 * log writer. Null for any other.
 */
export function guardNamed(name: string): RemovedGuard | null {
  const own = REMOVED_GUARDS[name]
  if (own !== undefined) return own
  const seeded = BUGS[name]
  const { rules, answersWait } = seeded?.internals ?? {}
  if (seeded === undefined || (rules === undefined && answersWait === undefined)) return null
  return {
    ...seeded,
    model: null,
    breaks: null,
    ...(rules === undefined ? {} : { rules }),
    ...(answersWait === undefined ? {} : { answersWait }),
  }
}
