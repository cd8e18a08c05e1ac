// The options of `simulate` and of SimulatedCluster before anything runs: a wrong one is refused by name, so that it never
// passes for a state machine that fails, or for a simulation that holds. Functions of the user come back guarded.
import type { NodeId } from '../core/types.js'
import { checkFaultPlan, checkTarget } from './fault-checks.js'
import {
  checkArray,
  checkBoolean,
  checkCount,
  checkFunction,
  checkKeys,
  checkMethods,
  checkMs,
  checkObject,
  refuse,
  show,
} from './option-checks.js'
import type { AnyStateMachine, SimulationOptions } from './report.js'
import { resolveSeed } from './seed.js'

const CLUSTER_KEYS = ['stateMachine', 'seed', 'cluster', 'codec']
const SIMULATION_KEYS = [
  ...CLUSTER_KEYS,
  ...['workload', 'query', 'faults', 'invariant', 'model', 'liveness', 'maxEvents', 'shrink', 'signal'],
]

/** The same options, whose functions refuse what they can't give. @throws RaftError RAFT_INVALID_OPTION */
export function checkSimulationOptions<SM extends AnyStateMachine, Query, Answer>(
  options: SimulationOptions<SM, Query, Answer>,
): SimulationOptions<SM, Query, Answer> {
  checkObject('the argument of simulate', options, 'an object with stateMachine and seed')
  checkKeys('simulate', options, SIMULATION_KEYS)
  checkShared(options)
  const { workload, query, faults, invariant, model, liveness, maxEvents, shrink, signal } = options
  if (query !== undefined) checkFunction('query', query, '(stateMachine, query) => answer')
  if (invariant !== undefined) checkFunction('invariant', invariant, '(stateMachine, context) => void, which throws')
  if (workload !== undefined) checkWorkload(workload, query !== undefined)
  if (faults !== undefined) checkFaultPlan(faults)
  if (model !== undefined) checkMethods('model', model, ['init', 'step'])
  if (liveness !== undefined) checkBoolean('liveness', liveness)
  if (shrink !== undefined) checkBoolean('shrink', shrink)
  if (maxEvents !== undefined) checkCount('maxEvents', maxEvents, 1)
  if (signal !== undefined) checkMethods('signal', signal, ['throwIfAborted', 'addEventListener'])
  return { ...options, stateMachine: guardStateMachine(options.stateMachine) }
}

/** @throws RaftError RAFT_INVALID_OPTION */
export function checkClusterOptions(options: {
  readonly stateMachine: unknown
  readonly seed: number | bigint
  readonly cluster?: unknown
}): void {
  checkObject('the argument of SimulatedCluster', options, 'an object with stateMachine and seed')
  checkKeys('SimulatedCluster', options, CLUSTER_KEYS)
  checkShared(options)
}

/** Makes what `make` makes, if it is a state machine and nobody else's. Throws RAFT_INVALID_OPTION if not. */
export function guardStateMachine<SM extends AnyStateMachine>(make: () => SM): () => SM {
  const made = new WeakSet<object>()
  return () => {
    const stateMachine = make()
    checkMethods('what stateMachine() returned', stateMachine, ['apply', 'snapshot', 'restore'])
    if (made.has(stateMachine)) {
      refuse('stateMachine() returned one object twice: make a new one for each node and each restart')
    }
    made.add(stateMachine)
    return stateMachine
  }
}

function checkShared(options: {
  readonly stateMachine: unknown
  readonly seed: number | bigint
  readonly cluster?: unknown
}): void {
  resolveSeed(options.seed)
  checkFunction('stateMachine', options.stateMachine, 'a function that makes one, () => new MyStateMachine()')
  if (options.cluster === undefined) return
  const cluster = checkObject('cluster', options.cluster, 'an object, { voters: 3, options: {} }')
  checkKeys('cluster', cluster, ['voters', 'learners', 'options'])
  const settings = checkObject('cluster.options', cluster.options, 'an object, {} for the defaults')
  checkKeys('cluster.options', settings, ['electionTimeoutMs', 'heartbeatIntervalMs', 'limits', 'snapshot'])
}

function checkWorkload(workload: unknown, hasQuery: boolean): void {
  checkArray('workload', workload, 'an array of steps').forEach((value, at) => {
    const name = `workload[${at}]`
    const step = checkObject(name, value, 'a step, { atMs, client, on, action }')
    checkKeys(name, step, ['atMs', 'client', 'on', 'action'])
    checkMs(`${name}.atMs`, step.atMs)
    checkCount(`${name}.client`, step.client, 0)
    checkTarget(`${name}.on`, step.on, ['leader' satisfies NodeId, 'any'])
    checkAction(`${name}.action`, step.action, hasQuery)
  })
}

function checkAction(name: string, value: unknown, hasQuery: boolean): void {
  const action = checkObject(name, value, "an object, { type: 'propose', command } or { type: 'read', query }")
  const { type, consistency } = action
  if (type === 'propose') return checkKeys(name, action, ['type', 'command'])
  if (type !== 'read') refuse(`${name}.type is ${show(type)}: use 'propose' or 'read'`)
  checkKeys(name, action, ['type', 'query', 'consistency'])
  const levels: readonly unknown[] = [undefined, 'linearizable', 'lease', 'local']
  if (!levels.includes(consistency)) {
    refuse(`${name}.consistency is ${show(consistency)}: use 'linearizable', 'lease' or 'local'`)
  }
  if (!hasQuery) refuse(`${name} is a read, but there is no option query to answer it: give query(stateMachine, query)`)
}
