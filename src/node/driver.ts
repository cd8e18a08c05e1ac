// A node that runs: the core and everything around it (design §3). Carries each Output out in the order that durability
// demands, and turns any failure into one end. Owns no rule of the protocol.
import { findMember } from '../core/configuration.js'
import type { MembershipChange } from '../core/membership-change.js'
import type { Output, RoleChange } from '../core/output.js'
import type { Configuration, LogIndex, Member, NodeId, Term } from '../core/types.js'
import type { RaftError } from '../errors.js'
import type { SnapshotMeta } from '../interfaces/state-machine.js'
import type { TransportLocal } from '../interfaces/transport.js'
import type {
  ResolvedCallOptions,
  ResolvedMembershipOptions,
  ResolvedProposeOptions,
  ResolvedReadOptions,
  ResolvedSessionOptions,
} from './calls.js'
import type { DriverHooks } from './driver-hooks.js'
import { DriverParts } from './driver-parts.js'
import { storeError } from './failures.js'
import { handOver } from './hand-over.js'
import type { Internals } from './internals.js'
import type { SettingValues } from './options.js'
import type { Proposal } from './proposal-call.js'
import { reconfigure } from './reconfigure.js'
import type { Recovered } from './recovery.js'
import type { RunningOptions } from './replicated-state.js'
import type { Session } from './sessions/session.js'
import { leaderOf, memberOf, type RaftStatus, runningStatus } from './status.js'
import type { Watched } from './watchers.js'

/** Election timeouts in which a voter that can be reached has said what it has to say to a candidate. */
const DEAF_TIMEOUTS = 5

export class Driver {
  readonly #options: RunningOptions
  readonly #hooks: DriverHooks
  readonly #parts: DriverParts
  /** For listeners, at the end of the turn, when nothing is half done. */
  #notices: (() => void)[] = []
  #lastTerm: Term
  #isClosed = false

