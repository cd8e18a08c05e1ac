// The disk of one simulated machine: what is durable on it, what a crash loses, how slow it is, and how it breaks: an
// fsync that fails, no space, no end of a write, rotten bits (F31, H26, H78, H81, H86). A write is atomic, as the contract
// of LogStore says: under way at a crash it is lost or kept whole.
import type { HardState, LogEntry, LogIndex, NodeId, Term } from '../core/types.js'
import { RaftError } from '../errors.js'
import type { LogStore, LogWrite, RestoredLog, StoreIdentity } from '../interfaces/log-store.js'
import { keyOf, TABLE } from '../stores/level/keys.js'
import type { ProcessGate } from './process-gate.js'
import type { SimulationRandom } from './prng.js'
import type { Timeline } from './timeline.js'
import { keyText, VirtualLevel } from './virtual-level.js'
import { ContractedStore } from './store-contract.js'
import { VirtualLevelStore } from './virtual-level-store.js'

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
export type DiskHit = 'failedWrite' | 'noSpace' | 'hungWrite' | 'damageAtOpen' | 'damageAtRead'

export interface DiskWatch {
  /** The batch is durable; the store that wrote it is told in this very event. */
  onDurable?(batch: LogWrite): void
  /** The write under way failed, or damage was found. */
  onFailed?(): void
  /** A fault met something. */
  onHit?(hit: DiskHit): void
  /** The caller broke the contract of LogStore. */
  onMisuse?(problem: string): void
}

interface PendingWrite {
  readonly batch: LogWrite
  readonly onCommit: () => void
  readonly settle: (error: Error | null) => void
}

/** Survives the crashes of its node. */
export class VirtualDisk {
  speed: DiskSpeed = CALM_DISK
  readonly #options: VirtualDiskOptions
  readonly #entries: LogEntry[] = []
  /** Every vote that was ever durable: a vote once promised must stand for its term, whatever came later. */
  readonly #votes = new Map<Term, NodeId>()
  #hardState: HardState = { currentTerm: 0, votedFor: null }
  #identity: StoreIdentity | null = null
  #pending: PendingWrite | null = null
  #isHung = false
  #failsNext = false
  #isFull = false
  /** The first damaged entry; what stands behind it is as good as lost too. */
  #rottenFrom: LogIndex | null = null
  readonly #level: VirtualLevel | null

  constructor(options: VirtualDiskOptions) {
    this.#options = options
    this.#level = options.usesLevel === true ? new VirtualLevel() : null
  }

  get hardState(): HardState {
    return this.#hardState
  }

  get identity(): StoreIdentity | null {
    return this.#identity
  }

  get lastIndex(): LogIndex {
    return this.#entries.length
  }

  get isWriting(): boolean {
    return this.#pending !== null
  }

  /** The durable entry at `index`. */
  entryAt(index: LogIndex): LogEntry | undefined {
    return this.#entries[index - 1]
  }

  get entries(): readonly LogEntry[] {
    return this.#entries
  }

