// Every bound of the TCP transport that is not an option, by name (security.md, promises 3 and 5).

/** Connections that have not said who they are, in all and by remote address; more are refused. */
export const MAX_HALF_OPEN: number = 64
export const MAX_HALF_OPEN_PER_ADDRESS: number = 8
/** Accepted connections in all: 64 members, two lanes, and as much again for those that are being replaced. */
export const MAX_ACCEPTED: number = 256
/** Bytes of control messages that wait for one peer; more are dropped. They have a budget of their own (H94). */
export const MAX_CONTROL_QUEUED_BYTES: number = 1024 * 1024
/** A pong is left out while this much waits: who doesn't read, gets no answers piled up. */
export const MAX_QUEUED_BEFORE_PONG_BYTES: number = 64 * 1024

/** How often deadlines and silence are looked at, ms. */
export const SWEEP_MS: number = 500
// Silence is counted in sweeps, not in time: after a stall of this process one sweep runs, not ten, and what came in
// meanwhile is read before the next (H105).
/** From the first byte of a connection attempt to an accepted hello: 5 s. */
export const HELLO_SWEEPS: number = 10
/** Silence after which the other end is asked for a sign of life: 2 s. */
export const PING_SWEEPS: number = 4
/** Silence after which the other end is taken for dead: 6 s. */
export const SILENT_SWEEPS: number = 12
/** Before the kernel asks, ms; the pings above are quicker, this finds what they can't. */
export const KEEP_ALIVE_MS: number = 15_000
/** What was sent just before a stop has this long to leave, ms. */
export const STOP_GRACE_MS: number = 500
/** A peer without connections is forgotten after this time, ms. */
export const FORGET_AFTER_MS: number = 60_000
