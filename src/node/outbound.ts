// What leaves the node. Control messages go straight to the transport; ranges of entries go through one lane per peer,
// in order, filled from the cache or the store, cut to what a message may hold, and held while the peer's byte window is
// full (F7). Never sends entries under another term than the one they were asked for (H128), never drops in silence.
import { entryOverheadBytes } from '../codec/entries-field.js'
import { messageOverheadBytes } from '../codec/message-codec.js'
import { findMember } from '../core/configuration.js'
import type { AppendEntries, AppendRange, Envelope, InstallSnapshot, Message } from '../core/messages.js'
import type { CoreState } from '../core/state.js'
import type { LogEntry, LogIndex, NodeId, Term } from '../core/types.js'
import type { Clock } from '../interfaces/clock.js'
import type { Transport } from '../interfaces/transport.js'
import { AnswerTime } from './answer-time.js'
import type { EntryCache } from './entry-cache.js'
import type { LogReader } from './log-reader.js'
import { NODE_RULES, type NodeRules } from './node-rules.js'
import type { SettingValues } from './options.js'

export interface OutboundContext {
  readonly transport: Transport
  readonly clock: Pick<Clock, 'now'>
  readonly settings: Pick<SettingValues, 'limits'>
  readonly cache: EntryCache
  readonly reader: LogReader
  /** The core's own state, to be read only. */
  readonly state: CoreState
  /** Entries from `index` on were not sent to `peer` and never will be by themselves. */
  readonly onDropped: (peer: NodeId, index: LogIndex) => void
  readonly onFailure: (error: unknown) => void
  readonly rules?: NodeRules | undefined
}

/** One replication session with one peer. */
interface Lane {
  readonly peer: NodeId
  readonly term: Term
  readonly addedAt: LogIndex
  /** Not sent yet, in order; bounded by the core's window of ranges. The first may be what is left of one. */
  readonly queue: AppendRange[]
  /** Sent and not acknowledged: the last index and the bytes of each message. */
  readonly inflight: { readonly last: LogIndex; readonly bytes: number }[]
  inflightBytes: number
  readonly answerTime: AnswerTime
  isReading: boolean
}

export class Outbound {
  readonly #context: OutboundContext
  readonly #rules: NodeRules
  readonly #lanes = new Map<NodeId, Lane>()
  #isClosed = false

  constructor(context: OutboundContext) {
    this.#context = context
    this.#rules = context.rules ?? NODE_RULES
  }

