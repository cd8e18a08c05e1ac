// Results as the sessions of the cluster keep them until they are acknowledged: MessagePack, which knows no integer beyond
// 2^53, so that one of those goes as text. Must be the same on every node: it is part of the replicated state.
import type { Codec } from 'helios-raft'
import { msgpackCodec } from 'helios-raft'
import type { KvResult } from './command.js'

export const kvResultCodec: Codec<KvResult> = Object.freeze({
  encode(result: KvResult): Uint8Array {
    return msgpackCodec.encode(typeof result === 'bigint' ? { integer: String(result) } : result)
  },
  decode(data: Uint8Array): KvResult {
    const value = msgpackCodec.decode(data) as KvResult | { readonly integer: string }
    const isLarge = typeof value === 'object' && value !== null && 'integer' in value
    return isLarge ? BigInt(value.integer) : value
  },
})
