// One RaftCore with the world that a driver would give it, under the hand of a test: a log with payloads, writes that
// complete when the test says so and are lost in a crash, its own clock, an apply that follows at once. Every step is
// checked by checkState and checkStep. It never waits and never draws a random number of its own.
import { restoredFrom } from './restored.js'
import {
  type AppendEntries,
  type AppendRange,
  type ChangeOutcome,
  type Configuration,
  type CoreEvent,
  type CoreState,
  checkState,
  checkStep,
  type Envelope,
  type HardState,
  type InstallSnapshot,
  type LogEntry,
  type Member,
  type MembershipChange,
  type Message,
  type NodeId,
  type Output,
  type ProposeResult,
  RaftCore,
  type ReadOutcome,
  type ReceivedChunk,
  type RoleChange,
  RULES,
  type Rules,
  type SendSnapshot,
  type SnapshotMeta,
  summarize,
  termAt,
  type Term,
  type TransferOutcome,
} from 'helios-raft/core'

export interface NodeOptions {
  readonly id: NodeId
  readonly configuration: Configuration | null
  readonly electionTimeoutMs: number
  readonly heartbeatIntervalMs: number
  readonly maxClockDriftRatio: number
  readonly seed: number
  readonly appendEntries: number
  readonly inflightMessages: number
  readonly rules: Rules
}

/** What survives a crash. `baseIndex` and `baseTerm`: the position before the first entry; a snapshot may reach further. */
export interface Durable {
  readonly hardState: HardState
  readonly baseIndex: number
  readonly baseTerm: Term
  readonly log: readonly LogEntry[]
  /** Of the snapshot; absent for one that ends at the base, or none. */
  readonly lastIncludedIndex?: number
  /** What the snapshot says of itself, where one was taken or installed. */
  readonly snapshot?: SnapshotMeta
  /** Longest lease that was promised; absent for none. */
  readonly leasePromiseMs?: number
}

export const EMPTY_DISK: Durable = { hardState: { currentTerm: 0, votedFor: null }, baseIndex: 0, baseTerm: 0, log: [] }

/** A write that was handed out and is not durable yet, with the messages that wait for it. */
export interface PendingWrite {
  readonly hardState: HardState | null
  readonly entries: readonly LogEntry[]
  readonly epoch: number
  readonly leasePromiseMs: number | undefined
  readonly after: readonly Envelope[]
}

export interface NodeHooks {
  post(from: SimulatedNode, to: NodeId, message: Message): void
  onStep?(node: SimulatedNode, event: CoreEvent): void
  onOutput?(node: SimulatedNode, output: Output): void
}

export const text = (data: Uint8Array): string => new TextDecoder().decode(data)
export const bytes = (value: string): Uint8Array => new TextEncoder().encode(value)

export class SimulatedNode {
  readonly id: NodeId
  clock = 0
  boot = 0
  wallTime = 1_000
  /** Bytes of entries or commands that this node takes in with one message. */
  budgetBytes = Number.MAX_SAFE_INTEGER
  persistence: 'now' | 'later' = 'now'
  applies: 'now' | 'later' = 'now'
  /** When a snapshot that was decided for takes the place of log and state. */
  installs: 'now' | 'later' = 'now'
  core: RaftCore | null = null
  /** The log as the core believes it to be; the entry at `baseIndex + 1` first. */
  log: LogEntry[] = []
  durable: Durable
  writes: PendingWrite[] = []
  committed = 0
  reads: ReadOutcome[] = []
  results: ProposeResult[] = []
  roles: RoleChange[] = []
  transfers: TransferOutcome[] = []
  changes: ChangeOutcome[] = []
  #ids = 0
  readonly options: NodeOptions
  readonly #hooks: NodeHooks

  constructor(options: NodeOptions, hooks: NodeHooks, durable: Durable = EMPTY_DISK) {
    this.id = options.id
    this.options = options
    this.durable = durable
    this.#hooks = hooks
  }

