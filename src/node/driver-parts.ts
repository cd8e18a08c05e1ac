// What a running node is made of, wired: each part gets what it needs of the others, and nothing more (design §3). Decides
// nothing and carries nothing out: that is the Driver's.
import { currentConfiguration as configurationOf } from '../core/core.js'
import { leaseEnd } from '../core/lease.js'
import type { Output } from '../core/output.js'
import type { LogIndex, NodeId } from '../core/types.js'
import { NotLeaderError, type RaftError } from '../errors.js'
import type { SnapshotMeta } from '../interfaces/state-machine.js'
import { Applier } from './applier.js'
import { Backups } from './backups.js'
import { ConfigurationWatch } from './configuration-watch.js'
import { EntryCache } from './entry-cache.js'
import { EventLoop } from './event-loop.js'
import { invariantError, storeError } from './failures.js'
import { Founding } from './founding.js'
import { Identity } from './identity.js'
import { installSnapshot } from './install-snapshot.js'
import { type Internals, nodeRulesOf, type SteppedCore } from './internals.js'
import { LogRetention } from './log-retention.js'
import { LogThrottle } from './log.js'
import { LogBudget } from './log-budget.js'
import { LogReader } from './log-reader.js'
import { LogWriter } from './log-writer.js'
import { makeCore } from './make-core.js'
import { Membership } from './membership.js'
import { Narrator } from './narrator.js'
import type { NodeRules } from './node-rules.js'
import { Outbound } from './outbound.js'
import { PendingCalls } from './pending-call.js'
import { Proposals } from './proposals.js'
import { Readiness } from './readiness.js'
import { Reads } from './reads.js'
import { Reception } from './reception.js'
import { ReplicaCounts } from './replica-counts.js'
import type { Recovered } from './recovery.js'
import type { RunningOptions } from './replicated-state.js'
import { Sessions } from './sessions/sessions.js'
import { SnapshotReception } from './snapshot-reception.js'
import { SnapshotStreams } from './snapshot-streams.js'
import { Snapshotter } from './snapshotter.js'
import { leaderOf } from './status.js'
import { Transfers } from './transfers.js'
import { Watchers } from './watchers.js'

/** What the parts tell the Driver and ask of it. */
export interface PartsHooks {
  isClosed(): boolean
  /** Carries an Output out. */
  handOut(output: Output): void
  /** At the end of each turn: everything that is not the core's. */
  afterTurn(): void
  /** Applied up to here. */
  onApplied(index: LogIndex): void
  /** A snapshot of this node's own is durable. `settle` is to be called when the core knows. */
  onSnapshot(meta: SnapshotMeta, sizeBytes: number, settle: () => void): void
  /** A call settled: there is room. */
  onReleased(): void
  /** The node can't go on. */
  fail(error: RaftError): void
}

/** Everything that runs in a node, each part made once. */
export class DriverParts {
  readonly core: SteppedCore
  readonly rules: NodeRules
  readonly identity: Identity
  readonly founding: Founding
  readonly reception: Reception
  readonly narrator: Narrator
  readonly calls: PendingCalls
  readonly watchers: Watchers
  readonly budget: LogBudget
  readonly cache: EntryCache = new EntryCache()
  readonly reader: LogReader
  readonly writer: LogWriter
  readonly outbound: Outbound
  readonly proposals: Proposals
  readonly sessions: Sessions
  readonly transfers: Transfers
  readonly membership: Membership
  readonly configurations: ConfigurationWatch
  readonly reads: Reads
  readonly replicas: ReplicaCounts
  readonly readiness: Readiness
  readonly applier: Applier
  readonly snapshotter: Snapshotter
  readonly retention: LogRetention
  readonly snapshotStreams: SnapshotStreams
  readonly snapshotReception: SnapshotReception
  readonly backups: Backups
  readonly loop: EventLoop
  readonly #options: RunningOptions
  readonly #hooks: PartsHooks

