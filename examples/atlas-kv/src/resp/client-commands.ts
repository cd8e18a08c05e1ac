// CLIENT and its subcommands: what a connection says of itself and of the others. Names are checked, so that a line of
// CLIENT LIST stays a line.
import type { Arguments } from './arguments.js'
import { argument, CommandError, checkedName, SYNTAX_ERROR, wordAt } from './arguments.js'
import type { ReplyWriter } from './reply-writer.js'
import type { Session } from './session.js'

interface Subcommand {
  /** As in the command table, both words counted. */
  readonly arity: number
  reply(args: Arguments, session: Session): (writer: ReplyWriter) => void
}

export const CLIENT_SUBCOMMANDS: ReadonlyMap<string, Subcommand> = new Map<string, Subcommand>([
  ['id', { arity: 2, reply: (_args, session) => (writer) => writer.integer(session.id) }],
  ['info', { arity: 2, reply: (_args, session) => (writer) => writer.verbatim(`${clientLine(session)}\n`) }],
  ['list', { arity: -2, reply: list }],
  [
    'getname',
    {
      arity: 2,
      reply: (_args, session) => (writer) => (session.name === '' ? writer.null() : writer.string(session.name)),
    },
  ],
  ['setname', { arity: 3, reply: setName }],
  ['setinfo', { arity: 4, reply: setInfo }],
])

function list(args: Arguments, session: Session): (writer: ReplyWriter) => void {
  if (args.length > 2) throw new CommandError(SYNTAX_ERROR)
  return (writer) => {
    const lines = [...session.host.sessions()].map((other) => `${clientLine(other)}\n`)
    writer.verbatim(lines.join(''))
  }
}

function setName(args: Arguments, session: Session): (writer: ReplyWriter) => void {
  const name = checkedName(argument(args, 2))
  return (writer) => {
    session.name = name
    writer.simple('OK')
  }
}

function setInfo(args: Arguments, session: Session): (writer: ReplyWriter) => void {
  const attribute = wordAt(args, 2)
  const value = argument(args, 3).toString('latin1')
  if (attribute !== 'LIB-NAME' && attribute !== 'LIB-VER') {
    throw new CommandError(`ERR Unrecognized option '${argument(args, 2).toString('latin1')}'`)
  }
  if (!/^[!-~]{0,512}$/.test(value)) {
    throw new CommandError(`ERR ${attribute.toLowerCase()} cannot contain spaces, newlines or special characters.`)
  }
  return (writer) => {
    if (attribute === 'LIB-NAME') session.libraryName = value
    else session.libraryVersion = value
    writer.simple('OK')
  }
}

function clientLine(session: Session): string {
  const age = Math.floor((session.host.now() - session.connectedAt) / 1000)
  return [
    `id=${session.id}`,
    `addr=${session.address}`,
    `laddr=${session.localAddress}`,
    `name=${session.name}`,
    `age=${age}`,
    // As Redis marks who has sent READONLY.
    `flags=${session.readConsistency === 'local' ? 'r' : 'N'}`,
    'db=0',
    `cmd=${session.lastCommand || 'NULL'}`,
    'user=default',
    `lib-name=${session.libraryName}`,
    `lib-ver=${session.libraryVersion}`,
    `resp=${session.protocol}`,
  ].join(' ')
}
