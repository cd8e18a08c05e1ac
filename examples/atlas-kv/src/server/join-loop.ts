// Brings a node that was started with --raft-join into its cluster: asks the members that it was told of, one after the
// other, until it is a member itself. A node that has been one asks nobody: whether it still is one, its cluster says.
import type { Logger, RaftNode } from 'helios-raft'
import { formatAddress, type Address } from '../config/values.js'
import type { KvCommand, KvResult } from '../state-machine/command.js'
import { type Joiner, joinFailure, requestJoin } from './join-request.js'
import { pause } from './pause.js'

const FIRST_DELAY_MS = 250
const MAX_DELAY_MS = 5_000
/** A member answers when the node has caught up and votes; longer than that, and another one is asked. */
const REQUEST_MS = 60_000
/** The leader tells a member of its membership at once, unless it refuses the store that the node comes with. */
const SETTLE_MS = 5_000
const LOOK_MS = 50

export interface JoinLoopOptions {
  readonly node: Pick<RaftNode<KvCommand, KvResult>, 'status'>
  /** HTTP or RESP addresses, at least one. */
  readonly members: readonly Address[]
  readonly joiner: Joiner
  readonly logger: Logger
  /** How long a node that is told that it is a member waits to be treated as one. @defaultValue 5000 */
  readonly settleMs?: number | undefined
}

export class JoinLoop {
  readonly #options: JoinLoopOptions
  readonly #ended = new AbortController()

  constructor(options: JoinLoopOptions) {
    this.#options = options
  }

  /** Resolves when the node is a member and votes, or at `stop`. Never rejects. */
  async run(): Promise<void> {
    const { node, members, logger, joiner } = this.#options
    const { configuration, suffrage } = node.status()
    if (configuration.members.length > 0) {
      const fate =
        suffrage === 'none' ? 'Was removed from its cluster: add it again with RAFT ADD' : 'Is a member already'
      return logger.info({ node: joiner.id }, fate)
    }
    const { signal } = this.#ended
    let delayMs = FIRST_DELAY_MS
    for (let attempt = 0; !signal.aborted; attempt++) {
      const member = members[attempt % members.length]
      if (member === undefined) return
      const from = formatAddress(member)
      try {
        logger.info({ node: joiner.id, member: from }, 'Asking to join')
        const answer = await requestJoin(member, joiner, AbortSignal.any([signal, AbortSignal.timeout(REQUEST_MS)]))
        if (answer === 'added' || this.#isInside() || (await this.#settles(from))) {
          return logger.info({ node: joiner.id }, 'Joined the cluster')
        }
        if (signal.aborted) return
        logger.warn({ node: joiner.id, member: from, retryMs: delayMs }, strangerAdvice(joiner.id))
      } catch (error) {
        if (signal.aborted) return
        logger.warn({ member: from, reason: joinFailure(error), retryMs: delayMs }, 'Not joined yet')
      }
      await pause(delayMs, signal)
      delayMs = Math.min(MAX_DELAY_MS, 2 * delayMs)
    }
  }

  stop(): void {
    this.#ended.abort()
  }

  /** Whether the cluster takes this node for the member that it is told to be. */
  async #settles(from: string): Promise<boolean> {
    const { joiner, logger, settleMs = SETTLE_MS } = this.#options
    logger.info({ node: joiner.id, member: from }, 'Is a member already: waiting for the cluster')
    const until = performance.now() + settleMs
    while (!this.#isInside() && performance.now() < until && !this.#ended.signal.aborted) {
      await pause(LOOK_MS, this.#ended.signal)
    }
    return this.#isInside()
  }

  /** It knows the membership, which only its leader can have told it. */
  #isInside(): boolean {
    return this.#options.node.status().configuration.members.length > 0
  }
}

/** Nobody sends anything to a store that the member was not added with: it has forgotten its votes. */
function strangerAdvice(id: string): string {
  return (
    `'${id}' is a member, but the cluster does not come to this node: the id is known with another store (was its disk lost?), ` +
    `or the member has another address. RAFT REMOVE ${id} on a member; this node joins by itself then`
  )
}