  /** Boots from what is durable. A process begins with a clock of its own, a founder with whom it has still to bring in. */
  start(clock = 0, founding?: readonly Member[]): void {
    const { options, durable } = this
    this.boot += 1
    this.clock = clock
    this.log = [...durable.log]
    this.committed = durable.lastIncludedIndex ?? durable.baseIndex
    const restored = { ...restoredFrom(durable, options), founding }
    const core = new RaftCore({ ...options, boot: this.boot }, restored, clock, options.rules)
    this.core = core
    this.#deadline = clock
  }

  get isUp(): boolean {
    return this.core !== null
  }

  get state(): CoreState {
    if (this.core === null) throw new Error(`${this.id} is down`)
    return this.core.state
  }

  get deadline(): number {
    return this.#deadline
  }
  #deadline = 0

  /** Everything that was not durable is gone, and so are the messages that waited for it. */
  crash(): void {
    this.core = null
    this.writes = []
  }

  step(event: CoreEvent): Output {
    if (this.core === null) throw new Error(`${this.id} is down`)
    const before = summarize(this.core.state)
    const output = this.core.step(event)
    checkState(this.core.state)
    checkStep(before, this.core.state)
    this.#hooks.onStep?.(this, event)
    this.#carryOut(output)
    return output
  }

  receive(from: NodeId, message: Message): Output {
    const { clock: now, wallTime, budgetBytes } = this
    return this.step({ type: 'receive', now, wallTime, from, message, budgetBytes })
  }

