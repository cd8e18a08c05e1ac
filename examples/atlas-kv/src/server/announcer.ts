// Makes the addresses of this node known to all: once, when the membership says otherwise. Facts that others have put
// into its metadata stay.
import type { RaftNode } from 'helios-raft'
import type { KvCommand, KvResult } from '../state-machine/command.js'
import { addressesOf, type NodeAddresses } from './node-addresses.js'
import { pause } from './pause.js'

/** Between two attempts: at first all members want to say where they are, one change at a time. */
const RETRY_MS = 250

export interface AnnouncerOptions {
  readonly node: Pick<RaftNode<KvCommand, KvResult>, 'updateMember' | 'ready' | 'id' | 'status'>
  readonly addresses: NodeAddresses
}

export class Announcer {
  readonly #options: AnnouncerOptions
  readonly #ended = new AbortController()

  constructor(options: AnnouncerOptions) {
    this.#options = options
  }

  /** Waits until this node is ready, then announces what the membership doesn't say. Resolves when it does, or at `stop`. */
  async run(): Promise<void> {
    const { node, addresses } = this.#options
    const { signal } = this.#ended
    while (!signal.aborted) {
      try {
        await node.ready({ signal })
        const self = node.status().configuration.members.find(({ id }) => id === node.id)
        const known = addressesOf(self)
        if (known.resp === addresses.resp && known.http === addresses.http) return
        await node.updateMember(node.id, { metadata: { ...self?.metadata, ...addresses } }, { signal })
      } catch {
        await pause(RETRY_MS, signal)
      }
    }
  }

  stop(): void {
    this.#ended.abort()
  }
}
