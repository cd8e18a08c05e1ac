// A cluster of whole nodes that grows, is replaced and shrinks, over the memory network and over TCP (F22-F24, F26).
import { type Configuration, type Member, memoryStorage, MemoryNetwork, RaftNode } from 'helios-raft'
import { TcpTransport } from 'helios-raft/tcp'
import { afterEach, describe, expect, it, onTestFinished } from 'vitest'
import { Counter } from '../support/counter.js'

type Node = RaftNode<number, number>
const open: { stop(): Promise<void> }[] = []
afterEach(async () => {
  await Promise.all(open.splice(0).map((node) => node.stop()))
})
const ignore = (): void => undefined
const SILENT = { debug: ignore, info: ignore, error: ignore }
const timings = { electionTimeoutMs: 150, heartbeatIntervalMs: 30 }
const votersOf = ({ members }: Configuration): string =>
  members
    .filter(({ suffrage }) => suffrage === 'voter')
    .map(({ id }) => id)
    .join('')

class Cluster {
  readonly network = new MemoryNetwork({ seed: 1 })
  readonly machines = new Map<string, Counter>()
  readonly nodes = new Map<string, Node>()

  async start(id: string, bootstrap?: readonly string[], storage = memoryStorage()): Promise<Node> {
    const stateMachine = new Counter()
    const node = new RaftNode<number, number>({
      id,
      stateMachine,
      ...storage,
      transport: this.network.transport(id),
      bootstrap: bootstrap?.map((member) => ({ id: member, address: member })),
      ...timings,
    })
    open.push(node)
    this.machines.set(id, stateMachine)
    this.nodes.set(id, node)
    await node.start()
    return node
  }

  async found(...ids: readonly string[]): Promise<Node> {
    await Promise.all(ids.map((id) => this.start(id, ids)))
    for (const node of this.nodes.values()) await node.waitFor(({ leader }) => leader !== null)
    return this.leader
  }

  get leader(): Node {
    const leader = [...this.nodes.values()].find((node) => node.isLeader)
    if (leader === undefined) throw new Error('nobody leads')
    return leader
  }
}

describe('a cluster that changes', () => {
  it('grows from one node to three, and each of them has everything', async () => {
    const cluster = new Cluster()
    const first = await cluster.found('a')
    await first.propose(1)
    for (const id of ['b', 'c']) {
      const joiner = await cluster.start(id)
      expect(joiner.status()).toMatchObject({ suffrage: 'none', ready: false })
      const progress: number[] = []
      const configuration = await first.addMember(
        { id, address: id, metadata: { zone: id } },
        { onProgress: ({ matchIndex }) => progress.push(matchIndex) },
      )
      expect(configuration.members.find((member) => member.id === id)).toMatchObject({ metadata: { zone: id } })
      await joiner.ready()
      expect(joiner.status().suffrage).toBe('voter')
    }
    const { index } = await cluster.nodes.get('c')!.propose(2)
    await cluster.nodes.get('b')!.waitFor(({ lastApplied }) => lastApplied >= index)
    expect([...cluster.machines.values()].map(({ total }) => total)).toEqual([3, 3, 3])
  })

  it('may be asked anywhere, and answers when it is so', async () => {
    const cluster = new Cluster()
    const leader = await cluster.found('a', 'b', 'c')
    const follower = [...cluster.nodes.values()].find((node) => node !== leader)!
    const told: Configuration[] = []
    follower.on('configuration', (configuration) => told.push(configuration))
    await cluster.start('d')
    expect(votersOf(await follower.addMember({ id: 'd', address: 'd' }))).toBe('abcd')
    expect(votersOf(await follower.addMember({ id: 'd', address: 'd' }))).toBe('abcd')
    expect(votersOf(await follower.demote('d'))).toBe('abc')
    await follower.updateMember('d', { metadata: { http: 'd:80' } })
    expect(votersOf(await follower.removeMember('d'))).toBe('abc')
    await follower.waitFor(() => told.length >= 6)
    expect(told.map(({ members }) => members.map(nameOf).join(' '))).toEqual([
      'a b c d?',
      // Its store is known.
      'a b c d?',
      'a b c d',
      'a b c d?',
      'a b c d?http',
      'a b c',
    ])
    await expect(cluster.nodes.get('d')!.propose(1)).rejects.toMatchObject({ code: 'RAFT_NOT_MEMBER' })
    for (const consistency of ['linearizable', 'lease'] as const) {
      const read = cluster.nodes.get('d')!.read(() => 0, { consistency })
      await expect(read).rejects.toMatchObject({ code: 'RAFT_NOT_MEMBER' })
    }
  })

  it('lets its leader go, which hands over, and loses nothing', async () => {
    const cluster = new Cluster()
    const leader = await cluster.found('a', 'b', 'c')
    const writes = Array.from({ length: 50 }, () => leader.propose(1))
    const configuration = await leader.removeMember(leader.id)
    expect(configuration.members.map(({ id }) => id)).not.toContain(leader.id)
    await Promise.all(writes)
    const left = [...cluster.nodes.values()].find((node) => node !== leader)!
    await left.waitFor((status) => status.leader !== null && status.leader.id !== leader.id)
    expect((await left.propose(1)).result).toBe(51)
  })

  it('is replaced as a whole, under writes', async () => {
    const cluster = new Cluster()
    const leader = await cluster.found('a', 'b', 'c')
    for (const id of ['d', 'e', 'f']) await cluster.start(id)
    let acknowledged = 0
    let isOver = false
    const writer = (async () => {
      while (!isOver) {
        const node = [...cluster.nodes.values()].find(({ leader: known, id }) => known !== null && 'def'.includes(id))
        const written = await (node ?? leader).propose(1).catch(() => null)
        if (written !== null) acknowledged += 1
      }
    })()
    await leader.changeMembership(['d', 'e', 'f'].map((id) => ({ id, address: id })))
    const next = cluster.nodes.get('e')!
    await next.waitFor((status) => status.leader !== null && 'def'.includes(status.leader.id))
    isOver = true
    await writer
    const { value } = await next.read(() => cluster.machines.get('e')!.total)
    expect(value).toBeGreaterThanOrEqual(acknowledged)
    expect(next.status().configuration).toMatchObject({ votersOutgoing: [] })
  })

  it('says what is wrong with what it is asked for', async () => {
    const cluster = new Cluster()
    const leader = await cluster.found('a')
    await expect(leader.removeMember('a')).rejects.toMatchObject({ code: 'RAFT_INVALID_CONFIGURATION' })
    await expect(leader.promote('x')).rejects.toThrow(/'x' is not a member: add it first/)
    await expect(leader.addMember({ id: 'b', address: '' })).rejects.toMatchObject({ code: 'RAFT_INVALID_OPTION' })
    await expect(leader.changeMembership([])).rejects.toThrow(/at least one voter/)
    await expect(leader.updateMember('a', {})).rejects.toThrow(/nothing to change/)
    const adding = leader.addMember({ id: 'b', address: 'b' })
    await expect(leader.removeMember('b')).rejects.toMatchObject({
      code: 'RAFT_CONFIGURATION_PENDING',
      retryable: true,
    })
    await expect(adding).rejects.toThrow(/'b' was not heard for 1500 ms: it stays a learner/)
    const aborted = new AbortController()
    const again = leader.addMember({ id: 'b', address: 'b' }, { signal: aborted.signal })
    aborted.abort()
    await expect(again).rejects.toMatchObject({ code: 'RAFT_ABORTED', outcome: 'unknown' })
    expect(votersOf(await leader.removeMember('b'))).toBe('a')
  })
})

