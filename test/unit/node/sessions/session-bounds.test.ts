// What sessions bear (F18): wrong numbers, answers that are too many, slow disks, full queues, codecs that fail.
import { afterEach, describe, expect, it } from 'vitest'
import { bytes, errorOf } from '../harness.js'
import { single } from '../single-voter.js'
import { SessionStage } from './session-stage.js'

let cluster: SessionStage
afterEach(async () => cluster?.stop())

async function started(): Promise<void> {
  cluster = await new SessionStage().start()
}

const open: SessionStage['open'] = (node, options) => cluster.open(node, options)
const expectTotal = (total: number): Promise<void> => cluster.expectTotal(total)

describe('what a session bears', () => {
  it('refuses numbers that no node could read, before they get into a log', async () => {
    await started()
    const session = await open(cluster.followers[0]!)
    const last = Number.MAX_SAFE_INTEGER
    const many = session.proposeMany([bytes(1), bytes(1)], { sequence: last })
    expect(await errorOf(many)).toMatchObject({ code: 'RAFT_INVALID_OPTION' })
    await cluster.settled(session.propose(bytes(1), { sequence: last }))
    expect(await errorOf(session.propose(bytes(1)))).toMatchObject({ code: 'RAFT_INVALID_OPTION' })
    await expectTotal(1)
  })

  it('says that a list may be applied of which any command was', async () => {
    await started()
    const [session, other] = [await open(cluster.leader, { id: 's' }), await open(cluster.leader, { id: 's' })]
    await cluster.settled(session.propose(bytes(1), { sequence: 3 }))
    const list = other.proposeMany([bytes(1), bytes(1), bytes(1), bytes(1), bytes(1)], { sequence: 1 })
    expect(await errorOf(cluster.settled(list))).toMatchObject({ outcome: 'unknown' })
    await expectTotal(3)
  })

  it('goes on by itself when its answers are too many at once, and refuses a list that can never be kept', async () => {
    const { node, clock } = single({
      codec: { encode: (value) => value, decode: (data) => data },
      resultCodec: { encode: () => new Uint8Array(20_000), decode: () => 1 },
    })
    await node.start()
    await clock.run(2_000)
    const opening = node.openSession()
    await clock.run(10)
    const session = await opening
    const proposed = Array.from({ length: 300 }, () => session.propose(bytes(1)))
    await clock.run(3_000)
    expect(await Promise.all(proposed)).toHaveLength(300)
    const list = Array.from({ length: 1_025 }, () => bytes(1))
    expect(await errorOf(session.proposeMany(list))).toMatchObject({ code: 'RAFT_TOO_LARGE' })
    await node.stop()
  })

  it('does not send again what stands in a log, however long it takes there', async () => {
    await started()
    const { leader } = cluster
    const session = await open(leader)
    for (const { id } of cluster.followers) cluster.store(id).isHeld = true
    const proposed = session.propose(bytes(1), { timeoutMs: 60_000 })
    const before = leader.status().lastIndex
    await cluster.clock.run(3_000)
    expect(leader.status().lastIndex).toBe(before + 1)
    for (const { id } of cluster.followers) {
      cluster.store(id).isHeld = false
      cluster.store(id).release()
    }
    await cluster.settled(proposed)
    await expectTotal(1)
  })

  it('counts what waits in it within the limits of the node', async () => {
    cluster = await new SessionStage({ options: { limits: { commandBytes: 1_000, uncommittedBytes: 10_000 } } }).start()
    const [follower] = cluster.followers
    const session = await open(follower!)
    cluster.network.isolate(follower!.id)
    await cluster.runUntil(() => follower!.leader === null)
    const calls = Array.from({ length: 30 }, () => errorOf(session.propose(new Uint8Array(900), { timeoutMs: 50 })))
    expect(follower!.status()).toMatchObject({ pendingProposals: expect.any(Number) })
    expect(follower!.status().uncommittedBytes).toBeLessThanOrEqual(10_000)
    await cluster.clock.run(60)
    const codes = (await Promise.all(calls)).map(({ code }) => code)
    expect(codes.filter((code) => code === 'RAFT_OVERLOADED').length).toBeGreaterThan(15)
    expect(session.lastSequence).toBeLessThan(12)
    expect(follower!.status()).toMatchObject({ uncommittedBytes: 0, pendingProposals: 0 })
    cluster.network.heal()
    await cluster.settled(session.propose(bytes(1), { timeoutMs: 20_000 }), 20_000)
  })

  it('is told of a result that its codec can not read, and keeps the answer', async () => {
    let isBroken = true
    const decode = (data: Uint8Array): number => {
      if (isBroken) throw new Error('boom')
      return data[0] ?? 0
    }
    const { node, clock } = single({ resultCodec: { encode: (value) => bytes(value), decode } })
    await node.start()
    await clock.run(2_000)
    const settled = async <T>(promise: Promise<T>): Promise<T> => {
      promise.catch(() => undefined)
      await clock.run(20)
      return promise
    }
    const session = await settled(node.openSession())
    const error = await errorOf(settled(session.propose(bytes(7))))
    expect(error).toMatchObject({ code: 'RAFT_INVALID_OPTION', outcome: 'unknown', sequence: 1 })
    isBroken = false
    await settled(session.propose(bytes(1)))
    expect(await settled(session.propose(bytes(7), { sequence: 1 }))).toMatchObject({ result: 7 })
    await node.stop()
    expect(await errorOf(session.propose(bytes(1), { timeoutMs: Number.POSITIVE_INFINITY }))).toMatchObject({
      code: 'RAFT_STOPPED',
      outcome: 'rejected',
    })
  })
})
