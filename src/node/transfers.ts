// Calls of transferLeadership (F4): each waits until another node leads, or is told why none does. The core decides when
// a transfer begins and ends; here its outcomes become promises. Holds no timer: a call's deadline is its own.
import type { Output, TransferOutcome, TransferRefusal } from '../core/output.js'
import type { CoreState } from '../core/state.js'
import type { NodeId } from '../core/types.js'
import { type NotLeaderError, RaftError } from '../errors.js'
import type { ResolvedCallOptions } from './calls.js'
import type { FixedOptions, SettingValues } from './options.js'
import { type EndReason, PendingCall, type PendingCalls } from './pending-call.js'

/** Calls that may wait at once; the core runs one transfer at a time, and refuses the others in their turn. */
export const MAX_PENDING_TRANSFERS = 1_024

export interface TransfersContext {
  readonly options: Pick<FixedOptions, 'id' | 'logger'> & {
    readonly settings: Pick<SettingValues, 'electionTimeoutMs'>
  }
  readonly calls: PendingCalls
  readonly state: CoreState
  /** Hands the wish to the core. */
  ask(id: number, to: NodeId | null): void
  /** With the leader as this node knows it. */
  notLeader(message: string): NotLeaderError
  /** Proposals that waited may go on. */
  onEnded(): void
}

class TransferCall extends PendingCall<void> {
  readonly to: NodeId | null
  /** Whom the core chose; null before it began. */
  target: NodeId | null = null
  /** This node stepped down, and who leads now is not known yet. */
  isOver = false
  readonly #release: () => void

  constructor(calls: PendingCalls, options: ResolvedCallOptions, about: { to: NodeId | null; release: () => void }) {
    super(calls, options)
    this.to = about.to
    this.#release = about.release
  }

  override endError(reason: EndReason, cause: unknown): RaftError {
    const outcome = this.target === null ? 'rejected' : 'unknown'
    const fate =
      this.target === null
        ? 'before the transfer of leadership began: nothing was done'
        : `while leadership was being handed to '${this.target}': it may still take over, see the event 'leader'`
    if (reason === 'aborted') return new RaftError('RAFT_ABORTED', `the call was aborted ${fate}`, { outcome, cause })
    if (reason === 'stopped') return new RaftError('RAFT_STOPPED', `the node stopped ${fate}`, { outcome, cause })
    return new RaftError('RAFT_TIMEOUT', `the deadline passed ${fate}`, { outcome, cause })
  }

  protected override onSettled(): void {
    this.#release()
  }
}

export class Transfers {
  readonly #context: TransfersContext
  readonly #open = new Map<number, TransferCall>()
  #lastId = 0

  constructor(context: TransfersContext) {
    this.#context = context
  }

  /** Resolves when another node leads: `to`, or any for null. @throws RaftError when it can't be begun */
  submit(to: NodeId | null, options: ResolvedCallOptions): Promise<void> {
    const { state, calls, ask } = this.#context
    if (state.role !== 'leader') throw this.#refusal('notLeader', to)
    if (this.#open.size >= MAX_PENDING_TRANSFERS) throw this.#refusal('transferring', to)
    this.#lastId += 1
    const id = this.#lastId
    const call = new TransferCall(calls, options, { to, release: () => this.#open.delete(id) })
    this.#open.set(id, call)
    ask(id, to)
    return call.promise
  }

  onOutput({ transfers }: Output): void {
    for (const outcome of transfers) this.#onOutcome(outcome)
  }

  /** At the end of a turn: a call that is over waits for the next leader. */
  look(): void {
    if (this.#open.size === 0) return
    const { options, state } = this.#context
    if (state.leaderId === null) return
    for (const call of [...this.#open.values()]) {
      if (!call.isOver) continue
      if (state.leaderId !== options.id && (call.to === null || call.to === state.leaderId)) call.resolve()
      else call.reject(new RaftError('RAFT_LEADERSHIP_LOST', wrongLeader(call.target, state.leaderId)))
    }
  }

  #onOutcome(outcome: TransferOutcome): void {
    const { options, onEnded } = this.#context
    const { id: node, logger } = options
    const call = this.#open.get(outcome.id)
    if (outcome.type === 'refused') {
      call?.reject(this.#refusal(outcome.reason, call.to))
      return
    }
    const { to } = outcome
    if (outcome.type === 'begun') {
      if (call !== undefined) call.target = to
      logger.info({ node, to }, 'Handing over leadership')
      return
    }
    onEnded()
    const { reason } = outcome
    if (reason === 'steppedDown') {
      if (call !== undefined) call.isOver = true
      return
    }
    logger.warn({ node, to, reason }, 'Leadership transfer given up')
    call?.reject(this.#givenUp(outcome))
  }

  #givenUp({ to, reason, wasTold }: Extract<TransferOutcome, { type: 'ended' }>): RaftError {
    if (reason === 'notVoter') {
      return new RaftError('RAFT_INVALID_OPTION', `'${to}' stopped being a voter meanwhile: name another one`)
    }
    const { electionTimeoutMs } = this.#context.options.settings
    const why =
      reason === 'unreachable'
        ? `'${to}' ended its connection`
        : wasTold
          ? `'${to}' was told to take over and did not win an election within ${electionTimeoutMs} ms`
          : `'${to}' did not catch up within ${electionTimeoutMs} ms`
    const after = wasTold ? 'it may still win' : 'this node leads on, and the call may be made again'
    return new RaftError('RAFT_TIMEOUT', `the transfer was given up: ${why}; ${after}`, {
      outcome: wasTold ? 'unknown' : 'rejected',
    })
  }

  #refusal(reason: TransferRefusal, to: NodeId | null): RaftError {
    const { options, state, notLeader } = this.#context
    const { id } = options
    const { electionTimeoutMs } = options.settings
    const voters = state.quorum.incoming.filter((voter) => voter !== id).join(', ')
    const advice = voters === '' ? 'there is no other voter, add one first' : `name one of ${voters}, or nobody`
    switch (reason) {
      case 'notLeader':
        return notLeader(`'${id}' does not lead: only the leader hands leadership over, ask it`)
      case 'transferring':
        return new RaftError(
          'RAFT_TRANSFERRING',
          `leadership is being handed to '${state.transfer?.to ?? 'another node'}' already: wait for that, it takes at most ${electionTimeoutMs} ms`,
        )
      case 'self':
        return new RaftError('RAFT_INVALID_OPTION', `'${id}' leads already: ${advice}`)
      case 'notVoter':
        return new RaftError('RAFT_INVALID_OPTION', `'${String(to)}' is not a voter: ${advice}`)
      case 'onlyVoter':
        return new RaftError('RAFT_INVALID_OPTION', `'${id}' is the only voter: nobody can take over`)
      case 'nobodyHeard':
        return new RaftError(
          'RAFT_TIMEOUT',
          `none of ${voters} was heard within ${electionTimeoutMs} ms: nobody can take over now, try again when one is back`,
        )
    }
  }
}

function wrongLeader(target: NodeId | null, leaderId: NodeId): string {
  return `leadership was handed to '${target ?? 'another node'}', and '${leaderId}' won the election: ask it, if it must be another one`
}
