// Calls a node as a client would, and enters each call and its end into the history. A call takes its turn at the gate
// of the process like everything else; a dead process answers nobody.
import type { NodeId } from '../core/types.js'
import type { StateMachine } from '../interfaces/state-machine.js'
import type { ReadConsistency } from '../node/calls.js'
import type { Check } from './checks.js'
import type { Coverage } from './coverage.js'
import type { CallRecord, History } from './history.js'
import type { Invariants } from './invariants.js'
import type { Incarnation } from './incarnation.js'
import type { SimulatedProcess } from './simulated-process.js'
import type { Timeline } from './timeline.js'
import type { Trace } from './trace/trace.js'

export type CallerAction<Command, SM> =
  | {
      readonly type: 'propose'
      readonly commands: readonly Command[]
      readonly asMany: boolean
      readonly input: unknown
    }
  | {
      readonly type: 'read'
      readonly query: (stateMachine: SM) => unknown
      readonly consistency: ReadConsistency
      readonly minIndex?: number | undefined
      readonly maxStalenessMs?: number | undefined
      readonly input: unknown
    }

/** A call without what carries it out. */
export interface MadeCall<Command> {
  readonly client: number
  readonly action: CallerAction<Command, never>
  readonly timeoutMs: number
}

export interface CallerOptions<Command> {
  readonly timeline: Timeline
  readonly trace: Trace
  readonly coverage: Coverage
  readonly history: History
  readonly invariants: Invariants
  readonly encode: (command: Command) => Uint8Array
  /** Gives the node a command that is written over as soon as `propose` has returned: it is the caller's again (H96). */
  readonly lend?: { copy(command: Command): Command; scribble(command: Command): void } | undefined
  /** Told of each call before it is made. */
  readonly onCall?: ((on: NodeId, call: MadeCall<Command>) => void) | undefined
  /** Slowest clock of the cluster: staleness is measured by clocks that may differ. */
  readonly slowestRate: number
  /** Compares what a read returned with what the state at that index must give; returns what is wrong, or null. */
  readonly checkValue?: ((index: number, value: unknown) => string | null) | undefined
}

export interface Call<Command, Result, SM extends StateMachine<Command, Result>> {
  readonly process: SimulatedProcess<Command, Result, SM>
  readonly client: number
  readonly action: CallerAction<Command, SM>
  readonly timeoutMs: number
}

/** How late a call may settle after its deadline, ms: nodes look at deadlines in steps. */
const DEADLINE_SLACK_MS = 50

/** The clients' side of a simulation. */
export class Caller<Command, Result, SM extends StateMachine<Command, Result>> {
  readonly #options: CallerOptions<Command>

  constructor(options: CallerOptions<Command>) {
    this.#options = options
  }

  /** Makes the call when the process takes it; `onEnd` is called when it has settled, never when the process dies. */
  call(call: Call<Command, Result, SM>, onEnd: (record: CallRecord) => void = () => {}): void {
    const incarnation = call.process.current
    if (incarnation === null) return
    this.#options.onCall?.(call.process.id, call)
    incarnation.gate.enter('call', () => this.#begin(call, incarnation, onEnd))
  }

  #begin(
    call: Call<Command, Result, SM>,
    incarnation: Incarnation<Command, Result, SM>,
    onEnd: (record: CallRecord) => void,
  ): void {
    const { timeline, history, encode } = this.#options
    const { action, client, process } = call
    const isRead = action.type === 'read'
    const commands = action.type === 'read' ? [] : action.commands.map(encode)
    const start = { client, node: process.id, incarnation: incarnation.number, input: action.input, commands, isRead }
    const record = history.begin(start, timeline.nowMs)
    this.#record(process.id, 'invoke', record)
    const pauses = incarnation.pauseCount
    const end = (settle: () => void): void => {
      if (record.outcome !== 'open') return
      settle()
      this.#record(process.id, 'return', record)
      this.#options.coverage.count(bucketOf(call, record))
      if (incarnation.pauseCount === pauses) this.#checkDeadline(record, call)
      onEnd(record)
    }
    if (action.type === 'propose') this.#propose(call, action, incarnation, record, end)
    else this.#read(call, action, incarnation, record, end)
  }

