// Steps one node: clones it, lets the shipped RaftCore take the event, carries the Output out as the driver does, and
// makes what differs in irrelevant things alone the same. The only place of the checker that runs the core.
import { InvariantViolation } from '../../core/assert.js'
import { encodeConfiguration } from '../../core/configuration-codec.js'
import type { CoreEvent } from '../../core/event.js'
import type { Envelope } from '../../core/messages.js'
import { checkStep, type StateSummary, summarize } from '../../core/invariants.js'
import { Output, type ReadOutcome } from '../../core/output.js'
import type { Quorum } from '../../core/quorum.js'
import { RaftCore } from '../../core/raft-core.js'
import { RULES, type Rules } from '../../core/rules.js'
import type { CoreOptions, CoreState, RestoredState } from '../../core/state.js'
import type { Configuration, LogEntry, LogIndex, Term } from '../../core/types.js'
import * as time from './abstract-time.js'
import { type Action, type LocalAction, localCode } from './action.js'
import { changeTo, configurationOf, type HeldConfiguration, initialConfiguration } from './configurations.js'
import type { RemovedGuard } from './removed-guards.js'
import * as disks from './disk.js'
import { type Broken, checkAsked, checkDisk, checkDurable, checkSent } from './invariants.js'
import { type Model, nodeCount, nodeId, nodeNumber, type StartDisk } from './model.js'
import { cloneCore, type NodeState } from './node-state.js'
import { deadFromTerm, type Packet, packetOf } from './packet.js'

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

const NO_GUARD: Partial<RemovedGuard> = {}

export class Environment {
  readonly model: Model
  readonly #rules: Rules
  readonly #guard: Partial<RemovedGuard>
  readonly #configuration: Configuration

  constructor(model: Model, guard: RemovedGuard | null = null) {
    this.model = model
    this.#guard = guard ?? NO_GUARD
    this.#rules = { ...RULES, ...this.#guard.rules }
    this.#configuration = initialConfiguration(model)
  }

  /** A node that starts on what the model puts on its disk; on nothing where it puts nothing. */
  initial(node: number): NodeState {
    const { start } = this.model
    const disk = start.type === 'led' ? undefined : start.disks[node]
    return this.#restart({ node, boot: 1, disk: disk === undefined ? disks.EMPTY_DISK : startDisk(disk) })
  }

  /** Codes of what may happen to a node in this state by itself; crashes and the like as far as the run has some left. */
  localActions({ node, core, disk }: NodeState): readonly number[] {
    const { maxTerm, maxEntries, crashes, reads, heartbeats, preVote, candidates } = this.model
    const actions: LocalAction[] = []
    if (core.role === 'leader') {
      actions.push('quorumLost')
      if (heartbeats === 'any') actions.push('heartbeatDue')
      if (core.log.lastIndex < maxEntries) actions.push('propose')
      if (core.transfer !== null) actions.push('transferOver')
    } else if ((core.currentTerm < maxTerm || preVote === 'real') && (candidates?.includes(node) ?? true)) {
      actions.push('electionTimeout')
    }
    if (disk.running !== null) actions.push('persist')
    if (crashes > 0) {
      actions.push('crash')
      if (disk.running !== null) actions.push('crashAfterWrite')
    }
    if (reads > 0 && core.leaderId !== null) actions.push('read')
    return [...actions.map((action) => localCode(action)), ...this.#asked(core)]
  }

  /** What clients may ask a leader for, beside commands. */
  #asked({ role, transfer, change, quorum, leaderId }: CoreState): readonly number[] {
    const { transfers, changes } = this.model
    if (role !== 'leader' || transfer !== null) return []
    const targets = transfers ? quorum.incoming.filter((id) => id !== leaderId) : []
    const handed = targets.map((id) => localCode('transfer', nodeNumber(id)))
    return change === null ? [...handed, ...changes.map((_, at) => localCode('change', at))] : handed
  }

  /**
   * From which durable term of its receiver on a packet is taken out of the network. Where a guard changes what arrives
   * nothing is: a packet that the core ignores may become one that it doesn't.
   */
  deadFromTerm(packet: Packet): Term {
    return this.#guard.changeEvent === undefined ? deadFromTerm(packet) : Number.POSITIVE_INFINITY
  }

  /** Whether delivering it late can be anything else than delivering it at once. */
  mayBeLate({ message }: Packet): boolean {
    const { type } = message
    if (type === 'heartbeatResponse') return this.model.resends
    return this.model.preVote === 'real' && (type === 'preVote' || type === 'requestVote')
  }

