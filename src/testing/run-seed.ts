// One run of the simulator's own: draws everything from a seed, does harm, heals, expects the cluster to work, and holds
// every outcome against the log. `npm run sim` is many of these.
import { Caller, type CallerAction } from './caller.js'
import { ChainMachine, type ChainPace, type ChainState } from './chain-machine.js'
import { BUGS } from './bugs/index.js'
import { bytesCodec } from '../codec/bytes.js'
import type { ApplyContext } from '../interfaces/state-machine.js'
import { decodeMessage, encodeMessage } from '../codec/message-codec.js'
import type { Check } from './checks.js'
import { Cluster } from './cluster.js'
import { expectAgreement, settleCalls, stopAll } from './conclusion.js'
import { expectLiveness, expectSettledMembership, healAll, SLOW_DISKS_PACE } from './liveness.js'
import { LivenessCommands } from './liveness-commands.js'
import type { Internals } from '../node/internals.js'
import { Nemesis } from './nemesis.js'
import { type SimulationPlan, swarmSettingsOf } from './plan/plan.js'
import type { PlanRecorder } from './plan/plan-recorder.js'
import { PlannedFaults, PlannedWorkload } from './plan/planned-run.js'
import { SimulationRandom } from './prng.js'
import { SessionClients } from './session-clients.js'
import { SessionJudge } from './session-judge.js'
import { healRandomQuorum } from './random-quorum.js'
import { expectSteadyLeader } from './steady-leader.js'
import { expectResultsOfSlowLeader } from './slow-leader.js'
import { drawSwarm, type Profile, type SwarmSettings } from './swarm.js'
import { traceHeader } from './trace/format.js'
import { TraceWriter } from './trace/trace-writer.js'
import { SIMULATION_EPOCH_MS } from './virtual-clock.js'
import { CALM_DISK, type DiskSpeed } from './virtual-disk.js'
import { CALM_LINKS } from './virtual-network.js'
import { replaceWiped } from './replace-wiped.js'
import { Workload } from './workload.js'

export interface SeedOptions {
  /** What the run is like. @defaultValue 'default' */
  readonly profile?: Profile | undefined
  /** Name of a seeded bug; see `bugs/`. */
  readonly bug?: string | undefined
  /** Instead of those of the bug: for a test that watches them at work. */
  readonly internals?: Internals | undefined
  /** Takes each record of the trace as a line of JSON. */
  readonly onTrace?: ((line: string) => void) | undefined
  /** Carried out in place of what the seed would draw. */
  readonly plan?: SimulationPlan | undefined
  /** Writes the run down as a plan. */
  readonly recorder?: PlanRecorder | undefined
}

export interface SeedResult {
  readonly seed: bigint
  readonly events: number
  readonly simulatedMs: number
  readonly faults: number
  readonly calls: number
  readonly traceHash: string
  /** What went wrong first; null when everything held. */
  readonly violation: string | null
  /** Which check said so. */
  readonly check: Check | null
  readonly coverage: Readonly<Record<string, number>>
}

type ChainCluster = Cluster<Uint8Array, ChainState, ChainMachine>

const queryState = (machine: ChainMachine): ChainState => machine.state

/** Share of runs whose cluster must also live where every disk is slower than an election timeout. */
const SLOW_DISKS_RATIO = 0.1

/** Share of runs whose cluster is founded while faults go on. */
const FAULTY_FOUNDING_RATIO = 0.1

function slowerThan(electionTimeoutMs: number): DiskSpeed {
  return { ...CALM_DISK, writeMs: [1.05 * electionTimeoutMs, 1.5 * electionTimeoutMs] }
}

