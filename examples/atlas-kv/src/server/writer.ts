// How clients' writes get into the log, from RESP and HTTP alike. Where this node leads they are proposed as they are. Where
// it does not they go through a session, so that the node itself sends again what a change of leader caught, and nothing is
// applied twice. Leaders don't pay for that: a leader that loses its place while it lives learns what became of a write.
import { isRaftError, type Proposed, type RaftNode } from 'helios-raft'
import type { KvCommand, KvResult } from '../state-machine/command.js'
import { ForwardSessions } from './forward-sessions.js'

/** For a write, with everything that is tried for it, ms. */
export const WRITE_MS = 5_000

export type WriterNode = Pick<RaftNode<KvCommand, KvResult>, 'isLeader' | 'proposeMany' | 'openSession'>

export interface WriterOptions {
  readonly node: WriterNode
  /** Ms of a monotonic clock. */
  readonly now: () => number
}

export class Writer {
  readonly #options: WriterOptions
  readonly #sessions: ForwardSessions

  constructor(options: WriterOptions) {
    this.#options = options
    this.#sessions = new ForwardSessions(options.node)
  }

  /** Whether nothing may follow in one append: answers that are as large as values are kept one at a time. */
  endsAppend(command: KvCommand): boolean {
    return !this.#options.node.isLeader && answersWithValue(command)
  }

  /** One append; results in order. @throws RaftError; when the outcome is unknown some of the first may be applied */
  async write(commands: readonly KvCommand[]): Promise<readonly Proposed<KvResult>[]> {
    const { node, now } = this.#options
    const end = now() + WRITE_MS
    const timeLeftMs = (): number => Math.max(0, end - now())
    const isForSession = commands.slice(0, -1).every((command) => !answersWithValue(command))
    if (node.isLeader || !isForSession) {
      try {
        return await node.proposeMany(commands)
      } catch (error) {
        const isLost = isRaftError(error, 'RAFT_LEADERSHIP_LOST', 'RAFT_NOT_LEADER') && error.outcome === 'rejected'
        if (!isLost || !isForSession) throw error
      }
    }
    try {
      return await this.#sessions.propose(commands, timeLeftMs)
    } catch (error) {
      // The sessions take up their whole room: without one the write is answered honestly, as long as no leader falls.
      if (!isRaftError(error, 'RAFT_OVERLOADED') || error.outcome !== 'rejected') throw error
      return node.proposeMany(commands, { timeoutMs: timeLeftMs() })
    }
  }
}

function answersWithValue(command: KvCommand): boolean {
  return command.type === 'set' && command.returnPrevious
}
