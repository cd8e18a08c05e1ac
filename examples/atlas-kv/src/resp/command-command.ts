// COMMAND: what clients may ask about the other commands.
import type { Arguments } from './arguments.js'
import { unknownSubcommand, wordAt } from './arguments.js'
import type { CommandSpec } from './command-spec.js'
import type { ReplyWriter } from './reply-writer.js'

/** @param specs - all commands, this one included */
export function commandCommand(specs: () => readonly CommandSpec[]): CommandSpec {
  return {
    name: 'command',
    arity: -1,
    keys: [0, 0, 0],
    flags: ['loading', 'stale'],
    step: (args) => ({ kind: 'answer', reply: describe(args, specs()) }),
  }
}

function describe(args: Arguments, specs: readonly CommandSpec[]): (writer: ReplyWriter) => void {
  const word = args.length === 1 ? 'INFO' : wordAt(args, 1)
  if (word === 'COUNT' && args.length === 2) return (writer) => writer.integer(specs.length)
  // The texts are for completion in a terminal, which does without them.
  if (word === 'DOCS') return (writer) => writer.map(0)
  if (word !== 'INFO') throw unknownSubcommand(args, 'COMMAND')
  const asked = args.slice(2).map((arg) => arg.toString('latin1').toLowerCase())
  return (writer) => {
    const shown = asked.length === 0 ? specs : asked.map((name) => specs.find((spec) => spec.name === name))
    writer.array(shown.length)
    for (const spec of shown) writeSpec(writer, spec)
  }
}

function writeSpec(writer: ReplyWriter, spec: CommandSpec | undefined): void {
  if (spec === undefined) return writer.null()
  writer.array(6)
  writer.string(spec.name)
  writer.integer(spec.arity)
  writer.set(spec.flags.length)
  for (const flag of spec.flags) writer.simple(flag)
  for (const position of spec.keys) writer.integer(position)
}
