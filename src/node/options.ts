// The options of a node: what may be given, what is assumed where it is not, and every relation between them (F13).
// Nothing is opened or called here.
import { entryOverheadBytes, MAX_ENTRIES_PER_MESSAGE } from '../codec/entries-field.js'
import { messageOverheadBytes } from '../codec/message-codec.js'
import { msgpackCodec } from '../codec/msgpack.js'
import { bootstrapConfiguration, configurationProblem, isNodeId } from '../core/configuration.js'
import type { Configuration, MemberSpec, NodeId } from '../core/types.js'
import type { Clock } from '../interfaces/clock.js'
import type { Codec } from '../interfaces/codec.js'
import type { LogStore } from '../interfaces/log-store.js'
import type { Logger } from '../interfaces/logger.js'
import type { SnapshotStore } from '../interfaces/snapshot-store.js'
import type { StateMachine } from '../interfaces/state-machine.js'
import type { Transport } from '../interfaces/transport.js'
import { type Instrumentation, resolveInstrumentation } from './instrumentation.js'
import { guardedLogger, silentLogger } from './log.js'
import { checkDialable, resolveMember } from './member-spec.js'
import { checkKeys, refuse, show } from './option-checks.js'
import { type ResolvedSnapshotPolicy, resolveSnapshotPolicy, type SnapshotPolicy } from './snapshot-policy.js'
import { systemClock } from './system-clock.js'

/** What an embedder gives to `new RaftNode`. */
export interface RaftNodeOptions<Command = Uint8Array, Result = unknown> {
  /** Name of this node, unique in its cluster: 1 to 64 of `A-Z a-z 0-9 . _ -`. */
  id: NodeId
  stateMachine: StateMachine<Command, Result>
  logStore: LogStore
  snapshotStore: SnapshotStore
  transport: Transport
  /** Members of a brand-new cluster, the same list on each. Omitted: the node waits to be added. */
  bootstrap?: readonly MemberSpec[] | undefined
  /** Sent in every handshake; other clusters are refused. The stored one always wins. @defaultValue a digest of the bootstrap list */
  clusterId?: string | undefined
  /** @defaultValue msgpackCodec; `bytesCodec` for raw Uint8Array commands */
  codec?: Codec<NoInfer<Command>> | undefined
  /** For the answers that sessions keep; they travel in snapshots. The same on every node. @defaultValue msgpackCodec */
  resultCodec?: Codec<NoInfer<Result>> | undefined
  /** Each timeout is drawn from [t, 2t), ms. At least 3 × heartbeatIntervalMs. @defaultValue 500 */
  electionTimeoutMs?: number | undefined
  /** @defaultValue 100 */
  heartbeatIntervalMs?: number | undefined
  /**
   * How much faster or slower the clock of one node may run than another's, as a ratio from 0 to 1: what leases are shortened
   * by. Nothing else trusts clocks, and nothing does before somebody reads with `lease` (F20). @defaultValue 0.1
   */
  maxClockDriftRatio?: number | undefined
  /** `propose` on a follower goes to the leader, once (F16). @defaultValue true */
  forwardProposals?: boolean | undefined
  /** When the node takes snapshots of its state, and what of the log it keeps behind them. */
  snapshot?: SnapshotPolicy | undefined
  limits?: Limits | undefined
  /** @defaultValue the clocks and timers of the platform */
  clock?: Clock | undefined
  /** Seed of election jitter, a whole number; nodes of one seed still differ, by their ids. @defaultValue random */
  seed?: number | undefined
  /** @defaultValue silent */
  logger?: Logger | undefined
  /** What watches this node. @defaultValue nothing */
  instrumentation?: readonly Instrumentation[] | undefined
}