  step(state: NodeState, action: Action): Stepped {
    if (action.type === 'local' && (action.action === 'crash' || action.action === 'crashAfterWrite')) {
      return this.#crash(state, action.action === 'crashAfterWrite')
    }
    const run = new NodeRun(state, this.model, this.#rules, this.#guard)
    try {
      if (action.type === 'deliver') run.deliver(action.packet, action.isLate)
      else run.act(action.action, action.parameter)
      run.finish()
    } catch (error) {
      if (!(error instanceof InvariantViolation)) throw error
      const broken: Broken = { invariant: 'core assertion', detail: error.message }
      // A node that stops itself does no harm: where the assertion is left out, nothing follows.
      return { state, sent: [], reads: [], commits: [], broken: isJudged(this.#guard, broken) ? broken : null }
    }
    return run.result()
  }

  #crash({ node, boot, disk }: NodeState, survives: boolean): Stepped {
    const after = disks.afterCrash(disk, survives)
    const nextBoot = this.model.reads > 0 ? boot + 1 : boot
    const state = this.#restart({ node, boot: nextBoot, disk: after })
    const broken = checkDisk(disk, after)
    return {
      state,
      sent: [],
      reads: [],
      commits: [],
      broken: broken !== null && isJudged(this.#guard, broken) ? broken : null,
    }
  }

  #restart({ node, boot, disk }: Pick<NodeState, 'node' | 'boot' | 'disk'>): NodeState {
    const options = coreOptions(this.model, node, boot)
    const core = new RaftCore(options, this.#restored(disk), time.NOW, this.#rules)
    time.forgetTime(core.state, false)
    return { node, boot, core: core.state, disk }
  }

  #restored({ hardState, terms, configurations }: disks.Disk): RestoredState {
    const termRuns: { first: number; term: Term }[] = []
    terms.forEach((term, at) => {
      if (termRuns.at(-1)?.term !== term) termRuns.push({ first: at + 1, term })
    })
    const log = { firstIndex: 1, lastIndex: terms.length, previousTerm: 0, termRuns, logTime: 0 }
    const configuration = { index: 0, configuration: this.#configuration }
    const configurationEntries = configurations.map((held) => entryOf(held, terms))
    return { hardState, ...log, configuration, configurationEntries }
  }
}

function entryOf({ index, configuration }: HeldConfiguration, terms: readonly Term[]): LogEntry {
  const data = encodeConfiguration(configuration)
  return { index, term: terms[index - 1] as Term, type: 'configuration', timestamp: 0, data }
}

function startDisk({ hardState, terms, configurations = [] }: StartDisk): disks.Disk {
  const held = configurations.map(({ index, voters }) => ({ index, configuration: configurationOf(voters) }))
  return { ...disks.EMPTY_DISK, hardState, terms, configurations: held }
}

/** One step of one node, from the first event to where nothing more follows by itself. */
class NodeRun {
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
    const now = time.NOW
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
        return this.#event({ type: 'propose', now, wallTime: 0, id: 1, commands: [new Uint8Array(0)] })
      case 'read':
        return this.#event({ type: 'read', now, id: parameter })
      case 'persist':
        return this.#persist()
      case 'transfer':
        return this.#event({ type: 'transfer', now, id: 1, to: nodeId(parameter) })
      case 'transferOver':
        time.expireTransfer(this.#state)
        return this.#event({ type: 'tick', now })
      case 'change': {
        const change = changeTo(this.#model.changes[parameter] ?? [])
        return this.#event({ type: 'changeMembership', now, wallTime: 0, id: 1, change, force: true })
      }
      case 'crash':
      case 'crashAfterWrite':
        throw new TypeError('a crash is not a step of the core')
    }
  }

  /** What follows by itself, and the checks of this node alone. */
  finish(): void {
    const state = this.#state
    // Applying changes nothing but freshness, so that it may as well follow at once.
    const index = Math.min(state.commitIndex, state.persistedIndex)
    if (index > state.lastApplied) this.#event({ type: 'applied', now: time.NOW, index })
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
    this.#event({ type: 'receive', now: time.NOW, wallTime: 0, from: sender, message, budgetBytes })
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
    while (this.#model.disks === 'instant' && this.#disk.running !== null) this.#persist()
  }

  #persist(): void {
    const { disk, write } = disks.complete(this.#disk)
    this.#disk = disk
    for (const envelope of write.waiting) this.#send(packetOf(this.#before.node, envelope, this.#state))
    const { hardState, first, terms, epoch } = write
    const index = terms.length === 0 ? 0 : first + terms.length - 1
    this.#event({ type: 'persisted', now: time.NOW, hardState, index, epoch })
  }

  #send(packet: Packet): void {
    const { message } = packet
    this.#note(checkSent(packet, this.#disk))
    const { heartbeats, preVote, maxTerm, transfers, lastTermReplicates } = this.#model
    if (message.type === 'heartbeat' && heartbeats === 'lost') return
    if (message.type === 'appendEntries' && message.term === maxTerm && !lastTermReplicates) return
    if (message.type === 'timeoutNow' && (!transfers || message.term >= maxTerm)) return
    if (message.type === 'preVote' && (preVote === 'assumed' || message.term > maxTerm)) return
    this.#sent.push(packet)
  }
}

/** Whether the invariant counts while this guard is removed. */
function isJudged({ ignores = [] }: Partial<RemovedGuard>, { invariant }: Broken): boolean {
  return !ignores.includes(invariant)
}

function coreOptions({ appendEntries, inflightMessages }: Model, node: number, boot: number): CoreOptions {
  const timings = { electionTimeoutMs: time.ELECTION_TIMEOUT_MS, heartbeatIntervalMs: time.HEARTBEAT_INTERVAL_MS }
  return { id: nodeId(node), ...timings, seed: 1, boot, appendEntries, inflightMessages }
}

/** Numbers that only tell one thing from an earlier one begin again, and times are forgotten. See the README. */
function forgetWhatPasses(state: CoreState, { preVote, reads }: Model): void {
  time.forgetTime(state, preVote === 'real')
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
