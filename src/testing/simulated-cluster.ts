/// <reference lib="esnext.disposable" preserve="true" />
// A simulated cluster that a test holds in its hands: real nodes, and virtual time that stands still until the test lets
// it run. Everything that happens comes from the seed and from the calls of the test, in their order.
// The reference above stays in the declarations: users whose `lib` doesn't know AsyncDisposable could not compile them.
import { msgpackCodec } from '../codec/msgpack.js'
import type { NodeId } from '../core/types.js'
import { RaftError } from '../errors.js'
import type { Codec } from '../interfaces/codec.js'
import type { StateMachine } from '../interfaces/state-machine.js'
import type { RaftNode } from '../node/raft-node.js'
import { Cluster } from './cluster.js'
import { stopAll } from './conclusion.js'
import type { ClusterShape, FaultKind } from './fault-plan.js'
import { healAll } from './liveness.js'
import { SimulationRandom } from './prng.js'
import { isMember } from './quorum-view.js'
import { checkFaultKind } from './fault-checks.js'
import { refuse, show } from './option-checks.js'
import { SimulationFailure } from './report.js'
import { checkClusterOptions, guardStateMachine } from './simulation-options.js'
import { resolveSeed } from './seed.js'
import type { Incarnation } from './incarnation.js'
import { TraceBuffer } from './trace/trace-buffer.js'

/** Longest that `settle` lets the simulation run for one promise, ms of the simulation. */
export const SETTLE_BOUND_MS = 60_000

/** Longest that `settleAll` waits for the nodes to apply what is committed, ms of the simulation. */
const QUIESCENCE_BOUND_MS = 20_000

/** Most events within one call; a cluster that needs more has lost its bound. */
const MAX_EVENTS_PER_CALL = 10_000_000

export interface SimulatedClusterOptions<Command, Result, SM extends StateMachine<Command, Result>> {
  /** Makes one for each node and each restart. An intersection, so that all three types are taken from it. */
  stateMachine: () => SM & StateMachine<Command, Result>
  /** @defaultValue three voters with the default options of a node */
  cluster?: ClusterShape | undefined
  /** Of the commands. @defaultValue msgpackCodec */
  codec?: Codec<Command> | undefined
  /** Decides everything else, 0 to 2^64 - 1. */
  seed: number | bigint
}

/** A node that runs and gets everything: neither down, nor paused, nor failed. */
export interface LiveNode<Command, Result, SM> {
  readonly id: NodeId
  readonly node: RaftNode<Command, Result>
  readonly stateMachine: SM
  /** Whether it has applied all that is committed anywhere; true of one that is no member. */
  readonly isCaughtUp: boolean
}

/**
 * Nodes `n1`, `n2`, … on virtual time, network, disks and clocks, started with the first `advance`.
 *
 * @example
 * await using cluster = new SimulatedCluster({ stateMachine: () => new Counter(), seed: 1 })
 * await cluster.advance(3_000)
 * const { result } = await cluster.settle(cluster.leader.propose({ add: 1 }))
 */
