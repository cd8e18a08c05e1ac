// What a node tells its listeners. Each event comes at the end of a turn, when nothing is half done; a listener may
// call any method of the node.
import type { Configuration, LogIndex, Member, Role, Term } from '../core/types.js'
import type { RaftError } from '../errors.js'
import type { SnapshotMeta } from '../interfaces/state-machine.js'

/** Events of a RaftNode and what each brings. */
export interface RaftNodeEvents {
  /** The node changed its role; `reason` is for people. */
  role: [change: { role: Role; previous: Role; term: Term; reason: string }]
  /** The leader that this node follows, or is, is another one now; null for none. */
  leader: [leader: Member | null, term: Term]
  /**
   * Once at the start the configuration in force, and where it stands: where there is one. Then each one that is
   * committed, or comes with a snapshot of the leader.
   */
  configuration: [configuration: Configuration, index: LogIndex]
  /** Once per batch, with its last index. */
  applied: [index: LogIndex]
  /** A snapshot of the state is durable, and the log may forget what it holds; `local`: this node took it. */
  snapshot: [meta: SnapshotMeta, origin: 'local' | 'leader']
  /** The node has stopped by itself: nothing more is persisted or sent. */
  fatal: [error: RaftError]
}
