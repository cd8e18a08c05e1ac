// Commands that are bytes already.
import { RaftError } from '../errors.js'
import type { Codec } from '../interfaces/codec.js'

/**
 * Raw bytes. What `decode` returns is a copy: a state machine may keep and change it without touching the log.
 * @throws RaftError RAFT_INVALID_OPTION from `encode` when the value is not a Uint8Array
 */
export const bytesCodec: Codec<Uint8Array> = Object.freeze({
  encode(value: Uint8Array): Uint8Array {
    if (value instanceof Uint8Array) return value
    throw new RaftError('RAFT_INVALID_OPTION', `bytesCodec carries a Uint8Array, not a ${typeof value}`)
  },
  decode(data: Uint8Array): Uint8Array {
    return new Uint8Array(data)
  },
})
