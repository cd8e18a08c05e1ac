// Makes the addresses of this node known to all whenever the membership says otherwise: at first, and when the node was
// removed and added again without them. Facts that others have put into its metadata stay.
import type { RaftNode } from 'helios-raft'
import type { KvCommand, KvResult } from '../state-machine/command.js'
import { addressesOf, type NodeAddresses } from './node-addresses.js'
import { pause } from './pause.js'

/** Between two attempts: at first all members want to say where they are, one change at a time. */
const RETRY_MS = 250

export interface AnnouncerOptions {
  readonly node: Pick<RaftNode<KvCommand, KvResult>, 'updateMember' | 'ready' | 'id' | 'status' | 'on'>
  readonly addresses: NodeAddresses
}

export class Announcer {
  readonly #options: AnnouncerOptions
  readonly #ended = new AbortController()
  #wake = (): void => {}

  constructor(options: AnnouncerOptions) {
    this.#options = options
  }

  /** Waits until this node is ready, then announces what the membership doesn't say, after each change. Resolves at `stop`. */
  async run(): Promise<void> {
    const { node, addresses } = this.#options
    const { signal } = this.#ended
    node.on('configuration', () => this.#wake())
    while (!signal.aborted) {
      // Before the look: a change while it is looked at must not be missed.
      const changed = new Promise<void>((resolve) => {
        this.#wake = resolve
      })
      try {
        await node.ready({ signal })
        const self = node.status().configuration.members.find(({ id }) => id === node.id)
        const known = addressesOf(self)
        if (self === undefined || (known.resp === addresses.resp && known.http === addresses.http)) await changed
        else await node.updateMember(node.id, { metadata: { ...self.metadata, ...addresses } }, { signal })
      } catch {
        await pause(RETRY_MS, signal)
      }
    }
  }

  stop(): void {
    this.#ended.abort()
    this.#wake()
  }
}
