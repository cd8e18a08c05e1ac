// Proposals of this node's clients: queued in the order of the calls, handed to the core in batches, one per turn (F9),
// and found again when they are applied (F14-F17). Counts what waits and refuses what is too much (F13).
import { entryOverheadBytes } from '../codec/entries-field.js'
import { MAX_COMMANDS_PER_MESSAGE } from '../codec/field.js'
import { messageOverheadBytes } from '../codec/message-codec.js'
import type { ProposeResult } from '../core/output.js'
import type { CoreState } from '../core/state.js'
import type { LogIndex, ProposedType, Term } from '../core/types.js'
import { type NotLeaderError, RaftError } from '../errors.js'
import { AppendedCalls } from './appended-calls.js'
import type { Clock } from '../interfaces/clock.js'
import type { ResolvedProposeOptions } from './calls.js'
import { Forwards, overtakenError } from './forwards.js'
import { HeldBack } from './held-back.js'
import type { LogBudget } from './log-budget.js'
import type { SettingValues } from './options.js'
import type { PendingCalls } from './pending-call.js'
import { type Proposal, ProposalCall, type ProposalOwner } from './proposal-call.js'
import { fencedError, jumpedError, tooLarge } from './proposal-errors.js'

/** Calls that may wait at once, whatever their size. */
export const MAX_PENDING_PROPOSALS = 262_144

export interface ProposalsContext {
  readonly calls: PendingCalls
  readonly budget: LogBudget
  readonly settings: Pick<SettingValues, 'limits' | 'heartbeatIntervalMs'>
  readonly forwardProposals: boolean
  readonly maxMessageBytes: number
  readonly state: CoreState
  readonly clock: Clock
  appliedIndex(): LogIndex
  /** With the leader as this node knows it. */
  notLeader(message: string): NotLeaderError
  /** Asks for a turn in which `next` is called. */
  wake(): void
  /** A call settled: there is more room than before. */
  onReleased(): void
}

/** Settled calls that the queue may still hold before it is swept. */
const COMPACT_AFTER = 1_024

/** Commands for one propose event. */
export interface ProposalBatch {
  readonly id: number
  readonly entryType: ProposedType
  readonly commands: readonly Uint8Array[]
}

export class Proposals implements ProposalOwner {
  readonly calls: PendingCalls
  readonly #context: ProposalsContext
  readonly #appended = new AppendedCalls()
  readonly #forwards: Forwards
  readonly #heldBack: HeldBack
  /** In the order of the calls; those before `#head` are handed on. Settled ones are skipped. */
  #waiting: ProposalCall[] = []
  #head = 0
  #settledWaiting = 0
  readonly #handed = new Map<number, readonly ProposalCall[]>()
  #lastBatchId = 0
  #pendingCount = 0
  /** The core takes nothing until the transfer of leadership that it runs has ended. */
  #isHeld = false
  /** The node stops: what waits stays where it is, and is told that nobody has seen it. */
  #isFrozen = false
  /** Of this node's forwards, the highest that a leader took. */
  #highestAccepted = 0

