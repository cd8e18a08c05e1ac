// The command line of atlasctl: a command, a file, flags. Checked before anything is opened; touches nothing.
import { join } from 'node:path'
import type { FlagSpec } from './flags.js'
import { parseFlags, quote } from './flags.js'
import { OPERATOR_COMMANDS, type OperatorCommand, resolveOperatorCommand } from './operator-options.js'
import { RECOVER_COMMAND, type RecoverCommand, resolveRecoverCommand } from './recover-options.js'
import { nearest, UsageError } from './usage-error.js'
import type { Address } from './values.js'
import { addressOf, formatAddress, nodeIdOf } from './values.js'

export interface BackupCommand {
  readonly command: 'backup'
  readonly file: string
  /** HTTP of the node to ask. */
  readonly node: Address
  /** Whether `file` may be there already. */
  readonly force: boolean
}

export interface RestoreCommand {
  readonly command: 'restore'
  readonly file: string
  readonly dataDirectory: string
  readonly raftDirectory: string
  readonly nodeId: string
  /** `host:port`. */
  readonly raft: string
}

type FileCommand = (BackupCommand | RestoreCommand)['command']
type Command = FileCommand | RecoverCommand['command'] | keyof typeof OPERATOR_COMMANDS

const VERSION_FLAG: FlagSpec = { name: 'version', kind: 'boolean', help: 'print the version and exit' }
const HELP_FLAG: FlagSpec = { name: 'help', kind: 'boolean', help: 'print this and exit' }

const COMMANDS: Readonly<Record<Command, { readonly usage: string; readonly flags: readonly FlagSpec[] }>> = {
  backup: {
    usage: 'backup FILE      the state of a running cluster into a file, from any of its nodes',
    flags: [
      value('addr', 'HOST:PORT', 'HTTP of a node (default 127.0.0.1:8080)'),
      { name: 'force', kind: 'boolean', help: 'replace FILE when it is there (default false)' },
    ],
  },
  restore: {
    usage: 'restore FILE     a new cluster of one node in an empty directory, from such a file',
    flags: [
      value('data-dir', 'DIR', 'of the node that will be started; needed'),
      value('raft-data-dir', 'DIR', 'where its log lies (default <data-dir>/raft)'),
      value('node-id', 'ID', 'its --raft-node-id (default node-1)'),
      value('raft-addr', 'HOST:PORT', 'its --raft-addr (default 127.0.0.1:7000)'),
    ],
  },
  recover: RECOVER_COMMAND,
  ...OPERATOR_COMMANDS,
}

function value(name: string, placeholder: string, help: string): FlagSpec {
  return { name, kind: 'value', placeholder, help }
}

/** The text of --help. */
export function atlasctlHelp(): string {
  const blocks = Object.values(COMMANDS).map(({ usage, flags }) => `  ${usage}\n${flags.map(line).join('')}`)
  return `usage: atlasctl COMMAND [flags]\n\n${blocks.join('\n')}\n${[VERSION_FLAG, HELP_FLAG].map(line).join('')}`
}

function line({ name, placeholder, help }: FlagSpec): string {
  return `    ${`--${name}${placeholder ? ` ${placeholder}` : ''}`.padEnd(26)} ${help}\n`
}

/** What is to be done, or what was asked for instead. Throws UsageError. */
export function resolveAtlasctlOptions(
  argv: readonly string[],
): BackupCommand | RestoreCommand | RecoverCommand | OperatorCommand | 'help' | 'version' {
  const name = argv.find((word) => !word.startsWith('-'))
  const own = isCommand(name) ? COMMANDS[name].flags : []
  const specs = [...own, VERSION_FLAG, HELP_FLAG]
  const { words, rest } = separated(argv, specs)
  const flags = parseFlags(rest, specs)
  if (flags.get('help') === 'true') return 'help'
  if (flags.get('version') === 'true') return 'version'
  if (name === undefined) throw new UsageError('a command is needed, such as atlasctl status (see --help)')
  if (!isCommand(name)) throw unknownCommand(name)
  if (name === 'recover') return resolveRecoverCommand(words, flags)
  if (name !== 'backup' && name !== 'restore') return resolveOperatorCommand(name, words, flags)
  const [, file, extra] = words
  if (file === undefined || file === '') throw new UsageError(`${name} needs a file: atlasctl ${name} FILE`)
  if (extra !== undefined) throw new UsageError(`unexpected argument ${quote(extra)}: ${name} takes one file`)
  if (name === 'backup') {
    const node = addressOf(flags.get('addr') ?? '127.0.0.1:8080', '--addr')
    return { command: name, file, node, force: flags.get('force') === 'true' }
  }
  const dataDirectory = flags.get('data-dir')
  if (dataDirectory === undefined)
    throw new UsageError('restore needs --data-dir DIR: an empty directory for the new node')
  const raft = addressOf(flags.get('raft-addr') ?? '127.0.0.1:7000', '--raft-addr')
  return {
    command: name,
    file,
    dataDirectory,
    raftDirectory: flags.get('raft-data-dir') ?? join(dataDirectory, 'raft'),
    nodeId: nodeIdOf(flags.get('node-id') ?? 'node-1', '--node-id'),
    raft: formatAddress(raft.host === '' ? { ...raft, host: '0.0.0.0' } : raft),
  }
}

/** Words that are no flag and no value of one, and the others. */
function separated(
  argv: readonly string[],
  specs: readonly FlagSpec[],
): { readonly words: readonly string[]; readonly rest: readonly string[] } {
  const words: string[] = []
  const rest: string[] = []
  let takesValue = false
  for (const word of argv) {
    const isFlag = word.startsWith('-')
    if (isFlag || takesValue) rest.push(word)
    else words.push(word)
    const spec = isFlag ? specs.find(({ name }) => word.replace(/^--?/, '') === name) : undefined
    takesValue = spec?.kind === 'value'
  }
  return { words, rest }
}

function isCommand(name: string | undefined): name is Command {
  return name !== undefined && Object.hasOwn(COMMANDS, name)
}

function unknownCommand(name: string): UsageError {
  const meant = nearest(name, Object.keys(COMMANDS))
  const hint = meant === null ? `there are ${Object.keys(COMMANDS).join(', ')}` : `did you mean ${meant}?`
  return new UsageError(`unknown command ${quote(name)}: ${hint}`)
}
