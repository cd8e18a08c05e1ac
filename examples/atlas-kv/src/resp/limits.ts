// The bounds of the RESP server (security.md §6): what a client can make it hold. Each one has a stated behaviour at
// the bound: a protocol error that ends the connection, a pause of the socket, or a refusal.

/** Largest encoded command of the log, bytes; also the largest bulk string. */
export const COMMAND_BYTES: number = 1024 * 1024
/** Largest inline command, bytes. Beyond: protocol error. */
export const INLINE_BYTES: number = 4 * 1024
/** Most arguments of one command, its name included. Beyond: protocol error. */
export const MAX_ARGUMENTS = 1024
/** All arguments of one command together, bytes. Beyond: protocol error. */
export const ARGUMENT_BYTES: number = COMMAND_BYTES + 64 * 1024
/** Commands of one connection that are taken up at a time; the rest waits unparsed. */
export const BATCH_COMMANDS = 1024
/** Bytes of commands that are taken up at a time. */
export const BATCH_BYTES: number = 512 * 1024
/** Unparsed bytes of one connection past which its socket is paused. */
export const INPUT_BYTES: number = 2 * 1024 * 1024
/** Encoded replies that are gathered before they go to the socket, bytes. */
export const FLUSH_BYTES: number = 256 * 1024
/** Largest single reply, bytes (an MGET of many large values). Beyond: the connection is closed. */
export const REPLY_BYTES: number = 64 * 1024 * 1024
/** Connections at a time. Beyond: an error and a close. */
export const MAX_CONNECTIONS = 10_000
/** A connection that neither reads nor writes for that long is closed. */
export const IDLE_MS: number = 60 * 60 * 1000
/** A connection that doesn't take its replies for that long is closed. */
export const STALLED_MS: number = 60 * 1000
