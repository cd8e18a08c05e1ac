// The inbox and the only owner of the core (design §3): takes what happened in order, steps it, and hands the Outputs
// out, once per turn of the event loop, so that what arrives together is one write and one message per peer (F9).
// Never steps while it steps: whatever a callback asks for waits in the inbox (H99).
import type { CoreEvent, ReconfigureEvent, SnapshotTakenEvent } from '../core/event.js'
import type { MembershipChange } from '../core/membership-change.js'
import type { Message } from '../core/messages.js'
import { Output } from '../core/output.js'
import type { SnapshotSource } from '../core/state.js'
import type { HardState, LogIndex, Member, NodeId, SnapshotMeta } from '../core/types.js'
import type { Clock } from '../interfaces/clock.js'
import type { Internals, SteppedCore } from './internals.js'
import type { LogBudget } from './log-budget.js'
import type { SettingValues } from './options.js'
import type { Proposals } from './proposals.js'
import type { Reads } from './reads.js'
import { turnScheduler } from './system-clock.js'
import { TickTimer } from './tick-timer.js'

/** Messages that may wait for the next turn; beyond it they are lost, which Raft bears. */
export const MAX_INBOX_MESSAGES = 65_536

/** What happened, without the times, which the core is told when it is stepped. */
export type InboxItem =
  | { readonly type: 'receive'; readonly from: NodeId; readonly message: Message }
  | {
      readonly type: 'persisted'
      readonly hardState: HardState | null
      readonly index: LogIndex
      readonly epoch: number
      readonly leasePromiseMs: number | undefined
    }
  | {
      readonly type: 'peerStatus'
      readonly peer: NodeId
      readonly status: 'up' | 'closed' | 'reset'
      readonly storeId?: string | undefined
    }
  | { readonly type: 'found'; readonly members: readonly Member[] }
  | { readonly type: 'outboundDropped'; readonly peer: NodeId; readonly index: LogIndex }
  | { readonly type: 'applied'; readonly index: LogIndex }
  | { readonly type: 'transfer'; readonly id: number; readonly to: NodeId | null }
  | { readonly type: 'replicas'; readonly id: number; readonly index: LogIndex }
  | {
      readonly type: 'changeMembership'
      readonly id: number
      readonly change: MembershipChange
      readonly force: boolean
    }
  | { readonly type: 'cancelChange'; readonly id: number }
  | Omit<SnapshotTakenEvent, 'now'>
  | { readonly type: 'snapshotUnsent'; readonly peer: NodeId; readonly transfer: number }
  | {
      readonly type: 'snapshotWritten'
      readonly source: SnapshotSource
      readonly outcome: 'continue' | 'busy' | 'refused'
      readonly offset: number
    }
  | { readonly type: 'snapshotReceived'; readonly source: SnapshotSource; readonly meta: SnapshotMeta }
  | Omit<ReconfigureEvent, 'now'>
  | { readonly type: 'snapshotInstalled'; readonly outcome: 'installed' | 'failed' }
  /** There is something to propose; what, is decided when its turn comes. */
  | { readonly type: 'proposals' }
  | { readonly type: 'reads' }
  | { readonly type: 'tick' }

export interface EventLoopContext {
  readonly core: SteppedCore
  readonly clock: Clock
  readonly settings: Pick<SettingValues, 'heartbeatIntervalMs'>
  readonly budget: LogBudget
  readonly proposals: Proposals
  readonly reads: Reads
  readonly observe: Internals['observe']
  readonly observeHandOut: Internals['observeHandOut']
  readonly observeFailure: Internals['observeFailure']
  /** Carries an Output out. */
  readonly handOut: (output: Output) => void
  /** At the end of each turn: everything that is not the core's. */
  readonly afterTurn: () => void
  /** The core, or the carrying out, failed: nothing more happens. */
  readonly onFailure: (error: unknown) => void
}

export class EventLoop {
  readonly #context: EventLoopContext
  readonly #scheduleTurn: (turn: () => void) => void
  readonly #timer: TickTimer
  #inbox: InboxItem[] = []
  #messageCount = 0
  /** Kinds of which one in the inbox is enough. */
  readonly #pending = new Set<'proposals' | 'reads' | 'tick'>()
  #output = new Output()
  /** Of the last step. */
  #deadline = Number.POSITIVE_INFINITY
  /** Payload that this turn's messages brought and no Output has handed out yet. */
  #unaccountedBytes = 0
  /** Of the turn under way. */
  #times = { now: 0, wallTime: 0 }
  #hasTurn = false
  #isRunning = false
  #isInTurn = false
  #isDraining = false

  constructor(context: EventLoopContext) {
    this.#context = context
    this.#scheduleTurn = turnScheduler(context.clock)
    const onTick = () => this.push({ type: 'tick' })
    this.#timer = new TickTimer({ clock: context.clock, settings: context.settings, onTick })
  }