  constructor(context: ProposalsContext) {
    this.#context = context
    this.calls = context.calls
    this.#forwards = new Forwards({
      appended: this.#appended,
      rules: context.calls.rules,
      appliedIndex: () => context.appliedIndex(),
    })
    const { clock, settings } = context
    this.#heldBack = new HeldBack({ clock, settings, wake: () => context.wake() })
  }

  /** Calls that have not settled. */
  get pendingCount(): number {
    return this.#pendingCount
  }

  /** Whether calls wait that the core has not seen. */
  get hasWaiting(): boolean {
    return this.#waiting.length > this.#head || !this.#heldBack.isEmpty
  }

  /** Whether calls stand in a log, here or elsewhere, or may do so. */
  get hasOutside(): boolean {
    return this.#appended.size > 0 || this.#forwards.openCount > 0 || this.#handed.size > 0
  }

  /** Queues one call. @throws RaftError when it can't be taken; nothing was done then */
  submit(proposal: Proposal, options: ResolvedProposeOptions): ProposalCall {
    const { state, forwardProposals, budget } = this.#context
    if (!forwardProposals && state.role !== 'leader') throw this.#notLeader()
    const sizeBytes = this.#admit(proposal.commands)
    const call = new ProposalCall(this, options, { ...proposal, sizeBytes })
    budget.addWaiting(sizeBytes)
    this.#pendingCount += 1
    this.#waiting.push(call)
    this.#context.wake()
    return call
  }

  /**
   * Room for what a session keeps until its turn comes; `isHeld` for what had some already.
   * @throws RaftError RAFT_OVERLOADED, RAFT_TOO_LARGE
   */
  reserve(sizeBytes: number, isHeld: boolean): void {
    if (!isHeld) this.#requireRoom(sizeBytes)
    this.#context.budget.addWaiting(sizeBytes)
    this.#pendingCount += 1
  }

  /** Its turn came, or nobody waits for it any more. */
  unreserve(sizeBytes: number): void {
    this.#pendingCount -= 1
    this.#context.budget.removeWaiting(sizeBytes)
    this.#context.onReleased()
  }

  /** The next batch for the core, whose role decides how much fits; null when nothing may go now. */
  next(): ProposalBatch | null {
    const { state, forwardProposals } = this.#context
    const isLeader = state.role === 'leader'
    if (!isLeader && !forwardProposals) {
      this.#rejectWaiting()
      return null
    }
    if (state.leaderId === null || this.#isHeld || this.#isFrozen || !this.#hasBroughtBack()) return null
    if (!isLeader && this.#forwards.isFull(this.#handed.size)) return null
    const calls = isLeader ? this.#takeRun() : this.#takeForward()
    const [first] = calls
    if (first === undefined) return null
    this.#lastBatchId += 1
    this.#handed.set(this.#lastBatchId, calls)
    return { id: this.#lastBatchId, entryType: first.entryType, commands: calls.flatMap((call) => call.commands) }
  }

  /** What the core says became of a batch or of a forward. */
  onResult(result: ProposeResult): void {
    switch (result.type) {
      case 'appended':
        return this.#onAppended(this.#takeHanded(result.id), result.firstIndex, result.term)
      case 'forwarded':
        return this.#forwards.sent(result.number, result.term, this.#takeHanded(result.id))
      case 'noLeader':
        return this.#bringBack(this.#takeHanded(result.id))
      case 'transferring':
        this.#isHeld = true
        return this.#bringBack(this.#takeHanded(result.id))
      case 'accepted':
        this.#onAccepted(result.number)
        this.#forwards.accepted(result.number, result.firstIndex, result.term)
        return this.#context.wake()
      case 'refused':
        if (result.refusal === 'transferring' && result.number > this.#highestAccepted) this.#holdBack(result.number)
        else this.#forwards.refused(result.number, result.refusal)
        return this.#context.wake()
    }
  }

  /** What held them up has ended: a transfer of leadership, one way or the other, or the founding of the cluster. */
  release(): void {
    this.#isHeld = false
    this.#context.wake()
  }

  /** The node stops: no call that waits is handed on any more. */
  freeze(): void {
    this.#isFrozen = true
  }

  close(): void {
    this.#heldBack.close()
  }

  /** The node entered a term. */
  onTerm(term: Term): void {
    this.#forwards.onTerm(term)
  }

  /** The entry at `index` was applied here; every index comes once, in order. */
  onApplied(index: LogIndex, term: Term, result: unknown): void {
    this.#appended.onApplied(index, term, result)
    this.#forwards.onApplied(index, term, result)
  }

  /** The state jumped to `index` by a snapshot: what became of the calls up to there nobody can tell here (F16). */
  onJumped(index: LogIndex): void {
    for (const call of this.#appended.takeUpTo(index)) {
      if (!call.isSettled) call.reject(jumpedError(call.firstIndex, index))
    }
  }

  describeLeader(): { readonly isKnown: boolean; readonly text: string } {
    const { leaderId } = this.#context.state
    if (leaderId === null) return { isKnown: false, text: 'no leader is known' }
    return { isKnown: true, text: `the leader is '${leaderId}'` }
  }

  leads(term: Term): boolean {
    return this.#context.state.role === 'leader' && this.#context.state.currentTerm === term
  }

  placed(call: ProposalCall): void {
    this.#context.budget.removeWaiting(call.sizeBytes)
  }

  released(call: ProposalCall): void {
    this.#pendingCount -= 1
    if (call.stage !== 'appended') this.#context.budget.removeWaiting(call.sizeBytes)
    if (call.stage === 'waiting') this.#settledWaiting += 1
    if (call.forwardNumber !== 0) this.#forwards.released(call)
    if (this.#settledWaiting > COMPACT_AFTER) this.#compactWaiting()
    this.#context.onReleased()
  }

  #admit(commands: readonly Uint8Array[]): number {
    const { state } = this.#context
    const { limits } = this.#context.settings
    const isLeader = state.role === 'leader'
    let sizeBytes = 0
    for (const command of commands) {
      if (command.length > limits.commandBytes) {
        throw tooLarge(`a command has ${command.length} bytes and limits.commandBytes is ${limits.commandBytes}`)
      }
      sizeBytes += command.length
    }
    if (!isLeader && commands.length > 1) this.#checkForward(commands.length, sizeBytes)
    this.#requireRoom(sizeBytes)
    return sizeBytes
  }

  /** @throws RaftError RAFT_OVERLOADED, RAFT_TOO_LARGE */
  #requireRoom(sizeBytes: number): void {
    const { budget, state } = this.#context
    const { limits } = this.#context.settings
    const isLeader = state.role === 'leader'
    if (sizeBytes > limits.uncommittedBytes) {
      throw tooLarge(`the commands have ${sizeBytes} bytes and limits.uncommittedBytes is ${limits.uncommittedBytes}`)
    }
    if (sizeBytes <= budget.proposableBytes(isLeader) && this.#pendingCount < MAX_PENDING_PROPOSALS) return
    throw new RaftError(
      'RAFT_OVERLOADED',
      `${this.#pendingCount} proposals wait, ${budget.unappliedEntries} entries are not applied, and ` +
        `${budget.usedBytes(isLeader)} bytes of limits.uncommittedBytes, ${limits.uncommittedBytes}, are in use: ` +
        'propose again when writable() resolves',
    )
  }

  #checkForward(count: number, sizeBytes: number): void {
    const neededBytes = forwardBytes(count, sizeBytes)
    if (count <= MAX_COMMANDS_PER_MESSAGE && neededBytes <= this.#context.maxMessageBytes) return
    throw tooLarge(
      `this node passes commands on to the leader in one message of at most ${MAX_COMMANDS_PER_MESSAGE} commands and ` +
        `${this.#context.maxMessageBytes} bytes, and these ${count} need ${neededBytes} bytes`,
    )
  }

  #takeAll(): readonly ProposalCall[] {
    return this.#takeWaiting().filter((call) => !call.isSettled)
  }

  /**
   * All that may go with the first one. Commands and steps of sessions go apart, each in the order of its calls: a session has
   * an order of its own, and to change between them at every call would be an event of the core for each.
   */
  #takeRun(): readonly ProposalCall[] {
    const calls: ProposalCall[] = []
    const others: ProposalCall[] = []
    for (const call of this.#takeWaiting()) {
      if (!this.#mayGo(call)) continue
      if (calls.length > 0 && call.entryType !== calls[0]?.entryType) others.push(call)
      else calls.push(call)
    }
    this.#bringBack(others)
    return calls
  }

  /** Everything that waits. What is rejected meanwhile changes the queue no more. */
  #takeWaiting(): readonly ProposalCall[] {
    const waiting = this.#head === 0 ? this.#waiting : this.#waiting.slice(this.#head)
    this.#waiting = []
    this.#head = 0
    this.#settledWaiting = 0
    return waiting
  }

  /** Still wanted, in the term that it was made for (F47). */
  #mayGo(call: ProposalCall): boolean {
    if (call.isSettled) return false
    const { ifTerm } = call.options
    if (ifTerm === undefined || ifTerm === this.#context.state.currentTerm) return true
    call.reject(fencedError(ifTerm, this.#context.state.currentTerm))
    return false
  }

  /** As many calls, whole, as one message to the leader holds. */
  #takeForward(): readonly ProposalCall[] {
    const calls: ProposalCall[] = []
    const unfit: ProposalCall[] = []
    const others: ProposalCall[] = []
    const waiting = this.#waiting
    let [at, count, bytes] = [this.#head, 0, 0]
    // What is rejected meanwhile must not move what is looked at.
    this.#waiting = []
    for (; at < waiting.length; at++) {
      const call = waiting[at]
      if (call === undefined || !this.#mayGo(call)) continue
      if (calls.length > 0 && call.entryType !== calls[0]?.entryType) {
        others.push(call)
        continue
      }
      count += call.commands.length
      bytes += call.sizeBytes
      const fits = count <= MAX_COMMANDS_PER_MESSAGE && forwardBytes(count, bytes) <= this.#context.maxMessageBytes
      if (!fits && calls.length > 0) break
      if (!fits) {
        unfit.push(call)
        ;[count, bytes] = [0, 0]
        continue
      }
      calls.push(call)
    }
    this.#waiting = others.length === 0 ? waiting : [...others, ...waiting.slice(at)]
    this.#head = others.length === 0 ? at : 0
    if (this.#head * 2 >= this.#waiting.length) this.#compactWaiting()
    // They were taken when this node led, and now are too much for the way to the leader.
    for (const call of unfit) {
      call.reject(
        tooLarge(`${call.commands.length} commands of ${call.sizeBytes} bytes don't fit one message to the leader`),
      )
    }
    return calls
  }

  #takeHanded(id: number): readonly ProposalCall[] {
    const calls = this.#handed.get(id) ?? []
    this.#handed.delete(id)
    return calls
  }

  #bringBack(calls: readonly ProposalCall[]): void {
    this.#waiting = [...calls, ...this.#waiting.slice(this.#head)]
    this.#head = 0
  }

  #holdBack(number: number): void {
    const calls = this.#forwards.takeBack(number)
    if (calls.length > 0) this.#heldBack.add({ number, calls }, this.#context.state.currentTerm)
  }

  /** What was held back goes first, and not while a forward is unanswered that it stood behind or before (F17). */
  #hasBroughtBack(): boolean {
    if (this.#heldBack.isEmpty) return true
    if (this.#forwards.openCount > 0 || this.#handed.size > 0) return false
    this.#bringBack(this.#heldBack.take(this.#context.state.currentTerm))
    return this.#heldBack.isEmpty
  }

  #onAccepted(number: number): void {
    this.#highestAccepted = Math.max(this.#highestAccepted, number)
    if (this.#heldBack.isEmpty) return
    for (const call of this.#heldBack.takeOvertaken(number)) call.reject(overtakenError())
  }

  #onAppended(calls: readonly ProposalCall[], firstIndex: LogIndex, term: Term): void {
    let index = firstIndex
    for (const call of calls) {
      call.appendedAt(index, term)
      this.#appended.addOwn(call)
      index += call.commands.length
    }
  }

  #compactWaiting(): void {
    this.#waiting = this.#waiting.slice(this.#head).filter((call) => !call.isSettled)
    this.#head = 0
    this.#settledWaiting = 0
  }

  #rejectWaiting(): void {
    for (const call of this.#takeAll()) call.reject(this.#notLeader())
  }

  #notLeader(): NotLeaderError {
    return this.#context.notLeader('forwardProposals is off and this node does not lead: propose on the leader')
  }
}

function forwardBytes(count: number, sizeBytes: number): number {
  return messageOverheadBytes + count * entryOverheadBytes + sizeBytes
}
