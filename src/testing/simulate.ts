// Simulates a cluster of the user's own state machine: a workload and a fault plan as data, everything else from a seed.
// The nodes are real; time, network, disks and clocks are not.
import { msgpackCodec } from '../codec/msgpack.js'
import type { NodeId } from '../core/types.js'
import { RaftError } from '../errors.js'
import type { Codec } from '../interfaces/codec.js'
import { Caller, type CallerAction } from './caller.js'
import { Cluster } from './cluster.js'
import { expectAgreement, settleCalls } from './conclusion.js'
import type { ClusterShape } from './fault-plan.js'
import type { CallRecord } from './history.js'
import { judgeHistory } from './history-judge.js'
import { expectLiveness, expectSettledMembership, healAll } from './liveness.js'
import { SimulationRandom } from './prng.js'
import { isMember } from './quorum-view.js'
import { healRandomQuorum } from './random-quorum.js'
import {
  type Action,
  type AnyStateMachine,
  type CommandOf,
  type Operation,
  type ResultOf,
  type SimulationOptions,
  type SimulationReport,
  type WorkloadStep,
} from './report.js'
import { resolveSeed } from './seed.js'
import { checkSimulationOptions } from './simulation-options.js'
import { explainFailure, type RunViolation } from './simulation-failure.js'
import type { TraceWriter } from './trace/trace-writer.js'

/** What `cluster` and `maxEvents` are where they aren't given. */
const DEFAULTS = Object.freeze({
  cluster: Object.freeze({ voters: 3, options: Object.freeze({}) }) satisfies ClusterShape,
  maxEvents: 1_000_000,
  electionTimeoutMs: 500,
})

/** Deadline of each call of the workload, ms. */
const CALL_TIMEOUT_MS = 5_000

/** Rejects with a SimulationFailure; resolves only if every invariant and liveness hold. */
export async function simulate<SM extends AnyStateMachine, Query = never, Answer = never>(
  options: SimulationOptions<SM, Query, Answer>,
): Promise<SimulationReport<SM, Query, Answer>> {
  const checked = checkSimulationOptions(options)
  const seed = resolveSeed(checked.seed)
  const simulation = new Simulation(checked, seed)
  const first = await simulation.run()
  if (first === null) return simulation.report()
  throw await explainFailure<SM, Query, Answer>({
    first,
    seed,
    options: checked,
    run: (like, writer) => new Simulation(like, seed, writer).run(),
  })
}

class Simulation<SM extends AnyStateMachine, Query, Answer> {
  readonly cluster: Cluster<CommandOf<SM>, ResultOf<SM>, SM>
  readonly #options: SimulationOptions<SM, Query, Answer>
  readonly #seed: bigint
  readonly #random: SimulationRandom
  readonly #caller: Caller<CommandOf<SM>, ResultOf<SM>, SM>
  /** What a function of the user turned out to be while it ran. */
  #wrongOption: RaftError | null = null

  constructor(options: SimulationOptions<SM, Query, Answer>, seed: bigint, traceWriter: TraceWriter | null = null) {
    this.#options = options
    this.#seed = seed
    this.#random = new SimulationRandom(seed)
    const { stateMachine, cluster: shape = DEFAULTS.cluster } = options
    const invariant = this.#guardedInvariant()
    const codec: Codec<CommandOf<SM>> = options.codec ?? (msgpackCodec as Codec<CommandOf<SM>>)
    this.cluster = new Cluster({ shape, stateMachine, invariant, codec, random: this.#random, traceWriter })
    const { timeline, trace, coverage, history, invariants } = this.cluster
    const encode = (command: CommandOf<SM>): Uint8Array => codec.encode(command)
    this.#caller = new Caller({
      timeline,
      trace,
      coverage,
      history,
      invariants,
      encode,
      slowestRate: this.cluster.clockRates.slowest,
    })
  }

