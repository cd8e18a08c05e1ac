// What runs while a node leads (F47).
import type { Leadership } from 'helios-raft'
import { afterEach, describe, expect, it } from 'vitest'
import { bytes, errorOf, settle, TestCluster } from './harness.js'
import { single } from './single-voter.js'

let cluster: TestCluster
afterEach(async () => cluster?.stop())

/** Notes what begins and ends on each node; a task lasts until its signal. */
function watch(): string[] {
  const seen: string[] = []
  for (const [id, node] of cluster.nodes) {
    node.onLeadership(({ term, signal }) => {
      seen.push(`${id} begins ${term} at ${cluster.machine(id).total}`)
      return new Promise((resolve) => {
        signal.addEventListener('abort', () => {
          seen.push(`${id} ends ${term}`)
          resolve()
        })
      })
    })
  }
  return seen
}

describe('onLeadership', () => {
  it('begins on the leader, whose state holds everything committed before, and ends when it leads no more', async () => {
    cluster = new TestCluster()
    const seen = watch()
    await cluster.start()
    const { leader } = cluster
    const term = leader.status().currentTerm
    await cluster.settled(leader.propose(bytes(7)))
    expect(seen).toEqual([`${leader.id} begins ${term} at 0`])
    const [heir] = cluster.followers
    await cluster.settled(leader.transferLeadership(heir!.id))
    await cluster.runUntil(() => seen.length === 3)
    expect(seen.slice(1).sort()).toEqual([`${heir!.id} begins ${term + 1} at 7`, `${leader.id} ends ${term}`].sort())
  })

  it('begins at once where the node leads already, and not again after it was ended', async () => {
    cluster = await new TestCluster().start()
    const seen: Leadership[] = []
    const end = cluster.leader.onLeadership((leadership) => void seen.push(leadership))
    expect(seen).toEqual([])
    await settle()
    expect(seen).toHaveLength(1)
    await cluster.clock.run(500)
    end()
    expect(seen).toHaveLength(1)
    expect(seen[0]?.signal.aborted).toBe(false)
  })

  it('aborts the signal of what runs when it is ended, and when the node stops', async () => {
    cluster = await new TestCluster().start()
    const signals: AbortSignal[] = []
    const wait = ({ signal }: Leadership): Promise<void> => {
      signals.push(signal)
      return new Promise(() => undefined)
    }
    const end = cluster.leader.onLeadership(wait)
    cluster.leader.onLeadership(wait)
    await settle()
    end()
    expect(signals.map(({ aborted }) => aborted)).toEqual([true, false])
    await cluster.leader.stop({ transferMs: 0 })
    expect(signals.map(({ aborted }) => aborted)).toEqual([true, true])
  })

  it('lets one leadership of a task end before the next begins', async () => {
    const { node, clock, network } = single()
    cluster = { stop: () => node.stop() } as unknown as TestCluster
    let release = (): void => undefined
    const begun: number[] = []
    node.onLeadership(({ term }) => {
      begun.push(term)
      return new Promise((resolve) => {
        release = resolve
      })
    })
    await node.start()
    await clock.run(2_000)
    expect(begun).toHaveLength(1)
    const { currentTerm } = node.status()
    // A later term deposes it; alone as it is, it leads again at once.
    network.inject('x', 'a', {
      type: 'requestVote',
      term: currentTerm + 5,
      lastLogIndex: 0,
      lastLogTerm: 0,
      leadershipTransfer: true,
    })
    await clock.run(2_000)
    expect(node.status().currentTerm).toBeGreaterThan(currentTerm)
    expect(begun).toHaveLength(1)
    release()
    await settle()
    expect(begun).toEqual([currentTerm, node.status().currentTerm])
    release()
  })

  it('logs what a task throws, and goes on', async () => {
    const lines: unknown[] = []
    const silent = () => undefined
    const error = (fields: object, message: string): void => void lines.push({ ...fields, message })
    cluster = await new TestCluster({
      options: { logger: { debug: silent, info: silent, warn: silent, error } },
    }).start()
    cluster.leader.onLeadership(() => {
      throw new Error('no cron')
    })
    cluster.leader.onLeadership(async () => Promise.reject(new Error('no luck')))
    await settle()
    expect(lines).toEqual([
      expect.objectContaining({ reason: 'no cron', message: 'A leadership task failed' }),
      expect.objectContaining({ reason: 'no luck', message: 'A leadership task failed' }),
    ])
    await cluster.settled(cluster.leader.propose(bytes(1)))
    expect(() => cluster.leader.onLeadership(5 as never)).toThrow(/runs a function, not 5/)
  })
})

describe('ifTerm', () => {
  it('appends in that term only, on the leader and through a follower', async () => {
    cluster = await new TestCluster().start()
    const { leader } = cluster
    const term = leader.status().currentTerm
    for (const node of [leader, cluster.followers[0]!]) {
      await cluster.settled(node.propose(bytes(1), { ifTerm: term }))
      const error = await errorOf(cluster.settled(node.propose(bytes(1), { ifTerm: term + 1 })))
      expect(error).toMatchObject({ code: 'RAFT_LEADERSHIP_LOST', outcome: 'rejected', retryable: false })
      await errorOf(cluster.settled(node.proposeMany([bytes(1), bytes(1)], { ifTerm: term - 1 })))
    }
    await cluster.settled(leader.transferLeadership(cluster.followers[0]!.id))
    const late = errorOf(cluster.settled(leader.propose(bytes(1), { ifTerm: term })))
    expect(await late).toMatchObject({ code: 'RAFT_LEADERSHIP_LOST' })
    expect(cluster.machine(cluster.leader.id).total).toBe(2)
  })
})
