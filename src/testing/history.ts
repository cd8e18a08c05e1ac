// Every call of every client: when it began, what was known then, how it ended (F14, F15). Judges single answers as they
// come, and at the end all of them against the committed log: an outcome that lies is a violation.
import type { LogIndex, NodeId, Term } from '../core/types.js'
import { isRaftError } from '../errors.js'
import type { Check } from './checks.js'
import type { CommittedLog } from './committed-log.js'
import type { Invariants } from './invariants.js'

export interface CallStart {
  readonly client: number
  readonly node: NodeId
  readonly incarnation: number
  /** What the caller asked for; for reports only. */
  readonly input: unknown
  /** The encoded commands of a proposal; empty for a read. */
  readonly commands: readonly Uint8Array[]
  readonly isRead: boolean
}

export interface CallRecord extends CallStart {
  /** From 1, in the order of the calls. */
  readonly number: number
  readonly invokedMs: number
  /** The highest index that any client knew to be committed when the call began: real-time order starts here. */
  readonly floor: LogIndex
  outcome: 'open' | 'ok' | 'rejected' | 'unknown'
  returnedMs: number
  /** Where the commands stand; of a read the index that its answer is the state of. */
  readonly indexes: LogIndex[]
  term: Term
  output: unknown
  errorCode: string | null
}

/** What a proposal resolved with. */
export interface Placed {
  readonly index: LogIndex
  readonly term: Term
  readonly result: unknown
}

/** Codes that no fault of a simulation explains. */
const DAMNING_CODES: readonly string[] = [
  'RAFT_INVARIANT',
  'RAFT_CORRUPTION',
  'RAFT_IDENTITY',
  'RAFT_VERSION',
  'RAFT_STATE_MACHINE',
]

/** All calls of one simulation, bounded by the workload. */
export class History {
  readonly #invariants: Invariants
  readonly #records: CallRecord[] = []
  #knownIndex: LogIndex = 0

  constructor(invariants: Invariants) {
    this.#invariants = invariants
  }

  get records(): readonly CallRecord[] {
    return this.#records
  }

  /** The highest index of any answer so far. */
  get knownIndex(): LogIndex {
    return this.#knownIndex
  }

  begin(start: CallStart, nowMs: number): CallRecord {
    const number = this.#records.length + 1
    const { client, node, incarnation, input, commands, isRead } = start
    const record: CallRecord = {
      client,
      node,
      incarnation,
      input,
      commands,
      isRead,
      number,
      invokedMs: nowMs,
      floor: this.#knownIndex,
      outcome: 'open',
      returnedMs: Number.POSITIVE_INFINITY,
      indexes: [],
      term: 0,
      output: undefined,
      errorCode: null,
    }
    this.#records.push(record)
    return record
  }

  /** A proposal was applied on its node. */
  proposed(record: CallRecord, placed: readonly Placed[], nowMs: number): void {
    if (!this.#settle(record, 'ok', nowMs)) return
    record.output = placed.map(({ result }) => result)
    record.term = placed[0]?.term ?? 0
    placed.forEach(({ index, term, result }, at) => {
      record.indexes.push(index)
      const first = placed[0]?.index ?? 0
      if (index !== first + at || term !== record.term)
        this.#fail('call-order', record, 'its commands are not in a row in one term (F17)')
      if (index <= record.floor)
        this.#fail('call-real-time', record, `it stands at ${index}, but ${record.floor} was known before it began`)
      const applied = this.#invariants.resultAt(index)
      if (applied === undefined) this.#fail('call-place', record, `it resolved, but ${index} was applied nowhere`)
      else if (!Object.is(applied.result, result) && JSON.stringify(applied.result) !== JSON.stringify(result)) {
        this.#fail('call-result', record, `its result at ${index} is not what the state machines returned there`)
      }
      this.#knownIndex = Math.max(this.#knownIndex, index)
    })
  }

  /** A read was answered with the state of `index`. */
  read(record: CallRecord, answer: { index: LogIndex; value: unknown; isLinearizable: boolean }, nowMs: number): void {
    if (!this.#settle(record, 'ok', nowMs)) return
    const { index, value, isLinearizable } = answer
    record.output = value
    record.indexes.push(index)
    if (!isLinearizable) return
    if (index < record.floor)
      this.#fail(
        'stale-read',
        record,
        `it is stale: it read ${index}, but ${record.floor} was known before it began (F19)`,
      )
    this.#knownIndex = Math.max(this.#knownIndex, index)
  }

  failed(record: CallRecord, error: unknown, nowMs: number): void {
    if (!isRaftError(error)) {
      this.#settle(record, 'unknown', nowMs)
      return this.#fail('call-error', record, `it rejected with something that is no RaftError: ${String(error)}`)
    }
    if (!this.#settle(record, error.outcome, nowMs)) return
    record.errorCode = error.code
    if (DAMNING_CODES.includes(error.code))
      this.#fail('call-error', record, `it rejected with ${error.code}: ${error.message}`)
    if (error.retryable && error.outcome === 'unknown')
      this.#fail('call-error', record, 'its outcome is unknown, yet it may be retried (F17)')
  }

  /** The process is gone: nobody will ever hear how these calls ended. */
  abandon(node: NodeId, incarnation: number, nowMs: number): void {
    for (const record of this.openOf(node, incarnation)) this.#settle(record, 'unknown', nowMs)
  }

  openOf(node: NodeId, incarnation: number): readonly CallRecord[] {
    return this.#records.filter((record) => {
      return record.outcome === 'open' && record.node === node && record.incarnation === incarnation
    })
  }

