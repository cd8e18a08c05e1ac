import { isRaftError } from 'helios-raft'
import { SimulatedCluster, SimulationFailure } from 'helios-raft/testing'
import { describe, expect, it } from 'vitest'
import { type Add, Counter } from './property/machines.js'

const start = (seed: number | bigint = 1, machine: () => Counter = () => new Counter()) => {
  return new SimulatedCluster({ stateMachine: machine, seed })
}

async function elected(cluster: SimulatedCluster<Add, number, Counter>) {
  await cluster.advance(3_000)
  const { leader } = cluster
  if (leader === null) throw new Error('nobody leads')
  return leader
}

describe('SimulatedCluster', () => {
  it('lets time stand still but for advance and settle', async () => {
    await using cluster = start()
    expect([...cluster.nodes.keys()]).toEqual(['n1', 'n2', 'n3'])
    expect(cluster.leader).toBeNull()
    const leader = await elected(cluster)
    expect(cluster.nowMs).toBe(3_000)
    let isSettled = false
    const proposed = leader.propose({ add: 2 }).then((value) => {
      isSettled = true
      return value
    })
    for (let turn = 0; turn < 20; turn++) await new Promise((resolve) => setImmediate(resolve))
    expect(isSettled).toBe(false)
    expect((await cluster.settle(proposed)).result).toBe(2)
    expect(cluster.nowMs).toBeLessThan(3_100)
    await cluster.settleAll()
    expect([...cluster.stateMachines.values()].map(({ sum }) => sum)).toEqual([2, 2, 2])
    const value = () => cluster.stateMachines.get('n2')?.sum
    const read = cluster.nodes.get('n2')?.read(value)
    expect((await cluster.settle(read ?? Promise.reject()))?.value).toBe(2)
  })

  it('does the same for the same seed and calls, and something else for another seed', async () => {
    const play = async (seed: number) => {
      await using cluster = start(seed)
      const leader = await elected(cluster)
      await cluster.inject({ type: 'crash', node: 'leader' })
      await cluster.advance(4_000)
      return [leader.id, cluster.leader?.id, cluster.leader?.status().currentTerm, cluster.leader?.status().lastIndex]
    }
    expect(await play(5)).toEqual(await play(5))
    const runs = await Promise.all([1, 2, 3, 4, 5, 6].map(play))
    expect(new Set(runs.map(String)).size).toBeGreaterThan(1)
  })

  it('passes rejections on', async () => {
    await using cluster = start()
    await elected(cluster)
    await cluster.inject({ type: 'partition', groups: [['n1'], ['n2'], ['n3']] })
    const proposed = cluster.nodes.get('n1')?.propose({ add: 1 }, { timeoutMs: 500 })
    const error = await cluster.settle(Promise.resolve(proposed)).catch((reason: unknown) => reason)
    expect(isRaftError(error)).toBe(true)
  })

  it('has no node of a crashed process until it is restarted, and its promises never settle', async () => {
    await using cluster = start()
    const leader = await elected(cluster)
    const lost = leader.propose({ add: 1 })
    await cluster.inject({ type: 'crash', node: leader.id })
    expect(cluster.nodes.has(leader.id)).toBe(false)
    const before = cluster.nowMs
    await expect(cluster.settle(lost)).rejects.toThrow(
      expect.objectContaining({ code: 'RAFT_TIMEOUT', outcome: 'unknown', message: expect.stringMatching(/60000 ms/) }),
    )
    expect(cluster.nowMs - before).toBe(60_000)
    await cluster.inject({ type: 'restart', node: leader.id })
    await cluster.advance(100)
    expect(cluster.nodes.get(leader.id)).not.toBe(leader)
  })

  it('runs calls that overlap one after the other', async () => {
    await using cluster = start()
    const leader = await elected(cluster)
    const [one, two] = [leader.propose({ add: 1 }), leader.propose({ add: 2 })]
    const results = await Promise.all([cluster.settle(two), cluster.advance(10), cluster.settle(one)])
    expect([results[0].result, results[2].result]).toEqual([3, 1])
  })

  it('rejects with a SimulationFailure as soon as replicas differ, and ends without saying it again', async () => {
    let instances = 0
    class Forgetful extends Counter {
      readonly #number = instances++
      override readonly apply = (): number => this.#number
    }
    const cluster = start(9, () => new Forgetful())
    const leader = await elected(cluster)
    void leader.propose({ add: 1 }).catch(() => {})
    const failure = await cluster.advance(1_000).catch((error: unknown) => error)
    expect(failure).toBeInstanceOf(SimulationFailure)
    const { message, seed, trace, command } = failure as SimulationFailure
    expect(message).toMatch(/the state machines differ/)
    expect([seed, command]).toEqual([9n, 'new SimulatedCluster({ …the same options, seed: 9n }) and the same calls'])
    expect(trace.split('\n').length).toBeGreaterThan(100)
    await expect(cluster.advance(1)).rejects.toBe(await cluster.advance(1).catch((error: unknown) => error))
    await cluster[Symbol.asyncDispose]()
  })

  it('says at its end what was violated in its last moments', async () => {
    let instances = 0
    class Forgetful extends Counter {
      readonly #number = instances++
      override readonly apply = (): number => this.#number
    }
    const cluster = start(9, () => new Forgetful())
    const leader = await elected(cluster)
    void leader.propose({ add: 1 }).catch(() => {})
    // The end lets what is under way arrive: nobody has said yet that replicas differ.
    cluster.atEnd(() => cluster.advance(1_000))
    await expect(cluster[Symbol.asyncDispose]()).rejects.toThrow(/the state machines differ/)
  })

  it.each(['pause', 'hangDisk', 'failWrite', 'crash', 'stop'] as const)(
    'stops all nodes after %s too',
    async (type) => {
      const cluster = start()
      const leader = await elected(cluster)
      void leader.propose({ add: 1 }).catch(() => {})
      await cluster.inject(type === 'pause' ? { type, node: leader.id, forMs: 50_000 } : { type, node: leader.id })
      await cluster.advance(5)
      const others = [...cluster.nodes.values()].filter((node) => node !== leader)
      await cluster[Symbol.asyncDispose]()
      await cluster[Symbol.asyncDispose]()
      expect(others.map((node) => node.status().role)).toEqual(['stopped', 'stopped'])
      expect(cluster.nodes.size).toBe(0)
      await expect(cluster.advance(1)).rejects.toThrow(expect.objectContaining({ code: 'RAFT_STOPPED' }))
    },
  )

  it('refuses times, seeds and clusters that make no sense', async () => {
    await using cluster = start()
    await expect(cluster.advance(-1)).rejects.toThrow(/advance\(-1\)/)
    await expect(cluster.advance(Number.POSITIVE_INFINITY)).rejects.toThrow(/advance\(Infinity\)/)
    expect(() => start(-1)).toThrow(/seed is -1/)
    const learners = { voters: 5, learners: 3, options: {} }
    const make = () => new SimulatedCluster({ stateMachine: () => new Counter(), seed: 1, cluster: learners })
    expect(make).toThrow(/cluster.learners is 3: use a whole number from 0, at most 7 with the voters/)
  })
})
