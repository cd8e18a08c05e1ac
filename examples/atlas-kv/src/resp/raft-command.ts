// RAFT and its subcommands, and Redis's BGSAVE and LASTSAVE: the life of the cluster from redis-cli (atlas.md §3).
import type { Administration } from '../admin/administration.js'
import type { NodeView } from '../admin/node-view.js'
import { isReadConsistency, READ_CONSISTENCY_NAMES } from '../config/read-consistency.js'
import { isRaftError } from 'helios-raft'
import { HttpError } from '../http/http-error.js'
import type { Arguments } from './arguments.js'
import { argument, CommandError, SYNTAX_ERROR, unknownSubcommand, wordAt, wrongArity } from './arguments.js'
import type { CommandSpec } from './command-spec.js'
import { changeStep } from './consistency-commands.js'
import { raftStatusText } from './info.js'
import { LOADING, raftErrorLine } from './raft-errors.js'
import type { ReplyWriter } from './reply-writer.js'
import type { RespHost, Session } from './session.js'
import type { CallStep, Step } from './step.js'

type Reply = (writer: ReplyWriter) => void

interface Subcommand {
  readonly name: string
  /** Both words counted. */
  readonly minArguments: number
  readonly maxArguments: number
  readonly usage: string
  readonly help: string
  step(args: Arguments, host: RespHost, session: Session): Step
}

const SUBCOMMANDS: readonly Subcommand[] = [
  subcommand('STATUS', 'RAFT STATUS', 'This node: role, term, indexes, members, what it waits for.', (_args, host) =>
    answer((writer) => writer.verbatim(raftStatusText(host))),
  ),
  subcommand(
    'NODES',
    'RAFT NODES',
    'The members, one a line, as the leader sees them; without one, how far they are is not known.',
    (_args, { admin }) => ({
      kind: 'call',
      run: async () => {
        const { nodes } = await admin.members()
        return (writer) => writer.verbatim(nodes.map(nodeLine).join(''))
      },
    }),
  ),
  subcommand(
    'ADD',
    'RAFT ADD id host:port [LEARNER]',
    'Brings a node in; it catches up before it votes.',
    (args, host) => {
      if (args.length === 5 && wordAt(args, 4) !== 'LEARNER') throw new CommandError(SYNTAX_ERROR)
      const suffrage = args.length === 5 ? 'learner' : 'voter'
      return call(host, (admin) => admin.add({ id: textAt(args, 2), address: textAt(args, 3), suffrage }))
    },
  ),
  subcommand(
    'UPDATE',
    'RAFT UPDATE id host:port',
    'A member with its data is dialled there from now on.',
    (args, host) => call(host, (admin) => admin.update(textAt(args, 2), textAt(args, 3))),
  ),
  subcommand(
    'REMOVE',
    'RAFT REMOVE id [FORCE]',
    'Takes a member out; stop its process afterwards. FORCE: though too few of the others are reachable.',
    (args, host) => {
      if (args.length === 4 && wordAt(args, 3) !== 'FORCE') throw new CommandError(SYNTAX_ERROR)
      return call(host, (admin) => admin.remove(textAt(args, 2), { force: args.length === 4 }))
    },
  ),
  subcommand('PROMOTE', 'RAFT PROMOTE id', 'A learner votes as soon as it has caught up.', (args, host) =>
    call(host, (admin) => admin.promote(textAt(args, 2))),
  ),
  subcommand('DEMOTE', 'RAFT DEMOTE id', 'A voter becomes a learner.', (args, host) =>
    call(host, (admin) => admin.demote(textAt(args, 2))),
  ),
  subcommand('TRANSFER', 'RAFT TRANSFER [id]', 'Leadership moves to that voter, or to the best one.', (args, host) =>
    call(host, (admin) => admin.transfer(args.length === 3 ? textAt(args, 2) : undefined)),
  ),
  subcommand('SNAPSHOT', 'RAFT SNAPSHOT', 'Saves the state of this node; answers with its index.', (_args, host) =>
    call(
      host,
      (admin) => admin.snapshot(),
      (writer, { lastIncludedIndex }) => writer.integer(lastIncludedIndex),
    ),
  ),
  subcommand(
    'CONSISTENCY',
    'RAFT CONSISTENCY [linearizable|lease|local]',
    'How fresh the reads of this connection are from now on; tells it when it is not given.',
    consistency,
  ),
  subcommand('HELP', 'RAFT HELP', 'Prints this.', () => answer(writeHelp)),
]

export const RAFT_COMMANDS: readonly CommandSpec[] = [
  { name: 'raft', arity: -2, keys: [0, 0, 0], flags: ['admin', 'loading', 'stale'], step: raft },
  { name: 'bgsave', arity: -1, keys: [0, 0, 0], flags: ['admin', 'stale'], step: backgroundSave },
  {
    name: 'lastsave',
    arity: 1,
    keys: [0, 0, 0],
    flags: ['loading', 'stale', 'fast'],
    step: (_args, { host }) => answer((writer) => writer.integer(host.admin.lastSaveAt)),
  },
]

