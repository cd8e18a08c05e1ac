// Watches where one incarnation's log begins: a leader forgets nothing that a peer which it hears still needs (F27). Who is
// forgotten all the same would have to be sent a snapshot, which loses nothing, so no other check would see it.
import type { CoreEvent, CoreState, LogIndex, NodeId } from '../core/index.js'
import { heardAt } from '../core/progress.js'

export class CompactionWatch {
  #electionTimeoutMs: number
  #baseIndex: LogIndex = 0
  /** Who needed a snapshot before the last step already. */
  #needSnapshot: ReadonlySet<NodeId> = new Set()
  /** Since when silence counted before the last step: a step that compacts may begin to count anew behind that. */
  #quorumCheckSince = Number.NEGATIVE_INFINITY

  /** @param electionTimeoutMs - Infinity where it is not known: then every peer counts as heard */
  constructor(electionTimeoutMs: number) {
    this.#electionTimeoutMs = electionTimeoutMs
  }

  /** After each step of the core; what it did wrong, in words, or null. */
  observe(state: CoreState, event: CoreEvent | null): string | null {
    if (event?.type === 'reconfigure') this.#electionTimeoutMs = event.electionTimeoutMs
    const { baseIndex } = state.log
    const hasForgotten = baseIndex > this.#baseIndex
    const wronged = hasForgotten
      ? [...state.progress].find(([id, peer]) => this.#isWronged(state, id, peer))
      : undefined
    this.#baseIndex = baseIndex
    this.#quorumCheckSince = state.quorumCheckSince
    const needing = [...state.progress].filter(([, peer]) => peer.state === 'snapshot')
    this.#needSnapshot = new Set(needing.map(([id]) => id))
    if (wronged === undefined) return null
    const [id, { matchIndex }] = wronged
    return `it leads, forgot up to ${baseIndex}, and hears ${id}, which holds ${matchIndex} (F27)`
  }

  #isWronged(state: CoreState, id: NodeId, peer: { readonly matchIndex: LogIndex; contactAt: number | null }): boolean {
    const { log, now } = state
    if (this.#needSnapshot.has(id) || peer.matchIndex >= log.baseIndex) return false
    return now - heardAt({ quorumCheckSince: this.#quorumCheckSince }, state.progress.get(id)) < this.#electionTimeoutMs
  }
}
