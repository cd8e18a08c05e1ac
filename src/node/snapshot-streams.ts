// The snapshots that this node sends as leader: at most one to each peer, begun and ended as the core says (F28). Keeps the
// stores open for those that still read when they are ended.
import type { InstallSnapshot } from '../core/messages.js'
import type { Output, SendSnapshot } from '../core/output.js'
import type { CoreState } from '../core/state.js'
import type { NodeId } from '../core/types.js'
import type { RaftError } from '../errors.js'
import type { Clock } from '../interfaces/clock.js'
import type { SnapshotStore, StoredSnapshot } from '../interfaces/snapshot-store.js'
import type { SettingValues } from './options.js'
import { SnapshotStream } from './snapshot-stream.js'

export interface SnapshotStreamsContext {
  readonly store: SnapshotStore
  readonly clock: Clock
  readonly settings: Pick<SettingValues, 'limits' | 'heartbeatIntervalMs'>
  /** The core's own state, to be read only. */
  readonly state: CoreState
  readonly send: (to: NodeId, message: InstallSnapshot) => void
  readonly onOpened: (to: NodeId, snapshot: StoredSnapshot) => void
  /** The peer could not take it in; another one begins in `retryMs`. */
  readonly onRefused: (to: NodeId, retryMs: number) => void
  readonly onUnsent: (asked: SendSnapshot, error: RaftError) => void
}

export class SnapshotStreams {
  readonly #context: SnapshotStreamsContext
  readonly #streams = new Map<NodeId, SnapshotStream>()
  /** Those too that were ended and are about to notice. */
  readonly #running = new Set<Promise<void>>()
  #isClosed = false

  constructor(context: SnapshotStreamsContext) {
    this.#context = context
  }

  /** Begins what the core asks for, and passes on what peers say. */
  onOutput({ sendSnapshots, snapshotAnswers }: Output): void {
    for (const asked of sendSnapshots) this.#begin(asked)
    const { state, onRefused } = this.#context
    for (const answer of snapshotAnswers) {
      if (answer.outcome === 'refused') {
        onRefused(answer.from, Math.max(0, (state.progress.get(answer.from)?.transferAt ?? 0) - state.now))
      }
      const stream = this.#streams.get(answer.from)
      if (stream?.asked.transfer === answer.transfer) stream.onAnswer(answer)
    }
  }

  /** At the end of a turn: ends what is not wanted any more. */
  look(): void {
    for (const [peer, stream] of this.#streams) {
      if (stream.isCurrent) continue
      stream.end()
      this.#streams.delete(peer)
    }
  }

  close(): void {
    this.#isClosed = true
    for (const stream of this.#streams.values()) stream.end()
    this.#streams.clear()
  }

  /** When nothing is read any more. Never rejects. */
  async idle(): Promise<void> {
    await Promise.all(this.#running)
  }

  #begin(asked: SendSnapshot): void {
    if (this.#isClosed) return
    const { store, clock, settings, send, onOpened, onUnsent } = this.#context
    const { to } = asked
    this.#streams.get(to)?.end()
    const stream = new SnapshotStream(asked, {
      store,
      clock,
      settings,
      isCurrent: () => this.#isCurrent(asked),
      send: (message) => send(to, message),
      onOpened: (snapshot) => onOpened(to, snapshot),
      onFailed: (error) => onUnsent(asked, error),
    })
    this.#streams.set(to, stream)
    const running = stream.run().then(() => void this.#running.delete(running))
    this.#running.add(running)
  }

  #isCurrent({ to, term, addedAt, transfer }: SendSnapshot): boolean {
    const { role, currentTerm, progress } = this.#context.state
    const held = progress.get(to)
    return role === 'leader' && currentTerm === term && held?.addedAt === addedAt && held.transfer === transfer
  }
}
