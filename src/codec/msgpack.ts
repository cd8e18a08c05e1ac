// The default codec of commands: MessagePack by msgpackr, in the build that never makes code out of data, and without
// its native part, so that every platform decodes alike (H96, H97, H102).
import { Packr } from 'msgpackr/index-no-eval'
import type { Codec } from '../interfaces/codec.js'
import { assertPlainValue } from './plain-value.js'

const RULES = { codec: 'msgpackCodec', bytes: true, nonFinite: true } as const

// Records would make the meaning of one command depend on those before it. Bytes are copied out of the input, which
// is an entry of the log.
const packr = new Packr({ useRecords: false, copyBuffers: true, mapsAsObjects: true })

/**
 * MessagePack: null, booleans, numbers, strings, Uint8Array, arrays and plain objects.
 * @throws RaftError RAFT_INVALID_OPTION from `encode` for anything else
 */
// The contract leaves the type of the value to the caller.
export const msgpackCodec: Codec<any> = Object.freeze({
  encode(value: unknown): Uint8Array {
    assertPlainValue(value, RULES)
    return packr.pack(value)
  },
  decode(data: Uint8Array): unknown {
    // Of a Buffer msgpackr would make Buffers: the same command would have other types on another platform.
    return packr.unpack(new Uint8Array(data.buffer, data.byteOffset, data.byteLength))
  },
})
