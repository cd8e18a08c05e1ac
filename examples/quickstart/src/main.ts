// A replicated key-value store in one file: three nodes in one process, and one of them leaves.
import { MemoryNetwork, memoryStorage, RaftNode, type StateMachine } from 'helios-raft'

type Command = { readonly set: string; readonly to: string }

class Dictionary implements StateMachine<Command, string | null> {
  readonly values = new Map<string, string>()

  /** Runs on each node, in the same order everywhere. Answers with the value that was there before. */
  readonly apply = ({ set, to }: Command): string | null => {
    const before = this.values.get(set) ?? null
    this.values.set(set, to)
    return before
  }

  async *snapshot(): AsyncGenerator<Uint8Array> {
    yield new TextEncoder().encode(JSON.stringify([...this.values]))
  }

  async restore(chunks: AsyncIterable<Uint8Array>): Promise<void> {
    const parts: Uint8Array[] = []
    for await (const chunk of chunks) parts.push(chunk)
    const entries = JSON.parse(await new Blob(parts as Uint8Array<ArrayBuffer>[]).text()) as [string, string][]
    this.values.clear()
    for (const [key, value] of entries) this.values.set(key, value)
  }
}

const network = new MemoryNetwork()
const bootstrap = ['ann', 'bob', 'cid'].map((id) => ({ id, address: id }))
const cluster = bootstrap.map(({ id }) => {
  const dictionary = new Dictionary()
  const transport = network.transport(id)
  return { dictionary, node: new RaftNode({ id, stateMachine: dictionary, bootstrap, transport, ...memoryStorage() }) }
})
await Promise.all(cluster.map(({ node }) => node.start()))
await Promise.all(cluster.map(({ node }) => node.ready()))

for (const { node } of cluster) {
  const { index, result } = await node.propose({ set: 'greeting', to: `hello from ${node.id}` })
  console.log(`${node.id} wrote entry ${index}; before it was ${result}`)
}

const leader = cluster.find(({ node }) => node.isLeader)
await leader?.node.stop()
console.log('the leader left')

for (const { node, dictionary } of cluster.filter((member) => member !== leader)) {
  const { value } = await node.read(() => dictionary.values.get('greeting'))
  console.log(`${node.id} reads: ${value}`)
  await node.propose({ set: 'greeting', to: `still here, says ${node.id}` })
}
await Promise.all(cluster.map(({ node }) => node.stop()))
