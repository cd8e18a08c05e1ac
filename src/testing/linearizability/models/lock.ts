// One lock with fencing tokens: `acquire` and `release`. Free at first; tokens are numbers above 0.
import type { LinearizabilityModel } from '../model.js'

export interface LockInput {
  readonly op: 'acquire' | 'release'
  readonly owner: string
}

export interface LockOutput {
  readonly ok: boolean
  /** Of an `acquire` that is ok. Others are not looked at. */
  readonly token: number
}

interface LockState {
  readonly holder: string | null
  /** The greatest token that is known to have been given. */
  readonly token: number
  /** An acquire of unknown outcome took the lock: nobody has seen its token, which is greater than `token`. */
  readonly isTokenUnseen: boolean
}

/**
 * | operation | when the lock is | must answer |
 * |---|---|---|
 * | `acquire` | free | ok, with a token that is greater than all before |
 * | `acquire` | the owner's already | ok, with the token that it has, which it keeps |
 * | `acquire` | another owner's | not ok |
 * | `release` | the owner's | ok; it is free afterwards |
 * | `release` | free, or another owner's | not ok; nothing changes |
 *
 * Of unknown outcome they did what the state told them to do, or never happened. The token of such an acquire is known
 * only if its owner acquires again.
 */
export function lock(): LinearizabilityModel<unknown, LockInput, LockOutput> {
  const model: LinearizabilityModel<LockState, LockInput, LockOutput> = {
    init: () => ({ holder: null, token: 0, isTokenUnseen: false }),
    step: (state, input, output) => (input.op === 'acquire' ? acquire : release)(state, input.owner, output),
    equal: (a, b) => a.holder === b.holder && a.token === b.token && a.isTokenUnseen === b.isTokenUnseen,
    hash: ({ token, isTokenUnseen }) => 2 * token + (isTokenUnseen ? 1 : 0),
    effect: (_, output) => (output?.ok === false ? 'none' : 'depends'),
    describe({ op, owner }, output) {
      const answer =
        output === undefined ? 'undefined' : !output.ok ? 'refused' : op === 'acquire' ? `token ${output.token}` : 'ok'
      return `${op} by ${owner} -> ${answer}`
    },
  }
  return model as LinearizabilityModel<unknown, LockInput, LockOutput>
}

function acquire(state: LockState, owner: string, output: LockOutput | undefined): LockState | null {
  const { holder, token, isTokenUnseen } = state
  if (holder !== null && holder !== owner) return output?.ok === true ? null : state
  if (output === undefined) return holder === null ? { holder: owner, token, isTokenUnseen: true } : state
  if (!output.ok) return null
  const isRepeated = holder === owner && !isTokenUnseen
  if (isRepeated ? output.token !== token : !(output.token > token)) return null
  return isRepeated ? state : { holder: owner, token: output.token, isTokenUnseen: false }
}

function release(state: LockState, owner: string, output: LockOutput | undefined): LockState | null {
  const isHeld = state.holder === owner
  if (output !== undefined && output.ok !== isHeld) return null
  return isHeld ? { ...state, holder: null, isTokenUnseen: false } : state
}
