import { memoryStorage, type RaftError } from 'helios-raft'
import { afterEach, describe, expect, test } from 'vitest'
import { bytes, errorOf, TestCluster } from './harness.js'
import { single } from './single-voter.js'

let cluster: TestCluster | undefined
const begin = async (options = {}) => {
  cluster = new TestCluster(options)
  return cluster.start()
}
afterEach(async () => {
  await cluster?.stop()
  cluster = undefined
})

const SILENT = { debug: () => undefined, info: () => undefined, warn: () => undefined, error: () => undefined }

describe('start', () => {
  test('makes a single voter leader once its vote is durable, without an election timeout (F5, H7)', async () => {
    const { node, clock, logStore } = single()
    await node.start()
    logStore.isHeld = true
    await clock.run(0)
    expect(node.isLeader).toBe(false)
    logStore.isHeld = false
    logStore.release()
    await clock.run(0)
    expect(node.isLeader).toBe(true)
    const proposal = node.propose(bytes(4))
    await clock.run(0)
    expect((await proposal).result).toBe(4)
    await node.stop()
  })

  test('does not acknowledge a write of a single voter before it is durable (H7)', async () => {
    const { node, clock, logStore } = single()
    await node.start()
    await clock.run(0)
    logStore.isHeld = true
    let isDone = false
    const proposal = node.propose(bytes(4)).then(() => void (isDone = true))
    await clock.run(100)
    expect(isDone).toBe(false)
    logStore.release()
    await clock.run(0)
    await proposal
    await node.stop()
  })

  test('raises the boot counter durably before the transport hears of the node', async () => {
    const { node, logStore, transport } = single()
    const order: string[] = []
    const { write } = logStore
    logStore.write = async (batch) => {
      await write.call(logStore, batch)
      order.push(`boot ${batch.identity?.bootCount}`)
    }
    transport.start = async () => void order.push('transport')
    await node.start()
    expect(order).toEqual(['boot 1', 'transport'])
    await node.stop()
  })

  test('applies again what was committed before, and serves it (a restart)', async () => {
    const { logStore } = await (async () => {
      const parts = single()
      await parts.node.start()
      await parts.clock.run(0)
      const proposals = parts.node.proposeMany([bytes(1), bytes(2)])
      await parts.clock.run(0)
      await proposals
      await parts.node.stop()
      return parts
    })()
    const { node, clock, stateMachine } = single({ logStore })
    await node.start()
    await clock.run(0)
    await node.ready()
    expect(stateMachine.total).toBe(3)
    expect(logStore.identity?.bootCount).toBe(2)
    const proposal = node.propose(bytes(4))
    await clock.run(0)
    expect(await proposal).toMatchObject({ result: 7, term: 2 })
    await node.stop()
  })

  test('emits the configuration once, at index 0, before it resolves', async () => {
    const { node } = single()
    const heard: unknown[] = []
    node.on('configuration', (configuration, index) => heard.push([configuration.members.map(({ id }) => id), index]))
    await node.start()
    expect(heard).toEqual([[['a'], 0]])
    await node.stop()
  })

  test.each([
    ['without a bootstrap list waits to be added, and says so', undefined, true],
    [
      'with one says only whom it waits for',
      [
        { id: 'a', address: 'a:1' },
        { id: 'b', address: 'b:1' },
      ],
      false,
    ],
  ])('%s', async (_what, bootstrap, warns) => {
    const lines: string[] = []
    const line = (_fields: object, message: string) => void lines.push(message)
    const { node } = single({ bootstrap, logger: { ...SILENT, info: line, warn: line } })
    await node.start()
    expect(lines.includes('No configuration: waiting to be added to a cluster')).toBe(warns)
    expect(lines.includes('Waiting for b to found the cluster (1 of 2 members present)')).toBe(!warns)
    await node.stop()
  })

  test('without a bootstrap list stays as it is', async () => {
    const { node, clock } = single({ bootstrap: undefined })
    await node.start()
    await clock.run(5_000)
    expect(node.status()).toMatchObject({ role: 'follower', suffrage: 'none', currentTerm: 0, ready: false })
    expect(node.status().explanation).toContain('waits to be added')
    await node.stop()
  })

  test.each([
    [
      'the log store',
      (parts: ReturnType<typeof single>) => (parts.logStore.open = async () => Promise.reject(new Error('EACCES'))),
      0,
    ],
    ['the boot counter', (parts: ReturnType<typeof single>) => (parts.logStore.failure = new Error('EIO')), 1],
    [
      'the transport',
      (parts: ReturnType<typeof single>) =>
        (parts.transport.start = async () => Promise.reject(new Error('EADDRINUSE'))),
      1,
    ],
  ] as const)(
    'that fails at %s closes what it opened, and leaves a node that can be stopped',
    async (_what, spoil, closeCount) => {
      const parts = single()
      spoil(parts)
      const error = await errorOf(parts.node.start())
      expect(error.name).toBe('RaftError')
      expect(parts.logStore.closeCount).toBe(closeCount)
      expect(parts.node.status()).toMatchObject({
        role: 'failed',
        explanation: expect.stringContaining(error.message) as string,
      })
      await parts.node.stop()
      expect(parts.logStore.closeCount).toBe(closeCount)
      expect(await errorOf(parts.node.propose(bytes(1)))).toMatchObject({ code: 'RAFT_STOPPED', cause: error })
    },
  )

  test('refuses another cluster than the store belongs to (F26, H47)', async () => {
    const { node, logStore } = single({ clusterId: 'blue' })
    await node.start()
    await node.stop()
    const other = single({ logStore, clusterId: 'green' })
    expect(await errorOf(other.node.start())).toMatchObject({ code: 'RAFT_IDENTITY' })
    expect(logStore.isOpen).toBe(false)
    const same = single({ logStore })
    await same.node.start()
    expect(same.node.status().clusterId).toBe('blue')
    await same.node.stop()
  })

  test.each([
    ['names others', ['a', 'b'], 'The bootstrap list (a, b) is ignored: the members of this cluster are a'],
    ['names the same at other addresses', ['a'], null],
    ['is none', null, null],
  ] as const)('over existing state a bootstrap list that %s', async (_what, ids, warning) => {
    const storage = memoryStorage()
    const first = single({ ...storage, bootstrap: [{ id: 'a', address: 'a:1' }] })
    await first.node.start()
    await first.clock.run(0)
    expect(first.node.isLeader).toBe(true)
    await first.node.stop()
    const warned: string[] = []
    const logger = { ...SILENT, warn: (_fields: object, message: string) => void warned.push(message) }
    const bootstrap = ids?.map((id) => ({ id, address: `elsewhere-${id}:1` }))
    const again = single({ ...storage, bootstrap, logger })
    await again.node.start()
    expect(again.node.status().configuration.members).toMatchObject([{ id: 'a', address: 'a:1' }])
    expect(warned.filter((text) => text.includes('bootstrap'))).toEqual(
      warning === null ? [] : [expect.stringContaining(warning) as string],
    )
    await again.clock.run(0)
    expect(again.node.isLeader).toBe(true)
    await again.node.stop()
  })

  test('is the same promise when it is called twice, and refused after the end', async () => {
    const { node } = single()
    expect(node.start()).toBe(node.start())
    await node.start()
    await node.stop()
    expect(await errorOf(node.start())).toMatchObject({ code: 'RAFT_STOPPED' })
  })
})