describe('a member that comes back as another one', () => {
  it('with a wiped disk is refused by name, and served once it was removed and added again', async () => {
    const cluster = new Cluster()
    const first = await cluster.found('a')
    for (const id of ['b', 'c']) {
      await cluster.start(id)
      await first.addMember({ id, address: id })
    }
    await cluster.nodes.get('c')!.stop()
    const wiped = await cluster.start('c')
    await first.waitFor(({ peers }) => peers.some(({ id, lastContactMs }) => id === 'c' && (lastContactMs ?? 0) > 300))
    const refused = {
      code: 'RAFT_IDENTITY',
      message: expect.stringMatching(/'c' is a member already .* remove 'c' first, then add it again/),
    }
    await expect(first.addMember({ id: 'c', address: 'c' })).rejects.toMatchObject(refused)
    await expect(first.promote('c')).rejects.toMatchObject(refused)
    expect(votersOf(await first.addMember({ id: 'b', address: 'b' }))).toBe('abc')
    expect(wiped.status().explanation).toMatch(/If 'c' is a member already, its disk was lost: remove 'c'/)
    await first.removeMember('c')
    expect(votersOf(await first.addMember({ id: 'c', address: 'c' }))).toBe('abc')
    await wiped.ready()
  })
})

describe('a joiner over TCP', () => {
  it('is dialled at the address that it was added with, and found again at another one', async () => {
    const start = async (
      id: string,
      isFirst: boolean,
      storage = memoryStorage(),
      listed?: string,
      warned: string[] = [],
    ) => {
      const transport = new TcpTransport({ listen: '127.0.0.1:0' })
      onTestFinished(() => transport.stop())
      const address = await transport.listen()
      const bootstrap = isFirst ? [{ id, address: listed ?? address }] : undefined
      const logger = {
        ...SILENT,
        warn: (_: object, text: string) => void (text.startsWith('The members dial') && warned.push(text)),
      }
      const node = new RaftNode({
        id,
        stateMachine: new Counter(),
        ...storage,
        transport,
        bootstrap,
        logger,
        ...timings,
      })
      open.push(node)
      await node.start()
      return { node, address, storage }
    }
    const { node: first } = await start('a', true)
    const joiner = await start('b', false)
    await first.waitFor(({ role }) => role === 'leader')
    await first.addMember({ id: 'b', address: joiner.address, suffrage: 'learner' })
    await joiner.node.ready()
    await first.promote('b')
    await first.propose(1)
    await joiner.node.stop()
    const said: string[] = []
    const moved = await start('b', false, joiner.storage, undefined, said)
    expect(said).toEqual([
      expect.stringContaining(`The members dial ${joiner.address} and this node listens on ${moved.address}:`),
    ])
    expect(moved.address).not.toBe(joiner.address)
    await first.waitFor(({ role }) => role !== 'preCandidate')
    await moved.node.updateMember('b', { address: moved.address })
    await moved.node.ready()
    const { index } = await moved.node.propose(2)
    await first.waitFor(({ lastApplied }) => lastApplied >= index)
    for (const address of ['b', 'b:0', '[b]:7000']) {
      await expect(first.updateMember('b', { address })).rejects.toThrow(/the address of 'b', .* (host:port|port 0)/)
      await expect(first.addMember({ id: 'c', address })).rejects.toMatchObject({ code: 'RAFT_INVALID_OPTION' })
      await expect(start('d', true, memoryStorage(), address)).rejects.toMatchObject({ code: 'RAFT_INVALID_OPTION' })
    }
  })
})

function nameOf({ id, suffrage, metadata }: Member): string {
  return `${id}${suffrage === 'learner' ? '?' : ''}${Object.keys(metadata ?? {}).join()}`
}
