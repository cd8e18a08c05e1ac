// The commands about the connection and the server: they answer at once and touch no key.
import type { Arguments } from './arguments.js'
import { argument, CommandError, checkedName, integerAt, unknownSubcommand, wordAt, wrongArity } from './arguments.js'
import { CLIENT_SUBCOMMANDS } from './client-commands.js'
import type { CommandSpec } from './command-spec.js'
import { matchingSettings } from './config-settings.js'
import { renderInfo } from './info.js'
import type { ReplyWriter } from './reply-writer.js'
import type { Session } from './session.js'
import type { Step } from './step.js'

/** Redis's text for a server without passwords. */
const NO_PASSWORD =
  'ERR AUTH <password> called without any password configured for the default user. Are you sure your configuration is correct?'

const QUIT: CommandSpec = {
  name: 'quit',
  arity: -1,
  keys: [0, 0, 0],
  flags: ['loading', 'stale', 'fast'],
  step: (_args, session) => ({
    kind: 'answer',
    isLast: true,
    reply: (writer) => {
      session.isClosing = true
      writer.simple('OK')
    },
  }),
}

export const CONNECTION_COMMANDS: readonly CommandSpec[] = [
  answer('ping', -1, ['fast'], (args) => {
    if (args.length > 2) throw wrongArity('ping')
    return (writer) => (args.length === 2 ? writer.bulk(argument(args, 1)) : writer.simple('PONG'))
  }),
  answer('echo', 2, ['fast'], (args) => (writer) => writer.bulk(argument(args, 1))),
  answer('hello', -1, ['fast'], hello),
  answer('auth', -2, ['fast'], (args) => {
    if (args.length > 3) throw new CommandError('ERR syntax error')
    return (writer) => writer.error(NO_PASSWORD)
  }),
  answer('select', 2, ['fast'], (args) => {
    const index = integerAt(args, 1)
    if (index !== BigInt.asIntN(32, index)) {
      throw new CommandError('ERR value is out of range, value must between -2147483648 and 2147483647')
    }
    if (index !== 0n) throw new CommandError('ERR DB index is out of range')
    return (writer) => writer.simple('OK')
  }),
  QUIT,
  answer('client', -2, [], client),
  answer('config', -2, ['admin'], config),
  answer('info', -1, [], (args, session) => {
    const sections = args.slice(1).map((arg) => arg.toString('latin1').toLowerCase())
    return (writer) => writer.verbatim(renderInfo(session.host, sections))
  }),
]

type Reply = (writer: ReplyWriter) => void

function answer(
  name: string,
  arity: number,
  flags: readonly string[],
  parse: (args: Arguments, session: Session) => Reply,
): CommandSpec {
  const step = (args: Arguments, session: Session): Step => ({ kind: 'answer', reply: parse(args, session) })
  return { name, arity, keys: [0, 0, 0], flags: ['loading', 'stale', ...flags], step }
}

function hello(args: Arguments, session: Session): Reply {
  let protocol = session.protocol
  if (args.length > 1) {
    const asked = argument(args, 1).toString('latin1')
    if (!/^-?\d{1,9}$/.test(asked)) throw new CommandError('ERR Protocol version is not an integer or out of range')
    if (asked !== '2' && asked !== '3') throw new CommandError('NOPROTO unsupported protocol version')
    protocol = asked === '3' ? 3 : 2
  }
  let name: string | null = null
  for (let at = 2; at < args.length; at++) {
    const word = wordAt(args, at)
    if (word === 'AUTH' && at + 2 < args.length) throw new CommandError(NO_PASSWORD)
    if (word !== 'SETNAME' || at + 1 >= args.length) {
      throw new CommandError(`ERR Syntax error in HELLO option '${argument(args, at).toString('latin1')}'`)
    }
    at += 1
    name = checkedName(argument(args, at))
  }
  return (writer) => {
    if (name !== null) session.name = name
    session.protocol = protocol
    writer.protocol = protocol
    writeHello(writer, session)
  }
}

function writeHello(writer: ReplyWriter, session: Session): void {
  writer.map(7)
  writer.string('server')
  writer.string('redis')
  writer.string('version')
  writer.string(session.host.version)
  writer.string('proto')
  writer.integer(session.protocol)
  writer.string('id')
  writer.integer(session.id)
  writer.string('mode')
  writer.string('standalone')
  writer.string('role')
  writer.string(session.host.status().role === 'leader' ? 'master' : 'replica')
  writer.string('modules')
  writer.array(0)
}

function client(args: Arguments, session: Session): Reply {
  const name = wordAt(args, 1).toLowerCase()
  const spec = CLIENT_SUBCOMMANDS.get(name)
  if (spec === undefined) throw unknownSubcommand(args, 'CLIENT')
  if (spec.arity > 0 ? args.length !== spec.arity : args.length < -spec.arity) throw wrongArity(`client|${name}`)
  return spec.reply(args, session)
}

function config(args: Arguments, session: Session): Reply {
  if (wordAt(args, 1) !== 'GET') throw unknownSubcommand(args, 'CONFIG')
  if (args.length < 3) throw wrongArity('config|get')
  const settings = matchingSettings(
    args.slice(2).map((arg) => arg.toString('latin1')),
    session.host,
  )
  return (writer) => {
    writer.map(settings.length)
    for (const [name, value] of settings) {
      writer.string(name)
      writer.string(value)
    }
  }
}