describe('a failure', () => {
  test('of a write is fatal: nothing is sent, written or acknowledged afterwards (F31, H78)', async () => {
    const { leader, network } = await begin()
    const store = cluster!.store(leader.id)
    const failures: RaftError[] = []
    leader.on('fatal', (error) => failures.push(error))
    store.failure = new Error('EIO: i/o error')
    const proposal = leader.propose(bytes(1))
    expect(await errorOf(cluster!.settled(proposal))).toMatchObject({ code: 'RAFT_STOPPED', outcome: 'unknown' })
    expect(failures).toMatchObject([{ code: 'RAFT_STORAGE', cause: { message: 'EIO: i/o error' } }])
    expect(leader.status()).toMatchObject({ role: 'failed' })
    expect(leader.status().explanation).toContain('EIO')
    const [sent, writes] = [network.sent.filter(({ from }) => from === leader.id).length, store.writes.length]
    await cluster!.clock.run(2_000)
    expect(network.sent.filter(({ from }) => from === leader.id).length).toBe(sent)
    expect(store.writes.length).toBe(writes)
    expect(store.isOpen).toBe(false)
    await leader.stop({ transferMs: 0 })
    expect(leader.status().role).toBe('failed')
  })

  test('of the state machine is fatal, and the entry is never skipped (F31, H75)', async () => {
    const { leader } = await begin()
    const machine = cluster!.machine(leader.id)
    machine.onApply = (value) => {
      if (value === 13) throw new Error('unlucky')
    }
    const failures: RaftError[] = []
    leader.on('fatal', (error) => failures.push(error))
    const proposals = [12, 13, 14].map((value) => leader.propose(bytes(value)))
    const results = await cluster!.settled(Promise.allSettled(proposals))
    expect(results.map(({ status }) => status)).toEqual(['fulfilled', 'rejected', 'rejected'])
    expect(failures).toMatchObject([{ code: 'RAFT_STATE_MACHINE' }])
    expect(machine.calls.map(({ value }) => value)).toEqual([12, 13])
  })

  test('of an asynchronous apply is fatal too', async () => {
    const { leader } = await begin()
    cluster!.machine(leader.id).onApply = () => Promise.reject(new Error('later'))
    const proposal = leader.propose(bytes(1))
    expect(await errorOf(cluster!.settled(proposal))).toMatchObject({
      code: 'RAFT_STOPPED',
      cause: { code: 'RAFT_STATE_MACHINE' },
    })
  })

  test('of the protocol is RAFT_INVARIANT: two leaders of one term', async () => {
    const { leader, network } = await begin()
    const failures: RaftError[] = []
    leader.on('fatal', (error) => failures.push(error))
    const [other] = cluster!.followers
    network.inject(other!.id, leader.id, {
      type: 'heartbeat',
      term: 1,
      addedAt: 0,
      prevLogIndex: 0,
      prevLogTerm: 0,
      leaderCommit: 0,
      round: 0,
      sentMs: 0,
      echoMs: -1,
      echoBoot: 0,
      quorumAgeMs: 0,
      leaseMs: 0,
    })
    await cluster!.clock.run(0)
    expect(failures).toMatchObject([{ code: 'RAFT_INVARIANT' }])
    expect(leader.status().role).toBe('failed')
  })

  test('of a listener or a logger hurts nobody (H99, H100, H110)', async () => {
    const shout = () => {
      throw new Error('logger')
    }
    const { leader } = await begin({ options: { logger: { debug: shout, info: shout, warn: shout, error: shout } } })
    const heard: number[] = []
    leader.on('applied', () => {
      throw new Error('listener')
    })
    leader.on('applied', (() => Promise.reject(new Error('asynchronous listener'))) as () => void)
    leader.on('applied', (index) => heard.push(index))
    await cluster!.settled(leader.propose(bytes(1)))
    await cluster!.clock.run(1)
    expect(heard).toEqual([2])
  })

  test('listeners may call every method, stop too (H99)', async () => {
    const { leader } = await begin()
    let calls: Promise<PromiseSettledResult<unknown>[]> | undefined
    leader.once('applied', () => {
      leader.status()
      const begun = [leader.propose(bytes(2)), leader.read(() => 1), leader.ready(), leader.waitFor(() => true)]
      calls = Promise.allSettled([...begun, leader.stop({ transferMs: 0 })])
    })
    leader.propose(bytes(1)).catch(() => undefined)
    await cluster!.runUntil(() => calls !== undefined)
    const results = await cluster!.settled(calls!)
    const outcomes = results.map(({ status }) => status)
    expect(outcomes).toEqual(['rejected', 'rejected', 'fulfilled', 'fulfilled', 'fulfilled'])
    expect(leader.status().role).toBe('stopped')
  })

  test('a term of no plausible size is dropped, and the node goes on (F33)', async () => {
    const { leader, network, clock } = await begin()
    const [follower] = cluster!.followers
    const message = {
      type: 'requestVote',
      term: 2 ** 33,
      lastLogIndex: 99,
      lastLogTerm: 99,
      leadershipTransfer: false,
    } as const
    await clock.run(200)
    network.inject(leader.id, follower!.id, message)
    await clock.run(10)
    expect(follower!.status().currentTerm).toBe(1)
  })
})