  /** Resolves with what went wrong, or null. */
  async run(): Promise<RunViolation | null> {
    const { invariants, trace } = this.cluster
    let exception: RunViolation | null = null
    try {
      await this.#runAll()
      if (this.#wrongOption !== null) throw this.#wrongOption
    } catch (error) {
      const { signal } = this.#options
      if (signal?.aborted === true) throw signal.reason
      if (error instanceof RaftError && error.code === 'RAFT_INVALID_OPTION') throw error
      const reason = error instanceof Error ? error.message : String(error)
      const violation = `an exception reached the simulator: ${reason}`
      exception = { violation, check: 'exception', cause: error }
    }
    const { violation, violatedCheck: check } = invariants
    const found = exception ?? (violation === null || check === null ? null : { violation, check })
    trace.writer?.end(this.cluster.nowMs, { violation: found?.violation ?? null, traceHash: trace.hash })
    return found
  }

  async #runAll(): Promise<void> {
    const { cluster } = this
    const { workload = [], faults = { faults: [] }, liveness = true, maxEvents = DEFAULTS.maxEvents } = this.#options
    const electionTimeoutMs = this.#options.cluster?.options.electionTimeoutMs ?? DEFAULTS.electionTimeoutMs
    const random = this.#random.fork('workload')
    cluster.startAll()
    // Times of plans are those of a cluster that is there.
    await cluster.untilFounded()
    const beganAtMs = cluster.nowMs
    let isOver = false
    const plan = (atMs: number, act: () => void): void => {
      cluster.timeline.schedule(beganAtMs + atMs, () => {
        if (!isOver) act()
      })
    }
    for (const step of workload) plan(step.atMs, () => this.#perform(step, random))
    for (const fault of faults.faults) plan(fault.atMs, () => cluster.inject(fault))
    const lastMs = Math.max(0, ...workload.map(({ atMs }) => atMs), ...faults.faults.map(({ atMs }) => atMs))
    await this.#runUntil(beganAtMs + lastMs, () => cluster.eventCount >= maxEvents)
    isOver = true
    cluster.changes.end()
    if (liveness) await this.#expectLiveness(electionTimeoutMs)
    await settleCalls(cluster, 2 * CALL_TIMEOUT_MS)
    if (liveness) {
      await expectAgreement(cluster, { withinMs: 20 * electionTimeoutMs, query: () => null })
      await this.#expectSameSnapshots()
    }
    if (!liveness) for (const process of cluster.processes) if (!process.isUp || process.isPaused) process.crash()
    if (cluster.invariants.violation === null) cluster.history.checkOutcomes()
    const { model } = this.#options
    if (model !== undefined && cluster.invariants.violation === null)
      judgeHistory(model, this.#operations(), cluster.invariants)
  }

  report(): SimulationReport<SM, Query, Answer> {
    const { eventCount: events, nowMs: simulatedMs, trace, processes } = this.cluster
    const coverage = this.cluster.coverage.toRecord()
    const stateMachines = new Map(
      processes.flatMap(({ id, isUp, current }) =>
        isUp && current !== null && isMember(this.cluster, id) ? [[id, current.stateMachine] as const] : [],
      ),
    )
    const history = this.#operations()
    return {
      seed: this.#seed,
      events,
      simulatedMs,
      traceHash: trace.hash,
      coverage,
      history,
      skippedSteps: (this.#options.workload ?? []).length - history.length,
      stateMachines,
    }
  }

  /** The calls of the workload. */
  #operations(): readonly Operation<Action<CommandOf<SM>, Query>, ResultOf<SM> | Answer>[] {
    const ofWorkload = this.cluster.history.records.filter(({ client }) => client >= 0)
    return ofWorkload.map((record) => operationOf<SM, Query, Answer>(record))
  }

  async #expectLiveness(electionTimeoutMs: number): Promise<void> {
    const [cluster, caller] = [this.cluster, this.#caller]
    const liveness = { cluster, caller, electionTimeoutMs, nextWrite: null, query: () => null }
    const nodes = healRandomQuorum(cluster, this.#random.fork('quorum'))
    await expectLiveness({ ...liveness, nodes })
    // Reads alone would not show that nothing can be committed any more; who leads next must commit before it serves one.
    cluster.leader?.crash()
    healAll(cluster)
    await expectLiveness(liveness)
    await expectSettledMembership(cluster, electionTimeoutMs)
  }

  /** Results alone may hide a difference: the bytes of a snapshot are the state. */
  async #expectSameSnapshots(): Promise<void> {
    const { processes, invariants } = this.cluster
    let first: { id: string; bytes: Uint8Array } | null = null
    for (const { id, isUp, current } of processes) {
      const state = current?.witness.state ?? null
      if (!isUp || current === null || state === null || !isMember(this.cluster, id)) continue
      const context = { index: state.lastApplied, term: state.currentTerm, signal: new AbortController().signal }
      const bytes = await this.#snapshotOf(id, async () => collect(await current.stateMachine.snapshot(context)))
      if (bytes === null) return
      first ??= { id, bytes }
      if (bytes.length === first.bytes.length && bytes.every((byte, at) => byte === first?.bytes[at])) continue
      invariants.fail(
        'same-states',
        `the snapshots of ${first.id} and ${id} at index ${state.lastApplied} differ: apply is not deterministic`,
      )
    }
  }

  async #snapshotOf(id: NodeId, take: () => Promise<Uint8Array>): Promise<Uint8Array | null> {
    try {
      return await take()
    } catch (error) {
      const reason = error instanceof Error ? error.message : String(error)
      this.cluster.invariants.fail('same-states', `${id}: snapshot() of the state machine failed: ${reason}`)
      return null
    }
  }

  async #runUntil(untilMs: number, isDone: () => boolean): Promise<void> {
    const { signal } = this.#options
    await this.cluster.run(untilMs, () => signal?.aborted === true || isDone())
    signal?.throwIfAborted()
  }

