// What a node says of itself (F39): a snapshot of its state, and in words what it waits for when it can't serve.
// Reads the core's state, never changes it.
import { findMember } from '../core/configuration.js'
import { leaseEnd } from '../core/lease.js'
import { hasQuorum } from '../core/quorum.js'
import type { CoreState } from '../core/state.js'
import type { Configuration, LogIndex, Member, NodeId, Role, Term } from '../core/types.js'
import { addAgain } from './founding.js'
import type { FixedOptions, SettingValues } from './options.js'

/** One peer as its leader sees it. */
export interface PeerStatus {
  readonly id: NodeId
  /** `snapshot`: it needs entries that the leader's log does not hold any more. */
  readonly state: 'probe' | 'replicate' | 'snapshot'
  readonly nextIndex: LogIndex
  readonly matchIndex: LogIndex
  /** AppendEntries that are not answered yet. */
  readonly inflight: number
  /** Since it was last heard in this term, ms; null for never. */
  readonly lastContactMs: number | null
}

/** A node at one moment. Indexes are those of the log; times are ms. */
export interface RaftStatus {
  readonly id: NodeId
  /** Empty where it is not known yet. */
  readonly clusterId: string
  readonly role: Role | 'stopped' | 'failed'
  /** By the newest configuration this node knows; `none`: not added yet. */
  readonly suffrage: Member['suffrage'] | 'none'
  /** What `ready()` waits for holds now: the answer of a readiness probe. */
  readonly ready: boolean
  /** On the leader: a quorum answered within an election timeout. Elsewhere: a leader was heard within one. */
  readonly quorumOk: boolean
  /** Since the leader was heard, 0 on itself; null for never. */
  readonly leaderContactMs: number | null
  readonly leader: Member | null
  readonly currentTerm: Term
  readonly votedFor: NodeId | null
  readonly firstIndex: LogIndex
  readonly lastIndex: LogIndex
  readonly persistedIndex: LogIndex
  readonly commitIndex: LogIndex
  readonly lastApplied: LogIndex
  readonly snapshotIndex: LogIndex
  readonly configuration: Configuration
  /** On a leader that reads by lease: how long it may go on without hearing of its voters, ms; else 0 (F20). */
  readonly leaseRemainingMs: number
  readonly pendingProposals: number
  /** Proposed here and not appended yet; on the leader also what its log holds and has not applied. */
  readonly uncommittedBytes: number
  /** On the leader only; else empty. */
  readonly peers: readonly PeerStatus[]
  /** In words, when there is no leader or this node can't serve: what it waits for. */
  readonly explanation: string | null
}

const NO_CONFIGURATION: Configuration = Object.freeze({ members: Object.freeze([]), votersOutgoing: Object.freeze([]) })

/** What beside the core's state goes into a status. */
export interface StatusFacts {
  readonly options: Pick<FixedOptions, 'id'>
  readonly settings: Pick<SettingValues, 'electionTimeoutMs'>
  readonly clusterId: string
  readonly now: number
  readonly isReady: boolean
  readonly appliedIndex: LogIndex
  readonly pendingProposals: number
  readonly uncommittedBytes: number
  /** Whom this node waits for before there is a cluster, in words; null where it does not. */
  readonly founding: string | null
  /** There is a configuration, and it is not the one that was listed yet: nobody leads that. */
  readonly isFounding: boolean
  /** The last peer that was refused, or null. */
  readonly lastRefusal: string | null
  /** Peers whose connection has been up for several election timeouts. */
  readonly longConnected: readonly NodeId[]
}

/** The status of a node that runs. */
export function runningStatus(state: CoreState, facts: StatusFacts): RaftStatus {
  const { options, now } = facts
  const configuration = state.log.configurations.at(-1)?.configuration ?? null
  const contactMs = state.role === 'leader' ? 0 : Math.max(0, now - state.leaderContactAt)
  return {
    id: options.id,
    clusterId: facts.clusterId,
    // Whoever founds the cluster is not elected by it yet.
    role: facts.isFounding && state.role === 'leader' ? 'candidate' : state.role,
    suffrage: findMember(configuration, options.id)?.suffrage ?? 'none',
    ready: facts.isReady,
    quorumOk: !facts.isFounding && isQuorumOk(state, facts),
    leaderContactMs: Number.isFinite(contactMs) ? contactMs : null,
    leader: facts.isFounding ? null : leaderOf(state),
    currentTerm: state.currentTerm,
    votedFor: state.votedFor,
    firstIndex: state.log.baseIndex + 1,
    lastIndex: state.log.lastIndex,
    persistedIndex: state.persistedIndex,
    commitIndex: state.commitIndex,
    lastApplied: facts.appliedIndex,
    snapshotIndex: state.snapshotIndex,
    configuration: configuration ?? NO_CONFIGURATION,
    leaseRemainingMs: Math.min(facts.settings.electionTimeoutMs, Math.max(0, leaseEnd(state) - now)),
    pendingProposals: facts.pendingProposals,
    uncommittedBytes: facts.uncommittedBytes,
    peers: peersOf(state, now),
    explanation: explain(state, facts, configuration),
  }
}