  /** At the end: every call against the committed log (F15, F17). */
  checkOutcomes(): void {
    for (const record of this.#records)
      if (record.outcome === 'open') this.#fail('call-settles', record, 'it never settled (F14)')
    this.#checkPlaces()
    this.#checkCounts()
    this.#checkCallOrder()
  }

  #checkPlaces(): void {
    const { committed } = this.#invariants
    const owners = new Map<LogIndex, number>()
    for (const record of this.#records) {
      if (record.isRead || record.outcome !== 'ok') continue
      record.indexes.forEach((index, at) => {
        const entry = committed.at(index)?.entry
        const isThere =
          entry?.term === record.term && keyOf(entry.data) === keyOf(record.commands[at] ?? new Uint8Array(0))
        if (!isThere)
          this.#fail(
            'call-place',
            record,
            `it resolved at ${index} of term ${record.term}, where the log holds something else (H35)`,
          )
        if (owners.has(index))
          this.#fail('call-place', record, `it resolved at ${index}, and so did call ${owners.get(index)}`)
        owners.set(index, record.number)
      })
    }
  }

  /** Each command is in the log as often as its calls said: rejected ones never, none twice, none out of nowhere (H36, H37). */
  #checkCounts(): void {
    const counts = countCommands(this.#invariants.committed)
    const bounds = new Map<string, { least: number; most: number }>()
    for (const { commands, outcome } of this.#records) {
      for (const command of commands) {
        const key = keyOf(command)
        const bound = bounds.get(key) ?? { least: 0, most: 0 }
        bound.least += outcome === 'ok' ? 1 : 0
        bound.most += outcome === 'rejected' ? 0 : 1
        bounds.set(key, bound)
      }
    }
    for (const [key, count] of counts) {
      const { least, most } = bounds.get(key) ?? { least: 0, most: 0 }
      if (count >= least && count <= most) continue
      const record = this.#records.find(({ commands }) => commands.some((command) => keyOf(command) === key))
      const problem = `a command is ${count} times in the committed log, where its calls allow ${least} to ${most}`
      if (record === undefined) this.#invariants.fail('call-count', `${problem}: nobody proposed it`)
      else this.#fail('call-count', record, `${problem} (it ended ${record.outcome})`)
    }
  }

  /** Calls on one node take effect in the order of the calls, as long as none fails between them (F17). */
  #checkCallOrder(): void {
    const last = new Map<string, LogIndex>()
    for (const record of this.#records) {
      if (record.isRead) continue
      const process = `${record.node}#${record.incarnation}`
      if (record.outcome !== 'ok') {
        last.delete(process)
        continue
      }
      const previous = last.get(process) ?? 0
      const first = record.indexes[0] ?? 0
      if (first <= previous)
        this.#fail('call-order', record, `it stands at ${first}, before an earlier call of its node at ${previous}`)
      last.set(process, record.indexes.at(-1) ?? previous)
    }
  }

  #settle(record: CallRecord, outcome: 'ok' | 'rejected' | 'unknown', nowMs: number): boolean {
    if (record.outcome !== 'open') return false
    record.outcome = outcome
    record.returnedMs = nowMs
    return true
  }

  #fail(check: Check, record: CallRecord, problem: string): void {
    const kind = record.isRead ? 'read' : record.commands.length === 1 ? 'propose' : 'proposeMany'
    this.#invariants.fail(
      check,
      `call ${record.number} (${kind} of client ${record.client} on ${record.node}): ${problem}`,
    )
  }
}

function countCommands(committed: CommittedLog): Map<string, number> {
  const counts = new Map<string, number>()
  for (const { entry } of committed.entries) {
    if (entry.type !== 'command') continue
    const key = keyOf(entry.data)
    counts.set(key, (counts.get(key) ?? 0) + 1)
  }
  return counts
}

function keyOf(data: Uint8Array): string {
  return String.fromCharCode(...data)
}