/** Runs one seed. Never rejects for what the library does wrong: that is in `violation`. */
export async function runSeed(seed: bigint, options: SeedOptions = {}): Promise<SeedResult> {
  const random = new SimulationRandom(seed)
  const { plan, recorder, profile } = options
  const settings = plan === undefined ? drawSwarm(random.fork('swarm'), profile) : swarmSettingsOf(plan)
  const { cluster, judge } = createCluster(settings, random, options, writerOf(seed, settings, options))
  const caller = createCaller(cluster, recorder)
  recorder?.begin({ seed, settings, cluster })
  const workload =
    plan === undefined
      ? new Workload(cluster, caller, settings.workload, random.fork('workload'))
      : new PlannedWorkload(cluster, caller, plan)
  const nemesis =
    plan === undefined
      ? new Nemesis(cluster, settings.nemesis, random.fork('nemesis'))
      : new PlannedFaults(cluster, plan)
  const sessions =
    settings.sessions === undefined
      ? []
      : [new SessionClients(cluster, judge, settings.sessions, random.fork('sessions'))]
  await runFaults(cluster, settings, random.fork('start'), [workload, nemesis, ...sessions])
  recorder?.end()
  const { electionTimeoutMs } = settings.shape.options
  const commands = new LivenessCommands()
  const nextCommand = (): Uint8Array => commands.next()
  const nextWrite = (): CallerAction<Uint8Array, ChainMachine> => {
    return { type: 'propose', commands: [nextCommand()], asMany: false, input: 'liveness' }
  }
  const liveness = { cluster, caller, electionTimeoutMs, nextWrite, query: queryState }
  const nodes = healRandomQuorum(cluster, random.fork('quorum'))
  await expectLiveness({ ...liveness, nodes })
  healAll(cluster)
  await expectLiveness(liveness)
  await expectSettledMembership(cluster, electionTimeoutMs)
  if (await replaceWiped(cluster, electionTimeoutMs)) await expectLiveness(liveness)
  await expectResultsOfSlowLeader({ cluster, caller, electionTimeoutMs, nextCommand })
  await expectSteadyLeader(cluster, { electionTimeoutMs, random: random.fork('steady') })
  // After everybody has caught up: what a slow disk takes one by one would need longer than any bound.
  if (random.fork('slow disks').chance(SLOW_DISKS_RATIO)) {
    cluster.coverage.count('point.liveOnSlowDisks')
    for (const { disk } of cluster.processes) disk.speed = slowerThan(electionTimeoutMs)
    await expectLiveness({ ...liveness, pace: SLOW_DISKS_PACE })
    healAll(cluster)
  }
  await settleCalls(cluster, 2 * settings.workload.timeoutMs[1])
  await expectAgreement(cluster, { withinMs: 4 * electionTimeoutMs, query: queryState })
  await stopAll(cluster)
  judge.check()
  if (cluster.invariants.violation === null) cluster.history.checkOutcomes()
  return resultOf(seed, cluster)
}

function writerOf(seed: bigint, settings: SwarmSettings, { bug, onTrace }: SeedOptions): TraceWriter | null {
  if (onTrace === undefined) return null
  const run = {
    source: 'sim',
    seed: String(seed),
    bug: bug ?? null,
    cluster: settings.shape,
    epochMs: SIMULATION_EPOCH_MS,
  } as const
  return new TraceWriter(onTrace, traceHeader(run))
}

function createCluster(
  settings: SwarmSettings,
  random: SimulationRandom,
  { bug, internals }: SeedOptions,
  traceWriter: TraceWriter | null,
): { readonly cluster: ChainCluster; readonly judge: SessionJudge } {
  const seeded = bug === undefined ? undefined : BUGS[bug]
  const usesWireFormat = random.fork('wire').chance(0.25)
  const usesLevel = random.fork('store').chance(settings.levelRatio)
  const pace = drawPace(random.fork('pace'), settings.shape.options.electionTimeoutMs)
  let judge: SessionJudge | null = null
  const onApply = (command: Uint8Array, { index }: ApplyContext): void => judge?.applies(command, index)
  const cluster: ChainCluster = new Cluster({
    shape: settings.shape,
    stateMachine: (host) => new ChainMachine(pace === null ? null : { host, ...pace }, onApply),
    codec: seeded?.codec ?? bytesCodec,
    internals: internals ?? seeded?.internals,
    wrappers: seeded?.wrappers,
    random,
    usesLevel,
    mixesTimings: settings.mixesTimings,
    carry: usesWireFormat ? (message) => decodeMessage(encodeMessage(message)) : undefined,
    traceWriter,
  })
  judge = new SessionJudge(cluster.invariants)
  if (usesLevel) cluster.coverage.count('point.levelStore')
  if (usesWireFormat) cluster.coverage.count('point.wireFormat')
  cluster.setLinks(settings.links)
  cluster.setDisks(settings.disk)
  return { cluster, judge }
}

