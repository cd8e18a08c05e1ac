// What atlasctl asks of a running cluster over HTTP, and how it shows the answers.
import type { OperatorCommand } from '../config/operator-options.js'
import { StartError } from '../config/usage-error.js'
import { formatAddress } from '../config/values.js'
import { ask, type NodesAnswer } from './admin-client.js'
import { clusterStatus } from './cluster-status.js'
import { formatTable } from './table.js'

/**
 * @param signal - gives up waiting for the answer; a change that was asked for goes on in the cluster, and the error says so
 * @returns what is to be printed, and whether all is well. Throws StartError
 */
export async function runOperatorCommand(
  command: OperatorCommand,
  signal?: AbortSignal,
): Promise<{ text: string; isHealthy: boolean }> {
  try {
    return await answerTo(command, signal)
  } catch (error) {
    if (signal?.aborted !== true) throw error
    const reason = signal.reason instanceof Error ? signal.reason.message : 'interrupted'
    throw new StartError(`${reason}: ${whatGoesOn(command)}`, { cause: error })
  }
}

/** Nobody calls off what the cluster has begun because its client went away. */
function whatGoesOn(command: OperatorCommand): string {
  const addr = `--addr ${formatAddress(command.node)}`
  switch (command.command) {
    case 'status':
    case 'members list':
      return 'nothing was changed'
    case 'members add':
      return (
        `the cluster goes on to add ${command.id}; see npx atlasctl members list ${addr}, ` +
        `or call it off: npx atlasctl members remove ${command.id} ${addr}`
      )
    default:
      return `what was asked for may still happen: see npx atlasctl status ${addr}`
  }
}

async function answerTo(
  command: OperatorCommand,
  signal: AbortSignal | undefined,
): Promise<{ text: string; isHealthy: boolean }> {
  const { node } = command
  switch (command.command) {
    case 'status':
      return clusterStatus(node)
    case 'members list':
      return done(membersTable((await ask(node, 'GET', '/admin/nodes', { signal })) as NodesAnswer))
    case 'members add': {
      const { id, address, suffrage } = command
      await ask(node, 'POST', '/admin/nodes', { body: { id, address, suffrage }, signal })
      return done(`${id} is a ${suffrage}`)
    }
    case 'members update': {
      const { id, address } = command
      await ask(node, 'PATCH', pathOf(id), { body: { address }, signal })
      return done(`${id} is at ${address}`)
    }
    case 'members remove':
      await ask(node, 'DELETE', `${pathOf(command.id)}${command.force ? '?force=true' : ''}`, { signal })
      return done(`${command.id} is no member any more: stop it, if it runs`)
    case 'members promote':
      await ask(node, 'POST', `${pathOf(command.id)}/promote`, { signal })
      return done(`${command.id} is a voter`)
    case 'members demote':
      await ask(node, 'POST', `${pathOf(command.id)}/demote`, { signal })
      return done(`${command.id} is a learner`)
    case 'transfer-leader': {
      const body = command.id === null ? {} : { to: command.id }
      const { leader } = (await ask(node, 'POST', '/admin/transfer', { body, signal })) as {
        readonly leader: string | null
      }
      return done(`${leader ?? command.id ?? 'another node'} leads`)
    }
    case 'snapshot': {
      const { index } = (await ask(node, 'POST', '/admin/snapshot', { signal })) as { readonly index: number }
      return done(`the state of index ${index} is saved`)
    }
  }
}

function membersTable({ nodes }: NodesAnswer): string {
  const rows = nodes.map(({ id, address, suffrage, change, isLeader, http, resp, replication, lag }) => {
    const vote = change ? `${suffrage}, ${change}` : suffrage
    const behind = lag === null ? '-' : `${lag}${replication === 'snapshot' ? ' (snapshot)' : ''}`
    return [id, address, vote, isLeader ? 'leader' : '', behind, resp ?? '-', http ?? '-']
  })
  return formatTable(['node', 'address', 'suffrage', 'role', 'lag', 'resp', 'http'], rows)
}

function pathOf(id: string): string {
  return `/admin/nodes/${encodeURIComponent(id)}`
}

function done(text: string): { readonly text: string; readonly isHealthy: true } {
  return { text, isHealthy: true }
}
