// How fresh this connection's reads are: READONLY and READWRITE, as clients of a Redis Cluster send them to replicas, and
// RESET, which forgets it with everything else. They take effect between the commands before and those behind them.
import type { CommandSpec } from './command-spec.js'
import type { Session } from './session.js'
import type { CallStep } from './step.js'
import type { ReplyWriter } from './reply-writer.js'

export const CONSISTENCY_COMMANDS: readonly CommandSpec[] = [
  change('readonly', (session, writer) => {
    session.readConsistency = 'local'
    writer.simple('OK')
  }),
  change('readwrite', (session, writer) => {
    session.readConsistency = null
    writer.simple('OK')
  }),
  change('reset', (session, writer) => {
    session.protocol = 2
    session.name = ''
    session.readConsistency = null
    writer.protocol = 2
    writer.simple('RESET')
  }),
]

/** Alone: neighbouring reads are run together, and their level must not change on the way. */
export function changeStep(reply: (writer: ReplyWriter) => void): CallStep {
  return { kind: 'call', run: () => Promise.resolve(reply) }
}

function change(name: string, apply: (session: Session, writer: ReplyWriter) => void): CommandSpec {
  const step = (_args: unknown, session: Session): CallStep => changeStep((writer) => apply(session, writer))
  return { name, arity: 1, keys: [0, 0, 0], flags: ['loading', 'stale', 'fast'], step }
}