/** Half of all runs have a state machine that takes its time; long enough to be caught in between, and no longer. */
function drawPace(random: SimulationRandom, unitMs: number): Omit<ChainPace, 'host'> | null {
  if (random.chance(0.5)) return null
  return { slowRatio: random.pick([0.02, 0.2, 1]), slowMs: [0, unitMs / random.pick([200, 1_000])] }
}

function createCaller(cluster: ChainCluster, recorder?: PlanRecorder): Caller<Uint8Array, ChainState, ChainMachine> {
  const { timeline, trace, coverage, history, invariants } = cluster
  const checkValue = (index: number, value: unknown): string | null => {
    const due = invariants.lastResultUpTo(index)?.result ?? new ChainMachine().state
    const isSame = JSON.stringify(due) === JSON.stringify(value)
    return isSame ? null : `at ${index} it read ${JSON.stringify(value)}, where the log gives ${JSON.stringify(due)}`
  }
  const { slowest } = cluster.clockRates
  const encode = (command: Uint8Array): Uint8Array => command
  const lend = {
    copy: (command: Uint8Array): Uint8Array => command.slice(),
    scribble: (command: Uint8Array): void => void command.fill(0x5a),
  }
  return new Caller({
    timeline,
    trace,
    coverage,
    history,
    invariants,
    encode,
    lend,
    slowestRate: slowest,
    onCall: (on, call) => recorder?.call(on, call),
    checkValue,
  })
}

async function runFaults(
  cluster: ChainCluster,
  settings: SwarmSettings,
  random: SimulationRandom,
  actors: readonly { begin(): void; end(): void }[],
): Promise<void> {
  const staggerMs = random.chance(0.5) ? settings.shape.options.electionTimeoutMs * 2 : 0
  for (const process of cluster.processes) cluster.timeline.after(random.between(0, staggerMs), () => process.start())
  if (!random.chance(FAULTY_FOUNDING_RATIO)) await foundCalmly(cluster, settings, staggerMs)
  for (const actor of actors) actor.begin()
  await cluster.run(settings.durationMs, () => cluster.eventCount >= settings.maxEvents)
  // The rest of this moment: a plan knows when a run ended, not after which event.
  await cluster.run(cluster.nowMs)
  for (const actor of actors) actor.end()
  cluster.changes.end()
}

/** Without faults, so that they hit a cluster which does something. */
async function foundCalmly(cluster: ChainCluster, settings: SwarmSettings, staggerMs: number): Promise<void> {
  cluster.setLinks(CALM_LINKS)
  cluster.setDisks(CALM_DISK)
  await cluster.untilFounded(staggerMs)
  cluster.setLinks(settings.links)
  cluster.setDisks(settings.disk)
}

function resultOf(seed: bigint, cluster: ChainCluster): SeedResult {
  const { eventCount: events, nowMs: simulatedMs, faultCount: faults, history, trace, invariants } = cluster
  trace.writer?.end(simulatedMs, { violation: invariants.violation, traceHash: trace.hash })
  const coverage = cluster.coverage.toRecord()
  const measures = { events, simulatedMs, faults, calls: history.records.length }
  return {
    seed,
    ...measures,
    traceHash: trace.hash,
    violation: invariants.violation,
    check: invariants.violatedCheck,
    coverage,
  }
}
