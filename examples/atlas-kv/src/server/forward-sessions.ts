// The sessions in which this node passes writes on to the leader (F18): one that a change of leader caught is sent again by
// the session itself, and never runs twice. Few sessions serve all connections, because each is an entry to open and a
// record on every node; a write has one to itself while there is one, because a session has one proposal under way at a time.
import { isRaftError, type Proposed, RaftError, type RaftNode, type Session } from 'helios-raft'
import type { KvCommand, KvResult } from '../state-machine/command.js'

/** Sessions of this node at a time; beyond, writes share them. */
export const MAX_FORWARD_SESSIONS = 64
/** Log time after which the cluster forgets one that is not used: the node is gone, or has nothing to pass on. */
const SESSION_TTL_MS = 10 * 60 * 1_000
/** Values in answers that may stay with an unused session; beyond, it is closed. */
export const MAX_KEPT_BYTES: number = 64 * 1024
/** For closing one; it expires by itself when that fails. */
const CLOSE_MS = 5_000

export type SessionNode = Pick<RaftNode<KvCommand, KvResult>, 'openSession'>

interface Lane {
  readonly session: Promise<Session<KvCommand, KvResult>>
  users: number
  /** Takes no more writes; closed when the last one is answered. */
  isRetired: boolean
}

export class ForwardSessions {
  readonly #node: SessionNode
  readonly #lanes = new Set<Lane>()

  constructor(node: SessionNode) {
    this.#node = node
  }

  /**
   * One append; results in order. Tries again by itself until the time is up.
   * @param timeLeftMs - for the whole call, asked when a part of it begins
   * @throws RaftError; `rejected` when none of the commands was or will be applied
   */
  async propose(commands: readonly KvCommand[], timeLeftMs: () => number): Promise<readonly Proposed<KvResult>[]> {
    for (;;) {
      try {
        return await this.#proposeIn(this.#take(timeLeftMs()), commands, timeLeftMs)
      } catch (error) {
        const isForgotten = isRaftError(error, 'RAFT_SESSION_EXPIRED') && error.outcome === 'rejected'
        if (!isForgotten || timeLeftMs() === 0) throw error
        // Those that were not in use either are as old as that one.
        for (const lane of this.#lanes) if (lane.users === 0) this.#retire(lane)
      }
    }
  }

  async #proposeIn(
    lane: Lane,
    commands: readonly KvCommand[],
    timeLeftMs: () => number,
  ): Promise<readonly Proposed<KvResult>[]> {
    lane.users += 1
    try {
      const session = await lane.session
      const proposed = await session.proposeMany(commands, { timeoutMs: timeLeftMs() })
      if (valueBytes(proposed) > MAX_KEPT_BYTES) this.#retire(lane)
      return proposed
    } catch (error) {
      // A number in doubt would stay there: nobody repeats it, and all answers behind it would be kept.
      const isIntact = isRaftError(error) && error.outcome === 'rejected' && error.code !== 'RAFT_SESSION_EXPIRED'
      if (!isIntact) this.#retire(lane)
      throw error
    } finally {
      lane.users -= 1
      if (lane.isRetired && lane.users === 0) close(lane)
    }
  }

  /** One that nobody uses, a new one, or that of the fewest. */
  #take(timeLeftMs: number): Lane {
    let best: Lane | null = null
    for (const lane of this.#lanes) {
      if (lane.users === 0) return lane
      if (best === null || lane.users < best.users) best = lane
    }
    return best === null || this.#lanes.size < MAX_FORWARD_SESSIONS ? this.#open(timeLeftMs) : best
  }

  #open(timeLeftMs: number): Lane {
    const session = this.#node.openSession({ ttlMs: SESSION_TTL_MS, timeoutMs: timeLeftMs }).catch((error: unknown) => {
      this.#retire(lane)
      throw unsent(error)
    })
    const lane: Lane = { session, users: 0, isRetired: false }
    this.#lanes.add(lane)
    return lane
  }

  #retire(lane: Lane): void {
    lane.isRetired = true
    this.#lanes.delete(lane)
  }
}

/** In the background: nobody waits for it. */
function close({ session }: Lane): void {
  session.then((opened) => opened.close({ timeoutMs: CLOSE_MS })).catch(() => {})
}

/** Whether the session was opened may be in doubt; that no write was sent in it is certain. */
function unsent(error: unknown): unknown {
  if (!isRaftError(error) || error.outcome === 'rejected') return error
  return new RaftError(error.code, `no session could be opened: ${error.message}`, { cause: error })
}

function valueBytes(proposed: readonly Proposed<KvResult>[]): number {
  return proposed.reduce((sum, { result }) => sum + (result instanceof Uint8Array ? result.length : 0), 0)
}