/** Every queue and buffer that grows with load ends at one of these (F13). Sizes are bytes of payload. */
export interface Limits {
  /** Proposed or received and not applied yet; beyond it `propose` rejects with RAFT_OVERLOADED. @defaultValue 64 MiB */
  uncommittedBytes?: number | undefined
  /** Largest encoded command; beyond it RAFT_TOO_LARGE. @defaultValue 1 MiB */
  commandBytes?: number | undefined
  /** Of one AppendEntries. @defaultValue 1 MiB */
  appendBytes?: number | undefined
  /** Of one AppendEntries. @defaultValue 1024 */
  appendEntries?: number | undefined
  /** AppendEntries in flight to one follower. @defaultValue 256 */
  inflightMessages?: number | undefined
  /** Entries in flight to one follower. @defaultValue 8 MiB */
  inflightBytes?: number | undefined
  /** Of a snapshot in one message to a follower; four are in flight. @defaultValue 1 MiB */
  snapshotChunkBytes?: number | undefined
}

/** Timings for one data centre (the paper's 150-300 ms) and for several. */
export const presets: {
  readonly lan: { readonly electionTimeoutMs: 150; readonly heartbeatIntervalMs: 50 }
  readonly wan: { readonly electionTimeoutMs: 1000; readonly heartbeatIntervalMs: 200 }
} = Object.freeze({
  lan: Object.freeze({ electionTimeoutMs: 150, heartbeatIntervalMs: 50 }),
  wan: Object.freeze({ electionTimeoutMs: 1000, heartbeatIntervalMs: 200 }),
} as const)

const MIB = 1024 * 1024

/** What is assumed where an option is not given. */
export const DEFAULTS: {
  readonly electionTimeoutMs: number
  readonly heartbeatIntervalMs: number
  readonly maxClockDriftRatio: number
  readonly forwardProposals: boolean
  readonly limits: ResolvedLimits
} = Object.freeze({
  electionTimeoutMs: 500,
  heartbeatIntervalMs: 100,
  maxClockDriftRatio: 0.1,
  forwardProposals: true,
  limits: Object.freeze({
    uncommittedBytes: 64 * MIB,
    commandBytes: MIB,
    appendBytes: MIB,
    appendEntries: 1024,
    inflightMessages: 256,
    inflightBytes: 8 * MIB,
    snapshotChunkBytes: MIB,
  }),
})

/** `Limits` with nothing left to assume. */
export type ResolvedLimits = { readonly [Key in keyof Limits]-?: number }

/** Those that may be changed while the node runs (F43), with nothing left to assume. */
export interface SettingValues {
  readonly electionTimeoutMs: number
  readonly heartbeatIntervalMs: number
  readonly snapshot: ResolvedSnapshotPolicy
  readonly limits: ResolvedLimits
}

/** Options with nothing left to assume. The bootstrap list has become configuration 0. */
export interface ResolvedOptions<Command = unknown, Result = unknown> extends SettingValues {
  readonly id: NodeId
  readonly stateMachine: StateMachine<Command, Result>
  readonly logStore: LogStore
  readonly snapshotStore: SnapshotStore
  readonly transport: Transport
  readonly bootstrap: Configuration | null
  readonly clusterId: string | null
  readonly codec: Codec<Command>
  readonly resultCodec: Codec<Result>
  readonly maxClockDriftRatio: number
  readonly forwardProposals: boolean
  readonly clock: Clock
  readonly seed: number
  readonly logger: Logger
  readonly instrumentation: readonly Instrumentation[]
}

/** Those that stay as they are for the life of a node. */
export type FixedOptions = Omit<ResolvedOptions, keyof SettingValues>

const OPTION_KEYS: readonly string[] = [
  'id',
  'stateMachine',
  'logStore',
  'snapshotStore',
  'transport',
  'bootstrap',
  'clusterId',
  'codec',
  'resultCodec',
  'electionTimeoutMs',
  'heartbeatIntervalMs',
  'maxClockDriftRatio',
  'forwardProposals',
  'snapshot',
  'limits',
  'clock',
  'seed',
  'logger',
  'instrumentation',
]

/** Methods that each plug-in must have, so that a wrong one is named at construction and not at its first use. */
const METHODS = {
  stateMachine: ['apply', 'snapshot', 'restore'],
  logStore: ['open', 'write', 'read', 'compact', 'close'],
  snapshotStore: ['create', 'latest', 'close'],
  transport: ['start', 'send', 'stop'],
  codec: ['encode', 'decode'],
  resultCodec: ['encode', 'decode'],
  clock: ['now', 'wallTime', 'schedule'],
  logger: ['debug', 'info', 'warn', 'error'],
} as const

