// `node.reconfigure` (F43, F13): all of it or nothing, key by key, in force at once.
import { MemoryNetwork, MemorySnapshotStore, presets, RaftNode, type RaftNodeOptions } from 'helios-raft'
import { describe, expect, test } from 'vitest'
import { bytes, errorOf, TestCluster, TestLogStore } from './harness.js'
import { single } from './single-voter.js'
import { SnapshotStage } from './snapshot-stage.js'

type Changes = Parameters<RaftNode['reconfigure']>[0]

function refusalOf(change: () => void): { code: string; message: string } {
  try {
    change()
  } catch (error) {
    return error as { code: string; message: string }
  }
  throw new Error('it was taken')
}

async function running(options: Partial<RaftNodeOptions<Uint8Array, number>> = {}) {
  const held = single(options)
  await held.node.start()
  await held.clock.run(10)
  return held
}

describe('reconfigure', () => {
  test.each<[object | null, RegExp]>([
    [null, /reconfigure takes an object, not null/],
    [[], /not an array/],
    [{ electionTimeout: 5 }, /no option for reconfigure 'electionTimeout': known are electionTimeoutMs, heartbeat/],
    [{ id: 'b' }, /no option for reconfigure 'id'/],
    [{ electionTimeoutMs: 200 }, /electionTimeoutMs is 200 and heartbeatIntervalMs 100: it must be at least 3 times/],
    [{ electionTimeoutMs: '900' }, /electionTimeoutMs is '900'/],
    [{ electionTimeoutMs: null }, /electionTimeoutMs is null/],
    [{ heartbeatIntervalMs: 0 }, /heartbeatIntervalMs is 0/],
    [{ snapshot: null }, /snapshot is null/],
    [{ snapshot: { everyEntry: 3 } }, /no snapshot policy 'everyEntry'/],
    [{ snapshot: { everyEntries: 0 } }, /snapshot.everyEntries is 0/],
    [{ snapshot: { everyMs: 0 } }, /snapshot.everyMs is 0/],
    [{ limits: null }, /limits is null/],
    [{ limits: { commandByte: 3 } }, /no limit 'commandByte'/],
    [{ limits: { commandBytes: 1.5 } }, /limits.commandBytes is 1.5/],
    [{ limits: { uncommittedBytes: 1_000 } }, /limits.commandBytes is 1048576 and limits.uncommittedBytes 1000/],
    [{ limits: { commandBytes: 8 * 1024 * 1024 } }, /limits.commandBytes is 8388608, which with 128 bytes of headers/],
    [{ limits: { snapshotChunkBytes: 8 * 1024 * 1024 } }, /limits.snapshotChunkBytes is 8388608, which with/],
    [{ limits: { appendEntries: 65_537 } }, /limits.appendEntries is 65537/],
  ])('refuses %o and says why', async (changes, message) => {
    const { node } = await running()
    const error = refusalOf(() => node.reconfigure(changes as Changes))
    expect(error.code).toBe('RAFT_INVALID_OPTION')
    expect(error.message).toMatch(message)
    await node.stop()
  })

  test('does all of it or nothing', async () => {
    const { node, clock } = await running({ codec: { encode: (value) => value, decode: (data) => data } })
    const wrong = { limits: { commandBytes: 4 }, snapshot: { everyEntries: 1 }, heartbeatIntervalMs: 10_000 }
    expect(refusalOf(() => node.reconfigure(wrong)).code).toBe('RAFT_INVALID_OPTION')
    const proposed = node.propose(new Uint8Array(5))
    await clock.run(10)
    await expect(proposed).resolves.toMatchObject({ index: expect.any(Number) })
    expect(node.status().snapshotIndex).toBe(0)
    await node.stop()
  })

  test('leaves what is left out, or undefined, as it is', async () => {
    const { node, clock } = await running({ limits: { commandBytes: 4 } })
    const isTooLarge = async (size: number) => {
      const code = node.propose(new Uint8Array(size)).then(
        () => null,
        (error: { code: string }) => error.code,
      )
      await clock.run(10)
      return (await code) === 'RAFT_TOO_LARGE'
    }
    node.reconfigure({})
    node.reconfigure({ limits: undefined, snapshot: undefined, electionTimeoutMs: undefined })
    node.reconfigure({ limits: { commandBytes: undefined, appendBytes: 100 } })
    expect(await isTooLarge(5)).toBe(true)
    node.reconfigure({ limits: { commandBytes: 6 } })
    expect([await isTooLarge(6), await isTooLarge(7)]).toEqual([false, true])
    // A step at a time: neither of these would be taken with the defaults for the other.
    node.reconfigure({ electionTimeoutMs: 3_000 })
    node.reconfigure({ heartbeatIntervalMs: 1_000 })
    node.reconfigure(presets.wan)
    expect(refusalOf(() => node.reconfigure({ electionTimeoutMs: 500 })).message).toMatch(/heartbeatIntervalMs 200/)
    await node.stop()
  })

  test('before the start holds from the start on', async () => {
    const { node, clock } = single()
    node.reconfigure({ limits: { commandBytes: 2 } })
    await node.start()
    await clock.run(10)
    expect(await errorOf(node.propose(bytes(1, 2, 3)))).toMatchObject({ code: 'RAFT_TOO_LARGE' })
    await node.stop()
  })

  test('is refused by a node that stops, was stopped, or failed', async () => {
    const stopped = await running()
    const stopping = stopped.node.stop()
    expect(refusalOf(() => stopped.node.reconfigure({})).code).toBe('RAFT_STOPPED')
    await stopping
    expect(refusalOf(() => stopped.node.reconfigure({})).code).toBe('RAFT_STOPPED')
    const failed = await running()
    failed.logStore.failure = new Error('disk')
    const proposed = errorOf(failed.node.propose(bytes(1)))
    await failed.clock.run(10)
    await proposed
    expect(refusalOf(() => failed.node.reconfigure({})).code).toBe('RAFT_STOPPED')
  })

  test('says so in the log', async () => {
    const stage = await new SnapshotStage().start()
    stage.node.reconfigure(presets.wan)
    expect(stage.said('Options changed')[0]?.fields).toEqual({ node: 'a', ...presets.wan })
    await stage.node.stop()
  })
})

