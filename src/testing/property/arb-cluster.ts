// The shape of a cluster: its size, its timings, its limits. Shrinks towards few voters and the default options.
import { checkKeys } from '../option-checks.js'
import type { Arbitrary } from 'fast-check'
import { RaftError } from '../../errors.js'
import type { Limits } from '../../node/options.js'
import { MAX_VOTERS } from '../cluster-shape.js'
import type { ClusterShape } from '../fault-plan.js'
import { checkRange } from './constraints.js'
import { fastCheckFor, type FastCheck } from './fast-check.js'

export interface ClusterConstraints {
  /** Both ends included, 1 to 7. @defaultValue [1, 5] */
  voters?: readonly [min: number, max: number] | undefined
  /** Both ends included; fewer where the voters leave no room. @defaultValue [0, 0] */
  learners?: readonly [min: number, max: number] | undefined
}

/** Pairs that a node accepts; the first stands for the defaults. */
const TIMINGS = [
  {},
  { electionTimeoutMs: 150, heartbeatIntervalMs: 50 },
  { electionTimeoutMs: 300, heartbeatIntervalMs: 75 },
  { electionTimeoutMs: 1000, heartbeatIntervalMs: 200 },
] as const

/**
 * Clusters for `simulate` and `SimulatedCluster`. Small limits come often, so that windows fill and batches split in a
 * short run.
 *
 * @throws RaftError RAFT_INVALID_OPTION: a constraint is wrong, or fast-check is not installed
 */
export function arbCluster(constraints: ClusterConstraints = {}): Arbitrary<ClusterShape> {
  const fc = fastCheckFor('arbCluster')
  checkKeys('arbCluster', constraints, ['voters', 'learners'])
  const voters = checkRange('voters', constraints.voters ?? [1, 5], { min: 1, max: MAX_VOTERS })
  const learners = checkRange('learners', constraints.learners ?? [0, 0], { min: 0, max: MAX_VOTERS })
  if (voters.max + learners.min > MAX_VOTERS) {
    const message = `voters up to ${voters.max} and learners from ${learners.min} are too many: a cluster has at most ${MAX_VOTERS} nodes`
    throw new RaftError('RAFT_INVALID_OPTION', message)
  }
  const sizes = fc.tuple(fc.integer(voters), fc.integer(learners))
  return fc.tuple(sizes, fc.constantFrom(...TIMINGS), arbLimits(fc)).map(([[count, more], timings, limits]) => {
    const given = Object.keys(limits).length === 0 ? {} : { limits }
    return { voters: count, learners: Math.min(more, MAX_VOTERS - count), options: { ...timings, ...given } }
  })
}

/** Each limit is left at its default, which is where it shrinks to, or small. */
function arbLimits(fc: FastCheck): Arbitrary<Limits> {
  const small = (...values: readonly number[]): Arbitrary<number | undefined> => fc.constantFrom(undefined, ...values)
  return fc
    .record({
      appendEntries: small(1, 2, 8),
      appendBytes: small(64, 1024),
      inflightMessages: small(1, 2, 4),
      inflightBytes: small(256, 4096),
    })
    .map((limits) => Object.fromEntries(Object.entries(limits).filter(([, value]) => value !== undefined)))
}
