// When a snapshot of this node's own state is taken, and how it gets into the store (F27): one at a time, begun between
// two applies, written while apply goes on. A snapshot that fails costs nothing but a warning; the log is compacted only
// behind one that is durable (H53). Receives no snapshots, and stands aside while one is installed.
import { nextRandom } from '../core/prng.js'
import type { CoreState } from '../core/state.js'
import type { LogIndex } from '../core/types.js'
import type { RaftError } from '../errors.js'
import type { SnapshotMeta } from '../interfaces/state-machine.js'
import type { Applier } from './applier.js'
import { jitterSeed } from './make-core.js'
import type { ResolvedCallOptions } from './calls.js'
import type { PendingCalls } from './pending-call.js'
import type { FixedOptions, SettingValues } from './options.js'
import { isDueBySize, type ResolvedSnapshotPolicy } from './snapshot-policy.js'
import { SnapshotCalls } from './snapshot-calls.js'
import { isConfigurationKnownAt, snapshotMeta } from './snapshot-meta.js'
import { SnapshotWriting } from './snapshot-writing.js'

/** Before the next attempt after one that failed, ms; twice as long after each further one, up to the last. */
export const SNAPSHOT_RETRY_MS = 5_000
export const MAX_SNAPSHOT_RETRY_MS = 300_000

export interface SnapshotterContext {
  readonly options: Pick<FixedOptions, 'id' | 'seed' | 'stateMachine' | 'snapshotStore' | 'clock'> & {
    readonly settings: Pick<SettingValues, 'snapshot'>
  }
  /** The core's own state, to be read only. */
  readonly state: CoreState
  readonly applier: Pick<Applier, 'appliedIndex' | 'appliedTimestamp' | 'appliedBytes'>
  readonly calls: PendingCalls
  /** Of the snapshot that the node began with; null for none. */
  readonly latest: SnapshotMeta | null
  /** How large that is; 0 for none. */
  readonly latestBytes: number
  /** Asks that the applier looks at `checkpoint` in a later turn. */
  readonly wake: () => void
  /** The snapshot is durable, and the newest. `settle` is to be called when the core knows. */
  readonly onTaken: (meta: SnapshotMeta, sizeBytes: number, settle: () => void) => void
  /** It was given up; the policy may ask again after `retryMs`. */
  readonly onFailed: (error: RaftError, retryMs: number) => void
}

export class Snapshotter {
  readonly #context: SnapshotterContext
  readonly #calls: SnapshotCalls
  readonly #random: { prng: number }
  #latest: SnapshotMeta | null
  /** Of `appliedBytes` when the latest began. */
  #bytesAtLatest = 0
  /** How large the latest is. */
  #latestBytes: number
  #writing: SnapshotWriting | null = null
  #idle: Promise<void> = Promise.resolve()
  #failures = 0
  /** The policy asks for nothing before this time of the clock. */
  #notBefore = Number.NEGATIVE_INFINITY
  /** The interval of the policy is over. */
  #isIntervalOver = false
  #interval: { cancel(): void } | null = null
  #retry: { cancel(): void } | null = null
  /** One that a leader sent is being installed: none is taken meanwhile. */
  #isPaused = false
  /** The newest one turned out to be damaged. */
  #isReplacing = false
  #isClosed = false

  constructor(context: SnapshotterContext) {
    this.#context = context
    this.#latest = context.latest
    this.#latestBytes = context.latestBytes
    this.#random = { prng: jitterSeed(context.options.id, context.options.seed) }
    this.#calls = new SnapshotCalls(context.calls)
  }

  /** Of the newest snapshot that was taken here or restored; 0 for none. */
  get snapshotIndex(): LogIndex {
    return this.#latest?.lastIncludedIndex ?? 0
  }

  /** Time begins to count. */
  begin(): void {
    this.#armInterval()
  }

  /**
   * Resolves with a snapshot that holds at least `index`, by default what is applied now; waits until something is.
   * @throws RaftError RAFT_OVERLOADED
   */
  take(options: ResolvedCallOptions, index: LogIndex = this.#context.applier.appliedIndex): Promise<SnapshotMeta> {
    const wanted = Math.max(1, index)
    const call = this.#calls.add(options, wanted)
    // One that is about to be replaced can't be read.
    const held = this.#isReplacing ? null : this.#latest
    if (held !== null && held.lastIncludedIndex >= wanted) call.resolve(structuredClone(held))
    else this.#context.wake()
    return call.promise
  }

  /**
   * Called between two applies. When a snapshot is due it begins here; the next apply waits for the returned promise,
   * which never rejects. Null when apply may go on at once.
   */
  checkpoint(): Promise<void> | null {
    return this.#isDue() ? this.#begin() : null
  }

  /** Gives up the one under way, and begins no other until `resume` or `installed`. Never rejects. */
  async pause(): Promise<void> {
    this.#isPaused = true
    this.#writing?.giveUp()
    await this.#idle
  }

