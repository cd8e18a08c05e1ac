// What atlasctl asks of a running cluster over HTTP, and how it shows the answers.
import type { OperatorCommand } from '../config/operator-options.js'
import { ask, type NodesAnswer } from './admin-client.js'
import { clusterStatus } from './cluster-status.js'
import { formatTable } from './table.js'

/** @returns what is to be printed, and whether all is well. Throws StartError */
export async function runOperatorCommand(command: OperatorCommand): Promise<{ text: string; isHealthy: boolean }> {
  const { node } = command
  switch (command.command) {
    case 'status':
      return clusterStatus(node)
    case 'members list':
      return done(membersTable((await ask(node, 'GET', '/admin/nodes')) as NodesAnswer))
    case 'members add': {
      const { id, address, suffrage } = command
      await ask(node, 'POST', '/admin/nodes', { id, address, suffrage })
      return done(`${id} is a ${suffrage}`)
    }
    case 'members remove':
      await ask(node, 'DELETE', pathOf(command.id))
      return done(`${command.id} is no member any more: stop it, if it runs`)
    case 'members promote':
      await ask(node, 'POST', `${pathOf(command.id)}/promote`)
      return done(`${command.id} is a voter`)
    case 'members demote':
      await ask(node, 'POST', `${pathOf(command.id)}/demote`)
      return done(`${command.id} is a learner`)
    case 'transfer-leader': {
      const body = command.id === null ? {} : { to: command.id }
      const { leader } = (await ask(node, 'POST', '/admin/transfer', body)) as { readonly leader: string | null }
      return done(`${leader ?? command.id ?? 'another node'} leads`)
    }
    case 'snapshot': {
      const { index } = (await ask(node, 'POST', '/admin/snapshot')) as { readonly index: number }
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
