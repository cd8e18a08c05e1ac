// Makes the addresses of this node known to all: one command, once, when the replicated state says otherwise. So every
// node can name the leader's RESP and HTTP address (MOVED, errors of HTTP) without being configured with it.
import type { RaftNode } from 'helios-raft'
import type { KvCommand, KvResult } from '../state-machine/command.js'
import type { KvStateMachine } from '../state-machine/kv-state-machine.js'

/** Between two attempts. */
const RETRY_MS = 2_000

export interface AnnouncerOptions {
  readonly node: Pick<RaftNode<KvCommand, KvResult>, 'propose' | 'ready' | 'id'>
  readonly machine: KvStateMachine
  readonly addresses: { readonly resp: string; readonly http: string }
}

export class Announcer {
  readonly #options: AnnouncerOptions
  readonly #ended = new AbortController()

  constructor(options: AnnouncerOptions) {
    this.#options = options
  }

  /** Waits until this node is ready, then announces what the state doesn't hold. Resolves when it does, or at `stop`. */
  async run(): Promise<void> {
    const { node, machine, addresses } = this.#options
    const { signal } = this.#ended
    while (!signal.aborted) {
      try {
        await node.ready({ signal })
        const known = machine.state.addresses.get(node.id)
        if (known?.resp === addresses.resp && known.http === addresses.http) return
        await node.propose({ type: 'announce', id: node.id, ...addresses }, { signal })
      } catch {
        await this.#pause()
      }
    }
  }

  stop(): void {
    this.#ended.abort()
  }

  #pause(): Promise<void> {
    const { signal } = this.#ended
    if (signal.aborted) return Promise.resolve()
    return new Promise((resolve) => {
      const done = (): void => {
        clearTimeout(timer)
        signal.removeEventListener('abort', done)
        resolve()
      }
      const timer = setTimeout(done, RETRY_MS)
      signal.addEventListener('abort', done)
    })
  }
}
