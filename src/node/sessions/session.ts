// A session as its client has it: gives each command its number, and knows up to where answers need not be kept. The queue
// brings the commands into the log; whether one runs is decided where it is applied, by the table (§8, F18).
import type { LogIndex } from '../../core/types.js'
import { isRaftError, RaftError } from '../../errors.js'
import type { Codec } from '../../interfaces/codec.js'
import {
  type CallOptions,
  type Proposed,
  type ResolvedSessionProposeOptions,
  resolveCallOptions,
  resolveSessionProposeOptions,
  type SessionProposeOptions,
  DEFAULT_CALL_TIMEOUT_MS,
} from '../calls.js'
import type { NodeRules } from '../node-rules.js'
import { refuse, show } from '../option-checks.js'
import { throwIfAborted } from '../pending-call.js'
import { encodeSessionEntry, SESSION_COMMAND_OVERHEAD_BYTES } from './session-entry.js'
import type { SessionQueue } from './session-queue.js'
import type { SessionAnswer } from './session-record.js'
import { MAX_ANSWERS, type SessionReply } from './session-table.js'

/** Numbers above one that is in doubt of which this object knows that they are not. */
export const MAX_SETTLED_SEQUENCES = 65_536

/**
 * Exactly-once writes. A command is known by the session's id and its sequence: the same pair, from any node and after any
 * restart, is applied once and answered with the first result. `propose` tries again by itself within its deadline; after
 * that it rejects with `outcome: 'unknown'`, and the caller may call again with the `sequence` of the error. Sequences take
 * effect in rising order: a session is one queue. A number at or below what was acknowledged, an unknown or an expired id
 * is RAFT_SESSION_EXPIRED, never a second execution.
 */
export interface Session<Command, Result> {
  readonly id: string
  /**
   * Index of the entry that opened it. Of two lives of one id, before and after it expired, this is one: note it beside the
   * id where a number may have to be repeated later, and give both to `openSession`.
   */
  readonly openedAt: LogIndex
  /**
   * Resolves once the command is applied, with its first result, `index` and `term`.
   * @throws RaftError RAFT_SESSION_EXPIRED, RAFT_OVERLOADED, RAFT_TIMEOUT, RAFT_NO_LEADER, RAFT_ABORTED, RAFT_TOO_LARGE,
   *   RAFT_LEADERSHIP_LOST (of `ifTerm`), RAFT_STOPPED, RAFT_NOT_MEMBER, RAFT_INVALID_OPTION; with
   *   `sequence` where the outcome is unknown
   */
  propose(command: Command, options?: SessionProposeOptions): Promise<Proposed<Result>>
  /** One append for all, under consecutive sequences; results in order. @throws RaftError as `propose` */
  proposeMany(commands: readonly Command[], options?: SessionProposeOptions): Promise<readonly Proposed<Result>[]>
  /** Highest number that was used so far. */
  readonly lastSequence: number
  /**
   * Answers up to here need not be kept any more; told with the next command. Done implicitly for the calls of this object that
   * were answered, up to the first number that was not, or that another object used: explicit for sessions that clients carry
   * from node to node, and after taking one up again. At most 1,024 answers, or 1 MiB of them, are kept for a session.
   */
  acknowledge(upTo: number): void
  /** Forgets the session, behind every call made before. @throws RaftError as `propose` */
  close(options?: CallOptions): Promise<void>
}

export interface ClientSessionParts<Command, Result> {
  readonly id: string
  readonly opened: Extract<SessionReply, { readonly type: 'opened' }>
  readonly queue: SessionQueue
  readonly rules: NodeRules
  readonly encode: (command: Command) => Uint8Array
  readonly resultCodec: Codec<Result>
}

export class ClientSession<Command, Result> implements Session<Command, Result> {
  readonly id: string
  readonly openedAt: LogIndex
  readonly #parts: ClientSessionParts<Command, Result>
  /** Above `#acknowledged`: what this object was answered, or knows never to run. */
  readonly #settled = new Set<number>()
  #lastSequence: number
  #acknowledged: number
  #isClosed = false

  constructor(parts: ClientSessionParts<Command, Result>) {
    const { openedAt, lastSequence, acknowledged } = parts.opened
    this.id = parts.id
    this.#parts = parts
    this.openedAt = openedAt
    this.#lastSequence = lastSequence
    this.#acknowledged = acknowledged
  }

  get lastSequence(): number {
    return this.#lastSequence
  }

  async propose(command: Command, options: SessionProposeOptions = {}): Promise<Proposed<Result>> {
    const [proposed] = await this.#propose([command], options, 'propose')
    return proposed as Proposed<Result>
  }

  async proposeMany(
    commands: readonly Command[],
    options: SessionProposeOptions = {},
  ): Promise<readonly Proposed<Result>[]> {
    if (!Array.isArray(commands)) refuse(`proposeMany takes an array of commands, not ${show(commands)}`)
    return this.#propose(commands as readonly Command[], options, 'proposeMany')
  }

  acknowledge(upTo: number): void {
    if (!Number.isSafeInteger(upTo) || upTo < 0 || upTo > this.#lastSequence) {
      refuse(`acknowledge is given ${show(upTo)}: use a sequence from 0 to the last one, ${this.#lastSequence}`)
    }
    this.#acknowledged = Math.max(this.#acknowledged, upTo)
    for (const sequence of this.#settled) if (sequence <= upTo) this.#settled.delete(sequence)
    this.#raise()
  }

  async close(options: CallOptions = {}): Promise<void> {
    const call = resolveCallOptions(options, DEFAULT_CALL_TIMEOUT_MS)
    throwIfAborted(call)
    this.#parts.queue.checkRoom(SESSION_COMMAND_OVERHEAD_BYTES)
    this.#isClosed = true
    const entry = { type: 'close', id: this.id, openedAt: this.openedAt } as const
    await this.#parts.queue.add(
      {
        what: 'the end of the session',
        sequence: null,
        mayHaveRun: false,
        count: 1,
        sizeBytes: SESSION_COMMAND_OVERHEAD_BYTES,
        entries: () => [encodeSessionEntry(entry)],
        hasNews: () => false,
        resultOf: () => undefined,
        onEnd: (end) => {
          if (end === 'rejected') this.#isClosed = false
        },
      },
      call,
    )
  }

