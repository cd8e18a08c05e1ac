// The sessions that this node's clients opened or took up here. Gives each a queue of its own; knows none afterwards: what a
// session is stands in the replicated table.
import type { Clock } from '../../interfaces/clock.js'
import type { Codec } from '../../interfaces/codec.js'
import type { ResolvedProposeOptions, ResolvedSessionOptions } from '../calls.js'
import type { SettingValues } from '../options.js'
import type { PendingCalls } from '../pending-call.js'
import type { Proposal, ProposalCall } from '../proposal-call.js'
import { ClientSession, type Session } from './session.js'
import { encodeSessionEntry } from './session-entry.js'
import { SessionQueue } from './session-queue.js'
import type { SessionReply } from './session-table.js'

/** A proposal that is not answered after so many election timeouts is made again. */
const ATTEMPT_TIMEOUTS = 4

export interface SessionsContext {
  readonly calls: PendingCalls
  readonly clock: Clock
  readonly settings: Pick<SettingValues, 'electionTimeoutMs' | 'heartbeatIntervalMs'>
  readonly forwardProposals: boolean
  /** Of this run of the node, and of no other one anywhere. */
  readonly runId: string
  readonly resultCodec: Codec<unknown>
  submit(proposal: Proposal, options: ResolvedProposeOptions): ProposalCall
  /** @throws RaftError RAFT_OVERLOADED, RAFT_TOO_LARGE */
  reserve(sizeBytes: number, isHeld: boolean): void
  unreserve(sizeBytes: number): void
}

export class Sessions {
  readonly #context: SessionsContext
  #opened = 0

  constructor(context: SessionsContext) {
    this.#context = context
  }

  /** @throws RaftError */
  async open(
    { id: wanted, openedAt, ttlMs, ...call }: ResolvedSessionOptions,
    encode: (command: unknown) => Uint8Array,
  ): Promise<Session<unknown, unknown>> {
    this.#opened += 1
    const id = wanted ?? `${this.#context.runId}.${this.#opened}`
    const queue = this.#makeQueue()
    // Now, so that a wrong id is told of the call and not of the log.
    const entry = encodeSessionEntry({ type: 'open', id, openedAt, ttlMs })
    queue.checkRoom(entry.length)
    const opened = await queue.add(
      {
        what: `the opening of session '${id}'`,
        sequence: null,
        mayHaveRun: false,
        count: 1,
        sizeBytes: entry.length,
        entries: () => [entry],
        hasNews: () => false,
        resultOf: ([reply]) => reply,
        onEnd: () => undefined,
      },
      call,
    )
    const { calls, resultCodec } = this.#context
    return new ClientSession({
      ...{ id, queue, encode, resultCodec },
      opened: opened as Extract<SessionReply, { readonly type: 'opened' }>,
      rules: calls.rules,
    })
  }

  #makeQueue(): SessionQueue {
    const { calls, clock, settings, forwardProposals, submit, reserve, unreserve } = this.#context
    return new SessionQueue({
      ...{ calls, clock, forwardProposals, reserve, unreserve },
      retryMs: () => settings.heartbeatIntervalMs / 2,
      attemptMs: () => ATTEMPT_TIMEOUTS * settings.electionTimeoutMs,
      submit: (commands, options) => submit({ entryType: 'session', commands, isMany: true }, options),
    })
  }
}
