// The way to fast-check, which is an optional peer: nothing of it is loaded before an arbitrary is asked for, so that
// `simulate` and the store suites run without it. The copy that `require` gives may be another one than the user imports:
// arbitraries of two copies mix, because fast-check knows its own by symbols and methods, never by class.
import { createRequire } from 'node:module'
import { RaftError } from '../../errors.js'

/** The namespace of the package. */
export type FastCheck = typeof import('fast-check')

const require = createRequire(import.meta.url)

/**
 * fast-check, loaded at the first call.
 *
 * @param user - the export that needs it; the error names it
 * @throws RaftError RAFT_INVALID_OPTION where it is not installed
 */
export function fastCheckFor(user: string, load: (name: string) => unknown = require): FastCheck {
  try {
    return load('fast-check') as FastCheck
  } catch (error) {
    const message = `${user} needs the package 'fast-check', which can't be loaded: npm install --save-dev fast-check`
    throw new RaftError('RAFT_INVALID_OPTION', message, { cause: error })
  }
}
