// Scenarios of the membership group with whole nodes: rolling replacement, restarts, and a state that comes as a snapshot.
import { type Configuration, memoryStorage, MemoryNetwork, RaftNode, type RaftStorage } from 'helios-raft'
import { afterEach, describe, expect, it } from 'vitest'

class Log {
  readonly lines: string[] = []
  apply = (line: string): number => this.lines.push(line)
  async *snapshot(): AsyncIterable<Uint8Array> {
    yield Buffer.from(JSON.stringify(this.lines))
  }
  async restore(chunks: AsyncIterable<Uint8Array>): Promise<void> {
    let text = ''
    for await (const chunk of chunks) text += Buffer.from(chunk).toString()
    this.lines.splice(0, this.lines.length, ...(JSON.parse(text) as string[]))
  }
}

interface Running {
  readonly node: RaftNode<string, number>
  readonly machine: Log
  readonly storage: RaftStorage
}

const open = new Set<RaftNode<string, number>>()
afterEach(async () => {
  await Promise.all([...open].map((node) => node.stop({ transferMs: 0 })))
  open.clear()
})

function clusterOn(network: MemoryNetwork) {
  return async (id: string, bootstrap?: readonly string[], storage = memoryStorage()): Promise<Running> => {
    const machine = new Log()
    const node = new RaftNode<string, number>({
      id,
      stateMachine: machine,
      ...storage,
      transport: network.transport(id),
      bootstrap: bootstrap?.map((member) => ({ id: member, address: member })),
      electionTimeoutMs: 120,
      heartbeatIntervalMs: 30,
      snapshot: { everyEntries: 5, trailingEntries: 2 },
    })
    open.add(node)
    await node.start()
    return { node, machine, storage }
  }
}
const idsOf = ({ members }: Configuration): string => members.map(({ id }) => id).join('')
const followsLeader = ({ leader }: { leader: unknown }): boolean => leader !== null

