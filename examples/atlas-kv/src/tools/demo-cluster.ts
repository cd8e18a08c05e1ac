// The cluster of the demo: its processes, a connection to each, and what they say of themselves. Waiting is polling of
// INFO: the same way that any client could look.
import type { LocalNode } from './local-cluster.js'
import { nodeFlags } from './local-cluster.js'
import { NodeProcess } from './node-process.js'
import type { Reply } from './resp-client.js'
import { RespClient } from './resp-client.js'

const POLL_MS = 25
/** Lines that are kept of each node, to be shown when something fails. */
const KEPT_LINES = 40
type Info = ReadonlyMap<string, string>

export class DemoCluster {
  readonly nodes: readonly LocalNode[]
  readonly directory: string
  /** Rejects when a node ends that nobody killed; never resolves. */
  readonly failure: Promise<never>
  readonly #processes = new Map<string, NodeProcess>()
  readonly #clients = new Map<string, RespClient>()
  readonly #lines: string[] = []
  readonly #expected = new Set<NodeProcess>()
  #fail: (error: Error) => void = () => {}

  constructor(nodes: readonly LocalNode[], directory: string) {
    this.nodes = nodes
    this.directory = directory
    this.failure = new Promise<never>((_resolve, reject) => {
      this.#fail = reject
    })
    // It is raced against; without a race nobody has to hear of it.
    this.failure.catch(() => {})
  }

  start(id: string): void {
    const spec = this.nodes.find((node) => node.id === id)
    if (spec === undefined) throw new Error(`there is no node ${id}`)
    const process = new NodeProcess({
      args: nodeFlags(spec, this.nodes, this.directory),
      onLine: (line) => {
        this.#lines.push(`${id} | ${line}`)
        if (this.#lines.length > KEPT_LINES) this.#lines.shift()
      },
    })
    this.#processes.set(id, process)
    void process.exited.then(({ code, signal }) => {
      this.#clients.get(id)?.close()
      this.#clients.delete(id)
      if (!this.#expected.has(process)) this.#fail(new Error(`${id} ended by itself (${signal ?? `status ${code}`})`))
    })
  }

  async kill(id: string): Promise<void> {
    const process = this.#processes.get(id)
    if (process === undefined) return
    this.#expected.add(process)
    await process.kill()
  }

  /** The reply of one node. Rejects when its connection is lost; the next call opens another. */
  async call(id: string, ...args: readonly string[]): Promise<Reply> {
    const client = await this.#client(id)
    try {
      return await client.call(...args)
    } catch (error) {
      if (this.#clients.get(id) === client) this.#clients.delete(id)
      throw error
    }
  }

  /** Waits until all nodes name the same leader and hear from it. */
  async agreedLeader(): Promise<string> {
    const infos = await this.#poll((all) => {
      const leaders = new Set(all.map((info) => info.get('raft_leader')))
      return leaders.size === 1 && !leaders.has('') && all.every((info) => info.get('raft_quorum_ok') === '1')
    })
    return infos[0]?.get('raft_leader') ?? ''
  }

  /** Waits until all nodes have committed and applied the same; a row for each. */
  async settled(): Promise<readonly (readonly string[])[]> {
    const infos = await this.#poll((all) => {
      const positions = all.flatMap((info) => [
        info.get('raft_commit_index'),
        info.get('raft_last_applied'),
        info.get('raft_last_log_index'),
      ])
      return new Set(positions).size === 1
    })
    const columns = ['raft_node_id', 'raft_state', 'raft_term', 'raft_commit_index', 'raft_last_applied', 'raft_leader']
    return infos.map((info) => columns.map((column) => info.get(column) ?? ''))
  }

  lastLines(): readonly string[] {
    return this.#lines
  }

  async end(): Promise<void> {
    for (const process of this.#processes.values()) this.#expected.add(process)
    for (const client of this.#clients.values()) client.close()
    await Promise.all([...this.#processes.values()].map((process) => process.end()))
  }

  async #poll(isDone: (infos: readonly Info[]) => boolean): Promise<readonly Info[]> {
    for (;;) {
      const infos = await Promise.all(this.nodes.map((node) => this.#info(node.id)))
      const present = infos.filter((info) => info !== null)
      if (present.length === infos.length && isDone(present)) return present
      await new Promise((resolve) => setTimeout(resolve, POLL_MS))
    }
  }

  /** Null while it can't be reached. */
  async #info(id: string): Promise<Info | null> {
    try {
      const reply = await this.call(id, 'INFO', 'raft')
      if (typeof reply !== 'string') return null
      const lines = reply.split('\r\n').map((line) => line.split(':', 2) as [string, string])
      return new Map(lines.filter((line) => line.length === 2))
    } catch {
      return null
    }
  }

  async #client(id: string): Promise<RespClient> {
    const known = this.#clients.get(id)
    if (known !== undefined) return known
    const client = await RespClient.connect(this.nodes.find((node) => node.id === id)?.resp ?? 0)
    this.#clients.set(id, client)
    return client
  }
}
