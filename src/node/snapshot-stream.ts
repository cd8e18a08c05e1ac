// One snapshot on its way to one peer (F28): the peer says how much it has, and from there on chunks leave in a window.
// What was lost is found by an answer that does not move, or by asking after a silence. Sends the meta of the snapshot that
// it opened, never of a newer one (H119). Decides nothing: whether the transfer is still wanted is the core's.
import { encodedSize, messageOverheadBytes } from '../codec/message-codec.js'
import { portableCrc32 } from '../codec/portable-crc32.js'
import type { InstallSnapshot } from '../core/messages.js'
import type { SendSnapshot, SnapshotAnswer } from '../core/output.js'
import { RaftError } from '../errors.js'
import type { Clock } from '../interfaces/clock.js'
import type { SnapshotStore, StoredSnapshot } from '../interfaces/snapshot-store.js'
import { AnswerTime } from './answer-time.js'
import { ChunkReader } from './chunk-reader.js'
import { storeError } from './failures.js'
import type { SettingValues } from './options.js'

/** Chunks in flight to one peer at most. */
export const WINDOW_CHUNKS = 4

/** Questions without an answer that are told apart. */
const MAX_QUESTIONS = 16

const NOTHING = new Uint8Array(0)

export interface SnapshotStreamContext {
  readonly store: Pick<SnapshotStore, 'latest'>
  readonly clock: Clock
  /** May change while it is under way: chunks are told apart by where they begin, not by their size. */
  readonly settings: Pick<SettingValues, 'limits' | 'heartbeatIntervalMs'>
  /** Whether the node still leads the term, and in it the transfer. */
  readonly isCurrent: () => boolean
  readonly send: (message: InstallSnapshot) => void
  readonly onOpened: (snapshot: StoredSnapshot) => void
  /** It can't be sent: it has ended. */
  readonly onFailed: (error: RaftError) => void
}

export class SnapshotStream {
  readonly asked: SendSnapshot
  readonly #context: SnapshotStreamContext
  /** Everything of a message but its chunk. */
  #head: Omit<InstallSnapshot, 'offset' | 'chunk' | 'chunkCrc'> | null = null
  /** What of a message isn't chunk, beside what every message has. */
  #extraBytes = 0
  /** Bytes that the peer is known to have, and bytes that were sent. */
  #acknowledged = 0
  #sent = 0
  readonly #answerTime = new AnswerTime()
  /** Where to go on, when that is not behind what was sent last; null for there. */
  #goTo: number | null = null
  /** Where the last going back went: older answers may say the same once more. */
  #wentTo = -1
  /** Nothing is sent before the peer says where: at the beginning, and while it installs. */
  #isWaiting = true
  /** What was sent when the peer was asked, for each question without an answer. */
  #asked: number[] = []
  #isEnded = false
  #wake: (() => void) | null = null
  #timer: { cancel(): void } | null = null

  constructor(asked: SendSnapshot, context: SnapshotStreamContext) {
    this.asked = asked
    this.#context = context
  }

  get isCurrent(): boolean {
    return !this.#isEnded && this.#context.isCurrent()
  }

