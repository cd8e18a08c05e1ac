// Sessions as clients have them (§8, F18): over real nodes, whose network and clock the test holds.
import { afterEach, describe, expect, it } from 'vitest'
import { Adder, bytes, errorOf } from '../harness.js'
import { single } from '../single-voter.js'
import { SessionStage } from './session-stage.js'
import { SnapshotStage } from '../snapshot-stage.js'

let cluster: SessionStage
afterEach(async () => cluster?.stop())

async function started(): Promise<void> {
  cluster = await new SessionStage().start()
}

const open: SessionStage['open'] = (node, options) => cluster.open(node, options)
const expectTotal = (total: number): Promise<void> => cluster.expectTotal(total)

describe('propose in a session', () => {
  it('numbers commands from 1 and answers each with its result, on any node', async () => {
    await started()
    for (const node of [cluster.leader, cluster.followers[0]!]) {
      const session = await open(node)
      expect(session.lastSequence).toBe(0)
      const before = cluster.leader.status().commitIndex
      const proposed = await cluster.settled(Promise.all([1, 2, 3].map((value) => session.propose(bytes(value)))))
      expect(proposed.map(({ index }) => index)).toEqual([before + 1, before + 2, before + 3])
      expect(session.lastSequence).toBe(3)
      expect(await cluster.settled(session.proposeMany([bytes(4), bytes(5)]))).toHaveLength(2)
      expect(session.lastSequence).toBe(5)
    }
    await expectTotal(30)
  })

  it('gives the first answer again to the same sequence, and applies nothing', async () => {
    await started()
    const session = await open(cluster.leader)
    const first = await cluster.settled(session.propose(bytes(7)))
    expect(await cluster.settled(session.propose(bytes(7), { sequence: 1 }))).toEqual(first)
    await expectTotal(7)
  })

  it('tries again by itself while there is no leader, and applies once', async () => {
    await started()
    const [follower] = cluster.followers
    const session = await open(follower!)
    cluster.network.isolate(cluster.leader.id)
    const proposed = session.propose(bytes(5), { timeoutMs: 20_000 })
    await cluster.clock.run(400)
    cluster.network.heal()
    await cluster.settled(proposed, 20_000)
    await expectTotal(5)
  })

  it('brings a forward again that was lost on its way, within the same term', async () => {
    await started()
    const [follower] = cluster.followers
    const session = await open(follower!)
    const { currentTerm } = follower!.status()
    let lost = 0
    cluster.network.isLost = ({ message }) => message.type === 'proposeRequest' && lost++ === 0
    await cluster.settled(session.propose(bytes(5)))
    expect(lost).toBeGreaterThan(1)
    await expectTotal(5)
    expect(follower!.status().currentTerm).toBe(currentTerm)
  })

  it('applies once what was forwarded, answered by nobody and sent again', async () => {
    await started()
    const [follower] = cluster.followers
    const session = await open(follower!)
    let refused = 0
    cluster.network.isLost = ({ message }) => message.type === 'proposeResponse' && refused++ < 1
    const { index } = await cluster.settled(session.propose(bytes(5)))
    await expectTotal(5)
    expect(cluster.leader.status().lastIndex).toBeGreaterThan(index)
  })

  it('says that the outcome is unknown when the deadline passes, with the sequence that finds it out', async () => {
    await started()
    const { leader } = cluster
    const session = await open(leader)
    cluster.network.isolate(leader.id)
    const failed = errorOf(session.propose(bytes(5), { timeoutMs: 50 }))
    await cluster.clock.run(60)
    const error = await failed
    expect(error).toMatchObject({ code: 'RAFT_TIMEOUT', outcome: 'unknown', retryable: false, sequence: 1 })
    expect(error.message).toContain('propose it again with sequence 1')
    cluster.network.heal()
    const { sequence } = error as unknown as { sequence: number }
    const { result } = await cluster.settled(session.propose(bytes(5), { sequence, timeoutMs: 20_000 }), 20_000)
    expect(result).toBe(5)
    await expectTotal(5)
  })

  it('that was never sent anywhere is rejected, and may be proposed anew', async () => {
    await started()
    const [follower] = cluster.followers
    const session = await open(follower!)
    cluster.network.isolate(follower!.id)
    await cluster.runUntil(() => follower!.leader === null)
    const failed = errorOf(session.propose(bytes(5), { timeoutMs: 50 }))
    await cluster.clock.run(60)
    expect(await failed).toMatchObject({ code: 'RAFT_NO_LEADER', outcome: 'rejected', retryable: true })
  })

  it('that was rejected is not sent with those that waited beside it', async () => {
    await started()
    const [follower] = cluster.followers
    const session = await open(follower!)
    cluster.network.isolate(follower!.id)
    await cluster.runUntil(() => follower!.leader === null)
    // The head goes alone; the others go together when it is gone.
    const [head, abort] = [new AbortController(), new AbortController()]
    const gone = errorOf(session.propose(bytes(40), { signal: head.signal }))
    const first = session.propose(bytes(1), { timeoutMs: 60_000 })
    const rejected = errorOf(session.propose(bytes(10), { timeoutMs: 50 }))
    const aborted = errorOf(session.propose(bytes(20), { timeoutMs: 60_000, signal: abort.signal }))
    const last = session.propose(bytes(2), { timeoutMs: 60_000 })
    head.abort()
    await cluster.clock.run(5)
    abort.abort()
    await cluster.clock.run(60)
    expect(await gone).toMatchObject({ code: 'RAFT_ABORTED', outcome: 'rejected' })
    expect(await aborted).toMatchObject({ code: 'RAFT_ABORTED', outcome: 'rejected' })
    expect(await rejected).toMatchObject({ code: 'RAFT_NO_LEADER', outcome: 'rejected' })
    cluster.network.heal()
    await cluster.settled(Promise.all([first, last]), 60_000)
    await expectTotal(3)
  })

  it('stays in doubt when a repetition was never sent anywhere', async () => {
    await started()
    const [follower] = cluster.followers
    const session = await open(follower!)
    // The forward leaves; what the cluster makes of it never comes back.
    cluster.network.isLost = ({ to }) => to === follower!.id
    const first = errorOf(session.propose(bytes(5), { timeoutMs: 50 }))
    await cluster.clock.run(60)
    expect(await first).toMatchObject({ outcome: 'unknown', sequence: 1 })
    await cluster.runUntil(() => follower!.leader === null)
    const second = errorOf(session.propose(bytes(5), { sequence: 1, timeoutMs: 50 }))
    await cluster.clock.run(60)
    expect(await second).toMatchObject({ code: 'RAFT_TIMEOUT', outcome: 'unknown', sequence: 1 })
    const signal = AbortSignal.abort()
    const third = errorOf(session.propose(bytes(5), { sequence: 1, signal }))
    expect(await third).toMatchObject({ code: 'RAFT_ABORTED', outcome: 'unknown', sequence: 1 })
    expect(await errorOf(session.propose(bytes(5), { signal }))).toMatchObject({ outcome: 'rejected' })
    cluster.network.isLost = () => false
    await cluster.settled(session.propose(bytes(5), { sequence: 1, timeoutMs: 20_000 }), 20_000)
    await expectTotal(5)
  })

  it('keeps the answer of a command in doubt, whatever is answered behind it', async () => {
    await started()
    const { leader } = cluster
    const session = await open(leader)
    cluster.network.isolate(leader.id)
    const failed = errorOf(session.propose(bytes(5), { timeoutMs: 20 }))
    await cluster.clock.run(40)
    expect(await failed).toMatchObject({ outcome: 'unknown', sequence: 1 })
    cluster.network.heal()
    for (let count = 0; count < 3; count++) await cluster.settled(session.propose(bytes(1)))
    const { result } = await cluster.settled(session.propose(bytes(5), { sequence: 1 }))
    expect(result).toBe(5)
    await expectTotal(8)
  })

  it('does not let a later call overtake one that is tried again', async () => {
    await started()
    const [follower] = cluster.followers
    const session = await open(follower!)
    cluster.network.isolate(cluster.leader.id)
    const proposed = Array.from({ length: 20 }, (_, at) => session.propose(bytes(at + 1), { timeoutMs: 60_000 }))
    await cluster.clock.run(300)
    cluster.network.heal()
    await cluster.settled(Promise.all(proposed), 60_000)
    const machine = cluster.machine(follower!.id)
    expect(machine.calls.map(({ value }) => value)).toEqual(Array.from({ length: 20 }, (_, at) => at + 1))
  })

  it('is refused when a later sequence ran before it, and was not applied', async () => {
    await started()
    const [session, other] = [await open(cluster.leader, { id: 's' }), await open(cluster.leader, { id: 's' })]
    await cluster.settled(session.propose(bytes(1), { sequence: 9 }))
    const error = await errorOf(cluster.settled(other.propose(bytes(2), { sequence: 4 })))
    expect(error).toMatchObject({ code: 'RAFT_SESSION_EXPIRED', outcome: 'rejected' })
    await expectTotal(1)
  })

  it('ends early by its signal and at the end of the node, and says what is known', async () => {
    await started()
    const { leader } = cluster
    const session = await open(leader)
    cluster.network.isolate(leader.id)
    const abort = new AbortController()
    const aborted = errorOf(session.propose(bytes(1), { signal: abort.signal }))
    const stopped = errorOf(session.propose(bytes(2), { timeoutMs: Number.POSITIVE_INFINITY }))
    await cluster.clock.run(5)
    abort.abort()
    expect(await aborted).toMatchObject({ code: 'RAFT_ABORTED', outcome: 'unknown', sequence: 1 })
    await leader.stop({ transferMs: 0 })
    expect(await stopped).toMatchObject({ code: 'RAFT_STOPPED' })
  })

  it('with a fence is refused in another term, without another try', async () => {
    await started()
    const session = await open(cluster.leader)
    const error = await errorOf(cluster.settled(session.propose(bytes(1), { ifTerm: 99 })))
    expect(error).toMatchObject({ code: 'RAFT_LEADERSHIP_LOST', outcome: 'rejected', retryable: false })
    await cluster.settled(session.propose(bytes(2), { ifTerm: cluster.leader.status().currentTerm }))
    await expectTotal(2)
  })

  it('refuses what it does not take', async () => {
    await started()
    const session = await open(cluster.leader)
    for (const options of [{ sequence: 0 }, { sequence: 1.5 }, { ifTerm: -1 }, { sequense: 1 }]) {
      expect(await errorOf(session.propose(bytes(1), options as object))).toMatchObject({ code: 'RAFT_INVALID_OPTION' })
    }
    for (const options of [{ id: '' }, { id: 'x'.repeat(129) }, { id: '\ud800' }, { ttlMs: 0 }, { ttlMs: Infinity }]) {
      expect(await errorOf(cluster.leader.openSession(options))).toMatchObject({ code: 'RAFT_INVALID_OPTION' })
    }
    expect(() => session.acknowledge(1)).toThrow(/from 0 to the last one, 0/)
    await expectTotal(0)
  })
})