const OPTIONAL_PLUGINS: readonly string[] = ['codec', 'resultCodec', 'clock', 'logger']

/** Longest timing that a timer of the platform can wait for twice over (H107). */
const MAX_TIMING_MS = 2 ** 30
const CLUSTER_ID_PATTERN = /^[A-Za-z0-9._-]{1,64}$/

/** Checks everything, fills in the defaults and freezes. @throws RaftError RAFT_INVALID_OPTION naming the option and the value */
export function resolveOptions<Command, Result>(
  options: RaftNodeOptions<Command, Result>,
): ResolvedOptions<Command, Result> {
  if (typeof options !== 'object' || options === null) refuse(`the options are ${String(options)}: give an object`)
  checkKeys(options, OPTION_KEYS, 'option')
  checkPlugins(options)
  const { id, stateMachine, logStore, snapshotStore, transport, forwardProposals = DEFAULTS.forwardProposals } = options
  if (!isNodeId(id)) refuse(`id is ${show(id)}: use 1 to 64 of A-Z a-z 0-9 . _ -`)
  if (typeof forwardProposals !== 'boolean') refuse(`forwardProposals is ${show(forwardProposals)}: use true or false`)
  return Object.freeze({
    id,
    stateMachine,
    logStore,
    snapshotStore,
    transport,
    bootstrap: resolveBootstrap(options.bootstrap, id, transport),
    clusterId: resolveClusterId(options.clusterId),
    // Without a codec Command is whatever MessagePack carries.
    codec: options.codec ?? (msgpackCodec as Codec<Command>),
    resultCodec: options.resultCodec ?? (msgpackCodec as Codec<Result>),
    ...resolveTimings(options),
    maxClockDriftRatio: resolveDrift(options.maxClockDriftRatio),
    forwardProposals,
    snapshot: resolveSnapshotPolicy(options.snapshot ?? {}),
    limits: resolveLimits(options.limits ?? {}, transport.maxMessageBytes),
    clock: options.clock ?? systemClock,
    seed: resolveSeed(options.seed),
    logger: guardedLogger(options.logger ?? silentLogger),
    instrumentation: resolveInstrumentation(options.instrumentation),
  })
}

function checkPlugins(options: object): void {
  for (const [name, methods] of Object.entries(METHODS)) {
    const plugin = (options as Record<string, unknown>)[name]
    if (plugin === undefined && OPTIONAL_PLUGINS.includes(name)) continue
    if (typeof plugin !== 'object' || plugin === null)
      refuse(`${name} is ${show(plugin)}: give an object with ${methods.join(', ')}`)
    for (const method of methods) {
      if (typeof (plugin as Record<string, unknown>)[method] !== 'function') refuse(`${name} has no method '${method}'`)
    }
  }
}

type Timings = Pick<SettingValues, 'electionTimeoutMs' | 'heartbeatIntervalMs'>

/** @param base - where nothing is given */
export function resolveTimings(
  given: Pick<RaftNodeOptions, 'electionTimeoutMs' | 'heartbeatIntervalMs'>,
  base: Timings = DEFAULTS,
): Timings {
  const { electionTimeoutMs = base.electionTimeoutMs, heartbeatIntervalMs = base.heartbeatIntervalMs } = given
  for (const [name, value] of Object.entries({ electionTimeoutMs, heartbeatIntervalMs })) {
    if (typeof value === 'number' && value > 0 && value <= MAX_TIMING_MS) continue
    refuse(`${name} is ${show(value)}: use milliseconds above 0, at most ${MAX_TIMING_MS}`)
  }
  if (electionTimeoutMs < 3 * heartbeatIntervalMs) {
    refuse(
      `electionTimeoutMs is ${electionTimeoutMs} and heartbeatIntervalMs ${heartbeatIntervalMs}: it must be at least ` +
        `3 times that, ${3 * heartbeatIntervalMs}, or one lost heartbeat deposes a leader`,
    )
  }
  return { electionTimeoutMs, heartbeatIntervalMs }
}

