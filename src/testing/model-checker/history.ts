// What no node remembers and the invariants need: who led each term, what was ever known to be committed and in which
// term, what each read must see, and how many crashes there were. Part of every state; never changed once made.
import type { LogIndex, Term } from '../../core/types.js'
import type { Permutation } from './node-state.js'

export interface CommittedEntry {
  readonly term: Term
  /** Term of the leader that committed it. */
  readonly inTerm: Term
  /** The quorum by which it was committed, as sets of positions: bit n is the node at position n. */
  readonly incoming: number
  /** Empty but in joint consensus. */
  readonly outgoing: number
}

export interface History {
  readonly crashes: number
  /** Changes of the membership that were asked for. */
  readonly changes: number
  /** By term - 1: the position of the node that led it; -1 for nobody. */
  readonly leaders: readonly number[]
  /** By index - 1. */
  readonly committed: readonly CommittedEntry[]
  /** By id - 1: how much was committed when the read was asked; -1 once it is over. */
  readonly asked: readonly LogIndex[]
}

export const NO_HISTORY: History = { crashes: 0, changes: 0, leaders: [], committed: [], asked: [] }

/** By this text two histories are the same, nodes renamed. */
export function historyText(history: History, permutation: Permutation): string {
  const { crashes, changes, leaders, committed, asked } = history
  const names = leaders.map((leader) => (leader < 0 ? '-' : String(permutation[leader]))).join('')
  const entries = committed.map(({ term, inTerm, incoming, outgoing }) => {
    return `${term}.${inTerm}.${renamed(incoming, permutation)}.${renamed(outgoing, permutation)}`
  })
  return `${crashes} ${changes}/${names}/${entries.join()}/${asked.join()}`
}

function renamed(set: number, permutation: Permutation): number {
  let result = 0
  permutation.forEach((to, from) => {
    if ((set & (1 << from)) !== 0) result |= 1 << to
  })
  return result
}
