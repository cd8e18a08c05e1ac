// Where the frames of a recording go: a ring in memory or two files. Each drops its oldest part in time, whole segments of it.

export interface FlightSink {
  /** The segment under way has had its share: another one is to begin soon. */
  readonly isFull: boolean
  /** A segment may begin. False while too much waits to be written. */
  readonly isReady: boolean
  /** A segment begins. False: there is no room for one that begins so large, now or later. */
  begin(head: Uint8Array<ArrayBuffer>): boolean
  /** The segment goes on. False: no room, and this one and all behind it is lost until the next one begins. */
  append(frame: Uint8Array<ArrayBuffer>): boolean
  /** The node has stopped; `begin` may follow, for its next life. */
  close(): void
  /** Everything that is held, oldest first. */
  read(): readonly Uint8Array[]
}

/** A segment may begin with no more than this share of the room that it has. */
export const HEAD_SHARE = 0.5
