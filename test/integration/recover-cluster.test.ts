// A cluster whose majority is lost for ever goes on with one survivor, and nobody of before gets a word in (F26, H50, H120).
import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises'
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

async function start(
  network: MemoryNetwork,
  id: string,
  storage: RaftStorage,
  list?: readonly string[],
  trailingEntries = 10_000,
) {
  const node = new RaftNode<number, number>({
    id,
    stateMachine: new Counter(),
    ...storage,
    transport: network.transport(id),
    bootstrap: list?.map(member),
    electionTimeoutMs: 120,
    heartbeatIntervalMs: 30,
    snapshot: { trailingEntries },
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

/** A directory of a stopped node with 20 writes, a snapshot, and 5 writes behind it; then `damage` is done to the snapshot. */
async function survivorOf(trailingEntries: number, damage: (directory: string, file: string) => Promise<void>) {
  const directory = await mkdtemp(join(tmpdir(), 'helios-recover-'))
  directories.push(directory)
  const node = await start(new MemoryNetwork({ seed: 4 }), 'a', levelStorage({ directory }), ['a'], trailingEntries)
  for (let write = 0; write < 20; write++) await node.propose(1)
  await node.takeSnapshot()
  for (let write = 0; write < 5; write++) await node.propose(1)
  await stop(node)
  const snapshots = join(directory, 'snapshots')
  const names = (await readdir(snapshots)).filter((name) => name.endsWith('.snap'))
  expect(names).toHaveLength(1)
  await damage(snapshots, join(snapshots, names[0]!))
  return directory
}
const spoil = (offset: number) => async (_: string, file: string) => {
  const bytes = await readFile(file)
  const at = offset < 0 ? bytes.length + offset : offset
  bytes[at]! ^= 1
  await writeFile(file, bytes)
}

describe('recoverCluster', () => {
  it.each([
    ['is lost', (snapshots: string) => rm(snapshots, { recursive: true }), /there is no snapshot/],
    ['has a damaged header', spoil(20), /is damaged/],
    ['fails its digest', spoil(-1), /fails its SHA-256/],
  ] as const)('refuses a survivor whose snapshot %s and whose log begins behind it', async (_, damage, found) => {
    const directory = await survivorOf(0, damage)
    for (const dryRun of [true, false]) {
      const refused = await recoverCluster({ ...levelStorage({ directory }), member: member('a'), dryRun }).then(
        () => null,
        (error: unknown) => error,
      )
      expect(refused).toMatchObject({ code: 'RAFT_CORRUPTION', message: expect.stringMatching(found) })
      expect(refused).toMatchObject({
        message: expect.stringMatching(/^'a' can't go on alone, and nothing was changed: try another survivor/),
      })
    }
    const log = levelStorage({ directory }).logStore
    // Nothing was written: the identity, the term and the log are those of before.
    expect(await log.open()).toMatchObject({ lastIndex: 27, identity: { bootCount: 1 }, hardState: { votedFor: 'a' } })
    await log.close()
  })

  it.each([
    ['has a damaged header', spoil(20)],
    ['fails its digest', spoil(-1)],
  ] as const)(
    'takes a survivor whose snapshot %s and whose log holds everything, as a start does',
    async (_, damage) => {
      const directory = await survivorOf(10_000, damage)
      const storage = () => levelStorage({ directory })
      const told = await recoverCluster({ ...storage(), member: member('a'), dryRun: true })
      expect(told).toMatchObject({ lastIndex: 27, snapshotIndex: 0, previous: { members: [{ id: 'a' }] } })
      expect(await recoverCluster({ ...storage(), member: member('a') })).toEqual(told)
      const survivor = await start(new MemoryNetwork({ seed: 5 }), 'a', storage())
      expect((await survivor.propose(1)).result).toBe(26)
    },
  )

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