  constructor(options: RunningOptions, recovered: Recovered, internals: Internals, hooks: DriverHooks) {
    this.#options = options
    this.#hooks = hooks
    this.#parts = new DriverParts(options, recovered, internals, {
      isClosed: () => this.#isClosed,
      handOut: (output) => this.#handOut(output),
      afterTurn: () => this.#afterTurn(),
      onApplied: (index) => this.#onApplied(index),
      onSnapshot: (meta, sizeBytes, settle) => this.#onSnapshot(meta, sizeBytes, settle),
      onReleased: () => this.#onReleased(),
      fail: (error) => this.#fail(error),
    })
    const { state } = this.#parts.core
    this.#lastTerm = state.currentTerm
    internals.observe?.(state, null, null)
  }

  /** That it leads, and knows what was committed before it (§8). */
  get #termLed(): Term | null {
    const { currentTerm, termFirstIndex } = this.#parts.core.state
    const knowsAll = this.#parts.applier.appliedIndex >= termFirstIndex
    return this.isLeader && knowsAll && !this.#isClosed ? currentTerm : null
  }

  /** What the transport is given. */
  get local(): TransportLocal {
    return this.#parts.reception.local
  }

  get isLeader(): boolean {
    return this.#parts.core.state.role === 'leader' && !this.#parts.founding.isUnderWay
  }

  get leader(): Member | null {
    return this.#parts.founding.isUnderWay ? null : leaderOf(this.#parts.core.state)
  }

  /** In force, and its index. */
  get configuration(): { readonly index: LogIndex; readonly configuration: Configuration } | null {
    return this.#parts.core.state.log.configurations.at(-1) ?? null
  }

  /** Events flow from here on. */
  begin(): void {
    // A listener or the logger may have stopped the node a moment ago: its timers must not begin behind that.
    if (this.#isClosed) return
    this.#parts.loop.begin()
    this.#parts.founding.begin()
    this.#parts.snapshotter.begin()
  }

  propose(proposal: Proposal, options: ResolvedProposeOptions): Promise<unknown> {
    return this.#parts.proposals.submit(proposal, options).promise
  }

  openSession(
    options: ResolvedSessionOptions,
    encode: (command: unknown) => Uint8Array,
  ): Promise<Session<unknown, unknown>> {
    return this.#parts.sessions.open(options, encode)
  }

  read(query: () => unknown, options: ResolvedReadOptions): Promise<{ value: unknown; index: LogIndex }> {
    return this.#parts.reads.submit(query, options).promise
  }

  /** How many voters hold the entry durably. */
  replicas(index: LogIndex, count: number, options: ResolvedCallOptions): Promise<number> {
    return this.#parts.replicas.wait(index, count, options)
  }

  /** Resolves when another node leads. @throws RaftError when it can't be begun */
  transfer(to: NodeId | null, options: ResolvedCallOptions): Promise<void> {
    return this.#parts.transfers.submit(to, options)
  }

  /** Resolves with the configuration that was committed. */
  changeMembership(change: MembershipChange, options: ResolvedMembershipOptions): Promise<Configuration> {
    return this.#parts.membership.submit(change, options)
  }

  /** This node knows its cluster and is no member of it: removed, or not added yet. */
  get isOutside(): boolean {
    const { state } = this.#parts.core
    const configuration = this.configuration?.configuration ?? null
    return configuration !== null && state.role !== 'leader' && findMember(configuration, this.#options.id) === null
  }

  /** Before a stop, within `timeoutMs`: nothing that waits is handed on any more, and another voter takes over. Never rejects. */
  handOver(timeoutMs: number): Promise<void> {
    const [proposals, transfers, watchers] = [this.#parts.proposals, this.#parts.transfers, this.#parts.watchers]
    return handOver(
      { options: this.#options, state: this.#parts.core.state, proposals, transfers, watchers },
      timeoutMs,
    )
  }

  /** These settings from here on. @throws RaftError RAFT_INVALID_OPTION, and nothing was changed then */
  reconfigure(values: SettingValues): void {
    reconfigure(this.#parts, this.#options.settings, values)
  }

  takeSnapshot(options: ResolvedCallOptions): Promise<SnapshotMeta> {
    return this.#parts.snapshotter.take(options)
  }

  backup(options: ResolvedCallOptions): AsyncIterator<Uint8Array, undefined> {
    return this.#parts.backups.begin(options)
  }

  watch<T>(options: ResolvedCallOptions, watched: Watched<T>): Promise<T> {
    return this.#parts.watchers.watch(options, watched)
  }

  /** Less than half of `limits.uncommittedBytes` is in use. */
  get isWritable(): boolean {
    return this.#parts.budget.isHalfFree(this.isLeader)
  }

  status(): RaftStatus {
    return runningStatus(this.#parts.core.state, {
      options: this.#options,
      settings: this.#options.settings,
      clusterId: this.#parts.identity.clusterId,
      now: this.#options.clock.now(),
      isReady: this.#parts.readiness.isReady,
      appliedIndex: this.#parts.applier.appliedIndex,
      pendingProposals: this.#parts.proposals.pendingCount,
      uncommittedBytes: this.#parts.budget.usedBytes(this.isLeader),
      lastRefusal: this.#parts.reception.lastRefusal,
      longConnected: this.#parts.reception.connectedFor(DEAF_TIMEOUTS * this.#options.settings.electionTimeoutMs),
      founding: this.#parts.founding.explanation,
      isFounding: this.#parts.founding.isUnderWay,
    })
  }

  /** Takes nothing more in, sends and writes nothing more, and ends every call. Idempotent. */
  close(cause?: unknown): void {
    if (this.#isClosed) return
    this.#isClosed = true
    this.#parts.loop.close()
    this.#parts.founding.close()
    this.#parts.writer.close()
    this.#parts.outbound.close()
    this.#parts.applier.close()
    this.#parts.proposals.close()
    this.#parts.snapshotter.close()
    this.#parts.snapshotStreams.close()
    this.#parts.snapshotReception.close()
    this.#parts.reads.close()
    this.#parts.replicas.close()
    this.#notices = []
    this.#hooks.onLeading(null)
    this.#parts.calls.endAll(cause)
  }

  /** When the writes and the read that were under way are over: the stores may be closed. Never rejects. */
  async idle(): Promise<void> {
    if (!this.#parts.rules.awaitsWrites()) return
    const { writer, reader, snapshotter, snapshotStreams, snapshotReception, backups } = this.#parts
    const parts = [writer, reader, snapshotter, snapshotStreams, snapshotReception, backups]
    await Promise.all(parts.map((part) => part.idle()))
  }

  #handOut(output: Output): void {
    const { state } = this.#parts.core
    const { append } = output
    // First, before any code of the application runs: a call that ends from here on may stand in a log (H36).
    for (const result of output.results) this.#parts.proposals.onResult(result)
    this.#parts.transfers.onOutput(output)
    for (const outcome of output.changes) this.#parts.membership.onOutcome(outcome)
    this.#parts.narrator.onOutput(output, state)
    if (append !== undefined) {
      this.#parts.cache.append(append.entries)
      this.#parts.budget.append(append.entries)
    }
    const { identity, writer } = this.#parts
    if (output.leasePromiseMs !== undefined) writer.submitIdentity(identity.promised(output.leasePromiseMs))
    this.#parts.outbound.send(output.messages)
    writer.submit(output)
    if (output.isFounded) this.#onFounded()
    if (output.compactTo !== undefined) {
      this.#parts.narrator.onCompacted(output.compactTo)
      this.#parts.reader.compact(output.compactTo).catch((error: unknown) => this.#fail(storeError(error)))
    }
    this.#handOutSnapshots(output)
    this.#noticeConfiguration()
    for (const outcome of output.reads) this.#parts.reads.onOutcome(outcome)
    for (const answer of output.replicas) this.#parts.replicas.onAnswer(answer)
    this.#noticeChanges(output)
    if (state.currentTerm === this.#lastTerm) return
    this.#lastTerm = state.currentTerm
    this.#parts.proposals.onTerm(state.currentTerm)
  }

  #handOutSnapshots(output: Output): void {
    const { snapshotStreams, snapshotReception } = this.#parts
    const { chunks, snapshotDecision, installed } = output
    snapshotStreams.onOutput(output)
    if (chunks.length > 0) snapshotReception.take(chunks)
    if (snapshotDecision !== undefined) snapshotReception.decide(snapshotDecision)
    if (installed !== undefined) this.#onInstalled(installed)
  }

  /** Log and state begin behind a snapshot of the leader now: whatever is kept of what was before goes. */
  #onInstalled(meta: SnapshotMeta): void {
    const { lastIncludedIndex: index, lastIncludedTimestamp } = meta
    const { cache, budget, applier, snapshotter, proposals, narrator } = this.#parts
    const { emit } = this.#hooks
    cache.reset(index)
    budget.reset(index)
    applier.jump(index, lastIncludedTimestamp)
    snapshotter.installed(meta)
    proposals.onJumped(index)
    narrator.onInstalled(meta)
    this.#notices.push(() => emit('snapshot', structuredClone(meta), 'leader'))
    this.#notices.push(() => emit('applied', index))
  }

  /** Behind the entry that founds: a crash in between leaves a founder that goes on. */
  #onFounded(): void {
    const { identity, writer, narrator, proposals, core } = this.#parts
    writer.submitIdentity(identity.founded())
    narrator.onFounded(identity.clusterId, core.state)
    proposals.release()
  }

  #noticeConfiguration(): void {
    const { core, configurations, narrator } = this.#parts
    const held = configurations.next(core.state.log, core.state.commitIndex)
    if (held === null) return
    narrator.onConfiguration(held.configuration, held.index)
    this.#notices.push(() => this.#hooks.emit('configuration', structuredClone(held.configuration), held.index))
  }

  #noticeChanges(output: Output): void {
    const { proposals, reads, loop } = this.#parts
    const news = this.#parts.founding.newsOf(output)
    for (const change of news.roles) this.#noticeRole(change)
    if (news.leader !== undefined) this.#noticeLeader(news.leader)
    if ((output.leader?.id ?? null) !== null) reads.onLeader()
    const mayGoOn = output.leader !== undefined || output.roles.length > 0
    if (mayGoOn && proposals.hasWaiting) loop.push({ type: 'proposals' })
  }

  #noticeRole(change: RoleChange): void {
    this.#parts.narrator.onRole(change)
    this.#notices.push(() => this.#hooks.emit('role', { ...change }))
  }

  #noticeLeader({ id, term }: NonNullable<Output['leader']>): void {
    const leader = id === null ? null : memberOf(this.#parts.core.state, id)
    this.#parts.narrator.onLeader(id, term)
    this.#notices.push(() => this.#hooks.emit('leader', leader, term))
  }

  /** The core is done for this turn: what is the application's comes now, and may call anything (H99). */
  #afterTurn(): void {
    const { state } = this.#parts.core
    this.#parts.budget.persisted(state.persistedIndex)
    this.#parts.budget.committed(state.commitIndex)
    this.#parts.applier.advanceTo(this.#parts.rules.applicable(state.commitIndex, state.persistedIndex))
    this.#parts.outbound.pump()
    this.#parts.readiness.look()
    this.#parts.applier.pump()
    this.#parts.cache.trim(state.persistedIndex)
    const notices = this.#notices
    this.#notices = []
    for (const notice of notices) notice()
    this.#hooks.onLeading(this.#termLed)
    this.#parts.transfers.look()
    this.#parts.snapshotStreams.look()
    this.#parts.watchers.look()
  }

  #onApplied(index: LogIndex): void {
    this.#parts.budget.applied(index)
    this.#notices.push(() => this.#hooks.emit('applied', index))
    this.#parts.loop.push({ type: 'applied', index })
  }

  #onSnapshot(meta: SnapshotMeta, sizeBytes: number, settle: () => void): void {
    this.#parts.narrator.onSnapshot(meta, sizeBytes)
    this.#notices.push(() => this.#hooks.emit('snapshot', structuredClone(meta), 'local'), settle)
    const { lastIncludedIndex } = meta
    const { appliedBytes } = this.#parts.applier
    const forgettable = this.#parts.retention.onTaken({ lastIncludedIndex, sizeBytes, appliedBytes })
    this.#parts.loop.push({ type: 'snapshotTaken', ...forgettable })
  }

  #onReleased(): void {
    if (this.#parts.proposals.hasWaiting) this.#parts.loop.push({ type: 'proposals' })
    else if (!this.#parts.watchers.isEmpty) this.#parts.loop.wake()
  }

  #fail(error: RaftError): void {
    if (this.#isClosed) return
    this.close(error)
    this.#hooks.onFailure(error)
  }
}
