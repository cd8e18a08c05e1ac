// What a fault must look like, field by field, so that a misspelled one never passes for one that did no harm. What each
// does is in `cluster.ts`.
import type { FaultKind } from './fault-plan.js'
import { checkArray, checkCount, checkKeys, checkMs, checkObject, checkRatio, refuse, show } from './option-checks.js'
import { checkFaultTypes } from './property/constraints.js'

/** Ids that a simulated cluster can have; one of fewer voters lacks some of them, which is no mistake. */
const NODE_ID = /^n[1-7]$/

type FieldCheck = (name: string, value: unknown) => void

const ASKED: Readonly<Record<'via' | 'timeoutMs', FieldCheck>> = {
  via: optional(checkNode),
  timeoutMs: optional(checkMs),
}

/** The fields of each type beside `type`. */
const FIELDS: Readonly<Record<FaultKind['type'], Readonly<Record<string, FieldCheck>>>> = {
  crash: { node: checkTarget, afterEffects: optional((name, value) => checkCount(name, value, 0)) },
  restart: { node: checkTarget },
  stop: { node: checkTarget },
  transfer: { node: checkTarget, to: optional(checkNode) },
  snapshot: { node: checkTarget },
  add: { node: checkNode, suffrage: optional(checkSuffrage), ...ASKED },
  promote: { node: checkTarget, ...ASKED },
  demote: { node: checkTarget, ...ASKED },
  remove: { node: checkTarget, ...ASKED },
  members: { voters: checkMembers, learners: optional(checkNodes), ...ASKED },
  pause: { node: checkTarget, forMs: checkMs },
  suspend: { node: checkTarget, forMs: checkMs },
  resume: { node: checkTarget },
  partition: { groups: checkGroups },
  cut: { from: checkNode, to: checkNode },
  heal: {},
  reset: { nodes: checkPair },
  link: {
    lossRatio: checkRatio,
    duplicateRatio: checkRatio,
    latencyMs: checkSpan,
    damageRatio: optional(checkRatio),
  },
  slowDisk: { node: checkTarget, writeMs: checkSpan },
  failWrite: { node: checkTarget },
  hangDisk: { node: checkTarget },
  fullDisk: { node: checkTarget },
  rotDisk: { node: checkTarget },
  wipeDisk: { node: checkTarget },
  // The cluster knows the range.
  clockRate: { node: checkTarget, ratio: () => {} },
  clog: { from: checkNode, to: checkNode, forMs: checkMs },
  stranger: { node: checkTarget },
}

/** @param name - of the option, for the message. @throws RaftError RAFT_INVALID_OPTION */
export function checkFaultKind(name: string, value: unknown, otherFields: readonly string[] = []): void {
  const fault = checkObject(name, value, 'an object such as { type: "crash", node: "leader" }')
  const [type] = checkFaultTypes(`${name}.type`, [typeof fault.type === 'string' ? fault.type : show(fault.type)])
  if (type === undefined) return
  const fields = FIELDS[type]
  checkKeys(`${name}, a ${type},`, fault, ['type', ...otherFields, ...Object.keys(fields)])
  for (const [field, check] of Object.entries(fields)) check(`${name}.${field}`, fault[field])
  if (fault.from !== undefined && fault.from === fault.to) {
    refuse(`${name} goes from ${show(fault.from)} to itself: name two nodes`)
  }
}

/** With the time at which it happens. @throws RaftError RAFT_INVALID_OPTION */
export function checkFaultPlan(value: unknown): void {
  const plan = checkObject('faults', value, 'a fault plan, { faults: [...] }')
  checkKeys('faults', plan, ['faults'])
  checkArray('faults.faults', plan.faults, 'an array of faults').forEach((fault, at) => {
    const name = `faults.faults[${at}]`
    checkFaultKind(name, fault, ['atMs'])
    checkMs(`${name}.atMs`, (fault as { readonly atMs: unknown }).atMs)
  })
}

/** A node, or a word that stands for one. @throws RaftError RAFT_INVALID_OPTION */
export function checkTarget(name: string, value: unknown, words: readonly string[] = ['leader']): void {
  if (typeof value === 'string' && (NODE_ID.test(value) || words.includes(value))) return
  refuse(`${name} is ${show(value)}: nodes are n1 to n7; use one of them, or ${words.map(show).join(' or ')}`)
}

function checkNode(name: string, value: unknown): void {
  if (!(typeof value === 'string' && NODE_ID.test(value))) refuse(`${name} is ${show(value)}: use a node, n1 to n7`)
}

function checkSuffrage(name: string, value: unknown): void {
  if (value !== 'voter' && value !== 'learner') refuse(`${name} is ${show(value)}: use 'voter' or 'learner'`)
}

function checkMembers(name: string, value: unknown): void {
  checkNodes(name, value)
  if ((value as readonly unknown[]).length === 0) refuse(`${name} is empty: a cluster has at least one voter`)
}

function checkNodes(name: string, value: unknown): void {
  const nodes = checkArray(name, value, "an array of nodes, ['n1', 'n2']")
  nodes.forEach((node, at) => checkNode(`${name}[${at}]`, node))
  if (new Set(nodes).size < nodes.length) refuse(`${name} is [${nodes.join(', ')}]: name each node once`)
}

function checkPair(name: string, value: unknown): void {
  const nodes = checkArray(name, value, 'two nodes')
  nodes.forEach((node, at) => checkNode(`${name}[${at}]`, node))
  if (nodes.length !== 2 || nodes[0] === nodes[1]) refuse(`${name} is [${nodes.join(', ')}]: name two nodes`)
}

function checkGroups(name: string, value: unknown): void {
  const seen = new Set<unknown>()
  checkArray(name, value, "an array of groups, [['n1'], ['n2', 'n3']]").forEach((group, at) => {
    checkArray(`${name}[${at}]`, group, 'an array of nodes').forEach((node, place) => {
      checkNode(`${name}[${at}][${place}]`, node)
      if (seen.has(node)) refuse(`${name} has ${show(node)} twice: a node is in one group`)
      seen.add(node)
    })
  })
}

function checkSpan(name: string, value: unknown): void {
  const span = checkArray(name, value, '[min, max]')
  if (span.length !== 2) refuse(`${name} has ${span.length} numbers: use [min, max]`)
  const [min, max] = [checkMs(`${name}[0]`, span[0]), checkMs(`${name}[1]`, span[1])]
  if (min > max) refuse(`${name} is [${min}, ${max}]: the smaller one comes first`)
}

function optional(check: FieldCheck): FieldCheck {
  return (name, value) => {
    if (value !== undefined) check(name, value)
  }
}
