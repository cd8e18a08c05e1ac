// Fault plans: episodes of a fault and, mostly, its end. Shrinks towards no faults, early ones, and faults without an end.
import { checkKeys } from '../option-checks.js'
import type { Arbitrary } from 'fast-check'
import type { NodeId } from '../../core/types.js'
import { FAULT_TYPES, type Fault, type FaultKind, type FaultPlan } from '../fault-plan.js'
import { arbFaultKind, endOf } from './arb-fault.js'
import { checkFaultTypes, checkNodes, checkWhole, DEFAULT_DURATION_MS, DEFAULT_NODES } from './constraints.js'
import { fastCheckFor } from './fast-check.js'

export interface FaultPlanConstraints {
  /** No fault happens later, ms. @defaultValue 5_000 */
  durationMs?: number | undefined
  /** @defaultValue 8 */
  maxFaults?: number | undefined
  /** Whom faults may name beside `leader`; those that the cluster doesn't have are hit by nothing. @defaultValue n1, n2, n3 */
  nodes?: readonly NodeId[] | undefined
  /** @defaultValue every type that there is */
  types?: readonly Fault['type'][] | undefined
}

/** What `arbFaultPlan` assumes for `maxFaults`. */
const DEFAULT_MAX_FAULTS = 8

/**
 * Plans for `simulate`: in the order of their times, of whole milliseconds, with ends for most of what can end (a crash
 * is followed by a restart, a partition by a heal), where `types` has what ends it. Plain data: what fast-check prints
 * can be pasted back.
 *
 * @throws RaftError RAFT_INVALID_OPTION: a constraint is wrong, or fast-check is not installed
 */
export function arbFaultPlan(constraints: FaultPlanConstraints = {}): Arbitrary<FaultPlan> {
  const fc = fastCheckFor('arbFaultPlan')
  checkKeys('arbFaultPlan', constraints, ['durationMs', 'maxFaults', 'nodes', 'types'])
  const durationMs = checkWhole('durationMs', constraints.durationMs ?? DEFAULT_DURATION_MS, { min: 0 })
  const maxFaults = checkWhole('maxFaults', constraints.maxFaults ?? DEFAULT_MAX_FAULTS, { min: 0 })
  const nodes = checkNodes('nodes', constraints.nodes ?? DEFAULT_NODES)
  const types = checkFaultTypes('types', constraints.types ?? FAULT_TYPES)
  const kind = arbFaultKind(fc, { nodes, types })
  if (kind === null) return fc.constant({ faults: [] })
  const time = fc.integer({ min: 0, max: durationMs })
  const episode = fc.record({ kind, atMs: time, lastsMs: fc.option(time), otherNode: fc.constantFrom(...nodes) })
  return fc.array(episode, { maxLength: maxFaults }).map((episodes) => {
    const faults = episodes.flatMap((one) => faultsOf(one, { types, durationMs })).slice(0, maxFaults)
    return { faults: faults.sort((a, b) => a.atMs - b.atMs) }
  })
}

interface Episode {
  readonly kind: FaultKind
  readonly atMs: number
  /** Null: it has no end. */
  readonly lastsMs: number | null
  readonly otherNode: NodeId
}

function faultsOf(
  { kind, atMs, lastsMs, otherNode }: Episode,
  { types, durationMs }: { readonly types: readonly string[]; readonly durationMs: number },
): readonly Fault[] {
  const fault: Fault = { atMs, ...kind }
  const endMs = atMs + (lastsMs ?? Number.POSITIVE_INFINITY)
  if (endMs > durationMs) return [fault]
  const ends = endOf(kind, otherNode).filter(({ type }) => types.includes(type))
  return [fault, ...ends.map((end): Fault => ({ atMs: endMs, ...end }))]
}