function resolveDrift(ratio: number = DEFAULTS.maxClockDriftRatio): number {
  if (typeof ratio === 'number' && ratio >= 0 && ratio <= 1) return ratio
  refuse(`maxClockDriftRatio is ${show(ratio)}: use a ratio from 0 to 1, 0.1 for clocks that drift by a tenth at most`)
}

/**
 * Checked as a whole.
 * @param base - where nothing is given
 */
export function resolveLimits(
  given: Limits,
  maxMessageBytes: number,
  base: ResolvedLimits = DEFAULTS.limits,
): ResolvedLimits {
  if (typeof given !== 'object' || given === null) refuse(`limits is ${show(given)}: give an object`)
  checkKeys(given, Object.keys(DEFAULTS.limits), 'limit')
  const limits: Record<keyof Limits, number> = { ...base }
  for (const name of Object.keys(limits) as (keyof Limits)[]) {
    const value = given[name]
    if (value === undefined) continue
    if (!Number.isSafeInteger(value) || value < 1) refuse(`limits.${name} is ${show(value)}: use a whole number from 1`)
    limits[name] = value
  }
  if (!Number.isSafeInteger(maxMessageBytes) || maxMessageBytes < 1) {
    refuse(`transport.maxMessageBytes is ${show(maxMessageBytes)}: it must be a whole number of bytes`)
  }
  const overheadBytes = messageOverheadBytes + entryOverheadBytes
  for (const name of ['commandBytes', 'appendBytes', 'snapshotChunkBytes'] as const) {
    const needed = limits[name] + overheadBytes
    if (needed <= maxMessageBytes) continue
    refuse(
      `limits.${name} is ${limits[name]}, which with ${overheadBytes} bytes of headers does not fit the transport's ` +
        `largest message of ${maxMessageBytes} bytes: lower the limit or raise the transport's`,
    )
  }
  if (limits.appendEntries > MAX_ENTRIES_PER_MESSAGE) {
    refuse(
      `limits.appendEntries is ${limits.appendEntries}: a message carries at most ${MAX_ENTRIES_PER_MESSAGE} entries`,
    )
  }
  if (limits.commandBytes > limits.uncommittedBytes) {
    refuse(
      `limits.commandBytes is ${limits.commandBytes} and limits.uncommittedBytes ${limits.uncommittedBytes}: the ` +
        'largest command must fit what may be under way',
    )
  }
  return Object.freeze(limits)
}

function resolveBootstrap(
  list: readonly MemberSpec[] | undefined,
  id: NodeId,
  transport: Transport,
): Configuration | null {
  if (list === undefined) return null
  if (!Array.isArray(list)) refuse(`bootstrap is ${show(list)}: give a list of members`)
  const members = (list as readonly MemberSpec[]).map((member) => resolveMember(member, 'bootstrap'))
  checkDialable(members, transport)
  const configuration = bootstrapConfiguration(members)
  const problem = configurationProblem(configuration)
  if (problem !== null) refuse(`bootstrap: ${problem}`)
  if (!configuration.members.some((member) => member.id === id)) {
    const ids = configuration.members.map((member) => member.id).join(', ')
    refuse(`bootstrap lists ${ids} but not this node, '${id}': add it, or give no list to a node that is added later`)
  }
  return Object.freeze(configuration)
}

/** Null where none is given. @throws RaftError RAFT_INVALID_OPTION */
export function resolveClusterId(clusterId: string | undefined): string | null {
  if (clusterId === undefined) return null
  if (typeof clusterId === 'string' && CLUSTER_ID_PATTERN.test(clusterId)) return clusterId
  refuse(`clusterId is ${show(clusterId)}: use 1 to 64 of A-Z a-z 0-9 . _ -`)
}

function resolveSeed(seed: number | undefined): number {
  if (seed === undefined) return globalThis.crypto.getRandomValues(new Uint32Array(1))[0] ?? 0
  if (Number.isSafeInteger(seed)) return seed
  refuse(`seed is ${show(seed)}: use a whole number`)
}