function raft(args: Arguments, session: Session): Step {
  const name = wordAt(args, 1)
  const found = SUBCOMMANDS.find((candidate) => candidate.name === name)
  if (found === undefined) throw unknownSubcommand(args, 'RAFT')
  if (args.length < found.minArguments || args.length > found.maxArguments) {
    throw new CommandError(`${wrongArity(`raft|${name.toLowerCase()}`).message}: ${found.usage}`)
  }
  return found.step(args, session.host, session)
}

function consistency(args: Arguments, host: RespHost, session: Session): Step {
  if (args.length === 2) {
    return changeStep((writer) => writer.string(session.readConsistency ?? host.settings.readConsistency))
  }
  const level = textAt(args, 2).toLowerCase()
  if (!isReadConsistency(level)) {
    throw new CommandError(`ERR unknown consistency '${level.slice(0, 128)}': use ${READ_CONSISTENCY_NAMES}`)
  }
  return changeStep((writer) => {
    session.readConsistency = level
    writer.simple('OK')
  })
}

/** Answers at once, as Redis does; LASTSAVE tells when it is done. */
function backgroundSave(args: Arguments, { host }: Session): Step {
  if (args.length > 2 || (args.length === 2 && wordAt(args, 1) !== 'SCHEDULE')) throw new CommandError(SYNTAX_ERROR)
  return answer((writer) => {
    if (host.isLoading) return writer.error(LOADING)
    if (host.admin.isSaving) return writer.error('ERR Background save already in progress')
    host.admin.snapshot().catch((error: unknown) => host.report(error))
    writer.simple('Background saving started')
  })
}

/** The bounds of the arguments are read from the usage: a word in brackets may be left out. */
function subcommand(name: string, usage: string, help: string, step: Subcommand['step']): Subcommand {
  const words = usage.split(' ')
  const minArguments = words.filter((word) => !word.startsWith('[')).length
  return { name, minArguments, maxArguments: words.length, usage, help, step }
}

function answer(reply: Reply): Step {
  return { kind: 'answer', reply }
}

/** Answered with OK unless `reply` says otherwise. */
function call<T>(
  host: RespHost,
  ask: (admin: Administration) => Promise<T>,
  reply: (writer: ReplyWriter, value: T) => void = (writer) => writer.simple('OK'),
): CallStep {
  return {
    kind: 'call',
    run: async () => {
      if (host.isLoading) return (writer) => writer.error(LOADING)
      try {
        const value = await ask(host.admin)
        return (writer) => reply(writer, value)
      } catch (error) {
        const line = errorLine(error)
        if (line.startsWith('ERR internal')) host.report(error)
        return (writer) => writer.error(line)
      }
    },
  }
}

/** The library's own words say what to do; the first word says what is known of the outcome. */
function errorLine(error: unknown): string {
  if (error instanceof HttpError)
    return error.outcome === 'unknown' ? `UNKNOWN ${error.message}` : `ERR ${error.message}`
  if (!isRaftError(error)) return raftErrorLine(error)
  if (error.outcome === 'unknown') return raftErrorLine(error)
  switch (error.code) {
    case 'RAFT_CONFIGURATION_PENDING':
      return 'TRYAGAIN membership change in progress'
    case 'RAFT_TRANSFERRING':
      return 'TRYAGAIN leadership transfer in progress'
    case 'RAFT_NO_LEADER':
    case 'RAFT_NOT_MEMBER':
    case 'RAFT_STOPPED':
    case 'RAFT_OVERLOADED':
      return raftErrorLine(error)
    default:
      return `ERR ${error.message}`
  }
}

function writeHelp(writer: ReplyWriter): void {
  const lines = ['RAFT <subcommand> [<arg> ...]. Subcommands are:']
  for (const { usage, help } of SUBCOMMANDS) lines.push(usage.slice('RAFT '.length), `    ${help}`)
  writer.array(lines.length)
  for (const line of lines) writer.simple(line)
}

function nodeLine(node: NodeView): string {
  const { id, address, suffrage, change, isLeader, http, resp, matchIndex, replication, lag, lastContactMs } = node
  const fields = {
    id,
    addr: address,
    suffrage,
    change: change ?? '',
    leader: isLeader ? 1 : 0,
    replication: replication ?? '',
    match: matchIndex ?? '',
    lag: lag ?? '',
    last_contact_ms: lastContactMs ?? '',
    resp: resp ?? '',
    http: http ?? '',
  }
  const text = Object.entries(fields).map(([name, value]) => `${name}=${value}`)
  return `${text.join(' ')}\n`
}

function textAt(args: Arguments, at: number): string {
  return argument(args, at).toString('utf8')
}
