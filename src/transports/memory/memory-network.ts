// A network of nodes in one process, with faults for tests (F38): seeded latency and loss, partitions, one-way cuts.
// Messages cross as bytes, so that a receiver can't alias what a sender holds (H96), and what runs here runs over a
// wire, too. Runs in a browser.
import type { NodeId } from '../../core/types.js'
import type { Transport } from '../../interfaces/transport.js'
import { Links, type MemoryNetworkOptions } from './links.js'
import { Mailbox } from './mailbox.js'
import { type Exchange, MemoryTransport } from './memory-transport.js'

/** Transports of nodes in one process: `network.transport(id)`; `Member.address` is not looked at. */
export class MemoryNetwork {
  readonly #links: Links
  readonly #exchange: Exchange

  /** @throws RaftError RAFT_INVALID_OPTION */
  constructor(options: MemoryNetworkOptions = {}) {
    this.#links = new Links(options)
    this.#exchange = { links: this.#links, mailbox: new Mailbox(), started: new Map() }
  }

  /** For one run of the node `id`; after a stop the next run takes a new one. */
  transport(id: NodeId): Transport {
    return new MemoryTransport(id, this.#exchange)
  }

  /** Only nodes of the same group reach each other, a node in no group reaches nobody. Replaces an earlier partition. */
  partition(...groups: readonly (readonly NodeId[])[]): void {
    this.#links.partition(groups)
  }

  /** One way: what `from` sends to `to` is lost, also what is under way. */
  cut(from: NodeId, to: NodeId): void {
    this.#links.cut(from, to)
  }

  /** Ends every partition and cut. */
  heal(): void {
    this.#links.heal()
  }
}
