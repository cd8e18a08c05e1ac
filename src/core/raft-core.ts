// The shell of the protocol: the term rule (figure 2, "rules for servers"), then dispatch to one file per concern.
import { handleAppendEntries, handleHeartbeat } from './append-entries.js'
import { assert } from './assert.js'
import type { Core } from './core.js'
import {
  checkElectionTimers,
  countOwnVote,
  handlePreVote,
  handlePreVoteResponse,
  handleRequestVote,
  handleRequestVoteResponse,
  handleTimeoutNow,
  mustIgnore,
  onLeaderConnectionReset,
} from './election.js'
import type { CoreEvent, PeerStatusEvent, PersistedEvent, ReceiveEvent } from './event.js'
import { continueFounding, onFound } from './founding.js'
import { handleProposeRequest, handleProposeResponse, onPropose } from './forwarding.js'
import { checkState } from './invariants.js'
import { noticeClocks } from './clocks.js'
import { continueMembership, reportCatchUp } from './membership.js'
import {
  handleMembershipRequest,
  handleMembershipResponse,
  onCancelChange,
  onChangeMembership,
  repeatForwardedChange,
} from './membership-calls.js'
import { noteStore } from './members.js'
import { Output } from './output.js'
import { isVoter } from './quorum.js'
import {
  expireForwardedReads,
  handleReadIndexRequest,
  handleReadIndexResponse,
  heartbeatRound,
  onRead,
  settleFreshness,
} from './read-index.js'
import { handleReplicasRequest, handleReplicasResponse, onReplicas } from './replicas.js'
import {
  advanceCommit,
  handleAppendEntriesResponse,
  handleHeartbeatResponse,
  onOutboundDropped,
  onPeerConnection,
} from './replication.js'
import { onReconfigure } from './reconfigure.js'
import { becomeFollower } from './roles.js'
import { RULES, type Rules } from './rules.js'
import { compactLog, onSnapshotTaken } from './compaction.js'
import {
  handleInstallSnapshot,
  handleInstallSnapshotResponse,
  onSnapshotInstalled,
  onSnapshotReceived,
  onSnapshotWritten,
} from './install-snapshot.js'
import { checkTransfersOfSnapshots, onSnapshotUnsent } from './snapshot-transfer.js'
import { type CoreOptions, type CoreState, initialState, type RestoredState } from './state.js'
import { nextDeadline, resetElectionTimer, restartTimersAfterStall } from './timers.js'
import { hasConflict } from './log-trail.js'
import { checkTransferTimer, continueTransfer, onTargetReset, onTransfer } from './transfer.js'

/**
 * Raft without waiting: no clock, no I/O, no payloads kept. Whoever drives it hands in events and carries out Outputs.
 * Between two events the state is consistent; it may be read, and never written, from outside.
 */
export class RaftCore {
  readonly state: CoreState
  readonly #core: Core

