// A node that runs: the core and everything around it, wired (design §3). Carries each Output out in the order that
// durability demands, and turns any failure into one end. Owns no rule of the protocol.
import type { Output } from '../core/output.js'
import type { Configuration, LogIndex, Member, NodeId, Term } from '../core/types.js'
import { NotLeaderError, type RaftError } from '../errors.js'
import type { SnapshotMeta } from '../interfaces/state-machine.js'
import type { TransportLocal } from '../interfaces/transport.js'
import { Applier } from './applier.js'
import type { ResolvedCallOptions, ResolvedReadOptions } from './calls.js'
import type { DriverHooks } from './driver-hooks.js'
import { EntryCache } from './entry-cache.js'
import { EventLoop } from './event-loop.js'
import { invariantError, storeError } from './failures.js'
import { handOver } from './hand-over.js'
import { Identity } from './identity.js'
import { type Internals, nodeRulesOf, type SteppedCore } from './internals.js'
import { LogThrottle } from './log.js'
import { LogBudget } from './log-budget.js'
import { LogReader } from './log-reader.js'
import { LogWriter } from './log-writer.js'
import { makeCore } from './make-core.js'
import { Narrator } from './narrator.js'
import type { NodeRules } from './node-rules.js'
import type { ResolvedOptions } from './options.js'
import { Outbound } from './outbound.js'
import { PendingCalls } from './pending-call.js'
import { Proposals } from './proposals.js'
import { Readiness } from './readiness.js'
import { Reads } from './reads.js'
import { Reception } from './reception.js'
import type { Recovered } from './recovery.js'
import { forgettable } from './snapshot-meta.js'
import { Snapshotter } from './snapshotter.js'
import { leaderOf, memberOf, type RaftStatus, runningStatus } from './status.js'
import { Transfers } from './transfers.js'
import { type Watched, Watchers } from './watchers.js'

export class Driver {
  readonly #options: ResolvedOptions
  readonly #hooks: DriverHooks
  readonly #rules: NodeRules
  readonly #core: SteppedCore
  readonly #identity: Identity
  readonly #reception: Reception
  readonly #narrator: Narrator
  readonly #calls: PendingCalls
  readonly #watchers: Watchers
  readonly #budget: LogBudget
  readonly #cache = new EntryCache()
  readonly #reader: LogReader
  readonly #writer: LogWriter
  readonly #outbound: Outbound
  readonly #proposals: Proposals
  readonly #transfers: Transfers
  readonly #reads: Reads
  readonly #readiness: Readiness
  readonly #applier: Applier
  readonly #snapshotter: Snapshotter
  readonly #loop: EventLoop
  /** For listeners, at the end of the turn, when nothing is half done. */
  #notices: (() => void)[] = []
  #lastTerm: Term
  #isClosed = false

  constructor(options: ResolvedOptions, recovered: Recovered, internals: Internals, hooks: DriverHooks) {
    this.#options = options
    this.#hooks = hooks
    this.#rules = nodeRulesOf(internals)
    this.#core = makeCore(options, recovered, internals)
    const { state } = this.#core
    this.#lastTerm = state.currentTerm
    this.#identity = new Identity(options, recovered.identity)
    const throttle = new LogThrottle(options.clock)
    this.#narrator = new Narrator(options, options.logger, { throttle, lastIndex: state.log.lastIndex })
    this.#reception = this.#makeReception()
    this.#calls = new PendingCalls(options.clock, this.#rules)
    this.#watchers = new Watchers(this.#calls)
    this.#budget = new LogBudget(options.limits.uncommittedBytes)
    this.#reader = new LogReader(options.logStore)
    this.#outbound = this.#makeOutbound()
    this.#writer = this.#makeWriter(internals)
    this.#proposals = this.#makeProposals()
    this.#transfers = this.#makeTransfers()
    this.#reads = this.#makeReads()
    this.#readiness = new Readiness({ id: options.id, state, reads: this.#reads })
    this.#applier = this.#makeApplier(recovered)
    this.#snapshotter = this.#makeSnapshotter(recovered)
    this.#loop = this.#makeLoop(internals)
    internals.observe?.(state, null, null)
  }

  /** What the transport is given. */
  get local(): TransportLocal {
    return this.#reception.local
  }

  get isLeader(): boolean {
    return this.#core.state.role === 'leader'
  }

