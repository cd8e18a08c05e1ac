// The disk of one simulated machine: what is durable on it, what a crash loses, how slow it is, and how it breaks: an
// fsync that fails, no space, no end of a write, rotten bits (F31, H26, H78, H81, H86). A write is atomic, as the contract
// of LogStore says: under way at a crash it is lost or kept whole.
import type { HardState, LogEntry, LogIndex, NodeId, Term } from '../core/types.js'
import { RaftError } from '../errors.js'
import type { LogStore, LogWrite, RestoredLog, StoreIdentity } from '../interfaces/log-store.js'
import type { SnapshotStore, StoredSnapshot } from '../interfaces/snapshot-store.js'
import { keyOf, TABLE } from '../stores/level/keys.js'
import type { ProcessGate } from './process-gate.js'
import type { SimulationRandom } from './prng.js'
import type { Timeline } from './timeline.js'
import { DurableLog } from './durable-log.js'
import { type HeldStore, LostStore } from './held-store.js'
import { ContractedStore } from './store-contract.js'
import { keyText, VirtualLevel } from './virtual-level.js'
import { VirtualLevelStore } from './virtual-level-store.js'
import { VirtualLogStore } from './virtual-log-store.js'
import { VirtualSnapshotStore } from './virtual-snapshot-store.js'
import { VirtualSnapshots } from './virtual-snapshots.js'

/** How long operations take, ms. */
export interface DiskSpeed {
  readonly writeMs: readonly [min: number, max: number]
  readonly readMs: readonly [min: number, max: number]
}

/** A healthy disk. */
export const CALM_DISK: DiskSpeed = Object.freeze({
  writeMs: Object.freeze([0.1, 1] as const),
  readMs: Object.freeze([0.05, 0.2] as const),
})

export interface VirtualDiskOptions {
  readonly timeline: Timeline
  readonly random: SimulationRandom
  readonly watch?: DiskWatch | undefined
  /** Whether the shipped LevelLogStore keeps its records on this disk. @defaultValue false: entries lie there as they are */
  readonly usesLevel?: boolean | undefined
}

/** What a fault of the disk did in the end. */
export type DiskHit =
  | 'failedWrite'
  | 'noSpace'
  | 'hungWrite'
  | 'damageAtOpen'
  | 'damageAtRead'
  | 'failedSnapshot'
  | 'hungSnapshot'
  | 'snapshotDamage'

export interface DiskWatch {
  /** The batch is durable; the store that wrote it is told in this very event. */
  onDurable?(batch: LogWrite): void
  /** The write under way failed, or damage was found. */
  onFailed?(): void
  /** A fault met something. */
  onHit?(hit: DiskHit): void
  /** Entries up to `index` are to be forgotten: whether a snapshot holds them is known now. */
  onForget?(index: LogIndex, isReset: boolean): void
  /** A snapshot is durable. */
  onSnapshot?(snapshot: StoredSnapshot): void
  /** The caller broke the contract of LogStore. */
  onMisuse?(problem: string): void
}

/** A lazy compaction comes after as many writes would have. */
const LAZY_WRITES = 20

interface PendingWrite {
  readonly batch: LogWrite
  readonly onCommit: () => void
  readonly settle: (error: Error | null) => void
}

/** Survives the crashes of its node. */
export class VirtualDisk implements HeldStore {
  speed: DiskSpeed = CALM_DISK
  readonly #options: VirtualDiskOptions
  /** The snapshots that lie beside the log. */
  readonly snapshots: VirtualSnapshots
  #log = new DurableLog()
  /** Every vote that was ever durable: a vote once promised must stand for its term, whatever came later. */
  #votes = new Map<Term, NodeId>()
  /** What lay on it before it was wiped, each time; as many as there were faults of that kind. */
  readonly #lost: LostStore[] = []
  #hardState: HardState = { currentTerm: 0, votedFor: null }
  #identity: StoreIdentity | null = null
  #pending: PendingWrite | null = null
  /** Where a lazy compaction will go to; 0 for none. */
  #compactTo: LogIndex = 0
  #isHung = false
  #failsNext = false
  #isFull = false
  /** The first damaged entry; what stands behind it is as good as lost too. */
  #rottenFrom: LogIndex | null = null
  #level: VirtualLevel | null

  constructor(options: VirtualDiskOptions) {
    this.#options = options
    this.#level = options.usesLevel === true ? new VirtualLevel() : null
    this.snapshots = new VirtualSnapshots(this, options)
  }

  get hardState(): HardState {
    return this.#hardState
  }

  get identity(): StoreIdentity | null {
    return this.#identity
  }

  get lastIndex(): LogIndex {
    return this.#log.lastIndex
  }

  /** The last entry that was forgotten, behind a snapshot; 0 for none. */
  get baseIndex(): LogIndex {
    return this.#log.baseIndex
  }

  get isWriting(): boolean {
    return this.#pending !== null
  }

  /** The durable entry at `index`; undefined for one that was forgotten. */
  entryAt(index: LogIndex): LogEntry | undefined {
    return this.#log.at(index)
  }

