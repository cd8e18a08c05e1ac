// One step of one node: the core takes an event, its Output is carried out as the driver does, and what follows by itself
// follows. Then what differs in irrelevant things alone is made the same, and the checks of this node alone are done.
import type { CoreEvent } from '../../core/event.js'
import { checkStep, type StateSummary, summarize } from '../../core/invariants.js'
import type { Envelope, InstallSnapshot } from '../../core/messages.js'
import { Output, type ReadOutcome } from '../../core/output.js'
import type { Quorum } from '../../core/quorum.js'
import { RaftCore } from '../../core/raft-core.js'
import type { Rules } from '../../core/rules.js'
import type { CoreOptions, CoreState } from '../../core/state.js'
import type { LogIndex } from '../../core/types.js'
import * as time from './abstract-time.js'
import type { LocalAction } from './action.js'
import { changeTo, initialConfiguration } from './configurations.js'
import * as disks from './disk.js'
import { type Broken, checkAsked, checkDisk, checkDurable, checkSent } from './invariants.js'
import { type Model, nodeCount, nodeId, nodeNumber } from './model.js'
import { cloneCore, type NodeState } from './node-state.js'
import { forgetTimes, type Packet, packetOf } from './packet.js'
import type { RemovedGuard } from './removed-guards.js'
import { installMessage, receivedSnapshot, resetLog, snapshotOf } from './snapshots.js'

/** Id of a read that is answered as it is asked, so that nothing of it needs to be remembered. */
export const LEASED_READ = 0

/** A leader committed up to `index`, by this quorum. */
export interface Commit {
  readonly index: LogIndex
  readonly quorum: Quorum
}

/** What became of one node. */
export interface Stepped {
  readonly state: NodeState
  readonly sent: readonly Packet[]
  readonly reads: readonly ReadOutcome[]
  readonly commits: readonly Commit[]
  readonly broken: Broken | null
}

/** One step of one node, from the first event to where nothing more follows by itself. */
export class NodeRun {
  #broken: Broken | null = null
  readonly #before: NodeState
  readonly #model: Model
  readonly #guard: Partial<RemovedGuard>
  readonly #core: RaftCore
  readonly #state: CoreState
  readonly #sent: Packet[] = []
  readonly #reads: ReadOutcome[] = []
  readonly #commits: Commit[] = []
  #disk: disks.Disk

  constructor(before: NodeState, model: Model, rules: Rules, guard: Partial<RemovedGuard>) {
    this.#before = before
    this.#model = model
    this.#guard = guard
    this.#disk = before.disk
    this.#core = RaftCore.resume(coreOptions(model, before.node, before.boot), cloneCore(before.core), rules)
    this.#state = this.#core.state
  }