describe('members that come and go', () => {
  it('are replaced one by one by newer ones, which get a snapshot, and nothing is lost', async () => {
    const start = clusterOn(new MemoryNetwork({ seed: 3 }))
    let running = await Promise.all(['a', 'b', 'c'].map((id) => start(id, ['a', 'b', 'c'])))
    let written = 0
    const write = async (): Promise<void> => {
      written += 1
      await running[0]!.node.propose(`line ${written}`)
    }
    await running[0]!.node.waitFor(followsLeader)
    for (const next of ['d', 'e', 'f']) {
      for (let at = 0; at < 12; at++) await write()
      const joiner = await start(next)
      await running[0]!.node.addMember({ id: next, address: next })
      const [old, ...left] = running
      running = [...left, joiner]
      await joiner.node.ready()
      await joiner.node.removeMember(old!.node.id)
      await old!.node.stop()
      open.delete(old!.node)
      for (const { node } of running) await node.waitFor(({ leader }) => leader !== null && leader.id !== old!.node.id)
      await write()
    }
    const { index } = await running[0]!.node.propose('last')
    for (const { node, machine } of running) {
      await node.waitFor(({ lastApplied }) => lastApplied >= index)
      expect(machine.lines).toHaveLength(written + 1)
      expect(idsOf(node.status().configuration)).toBe('def')
      expect(node.status().snapshotIndex).toBeGreaterThan(0)
    }
  })

  it('are still members after a restart of all, with their suffrage and metadata', async () => {
    const network = new MemoryNetwork({ seed: 4 })
    const start = clusterOn(network)
    const first = await start('a', ['a'])
    const second = await start('b')
    const third = await start('c')
    await first.node.addMember({ id: 'b', address: 'b', metadata: { zone: 'north' } })
    await first.node.addMember({ id: 'c', address: 'c', suffrage: 'learner' })
    for (let at = 0; at < 20; at++) await first.node.propose(`line ${at}`)
    await third.node.waitFor(({ lastApplied, snapshotIndex }) => lastApplied >= 20 && snapshotIndex > 0)
    for (const { node } of [first, second, third]) {
      await node.stop({ transferMs: 0 })
      open.delete(node)
    }
    const again = await Promise.all([
      start('a', ['a'], first.storage),
      start('b', undefined, second.storage),
      start('c', undefined, third.storage),
    ])
    const { index } = await again[2]!.node.propose('after')
    for (const { node, machine } of again) {
      await node.waitFor(({ lastApplied }) => lastApplied >= index)
      expect(machine.lines).toHaveLength(21)
      const { members } = node.status().configuration
      expect(members).toMatchObject([
        { id: 'a', suffrage: 'voter' },
        { id: 'b', suffrage: 'voter', metadata: { zone: 'north' } },
        { id: 'c', suffrage: 'learner' },
      ])
    }
  })

  it('may be asked to leave by a node that does not lead, and a leader that left serves no more', async () => {
    const start = clusterOn(new MemoryNetwork({ seed: 5 }))
    const running = await Promise.all(['a', 'b', 'c'].map((id) => start(id, ['a', 'b', 'c'])))
    await running[0]!.node.waitFor(followsLeader)
    const leader = running.find(({ node }) => node.isLeader)!
    const others = running.filter((each) => each !== leader)
    await others[0]!.node.removeMember(leader.node.id)
    await leader.node.waitFor(({ role }) => role === 'follower')
    expect(leader.node.status().suffrage).toBe('none')
    await expect(leader.node.propose('late')).rejects.toMatchObject({ code: 'RAFT_NOT_MEMBER' })
    await others[1]!.node.waitFor((status) => status.leader !== null && status.leader.id !== leader.node.id)
    await others[1]!.node.propose('goes on')
    expect(idsOf(others[1]!.node.status().configuration)).toBe(others.map(({ node }) => node.id).join(''))
  })

  it('that are parted are removed by the majority, which writes on', async () => {
    const network = new MemoryNetwork({ seed: 6 })
    const start = clusterOn(network)
    const running = await Promise.all(['a', 'b', 'c'].map((id) => start(id, ['a', 'b', 'c'])))
    await running[0]!.node.waitFor(followsLeader)
    const leader = running.find(({ node }) => node.isLeader)!.node
    const [lost, kept] = running.map(({ node }) => node).filter((node) => node !== leader)
    network.partition([leader.id, kept!.id], [lost!.id])
    await leader.removeMember(lost!.id)
    await kept!.propose('without it')
    expect(idsOf(leader.status().configuration)).toBe([leader.id, kept!.id].sort().join(''))
  })
})

describe('a joiner', () => {
  const start = async (network: MemoryNetwork, id: string, clusterId?: string, storage = memoryStorage()) => {
    const bootstrap = clusterId === undefined ? undefined : [{ id, address: id }]
    const timings = { electionTimeoutMs: 120, heartbeatIntervalMs: 30 }
    const transport = network.transport(id)
    const node = new RaftNode<string, number>({
      id,
      clusterId,
      bootstrap,
      stateMachine: new Log(),
      ...storage,
      transport,
      ...timings,
    })
    open.add(node)
    await node.start()
    return { node, storage }
  }

  it('belongs to the cluster of the leader that adds it, durably, and no other one gets it', async () => {
    const network = new MemoryNetwork({ seed: 7 })
    const blue = await start(network, 'a', 'blue')
    const green = await start(network, 'b', 'green')
    const joiner = await start(network, 'j')
    expect(joiner.node.status().clusterId).toBe('')
    // Both of them speak to it; the first leader that does wins.
    await blue.node.addMember({ id: 'j', address: 'j' })
    expect(joiner.node.status().clusterId).toBe('blue')
    await expect(green.node.addMember({ id: 'j', address: 'j' })).rejects.toMatchObject({ code: 'RAFT_TIMEOUT' })
    expect(idsOf(joiner.node.status().configuration)).toBe('aj')
    await joiner.node.stop({ transferMs: 0 })
    open.delete(joiner.node)
    const again = await start(network, 'j', undefined, joiner.storage)
    expect(again.node.status().clusterId).toBe('blue')
    await again.node.ready()
    await again.node.stop({ transferMs: 0 })
    open.delete(again.node)
    await expect(start(network, 'j', 'green', joiner.storage)).rejects.toMatchObject({ code: 'RAFT_IDENTITY' })
  })
})