  constructor(options: RunningOptions, recovered: Recovered, internals: Internals, hooks: PartsHooks) {
    this.#options = options
    this.#hooks = hooks
    this.rules = nodeRulesOf(internals)
    this.core = makeCore(options, recovered, internals)
    const { state } = this.core
    this.identity = new Identity(options, recovered.identity, () => configurationOf(state), this.rules)
    const throttle = new LogThrottle(options.clock)
    this.narrator = new Narrator(options, options.logger, { throttle, lastIndex: state.log.lastIndex })
    this.founding = this.#makeFounding()
    this.reception = this.#makeReception()
    this.calls = new PendingCalls(options.clock, this.rules)
    this.watchers = new Watchers(this.calls)
    this.budget = new LogBudget(options.settings)
    this.reader = new LogReader(options.logStore)
    this.retention = new LogRetention(options.settings)
    this.outbound = this.#makeOutbound()
    this.writer = this.#makeWriter(internals)
    this.proposals = this.#makeProposals()
    this.sessions = this.#makeSessions(recovered)
    this.transfers = this.#makeTransfers()
    this.membership = this.#makeMembership()
    this.configurations = new ConfigurationWatch(state.log.configurations.at(-1) ?? null)
    this.reads = this.#makeReads()
    this.replicas = this.#makeReplicas()
    this.readiness = new Readiness({
      id: options.id,
      state,
      reads: this.reads,
      isFounding: () => this.founding.isUnderWay,
    })
    this.applier = this.#makeApplier(recovered)
    this.snapshotter = this.#makeSnapshotter(recovered)
    this.backups = this.#makeBackups()
    this.snapshotStreams = this.#makeSnapshotStreams()
    this.snapshotReception = this.#makeSnapshotReception()
    this.loop = this.#makeLoop(internals)
  }

