/// <reference lib="esnext.disposable" preserve="true" />
// The public face of a node: checks what it is given, encodes commands, and passes every call on to what runs behind it.
// Holds no state of the protocol; every promise that it gives out settles, on stop and on failure too.
// The reference above stays in the declarations: users whose `lib` doesn't know AsyncDisposable could not compile them.
import { isNodeId } from '../core/configuration.js'
import type { MembershipChange } from '../core/membership-change.js'
import type { Configuration, LogIndex, Member, MemberSpec, NodeId } from '../core/types.js'
import {
  type CallOptions,
  DEFAULT_CALL_TIMEOUT_MS,
  type MembershipOptions,
  type Proposed,
  type ProposeOptions,
  type ReadOptions,
  type ReadResult,
  resolveCallOptions,
  type ResolvedMembershipOptions,
  resolveMembershipOptions,
  resolveProposeOptions,
  resolveReadOptions,
  resolveSessionOptions,
  resolveStopOptions,
  type SessionOptions,
  type StopOptions,
} from './calls.js'
import type { Codec } from '../interfaces/codec.js'
import type { SnapshotMeta } from '../interfaces/state-machine.js'
import { textOf } from './failures.js'
import { GuardedEmitter } from './guarded-emitter.js'
import { attachInstruments } from './instrumentation.js'
import { internalsOf, nodeRulesOf } from './internals.js'
import { LazyIterator } from './lazy-iterator.js'
import { encoderOf } from './encoder.js'
import { LeadershipTasks, type LeadershipTask } from './leadership-tasks.js'
import { Lifecycle } from './lifecycle.js'
import {
  checkDialable,
  type MemberUpdate,
  namedMember,
  resolveMember,
  resolveMembers,
  resolveUpdate,
} from './member-spec.js'
import type { RaftNodeEvents } from './node-events.js'
import { refuse, show } from './option-checks.js'
import { type RaftNodeOptions, type ResolvedOptions, resolveOptions } from './options.js'
import { throwIfAborted } from './pending-call.js'
import type { SettingChanges } from './settings.js'
import type { Session } from './sessions/session.js'
import type { RaftStatus } from './status.js'

/**
 * A member of a cluster. It takes a state machine, a log store, a snapshot store and a transport, and keeps the state
 * machine the same on every member: commands are applied in one order everywhere, and none that was acknowledged is lost
 * while a majority of the disks survives.
 *
 * A node lives once: `start`, then `stop`. To start again, make a new one over the same stores.
 */
