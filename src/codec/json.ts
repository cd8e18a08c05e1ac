// Commands as JSON text: readable in a dump of the log, without bytes.
import type { Codec } from '../interfaces/codec.js'
import { assertPlainValue } from './plain-value.js'

const RULES = { codec: 'jsonCodec', bytes: false, nonFinite: false } as const

const encoder = new TextEncoder()
// A byte sequence that is not UTF-8 was not written by this codec.
const decoder = new TextDecoder('utf-8', { fatal: true })

/**
 * JSON: null, booleans, finite numbers, strings, arrays and plain objects.
 * @throws RaftError RAFT_INVALID_OPTION from `encode` for anything else
 */
// The contract leaves the type of the value to the caller.
export const jsonCodec: Codec<any> = Object.freeze({
  encode(value: unknown): Uint8Array {
    assertPlainValue(value, RULES)
    return encoder.encode(JSON.stringify(value))
  },
  decode(data: Uint8Array): unknown {
    return JSON.parse(decoder.decode(data))
  },
})
