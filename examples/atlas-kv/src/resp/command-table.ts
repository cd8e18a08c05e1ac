// All commands by name, and what is said of the others: Redis's texts for unknown names and wrong counts of arguments.
import type { Arguments } from './arguments.js'
import { argument, CommandError, wrongArity } from './arguments.js'
import { commandCommand } from './command-command.js'
import type { CommandSpec } from './command-spec.js'
import { CONNECTION_COMMANDS } from './connection-commands.js'
import { CONSISTENCY_COMMANDS } from './consistency-commands.js'
import { DATA_COMMANDS } from './data-commands.js'
import { RAFT_COMMANDS } from './raft-command.js'
import type { Session } from './session.js'
import type { Step } from './step.js'
import { errorStep } from './step.js'
import { WAIT_COMMAND } from './wait-command.js'

const SPECS: readonly CommandSpec[] = [
  ...DATA_COMMANDS,
  ...CONNECTION_COMMANDS,
  ...CONSISTENCY_COMMANDS,
  WAIT_COMMAND,
  ...RAFT_COMMANDS,
  commandCommand(() => SPECS),
]
const TABLE: ReadonlyMap<string, CommandSpec> = new Map(SPECS.map((spec) => [spec.name, spec]))

/** Bytes of arguments that are quoted in the error for an unknown command. */
const QUOTED_BYTES = 128

/** The step of a command; an unknown or malformed one becomes a step that answers with the error. */
export function commandStep(args: Arguments, session: Session): Step {
  const name = argument(args, 0).toString('latin1').toLowerCase()
  const spec = TABLE.get(name)
  if (spec === undefined) return errorStep(unknownCommand(args))
  const tooFew = args.length < Math.abs(spec.arity)
  if (tooFew || (spec.arity > 0 && args.length !== spec.arity)) return errorStep(wrongArity(name).message)
  try {
    return spec.step(args, session)
  } catch (error) {
    if (error instanceof CommandError) return errorStep(error.message)
    throw error
  }
}

function unknownCommand(args: Arguments): string {
  let quoted = ''
  for (const arg of args.slice(1)) {
    if (quoted.length >= QUOTED_BYTES) break
    quoted += `'${printed(arg, QUOTED_BYTES - quoted.length)}' `
  }
  return `ERR unknown command '${printed(argument(args, 0), QUOTED_BYTES)}', with args beginning with: ${quoted}`
}

/** As C prints a string: up to a NUL. */
function printed(bytes: Buffer, maxBytes: number): string {
  return bytes.toString('latin1', 0, maxBytes).split('\0', 1)[0] ?? ''
}
