// Judges what one incarnation of a node does after it stood still for longer than an election timeout (F2, H16, H105): what
// its late timers say is hearsay, so it neither campaigns nor gives its leadership up before its peers had a whole timeout.
import type { CoreEvent, CoreState } from '../core/index.js'

export class StallWatch {
  #electionTimeoutMs: number
  /** Of the last event, by the node's own clock. */
  #now = Number.NEGATIVE_INFINITY
  #wokeAt = Number.NEGATIVE_INFINITY
  #preVoteRound = 0
  #wasLeader = false

  constructor(electionTimeoutMs: number) {
    this.#electionTimeoutMs = electionTimeoutMs
  }

  /** After each step of the core. Returns what is wrong, or null. */
  observe(state: CoreState, event: CoreEvent | null): string | null {
    const now = event?.now ?? state.now
    if (event !== null && now - this.#now > this.#electionTimeoutMs) this.#wokeAt = now
    if (event?.type === 'reconfigure') this.#electionTimeoutMs = event.electionTimeoutMs
    // The leader's side ended the connection: that is no hearsay (F3).
    if (event?.type === 'peerStatus' && event.status === 'reset') this.#wokeAt = Number.NEGATIVE_INFINITY
    const campaigns = state.preVoteRound > this.#preVoteRound
    const stepsDown = this.#wasLeader && state.role !== 'leader'
    this.#now = now
    this.#preVoteRound = state.preVoteRound
    this.#wasLeader = state.role === 'leader'
    const sinceMs = now - this.#wokeAt
    const isAlone = state.quorum.incoming.length === 1
    if (event?.type !== 'tick' || isAlone || sinceMs >= this.#electionTimeoutMs || !(campaigns || stepsDown))
      return null
    const what = campaigns ? 'campaigned' : 'gave its leadership up'
    return `it ${what} ${Math.round(sinceMs)} ms after it had stood still, on what its late timers said (F2, H105)`
  }
}
