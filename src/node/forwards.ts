// Proposals that were passed on to the leader and are not answered yet (F16), each by its number. A forward is sent
// once; what it became is known from the leader's answer and then from this node's own apply, or not at all.
import { FORWARD_WINDOW } from '../core/forwarding.js'
import type { ProposeRefusal } from '../core/messages.js'
import type { LogIndex, Term } from '../core/types.js'
import { NotLeaderError, RaftError } from '../errors.js'
import { AppliedResults } from './applied-results.js'
import type { AppendedCalls } from './appended-calls.js'
import type { NodeRules } from './node-rules.js'
import type { ProposalCall } from './proposal-call.js'

interface Forward {
  readonly term: Term
  readonly calls: readonly ProposalCall[]
  unsettled: number
}

export interface ForwardsContext {
  readonly appended: AppendedCalls
  readonly rules: NodeRules
  /** What this node has applied. */
  appliedIndex(): LogIndex
}

export class Forwards {
  readonly #context: ForwardsContext
  readonly #open = new Map<number, Forward>()
  readonly #results = new AppliedResults()

  constructor(context: ForwardsContext) {
    this.#context = context
  }

  /** Whether no more may be under way beside `handed` others: the leader remembers this many numbers. */
  isFull(handed: number): boolean {
    return this.#open.size + handed >= FORWARD_WINDOW
  }

  /** The core sent the calls on. */
  sent(number: number, term: Term, calls: readonly ProposalCall[]): void {
    const unsettled = calls.filter((call) => !call.isSettled)
    if (unsettled.length === 0) return
    for (const call of unsettled) {
      call.stage = 'forwarded'
      call.forwardNumber = number
    }
    this.#open.set(number, { term, calls, unsettled: unsettled.length })
  }

  /** The leader appended them from `firstIndex` on, or says that it had. */
  accepted(number: number, firstIndex: LogIndex, term: Term): void {
    const forward = this.#close(number)
    if (forward === undefined) return
    let index = firstIndex
    for (const call of forward.calls) {
      call.forwardNumber = 0
      call.appendedAt(index, term)
      index += call.commands.length
      if (!call.isSettled) this.#await(call)
    }
    this.#clearIfIdle()
  }

  /** The forward that the leader refused because it hands over: its calls, which nobody has seen now. */
  takeBack(number: number): readonly ProposalCall[] {
    const calls = (this.#close(number)?.calls ?? []).filter((call) => !call.isSettled)
    for (const call of calls) {
      call.forwardNumber = 0
      call.stage = 'waiting'
    }
    this.#clearIfIdle()
    return calls
  }

  /** Forwards that are not answered. */
  get openCount(): number {
    return this.#open.size
  }

  /** The leader did not and will not append them. */
  refused(number: number, refusal: ProposeRefusal): void {
    const forward = this.#close(number)
    for (const call of forward?.calls ?? []) {
      call.forwardNumber = 0
      call.reject(refusalError(refusal))
    }
    this.#clearIfIdle()
  }

  /** A forward is for one term: when that is over and no answer came, nobody is left to ask. */
  onTerm(currentTerm: Term): void {
    for (const [number, forward] of this.#open) {
      if (forward.term >= currentTerm) continue
      this.#open.delete(number)
      for (const call of forward.calls) {
        call.forwardNumber = 0
        call.reject(
          new RaftError(
            'RAFT_LEADERSHIP_LOST',
            `the leader of term ${forward.term} lost its leadership before it answered: the command may be applied or ` +
              'not; look its effect up before you repeat it',
            { outcome: this.#context.rules.outcomeOfEnded('forwarded') },
          ),
        )
      }
    }
    this.#clearIfIdle()
  }

  /** One of the calls settled by itself: when none is left, nobody waits for the answer. */
  released(call: ProposalCall): void {
    const forward = this.#open.get(call.forwardNumber)
    if (forward === undefined) return
    forward.unsettled -= 1
    if (forward.unsettled === 0) this.#open.delete(call.forwardNumber)
    this.#clearIfIdle()
  }

  onApplied(index: LogIndex, term: Term, result: unknown): void {
    if (this.#context.rules.keepsResults(this.#open.size)) this.#results.add(index, term, result)
  }

  #close(number: number): Forward | undefined {
    const forward = this.#open.get(number)
    this.#open.delete(number)
    return forward
  }

  /** Part of the call, or all of it, may be applied here already. */
  #await(call: ProposalCall): void {
    const appliedIndex = this.#context.appliedIndex()
    for (let index = call.firstIndex; index <= Math.min(call.lastIndex, appliedIndex); index++) {
      const applied = this.#results.at(index)
      if (applied.type === 'gone') {
        call.reject(
          new RaftError(
            'RAFT_TIMEOUT',
            `the leader's answer, that the command stands at index ${index}, came after this node had applied that ` +
              'index and dropped the result: look its effect up before you repeat it',
            { outcome: 'unknown' },
          ),
        )
        return
      }
      call.onApplied(index, applied.term, applied.result)
    }
    if (!call.isSettled) this.#context.appended.addScattered(call)
  }

  #clearIfIdle(): void {
    if (this.#open.size === 0) this.#results.clear()
  }
}

/** Held back while leadership was handed over, and overtaken by a later call meanwhile. */
export function overtakenError(): RaftError {
  return new RaftError(
    'RAFT_TRANSFERRING',
    'the leader refused the command while it was handing over, and took a later one of this node since: it was not ' +
      'appended, propose it again',
  )
}

function refusalError(refusal: ProposeRefusal): RaftError {
  switch (refusal) {
    case 'notLeader':
      return new NotLeaderError(
        'the node that was asked does not lead any more: the command was not appended, propose it again',
      )
    case 'reordered':
      return new NotLeaderError(
        'a later proposal of this node overtook this one on the way to the leader: it was not appended, propose it again',
      )
    case 'transferring':
      return overtakenError()
    case 'overloaded':
      return new RaftError(
        'RAFT_OVERLOADED',
        'the leader holds limits.uncommittedBytes of commands that are not committed yet: the command was not ' +
          'appended, propose it again when writable() resolves',
      )
  }
}
