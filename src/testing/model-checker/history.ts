// What no node remembers and the invariants need: who led each term, what was ever known to be committed and in which
// term, what each read must see, and how many crashes there were. Part of every state; never changed once made.
import type { LogIndex, Term } from '../../core/types.js'
import type { Permutation } from './node-state.js'

export interface CommittedEntry {
  readonly term: Term
  /** Term of the leader that committed it. */
  readonly inTerm: Term
}

export interface History {
  readonly crashes: number
  /** By term - 1: the position of the node that led it; -1 for nobody. */
  readonly leaders: readonly number[]
  /** By index - 1. */
  readonly committed: readonly CommittedEntry[]
  /** By id - 1: how much was committed when the read was asked; -1 once it is over. */
  readonly asked: readonly LogIndex[]
}

export const NO_HISTORY: History = { crashes: 0, leaders: [], committed: [], asked: [] }

/** By this text two histories are the same, nodes renamed. */
export function historyText({ crashes, leaders, committed, asked }: History, permutation: Permutation): string {
  const names = leaders.map((leader) => (leader < 0 ? '-' : String(permutation[leader]))).join('')
  return `${crashes}/${names}/${committed.map(({ term, inTerm }) => `${term}.${inTerm}`).join()}/${asked.join()}`
}
