// A snapshot on its way in (F28-F30): chunks go to a sink of the store one after another, of one transfer at a time (H56).
// Nothing of it is visible before the core has decided and the store has verified it. What a broken transfer left stays in
// the store, for whoever sends the same snapshot again.
import { portableCrc32 } from '../codec/portable-crc32.js'
import type { InstallSnapshot } from '../core/messages.js'
import type { ReceivedChunk, SnapshotDecision } from '../core/output.js'
import type { SnapshotSource } from '../core/state.js'
import type { NodeId, SnapshotMeta } from '../core/types.js'
import type { RaftError } from '../errors.js'
import type { SnapshotSink, SnapshotStore } from '../interfaces/snapshot-store.js'
import type { InboxItem } from './event-loop.js'
import { storeError } from './failures.js'

/** Chunks that may wait for the disk; a sender has fewer in flight, and sends again what is dropped. */
export const MAX_WAITING_CHUNKS = 8

export interface SnapshotReceptionContext {
  readonly store: Pick<SnapshotStore, 'create'>
  readonly push: (item: InboxItem) => void
  /** Puts the snapshot in the place of log and state. Never rejects; false when its content was not what it should be. */
  readonly install: (sink: SnapshotSink, source: SnapshotSource) => Promise<'installed' | 'failed' | 'stopped'>
  readonly onDamaged: (from: NodeId, offset: number) => void
  readonly onFailed: (from: NodeId, error: RaftError) => void
}

/** What is being received. */
interface Transfer {
  source: SnapshotSource
  readonly meta: SnapshotMeta
  readonly digest: Uint8Array
  readonly sizeBytes: number
  readonly sink: SnapshotSink
}

export class SnapshotReception {
  readonly #context: SnapshotReceptionContext
  #waiting: ReceivedChunk[] = []
  #transfer: Transfer | null = null
  /** The core was asked, or an installation is under way: no chunk is taken. */
  #isDeciding = false
  #working: Promise<void> | null = null
  #isClosed = false

  constructor(context: SnapshotReceptionContext) {
    this.#context = context
  }

  /** In the order in which they came. */
  take(chunks: readonly ReceivedChunk[]): void {
    if (this.#isClosed) return
    const room = Math.max(0, MAX_WAITING_CHUNKS - this.#waiting.length)
    this.#waiting.push(...chunks.slice(0, room))
    this.#work()
  }

  /** The core's answer about the whole snapshot. */
  decide(decision: SnapshotDecision): void {
    const transfer = this.#transfer
    this.#isDeciding = false
    if (this.#isClosed || transfer === null) return
    if (decision === 'keep') {
      this.#work()
      return
    }
    this.#waiting = []
    this.#transfer = null
    this.#isDeciding = true
    const ending = decision === 'install' ? this.#install(transfer) : transfer.sink.abort().catch(ignore)
    this.#begin(ending.then(() => void (this.#isDeciding = false)))
  }

  /** Takes nothing more. What was written stays. */
  close(): void {
    this.#isClosed = true
    this.#waiting = []
  }

  /** When the store is not used any more. Never rejects. */
  async idle(): Promise<void> {
    while (this.#working !== null) await this.#working
  }

  #work(): void {
    if (this.#working !== null || this.#isDeciding || this.#isClosed) return
    const next = this.#waiting.shift()
    if (next !== undefined) this.#begin(this.#handle(next))
  }

  #begin(step: Promise<void>): void {
    const working = step.then(() => {
      if (this.#working === working) this.#working = null
      this.#work()
    })
    this.#working = working
  }

  async #handle({ from, message }: ReceivedChunk): Promise<void> {
    const { push, onFailed } = this.#context
    const { term, addedAt, transfer: number } = message
    const source = { from, term, addedAt, transfer: number }
    if (this.#transfer !== null && isOlder(source, this.#transfer.source)) return
    try {
      const transfer = await this.#transferOf(source, message)
      await this.#write(transfer, message)
      if (this.#isClosed) return
      const { writtenBytes } = transfer.sink
      if (writtenBytes < message.sizeBytes) {
        push({ type: 'snapshotWritten', source, outcome: 'continue', offset: writtenBytes })
      } else {
        this.#isDeciding = true
        push({ type: 'snapshotReceived', source, meta: transfer.meta })
      }
    } catch (error) {
      await this.#giveUp()
      if (this.#isClosed) return
      onFailed(from, storeError(error))
      push({ type: 'snapshotWritten', source, outcome: 'refused', offset: 0 })
    }
  }

  /** The same snapshot is gone on with, whoever sends it now; another one takes its place. */
  async #transferOf(source: SnapshotSource, message: InstallSnapshot): Promise<Transfer> {
    const held = this.#transfer
    if (held !== null && isSame(held, message)) {
      held.source = source
      return held
    }
    await this.#giveUp()
    const { meta, digest, sizeBytes } = message
    const sink = await this.#context.store.create(meta, { digest, sizeBytes })
    const transfer: Transfer = { source, meta, digest, sizeBytes, sink }
    this.#transfer = transfer
    return transfer
  }

  /** What does not follow is left out: the answer says what is missing. */
  async #write({ sink }: Transfer, { offset, chunk, chunkCrc }: InstallSnapshot): Promise<void> {
    if (this.#isClosed || chunk.length === 0 || offset !== sink.writtenBytes) return
    const { source } = this.#transfer ?? {}
    if (portableCrc32(chunk) === chunkCrc) await sink.write(chunk)
    else if (source !== undefined) this.#context.onDamaged(source.from, offset)
  }

  async #install({ sink, source }: Transfer): Promise<void> {
    const outcome = await this.#context.install(sink, source)
    if (outcome !== 'stopped' && !this.#isClosed) this.#context.push({ type: 'snapshotInstalled', outcome })
  }

  async #giveUp(): Promise<void> {
    const held = this.#transfer
    this.#transfer = null
    // A closed store keeps what was written for the next start.
    if (!this.#isClosed) await held?.sink.abort().catch(ignore)
  }
}

function isOlder(one: SnapshotSource, other: SnapshotSource): boolean {
  return one.term < other.term || (one.term === other.term && one.transfer < other.transfer)
}

/** By the digest the content is the same, by the position the meaning, and a configuration follows from its index. */
function isSame({ meta, digest, sizeBytes }: Transfer, message: InstallSnapshot): boolean {
  return (
    meta.lastIncludedIndex === message.meta.lastIncludedIndex &&
    meta.lastIncludedTerm === message.meta.lastIncludedTerm &&
    meta.configurationIndex === message.meta.configurationIndex &&
    sizeBytes === message.sizeBytes &&
    digest.every((byte, at) => byte === message.digest[at])
  )
}

function ignore(): void {}
