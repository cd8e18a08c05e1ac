// How what a caller gave is refused: one wording for options of nodes, of calls and of members.
import { RaftError } from '../errors.js'

/** Whether it can hold options: an object, and no array. */
export function isOptions(given: unknown): given is object {
  return typeof given === 'object' && given !== null && !Array.isArray(given)
}

/** @throws RaftError RAFT_INVALID_OPTION for what is no object, and for a key that nobody knows */
export function checkKeys(given: object, known: readonly string[], noun: string): void {
  if (!isOptions(given)) {
    refuse(`an object with ${known.join(', ')} is needed, not ${Array.isArray(given) ? 'an array' : show(given)}`)
  }
  for (const key of Object.keys(given)) {
    if (!known.includes(key)) refuse(`there is no ${noun} '${key}': known are ${known.join(', ')}`)
  }
}

/** A wrong value for an error message. */
export function show(value: unknown): string {
  if (typeof value === 'string') return `'${value}'`
  return typeof value === 'object' && value !== null ? 'an object' : String(value)
}

/** @throws RaftError RAFT_INVALID_OPTION */
export function refuse(message: string): never {
  throw new RaftError('RAFT_INVALID_OPTION', message)
}