describe('other limits', () => {
  test('hold from the next call on: uncommittedBytes', async () => {
    const { node, clock, logStore } = await running()
    logStore.isHeld = true
    const first = node.propose(new Uint8Array(60))
    await clock.run(5)
    node.reconfigure({ limits: { commandBytes: 60, uncommittedBytes: 100 } })
    expect(await errorOf(node.propose(new Uint8Array(41)))).toMatchObject({ code: 'RAFT_OVERLOADED', retryable: true })
    const second = node.propose(new Uint8Array(40))
    let isWritable = false
    void node.writable().then(() => void (isWritable = true))
    await clock.run(5)
    expect(isWritable).toBe(false)
    // Who waits for room hears of it without anything else that happens.
    node.reconfigure({ limits: { uncommittedBytes: 1_000 } })
    await clock.run(5)
    expect(isWritable).toBe(true)
    logStore.isHeld = false
    logStore.release()
    await clock.run(20)
    await Promise.all([first, second])
    await node.stop()
  })

  test('that are below what is in use refuse what comes, and lose nothing', async () => {
    const { node, clock, logStore } = await running()
    logStore.isHeld = true
    const first = node.propose(new Uint8Array(500))
    await clock.run(5)
    node.reconfigure({ limits: { commandBytes: 10, uncommittedBytes: 10 } })
    expect(await errorOf(node.propose(bytes(1)))).toMatchObject({ code: 'RAFT_OVERLOADED' })
    logStore.isHeld = false
    logStore.release()
    await clock.run(20)
    await first
    const next = node.propose(bytes(1))
    await clock.run(20)
    await next
    await node.stop()
  })

  test('bound the next message of entries: appendEntries', async () => {
    const cluster = await new TestCluster().start()
    const { leader } = cluster
    leader.reconfigure({ limits: { appendEntries: 2 } })
    await cluster.clock.run(5)
    cluster.network.sent.length = 0
    await cluster.settled(leader.proposeMany(Array.from({ length: 7 }, (_, at) => bytes(at))))
    const sizes = cluster.network.sent.flatMap(({ message }) =>
      message.type === 'appendEntries' ? [message.entries.length] : [],
    )
    expect(Math.max(...sizes)).toBe(2)
    await Promise.all(cluster.ids.map((id) => cluster.node(id).stop({ transferMs: 0 })))
  })
})

