// Snapshots on real disks: three nodes over LevelDB and snapshot files compact their logs while they are written to, and
// each comes back from its own files with everything that was acknowledged.
import { mkdtemp, readdir, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { MemoryNetwork, RaftNode, type SnapshotMeta, type StateMachine } from 'helios-raft'
import { levelStorage } from 'helios-raft/level'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'

const IDS = ['a', 'b', 'c'] as const

class Sum implements StateMachine<number, number> {
  total = 0
  applyCount = 0
  readonly restored: SnapshotMeta[] = []

  readonly apply = (value: number): number => {
    this.applyCount += 1
    this.total += value
    return this.total
  }

  async *snapshot(): AsyncIterable<Uint8Array> {
    yield new TextEncoder().encode(String(this.total))
  }

  async restore(chunks: AsyncIterable<Uint8Array>, meta: SnapshotMeta): Promise<void> {
    let text = ''
    for await (const chunk of chunks) text += new TextDecoder().decode(chunk)
    this.total = Number(text)
    this.restored.push(meta)
  }
}

let directory: string
beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'helios-snapshots-'))
})
afterEach(() => rm(directory, { recursive: true, force: true }))

interface Member {
  readonly node: RaftNode<number, number>
  readonly machine: Sum
}

async function startAll(): Promise<readonly Member[]> {
  const network = new MemoryNetwork()
  const members = IDS.map((id): Member => {
    const machine = new Sum()
    const node = new RaftNode<number, number>({
      id,
      stateMachine: machine,
      transport: network.transport(id),
      bootstrap: IDS.map((member) => ({ id: member, address: member })),
      snapshot: { everyEntries: 20, trailingEntries: 10 },
      electionTimeoutMs: 150,
      heartbeatIntervalMs: 50,
      ...levelStorage({ directory: join(directory, id) }),
    })
    return { node, machine }
  })
  await Promise.all(members.map(({ node }) => node.start()))
  await Promise.all(members.map(({ node }) => node.ready()))
  return members
}

describe('snapshots on disks', () => {
  it('bound the log, and bring every node back', { timeout: 60_000 }, async () => {
    let members = await startAll()
    for (let value = 1; value <= 100; value++) await members[value % 3]?.node.propose(value)
    await Promise.all(
      members.map(({ node }) => node.waitFor((status) => status.snapshotIndex >= 80 && status.firstIndex > 60)),
    )
    await Promise.all(members.map(({ node }) => node.takeSnapshot()))
    await Promise.all(members.map(({ node }) => node.stop()))
    for (const id of IDS) expect(await readdir(join(directory, id, 'snapshots'))).toHaveLength(1)

    members = await startAll()
    for (const { machine, node } of members) {
      expect(machine.restored).toHaveLength(1)
      expect(machine.restored[0]?.lastIncludedIndex).toBeGreaterThanOrEqual(80)
      expect(node.status().firstIndex).toBeGreaterThan(60)
    }
    const { result } = (await members[0]?.node.propose(7)) ?? {}
    expect(result).toBe(5_057)
    await Promise.all(members.map(({ node }) => node.waitFor((status) => status.lastApplied >= status.commitIndex)))
    const totals = await Promise.all(members.map(({ node, machine }) => node.read(() => machine.total)))
    expect(totals.map(({ value }) => value)).toEqual([5_057, 5_057, 5_057])
    for (const { machine } of members) expect(machine.applyCount).toBeLessThan(40)
    await Promise.all(members.map(({ node }) => node.stop()))
  })
})