  #makeFounding(): Founding {
    const { id, bootstrap, settings, clock, logger, transport } = this.#options
    return new Founding({
      ...{ id, bootstrap, settings, clock, logger },
      identity: this.identity,
      rules: this.rules,
      state: this.core.state,
      send: (to, message) => transport.send(to, message),
      found: (members) => this.loop.push({ type: 'found', members }),
    })
  }

  #makeReception(): Reception {
    return new Reception({
      id: this.#options.id,
      clock: this.#options.clock,
      identity: this.identity,
      narrator: this.narrator,
      state: this.core.state,
      isClosed: () => this.#hooks.isClosed(),
      adopt: (identity) => this.writer.submitIdentity(identity),
      onPeerStatus: (peer, status) => this.founding.onPeerStatus(peer, status),
      push: (item) => this.loop.push(item),
    })
  }

  #makeOutbound(): Outbound {
    const { transport, settings, clock } = this.#options
    return new Outbound({
      transport,
      clock,
      settings,
      cache: this.cache,
      reader: this.reader,
      state: this.core.state,
      onDropped: (peer, index) => this.loop.push({ type: 'outboundDropped', peer, index }),
      onFailure: (error) => this.#hooks.fail(storeError(error)),
      rules: this.rules,
    })
  }

  #makeWriter({ answersWait }: Internals): LogWriter {
    return new LogWriter(this.#options.logStore, {
      clock: this.#options.clock,
      release: (envelopes) => this.outbound.send(envelopes),
      onDurable: (write, tookMs) => {
        this.narrator.onWrite(tookMs)
        this.loop.push({ type: 'persisted', ...write })
      },
      onFailure: (error) => this.#hooks.fail(storeError(error)),
      answersWait,
    })
  }

  #makeProposals(): Proposals {
    const { settings, forwardProposals, transport, clock } = this.#options
    const { state } = this.core
    return new Proposals({
      calls: this.calls,
      budget: this.budget,
      settings,
      forwardProposals,
      maxMessageBytes: transport.maxMessageBytes,
      state,
      clock,
      appliedIndex: () => this.applier.appliedIndex,
      notLeader: (message) => new NotLeaderError(message, { leader: leaderOf(state) }),
      wake: () => this.loop.push({ type: 'proposals' }),
      onReleased: () => this.#hooks.onReleased(),
    })
  }

  #makeSessions({ identity: { storeId, bootCount } }: Recovered): Sessions {
    const { clock, settings, forwardProposals, resultCodec } = this.#options
    return new Sessions({
      ...{ clock, settings, forwardProposals, resultCodec },
      calls: this.calls,
      runId: `${storeId}.${bootCount}`,
      submit: (proposal, options) => this.proposals.submit(proposal, options),
      reserve: (sizeBytes, isHeld) => this.proposals.reserve(sizeBytes, isHeld),
      unreserve: (sizeBytes) => this.proposals.unreserve(sizeBytes),
    })
  }

  #makeTransfers(): Transfers {
    const { state } = this.core
    return new Transfers({
      options: this.#options,
      calls: this.calls,
      state,
      ask: (number, to) => this.loop.push({ type: 'transfer', id: number, to }),
      notLeader: (message) => new NotLeaderError(message, { leader: leaderOf(state) }),
      onEnded: () => this.proposals.release(),
    })
  }

  #makeMembership(): Membership {
    const { id, settings, clock, logger } = this.#options
    return new Membership({
      ...{ id, settings, clock, logger },
      calls: this.calls,
      state: this.core.state,
      refusalOf: (peer, withinMs) => this.reception.refusalOf(peer, withinMs),
      ask: (number, change, force) => this.loop.push({ type: 'changeMembership', id: number, change, force }),
      cancel: (number) => this.loop.push({ type: 'cancelChange', id: number }),
    })
  }

  #makeReads(): Reads {
    const { clock, settings } = this.#options
    const { state } = this.core
    return new Reads({
      calls: this.calls,
      clock,
      state,
      settings,
      leaseEnd: () => leaseEnd(state),
      appliedIndex: () => this.applier.appliedIndex,
      wake: () => this.loop.push({ type: 'reads' }),
      // While events are stepped the end of the turn is still to come.
      onDue: () => {
        if (!this.loop.isDraining) this.loop.wake()
      },
    })
  }

  #makeReplicas(): ReplicaCounts {
    const { clock, settings } = this.#options
    return new ReplicaCounts({
      calls: this.calls,
      clock,
      settings,
      ask: (id, index) => this.loop.push({ type: 'replicas', id, index }),
    })
  }

  #makeApplier({ snapshot }: Recovered): Applier {
    const { stateMachine, clock } = this.#options
    return new Applier({
      apply: (entry) => stateMachine.applyEntry(entry),
      clock,
      cache: this.cache,
      reader: this.reader,
      reads: this.reads,
      appliedIndex: this.core.state.lastApplied,
      appliedTimestamp: snapshot?.lastIncludedTimestamp,
      checkpoint: () => this.snapshotter.checkpoint(),
      onEntry: (index, term, result) => this.proposals.onApplied(index, term, result),
      onBatch: (index) => this.#hooks.onApplied(index),
      yieldTurn: () => this.loop.wake(),
      onFailure: (error) => this.#hooks.fail(storeError(error)),
      rules: this.rules,
    })
  }

  #makeSnapshotter({ snapshot, snapshotBytes }: Recovered): Snapshotter {
    return new Snapshotter({
      options: this.#options,
      state: this.core.state,
      applier: this.applier,
      calls: this.calls,
      latest: snapshot,
      latestBytes: snapshotBytes,
      wake: () => this.loop.wake(),
      onTaken: (meta, sizeBytes, settle) => this.#hooks.onSnapshot(meta, sizeBytes, settle),
      onFailed: (error, retryMs) => this.narrator.onSnapshotFailed(error, retryMs),
    })
  }

  #makeBackups(): Backups {
    const { state } = this.core
    return new Backups({
      calls: this.calls,
      store: this.#options.snapshotStore,
      clusterId: () => this.identity.clusterId,
      hasLeader: () => state.leaderId !== null,
      reads: this.reads,
      snapshotter: this.snapshotter,
      onFailed: (error) => this.narrator.onBackupFailed(error),
    })
  }

  #makeSnapshotStreams(): SnapshotStreams {
    const { snapshotStore: store, clock, settings } = this.#options
    return new SnapshotStreams({
      store,
      clock,
      settings,
      state: this.core.state,
      send: (to, message) => this.outbound.sendSnapshot(to, message),
      onOpened: (to, { meta, sizeBytes }) => this.narrator.onSendingSnapshot(to, meta, sizeBytes),
      onRefused: (peer, retryMs) => this.narrator.onRefusedSnapshot(peer, retryMs),
      onUnsent: ({ to: peer, transfer }, error) => {
        if (this.#hooks.isClosed()) return
        this.narrator.onSnapshotUnsent(peer, error)
        if (error.code === 'RAFT_CORRUPTION') this.snapshotter.replace()
        this.loop.push({ type: 'snapshotUnsent', peer, transfer })
      },
    })
  }

  #makeSnapshotReception(): SnapshotReception {
    const { applier, snapshotter, writer, reader } = this
    const onFailed = (from: NodeId, error: RaftError) => this.narrator.onSnapshotRefused(from, error)
    const parts = {
      options: this.#options,
      ...{ applier, snapshotter, writer, reader },
      isClosed: () => this.#hooks.isClosed(),
      onFailed,
      onFatal: (error: RaftError) => this.#hooks.fail(error),
    }
    return new SnapshotReception({
      store: this.#options.snapshotStore,
      push: (item) => this.loop.push(item),
      install: (sink, source) => installSnapshot(parts, sink, source),
      onDamaged: (from, offset) => this.narrator.onDamagedChunk(from, offset),
      onFailed,
    })
  }

  #makeLoop({ observe, observeHandOut, observeFailure }: Internals): EventLoop {
    const { clock, settings } = this.#options
    return new EventLoop({
      core: this.core,
      clock,
      settings,
      budget: this.budget,
      proposals: this.proposals,
      reads: this.reads,
      observe,
      observeHandOut,
      observeFailure,
      handOut: (output) => this.#hooks.handOut(output),
      afterTurn: () => this.#hooks.afterTurn(),
      onFailure: (error) => this.#hooks.fail(invariantError(error)),
    })
  }
}