describe('larger commands', () => {
  /** Two voters of which the second takes only small messages. */
  async function pair(maxMessageBytes: number) {
    const network = new MemoryNetwork()
    const bootstrap = ['a', 'b'].map((id) => ({ id, address: id }))
    const nodes = ['a', 'b'].map((id) => {
      const transport = network.transport(id)
      const small = { limits: { commandBytes: 1_000, appendBytes: 1_000, snapshotChunkBytes: 1_000 } }
      return new RaftNode<Uint8Array>({
        ...{ id, bootstrap, ...presets.lan, ...small },
        stateMachine: { apply: () => null, async *snapshot() {}, async restore() {} },
        logStore: new TestLogStore(),
        snapshotStore: new MemorySnapshotStore(),
        transport: id === 'a' ? transport : withMaximum(transport, maxMessageBytes),
      })
    })
    for (const node of nodes) await node.start()
    await Promise.all(nodes.map((node) => node.ready()))
    return nodes
  }

  function withMaximum(transport: RaftNodeOptions['transport'], maxMessageBytes: number): RaftNodeOptions['transport'] {
    return {
      maxMessageBytes,
      start: (local) => transport.start(local),
      send: (to, message) => transport.send(to, message),
      stop: () => transport.stop(),
    }
  }

  test('are refused while a member is connected that could not take them, with both numbers (F13)', async () => {
    const nodes = await pair(2_128)
    const [node] = nodes
    if (node === undefined) throw new Error('there is one')
    node.reconfigure({ limits: { commandBytes: 2_000, snapshotChunkBytes: 2_000 } })
    for (const name of ['commandBytes', 'snapshotChunkBytes'] as const) {
      const error = refusalOf(() => node.reconfigure({ limits: { [name]: 2_001 } }))
      expect(error.code).toBe('RAFT_INVALID_OPTION')
      expect(error.message).toMatch(
        new RegExp(`limits.${name} of 2001 needs messages of 2129 bytes, and 'b', .* at most 2128`),
      )
    }
    await nodes[1]?.stop()
    await node.waitFor((status) => status.peers.every(({ lastContactMs }) => (lastContactMs ?? 999) > 100))
    node.reconfigure({ limits: { commandBytes: 2_001 } })
    await node.stop({ transferMs: 0 })
  })
})