export class SimulatedCluster<Command, Result, SM extends StateMachine<Command, Result> = StateMachine<Command, Result>>
  implements AsyncDisposable
{
  readonly #cluster: Cluster<Command, Result, StateMachine<Command, Result>>
  readonly #seed: bigint
  readonly #trace: TraceBuffer
  readonly #endings: (() => Promise<void>)[] = []
  /** The last call: those that run time take turns. */
  #queue: Promise<unknown> = Promise.resolve()
  /** Set once it was reported. */
  #failure: SimulationFailure | null = null
  #isStopped = false
  #disposal: Promise<void> | null = null

  /** @throws RaftError RAFT_INVALID_OPTION */
  constructor(options: SimulatedClusterOptions<Command, Result, SM>) {
    checkClusterOptions(options)
    const stateMachine = guardStateMachine(options.stateMachine)
    const { cluster: shape = { voters: 3, options: {} }, codec } = options
    this.#seed = resolveSeed(options.seed)
    this.#trace = new TraceBuffer({ seed: this.#seed, cluster: shape })
    this.#cluster = new Cluster<Command, Result, StateMachine<Command, Result>>({
      shape,
      stateMachine,
      codec: codec ?? (msgpackCodec as Codec<Command>),
      random: new SimulationRandom(this.#seed),
      traceWriter: this.#trace.writer,
    })
    this.#cluster.startAll()
  }

  /** Ms of the simulation so far. */
  get nowMs(): number {
    return this.#cluster.nowMs
  }

  /** The nodes whose process lives, by id; a restarted one is another object. Those of a crashed process answer nobody. */
  get nodes(): ReadonlyMap<NodeId, RaftNode<Command, Result>> {
    return this.#mapOf(({ node }) => node)
  }

  /** The state machine of each node in `nodes`. */
  get stateMachines(): ReadonlyMap<NodeId, SM> {
    return this.#mapOf(({ stateMachine }) => stateMachine as SM)
  }

  /** The node that leads the latest term, if it still lives and believes so. */
  get leader(): RaftNode<Command, Result> | null {
    return this.#cluster.leader?.current?.node ?? null
  }

  /** The nodes that serve at this moment, in the order of their ids. */
  get live(): readonly LiveNode<Command, Result, SM>[] {
    const { lastIndex } = this.#cluster.invariants.committed
    return this.#cluster.processes.flatMap(({ id, isUp, isPaused, current }) => {
      if (!isUp || isPaused || current === null) return []
      const { node, stateMachine, witness } = current
      // Nobody sends anything to who is no member.
      const isCaughtUp = (witness.state?.lastApplied ?? 0) >= lastIndex || !isMember(this.#cluster, id)
      return [{ id, node, stateMachine: stateMachine as SM, isCaughtUp }]
    })
  }

  /**
   * Runs virtual time. A promise of a node settles only within this, `settle` and `settleAll`.
   * @param ms - 0 runs what is due now
   * @throws SimulationFailure: an invariant was violated
   */
  advance(ms: number): Promise<void> {
    if (!(Number.isFinite(ms) && ms >= 0))
      return Promise.reject(new RaftError('RAFT_INVALID_OPTION', `advance(${show(ms)}): use a number of ms from 0 on`))
    return this.#inTurn(() => this.#run(ms))
  }

  /**
   * Runs virtual time until the promise settles, and settles alike. For promises of nodes: one that waits for real I/O
   * does not settle in here.
   * @throws RaftError RAFT_TIMEOUT: it is open after 60,000 ms of the simulation. SimulationFailure: an invariant was violated
   */
  async settle<T>(promise: Promise<T>): Promise<T> {
    if (typeof (promise as Partial<Promise<T>> | null | undefined)?.then !== 'function')
      refuse(`settle(${show(promise)}): use a promise of a node, settle(node.propose(command))`)
    let isSettled = false
    const settle = (): void => {
      isSettled = true
    }
    promise.then(settle, settle)
    await this.#inTurn(() => this.#run(SETTLE_BOUND_MS, () => isSettled))
    if (isSettled) return promise
    const reason = 'the promise of a process that crashed never settles, nor one that waits for real I/O'
    const message = `a promise is still open after ${SETTLE_BOUND_MS} ms of the simulation: ${reason}`
    throw new RaftError('RAFT_TIMEOUT', message, { outcome: 'unknown' })
  }

  /**
   * Runs until every live node has applied all that is committed, or until that seems out of reach, as behind a
   * partition: 20,000 ms of the simulation.
   * @throws SimulationFailure: an invariant was violated
   */
  settleAll(): Promise<void> {
    const isQuiet = (): boolean => this.live.every(({ isCaughtUp }) => isCaughtUp)
    return this.#inTurn(() => this.#run(QUIESCENCE_BOUND_MS, isQuiet))
  }

  /** Carries out a fault now; it shows as time runs. One that has nobody to hit, a leader or a living process, does nothing. */
  inject(fault: FaultKind): Promise<void> {
    return this.#inTurn(async () => {
      checkFaultKind('inject', fault)
      this.#cluster.inject(fault)
    })
  }

  /** Ends every fault: links and disks are calm, paused processes go on, and those that are down start. */
  healAll(): Promise<void> {
    return this.#inTurn(async () => healAll(this.#cluster))
  }

  /** Runs `ending` before the nodes are stopped, and rejects the disposal with what it throws. */
  atEnd(ending: () => Promise<void>): void {
    this.#endings.push(ending)
  }

  /**
   * Stops all nodes. Idempotent.
   * @throws SimulationFailure: an invariant was violated and no call before has said so
   */
  [Symbol.asyncDispose](): Promise<void> {
    this.#disposal ??= this.#dispose()
    return this.#disposal
  }

  async #dispose(): Promise<void> {
    try {
      if (this.#cluster.invariants.violation === null) for (const ending of this.#endings) await ending()
    } finally {
      await this.#inTurn(() => this.#stop())
    }
    if (this.#failure === null) this.#check()
  }

  async #stop(): Promise<void> {
    this.#isStopped = true
    const { processes, network } = this.#cluster
    network.heal()
    for (const process of processes) {
      process.resume()
      if (process.state !== 'up' || process.isDiskBroken) process.crash()
    }
    // What a pause had held arrives before the end.
    if (this.#cluster.invariants.violation === null) await this.#cluster.run(this.nowMs)
    await stopAll(this.#cluster)
    for (const process of processes) process.crash()
  }

  async #run(ms: number, isDone: () => boolean = () => false): Promise<void> {
    const cluster = this.#cluster
    const lastEvent = cluster.eventCount + MAX_EVENTS_PER_CALL
    await cluster.run(cluster.nowMs + ms, () => isDone() || cluster.eventCount >= lastEvent)
    this.#check()
    if (cluster.eventCount >= lastEvent)
      throw new RaftError(
        'RAFT_OVERLOADED',
        `more than ${MAX_EVENTS_PER_CALL} events in one call: the cluster runs wild`,
      )
  }

  #check(): void {
    const { invariants, trace: records } = this.#cluster
    const { violation } = invariants
    if (violation === null) return
    if (this.#failure !== null) throw this.#failure
    const command = `new SimulatedCluster({ …the same options, seed: ${this.#seed}n }) and the same calls`
    records.writer?.end(this.nowMs, { violation, traceHash: records.hash })
    const trace = this.#trace.text
    this.#failure = new SimulationFailure({ violation, seed: this.#seed, trace, command })
    throw this.#failure
  }

  /** Calls that overlap run one after the other, so that what they do doesn't depend on the machine. */
  #inTurn<T>(act: () => Promise<T>): Promise<T> {
    const turn = this.#queue.then(() => {
      if (!this.#isStopped) return act()
      throw new RaftError('RAFT_STOPPED', 'the simulated cluster was disposed of')
    })
    this.#queue = turn.catch(() => {})
    return turn
  }

  #mapOf<T>(pick: (current: Incarnation<Command, Result, StateMachine<Command, Result>>) => T): ReadonlyMap<NodeId, T> {
    const living = this.#cluster.processes.flatMap(({ id, current }) => {
      return current === null ? [] : [[id, pick(current)] as const]
    })
    return new Map(living)
  }
}
