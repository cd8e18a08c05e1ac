import type { AnyRaftNode, Instrumentation } from 'helios-raft'
import { flightRecorder, replay, type ReplayedStep } from 'helios-raft/testing'
import { describe, expect, test } from 'vitest'
import { bytes, TestCluster } from './harness.js'
import { single } from './single-voter.js'

describe('instrumentation', () => {
  test('is attached by the constructor, once, and let go once the node has stopped', async () => {
    const seen: string[] = []
    const watching: Instrumentation = {
      name: 'watching',
      attach(node: AnyRaftNode) {
        seen.push(`attach ${node.id} ${node.status().role}`)
        return () => void seen.push(`detach ${node.status().explanation}`)
      },
    }
    const { node } = single({ instrumentation: [watching, { name: 'idle' }] })
    expect(seen).toEqual(['attach a stopped'])
    await node.start()
    await Promise.all([node.stop(), node.stop()])
    expect(seen).toEqual(['attach a stopped', expect.stringMatching(/^detach The node was stopped/)])
  })

  test('is let go of a node that was never started', async () => {
    let count = 0
    const { node } = single({ instrumentation: [{ name: 'one', attach: () => () => void (count += 1) }] })
    await node.stop()
    expect(count).toBe(1)
  })

  test('that throws when it is let go is logged, and the others are let go', async () => {
    const lines: unknown[] = []
    const nothing = (): void => {}
    const error = (fields: object, message: string): void => void lines.push([message, fields])
    const bad: Instrumentation = {
      name: 'bad',
      attach: () => () => {
        throw new Error('on purpose')
      },
    }
    let isLetGo = false
    const good: Instrumentation = { name: 'good', attach: () => () => void (isLetGo = true) }
    const logger = { debug: nothing, info: nothing, warn: nothing, error }
    const { node } = single({ instrumentation: [bad, good], logger })
    await node.stop()
    expect(lines).toEqual([['Instrumentation failed', { node: 'a', instrumentation: 'bad', reason: 'on purpose' }]])
    expect(isLetGo).toBe(true)
  })

  test.each([
    [{}, /^instrumentation is an object: give a list/],
    [[null], /^instrumentation holds null: give objects with a name/],
    [[{ attach() {} }], /^instrumentation holds an object/],
    [[{ name: 'x', attach: 5 }], /^attach of 'x' is 5: give a function/],
  ])('%j is refused', (instrumentation, message) => {
    expect(() => single({ instrumentation } as never)).toThrow(message)
  })
})

describe('a flight recorder in a node', () => {
  test('records three nodes whose leader is lost, in the order in which their cores took it', async () => {
    const recorders = new Map(['a', 'b', 'c'].map((id) => [id, flightRecorder()]))
    const perNode = Object.fromEntries([...recorders].map(([id, recorder]) => [id, { instrumentation: [recorder] }]))
    const cluster = await new TestCluster({ perNode }).start()
    const { leader } = cluster
    const proposals = [1, 2, 3].map((value) => leader.propose(bytes(value)))
    await cluster.clock.run(50)
    await Promise.all(proposals)
    cluster.network.isolate(leader.id)
    await cluster.clock.run(3_000)
    const terms: number[] = []
    for (const [id, recorder] of recorders) {
      const { currentTerm, role, lastApplied, votedFor } = cluster.nodes.get(id)?.status() ?? {}
      terms.push(currentTerm ?? 0)
      let last: ReplayedStep | undefined
      const onStep = (step: ReplayedStep): void => void (last = step)
      const { divergedAt } = await replay(recorder.dump(), { onStep })
      expect(divergedAt, id).toBeNull()
      expect(last).toMatchObject({ node: id, status: { currentTerm, role, lastApplied, votedFor } })
    }
    expect(Math.max(...terms)).toBeGreaterThan(Math.min(...terms))
    await cluster.stop()
  })
})