  async #propose(
    commands: readonly Command[],
    options: SessionProposeOptions,
    what: string,
  ): Promise<readonly Proposed<Result>[]> {
    const call = resolveSessionProposeOptions(options)
    const encoded = commands.map((command) => this.#parts.encode(command))
    if (encoded.length === 0) return []
    if (encoded.length > MAX_ANSWERS) {
      const text = `a session keeps ${MAX_ANSWERS} answers, and these are ${encoded.length} commands: split them`
      throw new RaftError('RAFT_TOO_LARGE', text)
    }
    const first = this.#admit(encoded, call)
    return (await this.#add(encoded, { call, first, what })) as readonly Proposed<Result>[]
  }

  /** The first number of the commands. @throws RaftError */
  #admit(encoded: readonly Uint8Array[], call: ResolvedSessionProposeOptions): number {
    try {
      throwIfAborted(call)
      if (this.#isClosed) throw new RaftError('RAFT_SESSION_EXPIRED', 'the session was closed: open another one')
      this.#parts.queue.checkRoom(sizeOf(encoded))
      return this.#number(encoded.length, call.sequence)
    } catch (error) {
      throw isRaftError(error) ? inDoubt(error, call.sequence) : error
    }
  }

  #add(
    encoded: readonly Uint8Array[],
    {
      call,
      first,
      what,
    }: { readonly call: ResolvedSessionProposeOptions; readonly first: number; readonly what: string },
  ): Promise<unknown> {
    const sequences = encoded.map((_, at) => first + at)
    const { rules, queue } = this.#parts
    let told = 0
    const encodeAt = (command: Uint8Array, at: number, attempt: number): Uint8Array => {
      const sequence = rules.sequenceOfAttempt(first + at, attempt)
      const openedAt = this.openedAt
      // Whoever repeats a number wants its answer.
      const acknowledged = Math.min(this.#acknowledged, sequence - 1)
      told = acknowledged
      return encodeSessionEntry({ type: 'command', id: this.id, openedAt, sequence, acknowledged, command })
    }
    return queue.add(
      {
        what: `${what} of session '${this.id}'`,
        sequence: first,
        mayHaveRun: call.sequence !== undefined,
        count: encoded.length,
        sizeBytes: sizeOf(encoded),
        ifTerm: call.ifTerm,
        entries: (attempt) => encoded.map((command, at) => encodeAt(command, at, attempt)),
        hasNews: () => Math.min(this.#acknowledged, first - 1) > told,
        resultOf: (replies) => replies.map((reply) => this.#proposedOf(reply)),
        onEnd: (end) => {
          if (end === 'unknown') return
          for (const sequence of sequences) this.#settled.add(sequence)
          this.#raise()
        },
      },
      call,
    )
  }

  /** The first of so many numbers. @throws RaftError RAFT_OVERLOADED */
  #number(count: number, wanted: number | undefined): number {
    const isRepeated = wanted !== undefined && wanted <= this.#lastSequence
    if (this.#settled.size + count > MAX_SETTLED_SEQUENCES && !isRepeated) {
      const text = `the fate of sequence ${this.#acknowledged + 1} of this session is not known here`
      throw new RaftError('RAFT_OVERLOADED', `${text}: repeat it, or acknowledge it, before you propose more`)
    }
    const first = wanted ?? this.#lastSequence + 1
    if (!Number.isSafeInteger(first + count - 1)) refuse(`${count} sequences from ${first} on go beyond 2^53 - 1`)
    this.#lastSequence = Math.max(this.#lastSequence, first + count - 1)
    return first
  }

  /** The client needs nothing more of what is settled without a gap. */
  #raise(): void {
    while (this.#settled.delete(this.#acknowledged + 1)) this.#acknowledged += 1
  }

  #proposedOf(reply: SessionReply): Proposed<Result> {
    if (reply.type !== 'answered')
      throw new RaftError('RAFT_INVARIANT', `a command of a session became '${reply.type}'`)
    const { answer } = reply
    const { index, term } = answer
    return { index, term, result: this.#resultOf(answer) }
  }

  #resultOf({ type, data, sequence, index }: SessionAnswer): Result {
    if (type === 'value') return this.#parts.resultCodec.decode(data)
    if (type === 'none') return undefined as Result
    const reason = new TextDecoder().decode(data)
    throw new RaftError(
      'RAFT_INVALID_OPTION',
      `the command was applied at index ${index}, and its result can't be kept by the resultCodec: ${reason}`,
      { outcome: 'unknown', sequence },
    )
  }
}

/** What they take in the log, about. */
function sizeOf(commands: readonly Uint8Array[]): number {
  return commands.reduce((sum, { length }) => sum + length + SESSION_COMMAND_OVERHEAD_BYTES, 0)
}

/** A number that the caller repeats may have run before: what ends the repetition before it is sent says nothing of that. */
function inDoubt(error: RaftError, sequence: number | undefined): RaftError {
  if (sequence === undefined || isRaftError(error, 'RAFT_INVALID_OPTION')) return error
  return new RaftError(error.code, error.message, { outcome: 'unknown', cause: error.cause, sequence })
}
