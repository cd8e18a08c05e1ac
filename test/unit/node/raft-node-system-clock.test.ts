import { MemoryNetwork, memoryStorage, presets, RaftNode } from 'helios-raft'
import { describe, expect, test } from 'vitest'

describe('a cluster on the clock of the platform', () => {
  test('elects, replicates, reads on every node and stops, with nothing but defaults', async () => {
    const network = new MemoryNetwork()
    const bootstrap = ['a', 'b', 'c'].map((id) => ({ id, address: `${id}:1` }))
    const nodes = bootstrap.map(({ id }) => {
      const names: string[] = []
      const stateMachine = {
        apply: ({ name }: { name: string }) => names.push(name),
        async *snapshot() {},
        async restore() {},
      }
      const transport = network.transport(id)
      const node = new RaftNode({ id, bootstrap, ...memoryStorage(), transport, stateMachine, ...presets.lan })
      return { node, names }
    })
    await Promise.all(nodes.map(({ node }) => node.start()))
    await Promise.all(nodes.map(({ node }) => node.ready()))
    const proposed = await Promise.all(nodes.map(({ node }) => node.propose({ name: node.id })))
    expect(proposed.map(({ result }) => result).sort()).toEqual([1, 2, 3])
    for (const { node, names } of nodes) {
      const { value } = await node.read(() => names.slice())
      expect(value.toSorted()).toEqual(['a', 'b', 'c'])
      expect(value).toEqual(nodes[0]?.names)
    }
    await Promise.all(nodes.map(({ node }) => node.stop()))
    expect(nodes.map(({ node }) => node.status().role)).toEqual(['stopped', 'stopped', 'stopped'])
  })
})
