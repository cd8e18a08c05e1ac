// Holds every command of a session against what the state machines did with it (§8, F18): at most once in the whole log,
// exactly once and with its own result where a client was told so, and never where a client was told that it was not.
import type { LogIndex } from '../core/types.js'
import type { Check } from './checks.js'
import { SESSION_COMMANDS } from './session-clients.js'
import type { Invariants } from './invariants.js'

/** What a client was told of one of its commands. */
export interface SessionAnswerHeard {
  readonly number: number
  readonly index: LogIndex
  readonly result: unknown
}

export class SessionJudge {
  readonly #invariants: Invariants
  /** Where each command was applied, by its number. */
  readonly #applied = new Map<number, LogIndex>()
  /** Where the clients were told that it was. */
  readonly #answered = new Map<number, LogIndex>()
  readonly #rejected = new Set<number>()

  constructor(invariants: Invariants) {
    this.#invariants = invariants
  }

  /** A state machine is given that command, perhaps one of a session; again at each replay of its entry. */
  applies(command: Uint8Array, index: LogIndex): void {
    const number = new DataView(command.buffer, command.byteOffset).getUint32(0)
    if (number < SESSION_COMMANDS) return
    const first = this.#applied.get(number) ?? index
    if (first !== index) {
      this.#fail('session-once', `command ${number} of a session was applied at ${first} and at ${index}`)
    }
    this.#applied.set(number, first)
  }

  answered({ number, index, result }: SessionAnswerHeard): void {
    const applied = this.#applied.get(number)
    if (applied !== index) {
      const where = applied === undefined ? 'nowhere' : `at ${applied}`
      this.#fail('session-answer', `command ${number} was answered with index ${index}, and was applied ${where}`)
    }
    const before = this.#answered.get(number) ?? index
    if (before !== index)
      this.#fail('session-answer', `command ${number} was answered with ${before} and with ${index}`)
    this.#answered.set(number, index)
    const due = this.#invariants.resultAt(index)
    if (due !== undefined && JSON.stringify(due.result) !== JSON.stringify(result)) {
      this.#fail(
        'session-answer',
        `the answer of command ${number} is not what the state machines returned at ${index}`,
      )
    }
  }

  /** Its client was told that it was not and will not be applied, and never asked again. */
  rejected(number: number): void {
    this.#rejected.add(number)
  }

  /** A session that never expires, and of which nothing was acknowledged that was asked for again, is over. */
  lost(client: string, reason: string): void {
    this.#fail('session-answer', `the session of ${client}, which does not expire, is over: ${reason}`)
  }

  /** A node says that so many voters hold the entry durably (F47). */
  counted({
    index,
    count,
    holders,
  }: {
    readonly index: LogIndex
    readonly count: number
    readonly holders: number
  }): void {
    if (count <= holders) return
    this.#fail('replica-count', `${count} voters were said to hold ${index}, and ${holders} disks do`)
  }

  /** At the end. */
  check(): void {
    for (const number of this.#rejected) {
      const index = this.#applied.get(number)
      if (index === undefined) continue
      this.#fail('session-answer', `command ${number} was called rejected, and was applied at ${index}`)
    }
  }

  #fail(check: Check, problem: string): void {
    this.#invariants.fail(check, `${problem} (F18)`)
  }
}
