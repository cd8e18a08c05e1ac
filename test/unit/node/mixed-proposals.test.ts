// Proposals of several kinds at once: each kind in the order of its calls, and none forgotten (F17, F47).
import type { Session } from 'helios-raft'
import { afterEach, describe, expect, it } from 'vitest'
import { bytes, errorOf, TestCluster } from './harness.js'

let cluster: TestCluster
afterEach(async () => cluster?.stop())

describe('calls that wait together', () => {
  it.each(['leader', 'follower'])(
    'of clients and of sessions are all appended, each kind in its order: on a %s',
    async (on) => {
      cluster = await new TestCluster().start()
      const node = on === 'leader' ? cluster.leader : cluster.followers[0]!
      const opening = Array.from({ length: 200 }, () => node.openSession())
      const sessions: readonly Session<Uint8Array, number>[] = await cluster.settled(Promise.all(opening))
      const plain: Promise<{ readonly index: number }>[] = []
      const ofSessions: Promise<unknown>[] = []
      for (const session of sessions) {
        plain.push(node.propose(bytes(1)))
        ofSessions.push(session.propose(bytes(1)))
      }
      const indexes = (await cluster.settled(Promise.all(plain))).map(({ index }) => index)
      await cluster.settled(Promise.all(ofSessions))
      expect(indexes).toEqual([...indexes].sort((one, other) => one - other))
      expect(cluster.machine(node.id).total).toBe(400)
    },
  )

  it('are not disturbed by many that may not go in this term', async () => {
    cluster = await new TestCluster().start()
    const calls = Array.from({ length: 4_000 }, (_, at) => {
      const call = cluster.leader.propose(bytes(1), at % 2 === 0 ? {} : { ifTerm: 99 })
      return at % 2 === 0 ? call : errorOf(call)
    })
    const ended = await cluster.settled(Promise.all(calls))
    expect(ended.filter((each) => each instanceof Error)).toHaveLength(2_000)
    expect(cluster.machine(cluster.leader.id).total).toBe(2_000)
  })
})