  #propose(
    { timeoutMs }: Call<Command, Result, SM>,
    { commands, asMany }: Extract<CallerAction<Command, SM>, { type: 'propose' }>,
    { node }: Incarnation<Command, Result, SM>,
    record: CallRecord,
    end: (settle: () => void) => void,
  ): void {
    const { history, timeline, lend } = this.#options
    const given = lend === undefined ? commands : commands.map((command) => lend.copy(command))
    const placed = asMany
      ? node.proposeMany(given, { timeoutMs })
      : node.propose(given[0] as Command, { timeoutMs }).then((one) => [one])
    if (lend !== undefined) for (const command of given) lend.scribble(command)
    placed.then(
      (results) => end(() => history.proposed(record, results, timeline.nowMs)),
      (error: unknown) => end(() => history.failed(record, error, timeline.nowMs)),
    )
  }

  #read(
    { timeoutMs }: Call<Command, Result, SM>,
    action: Extract<CallerAction<Command, SM>, { type: 'read' }>,
    { node, stateMachine }: Incarnation<Command, Result, SM>,
    record: CallRecord,
    end: (settle: () => void) => void,
  ): void {
    const { history, timeline } = this.#options
    const { query, consistency, minIndex, maxStalenessMs } = action
    let queriedMs = 0
    const run = (): unknown => {
      queriedMs = timeline.nowMs
      return query(stateMachine)
    }
    node.read(run, { consistency, minIndex, maxStalenessMs, timeoutMs }).then(
      ({ value, index }) => {
        end(() => {
          const isLinearizable = consistency !== 'local'
          history.read(record, { index, value, isLinearizable }, timeline.nowMs)
          this.#checkRead(record, action, { index, value, queriedMs })
        })
      },
      (error: unknown) => end(() => history.failed(record, error, timeline.nowMs)),
    )
  }

  #checkRead(
    record: CallRecord,
    { minIndex = 0, maxStalenessMs }: { minIndex?: number | undefined; maxStalenessMs?: number | undefined },
    { index, value, queriedMs }: { index: number; value: unknown; queriedMs: number },
  ): void {
    const { invariants, slowestRate, checkValue } = this.#options
    const fail = (check: Check, problem: string): void => {
      invariants.fail(check, `read ${record.number} on ${record.node}: ${problem}`)
    }
    if (index < minIndex) fail('read-minimum', `it read ${index}, but asked for ${minIndex} at least`)
    const problem = checkValue?.(index, value) ?? null
    if (problem !== null) fail('read-value', problem)
    if (maxStalenessMs === undefined) return
    const due = invariants.committed.lastIndexAt(queriedMs - maxStalenessMs / slowestRate - 1)
    if (index < due)
      fail('read-staleness', `it read ${index}, but ${due} was committed more than ${maxStalenessMs} ms before (F21)`)
  }

  #checkDeadline(record: CallRecord, { timeoutMs }: Call<Command, Result, SM>): void {
    const latestMs = record.invokedMs + timeoutMs / this.#options.slowestRate + DEADLINE_SLACK_MS
    if (record.returnedMs <= latestMs) return
    const lateMs = Math.round(record.returnedMs - latestMs)
    this.#options.invariants.fail(
      'call-deadline',
      `call ${record.number} on ${record.node} settled ${lateMs} ms after its deadline (F14)`,
    )
  }

  #record(node: NodeId, kind: string, { number, client, outcome, indexes, errorCode }: CallRecord): void {
    const { trace, timeline } = this.#options
    trace.record(timeline.nowMs, node, kind, { call: number, client, outcome, index: indexes[0] ?? 0, errorCode })
  }
}

function bucketOf<Command, Result, SM extends StateMachine<Command, Result>>(
  { action }: Call<Command, Result, SM>,
  { outcome, errorCode }: CallRecord,
): string {
  const kind = action.type === 'read' ? `read.${action.consistency}` : action.asMany ? 'proposeMany' : 'propose'
  return errorCode === null ? `call.${kind}.${outcome}` : `call.${kind}.${outcome}.${errorCode}`
}
