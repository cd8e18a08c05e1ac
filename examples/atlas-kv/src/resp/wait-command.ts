// WAIT: until so many other voters hold this connection's last write on disk, or the time is up (F47). The number is that of
// the other voters, as Redis leaves out the master; learners are not counted. Never fewer hold it than it says.
import { isRaftError } from 'helios-raft'
import { MAX_DURATION_MS } from '../config/values.js'
import { parseInteger } from '../state-machine/integer.js'
import { type Arguments, argument, CommandError, integerAt } from './arguments.js'
import type { CommandSpec } from './command-spec.js'
import { LOADING, raftErrorLine } from './raft-errors.js'
import type { ReplyWriter } from './reply-writer.js'
import type { Session } from './session.js'
import type { ClientPresence } from './step.js'

/** For the answer to WAIT 0, which waits for nobody, ms. */
const ASK_MS = 1_000
/** More than any cluster has. */
const MANY = 1_000_000

interface Wanted {
  /** Other voters. */
  readonly count: number
  /** 0: without end. */
  readonly timeoutMs: number
}

export const WAIT_COMMAND: CommandSpec = {
  name: 'wait',
  arity: 3,
  keys: [0, 0, 0],
  flags: [],
  step: (args, session) => {
    const wanted = { count: Number(integerAt(args, 1)), timeoutMs: timeoutAt(args, 2) }
    return { kind: 'call', run: (client) => wait(session, wanted, client) }
  },
}

async function wait(
  { host, lastWriteIndex }: Session,
  { count, timeoutMs }: Wanted,
  { ended, closed }: ClientPresence,
): Promise<(writer: ReplyWriter) => void> {
  if (host.isLoading) return (writer) => writer.error(LOADING)
  const own = host.status().suffrage === 'voter' ? 1 : 0
  const others = Math.min(Math.max(0, count), MANY)
  const isEndless = timeoutMs === 0 && others > 0
  try {
    // Before the first write: who is there at all. A voter that holds nothing was not heard yet.
    const held = await host.replicas(Math.max(1, lastWriteIndex), others + own, {
      timeoutMs: isEndless ? Number.POSITIVE_INFINITY : Math.min(timeoutMs || ASK_MS, MAX_DURATION_MS),
      // Nobody is left who could end an endless one; any other still answers a client that has only said all.
      signal: isEndless ? ended : closed,
    })
    return (writer) => writer.integer(Math.max(0, held - own))
  } catch (error) {
    const line = errorLine(error)
    if (line.startsWith('ERR internal')) host.report(error)
    return (writer) => writer.error(line)
  }
}

function errorLine(error: unknown): string {
  if (isRaftError(error, 'RAFT_ABORTED')) return 'UNBLOCKED the client has closed its side'
  if (isRaftError(error, 'RAFT_OVERLOADED')) return 'BUSY too many clients wait for replicas'
  if (isRaftError(error, 'RAFT_STOPPED')) return 'CLUSTERDOWN this node is shutting down'
  return raftErrorLine(error)
}

/** With the texts of Redis. */
function timeoutAt(args: Arguments, at: number): number {
  const value = parseInteger(argument(args, at))
  if (value === null) throw new CommandError('ERR timeout is not an integer or out of range')
  if (value < 0) throw new CommandError('ERR timeout is negative')
  return Number(value)
}
