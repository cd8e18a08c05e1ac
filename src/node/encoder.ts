// From a command to the bytes that the log keeps (H96, H97).
import { isRaftError, RaftError } from '../errors.js'
import type { Codec } from '../interfaces/codec.js'
import { textOf } from './failures.js'
import type { NodeRules } from './node-rules.js'

/** Gives bytes of our own: a codec may hand out a view of a buffer that it uses again. @throws RaftError RAFT_INVALID_OPTION */
export function encoderOf(
  codec: Codec<unknown>,
  rules: Pick<NodeRules, 'keepEncoded'>,
): (command: unknown) => Uint8Array {
  return (command) => {
    let encoded: unknown
    try {
      encoded = codec.encode(command)
    } catch (error) {
      if (isRaftError(error)) throw error
      const message = `the codec can't encode the command: ${textOf(error)}`
      throw new RaftError('RAFT_INVALID_OPTION', message, { cause: error })
    }
    if (encoded instanceof Uint8Array) return rules.keepEncoded(encoded)
    throw new RaftError(
      'RAFT_INVALID_OPTION',
      `the codec encoded a command as ${typeof encoded}: it must give a Uint8Array`,
    )
  }
}
