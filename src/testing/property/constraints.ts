// What the arbitraries assume where nothing is said, and how they refuse what can't be: before anything is generated,
// with the name of the constraint and its value.
import { checkArray } from '../option-checks.js'
import type { NodeId } from '../../core/types.js'
import { RaftError } from '../../errors.js'
import { FAULT_TYPES, type FaultKind } from '../fault-plan.js'

/** Length of a plan and of a workload, ms of the simulation: some election timeouts. */
export const DEFAULT_DURATION_MS = 5_000

/** The nodes of the cluster that `simulate` runs by default. */
export const DEFAULT_NODES: readonly NodeId[] = Object.freeze(['n1', 'n2', 'n3'])

/** Kinds of faults that the contract knows and this version does not have yet. */
const LATER_TYPES: readonly string[] = ['wipe']

/** Largest of every whole number that an arbitrary takes. */
const MAX_NUMBER = 1_000_000_000

export function checkWhole(
  name: string,
  value: number,
  range: { readonly min: number; readonly max?: number },
): number {
  const { min, max = MAX_NUMBER } = range
  if (Number.isInteger(value) && value >= min && value <= max) return value
  throw new RaftError('RAFT_INVALID_OPTION', `${name} is ${String(value)}: use a whole number from ${min} to ${max}`)
}

/** Both ends included. */
export function checkRange(
  name: string,
  range: readonly [number, number],
  bounds: { readonly min: number; readonly max: number },
): { readonly min: number; readonly max: number } {
  const [min, max] = checkArray(name, range, '[min, max]') as readonly [number, number]
  checkWhole(`${name}[0]`, min, bounds)
  checkWhole(`${name}[1]`, max, { min, max: bounds.max })
  return { min, max }
}

export function checkFaultTypes(name: string, types: readonly string[]): readonly FaultKind['type'][] {
  for (const type of types) {
    if ((FAULT_TYPES as readonly string[]).includes(type)) continue
    const reason = LATER_TYPES.includes(type)
      ? `'${type}' is not in this version, which has no wiped disks to simulate`
      : `there is no fault '${type}'`
    throw new RaftError('RAFT_INVALID_OPTION', `${name}: ${reason}; use ${FAULT_TYPES.join(', ')}`)
  }
  return types as readonly FaultKind['type'][]
}

export function checkNodes(name: string, nodes: readonly NodeId[]): readonly NodeId[] {
  if (nodes.length > 0 && new Set(nodes).size === nodes.length && !nodes.includes('leader')) return nodes
  throw new RaftError('RAFT_INVALID_OPTION', `${name} is [${nodes.join(', ')}]: name each node once, and one at least`)
}