  #perform({ client, on, action }: WorkloadStep<CommandOf<SM>, Query>, random: SimulationRandom): void {
    const running = this.cluster.processes.filter((process) => process.isUp)
    if (running.length === 0) return
    const process = on === 'any' ? random.pick(running) : this.cluster.process(on)
    if (process?.isUp !== true) return
    this.#caller.call({ process, client, action: this.#toCall(action), timeoutMs: CALL_TIMEOUT_MS })
  }

  #toCall(action: Action<CommandOf<SM>, Query>): CallerAction<CommandOf<SM>, SM> {
    if (action.type === 'propose') return { type: 'propose', commands: [action.command], asMany: false, input: action }
    const { query } = this.#options
    if (query === undefined) {
      throw new RaftError('RAFT_INVALID_OPTION', 'the workload has a read, but there is no option `query` to answer it')
    }
    const { consistency = 'linearizable' } = action
    const run = (stateMachine: SM): Answer => this.#expectNoPromise('query', query(stateMachine, action.query))
    return { type: 'read', query: run, consistency, input: action }
  }

  #guardedInvariant(): SimulationOptions<SM>['invariant'] {
    const { invariant } = this.#options
    if (invariant === undefined) return undefined
    return (stateMachine, context) => this.#expectNoPromise('invariant', invariant(stateMachine, context))
  }

  /** Nobody waits for a promise of these: what it rejects with would end the process, what it reads would be of later. */
  #expectNoPromise<T>(name: string, returned: T): T {
    if (!(returned instanceof Promise)) return returned
    returned.catch(() => {})
    const message = `${name} returned a promise: it must look at the state machine at once, so leave async out`
    this.#wrongOption ??= new RaftError('RAFT_INVALID_OPTION', message)
    throw this.#wrongOption
  }
}

function operationOf<SM extends AnyStateMachine, Query, Answer>(
  record: CallRecord,
): Operation<Action<CommandOf<SM>, Query>, ResultOf<SM> | Answer> {
  const { client, input, invokedMs, outcome, isRead, output } = record
  const common = { client, input: input as Action<CommandOf<SM>, Query>, invokedMs }
  const settled = outcome === 'open' ? 'unknown' : outcome
  const returnedMs = settled === 'unknown' ? Number.POSITIVE_INFINITY : record.returnedMs
  if (settled !== 'ok') return { ...common, returnedMs, outcome: settled }
  const value = isRead ? output : (output as readonly unknown[])[0]
  return { ...common, returnedMs, outcome: settled, output: value as ResultOf<SM> | Answer }
}

async function collect(chunks: AsyncIterable<Uint8Array>): Promise<Uint8Array> {
  const bytes: number[] = []
  for await (const chunk of chunks) for (const byte of chunk) bytes.push(byte)
  return Uint8Array.from(bytes)
}
