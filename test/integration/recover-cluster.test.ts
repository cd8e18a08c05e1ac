// A cluster whose majority is lost for ever goes on with one survivor, and nobody of before gets a word in (F26, H50, H120).
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { memoryStorage, MemoryNetwork, RaftNode, type RaftStorage, recoverCluster } from 'helios-raft'
import { levelStorage } from 'helios-raft/level'
import { afterEach, describe, expect, it } from 'vitest'
import { Counter } from '../support/counter.js'

const open = new Set<RaftNode<number, number>>()
const directories: string[] = []
afterEach(async () => {
  await Promise.all([...open].map((node) => node.stop({ transferMs: 0 })))
  open.clear()
  for (const directory of directories.splice(0)) await rm(directory, { recursive: true, force: true })
})

const member = (id: string) => ({ id, address: id })

async function start(network: MemoryNetwork, id: string, storage: RaftStorage, list?: readonly string[]) {
  const node = new RaftNode<number, number>({
    id,
    stateMachine: new Counter(),
    ...storage,
    transport: network.transport(id),
    bootstrap: list?.map(member),
    electionTimeoutMs: 120,
    heartbeatIntervalMs: 30,
  })
  open.add(node)
  await node.start()
  return node
}
async function stop(...nodes: readonly RaftNode<number, number>[]): Promise<void> {
  for (const node of nodes) {
    await node.stop({ transferMs: 0 })
    open.delete(node)
  }
}

describe('recoverCluster', () => {
  it('makes a survivor the only voter, and the old majority that comes back is refused and loses nothing for it', async () => {
    const directory = await mkdtemp(join(tmpdir(), 'helios-recover-'))
    directories.push(directory)
    const ids = ['a', 'b', 'c']
    const storages = new Map(ids.map((id) => [id, memoryStorage()]))
    const network = new MemoryNetwork({ seed: 1 })
    const level = () => levelStorage({ directory })
    const nodes = [await start(network, 'a', level(), ids)]
    for (const id of ['b', 'c']) nodes.push(await start(network, id, storages.get(id)!, ids))
    for (let write = 0; write < 10; write++) await nodes[0]!.propose(1)
    const { clusterId, lastIndex, currentTerm: lastTerm, configuration: previous } = nodes[0]!.status()
    await stop(...nodes)

    const told = await recoverCluster({ ...level(), member: member('a'), dryRun: true })
    expect(told).toEqual({ clusterId, lastIndex, lastTerm, snapshotIndex: 0, previous })
    expect(previous.members.map(({ id }) => id)).toEqual(ids)
    const done = await recoverCluster({ ...level(), member: member('a') })
    expect(done).toEqual(told)

    const survivor = await start(network, 'a', level())
    await survivor.propose(1)
    expect(survivor.status().configuration.members.map(({ id }) => id)).toEqual(['a'])
    // The old majority is back, under the same names and with the same list.
    const old = [await start(network, 'b', storages.get('b')!, ids), await start(network, 'c', storages.get('c')!, ids)]
    const past = await old[0]!.waitFor(({ leader }) => leader !== null)
    expect(['b', 'c']).toContain(past.leader?.id)
    const { result } = await survivor.propose(1)
    expect(result).toBe(12)
    expect(survivor.status()).toMatchObject({ role: 'leader', leader: { id: 'a' } })
    await expect(survivor.addMember(member('b'))).rejects.toMatchObject({ code: 'RAFT_TIMEOUT' })
    // Wiped, and without the list, they are as good as any other joiner.
    await stop(...old)
    const again = await start(network, 'b', memoryStorage())
    await survivor.addMember(member('b'))
    await again.ready()
    expect((await again.read(() => 0)).index).toBeGreaterThan(lastIndex)
  })

  it('knows the members that were added, and refuses an old one that was', async () => {
    const network = new MemoryNetwork({ seed: 2 })
    const [first, second] = [memoryStorage(), memoryStorage()]
    const a = await start(network, 'a', first, ['a'])
    const b = await start(network, 'b', second)
    await a.addMember(member('b'))
    await a.propose(5)
    await stop(a, b)
    const { previous } = await recoverCluster({ ...second, member: member('b') })
    expect(previous.members.map(({ id }) => id)).toEqual(['a', 'b'])
    const survivor = await start(network, 'b', second)
    await survivor.waitFor(({ role }) => role === 'leader')
    const back = await start(network, 'a', first, ['a'])
    expect((await survivor.propose(1)).result).toBe(6)
    expect(back.status().leader).toBeNull()
  })

  it('refuses stores that have nothing to recover, that are of another node, or of one that runs', async () => {
    await expect(recoverCluster({ ...memoryStorage(), member: member('a') })).rejects.toMatchObject({
      code: 'RAFT_IDENTITY',
    })
    const directory = await mkdtemp(join(tmpdir(), 'helios-recover-'))
    directories.push(directory)
    const network = new MemoryNetwork({ seed: 3 })
    const node = await start(network, 'a', levelStorage({ directory }), ['a'])
    await node.propose(1)
    await expect(recoverCluster({ ...levelStorage({ directory }), member: member('a') })).rejects.toMatchObject({
      code: 'RAFT_LOCKED',
    })
    await stop(node)
    await expect(recoverCluster({ ...levelStorage({ directory }), member: member('b') })).rejects.toThrow(
      /belong to node 'a', not to 'b'/,
    )
    await expect(
      recoverCluster({ ...levelStorage({ directory }), member: { ...member('a'), suffrage: 'learner' } }),
    ).rejects.toThrow(/must be a voter/)
  })
})
