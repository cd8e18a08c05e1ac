// One client of the locks, over a session: a call that got no answer is repeated under its number, here or by `session.propose`
// itself, and is one call all the same. Without that, a client whose answer was lost would wait for the end of its own lock.
import { setTimeout as wait } from 'node:timers/promises'
import type { RaftNode, Session } from 'helios-raft'
import type { Answer, Command } from './locks.js'

const CALL = { timeoutMs: 10_000 }
/** Between two attempts to get a lock that somebody else holds. */
const RETRY_MS = 50

export class LockClient {
  readonly #owner: string
  readonly #session: Session<Command, Answer>

  private constructor(owner: string, session: Session<Command, Answer>) {
    this.#owner = owner
    this.#session = session
  }

  /** The session outlives the node: with its id and `openedAt` it goes on at another one. */
  static async open(
    node: RaftNode<Command, Answer>,
    owner: string,
    of?: Session<Command, Answer>,
  ): Promise<LockClient> {
    const session = await node.openSession({ ...CALL, ...(of && { id: of.id, openedAt: of.openedAt }) })
    return new LockClient(owner, session)
  }

  get session(): Session<Command, Answer> {
    return this.#session
  }

  /** Resolves with the fencing token once the lock is free. `untilMs` is not told: no clock of a client is to be trusted with it. */
  async acquire(lock: string, ttlMs: number): Promise<number> {
    for (;;) {
      const answer = await this.tryAcquire(lock, ttlMs)
      if (answer.type === 'held') return answer.token
      await wait(RETRY_MS)
    }
  }

  /** `sequence` repeats an earlier call, of which the answer is not known. */
  async tryAcquire(lock: string, ttlMs: number, sequence?: number): Promise<Answer> {
    return this.#propose({ type: 'acquire', lock, owner: this.#owner, ttlMs }, sequence)
  }

  async renew(lock: string, token: number, ttlMs: number): Promise<Answer> {
    return this.#propose({ type: 'renew', lock, token, ttlMs })
  }

  async release(lock: string, token: number): Promise<Answer> {
    return this.#propose({ type: 'release', lock, token })
  }

  async #propose(command: Command, sequence?: number): Promise<Answer> {
    return (await this.#session.propose(command, { ...CALL, sequence })).result
  }
}
