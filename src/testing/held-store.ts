// What a store holds, as a judge asks for it: the log and the votes of one store id. A disk that was wiped has lost its
// earlier stores for good; what they held stays known here, because promises that they made were kept until then (H19).
import type { HardState, LogEntry, LogIndex, NodeId, Term } from '../core/types.js'
import type { DurableLog } from './durable-log.js'

export interface HeldStore {
  readonly hardState: HardState
  /** The last entry that was forgotten, behind a snapshot; 0 for none. */
  readonly baseIndex: LogIndex
  /** The durable entry at `index`; undefined for one that was forgotten. */
  entryAt(index: LogIndex): LogEntry | undefined
  /** Whom the node voted for in `term`, as far as that was ever durable. */
  voteIn(term: Term): NodeId | undefined
}

/** Of a disk that was wiped. */
export class LostStore implements HeldStore {
  /** Null for one that never said who it is. */
  readonly storeId: string | null
  readonly hardState: HardState
  readonly #log: DurableLog
  readonly #votes: ReadonlyMap<Term, NodeId>

  constructor(
    storeId: string | null,
    {
      hardState,
      log,
      votes,
    }: { readonly hardState: HardState; readonly log: DurableLog; readonly votes: ReadonlyMap<Term, NodeId> },
  ) {
    this.storeId = storeId
    this.hardState = hardState
    this.#log = log
    this.#votes = votes
  }

  get baseIndex(): LogIndex {
    return this.#log.baseIndex
  }

  entryAt(index: LogIndex): LogEntry | undefined {
    return this.#log.at(index)
  }

  voteIn(term: Term): NodeId | undefined {
    return this.#votes.get(term)
  }
}