  get entries(): readonly LogEntry[] {
    return this.#log.entries
  }

  /** Whom the node voted for in `term`, as far as that was ever durable. */
  voteIn(term: Term): NodeId | undefined {
    return this.#votes.get(term)
  }

  /** Everything on it is gone, and nobody told the node (H19). */
  wipe(): void {
    this.#pending = null
    this.snapshots.wipe()
    this.crash()
    const { hardState } = this
    this.#lost.push(new LostStore(this.#identity?.storeId ?? null, { hardState, log: this.#log, votes: this.#votes }))
    this.#log = new DurableLog()
    this.#votes = new Map()
    this.#hardState = { currentTerm: 0, votedFor: null }
    this.#identity = null
    this.#rottenFrom = null
    if (this.#level !== null) this.#level = new VirtualLevel()
  }

  get wasWiped(): boolean {
    return this.#lost.length > 0
  }

  /** All that were ever on it, the present one first. */
  get stores(): readonly HeldStore[] {
    return [this, ...this.#lost]
  }

  /** That with this id, though it be lost: what it promised was true. The present one where no id is known. */
  storeOf(storeId: string | undefined): HeldStore | undefined {
    if (storeId === undefined || !this.wasWiped || this.#identity?.storeId === storeId) return this
    return this.#lost.find((lost) => lost.storeId === storeId)
  }

  /** @internal Of everything on it. */
  get random(): SimulationRandom {
    return this.#options.random
  }

  /** The snapshot store of a new incarnation of the node. */
  attachSnapshots(gate: ProcessGate): SnapshotStore {
    const { watch } = this.#options
    const onMisuse = (problem: string): void => {
      if (!gate.isDead) watch?.onMisuse?.(problem)
    }
    return new VirtualSnapshotStore({ disk: this, gate, onMisuse })
  }

  /** The store of a new incarnation of the node. */
  attach(gate: ProcessGate): LogStore {
    const { watch } = this.#options
    const onMisuse = (problem: string): void => {
      if (!gate.isDead) watch?.onMisuse?.(problem)
    }
    return new ContractedStore(this.#storeFor(gate, onMisuse), { isWriting: () => this.isWriting, onMisuse })
  }

  #storeFor(gate: ProcessGate, onMisuse: (problem: string) => void): LogStore {
    const level = this.#level
    if (level === null) return new VirtualLogStore(this, this.#options.random, gate)
    return new VirtualLevelStore({
      disk: this,
      level,
      gate,
      later: (answer) => this.later(gate, answer),
      onMisuse,
      onDamageFound: (place) => this.damageFound(place),
    })
  }

  /** The write under way, or else the next one, fails: nobody knows whether it reached the platter. */
  failNextWrite(): void {
    this.#failsNext = true
  }

  /** From now on it is healthy, and so is the write under way. */
  calm(): void {
    this.speed = CALM_DISK
    this.free()
    if (this.#pending !== null) this.#finishInTime(this.#pending)
    this.snapshots.calm()
  }

  /** Writes stop to complete until the node is restarted (H87). */
  hang(): void {
    this.#isHung = true
  }

  /** Every write fails, also after a restart, until there is space again (H86). */
  fill(): void {
    this.#isFull = true
  }

  /** There is space again. */
  free(): void {
    this.#isFull = false
  }

  get isFull(): boolean {
    return this.#isFull
  }

  /**
   * One durable entry can't be read any more: the store notices when it opens, or else when it reads it (H81). Returns false
   * when there is nothing to damage, or something is already.
   */
  rot(): boolean {
    // One at a time: damage that nobody remembers would pass for a mistake of the library.
    if (this.isRotten) return false
    const { random } = this.#options
    if (this.snapshots.latestIndex > 0 && random.chance(0.5)) return this.snapshots.rot()
    if (this.#log.entries.length === 0) return false
    this.#rottenFrom = random.integer(this.baseIndex + 1, this.lastIndex)
    this.#level?.rot(keyText(keyOf(TABLE.entry, this.#rottenFrom)))
    return true
  }

  /** Something that was durable is damaged, until it is overwritten. */
  get isRotten(): boolean {
    return this.#rottenFrom !== null || this.snapshots.isRotten
  }

  /** @internal A store found what is rotten. */
  damageFound(place: 'open' | 'read'): void {
    this.#options.watch?.onHit?.(place === 'open' ? 'damageAtOpen' : 'damageAtRead')
    this.#options.watch?.onFailed?.()
  }

  /** @internal Why `first..last` can't be read; null when it can. */
  damageIn(first: LogIndex, last: LogIndex): RaftError | null {
    const at = this.#rottenFrom
    if (at === null || at < first || at > last) return null
    return new RaftError('RAFT_CORRUPTION', `the simulated disk has a damaged entry at index ${at}`, {
      outcome: 'unknown',
    })
  }

  /** The machine lost power or the process was killed: the write under way is lost or kept, whole. */
  crash(): void {
    const pending = this.#pending
    this.#pending = null
    if (this.#compactTo > 0 && this.#options.random.chance(0.5)) this.forget(this.#compactTo)
    this.#compactTo = 0
    this.snapshots.crash()
    this.#isHung = false
    this.#failsNext = false
    this.#level?.crash((unsynced) => this.#options.random.integer(0, unsynced))
    if (pending !== null && this.#options.random.chance(0.5)) this.#commit(pending)
  }

  /** @internal Completes one write after its time; `settle` gets the error, if any, and `onCommit` hears when it is there. */
  begin(batch: LogWrite, settle: (error: Error | null) => void, onCommit: () => void = () => {}): void {
    const { watch } = this.#options
    if (this.#pending !== null) watch?.onMisuse?.('a write began while another was under way')
    this.#pending = { batch: copyBatch(batch), onCommit, settle }
    this.#finishInTime(this.#pending)
  }

  #finishInTime(pending: PendingWrite): void {
    const { timeline, random } = this.#options
    timeline.after(random.between(...this.speed.writeMs), () => this.#finish(pending))
  }

  /** @internal Entries up to `index` are forgotten: at once, or lazily and then maybe never. */
  compact(index: LogIndex, isLazy: boolean): void {
    this.willForget(index)
    if (!isLazy) return this.forget(index)
    const { timeline, random } = this.#options
    this.#compactTo = Math.max(this.#compactTo, index)
    timeline.after(LAZY_WRITES * random.between(...this.speed.writeMs), () => {
      if (this.#compactTo === index) this.forget(index)
    })
  }

  /** @internal Somebody is about to forget entries up to `index`. */
  willForget(index: LogIndex): void {
    if (index > this.baseIndex) this.#options.watch?.onForget?.(index, false)
  }

  /** @internal Entries up to `index` are gone. */
  forget(index: LogIndex): void {
    if (this.#compactTo <= index) this.#compactTo = 0
    this.#log.compact(index)
    if (this.#rottenFrom !== null && this.#rottenFrom <= this.baseIndex) this.#rottenFrom = null
  }

  /** @internal What survived. */
  restored(): RestoredLog {
    return { hardState: this.#hardState, identity: this.#identity, ...this.#log.restored() }
  }

  /** @internal Answers in the time that a read takes, through the gate. */
  later<T>(gate: ProcessGate, answer: () => T | Promise<T>): Promise<T> {
    const { timeline, random } = this.#options
    return new Promise((resolve, reject) => {
      timeline.after(random.between(...this.speed.readMs), () => {
        gate.enter('disk', () => {
          try {
            resolve(answer())
          } catch (error) {
            reject(error as Error)
          }
        })
      })
    })
  }

  /** @internal What becomes of a write that ends now; a failure that was asked for is used up. */
  fateOfWrite(): 'done' | 'hung' | 'failed' | 'full' {
    if (this.#isHung) return 'hung'
    const fails = this.#failsNext
    this.#failsNext = false
    if (this.#isFull) return 'full'
    return fails ? 'failed' : 'done'
  }

  #finish(pending: PendingWrite): void {
    // It is over already, a crash took it, or the disk hangs: nobody hears of it any more.
    if (this.#pending !== pending) return
    const { random, watch } = this.#options
    const fate = this.fateOfWrite()
    if (fate === 'hung') return watch?.onHit?.('hungWrite')
    this.#pending = null
    const { settle } = pending
    if (fate === 'done') {
      this.#commit(pending)
      settle(null)
      return
    }
    const isFull = fate === 'full'
    const problem = isFull ? 'has no space left (ENOSPC)' : 'failed an fsync (EIO)'
    // What an fsync failed to do may be there all the same; what had no space is not.
    if (!isFull && random.chance(0.5)) this.#commit(pending)
    watch?.onHit?.(isFull ? 'noSpace' : 'failedWrite')
    watch?.onFailed?.()
    settle(new RaftError('RAFT_STORAGE', `the simulated disk ${problem}; restart the node`, { outcome: 'unknown' }))
  }

  #commit({ batch, onCommit }: PendingWrite): void {
    onCommit()
    const { hardState, entries, identity } = batch
    const misuse = this.#log.problemOf(batch, this.#hardState)
    if (misuse !== null) this.#options.watch?.onMisuse?.(misuse)
    if (batch.resetTo !== undefined) this.#options.watch?.onForget?.(batch.resetTo.index, true)
    const first = entries?.[0]
    const isReplaced = first !== undefined && this.#rottenFrom !== null && this.#rottenFrom >= first.index
    if (isReplaced || batch.resetTo !== undefined) this.#rottenFrom = null
    this.#log.apply(batch)
    if (hardState !== undefined) {
      this.#hardState = hardState
      if (hardState.votedFor !== null) this.#votes.set(hardState.currentTerm, hardState.votedFor)
    }
    if (identity !== undefined) this.#identity = identity
    this.#options.watch?.onDurable?.(batch)
  }
}

/** The caller keeps its buffers, and may scribble over them (H96). */
function copyBatch(batch: LogWrite): LogWrite {
  const { entries } = batch
  if (entries === undefined) return { ...batch }
  return { ...batch, entries: entries.map((entry) => ({ ...entry, data: entry.data.slice() })) }
}