describe('another snapshot policy', () => {
  test('asks for a snapshot at once where one is due by it', async () => {
    const stage = await new SnapshotStage().start()
    await stage.propose(1, 2, 3)
    expect(stage.said('Snapshot created')).toHaveLength(0)
    stage.node.reconfigure({ snapshot: { everyEntries: 3 } })
    await stage.clock.run(10)
    expect(stage.said('Snapshot created')).toHaveLength(1)
    expect(stage.node.status().firstIndex).toBe(1)
    // The other key stands: nothing is trailing from the next one on, which everyEntries still asks for.
    stage.node.reconfigure({ snapshot: { trailingEntries: 0 } })
    await stage.propose(4, 5, 6)
    await stage.clock.run(1_000)
    expect(stage.said('Snapshot created')).toHaveLength(2)
    expect(stage.node.status().firstIndex).toBe(stage.node.status().snapshotIndex + 1)
    await stage.node.stop()
  })

  test('begins a new interval, and ends the old one', async () => {
    const stage = await new SnapshotStage({ snapshot: { everyMs: 100_000 } }).start()
    await stage.propose(1)
    stage.node.reconfigure({ snapshot: { everyMs: 1_000 } })
    await stage.clock.run(1_300)
    expect(stage.said('Snapshot created')).toHaveLength(1)
    stage.node.reconfigure({ snapshot: { everyMs: Number.POSITIVE_INFINITY } })
    await stage.propose(2)
    await stage.clock.run(10_000)
    expect(stage.said('Snapshot created')).toHaveLength(1)
    await stage.node.stop()
  })

  test('of the same interval lets it go on', async () => {
    const stage = await new SnapshotStage({ snapshot: { everyMs: 1_000 } }).start()
    await stage.propose(1)
    for (let round = 0; round < 13; round++) {
      await stage.clock.run(100)
      stage.node.reconfigure({ snapshot: { everyEntries: 1_000, everyMs: 1_000 } })
    }
    expect(stage.said('Snapshot created')).toHaveLength(1)
    await stage.node.stop()
  })
})

describe('other timings', () => {
  test('change how often a leader is heard, from the next heartbeat on, and nobody campaigns', async () => {
    const cluster = await new TestCluster({ options: presets.wan }).start()
    const { leader } = cluster
    const { currentTerm } = leader.status()
    const heartbeats = async (ms: number) => {
      cluster.network.sent.length = 0
      await cluster.clock.run(ms)
      return cluster.network.sent.filter(({ message }) => message.type === 'heartbeat').length / 2
    }
    for (const id of cluster.ids) cluster.node(id).reconfigure({ heartbeatIntervalMs: 50 })
    await cluster.clock.run(50)
    expect(await heartbeats(1_000)).toBe(20)
    for (const id of cluster.ids) cluster.node(id).reconfigure(presets.lan)
    await cluster.clock.run(2_000)
    for (const id of cluster.ids) cluster.node(id).reconfigure({ electionTimeoutMs: 1_000 })
    for (const id of cluster.ids) cluster.node(id).reconfigure(presets.wan)
    await cluster.clock.run(200)
    expect(await heartbeats(1_000)).toBe(5)
    expect(leader.status()).toMatchObject({ role: 'leader', currentTerm })
    expect(leader.status().quorumOk).toBe(true)
    await Promise.all(cluster.ids.map((id) => cluster.node(id).stop({ transferMs: 0 })))
  })

  test('are those by which a dead leader is replaced', async () => {
    const cluster = await new TestCluster({ options: { electionTimeoutMs: 2_000, heartbeatIntervalMs: 50 } }).start()
    const { leader, followers } = cluster
    for (const id of cluster.ids) cluster.node(id).reconfigure(presets.lan)
    await cluster.clock.run(100)
    cluster.network.isolate(leader.id)
    await cluster.runUntil(() => followers.some((node) => node.isLeader), 1_000)
    await cluster.runUntil(() => !leader.isLeader, 1_000)
    await Promise.all(cluster.ids.map((id) => cluster.node(id).stop({ transferMs: 0 })))
  })

  test('of a stop are those of now', async () => {
    const held = await running({ electionTimeoutMs: 30_000 })
    held.node.reconfigure(presets.lan)
    held.logStore.isHeld = true
    const proposed = errorOf(held.node.propose(bytes(1)))
    await held.clock.run(5)
    let isStopped = false
    void held.node.stop().then(() => void (isStopped = true))
    await held.clock.run(2_000)
    expect(isStopped).toBe(true)
    held.logStore.isHeld = false
    held.logStore.release()
    await held.clock.run(10)
    await proposed
  })
})
