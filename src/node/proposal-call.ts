// One call of propose or proposeMany, from its place in the queue to the result of its last command. Knows at each
// moment what may be said of its fate: `rejected` only while nothing of it can ever be applied (F15, H36).
import type { LogIndex, ProposedType, Term } from '../core/types.js'
import { RaftError, type RaftErrorCode } from '../errors.js'
import type { Proposed, ResolvedProposeOptions } from './calls.js'
import { type EndReason, PendingCall, type PendingCalls } from './pending-call.js'

/** What a call tells its owner and asks of it. */
export interface ProposalOwner {
  readonly calls: PendingCalls
  /** The leader that this node knows, for errors. */
  describeLeader(): { readonly isKnown: boolean; readonly text: string }
  /** The call stands in a log now: its bytes count there. */
  placed(call: ProposalCall): void
  /** The call settled: its bytes and its place are free. */
  released(call: ProposalCall): void
  /** Whether this node still leads `term`. */
  leads(term: Term): boolean
}

export type ProposalStage =
  /** Queued here: nobody has seen it. */
  | 'waiting'
  /** Sent to the leader, which may have appended it. */
  | 'forwarded'
  /** In some log at (firstIndex, term). */
  | 'appended'

/** What is proposed. */
export interface Proposal {
  readonly entryType: ProposedType
  readonly commands: readonly Uint8Array[]
  /** The caller gets a list of results. */
  readonly isMany: boolean
}

export class ProposalCall extends PendingCall<unknown> {
  readonly options: ResolvedProposeOptions
  readonly entryType: ProposedType
  readonly commands: readonly Uint8Array[]
  readonly sizeBytes: number
  readonly #owner: ProposalOwner
  readonly #isMany: boolean
  readonly #results: Proposed<unknown>[] = []
  stage: ProposalStage = 'waiting'
  /** Number of the forward that it is part of; 0 for none. */
  forwardNumber = 0
  firstIndex: LogIndex = 0
  term: Term = 0

  constructor(
    owner: ProposalOwner,
    options: ResolvedProposeOptions,
    { entryType, commands, isMany, sizeBytes }: Proposal & { readonly sizeBytes: number },
  ) {
    super(owner.calls, options)
    this.options = options
    this.#owner = owner
    this.entryType = entryType
    this.commands = commands
    this.sizeBytes = sizeBytes
    this.#isMany = isMany
  }

  get lastIndex(): LogIndex {
    return this.firstIndex + this.commands.length - 1
  }

  /** First of its indexes that it has no result of. */
  get nextIndex(): LogIndex {
    return this.firstIndex + this.#results.length
  }

  /** It stands in a log now. */
  appendedAt(firstIndex: LogIndex, term: Term): void {
    if (!this.isSettled) this.#owner.placed(this)
    this.stage = 'appended'
    this.firstIndex = firstIndex
    this.term = term
  }

  /** The entry at `index`, one of the call's, was applied here: of its own term, or of another that took its place. */
  onApplied(index: LogIndex, term: Term, result: unknown): void {
    if (this.isSettled) return
    if (!this.#owner.calls.rules.isOwnEntry(this.term, term)) {
      this.reject(this.#overwritten(index, term))
      return
    }
    const proposed: Proposed<unknown> = { index, term, result }
    if (!this.#isMany) {
      this.resolve(proposed)
      return
    }
    this.#results.push(proposed)
    if (index === this.lastIndex) this.resolve(this.#results)
  }

  override endError(reason: EndReason, cause: unknown): RaftError {
    const outcome = this.#owner.calls.rules.outcomeOfEnded(this.stage)
    const message = `${this.#describeEnd(reason)}${this.#describeStage()}`
    return new RaftError(this.#codeOf(reason), message, { outcome, cause })
  }

  protected override onSettled(): void {
    this.#owner.released(this)
  }

  #codeOf(reason: EndReason): RaftErrorCode {
    if (reason === 'aborted') return 'RAFT_ABORTED'
    if (reason === 'stopped') return 'RAFT_STOPPED'
    const hasNoLeader = this.stage === 'waiting' && !this.#owner.describeLeader().isKnown
    return hasNoLeader ? 'RAFT_NO_LEADER' : 'RAFT_TIMEOUT'
  }

  #describeEnd(reason: EndReason): string {
    if (reason === 'aborted') return 'the proposal was aborted '
    return reason === 'stopped' ? 'the node stopped ' : 'the deadline passed '
  }

  #describeStage(): string {
    switch (this.stage) {
      case 'waiting':
        return `before the command was appended anywhere (${this.#owner.describeLeader().text}): it was not applied, and may be proposed again`
      case 'forwarded':
        return 'before the leader answered: the command may be applied or not; look its effect up before you repeat it'
      case 'appended': {
        const lost = this.#owner.leads(this.term) ? '' : '; this node does not lead that term, or not any more'
        return (
          `while the command waited at index ${this.firstIndex} of term ${this.term} to be applied here${lost}: ` +
          'it may be applied or not; look its effect up before you repeat it'
        )
      }
    }
  }

  #overwritten(index: LogIndex, term: Term): RaftError {
    const isWhole = index === this.firstIndex
    const fate = isWhole
      ? 'the command was not applied, and may be proposed again'
      : `the ${index - this.firstIndex} commands before it were applied, the rest was not`
    return new RaftError(
      'RAFT_LEADERSHIP_LOST',
      `another leader's entry, of term ${term}, was committed at index ${index} in place of term ${this.term}'s: ${fate}`,
      { outcome: isWhole ? 'rejected' : 'unknown' },
    )
  }
}
