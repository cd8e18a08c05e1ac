// Three nodes over TCP whose timings, limits and snapshot policy are changed while they are written to (F43): no acknowledged
// write is lost, and the leader stays.
import { createServer } from 'node:net'
import { memoryStorage, presets, RaftNode, type StateMachine } from 'helios-raft'
import { TcpTransport } from 'helios-raft/tcp'
import { afterEach, describe, expect, it } from 'vitest'

const IDS = ['a', 'b', 'c'] as const

class Sums implements StateMachine<number, number> {
  readonly values: number[] = []
  readonly apply = (value: number): number => this.values.push(value)
  async *snapshot(): AsyncIterable<Uint8Array> {
    yield new TextEncoder().encode(JSON.stringify(this.values))
  }
  async restore(): Promise<void> {}
}

interface Member {
  readonly node: RaftNode<number, number>
  readonly machine: Sums
}

/** Ports that were free a moment ago. */
async function freePorts(): Promise<number[]> {
  const servers = IDS.map(() => createServer())
  await Promise.all(servers.map((server) => new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))))
  const ports = servers.map((server) => (server.address() as { port: number }).port)
  await Promise.all(servers.map((server) => new Promise((resolve) => server.close(resolve))))
  return ports
}

let members: readonly Member[] = []
afterEach(() => Promise.all(members.map(({ node }) => node.stop({ transferMs: 0 }))))

async function startAll(): Promise<readonly Member[]> {
  const ports = await freePorts()
  const bootstrap = IDS.map((id, at) => ({ id, address: `127.0.0.1:${ports[at]}` }))
  members = bootstrap.map(({ id, address }): Member => {
    const machine = new Sums()
    const transport = new TcpTransport({ listen: address })
    const node = new RaftNode<number, number>({
      ...{ id, bootstrap, transport, stateMachine: machine },
      ...presets.lan,
      ...memoryStorage(),
    })
    return { node, machine }
  })
  await Promise.all(members.map(({ node }) => node.start()))
  await Promise.all(members.map(({ node }) => node.ready()))
  return members
}

interface Load {
  readonly acknowledged: number[]
  /** Of these nobody knows: an election came in between. */
  readonly unknown: number[]
  end(): Promise<void>
}

/** Writes through every node, one value after the other, each value once, until it is told to end. */
function writing(nodes: readonly RaftNode<number, number>[]): Load {
  const [acknowledged, unknown]: [number[], number[]] = [[], []]
  let isEnding = false
  const write = async (node: RaftNode<number, number>, from: number): Promise<void> => {
    for (let value = from; !isEnding; value += nodes.length) {
      await node.propose(value).then(
        () => acknowledged.push(value),
        (error: { outcome: string }) => error.outcome === 'unknown' && unknown.push(value),
      )
    }
  }
  const writers = nodes.map((node, at) => write(node, at))
  return {
    acknowledged,
    unknown,
    end: async () => {
      isEnding = true
      await Promise.all(writers)
    },
  }
}

describe('three nodes over TCP', () => {
  it('go from lan to wan and back under load: at most one election, nothing lost', { timeout: 60_000 }, async () => {
    const nodes = (await startAll()).map(({ node }) => node)
    const before = Math.max(...nodes.map((node) => node.status().currentTerm))
    const load = writing(nodes)
    const steps = [
      { electionTimeoutMs: presets.wan.electionTimeoutMs },
      presets.wan,
      { heartbeatIntervalMs: presets.lan.heartbeatIntervalMs },
      presets.lan,
    ]
    for (const changes of steps) {
      const counts = load.acknowledged.length
      for (const node of nodes) node.reconfigure(changes)
      await Promise.all(nodes.map((node) => node.waitFor(() => load.acknowledged.length > counts + 100)))
    }
    await load.end()
    const leader = nodes.find((node) => node.isLeader)!
    expect(leader.status().currentTerm - before).toBeLessThanOrEqual(1)
    await leader.read(() => null)
    const { lastApplied } = leader.status()
    await Promise.all(nodes.map((node) => node.waitFor((status) => status.lastApplied >= lastApplied)))
    const [first, ...others] = members
    const applied = new Set(first!.machine.values)
    expect(applied.size).toBe(first!.machine.values.length)
    for (const value of load.unknown) applied.delete(value)
    expect(applied).toEqual(new Set(load.acknowledged))
    for (const { machine } of others) expect(machine.values).toEqual(first!.machine.values)
  })

  it('take other limits and another snapshot policy at once', { timeout: 60_000 }, async () => {
    const nodes = (await startAll()).map(({ node }) => node)
    const codes = (commands: readonly Promise<unknown>[]) =>
      Promise.all(
        commands.map((call) =>
          call.then(
            () => 'done',
            (error: { code: string }) => error.code,
          ),
        ),
      )
    const [node] = nodes
    await node!.propose(1_000_000)
    node!.reconfigure({ limits: { commandBytes: 3 } })
    expect(await codes([node!.propose(1_000_000), node!.propose(1)])).toEqual(['RAFT_TOO_LARGE', 'done'])
    node!.reconfigure({ limits: { uncommittedBytes: 3 } })
    const many = await codes(Array.from({ length: 5 }, () => node!.propose(1)))
    expect(many).toEqual(['done', 'done', 'done', 'RAFT_OVERLOADED', 'RAFT_OVERLOADED'])
    expect(node!.status().snapshotIndex).toBe(0)
    for (const each of nodes) each.reconfigure({ snapshot: { everyEntries: 4, trailingEntries: 0 } })
    await Promise.all(
      nodes.map((each) => each.waitFor(({ snapshotIndex, firstIndex }) => snapshotIndex > 3 && firstIndex > 3)),
    )
  })
})
