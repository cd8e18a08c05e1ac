// One lane to one peer: at most one connection that we dialled and one that the peer did, of which one is in use. What
// is sent while there is none waits for the dial, within a budget; beyond it the newest is dropped, because Raft sends
// again what matters (H93). A connection in use stays in use until it ends, so that nothing overtakes on a lane.
import type { Connection, LaneName } from './connection.js'
import { Backoff } from './backoff.js'
import { FORGET_AFTER_MS } from './limits.js'

export interface LaneContext {
  readonly name: LaneName
  /** Of frames that wait, in all. */
  readonly maxQueuedBytes: number
  /** Begins to dial; null when `address` can't be dialled. */
  readonly dial: (address: string) => Connection | null
  readonly onDropped: (frameCount: number) => void
}

export class Lane {
  readonly #context: LaneContext
  readonly #backoff = new Backoff()
  #dialled: Connection | null = null
  #accepted: Connection | null = null
  #active: Connection | null = null
  /** By which the peer last spoke. */
  #heard: Connection | null = null
  #queue: Uint8Array[] = []
  #queuedBytes = 0
  #address: string | null = null
  #timer: ReturnType<typeof setTimeout> | null = null
  #lastUsedMs = 0

  constructor(context: LaneContext) {
    this.#context = context
  }

  /** Where an answer goes when there is no address. */
  get wayBack(): Connection | null {
    return this.#heard ?? this.#active
  }

  /** There is no connection, and the last attempt at `address` came to nothing a moment ago. */
  isAway(address: string): boolean {
    if (this.#active !== null || this.#dialled !== null || address !== this.#address) return false
    return this.#backoff.retryAtMs > performance.now()
  }

  /** Nothing is open, waits or is remembered that would matter. */
  isForgettable(nowMs: number): boolean {
    const isIdle = this.#dialled === null && this.#accepted === null && this.#timer === null
    return isIdle && nowMs - this.#lastUsedMs > FORGET_AFTER_MS
  }

  /** Sends, or queues and dials. */
  send(frame: Uint8Array, address: string): void {
    this.#lastUsedMs = performance.now()
    // A member has moved: what goes to its old address is lost anyway.
    const isMoved = this.#dialled?.dialled?.address !== address
    if (this.#dialled !== null && isMoved) {
      this.#dialled.close({ status: 'closed', counter: null, reason: `the peer is at ${address} now` })
    }
    if (this.#active !== null) return this.sendOn(this.#active, frame)
    if (this.#queuedBytes + frame.byteLength > this.#context.maxQueuedBytes) return this.#context.onDropped(1)
    if (address !== this.#address) this.#backoff.reset()
    this.#address = address
    this.#queue.push(frame)
    this.#queuedBytes += frame.byteLength
    if (this.#dialled === null && this.#timer === null) this.#dialWhenDue()
  }

  /** Within the budget of this lane. */
  sendOn(connection: Connection, frame: Uint8Array): void {
    const isFull = connection.queuedBytes + frame.byteLength > this.#context.maxQueuedBytes
    if (isFull) this.#context.onDropped(1)
    else connection.send(frame)
  }

  /** Of either side. Returns the connection that it replaces, which is to be shut. */
  established(connection: Connection): Connection | null {
    let replaced: Connection | null = null
    if (connection.dialled === null) {
      // The peer dials again only when its own end is gone: the newer one is the living one (H95).
      replaced = this.#accepted
      this.#accepted = connection
      this.#backoff.reset()
    }
    this.#heard = connection
    if (this.#active === null || this.#active === replaced) this.#active = connection
    this.#drainInto(this.#active)
    return replaced
  }

  heardOn(connection: Connection): void {
    this.#heard = connection
  }

  /** It has ended. Without another one, what waits for a dial that failed is too old to be sent. */
  ended(connection: Connection): void {
    if (this.#heard === connection) this.#heard = null
    if (this.#accepted === connection) this.#accepted = null
    if (this.#dialled === connection) {
      this.#dialled = null
      this.#backoff.failed(performance.now(), connection.livedMs)
      if (this.#active === null) this.#dropQueue()
    }
    if (this.#active === connection) this.#active = this.#otherEstablished()
  }

  /** Forgets everything; the connections are ended by who owns them. */
  clear(): void {
    if (this.#timer !== null) clearTimeout(this.#timer)
    this.#timer = null
    this.#queue = []
    this.#queuedBytes = 0
  }

  #otherEstablished(): Connection | null {
    if (this.#accepted !== null) return this.#accepted
    return this.#dialled?.isEstablished === true ? this.#dialled : null
  }

  #dialWhenDue(): void {
    const waitMs = this.#backoff.retryAtMs - performance.now()
    if (waitMs <= 0) return this.#dialNow()
    this.#timer = setTimeout(() => {
      this.#timer = null
      if (this.#active === null && this.#dialled === null && this.#queue.length > 0) this.#dialNow()
    }, waitMs)
  }

  #dialNow(): void {
    this.#dialled = this.#address === null ? null : this.#context.dial(this.#address)
    if (this.#dialled === null) {
      this.#backoff.failed(performance.now(), 0)
      this.#dropQueue()
    }
  }

  #drainInto(connection: Connection): void {
    for (const frame of this.#queue) this.sendOn(connection, frame)
    this.#queue = []
    this.#queuedBytes = 0
  }

  #dropQueue(): void {
    if (this.#queue.length > 0) this.#context.onDropped(this.#queue.length)
    this.#queue = []
    this.#queuedBytes = 0
  }
}