  get leader(): Member | null {
    return leaderOf(this.#core.state)
  }

  /** In force, and its index. */
  get configuration(): { readonly index: LogIndex; readonly configuration: Configuration } | null {
    return this.#core.state.log.configurations.at(-1) ?? null
  }

  /** Events flow from here on. */
  begin(): void {
    // A listener or the logger may have stopped the node a moment ago: its timers must not begin behind that.
    if (this.#isClosed) return
    this.#loop.begin()
    this.#snapshotter.begin()
  }

  propose(commands: readonly Uint8Array[], options: ResolvedCallOptions, isMany: boolean): Promise<unknown> {
    return this.#proposals.submit(commands, options, isMany)
  }

  read(query: () => unknown, options: ResolvedReadOptions): Promise<{ value: unknown; index: LogIndex }> {
    return this.#reads.submit(query, options).promise
  }

  /** Resolves when another node leads. @throws RaftError when it can't be begun */
  transfer(to: NodeId | null, options: ResolvedCallOptions): Promise<void> {
    return this.#transfers.submit(to, options)
  }

  /** Before a stop, within `timeoutMs`: nothing that waits is handed on any more, and another voter takes over. Never rejects. */
  handOver(timeoutMs: number): Promise<void> {
    const [proposals, transfers, watchers] = [this.#proposals, this.#transfers, this.#watchers]
    return handOver({ options: this.#options, state: this.#core.state, proposals, transfers, watchers }, timeoutMs)
  }

  takeSnapshot(options: ResolvedCallOptions): Promise<SnapshotMeta> {
    return this.#snapshotter.take(options)
  }

  watch<T>(options: ResolvedCallOptions, watched: Watched<T>): Promise<T> {
    return this.#watchers.watch(options, watched)
  }

  /** Less than half of `limits.uncommittedBytes` is in use. */
  get isWritable(): boolean {
    return this.#budget.isHalfFree(this.isLeader)
  }

  status(): RaftStatus {
    return runningStatus(this.#core.state, {
      options: this.#options,
      clusterId: this.#identity.clusterId,
      now: this.#options.clock.now(),
      isReady: this.#readiness.isReady,
      appliedIndex: this.#applier.appliedIndex,
      pendingProposals: this.#proposals.pendingCount,
      uncommittedBytes: this.#budget.usedBytes(this.isLeader),
      lastRefusal: this.#reception.lastRefusal,
    })
  }

  /** Takes nothing more in, sends and writes nothing more, and ends every call. Idempotent. */
  close(cause?: unknown): void {
    if (this.#isClosed) return
    this.#isClosed = true
    this.#loop.close()
    this.#writer.close()
    this.#outbound.close()
    this.#applier.close()
    this.#proposals.close()
    this.#snapshotter.close()
    this.#reads.close()
    this.#notices = []
    this.#calls.endAll(cause)
  }

  /** When the writes and the read that were under way are over: the stores may be closed. Never rejects. */
  async idle(): Promise<void> {
    if (!this.#rules.awaitsWrites()) return
    await Promise.all([this.#writer.idle(), this.#reader.idle(), this.#snapshotter.idle()])
  }

  #handOut(output: Output): void {
    const { state } = this.#core
    const { append } = output
    // First, before any code of the application runs: a call that ends from here on may stand in a log (H36).
    for (const result of output.results) this.#proposals.onResult(result)
    this.#transfers.onOutput(output)
    this.#narrator.onOutput(output, state)
    if (append !== undefined) {
      this.#cache.append(append.entries)
      this.#budget.append(append.entries)
    }
    this.#outbound.send(output.messages)
    this.#writer.submit(output)
    if (output.compactTo !== undefined) {
      this.#narrator.onCompacted(output.compactTo)
      this.#reader.compact(output.compactTo).catch((error: unknown) => this.#fail(storeError(error)))
    }
    for (const outcome of output.reads) this.#reads.onOutcome(outcome)
    this.#noticeChanges(output)
    if (state.currentTerm === this.#lastTerm) return
    this.#lastTerm = state.currentTerm
    this.#proposals.onTerm(state.currentTerm)
  }

  #noticeChanges(output: Output): void {
    const { emit } = this.#hooks
    for (const change of output.roles) {
      this.#narrator.onRole(change)
      this.#notices.push(() => emit('role', { ...change }))
    }
    if (output.leader !== undefined) {
      const { id, term } = output.leader
      const leader = id === null ? null : memberOf(this.#core.state, id)
      this.#narrator.onLeader(id, term)
      this.#notices.push(() => emit('leader', leader, term))
      if (id !== null) this.#reads.onLeader()
    }
    const mayGoOn = output.leader !== undefined || output.roles.length > 0
    if (mayGoOn && this.#proposals.hasWaiting) this.#loop.push({ type: 'proposals' })
  }

  /** The core is done for this turn: what is the application's comes now, and may call anything (H99). */
  #afterTurn(): void {
    const { state } = this.#core
    this.#budget.persisted(state.persistedIndex)
    this.#budget.committed(state.commitIndex)
    this.#applier.advanceTo(this.#rules.applicable(state.commitIndex, state.persistedIndex))
    this.#outbound.pump()
    this.#readiness.look()
    this.#applier.pump()
    this.#cache.trim(state.persistedIndex)
    const notices = this.#notices
    this.#notices = []
    for (const notice of notices) notice()
    this.#transfers.look()
    this.#watchers.look()
  }

  #onApplied(index: LogIndex): void {
    this.#budget.applied(index)
    this.#notices.push(() => this.#hooks.emit('applied', index))
    this.#loop.push({ type: 'applied', index })
  }

  #onSnapshot(meta: SnapshotMeta, sizeBytes: number, settle: () => void): void {
    this.#narrator.onSnapshot(meta, sizeBytes)
    this.#notices.push(() => this.#hooks.emit('snapshot', structuredClone(meta), 'local'), settle)
    this.#loop.push({ type: 'snapshotTaken', ...forgettable(meta, this.#options.snapshot) })
  }

  #onReleased(): void {
    if (this.#proposals.hasWaiting) this.#loop.push({ type: 'proposals' })
    else if (!this.#watchers.isEmpty) this.#loop.wake()
  }

  #fail(error: RaftError): void {
    if (this.#isClosed) return
    this.close(error)
    this.#hooks.onFailure(error)
  }

  #makeReception(): Reception {
    return new Reception({
      id: this.#options.id,
      identity: this.#identity,
      narrator: this.#narrator,
      state: this.#core.state,
      isClosed: () => this.#isClosed,
      push: (item) => this.#loop.push(item),
    })
  }

  #makeOutbound(): Outbound {
    const { transport, limits } = this.#options
    return new Outbound({
      transport,
      limits,
      cache: this.#cache,
      reader: this.#reader,
      state: this.#core.state,
      onDropped: (peer, index) => this.#loop.push({ type: 'outboundDropped', peer, index }),
      onFailure: (error) => this.#fail(storeError(error)),
      rules: this.#rules,
    })
  }

  #makeWriter({ answersWait }: Internals): LogWriter {
    return new LogWriter(this.#options.logStore, {
      clock: this.#options.clock,
      release: (envelopes) => this.#outbound.send(envelopes),
      onDurable: (write, tookMs) => {
        this.#narrator.onWrite(tookMs)
        this.#loop.push({ type: 'persisted', ...write })
      },
      onFailure: (error) => this.#fail(storeError(error)),
      answersWait,
    })
  }

  #makeProposals(): Proposals {
    const { limits, forwardProposals, transport, clock, heartbeatIntervalMs } = this.#options
    const { state } = this.#core
    return new Proposals({
      calls: this.#calls,
      budget: this.#budget,
      limits,
      forwardProposals,
      maxMessageBytes: transport.maxMessageBytes,
      state,
      clock,
      heartbeatIntervalMs,
      appliedIndex: () => this.#applier.appliedIndex,
      notLeader: (message) => new NotLeaderError(message, { leader: leaderOf(state) }),
      wake: () => this.#loop.push({ type: 'proposals' }),
      onReleased: () => this.#onReleased(),
    })
  }

  #makeTransfers(): Transfers {
    const { state } = this.#core
    return new Transfers({
      options: this.#options,
      calls: this.#calls,
      state,
      ask: (number, to) => this.#loop.push({ type: 'transfer', id: number, to }),
      notLeader: (message) => new NotLeaderError(message, { leader: leaderOf(state) }),
      onEnded: () => this.#proposals.onTransferEnded(),
    })
  }

  #makeReads(): Reads {
    const { clock, heartbeatIntervalMs } = this.#options
    return new Reads({
      calls: this.#calls,
      clock,
      state: this.#core.state,
      heartbeatIntervalMs,
      appliedIndex: () => this.#applier.appliedIndex,
      wake: () => this.#loop.push({ type: 'reads' }),
      // While events are stepped the end of the turn is still to come.
      onDue: () => {
        if (!this.#loop.isDraining) this.#loop.wake()
      },
    })
  }

  #makeApplier({ snapshot }: Recovered): Applier {
    const { stateMachine, codec, clock } = this.#options
    return new Applier({
      stateMachine,
      codec,
      clock,
      cache: this.#cache,
      reader: this.#reader,
      reads: this.#reads,
      appliedIndex: this.#core.state.lastApplied,
      appliedTimestamp: snapshot?.lastIncludedTimestamp,
      checkpoint: () => this.#snapshotter.checkpoint(),
      onEntry: (index, term, result) => this.#proposals.onApplied(index, term, result),
      onBatch: (index) => this.#onApplied(index),
      yieldTurn: () => this.#loop.wake(),
      onFailure: (error) => this.#fail(storeError(error)),
      rules: this.#rules,
    })
  }

  #makeSnapshotter({ snapshot }: Recovered): Snapshotter {
    return new Snapshotter({
      options: this.#options,
      state: this.#core.state,
      applier: this.#applier,
      calls: this.#calls,
      latest: snapshot,
      wake: () => this.#loop.wake(),
      onTaken: (meta, sizeBytes, settle) => this.#onSnapshot(meta, sizeBytes, settle),
      onFailed: (error, retryMs) => this.#narrator.onSnapshotFailed(error, retryMs),
    })
  }

  #makeLoop({ observe, observeFailure }: Internals): EventLoop {
    const { clock, heartbeatIntervalMs } = this.#options
    return new EventLoop({
      core: this.#core,
      clock,
      lateMs: heartbeatIntervalMs / 2,
      budget: this.#budget,
      proposals: this.#proposals,
      reads: this.#reads,
      observe,
      observeFailure,
      handOut: (output) => this.#handOut(output),
      afterTurn: () => this.#afterTurn(),
      onFailure: (error) => this.#fail(invariantError(error)),
    })
  }
}
