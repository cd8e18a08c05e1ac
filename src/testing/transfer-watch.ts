// Watches how one incarnation hands leadership over and takes it (thesis §3.10, H20): who is told, who campaigns because of
// it, and what a leader takes meanwhile. Broken rules of it lose nothing, so no other check would see them.
import type { CoreEvent, CoreState, LogIndex, Message, NodeId, Term } from '../core/index.js'

export class TransferWatch {
  #electionTimeoutMs: number
  #state: CoreState | null = null
  #lastIndex: LogIndex = 0
  #wasHandingOver = false
  /** Term of the last TimeoutNow that arrived. */
  #toldIn: Term = -1

  /** @param electionTimeoutMs - Infinity where it is not known: then nothing is too long */
  constructor(electionTimeoutMs: number) {
    this.#electionTimeoutMs = electionTimeoutMs
  }

  /** After each step of the core; what it did wrong, in words, or null. */
  observe(state: CoreState, event: CoreEvent | null): string | null {
    if (event?.type === 'reconfigure') this.#electionTimeoutMs = event.electionTimeoutMs
    const isHandingOver = state.transfer !== null
    const hasTaken = this.#wasHandingOver && isHandingOver && state.log.lastIndex > this.#lastIndex
    const arrived = event?.type === 'receive' ? event.message : null
    if (arrived?.type === 'timeoutNow') this.#toldIn = arrived.term
    const isProposal = event?.type === 'propose' || arrived?.type === 'proposeRequest'
    this.#state = state
    this.#lastIndex = state.log.lastIndex
    this.#wasHandingOver = isHandingOver
    // What is too long is seen when the clock is looked at, not while messages are still taken in.
    const sinceMs = event?.type === 'tick' && state.transfer !== null ? state.now - state.transfer.startedAt : 0
    if (sinceMs >= this.#electionTimeoutMs) return `it still hands over after ${sinceMs} ms (H20)`
    return hasTaken && isProposal ? 'it took a proposal while it was handing over (H20)' : null
  }

  /** Before each message leaves; what is wrong with it, in words, or null. */
  onSend(to: NodeId, message: Message): string | null {
    if (message.type === 'requestVote' && message.leadershipTransfer && this.#toldIn !== message.term - 1) {
      return `it asked for votes of term ${message.term} in the name of a leader that had not told it to (H20)`
    }
    if (message.type !== 'timeoutNow' || this.#state === null || this.#state.transfer === null) return null
    const matchIndex = this.#state.progress.get(to)?.matchIndex ?? 0
    if (matchIndex === this.#state.log.lastIndex) return null
    return `it told ${to} to campaign, which has ${matchIndex} of ${this.#state.log.lastIndex} entries (H20)`
  }
}