  deliver(packet: Packet, isLate: boolean): void {
    const { from, message } = packet
    if (isLate) {
      if (message.type === 'heartbeatResponse') time.expireWaits(this.#state)
      else time.expireLeaderContact(this.#state)
    }
    const wasLed = { ...this.#state }
    this.#receive(from, message)
    this.#note(checkAsked(wasLed, this.#state, packet, this.#sent))
  }

  /** @param parameter - see `localCode` */
  act(action: LocalAction, parameter: number): void {
    const { now } = this.#state
    switch (action) {
      case 'electionTimeout':
        time.expireElectionTimer(this.#state)
        this.#event({ type: 'tick', now })
        return this.#assumePreVotes()
      case 'quorumLost':
        time.expireQuorumContact(this.#state)
        return this.#event({ type: 'tick', now })
      case 'heartbeatDue':
        time.expireHeartbeat(this.#state)
        return this.#event({ type: 'tick', now })
      case 'propose':
        return this.#event({
          type: 'propose',
          now,
          wallTime: 0,
          id: 1,
          entryType: 'command',
          commands: [new Uint8Array(0)],
        })
      case 'read':
        return this.#event({ type: 'read', now, wallTime: 0, id: parameter, byLease: this.#model.leases > 0 })
      case 'readByLease':
        return this.#event({ type: 'read', now, wallTime: 0, id: LEASED_READ, byLease: true })
      case 'timePasses':
        return time.passTime(this.#state)
      case 'persist':
        return this.#persist()
      case 'snapshot':
        return this.#takeSnapshot()
      case 'install':
        return this.#install()
      case 'transfer':
        return this.#event({ type: 'transfer', now, id: 1, to: nodeId(parameter) })
      case 'transferOver':
        time.expireTransfer(this.#state)
        return this.#event({ type: 'tick', now })
      case 'change': {
        const change = changeTo(this.#model.changes[parameter] ?? [])
        return this.#event({ type: 'changeMembership', now, wallTime: 0, id: 1, change, force: true })
      }
      case 'found': {
        const { members } = initialConfiguration(this.#model)
        return this.#event({ type: 'found', now, wallTime: 0, members })
      }
      case 'crash':
      case 'wipe':
      case 'crashAfterWrite':
        throw new TypeError('a crash is not a step of the core')
    }
  }

  /** What follows by itself, and the checks of this node alone. */
  finish(): void {
    const state = this.#state
    // Applying changes nothing but freshness, so that it may as well follow at once.
    const index = Math.min(state.commitIndex, state.persistedIndex)
    if (index > state.lastApplied) this.#event({ type: 'applied', now: state.now, index })
    forgetWhatPasses(state, this.#model)
    this.#disk = forgetEpochs(this.#disk, state)
    this.#note(checkDisk(this.#before.disk, this.#disk))
    this.#note(checkDurable({ ...this.#before, core: state, disk: this.#disk }))
  }

  result(): Stepped {
    const state = { ...this.#before, core: this.#state, disk: this.#disk }
    return { state, sent: this.#sent, reads: this.#reads, commits: this.#commits, broken: this.#broken }
  }

  #receive(from: number, message: Packet['message']): void {
    const sender = nodeId(from)
    const budgetBytes = Number.MAX_SAFE_INTEGER
    this.#event({ type: 'receive', now: this.#state.now, wallTime: 0, from: sender, message, budgetBytes })
  }

  /** Everybody would vote for it, if they were asked. */
  #assumePreVotes(): void {
    if (this.#model.preVote === 'real') return
    const term = this.#state.currentTerm + 1
    const count = nodeCount(this.#model)
    for (let from = 0; from < count && this.#state.role === 'preCandidate'; from++) {
      if (from !== this.#before.node) {
        this.#receive(from, { type: 'preVoteResponse', term, round: this.#state.preVoteRound, voteGranted: true })
      }
    }
  }

  #event(original: CoreEvent): void {
    const state = this.#state
    const event = this.#guard.changeEvent?.(original, state) ?? original
    const before = summarize(state)
    // Whoever commits counts before it brings the next configuration into force.
    const { quorum } = state
    const output = this.#core.step(event, new Output())
    this.#guard.tampers?.(state)
    if (state.role === 'leader' && state.commitIndex > before.commitIndex) {
      this.#commits.push({ index: state.commitIndex, quorum })
    }
    this.#checkStep(before)
    this.#carryOut(output)
    for (const more of this.#guard.eventsAfter?.(event, output, state) ?? []) this.#event(more)
  }

  #checkStep(before: StateSummary): void {
    try {
      checkStep(before, this.#state)
    } catch (error) {
      this.#note({ invariant: 'a step changes what it may', detail: (error as Error).message })
    }
  }

  /** The first thing that is wrong is what is reported. */
  #note(broken: Broken | null): void {
    if (broken !== null && isJudged(this.#guard, broken)) this.#broken ??= broken
  }

  #carryOut(output: Output): void {
    for (const envelope of output.messages) this.#send(packetOf(this.#before.node, envelope, this.#state))
    const { disk, released } = disks.submit(this.#disk, output, this.#guard.answersWait)
    this.#disk = disk
    for (const envelope of released) this.#send(packetOf(this.#before.node, envelope, this.#state))
    this.#reads.push(...output.reads)
    for (const asked of output.sendSnapshots) {
      const { snapshot } = this.#disk
      if (snapshot !== null) this.#send(this.#packet(asked.to, installMessage(asked, snapshot)))
    }
    if (output.compactTo !== undefined) this.#disk = { ...this.#disk, baseIndex: output.compactTo }
    for (const { from, message } of output.chunks) this.#receiveSnapshot(from, message)
    while (this.#model.disks === 'instant' && this.#disk.running !== null) this.#persist()
  }

  #packet(to: string, message: InstallSnapshot): Packet {
    return { from: this.#before.node, to: nodeNumber(to), message: forgetTimes(message) }
  }

  /** Durable at once; no peer was heard for so long that its needs are not waited for. */
  #takeSnapshot(): void {
    const snapshot = snapshotOf(this.#state, this.#disk)
    this.#disk = { ...this.#disk, snapshot }
    time.expireQuorumContact(this.#state)
    const { lastIncludedIndex } = snapshot.meta
    this.#event({ type: 'snapshotTaken', now: this.#state.now, lastIncludedIndex, compactableIndex: lastIncludedIndex })
  }

  /** All of it came in one message: the core decides. */
  #receiveSnapshot(from: string, message: InstallSnapshot): void {
    const { term, addedAt, transfer, meta } = message
    this.#event({ type: 'snapshotReceived', now: this.#state.now, source: { from, term, addedAt, transfer }, meta })
    if (this.#state.installing !== null) this.#disk = { ...this.#disk, installing: receivedSnapshot(message) }
  }

  /** First the snapshot is committed; then the log is reset to it, and nothing that can be seen is between that and the end. */
  #install(): void {
    const { installing, snapshot } = this.#disk
    if (installing === null) return
    if (snapshot !== installing) {
      this.#disk = { ...this.#disk, snapshot: installing }
      return
    }
    this.#disk = { ...resetLog(this.#disk, installing), installing: null }
    this.#event({ type: 'snapshotInstalled', now: this.#state.now, outcome: 'installed' })
  }

  #persist(): void {
    const { disk, write } = disks.complete(this.#disk)
    this.#disk = disk
    for (const envelope of write.waiting) this.#send(packetOf(this.#before.node, envelope, this.#state))
    const { hardState, first, terms, epoch, leasePromiseMs } = write
    const index = terms.length === 0 ? 0 : first + terms.length - 1
    this.#event({ type: 'persisted', now: this.#state.now, hardState, index, epoch, leasePromiseMs })
  }

  #send(packet: Packet): void {
    const { message } = packet
    this.#note(checkSent(packet, this.#disk))
    const { heartbeats, preVote, maxTerm, transfers, lastTermReplicates } = this.#model
    const isHeard = heartbeats === 'any' || (heartbeats === 'beforeLastTerm' && message.term < maxTerm)
    if (message.type === 'heartbeat' && !isHeard) return
    if (message.type === 'appendEntries' && message.term === maxTerm && !lastTermReplicates) return
    if (message.type === 'timeoutNow' && (!transfers || message.term >= maxTerm)) return
    if (message.type === 'preVote' && (preVote === 'assumed' || message.term > maxTerm)) return
    this.#sent.push(packet)
  }
}

/** Whether the invariant counts while this guard is removed. */
export function isJudged({ ignores = [] }: Partial<RemovedGuard>, { invariant }: Broken): boolean {
  return !ignores.includes(invariant)
}

/** The same for every node, but for its id. */
export function coreOptions({ appendEntries, inflightMessages }: Model, node: number, boot: number): CoreOptions {
  const timings = { electionTimeoutMs: time.ELECTION_TIMEOUT_MS, heartbeatIntervalMs: time.HEARTBEAT_INTERVAL_MS }
  return { id: nodeId(node), ...timings, seed: 1, boot, maxClockDriftRatio: 0, appendEntries, inflightMessages }
}

/** Numbers that only tell one thing from an earlier one begin again, and times are forgotten. See the README. */
function forgetWhatPasses(state: CoreState, { preVote, reads, leases }: Model): void {
  time.forgetTime(state, { contact: preVote === 'real', leases: leases > 0 })
  state.preVoteRound = 0
  if (reads > 0) return
  // Nobody waits for a commit, so it does not matter who was told of it.
  for (const progress of state.progress.values()) progress.toldCommit = 0
}

/** An epoch is the newest or it is not; and of two equal answers that leave together one is enough. */
function forgetEpochs(disk: disks.Disk, state: CoreState): disks.Disk {
  const { epoch } = state
  state.epoch = 0
  const relative = (write: disks.PendingWrite | null): disks.PendingWrite | null => {
    if (write === null) return null
    const isNewest = write.epoch === epoch || write.terms.length === 0
    return { ...write, epoch: isNewest ? 0 : -1, waiting: withoutCopies(write.waiting) }
  }
  return { ...disk, running: relative(disk.running), next: relative(disk.next) }
}

function withoutCopies(waiting: readonly Envelope[]): readonly Envelope[] {
  if (waiting.length < 2) return waiting
  const byText = new Map(waiting.map((envelope) => [`${envelope.to} ${JSON.stringify(envelope.message)}`, envelope]))
  return [...byText.values()]
}
