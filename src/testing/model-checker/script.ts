// A counterexample as text: one step a line, each followed by what it made of the cluster.
import { localActionText } from './action.js'
import type { Broken } from './invariants.js'
import { nodeId } from './model.js'
import { messageText, type Packet } from './packet.js'
import type { NodeFacts, Tables } from './tables.js'

/** A step as the search remembers it. */
export interface ScriptStep {
  /** Position of the node. */
  readonly node: number
  readonly code: number
  /** Numbers of the nodes' states after it. */
  readonly nodes: readonly number[]
  readonly sent: readonly number[]
}

/** What stands above the steps. */
export interface ScriptHead {
  /** Which model, and which guard is removed. */
  readonly title: string
  /** Numbers of the nodes' states before the first step. */
  readonly first: readonly number[]
}

/** The whole way from the start. */
export function scriptText(tables: Tables, head: ScriptHead, steps: readonly ScriptStep[], broken: Broken): string {
  const clusterLine = (nodes: readonly number[]): string =>
    `     ${nodes.map((node) => nodeLine(tables.nodes[node] as NodeFacts)).join('   ')}`
  const lines = [`# ${head.title}`, clusterLine(head.first)]
  steps.forEach((step, at) => {
    lines.push(`${at + 1}. ${actionText(tables, step)}`)
    for (const packet of step.sent) lines.push(`     sends ${packetText(tables.packets[packet] as Packet)}`)
    lines.push(clusterLine(step.nodes))
  })
  lines.push(`violated: ${broken.invariant}: ${broken.detail}`)
  return lines.join('\n')
}

function actionText(tables: Tables, { node, code }: ScriptStep): string {
  const action = tables.action(code)
  if (action.type === 'local') return localActionText(nodeId(node), action.action)
  const late = action.isLate ? ', after a silence' : ''
  return `${nodeId(action.packet.to)} receives from ${nodeId(action.packet.from)}${late}: ${messageText(action.packet.message)}`
}

function packetText({ to, message }: Packet): string {
  return `to ${nodeId(to)}: ${messageText(message)}`
}

/** Role, term and vote, log with what is committed before the bar, and what of it is on disk where that differs. */
function nodeLine({ state, term, terms, commitIndex, durableTerms }: NodeFacts): string {
  const { node, core, disk } = state
  const log = `${terms.slice(0, commitIndex).join(' ')}|${terms.slice(commitIndex).join(' ')}`
  const isDurable = durableTerms.join() === terms.join() && disk.hardState.currentTerm === term
  const onDisk = isDurable ? '' : ` disk ${disk.hardState.currentTerm}:[${durableTerms.join(' ')}]`
  return `${nodeId(node)} ${core.role} term ${term} vote ${core.votedFor ?? '-'} [${log}]${onDisk}`
}
