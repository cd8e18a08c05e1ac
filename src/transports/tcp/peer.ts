// What is known of one peer: its two lanes, and whether the node was told that it is up. One connection that is lost
// makes the peer lost, until one comes up again: what was under way on it may be gone (F7), and a process that was
// killed ends all of its connections but is reported once (F3).
import type { Connection, LaneName } from './connection.js'
import { Lane, type LaneContext } from './lane.js'
import { MAX_CONTROL_QUEUED_BYTES } from './limits.js'

export interface PeerContext {
  readonly maxQueuedBytes: number
  readonly dial: (lane: LaneName, address: string) => Connection | null
  readonly onDropped: LaneContext['onDropped']
}

export class Peer {
  readonly #lanes: Readonly<Record<LaneName, Lane>>
  #isUp = false

  constructor({ maxQueuedBytes, dial, onDropped }: PeerContext) {
    const lane = (name: LaneName, limit: number): Lane =>
      new Lane({ name, maxQueuedBytes: limit, dial: (address) => dial(name, address), onDropped })
    this.#lanes = { control: lane('control', MAX_CONTROL_QUEUED_BYTES), bulk: lane('bulk', maxQueuedBytes) }
  }

  /** False when there is no address and no connection by which the peer spoke. */
  send(name: LaneName, frame: Uint8Array, address: string | undefined): boolean {
    const lane = this.#lanes[name]
    if (address !== undefined) {
      // An address is a hint: who has moved is found again by the connection that it made itself (F25).
      const detour = lane.isAway(address) ? this.#other(name).wayBack : null
      if (detour === null) lane.send(frame, address)
      else lane.sendOn(detour, frame)
      return true
    }
    // The answer to entries is a control message, and who sent entries may have opened the bulk lane only.
    const connection = lane.wayBack ?? this.#other(name).wayBack
    if (connection === null) return false
    lane.sendOn(connection, frame)
    return true
  }

  /** Whether the peer came up by this, and the connection that is replaced by it. */
  established(
    lane: LaneName,
    connection: Connection,
  ): { readonly isNew: boolean; readonly replaced: Connection | null } {
    const replaced = this.#lanes[lane].established(connection)
    const isNew = !this.#isUp
    this.#isUp = true
    return { isNew, replaced }
  }

  heardOn(lane: LaneName, connection: Connection): void {
    this.#lanes[lane].heardOn(connection)
  }

  /** Whether the peer went down by this. */
  ended(lane: LaneName, connection: Connection): boolean {
    this.#lanes[lane].ended(connection)
    // An attempt that came to nothing says nothing of the connections that live.
    if (!this.#isUp || !connection.wasEstablished) return false
    this.#isUp = false
    return true
  }

  isForgettable(nowMs: number): boolean {
    return this.#lanes.control.isForgettable(nowMs) && this.#lanes.bulk.isForgettable(nowMs)
  }

  clear(): void {
    this.#lanes.control.clear()
    this.#lanes.bulk.clear()
  }

  #other(name: LaneName): Lane {
    return name === 'control' ? this.#lanes.bulk : this.#lanes.control
  }
}