describe('openSession', () => {
  it('takes a session up again on another node, which answers what the first one did not hear', async () => {
    await started()
    const session = await open(cluster.leader, { id: 'checkout-7' })
    const first = await cluster.settled(session.propose(bytes(7)))
    const resumed = await open(cluster.followers[0]!, { id: 'checkout-7' })
    expect(resumed.lastSequence).toBe(1)
    expect(await cluster.settled(resumed.propose(bytes(7), { sequence: 1 }))).toEqual(first)
    await cluster.settled(resumed.propose(bytes(1)))
    expect(resumed.lastSequence).toBe(2)
    await expectTotal(8)
  })

  it('of a resumed session acknowledges nothing that only another client was answered', async () => {
    await started()
    const session = await open(cluster.leader, { id: 's' })
    const first = await cluster.settled(session.propose(bytes(7)))
    const resumed = await open(cluster.followers[0]!, { id: 's' })
    for (let count = 0; count < 3; count++) await cluster.settled(resumed.propose(bytes(1)))
    expect(await cluster.settled(session.propose(bytes(7), { sequence: 1 }))).toEqual(first)
    resumed.acknowledge(1)
    await cluster.settled(resumed.propose(bytes(1)))
    expect(await errorOf(cluster.settled(session.propose(bytes(7), { sequence: 1 })))).toMatchObject({
      code: 'RAFT_SESSION_EXPIRED',
      outcome: 'unknown',
    })
    await expectTotal(11)
  })

  it('gives ids that no other run of any node gives', async () => {
    await started()
    const ids = new Set<string>()
    for (const node of cluster.nodes.values()) for (let at = 0; at < 2; at++) ids.add((await open(node)).id)
    expect(ids.size).toBe(6)
  })

  it('gives a session that log time ends, and a new one under the same id', async () => {
    await started()
    const session = await open(cluster.leader, { id: 's', ttlMs: 1_000 })
    await cluster.settled(session.propose(bytes(1)))
    await cluster.clock.run(1_500)
    expect(await errorOf(cluster.settled(session.propose(bytes(2))))).toMatchObject({
      code: 'RAFT_SESSION_EXPIRED',
      outcome: 'rejected',
    })
    const again = await open(cluster.leader, { id: 's', ttlMs: 1_000 })
    expect(again.lastSequence).toBe(0)
    expect(await errorOf(cluster.settled(session.propose(bytes(3))))).toMatchObject({ code: 'RAFT_SESSION_EXPIRED' })
    const old = { id: 's', openedAt: session.openedAt }
    expect(await errorOf(cluster.settled(cluster.leader.openSession(old)))).toMatchObject({
      code: 'RAFT_SESSION_EXPIRED',
    })
    const same = await open(cluster.leader, { id: 's', openedAt: again.openedAt })
    await cluster.settled(same.propose(bytes(4)))
    await expectTotal(5)
  })

  it('gives a session that is over when it is closed, behind what was proposed before', async () => {
    await started()
    const session = await open(cluster.leader, { id: 's' })
    const last = session.propose(bytes(1))
    await cluster.settled(session.close())
    await last
    expect(await errorOf(session.propose(bytes(2)))).toMatchObject({ code: 'RAFT_SESSION_EXPIRED' })
    expect((await open(cluster.leader, { id: 's' })).lastSequence).toBe(0)
  })
})