  /** Lets time pass, in turns that are never longer than the core asked for, and ticks. */
  tick(ms = 0): void {
    const until = this.clock + ms
    while (this.#deadline < until) {
      this.clock = Math.max(this.clock, this.#deadline)
      this.step({ type: 'tick', now: this.clock })
      if (this.#deadline <= this.clock) break
    }
    this.clock = until
    this.step({ type: 'tick', now: this.clock })
  }

  /** The id that the next `propose` or `read` takes. */
  get nextId(): number {
    return this.#ids + 1
  }

  /** Returns the id that comes back in `results`. */
  propose(...commands: readonly string[]): number {
    const id = ++this.#ids
    const { clock: now, wallTime } = this
    this.step({ type: 'propose', now, wallTime, id, entryType: 'command', commands: commands.map(bytes) })
    return id
  }

  /** Returns the id that comes back in `reads`. */
  read(byLease = false): number {
    const id = ++this.#ids
    this.step({ type: 'read', now: this.clock, wallTime: this.wallTime, id, byLease })
    return id
  }

  /** A snapshot of what is applied becomes durable. */
  takeSnapshot(trailingEntries = 0): void {
    const lastIncludedIndex = this.state.lastApplied
    const compactableIndex = Math.max(0, lastIncludedIndex - trailingEntries)
    this.durable = { ...this.durable, lastIncludedIndex, snapshot: this.#metaAt(lastIncludedIndex) }
    this.step({ type: 'snapshotTaken', now: this.clock, lastIncludedIndex, compactableIndex })
  }

  /** Store, log and state machine take the snapshot over that the core decided to install, behind the writes under way. */
  completeInstall(): void {
    const { installing } = this.state
    if (installing === null) throw new Error(`${this.id} installs no snapshot`)
    this.persist()
    const { meta } = installing
    const { lastIncludedIndex, lastIncludedTerm } = meta
    const { hardState } = this.durable
    const position = { baseIndex: lastIncludedIndex, baseTerm: lastIncludedTerm, lastIncludedIndex }
    this.durable = { hardState, ...position, log: [], snapshot: meta }
    this.log = []
    this.step({ type: 'snapshotInstalled', now: this.clock, outcome: 'installed' })
  }

  /** The content could not be used. */
  failInstall(): void {
    this.step({ type: 'snapshotInstalled', now: this.clock, outcome: 'failed' })
  }

  /** Returns the id that comes back in `transfers`. */
  transfer(to: NodeId | null = null): number {
    const id = ++this.#ids
    this.step({ type: 'transfer', now: this.clock, id, to })
    return id
  }

  /** Returns the id that comes back in `changes`. `members`: ids, a learner's with a `?` behind it. */
  change(type: MembershipChange['type'], members: readonly NodeId[], force = false): number {
    const id = ++this.#ids
    const change = { type, members: members.map(memberNamed) }
    const { clock: now, wallTime } = this
    this.step({ type: 'changeMembership', now, wallTime, id, change, force })
    return id
  }

  cancelChange(id: number): void {
    this.step({ type: 'cancelChange', now: this.clock, id })
  }

  /** Voters of the configuration in force; outgoing ones behind a slash. */
  get voters(): string {
    const { incoming, outgoing } = this.state.quorum
    return [incoming, outgoing].map((half) => half.join('')).join('/')
  }

  peerStatus(peer: NodeId, status: 'up' | 'closed' | 'reset', storeId?: string): void {
    this.step({ type: 'peerStatus', now: this.clock, peer, status, storeId })
  }

  /** Its store and those of all others are empty. */
  found(members: readonly Member[]): Output {
    const { clock: now, wallTime } = this
    return this.step({ type: 'found', now, wallTime, members })
  }

  /** Completes the oldest writes; returns how many there were. */
  persist(count = Number.POSITIVE_INFINITY): number {
    let done = 0
    while (done < count && this.writes.length > 0) {
      this.#completeWrite(this.writes.shift() as PendingWrite)
      done += 1
    }
    return done
  }

  /** Tells the core that all which is committed and durable was applied. */
  apply(): void {
    const { state } = this
    const index = Math.min(this.committed, state.persistedIndex)
    if (index > state.lastApplied) this.step({ type: 'applied', now: this.clock, index })
  }

  entry(index: number): LogEntry | undefined {
    return this.log[index - this.durable.baseIndex - 1]
  }

  /** Fills a range from the log, as a driver fills it from its cache. */
  fill(range: AppendRange): AppendEntries {
    const { first, last, prevLogIndex, prevLogTerm, term, addedAt, leaderCommit } = range
    const base = this.durable.baseIndex
    const entries = this.log.slice(first - base - 1, last - base)
    return { type: 'appendEntries', term, addedAt, prevLogIndex, prevLogTerm, leaderCommit, entries }
  }

  #carryOut(output: Output): void {
    const { append, hardState } = output
    if (append !== undefined) {
      this.log.length = (append.entries[0] as LogEntry).index - this.durable.baseIndex - 1
      this.log.push(...append.entries)
    }
    this.#deadline = output.deadline
    this.roles.push(...output.roles)
    this.transfers.push(...output.transfers)
    this.changes.push(...output.changes)
    this.reads.push(...output.reads)
    this.results.push(...output.results)
    if (output.commitIndex !== undefined) this.committed = output.commitIndex
    this.#hooks.onOutput?.(this, output)
    for (const envelope of output.messages) this.#post(envelope)
    for (const asked of output.sendSnapshots) this.#sendSnapshot(asked)
    if (output.compactTo !== undefined) this.#compact(output.compactTo)
    const { entries = [], epoch = 0 } = append ?? {}
    const { messagesAfterPersist: after, leasePromiseMs } = output
    const write: PendingWrite = { hardState: hardState ?? null, entries, epoch, leasePromiseMs, after }
    if (!isEmpty(write)) this.writes.push(write)
    if (this.persistence === 'now') this.persist()
    // What only waits for earlier writes leaves with the last of them.
    while (this.writes[0] !== undefined && !isWrite(this.writes[0])) this.persist(1)
    if (this.applies === 'now' && this.isUp) this.apply()
    for (const received of output.chunks) this.#receiveSnapshot(received)
    if (output.snapshotDecision === 'install' && this.installs === 'now') this.completeInstall()
  }

  /** All of it in one message: how it is cut is the driver's. */
  #sendSnapshot({ to, term, addedAt, transfer }: SendSnapshot): void {
    const meta = this.durable.snapshot
    if (meta === undefined) return
    this.#hooks.post(this, to, installSnapshot({ term, addedAt, transfer, meta }))
  }

  #receiveSnapshot({ from, message: { term, addedAt, transfer, meta } }: ReceivedChunk): void {
    // A driver asks about one at a time.
    if (this.core?.state.installing !== null) return
    this.step({ type: 'snapshotReceived', now: this.clock, source: { from, term, addedAt, transfer }, meta })
  }