export class RaftNode<Command = Uint8Array, Result = unknown>
  extends GuardedEmitter<RaftNodeEvents>
  implements AsyncDisposable
{
  readonly #options: ResolvedOptions<Command, Result>
  readonly #lifecycle: Lifecycle
  readonly #tasks: LeadershipTasks
  readonly #encode: (command: unknown) => Uint8Array

  /** Checks the options and touches nothing. @throws RaftError RAFT_INVALID_OPTION */
  constructor(options: RaftNodeOptions<Command, Result>) {
    super()
    this.#options = resolveOptions(options)
    const internals = internalsOf(options)
    this.#encode = encoderOf(this.#options.codec as Codec<unknown>, nodeRulesOf(internals))
    this.#tasks = new LeadershipTasks(this.#options.id, this.#options.logger)
    this.#lifecycle = new Lifecycle(this.#options as ResolvedOptions, internals, {
      emit: (event, ...args) => void this.emit(event, ...(args as never)),
      onLeading: (term) => this.#tasks.look(term),
    })
    attachInstruments(this, this.#options as ResolvedOptions, this.#lifecycle)
  }

  /**
   * Opens the stores, raises the durable boot counter, listens. Resolves before any election. When it rejects, all that
   * it opened is closed again.
   * @throws RaftError RAFT_IDENTITY, RAFT_VERSION, RAFT_CORRUPTION, RAFT_LOCKED, RAFT_STORAGE, RAFT_STOPPED
   */
  start(): Promise<void> {
    return this.#lifecycle.start()
  }

  /**
   * Takes no more calls. A leader hands over first, for at most `transferMs`, and lets what stands in its log be applied.
   * Then the calls that still wait end (RAFT_STOPPED, with their outcome), the running write is finished, the transport
   * is stopped and the stores are closed. Does not wait for an `apply` that is under way: its promise is left alone.
   *
   * A disk that hangs is waited for no longer than 2 × electionTimeoutMs: then the transport is stopped and the promise
   * resolves while the stores are still open, and locked. They are closed when the write ends.
   *
   * Idempotent, at any moment: the first call's options count. Rejects for a wrong option only, and then nothing was done.
   * @throws RaftError RAFT_INVALID_OPTION
   */
  async stop(options: StopOptions = {}): Promise<void> {
    const { transferMs } = resolveStopOptions(options, this.#lifecycle.electionTimeoutMs)
    await this.#lifecycle.stop(transferMs)
  }

  /** The same as `stop`. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.stop()
  }

  get id(): NodeId {
    return this.#options.id
  }

  /** Whether this node believes that it leads. Another leader of a later term may be at work already: no authority. */
  get isLeader(): boolean {
    return this.#lifecycle.driver?.isLeader ?? false
  }

  /** The leader that this node follows, or is; null where none is known. */
  get leader(): Member | null {
    return this.#lifecycle.driver?.leader ?? null
  }

  /** The node at this moment. Works before the start and after the end too. */
  status(): RaftStatus {
    return this.#lifecycle.status()
  }

  /**
   * Resolves once this node is a member, knows a leader, and has applied all that was committed when that leader was
   * first heard: a linearizable read would now be served without catching up.
   * @throws RaftError RAFT_TIMEOUT, RAFT_ABORTED, RAFT_STOPPED
   */
  async ready(options: CallOptions = {}): Promise<void> {
    await this.#watch(options, {
      look: () => (this.status().ready ? true : undefined),
      describe: () => `this node to be ready: ${this.status().explanation ?? 'it is ready'}`,
    })
  }

  /**
   * Resolves with the first status for which `condition` holds. It is looked at now and after each change, so a state
   * that comes and goes within one turn may be missed. What it throws rejects the call.
   * @throws RaftError RAFT_TIMEOUT, RAFT_ABORTED, RAFT_STOPPED, RAFT_INVALID_OPTION
   */
  async waitFor(condition: (status: RaftStatus) => boolean, options: CallOptions = {}): Promise<RaftStatus> {
    if (typeof condition !== 'function')
      refuse(`waitFor looks at a status with a function, not with ${show(condition)}`)
    return this.#watch(options, {
      look: () => {
        const status = this.status()
        return condition(status) ? status : undefined
      },
      describe: () => 'a condition of waitFor to hold',
    })
  }

  /**
   * Runs `task` whenever this node leads, once the first entry of its term is applied here, so that the state is that of
   * everything committed before; the signal aborts when it leads no more, or stops. Another leader may already be at work by
   * then: propose with `ifTerm`. One leadership of a task ends before the next begins. A rejection is logged, and ends it for
   * that term. May be called before the start; returns what ends it.
   * @throws RaftError RAFT_INVALID_OPTION, RAFT_OVERLOADED (more than 1,024)
   */
  onLeadership(task: LeadershipTask): () => void {
    if (typeof task !== 'function') refuse(`onLeadership runs a function, not ${show(task)}`)
    return this.#tasks.add(task)
  }

  /**
   * Resolves once the command is committed and applied on this node, with what the state machine returned. On any node
   * when `forwardProposals`. Calls on one node are appended in the order of the calls as long as none of them fails. The
   * command is encoded before this returns: changing it afterwards changes nothing.
   * @throws RaftError RAFT_NOT_LEADER, RAFT_NO_LEADER, RAFT_LEADERSHIP_LOST, RAFT_TIMEOUT, RAFT_ABORTED, RAFT_OVERLOADED,
   *   RAFT_TOO_LARGE, RAFT_STOPPED, RAFT_NOT_MEMBER, RAFT_INVALID_OPTION; `outcome` tells whether the command may be applied
   */
  propose(command: Command, options: ProposeOptions = {}): Promise<Proposed<Result>> {
    // Not async: a promise more for each proposal is worth 2 to 15 % of the throughput.
    try {
      const driver = this.#lifecycle.inside()
      const call = resolveProposeOptions(options)
      throwIfAborted(call)
      const commands = [this.#encode(command)]
      return driver.propose({ entryType: 'command', commands, isMany: false }, call) as Promise<Proposed<Result>>
    } catch (error) {
      return Promise.reject(error)
    }
  }

  /**
   * One append and one durable write for all, on consecutive indexes of one term; results in order. When it rejects with
   * the outcome `unknown`, a prefix may be applied.
   * @throws RaftError as `propose`
   */
  async proposeMany(commands: readonly Command[], options: ProposeOptions = {}): Promise<readonly Proposed<Result>[]> {
    const driver = this.#lifecycle.inside()
    const call = resolveProposeOptions(options)
    throwIfAborted(call)
    if (!Array.isArray(commands)) refuse(`proposeMany takes an array of commands, not ${show(commands)}`)
    const encoded = commands.map((command) => this.#encode(command))
    if (encoded.length === 0) return []
    return driver.propose({ entryType: 'command', commands: encoded, isMany: true }, call) as Promise<
      readonly Proposed<Result>[]
    >
  }

  /**
   * Opens a session for exactly-once writes, or takes the one of that `id` up again, which any client or node may have opened:
   * its `lastSequence` is then the highest that ran. Expiry is by log time and stands in the entry that opens it. A command of
   * a session costs some 30 bytes and its id more than one of `propose`, and its result is kept until it is acknowledged.
   * @throws RaftError as `propose`, and RAFT_OVERLOADED when the sessions of the cluster take up their whole room
   */
  async openSession(options: SessionOptions = {}): Promise<Session<Command, Result>> {
    const driver = this.#lifecycle.inside()
    const call = resolveSessionOptions(options)
    throwIfAborted(call)
    return driver.openSession(call, this.#encode) as Promise<Session<Command, Result>>
  }

  /**
   * Resolves when less than half of `limits.uncommittedBytes` is in use: for producers, before the next `propose`.
   * @throws RaftError RAFT_TIMEOUT, RAFT_ABORTED, RAFT_STOPPED
   */
  async writable(options: CallOptions = {}): Promise<void> {
    await this.#watch(options, {
      look: () => (this.#lifecycle.running().isWritable ? true : undefined),
      describe: () =>
        `${this.status().uncommittedBytes} bytes under way to become less than half of limits.uncommittedBytes`,
    })
  }

  /**
   * Runs `query` in the turn in which this node's state is proven fresh enough, between two applies. A promise that it
   * returns is awaited, and the next apply waits for it, within the deadline. With `lease` it may run twice: once more, by a
   * round, when the lease was over before the query was.
   * @throws RaftError RAFT_NO_LEADER, RAFT_TIMEOUT, RAFT_STALE, RAFT_ABORTED, RAFT_OVERLOADED, RAFT_STOPPED,
   *   RAFT_NOT_MEMBER; what `query` throws
   */
  async read<T>(query: () => T, options: ReadOptions = {}): Promise<ReadResult<Awaited<T>>> {
    const driver = this.#lifecycle.running()
    if (typeof query !== 'function') refuse(`the query is a ${typeof query}: give a function`)
    const call = resolveReadOptions(options)
    throwIfAborted(call)
    if (call.consistency !== 'local') this.#lifecycle.inside()
    return driver.read(query, call) as Promise<ReadResult<Awaited<T>>>
  }

  /**
   * How many voters hold `index`, of an acknowledged entry, durably: resolves when they are `count`, or with fewer when the time
   * is up. On any node. @throws RaftError RAFT_OVERLOADED, RAFT_ABORTED, RAFT_STOPPED, RAFT_NOT_MEMBER, RAFT_INVALID_OPTION
   */
  async replicas(index: LogIndex, count: number, options: CallOptions = {}): Promise<number> {
    const driver = this.#lifecycle.inside()
    for (const [name, value] of Object.entries({ index, count })) {
      if (!Number.isSafeInteger(value) || value < 0) refuse(`${name} is ${show(value)}: use a whole number from 0`)
    }
    const call = resolveCallOptions(options, DEFAULT_CALL_TIMEOUT_MS)
    throwIfAborted(call)
    return driver.replicas(index, count, call)
  }

  /**
   * Hands leadership over to `to`, or to the voter that is most up to date of those heard lately. Resolves when that node
   * leads. It is brought up to date and told to campaign at once; meanwhile proposals wait, on every node, within their
   * own deadlines. After an election timeout it is given up, and this node leads on. On the leader only.
   * @throws RaftError RAFT_NOT_LEADER, RAFT_TRANSFERRING (another one is under way), RAFT_TIMEOUT (given up; with the
   *   outcome `unknown` `to` may still win), RAFT_LEADERSHIP_LOST (a third one won), RAFT_INVALID_OPTION (`to` is no other
   *   voter), RAFT_ABORTED, RAFT_STOPPED
   */
  async transferLeadership(to?: NodeId, options: CallOptions = {}): Promise<void> {
    const driver = this.#lifecycle.running()
    if (to !== undefined && !isNodeId(to)) refuse(`'${String(to)}' is not a node id: name a voter, or nobody`)
    const call = resolveCallOptions(options, DEFAULT_CALL_TIMEOUT_MS)
    throwIfAborted(call)
    return driver.transfer(to ?? null, call)
  }

  /**
   * Brings a member in: as a learner first, which catches up, and then as a voter, unless `suffrage` is `learner`. A member
   * that never answers or is too slow stays a learner; so does one whose call is given up while it catches up. To remove
   * it before it has caught up calls this off (RAFT_ABORTED).
   *
   * This and the next four: on any node, one change at a time in the cluster; they resolve when the configuration is
   * committed, with it, and ask for a state, not a step: what is already so resolves at once. No deadline unless one is given.
   * @throws RaftError RAFT_CONFIGURATION_PENDING (another change is under way), RAFT_INVALID_CONFIGURATION (no voter left, an
   *   id twice, a wrong address, too few voters reachable afterwards), RAFT_TRANSFERRING, RAFT_TIMEOUT (of the call, or of a
   *   member that does not catch up), RAFT_INVALID_OPTION, RAFT_ABORTED, RAFT_STOPPED
   */
  async addMember(member: MemberSpec, options: MembershipOptions = {}): Promise<Configuration> {
    return this.#change('add', [resolveMember(member, 'addMember')], resolveMembershipOptions(options))
  }

  /** Another address or other metadata for the same node and store. @throws RaftError as `addMember` */
  async updateMember(id: NodeId, changes: MemberUpdate, options: CallOptions = {}): Promise<Configuration> {
    return this.#change('update', [resolveUpdate(id, changes)], resolveMembershipOptions(options))
  }

  /** A learner votes as soon as it has caught up. @throws RaftError as `addMember` */
  async promote(id: NodeId, options: CallOptions = {}): Promise<Configuration> {
    return this.#change('promote', [namedMember(id, 'promote')], resolveMembershipOptions(options))
  }

  /** A voter becomes a learner; a leader hands over then. @throws RaftError as `addMember` */
  async demote(id: NodeId, options: MembershipOptions = {}): Promise<Configuration> {
    return this.#change('demote', [namedMember(id, 'demote')], resolveMembershipOptions(options))
  }

  /**
   * Takes a member out; a leader leads until that is committed, and hands over. Stop the node afterwards: it serves nothing
   * any more (RAFT_NOT_MEMBER). @throws RaftError as `addMember`
   */
  async removeMember(id: NodeId, options: MembershipOptions = {}): Promise<Configuration> {
    return this.#change('remove', [namedMember(id, 'removeMember')], resolveMembershipOptions(options))
  }

  /**
   * These members and nobody else, at once, by joint consensus (§6): replaces a dead node in one step. New voters catch up
   * as learners first. @throws RaftError as `addMember`
   */
  async changeMembership(members: readonly MemberSpec[], options: MembershipOptions = {}): Promise<Configuration> {
    return this.#change('set', resolveMembers(members, 'changeMembership'), resolveMembershipOptions(options))
  }

  /**
   * Takes a snapshot of this node's state, whatever the policy says, and resolves when it is durable. It holds at least
   * what is applied now: one that does already is the answer; where nothing is applied yet, or no member known yet, this waits. Runs beside
   * `apply`; one at a time.
   * @throws RaftError RAFT_STATE_MACHINE, RAFT_STORAGE (the node goes on), RAFT_TIMEOUT, RAFT_ABORTED, RAFT_OVERLOADED,
   *   RAFT_STOPPED
   */
  async takeSnapshot(options: CallOptions = {}): Promise<SnapshotMeta> {
    const driver = this.#lifecycle.running()
    const call = resolveCallOptions(options, Number.POSITIVE_INFINITY)
    throwIfAborted(call)
    return driver.takeSnapshot(call)
  }

  /**
   * A backup for `restoreBackup`: this node's state at an index that holds everything acknowledged before the first chunk was
   * asked for, as a stream that describes and checks itself. On any node. Each loop over it makes one of its own, which
   * begins with the first chunk that is asked for; `timeoutMs` and `signal` cover all of it. Between two chunks it waits for
   * you, holding one chunk and one snapshot of the store, while the node goes on. What ends it rejects the next chunk.
   * @throws RaftError RAFT_NO_LEADER, RAFT_TIMEOUT, RAFT_ABORTED, RAFT_OVERLOADED, RAFT_STOPPED, RAFT_INVALID_OPTION; RAFT_STATE_MACHINE,
   *   RAFT_STORAGE, RAFT_CORRUPTION (no snapshot could be taken or read: the node goes on)
   */
  backup(options: CallOptions = {}): AsyncIterable<Uint8Array> {
    const begin = (): AsyncIterator<Uint8Array, undefined> => {
      const driver = this.#lifecycle.running()
      const call = resolveCallOptions(options, Number.POSITIVE_INFINITY)
      throwIfAborted(call)
      return driver.backup(call)
    }
    return { [Symbol.asyncIterator]: () => new LazyIterator(begin) }
  }

  /**
   * Changes timings, snapshot policy or limits of this node, key by key: what is left out, or undefined, stays as it is. All of
   * it or nothing, checked as a whole, also against the connected peers; in force when this returns. Before the start too;
   * written down nowhere: a new node begins with its options. Nodes are changed one by one, in the order that
   * docs/how-to/change-a-running-node.md tells. Not a membership change.
   * @throws RaftError RAFT_INVALID_OPTION, RAFT_STOPPED
   */
  reconfigure(changes: SettingChanges): void {
    this.#lifecycle.reconfigure(changes)
  }

  protected override onListenerError(error: unknown): void {
    this.#options.logger.error({ node: this.id, reason: textOf(error) }, 'A listener failed')
  }

  async #change(
    type: MembershipChange['type'],
    members: readonly Member[],
    call: ResolvedMembershipOptions,
  ): Promise<Configuration> {
    const driver = this.#lifecycle.inside()
    throwIfAborted(call)
    checkDialable(members, this.#options.transport)
    return driver.changeMembership({ type, members }, call)
  }

  async #watch<T>(options: CallOptions, watched: { look: () => T | undefined; describe: () => string }): Promise<T> {
    const driver = this.#lifecycle.running()
    const call = resolveCallOptions(options, Number.POSITIVE_INFINITY)
    throwIfAborted(call)
    return driver.watch(call, watched)
  }
}

/** For code that works with any node (metrics, admin routes). */
// eslint-disable-next-line @typescript-eslint/no-explicit-any -- it stands for whatever commands and results a node has
export type AnyRaftNode = RaftNode<any, any>
