// A user's own store and transport under `fc.scheduler`: it decides in what order writes end and messages arrive, and a
// clock driven by hand does the rest. Real nodes, no simulator.
import fc from 'fast-check'
import {
  type LogStore,
  type LogWrite,
  MemoryLogStore,
  MemoryNetwork,
  MemorySnapshotStore,
  type Message,
  RaftNode,
  type Transport,
} from 'helios-raft'
import { ManualClock } from 'helios-raft/testing'
import { describe, expect, it } from 'vitest'
import { type Add, Counter } from '../unit/testing/property/machines.js'

/** A store whose writes end when the scheduler says so. */
function scheduledStore(id: string, scheduler: fc.Scheduler): LogStore {
  const inner = new MemoryLogStore()
  return {
    open: () => inner.open(),
    read: (first, last, maxBytes) => inner.read(first, last, maxBytes),
    compact: (index) => inner.compact(index),
    close: () => inner.close(),
    async write(batch: LogWrite) {
      await scheduler.schedule(Promise.resolve(), `${id} writes`)
      await inner.write(batch)
    },
  }
}

/** A transport whose messages leave when the scheduler says so, in any order. */
function scheduledTransport(id: string, inner: Transport, scheduler: fc.Scheduler): Transport {
  let isStopped = false
  return {
    maxMessageBytes: inner.maxMessageBytes,
    start: (local) => inner.start(local),
    send(to: { readonly id: string }, message: Message) {
      void scheduler.schedule(Promise.resolve(), `${id} to ${to.id}: ${message.type}`).then(() => {
        if (!isStopped) inner.send(to, message)
      })
    },
    stop() {
      isStopped = true
      return inner.stop()
    },
  }
}

/** Three nodes, five proposals; what each of them answered, and what the nodes hold at the end. */
async function play(scheduler: fc.Scheduler) {
  const clock = new ManualClock()
  const network = new MemoryNetwork()
  const bootstrap = ['a', 'b', 'c'].map((id) => ({ id, address: id }))
  const cluster = bootstrap.map(({ id }, at) => {
    const counter = new Counter()
    const node = new RaftNode<Add, number>({
      id,
      stateMachine: counter,
      bootstrap,
      clock,
      seed: at + 1,
      logStore: scheduledStore(id, scheduler),
      snapshotStore: new MemorySnapshotStore(),
      transport: scheduledTransport(id, network.transport(id), scheduler),
    })
    return { node, counter }
  })
  const settle = <T>(promise: Promise<T>): Promise<T> => clock.settle(promise, scheduler)
  await settle(Promise.all(cluster.map(({ node }) => node.start())))
  await settle(Promise.all(cluster.map(({ node }) => node.ready())))
  const proposals = Array.from({ length: 6 }, (_, at) => cluster[at % 3]!.node.propose({ add: 1 }))
  const outcomes = await settle(Promise.allSettled(proposals))
  const results = outcomes.map((outcome) => (outcome.status === 'fulfilled' ? outcome.value.result : 0))
  const reads = await settle(
    Promise.all(cluster.map(async ({ node, counter }) => (await node.read(() => counter.sum)).value)),
  )
  await settle(Promise.all(cluster.map(({ node }) => node.stop())))
  return { results, reads, endedAtMs: clock.now() }
}

describe('nodes whose store and transport are scheduled by fast-check', () => {
  it('serve whatever the order of writes and messages', async () => {
    const property = fc.asyncProperty(fc.scheduler(), async (scheduler) => {
      const { results, reads } = await play(scheduler)
      const acknowledged = results.filter((result) => result > 0)
      expect(new Set(acknowledged).size).toBe(acknowledged.length)
      for (const sum of reads) expect(sum).toBeGreaterThanOrEqual(Math.max(...results))
      expect(Math.max(...reads)).toBeLessThanOrEqual(6)
    })
    await fc.assert(property, { seed: 3, numRuns: 15 })
  }, 60_000)

  it('do the same for the same schedule', async () => {
    const [scheduler] = fc.sample(fc.scheduler(), { seed: 5, numRuns: 1 })
    const [same] = fc.sample(fc.scheduler(), { seed: 5, numRuns: 1 })
    if (scheduler === undefined || same === undefined) throw new Error('no scheduler')
    expect(await play(scheduler)).toEqual(await play(same))
  }, 60_000)
})