  get #appendBytes(): number {
    const { settings, transport } = this.#context
    return Math.min(settings.limits.appendBytes, transport.maxMessageBytes - messageOverheadBytes)
  }

  /** Sends what may leave now, in order; ranges as far as windows and cache allow. */
  send(envelopes: readonly Envelope[]): void {
    for (const { to, message } of envelopes) {
      if (message.type === 'appendRange') this.#enqueue(to, message)
      else this.#transmit(to, message)
    }
  }

  /** A chunk: how many of them are under way is its sender's. */
  sendSnapshot(to: NodeId, message: InstallSnapshot): void {
    this.#transmit(to, message)
  }

  /** Something was acknowledged, or written, or leadership changed: goes on with what was held. */
  pump(): void {
    for (const lane of this.#lanes.values()) {
      this.#noteAcknowledged(lane)
      if (lane.queue.length > 0) this.#pumpLane(lane)
    }
  }

  /** Sends nothing more. */
  close(): void {
    this.#isClosed = true
    this.#lanes.clear()
  }

  #enqueue(to: NodeId, range: AppendRange): void {
    let lane = this.#lanes.get(to)
    if (lane === undefined || lane.term !== range.term || lane.addedAt !== range.addedAt) {
      const { term, addedAt } = range
      const fresh = { queue: [], inflight: [], inflightBytes: 0, answerTime: new AnswerTime(), isReading: false }
      lane = { peer: to, term, addedAt, ...fresh }
      this.#lanes.set(to, lane)
    }
    supersede(lane, range)
    if (range.last >= range.first && !this.#isReplicating(lane)) forgetInflight(lane)
    const held = lane.queue[0]
    if (range.last < range.first && held !== undefined && !lane.isReading) this.#askAtHeld(lane, range, held)
    else lane.queue.push(range)
    this.#pumpLane(lane)
  }

  /**
   * The core asks whether what it put out arrived, and the window is full: it may be full of what was lost, so the
   * question goes first, and about the last entry that was really sent.
   */
  #askAtHeld(lane: Lane, range: AppendRange, { prevLogIndex, prevLogTerm }: AppendRange): void {
    this.#transmitEntries(lane, { ...range, prevLogIndex, prevLogTerm }, [])
  }

  #pumpLane(lane: Lane): void {
    while (!this.#isClosed && !lane.isReading) {
      const range = lane.queue[0]
      if (range === undefined) return
      if (!this.#rules.maySendRange(this.#isCurrent(lane))) {
        this.#forget(lane)
        return
      }
      if (range.last < range.first) {
        lane.queue.shift()
        this.#transmitEntries(lane, range, [])
        continue
      }
      if (!this.#hasRoom(lane)) return
      if (range.first < this.#context.cache.firstIndex) {
        if (!this.#mayRead(lane)) return
        void this.#fill(lane, range)
        return
      }
      const entries = this.#context.cache.slice(range, this.#appendBytes)
      if (!this.#take(lane, range, entries)) return
    }
  }

  /** Entries that are not in memory any more. Only the store knows them, and reading takes a while. */
  async #fill(lane: Lane, range: AppendRange): Promise<void> {
    lane.isReading = true
    const last = Math.min(range.last, this.#context.cache.firstIndex - 1)
    try {
      const entries = await this.#context.reader.read(range.first, last, this.#appendBytes)
      lane.isReading = false
      if (this.#isClosed || this.#lanes.get(lane.peer) !== lane) return
      // Meanwhile the node may lead another term or none, or the core may have started over (H98, H128): with the same
      // entries, where a read takes longer than it waits for an answer, and then these will do.
      const maySend = this.#rules.maySendRange(this.#isCurrent(lane))
      const wanted = lane.queue[0]
      const isOfUse = wanted?.first === range.first && wanted.last >= wanted.first && maySend
      if (isOfUse && !this.#take(lane, wanted, entries.slice(0, wanted.last - wanted.first + 1))) return
      this.#pumpLane(lane)
    } catch (error) {
      lane.isReading = false
      this.#context.onFailure(error)
    }
  }

  /** Sends the first entries of a range, as many as one message holds, and keeps the rest at the front. */
  #take(lane: Lane, range: AppendRange, entries: readonly LogEntry[]): boolean {
    const piece = this.#cut(entries)
    const tail = piece.at(-1)
    lane.queue.shift()
    if (tail === undefined) {
      // Gone from the log meanwhile: the core decides what the peer gets instead.
      lane.queue.length = 0
      this.#context.onDropped(lane.peer, range.first)
      return false
    }
    if (tail.index < range.last) {
      lane.queue.unshift({ ...range, prevLogIndex: tail.index, prevLogTerm: tail.term, first: tail.index + 1 })
    }
    this.#transmitEntries(lane, range, piece)
    return true
  }

  #cut(entries: readonly LogEntry[]): readonly LogEntry[] {
    const { settings, transport } = this.#context
    const appendBytes = this.#appendBytes
    let frameBytes = messageOverheadBytes
    let bytes = 0
    for (let count = 0; count < entries.length; count++) {
      const size = entries[count]?.data.length ?? 0
      bytes += size
      frameBytes += size + entryOverheadBytes
      const isFull =
        count >= settings.limits.appendEntries || bytes > appendBytes || frameBytes > transport.maxMessageBytes
      // A single entry always goes: the options made sure that the largest command fits a message.
      if (this.#rules.endsMessage(count, isFull)) return entries.slice(0, count)
    }
    return entries
  }

  #transmitEntries(lane: Lane, range: AppendRange, entries: readonly LogEntry[]): void {
    const { term, addedAt, prevLogIndex, prevLogTerm } = range
    const tail = entries.at(-1)
    if (tail !== undefined) {
      let bytes = 0
      for (const entry of entries) bytes += entry.data.length
      const isAlone = lane.inflight.length === 0
      lane.inflight.push({ last: tail.index, bytes })
      lane.inflightBytes += bytes
      // A range that is probed with leaves again and again: nobody knows which of them an answer is about.
      const nowMs = this.#context.clock.now()
      if (this.#isReplicating(lane)) lane.answerTime.sent(tail.index, { nowMs, isAlone })
      else lane.answerTime.forget()
    }
    // The newest commitIndex of the same leadership: what was held need not bring old news.
    const leaderCommit = Math.max(range.leaderCommit, this.#context.state.commitIndex)
    const message: AppendEntries = {
      type: 'appendEntries',
      term,
      addedAt,
      prevLogIndex,
      prevLogTerm,
      leaderCommit,
      entries,
    }
    this.#transmit(lane.peer, message)
  }

  /** Room in the byte window; something always fits an empty one. */
  #hasRoom(lane: Lane): boolean {
    this.#noteAcknowledged(lane)
    return lane.inflight.length === 0 || lane.inflightBytes < this.#context.settings.limits.inflightBytes
  }

  /**
   * Few messages at once are read from the store. Not where the core probes: it has one range out at a time, and what is in
   * flight in front of that may be lost for good.
   */
  #mayRead(lane: Lane): boolean {
    return !this.#isReplicating(lane) || lane.inflight.length < lane.answerTime.window(this.#context.clock.now())
  }

  #isReplicating({ peer }: Lane): boolean {
    return this.#context.state.progress.get(peer)?.state === 'replicate'
  }

  #noteAcknowledged(lane: Lane): void {
    const { state, clock } = this.#context
    const matchIndex = state.progress.get(lane.peer)?.matchIndex ?? 0
    let acknowledged = 0
    for (const { last, bytes } of lane.inflight) {
      if (last > matchIndex) break
      lane.inflightBytes -= bytes
      acknowledged += 1
    }
    if (acknowledged === 0) return
    lane.inflight.splice(0, acknowledged)
    lane.answerTime.answered(matchIndex, clock.now())
  }

  /** Whether the node still leads the term, and in it the session, of the lane. */
  #isCurrent({ peer, term, addedAt }: Lane): boolean {
    const { state } = this.#context
    return state.role === 'leader' && state.currentTerm === term && state.progress.get(peer)?.addedAt === addedAt
  }

  #forget(lane: Lane): void {
    lane.queue.length = 0
    if (this.#lanes.get(lane.peer) === lane) this.#lanes.delete(lane.peer)
  }

  #transmit(to: NodeId, message: Message): void {
    if (this.#isClosed) return
    const { state, transport } = this.#context
    const member = findMember(state.log.configurations.at(-1)?.configuration ?? null, to)
    try {
      transport.send(member === null ? { id: to } : { id: to, address: member.address }, message)
    } catch {
      // The contract forbids it; a message that a transport could not take is a message lost, which Raft bears.
    }
  }
}

/** Where the core probes, what is in flight in front of the probe may be lost for good: nothing would ever make room for it. */
function forgetInflight(lane: Lane): void {
  lane.inflight.length = 0
  lane.inflightBytes = 0
  lane.answerTime.forget()
}

/**
 * The core started over at `first`: what was queued or in flight from there on will be put out again. A question that
 * still waits for a slow read is not needed beside the next one, and they would queue up as long as the read hangs.
 */
function supersede(lane: Lane, { first, last }: AppendRange): void {
  const tail = lane.queue.at(-1)
  if (last < first && tail !== undefined && tail.last < tail.first) lane.queue.pop()
  while (lane.queue.length > 0 && (lane.queue.at(-1)?.last ?? 0) >= first) lane.queue.pop()
  while (lane.inflight.length > 0 && (lane.inflight.at(-1)?.last ?? 0) >= first) {
    lane.inflightBytes -= lane.inflight.pop()?.bytes ?? 0
    lane.answerTime.forget()
  }
}
