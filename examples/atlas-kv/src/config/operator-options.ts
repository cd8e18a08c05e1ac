// The words of atlasctl that look after a running cluster: status, members, transfer-leader, snapshot. Checked before
// anything is asked; touches nothing.
import type { Flags, FlagSpec } from './flags.js'
import { quote } from './flags.js'
import { UsageError } from './usage-error.js'
import type { Address } from './values.js'
import { addressOf } from './values.js'

interface Asked {
  /** HTTP of the node to ask. */
  readonly node: Address
}

export interface StatusCommand extends Asked {
  readonly command: 'status'
  /** Again and again, until it is ended. */
  readonly watch: boolean
}

/** What can be asked for of a running cluster. */
export type OperatorCommand =
  | StatusCommand
  | (Asked & { readonly command: 'members list' | 'snapshot' })
  | (Asked & {
      readonly command: 'members add'
      readonly id: string
      readonly address: string
      readonly suffrage: 'voter' | 'learner'
    })
  | (Asked & { readonly command: 'members update'; readonly id: string; readonly address: string })
  | (Asked & { readonly command: 'members remove'; readonly id: string; readonly force: boolean })
  | (Asked & { readonly command: 'members promote' | 'members demote'; readonly id: string })
  | (Asked & { readonly command: 'transfer-leader'; readonly id: string | null })

interface OperatorSpec {
  readonly usage: string
  readonly flags: readonly FlagSpec[]
}

const ADDR: FlagSpec = {
  name: 'addr',
  kind: 'value',
  placeholder: 'HOST:PORT',
  help: 'HTTP of any node (default 127.0.0.1:8080)',
}

export const OPERATOR_COMMANDS = {
  status: {
    usage: 'status           a row for each member and a verdict; exit 1 when something is wrong',
    flags: [ADDR, { name: 'watch', kind: 'boolean', help: 'every second, until Ctrl+C (default false)' }],
  },
  members: {
    usage: 'members list | add ID HOST:PORT | update ID HOST:PORT | remove ID | promote ID | demote ID',
    flags: [
      ADDR,
      { name: 'learner', kind: 'boolean', help: 'add: without a vote (default false)' },
      { name: 'force', kind: 'boolean', help: 'remove: though too few others are reachable (default false)' },
    ],
  },
  'transfer-leader': { usage: 'transfer-leader [ID]   to that voter, or to the best one', flags: [ADDR] },
  snapshot: { usage: 'snapshot         of the state of that node', flags: [ADDR] },
} as const satisfies Record<string, OperatorSpec>

/** @param words - the command, then what belongs to it. Throws UsageError. */
export function resolveOperatorCommand(
  name: keyof typeof OPERATOR_COMMANDS,
  words: readonly string[],
  flags: Flags,
): OperatorCommand {
  const node = addressOf(flags.get('addr') ?? '127.0.0.1:8080', '--addr')
  const given = words.slice(1)
  switch (name) {
    case 'status':
      take(given, [], 'atlasctl status [--watch]')
      return { command: name, node, watch: flags.get('watch') === 'true' }
    case 'snapshot':
      take(given, [], 'atlasctl snapshot')
      return { command: name, node }
    case 'transfer-leader':
      if (given.length > 0) take(given, ['ID'], 'atlasctl transfer-leader [ID]')
      return { command: name, node, id: given[0] ?? null }
    case 'members':
      return membersCommand(given, flags, node)
  }
}

function membersCommand(given: readonly string[], flags: Flags, node: Address): OperatorCommand {
  const [action, ...rest] = given
  const isLearner = flags.get('learner') === 'true'
  const force = flags.get('force') === 'true'
  if (isLearner && action !== 'add') throw new UsageError('--learner belongs to members add')
  if (force && action !== 'remove') throw new UsageError('--force belongs to members remove')
  switch (action) {
    case 'list':
      take(rest, [], 'atlasctl members list')
      return { command: 'members list', node }
    case 'add': {
      const [id, address] = take(rest, ['ID', 'HOST:PORT'], 'atlasctl members add ID HOST:PORT [--learner]')
      addressOf(address ?? '', 'the address')
      return {
        command: 'members add',
        node,
        id: id ?? '',
        address: address ?? '',
        suffrage: isLearner ? 'learner' : 'voter',
      }
    }
    case 'update': {
      const [id, address] = take(rest, ['ID', 'HOST:PORT'], 'atlasctl members update ID HOST:PORT')
      addressOf(address ?? '', 'the address')
      return { command: 'members update', node, id: id ?? '', address: address ?? '' }
    }
    case 'remove': {
      const [id] = take(rest, ['ID'], 'atlasctl members remove ID [--force]')
      return { command: 'members remove', node, id: id ?? '', force }
    }
    case 'promote':
    case 'demote': {
      const [id] = take(rest, ['ID'], `atlasctl members ${action} ID`)
      return { command: `members ${action}`, node, id: id ?? '' }
    }
    default: {
      const seen = action === undefined ? 'members needs an action' : `unknown action ${quote(action)} of members`
      throw new UsageError(`${seen}: list, add, update, remove, promote or demote`)
    }
  }
}

function take(words: readonly string[], names: readonly string[], usage: string): readonly string[] {
  if (words.length === names.length) return words
  const missing = names[words.length]
  const what =
    missing === undefined ? `unexpected argument ${quote(words[names.length] ?? '')}` : `${missing} is missing`
  throw new UsageError(`${what}: ${usage}`)
}