  /** Whom the node voted for in `term`, as far as that was ever durable. */
  voteIn(term: Term): NodeId | undefined {
    return this.#votes.get(term)
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
    if (level === null) return new VirtualLogStore(this, this.#options, gate)
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
    if (this.#entries.length === 0 || this.#rottenFrom !== null) return false
    this.#rottenFrom = this.#options.random.integer(1, this.#entries.length)
    this.#level?.rot(keyText(keyOf(TABLE.entry, this.#rottenFrom)))
    return true
  }

  /** Something that was durable is damaged, until it is overwritten. */
  get isRotten(): boolean {
    return this.#rottenFrom !== null
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

  /** @internal What survived. */
  restored(): RestoredLog {
    const termRuns: { first: LogIndex; term: Term }[] = []
    for (const { index, term } of this.#entries)
      if (termRuns.at(-1)?.term !== term) termRuns.push({ first: index, term })
    const lastIndex = this.#entries.length
    const common = { firstIndex: 1, lastIndex, previousTerm: 0, termRuns, configurations: [] }
    return { hardState: this.#hardState, identity: this.#identity, ...common }
  }

  /** @internal Answers in the time that a read takes, through the gate. */
  later<T>(gate: ProcessGate, answer: () => T): Promise<T> {
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

  #finish(pending: PendingWrite): void {
    // It is over already, a crash took it, or the disk hangs: nobody hears of it any more.
    if (this.#pending !== pending) return
    const { random, watch } = this.#options
    if (this.#isHung) return watch?.onHit?.('hungWrite')
    this.#pending = null
    const { settle } = pending
    if (!this.#failsNext && !this.#isFull) {
      this.#commit(pending)
      settle(null)
      return
    }
    const problem = this.#isFull ? 'has no space left (ENOSPC)' : 'failed an fsync (EIO)'
    // What an fsync failed to do may be there all the same; what had no space is not.
    if (!this.#isFull && random.chance(0.5)) this.#commit(pending)
    this.#failsNext = false
    watch?.onHit?.(this.#isFull ? 'noSpace' : 'failedWrite')
    watch?.onFailed?.()
    settle(new RaftError('RAFT_STORAGE', `the simulated disk ${problem}; restart the node`, { outcome: 'unknown' }))
  }

  #commit({ batch, onCommit }: PendingWrite): void {
    onCommit()
    const { hardState, entries, identity } = batch
    const misuse = batchProblem(batch, this.#hardState, this.#entries.length)
    if (misuse !== null) this.#options.watch?.onMisuse?.(misuse)
    const first = entries?.[0]
    if (entries !== undefined && first !== undefined) {
      this.#entries.length = Math.min(this.#entries.length, first.index - 1)
      if (this.#rottenFrom !== null && this.#rottenFrom >= first.index) this.#rottenFrom = null
      for (const entry of entries) this.#entries.push(entry)
    }
    if (hardState !== undefined) {
      this.#hardState = hardState
      if (hardState.votedFor !== null) this.#votes.set(hardState.currentTerm, hardState.votedFor)
    }
    if (identity !== undefined) this.#identity = identity
    this.#options.watch?.onDurable?.(batch)
  }
}

/** The log store of one incarnation; everything it promises comes from the timeline. */
class VirtualLogStore implements LogStore {
  readonly #disk: VirtualDisk
  readonly #options: VirtualDiskOptions
  readonly #gate: ProcessGate

  constructor(disk: VirtualDisk, options: VirtualDiskOptions, gate: ProcessGate) {
    this.#disk = disk
    this.#options = options
    this.#gate = gate
  }

  open(): Promise<RestoredLog> {
    return this.#later(() => {
      // A store looks at its ends and at a sample when it opens, not at everything.
      const damage = this.#options.random.chance(0.5) ? this.#disk.damageIn(1, this.#disk.lastIndex) : null
      if (damage !== null) throw this.#damaged(damage, 'open')
      return this.#disk.restored()
    })
  }

  write(batch: LogWrite): Promise<void> {
    this.#gate.effect()
    if (this.#gate.isDead) return new Promise(() => {})
    return new Promise((resolve, reject) => {
      this.#disk.begin(batch, (error) => {
        this.#gate.enter('disk', () => (error === null ? resolve() : reject(error)))
      })
    })
  }

  read(first: LogIndex, last: LogIndex, maxBytes: number): Promise<readonly LogEntry[]> {
    return this.#later(() => {
      const damage = this.#disk.damageIn(first, last)
      if (damage !== null) throw this.#damaged(damage, 'read')
      const entries: LogEntry[] = []
      let bytes = 0
      for (let index = first; index <= last && (entries.length === 0 || bytes <= maxBytes); index++) {
        const entry = this.#disk.entryAt(index)
        if (entry === undefined) break
        bytes += entry.data.length
        if (entries.length === 0 || bytes <= maxBytes) entries.push({ ...entry, data: entry.data.slice() })
      }
      return entries
    })
  }

  /** The simulated log is never compacted: no snapshot is taken yet. */
  compact(): Promise<void> {
    return this.#later(() => {})
  }

  close(): Promise<void> {
    return this.#later(() => {})
  }

  #damaged(error: RaftError, place: 'open' | 'read'): RaftError {
    this.#disk.damageFound(place)
    return error
  }

  #later<T>(answer: () => T): Promise<T> {
    return this.#disk.later(this.#gate, answer)
  }
}

/** What must be true of a batch beside what is durable already; null when all is well. */
function batchProblem(batch: LogWrite, hardState: HardState, lastIndex: LogIndex): string | null {
  const next = batch.hardState
  if (next !== undefined) {
    if (next.currentTerm < hardState.currentTerm)
      return `currentTerm fell from ${hardState.currentTerm} to ${next.currentTerm}`
    const isSameTerm = next.currentTerm === hardState.currentTerm
    if (isSameTerm && hardState.votedFor !== null && next.votedFor !== hardState.votedFor) {
      return `the vote of term ${next.currentTerm} changed from ${hardState.votedFor} to ${next.votedFor}`
    }
  }
  if (batch.resetTo !== undefined) return 'resetTo was written, but nobody sends snapshots'
  const { entries } = batch
  const first = entries?.[0]
  if (entries === undefined || first === undefined) return null
  if (first.index > lastIndex + 1) return `entry ${first.index} leaves a gap behind ${lastIndex}`
  const isContiguous = entries.every((entry, at) => entry.index === first.index + at)
  return isContiguous ? null : `entries from ${first.index} on are not contiguous`
}

/** The caller keeps its buffers, and may scribble over them (H96). */
function copyBatch(batch: LogWrite): LogWrite {
  const { entries } = batch
  if (entries === undefined) return { ...batch }
  return { ...batch, entries: entries.map((entry) => ({ ...entry, data: entry.data.slice() })) }
}
