// A cluster as a table: what each member says of itself, what the leader says of it, and a verdict.
import type { RaftStatus } from 'helios-raft'
import type { Address } from '../config/values.js'
import { ask, type MemberRow, type NodesAnswer } from './admin-client.js'
import { formatTable } from './table.js'

/** A member that takes longer does not answer. */
const ANSWER_MS = 2_000

type Told = Pick<RaftStatus, 'role' | 'currentTerm' | 'commitIndex' | 'lastApplied' | 'ready' | 'quorumOk'>

/** @param node - HTTP of any member. Throws StartError when it does not answer */
export async function clusterStatus(node: Address): Promise<{ text: string; isHealthy: boolean }> {
  const cluster = (await ask(node, 'GET', '/admin/nodes')) as NodesAnswer
  const told = await Promise.all(cluster.nodes.map(async ({ http }) => (http === null ? null : statusOf(http))))
  const rows = cluster.nodes.map((member, i) => row(member, told[i] ?? null))
  const titles = ['node', 'address', 'state', 'voter', 'term', 'commit', 'applied', 'lag', 'last contact']
  const problems = problemsOf(cluster, told)
  const verdict =
    problems.length > 0
      ? `unhealthy: ${problems.join('; ')}`
      : `healthy: all ${cluster.nodes.length} members answer, ${cluster.leader} leads in term ${cluster.term}`
  const change = cluster.isJoint ? '\nchanging: old and new voters must agree until the change is committed' : ''
  return { text: `${formatTable(titles, rows)}${change}\n${verdict}`, isHealthy: problems.length === 0 }
}

/** Null when it does not answer. */
async function statusOf(http: string): Promise<Told | null> {
  try {
    const response = await fetch(`http://${http}/admin/status`, { signal: AbortSignal.timeout(ANSWER_MS) })
    return response.ok ? ((await response.json()) as Told) : null
  } catch {
    return null
  }
}

function row(member: MemberRow, told: Told | null): readonly string[] {
  const { id, address, suffrage, change, replication, lag, lastContactMs } = member
  return [
    id,
    address,
    told?.role ?? (member.http === null ? 'unknown' : 'no answer'),
    change || (suffrage === 'voter' ? 'yes' : 'no'),
    shown(told?.currentTerm),
    shown(told?.commitIndex),
    shown(told?.lastApplied),
    // The state is on its way, and the entries after it.
    replication === 'snapshot' ? `${shown(lag)} (snapshot)` : shown(lag),
    lastContactMs === null ? '-' : `${lastContactMs} ms`,
  ]
}

function shown(value: number | null | undefined): string {
  return value === null || value === undefined ? '-' : String(value)
}

function problemsOf({ leader, nodes, seenBy }: NodesAnswer, told: readonly (Told | null)[]): readonly string[] {
  const problems: string[] = []
  if (nodes.length === 0) problems.push('the node that was asked is in no cluster')
  else if (!nodes.some(({ id }) => id === seenBy))
    problems.push(`${seenBy}, which was asked, is not a member of the cluster (any more): ask another node with --addr`)
  else if (leader === null) problems.push('there is no leader')
  for (const [i, { id, http, isLeader }] of nodes.entries()) {
    const status = told[i] ?? null
    if (http === null) problems.push(`${id} has told no HTTP address`)
    else if (status === null) problems.push(`${id} does not answer`)
    else if (!status.ready) problems.push(`${id} is not ready`)
    else if (isLeader && !status.quorumOk) problems.push(`${id} leads without a quorum`)
  }
  return problems
}