  /**
   * @param from - what the stores held; a whole state goes on as it is, see `resume`
   * @param rules - replaced one by one only by a harness that proves that it would notice
   */
  constructor(options: CoreOptions, from: RestoredState | CoreState, now: number, rules: Rules = RULES) {
    const isWhole = 'currentTerm' in from
    this.state = isWhole ? from : initialState(options, from, now)
    this.#core = { options, rules, state: this.state, output: new Output() }
    if (!isWhole) resetElectionTimer(this.#core)
    checkState(this.state)
  }

  /**
   * A core that goes on from `state`, which it owns from here on: the state is all that a core is. For model checkers,
   * which step copies of one state in many ways; a node that was down restarts from what is durable instead.
   */
  static resume(options: CoreOptions, state: CoreState, rules: Rules = RULES): RaftCore {
    return new RaftCore(options, state, state.now, rules)
  }

  /**
   * Whether the event may change term or role or truncate: the Output of the batch so far must be handed out before it is
   * stepped, while the state is still the one that it speaks of.
   */
  standsAlone(event: CoreEvent): boolean {
    return mayEndBatch(this.#core, event)
  }

  /**
   * One event in, one Output out. A batch passes one Output through: the event's effects are merged into it. An event that
   * `standsAlone` gets an Output of its own when the one that was passed is not empty. When `endsBatch` is set, the
   * returned one is handed out before the next event.
   * @throws InvariantViolation when the node must stop: nothing of the Output may be carried out.
   */
  step(event: CoreEvent, output: Output = new Output()): Output {
    const core = this.#core
    core.output = output.isEmpty || !mayEndBatch(core, event) ? output : new Output()
    const mustStandAlone = !core.output.isEmpty
    this.#enter(event)
    this.#dispatch(event)
    if (core.state.role === 'leader' && continueMembership(core)) {
      becomeFollower(core, core.state.currentTerm, 'left out of the configuration')
    }
    assert(!(mustStandAlone && core.output.endsBatch), `a ${event.type} that ends the batch has an Output of its own`)
    core.output.deadline = nextDeadline(core)
    checkState(this.state)
    return core.output
  }

  #enter(event: CoreEvent): void {
    const { state, options } = this.#core
    assert(event.now >= state.now, `the clock never goes back: ${event.now} after ${state.now}`)
    const hasStalled = event.now - state.now > options.electionTimeoutMs
    state.now = event.now
    if (hasStalled) restartTimersAfterStall(this.#core)
    if ('wallTime' in event) noticeClocks(this.#core, event)
  }

  #dispatch(event: CoreEvent): void {
    const core = this.#core
    switch (event.type) {
      case 'tick':
        return onTick(core)
      case 'receive':
        return onReceive(core, event)
      case 'propose':
        return onPropose(core, event)
      case 'persisted':
        return onPersisted(core, event)
      case 'applied':
        return onApplied(core, event.index)
      case 'read':
        return onRead(core, event)
      case 'replicas':
        return onReplicas(core, event.id, event.index)
      case 'peerStatus':
        return onPeerStatus(core, event)
      case 'outboundDropped':
        return onOutboundDropped(core, event.peer, event.index)
      case 'snapshotTaken':
        return onSnapshotTaken(core, event)
      case 'snapshotUnsent':
        return onSnapshotUnsent(core, event)
      case 'snapshotWritten':
        return onSnapshotWritten(core, event)
      case 'snapshotReceived':
        return onSnapshotReceived(core, event)
      case 'snapshotInstalled':
        return onSnapshotInstalled(core, event)
      case 'transfer':
        return onTransfer(core, event.id, event.to)
      case 'changeMembership':
        return onChangeMembership(core, event)
      case 'cancelChange':
        return onCancelChange(core, event.id)
      case 'found':
        return onFound(core, event.members)
      case 'reconfigure':
        return onReconfigure(core, event)
    }
  }
}

/** Whether the event could change term or role or truncate; true too often costs a batch, true too rarely an invariant. */
function mayEndBatch({ state, options }: Core, event: CoreEvent): boolean {
  if (event.type === 'tick' || event.type === 'snapshotInstalled' || event.type === 'found') return true
  // A leader that is left out steps down as soon as it may.
  if (state.role === 'leader' && !isVoter(state.quorum, options.id)) return true
  if (event.type === 'persisted') return state.role === 'candidate' || state.role === 'preCandidate'
  if (event.type !== 'receive') return false
  const { message } = event
  if (message.term > state.currentTerm) return true
  if (message.type === 'heartbeat' || message.type === 'installSnapshot') return state.role !== 'follower'
  if (message.type === 'appendEntries') return state.role !== 'follower' || hasConflict(state.log, message.entries)
  if (message.type === 'timeoutNow') return true
  return message.type === 'preVoteResponse' || message.type === 'requestVoteResponse'
}

function onTick(core: Core): void {
  const { state } = core
  checkElectionTimers(core)
  checkTransferTimer(core)
  checkTransfersOfSnapshots(core)
  expireForwardedReads(core)
  repeatForwardedChange(core)
  if (state.role === 'leader' && state.now >= state.heartbeatDeadline) {
    heartbeatRound(core)
    continueTransfer(core)
    reportCatchUp(core)
  }
  compactLog(core)
}

function onReceive(core: Core, event: ReceiveEvent): void {
  const { state } = core
  const { from, message } = event
  if (message.type === 'preVote') return handlePreVote(core, from, message)
  if (message.type === 'requestVote' && mustIgnore(core, message)) return
  // A granted pre-vote repeats the term asked about, which nobody is in yet.
  const isTermOfSender = !(message.type === 'preVoteResponse' && message.voteGranted)
  if (isTermOfSender && message.term > state.currentTerm) {
    becomeFollower(core, message.term, `saw term ${message.term} in a ${message.type} of ${from}`)
  }
  switch (message.type) {
    case 'preVoteResponse':
      return handlePreVoteResponse(core, from, message)
    case 'requestVote':
      return handleRequestVote(core, from, message)
    case 'requestVoteResponse':
      return handleRequestVoteResponse(core, from, message)
    case 'timeoutNow':
      return handleTimeoutNow(core, from, message)
    case 'appendEntries':
      return handleAppendEntries(core, message, { from, budgetBytes: event.budgetBytes })
    case 'appendEntriesResponse':
      return handleAppendEntriesResponse(core, from, message)
    case 'heartbeat':
      return handleHeartbeat(core, from, message)
    case 'heartbeatResponse':
      return handleHeartbeatResponse(core, from, message)
    case 'installSnapshot':
      return handleInstallSnapshot(core, from, message)
    case 'installSnapshotResponse':
      return handleInstallSnapshotResponse(core, from, message)
    case 'proposeRequest':
      return handleProposeRequest(core, from, message, event.budgetBytes)
    case 'proposeResponse':
      return handleProposeResponse(core, message)
    case 'readIndexRequest':
      return handleReadIndexRequest(core, from, message)
    case 'readIndexResponse':
      return handleReadIndexResponse(core, message)
    case 'membershipRequest':
      return handleMembershipRequest(core, from, message)
    case 'membershipResponse':
      return handleMembershipResponse(core, message)
    case 'replicasRequest':
      return handleReplicasRequest(core, from, message)
    case 'replicasResponse':
      return handleReplicasResponse(core, message)
  }
}

/** Own vote and own entries count by the same rule as everybody's: when they are durable (H6, H26). */
function onPersisted(core: Core, event: PersistedEvent): void {
  const { state } = core
  if (event.hardState !== null) state.persistedHardState = event.hardState
  state.persistedLeasePromiseMs = Math.max(state.persistedLeasePromiseMs, event.leasePromiseMs ?? 0)
  if (event.index > state.persistedIndex && event.epoch === state.epoch) {
    assert(event.index <= state.log.lastIndex, `what became durable up to ${event.index} is in the log`)
    state.persistedIndex = event.index
  }
  continueFounding(core)
  if (event.hardState !== null) countOwnVote(core, event.hardState)
  if (state.role === 'leader') advanceCommit(core)
}

function onApplied(core: Core, index: number): void {
  const { state } = core
  assert(index >= state.lastApplied, `lastApplied never falls: ${index} after ${state.lastApplied}`)
  state.lastApplied = index
  settleFreshness(state)
}

function onPeerStatus(core: Core, event: PeerStatusEvent): void {
  if (event.storeId !== undefined) noteStore(core, event.peer, event.storeId)
  if (core.state.role === 'leader') {
    if (event.status === 'reset') onTargetReset(core, event.peer)
    onPeerConnection(core, event.peer, event.status === 'up')
  } else if (event.status === 'reset') {
    onLeaderConnectionReset(core, event.peer)
  }
}