describe('the answers of a session', () => {
  it('are let go as they arrive, so that a session may go on for ever', async () => {
    const { node, clock } = single()
    await node.start()
    await clock.run(2_000)
    const opening = node.openSession()
    await clock.run(10)
    const session = await opening
    const proposed = Array.from({ length: 3_000 }, () => session.propose(bytes(1)))
    await clock.run(1_000)
    expect((await Promise.all(proposed)).at(-1)).toMatchObject({ result: 3_000 })
    await node.stop()
  })

  it('survive in a snapshot, and on a node that was restored from it (H51)', async () => {
    const stage = await new SnapshotStage({ snapshot: { everyEntries: 1_000, trailingEntries: 0 } }).start()
    const session = await stage.settled(stage.node.openSession({ id: 's' }))
    const first = await stage.settled(session.propose(bytes(7)))
    await stage.settled(stage.node.takeSnapshot())
    await stage.restart()
    const resumed = await stage.settled(stage.node.openSession({ id: 's' }))
    expect(resumed.lastSequence).toBe(1)
    expect(await stage.settled(resumed.propose(bytes(7), { sequence: 1 }))).toEqual(first)
    expect(stage.machine.values).toEqual([7])
    await stage.node.stop()
  })

  it('may be undefined, and one that can not be kept is told after it was applied, each time', async () => {
    const given: unknown[] = [undefined, () => 1, 5]
    const { node, clock } = single({
      stateMachine: Object.assign(new Adder(), { apply: () => given.shift() }) as Adder,
    })
    await node.start()
    await clock.run(2_000)
    const settled = async <T>(promise: Promise<T>): Promise<T> => {
      promise.catch(() => undefined)
      await clock.run(20)
      return promise
    }
    const session = await settled(node.openSession())
    expect(await settled(session.propose(bytes(1)))).toMatchObject({ result: undefined })
    for (let attempt = 0; attempt < 2; attempt++) {
      const error = await errorOf(settled(session.propose(bytes(1), { sequence: 2 })))
      expect(error).toMatchObject({ code: 'RAFT_INVALID_OPTION', outcome: 'unknown', sequence: 2 })
    }
    expect(await settled(session.propose(bytes(1)))).toMatchObject({ result: 5 })
    await node.stop()
  })
})
