// When a node takes snapshots of its state and how much of the log it keeps behind them (F27): what may be given, what
// is assumed, and the checks.
import { RaftError } from '../errors.js'

/**
 * Whichever comes first asks for a snapshot; nothing does when nothing was applied since the last one. What is given counts as
 * it is; what is assumed also waits until the log since the last snapshot is as large as that was (§7: "significantly larger").
 */
export interface SnapshotPolicy {
  /** Applied since the last snapshot; `Infinity` for never by this. @defaultValue 10_000, of a large state more */
  everyEntries?: number | undefined
  /** Payload applied since the last snapshot, bytes; `Infinity` for never by this. @defaultValue 64 MiB, of a large state more */
  everyBytes?: number | undefined
  /** Since the last snapshot, ms, `Infinity` for never by this; each wait is drawn from [0.75 t, 1.25 t), so that nodes don't take theirs at once. @defaultValue none */
  everyMs?: number | undefined
  /** Entries kept behind a snapshot, for followers that lag a little; `Infinity` keeps all. @defaultValue 10_000 */
  trailingEntries?: number | undefined
}

/** The numbers of a policy; null for no interval. */
interface SnapshotThresholds {
  readonly everyEntries: number
  readonly everyBytes: number
  readonly everyMs: number | null
  readonly trailingEntries: number
}

/** A policy with nothing left to assume. */
export interface ResolvedSnapshotPolicy extends SnapshotThresholds {
  /** Which of them were given. */
  readonly isGiven: { readonly everyEntries: boolean; readonly everyBytes: boolean }
}

/** What an entry of the log costs at a restart beside its payload, in bytes of a snapshot that take as long to restore. */
const ENTRY_COST_BYTES = 256

/** What is assumed where the policy does not say. */
export const SNAPSHOT_DEFAULTS: SnapshotThresholds = Object.freeze({
  everyEntries: 10_000,
  everyBytes: 64 * 1024 * 1024,
  everyMs: null,
  trailingEntries: 10_000,
})

/** Longest interval that a timer of the platform can wait for, jitter included, ms (H107). */
const MAX_INTERVAL_MS = 2 ** 30

const NOTHING_GIVEN: ResolvedSnapshotPolicy = Object.freeze({
  ...SNAPSHOT_DEFAULTS,
  isGiven: Object.freeze({ everyEntries: false, everyBytes: false }),
})

/**
 * @param base - where nothing is given
 * @throws RaftError RAFT_INVALID_OPTION naming the key and the value
 */
export function resolveSnapshotPolicy(
  given: SnapshotPolicy,
  base: ResolvedSnapshotPolicy = NOTHING_GIVEN,
): ResolvedSnapshotPolicy {
  if (typeof given !== 'object' || given === null) refuse(`snapshot is ${String(given)}: give an object`)
  for (const key of Object.keys(given)) {
    if (key in SNAPSHOT_DEFAULTS) continue
    refuse(`there is no snapshot policy '${key}': known are ${Object.keys(SNAPSHOT_DEFAULTS).join(', ')}`)
  }
  const everyEntries = countOf('everyEntries', given, 1) ?? base.everyEntries
  const everyBytes = countOf('everyBytes', given, 1) ?? base.everyBytes
  const trailingEntries = countOf('trailingEntries', given, 0) ?? base.trailingEntries
  const everyMs = given.everyMs === undefined ? base.everyMs : intervalOf(given.everyMs)
  const isGiven = {
    everyEntries: base.isGiven.everyEntries || given.everyEntries !== undefined,
    everyBytes: base.isGiven.everyBytes || given.everyBytes !== undefined,
  }
  return Object.freeze({ everyEntries, everyBytes, everyMs, trailingEntries, isGiven })
}

/** What was applied since the last snapshot, and how large that was. */
export interface SinceSnapshot {
  readonly entries: number
  /** Payload of the entries. */
  readonly bytes: number
  readonly snapshotBytes: number
}

/**
 * Whether the policy asks for a snapshot by entries or bytes. With what is assumed a node never writes more for its snapshots than
 * about what it wrote for its log, however large the state is.
 */
export function isDueBySize(policy: ResolvedSnapshotPolicy, since: SinceSnapshot): boolean {
  const { entries, bytes, snapshotBytes } = since
  const isWorthIt = bytes + entries * ENTRY_COST_BYTES >= snapshotBytes
  return (
    (entries >= policy.everyEntries && (isWorthIt || policy.isGiven.everyEntries)) ||
    (bytes >= policy.everyBytes && (isWorthIt || policy.isGiven.everyBytes))
  )
}

/** Null for none. */
function intervalOf(everyMs: number): number | null {
  if (everyMs === Number.POSITIVE_INFINITY) return null
  if (typeof everyMs === 'number' && everyMs >= 1 && everyMs <= MAX_INTERVAL_MS) return everyMs
  refuse(`snapshot.everyMs is ${String(everyMs)}: use milliseconds from 1 to ${MAX_INTERVAL_MS}, or Infinity for none`)
}

function countOf(
  name: 'everyEntries' | 'everyBytes' | 'trailingEntries',
  given: SnapshotPolicy,
  least: number,
): number | undefined {
  const value = given[name]
  if (value === undefined || value === Number.POSITIVE_INFINITY) return value
  if (Number.isSafeInteger(value) && value >= least) return value
  refuse(`snapshot.${name} is ${String(value)}: use a whole number from ${least}, or Infinity`)
}

function refuse(message: string): never {
  throw new RaftError('RAFT_INVALID_OPTION', message)
}