  #metaAt(index: number): SnapshotMeta {
    const { log } = this.state
    const held = log.configurations.findLast((configuration) => configuration.index <= index)
    if (held === undefined) throw new Error(`${this.id} knows no configuration of ${index}`)
    const lastIncludedTerm = termAt(log, index) ?? 0
    const { index: configurationIndex, configuration } = held
    const lastIncludedTimestamp = this.entry(index)?.timestamp ?? 0
    return { lastIncludedIndex: index, lastIncludedTerm, lastIncludedTimestamp, configurationIndex, configuration }
  }

  #compact(index: number): void {
    const term = this.entry(index)?.term
    if (term === undefined) throw new Error(`${this.id} compacts up to ${index}, which its log does not hold`)
    const dropped = index - this.durable.baseIndex
    this.log.splice(0, dropped)
    this.durable = { ...this.durable, baseIndex: index, baseTerm: term, log: this.durable.log.slice(dropped) }
  }

  #completeWrite(write: PendingWrite): void {
    const { hardState, entries, epoch, leasePromiseMs, after } = write
    const [first] = entries
    const { baseIndex, log } = this.durable
    const kept = first === undefined ? log : log.slice(0, first.index - baseIndex - 1)
    this.durable = { ...this.durable, hardState: hardState ?? this.durable.hardState, log: [...kept, ...entries] }
    if (leasePromiseMs !== undefined) this.durable = { ...this.durable, leasePromiseMs }
    for (const envelope of after) this.#post(envelope)
    if (!isWrite(write)) return
    const index = entries.at(-1)?.index ?? 0
    this.step({ type: 'persisted', now: this.clock, hardState, index, epoch, leasePromiseMs })
    while (this.writes[0] !== undefined && !isWrite(this.writes[0])) this.persist(1)
  }

  #post({ to, message }: Envelope): void {
    this.#hooks.post(this, to, message.type === 'appendRange' ? this.fill(message) : message)
  }
}

/** A snapshot without content, which one message brings. */
export function installSnapshot(
  fields: Pick<InstallSnapshot, 'term' | 'transfer' | 'meta'> & Partial<InstallSnapshot>,
): InstallSnapshot {
  const content = { digest: new Uint8Array(32), sizeBytes: 0, offset: 0, chunk: new Uint8Array(0), chunkCrc: 0 }
  return { type: 'installSnapshot', addedAt: 0, ...content, ...fields }
}

function isWrite(write: PendingWrite): boolean {
  return write.hardState !== null || write.entries.length > 0 || write.leasePromiseMs !== undefined
}

function isEmpty(write: PendingWrite): boolean {
  return !isWrite(write) && write.after.length === 0
}

function memberNamed(name: string): Member {
  const id = name.replace('?', '')
  return { id, address: id, suffrage: name.endsWith('?') ? 'learner' : 'voter' }
}

export const DEFAULT_NODE = {
  electionTimeoutMs: 100,
  heartbeatIntervalMs: 30,
  maxClockDriftRatio: 0.1,
  seed: 1,
  appendEntries: 1_024,
  inflightMessages: 256,
  rules: RULES,
} as const