  /** Sends until it is ended or fails. Never rejects. */
  async run(): Promise<void> {
    let reader: ChunkReader | null = null
    try {
      const snapshot = await this.#context.store.latest()
      if (!this.isCurrent) return
      if (snapshot === null) throw new RaftError('RAFT_CORRUPTION', 'the snapshot store holds no snapshot')
      this.#open(snapshot)
      reader = new ChunkReader(snapshot)
      this.#ask()
      while (await this.#mayGoOn()) await this.#sendNext(reader)
    } catch (error) {
      if (!this.#isEnded) this.#context.onFailed(storeError(error))
    } finally {
      this.end()
      await reader?.close()
    }
  }

  /** What the peer says. */
  onAnswer({ outcome, offset }: SnapshotAnswer): void {
    if (this.#isEnded || outcome === 'refused' || outcome === 'installed') return
    if (outcome === 'busy') {
      this.#isWaiting = true
      this.#asked = []
      return
    }
    this.#answerTime.answered(offset, this.#context.clock.now())
    if (this.#isWaiting || offset > this.#sent) this.#goBack(offset)
    else if (offset > this.#acknowledged) this.#acknowledged = offset
    else if (this.#isLost(offset)) this.#goBack(offset)
    else return
    this.#isWaiting = false
    this.#listen()
    this.#wake?.()
  }

  /** Nobody wants it any more. Idempotent. */
  end(): void {
    this.#isEnded = true
    this.#timer?.cancel()
    this.#wake?.()
  }

  #open(snapshot: StoredSnapshot): void {
    const { meta, digest, sizeBytes } = snapshot
    const { term, addedAt, transfer } = this.asked
    this.#head = { type: 'installSnapshot', term, addedAt, transfer, meta, digest, sizeBytes }
    const headBytes = encodedSize({ ...this.#head, offset: 0, chunk: NOTHING, chunkCrc: 0 })
    this.#extraBytes = Math.max(0, headBytes - messageOverheadBytes)
    this.#context.onOpened(snapshot)
  }

  /** With all that is around it a chunk takes no more than any other message of that limit, which every peer can take in. */
  get #chunkBytes(): number {
    return Math.max(1, this.#context.settings.limits.snapshotChunkBytes - this.#extraBytes)
  }

  /** Waits until a chunk may leave; false when none will. */
  async #mayGoOn(): Promise<boolean> {
    while (!this.#isEnded && !this.#hasRoom()) {
      await new Promise<void>((resolve) => {
        this.#wake = resolve
      })
      this.#wake = null
    }
    return this.isCurrent
  }

  #hasRoom(): boolean {
    if (this.#isWaiting) return false
    if (this.#goTo !== null) return true
    const window = Math.min(WINDOW_CHUNKS, this.#answerTime.window(this.#context.clock.now()))
    const isWithinWindow = this.#sent - this.#acknowledged < window * this.#chunkBytes
    return this.#sent < (this.#head?.sizeBytes ?? 0) && isWithinWindow
  }

  async #sendNext(reader: ChunkReader): Promise<void> {
    const goTo = this.#goTo
    this.#goTo = null
    if (goTo !== null) await reader.seek(goTo)
    const chunk = await reader.next(this.#chunkBytes)
    // Meanwhile the node may lead another term or none (H98), or the peer may have said that it wants another place.
    if (this.#goTo !== null || this.#isWaiting || !this.isCurrent) return
    if (chunk.length > 0) {
      const nowMs = this.#context.clock.now()
      this.#answerTime.sent(reader.offset, { nowMs, isAlone: this.#sent === this.#acknowledged })
      this.#send(reader.offset - chunk.length, chunk)
    }
    this.#sent = reader.offset
  }

  /**
   * Whether an answer that does not move says that something is missing. To go back for nothing costs the store a whole read:
   * a question that a slow disk answers late says nothing about what was sent after it.
   */
  #isLost(offset: number): boolean {
    if (offset === this.#sent) return false
    const sentBefore = this.#asked.shift()
    if (sentBefore !== undefined) return offset < sentBefore
    return offset === this.#acknowledged && offset !== this.#wentTo
  }

  #goBack(offset: number): void {
    this.#asked = []
    this.#answerTime.forget()
    this.#acknowledged = offset
    this.#sent = offset
    this.#goTo = offset
    this.#wentTo = offset
  }

  #send(offset: number, chunk: Uint8Array): void {
    if (this.#head !== null) this.#context.send({ ...this.#head, offset, chunk, chunkCrc: portableCrc32(chunk) })
    this.#listen()
  }

  #ask(): void {
    if (this.#asked.length < MAX_QUESTIONS) this.#asked.push(this.#sent)
    this.#send(this.#acknowledged, NOTHING)
  }

  /** From now on silence counts. */
  #listen(): void {
    const { clock, settings } = this.#context
    this.#timer?.cancel()
    if (this.#isEnded) return
    // After so long without an answer the peer is asked.
    this.#timer = clock.schedule(clock.now() + 2 * settings.heartbeatIntervalMs, () => {
      if (!this.isCurrent) return
      this.#ask()
    })
  }
}
