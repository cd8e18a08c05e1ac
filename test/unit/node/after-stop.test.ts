// A node that was stopped: every call is refused in the same way, and none of them waits.
import { describe, expect, it } from 'vitest'
import { bytes, errorOf, TestCluster, type TestNode } from './harness.js'

const CALLS: readonly [string, (node: TestNode) => Promise<unknown>][] = [
  ['propose', (node) => node.propose(bytes(1))],
  ['proposeMany', (node) => node.proposeMany([bytes(1), bytes(2)])],
  ['a linearizable read', (node) => node.read(() => 1)],
  ['a local read', (node) => node.read(() => 1, { consistency: 'local' })],
  ['ready', (node) => node.ready()],
  ['waitFor', (node) => node.waitFor(() => false)],
  ['addMember', (node) => node.addMember({ id: 'd', address: 'd:1' })],
  ['promote', (node) => node.promote('b')],
  ['demote', (node) => node.demote('b')],
  ['removeMember', (node) => node.removeMember('b')],
  ['changeMembership', (node) => node.changeMembership([{ id: 'a', address: 'a:1' }])],
  ['transferLeadership', (node) => node.transferLeadership()],
  ['takeSnapshot', (node) => node.takeSnapshot()],
  ['backup', (node) => node.backup()[Symbol.asyncIterator]().next()],
  ['start', (node) => node.start()],
]

describe('after stop', () => {
  it.each(CALLS)('%s is refused at once, with an outcome that is known', async (_, call) => {
    const cluster = await new TestCluster({ ids: ['a'] }).start()
    const { leader, clock } = cluster
    await cluster.settled(leader.stop())
    const before = clock.now()
    expect(await errorOf(call(leader))).toMatchObject({ code: 'RAFT_STOPPED', outcome: 'rejected' })
    expect(clock.now()).toBe(before)
    expect(clock.timerCount).toBe(0)
  })
})