/** The status of a node that does not run: before its start, after its stop, or because it failed. */
export function idleStatus(
  options: FixedOptions,
  end: { role: 'stopped' | 'failed'; explanation: string },
): RaftStatus {
  return {
    id: options.id,
    clusterId: options.clusterId ?? '',
    role: end.role,
    suffrage: findMember(options.bootstrap, options.id)?.suffrage ?? 'none',
    ready: false,
    quorumOk: false,
    leaderContactMs: null,
    leader: null,
    currentTerm: 0,
    votedFor: null,
    firstIndex: 1,
    lastIndex: 0,
    persistedIndex: 0,
    commitIndex: 0,
    lastApplied: 0,
    snapshotIndex: 0,
    configuration: options.bootstrap ?? NO_CONFIGURATION,
    leaseRemainingMs: 0,
    pendingProposals: 0,
    uncommittedBytes: 0,
    peers: [],
    explanation: end.explanation,
  }
}

/** The leader that a node knows, as the configuration has it. */
export function leaderOf(state: CoreState): Member | null {
  return state.leaderId === null ? null : memberOf(state, state.leaderId)
}

/** A leader by its id; one that the configuration does not hold has no address. */
export function memberOf(state: CoreState, id: NodeId): Member {
  const configuration = state.log.configurations.at(-1)?.configuration ?? null
  return findMember(configuration, id) ?? { id, address: '', suffrage: 'voter' }
}

function peersOf(state: CoreState, now: number): readonly PeerStatus[] {
  return [...state.progress].map(([id, progress]) => ({
    id,
    state: progress.state,
    nextIndex: progress.nextIndex,
    matchIndex: progress.matchIndex,
    inflight: progress.inflight.length,
    lastContactMs: progress.contactAt === null ? null : Math.max(0, now - progress.contactAt),
  }))
}

function isQuorumOk(state: CoreState, { options, settings, now }: StatusFacts): boolean {
  const isRecent = (at: number | null) => at !== null && now - at < settings.electionTimeoutMs
  if (state.role !== 'leader') return state.leaderId !== null && isRecent(state.leaderContactAt)
  const heard = [...state.progress].filter(([, progress]) => isRecent(progress.contactAt)).map(([id]) => id)
  return hasQuorum(state.quorum, new Set([options.id, ...heard]))
}

function explain(state: CoreState, facts: StatusFacts, configuration: Configuration | null): string | null {
  const { options, settings } = facts
  const hint = facts.lastRefusal === null ? '' : ` Last refused peer: ${facts.lastRefusal}`
  if (facts.founding !== null) return `${facts.founding}.${hint}`
  if (configuration === null) {
    return `This node has no configuration: it waits to be added to a cluster, or to be given a bootstrap list. ${addAgain(options.id)}.${hint}`
  }
  if (state.leaderId === null) return explainLeaderless(state, facts, hint)
  if (findMember(configuration, options.id) === null) return 'This node is not a member of the configuration it knows.'
  if (!isQuorumOk(state, facts)) {
    return state.role === 'leader'
      ? `This leader heard no quorum of ${votersText(state)} within ${settings.electionTimeoutMs} ms.${hint}`
      : `The leader '${state.leaderId}' was not heard within ${settings.electionTimeoutMs} ms: an election is near.${hint}`
  }
  if (facts.isReady) return null
  return state.role === 'leader' && state.commitIndex < state.termFirstIndex
    ? `This leader waits for a quorum of ${votersText(state)} to commit the first entry of term ${state.currentTerm}.${hint}`
    : `This node catches up: it has applied ${facts.appliedIndex} of ${state.commitIndex} entries that it knows to be committed.`
}

function explainLeaderless(state: CoreState, facts: StatusFacts, hint: string): string {
  const { options } = facts
  const isVoter = state.quorum.incoming.includes(options.id)
  if (!isVoter) return `No leader is known, and this node is not a voter: it waits for ${votersText(state)}.${hint}`
  if (state.role === 'follower')
    return `No leader is known: this node waits for one, or for its own election timeout.${hint}`
  const deaf = facts.longConnected.filter((id) => state.quorum.incoming.includes(id) && !state.votes.has(id))
  const others = deaf.map((id) => `'${id}'`).join(', ')
  const removed =
    deaf.length === 0
      ? ''
      : ` ${others} can be reached and did not agree: this node may have been removed from the cluster, ask ${deaf.length === 1 ? 'it' : 'them'} for the members.`
  const votes = `${state.votes.size} of ${state.quorum.incoming.length} voters agreed so far`
  return state.role === 'preCandidate'
    ? `No leader is known: this node asks whether it could win an election of term ${state.currentTerm + 1}; ${votes}.${removed}${hint}`
    : `No leader is known: this node stands for election in term ${state.currentTerm}; ${votes}.${removed}${hint}`
}

function votersText(state: CoreState): string {
  return `the voters ${state.quorum.incoming.join(', ')}`
}