  /** Nothing was installed. */
  resume(): void {
    this.#isPaused = false
    this.#context.wake()
  }

  /** The policy is another one than `before`: another interval begins now. Whether a snapshot is due is seen in the next turn. */
  onPolicy(before: ResolvedSnapshotPolicy): void {
    if (before.everyMs !== this.#context.options.settings.snapshot.everyMs) this.#armInterval()
  }

  /** One of that size, which a leader sent, is in the store. */
  received(sizeBytes: number): void {
    this.#latestBytes = sizeBytes
  }

  /** One that a leader sent is the newest now: it answers who waits for one of its index. */
  installed(meta: SnapshotMeta): void {
    this.#latest = meta
    this.#bytesAtLatest = this.#context.applier.appliedBytes
    this.#armInterval()
    for (const call of this.#calls.take(meta.lastIncludedIndex)) call.resolve(structuredClone(meta))
    this.resume()
  }

  /** The newest one can't be read: another takes its place, even if nothing was applied since (F30). */
  replace(): void {
    this.#isReplacing = true
    this.#context.wake()
  }

  /** Gives up the one under way, and takes no other. */
  close(): void {
    this.#isClosed = true
    this.#interval?.cancel()
    this.#retry?.cancel()
    this.#writing?.giveUp()
  }

  /** When the store is not used any more. Never rejects. */
  async idle(): Promise<void> {
    await this.#idle
  }

  #isDue(): boolean {
    if (this.#isClosed || this.#isPaused || this.#writing !== null) return false
    const { settings, clock } = this.#context.options
    const { appliedIndex: applied, appliedBytes } = this.#context.applier
    if (!isConfigurationKnownAt(this.#context.state, applied)) return false
    if (this.#isReplacing) return applied >= this.snapshotIndex && clock.now() >= this.#notBefore
    if (applied <= this.snapshotIndex) return false
    if (this.#calls.isWanted(applied)) return true
    const entries = applied - this.snapshotIndex
    const since = { entries, bytes: appliedBytes - this.#bytesAtLatest, snapshotBytes: this.#latestBytes }
    return (this.#isIntervalOver || isDueBySize(settings.snapshot, since)) && clock.now() >= this.#notBefore
  }

  #begin(): Promise<void> | null {
    const { applier, state } = this.#context
    const { stateMachine, snapshotStore: store } = this.#context.options
    const meta = snapshotMeta(state, applier)
    const bytes = applier.appliedBytes
    const writing = new SnapshotWriting({ stateMachine, store, meta })
    this.#writing = writing
    this.#idle = writing.run().then(
      (sizeBytes) => this.#onTaken(meta, { sizeBytes, bytes }),
      (error: RaftError) => this.#onFailed(error, meta),
    )
    return writing.checkpoint
  }

  #onTaken(meta: SnapshotMeta, { sizeBytes, bytes }: { sizeBytes: number; bytes: number }): void {
    this.#writing = null
    if (this.#isClosed) return
    this.#failures = 0
    this.#isReplacing = false
    this.#latest = meta
    this.#bytesAtLatest = bytes
    this.#latestBytes = sizeBytes
    this.#armInterval()
    const answered = this.#calls.take(meta.lastIncludedIndex)
    this.#context.onTaken(meta, sizeBytes, () => {
      for (const call of answered) call.resolve(structuredClone(meta))
    })
    // Others may want another one.
    this.#context.wake()
  }

  #onFailed(error: RaftError, { lastIncludedIndex }: SnapshotMeta): void {
    this.#writing = null
    // Given up for one that comes from the leader: who waits is answered with that.
    if (this.#isClosed || this.#isPaused) return
    const { clock } = this.#context.options
    const retryMs = Math.min(MAX_SNAPSHOT_RETRY_MS, SNAPSHOT_RETRY_MS * 2 ** Math.min(this.#failures, 16))
    this.#failures += 1
    this.#notBefore = clock.now() + retryMs
    this.#retry?.cancel()
    this.#retry = clock.schedule(this.#notBefore, () => this.#context.wake())
    this.#context.onFailed(error, retryMs)
    for (const call of this.#calls.take(lastIncludedIndex)) call.reject(error)
    this.#context.wake()
  }

  /** Drawn anew each time, so that the nodes of a cluster don't take theirs at once (F27). */
  #armInterval(): void {
    const { settings, clock } = this.#context.options
    const { everyMs } = settings.snapshot
    this.#isIntervalOver = false
    this.#interval?.cancel()
    if (everyMs === null || this.#isClosed) return
    const waitMs = everyMs * (0.75 + nextRandom(this.#random) / 2)
    this.#interval = clock.schedule(clock.now() + waitMs, () => {
      this.#isIntervalOver = true
      this.#context.wake()
    })
  }
}
