// The seed as users write it.
import { RaftError } from '../errors.js'
import { show } from './option-checks.js'
import { MAX_SEED } from './prng.js'

/** @throws RaftError RAFT_INVALID_OPTION */
export function resolveSeed(seed: number | bigint): bigint {
  const isWhole = typeof seed === 'bigint' || Number.isSafeInteger(seed)
  const resolved = isWhole ? BigInt(seed) : -1n
  if (resolved >= 0n && resolved <= MAX_SEED) return resolved
  throw new RaftError('RAFT_INVALID_OPTION', `seed is ${show(seed)}: use a whole number from 0 to ${MAX_SEED}`)
}