  /** Events are being stepped: `afterTurn` of this turn is still to come. */
  get isDraining(): boolean {
    return this.#isDraining
  }

  /** Begins to take what is in the inbox. */
  begin(): void {
    this.#isRunning = true
    this.push({ type: 'tick' })
  }

  /** Nothing is stepped any more, not even the rest of a turn that is under way. */
  close(): void {
    this.#isRunning = false
    this.#timer.cancel()
    this.#inbox = []
    this.#pending.clear()
  }

  /** Queues what happened. Safe at any moment, also from within a callback. */
  push(item: InboxItem): void {
    if (item.type === 'receive') {
      if (this.#messageCount >= MAX_INBOX_MESSAGES) return
      this.#messageCount += 1
    } else if (item.type === 'proposals' || item.type === 'reads' || item.type === 'tick') {
      if (this.#pending.has(item.type)) return
      this.#pending.add(item.type)
    }
    this.#inbox.push(item)
    this.wake()
  }

  /** Asks for a turn, even if nothing happened. */
  wake(): void {
    if (this.#hasTurn || !this.#isRunning) return
    this.#hasTurn = true
    this.#scheduleTurn(() => this.#turn())
  }

  #turn(): void {
    this.#hasTurn = false
    if (!this.#isRunning || this.#isInTurn) return
    this.#isInTurn = true
    try {
      this.#isDraining = true
      this.#drain()
      this.#isDraining = false
      if (this.#isRunning) this.#context.afterTurn()
    } catch (error) {
      this.#context.onFailure(error)
    } finally {
      this.#isDraining = false
      this.#isInTurn = false
    }
  }

  #drain(): void {
    const items = this.#inbox
    this.#inbox = []
    this.#messageCount = 0
    this.#pending.clear()
    if (items.length === 0) return
    this.#readClocks()
    for (const item of items) {
      if (!this.#isRunning) return
      this.#take(item)
    }
    this.#flush()
    if (this.#isRunning) this.#timer.arm(this.#deadline)
  }

  /** In this order, and never back: a clock that went back would break the core's first rule. */
  #readClocks(): void {
    const { core, clock } = this.#context
    const now = Math.max(clock.now(), core.state.now)
    this.#times = { now, wallTime: clock.wallTime() }
  }

  #take(item: InboxItem): void {
    const { now, wallTime } = this.#times
    const { proposals, reads } = this.#context
    switch (item.type) {
      case 'receive':
        this.#receive(item.from, item.message)
        return
      case 'proposals':
        for (let batch = proposals.next(); batch !== null; batch = proposals.next()) {
          this.#step({ type: 'propose', now, wallTime, ...batch })
        }
        return
      case 'reads':
        // With the clocks of this moment: reads of this very turn may be among them, and the lease is looked at for them.
        this.#readClocks()
        for (const asked of reads.next()) this.#step({ type: 'read', ...this.#times, ...asked })
        return
      case 'changeMembership':
      case 'found':
        this.#step({ ...item, now, wallTime })
        return
      default:
        this.#step({ ...item, now })
    }
  }

  #receive(from: NodeId, message: Message): void {
    const { budget, core } = this.#context
    const budgetBytes =
      message.type === 'proposeRequest'
        ? budget.proposableBytes(core.state.role === 'leader', this.#unaccountedBytes)
        : budget.receivableBytes(this.#unaccountedBytes)
    this.#step({ type: 'receive', ...this.#times, from, message, budgetBytes })
    if (message.type === 'appendEntries')
      for (const entry of message.entries) this.#unaccountedBytes += entry.data.length
    if (message.type === 'proposeRequest')
      for (const command of message.commands) this.#unaccountedBytes += command.length
  }

  #step(event: CoreEvent): void {
    const { core, observe } = this.#context
    // Before the step, while the state is the one that the Output speaks of: nobody who carries it out may see another
    // term, role or log than it was made in (H128).
    if (core.standsAlone(event) && !this.#output.isEmpty) this.#flush()
    if (!this.#isRunning) return
    const output = this.#stepCore(event)
    this.#deadline = output.deadline
    observe?.(core.state, event, output)
    if (output.endsBatch) this.#flush()
  }

  #stepCore(event: CoreEvent): Output {
    const { core, observeFailure } = this.#context
    try {
      return core.step(event, this.#output)
    } catch (error) {
      observeFailure?.(event, this.#output)
      throw error
    }
  }

  #flush(): void {
    const output = this.#output
    this.#output = new Output()
    const { core, observeHandOut } = this.#context
    observeHandOut?.(core.state)
    this.#handOut(output)
  }

  #handOut(output: Output): void {
    this.#unaccountedBytes = 0
    if (!output.isEmpty && this.#isRunning) this.#context.handOut(output)
  }
}
