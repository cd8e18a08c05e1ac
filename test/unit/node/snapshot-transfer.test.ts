// Snapshots that travel, through whole nodes: a follower that was away gets one while writes go on, whatever is lost,
// doubled, damaged or restarted on the way (F28-F30, H54-H61, H119).
import { RaftError } from 'helios-raft'
import { describe, expect, it } from 'vitest'
import { WINDOW_CHUNKS } from '../../../src/node/snapshot-stream.js'
import { TransferStage } from './transfer-stage.js'

describe('a follower whose entries are gone', () => {
  it('is brought up by a snapshot and the entries behind it, while writes go on', async () => {
    const stage = await new TransferStage().start()
    const id = await stage.leaveBehind()
    const { node, machine, lines, installed } = await stage.startNode(id)
    for (let value = 31; value <= 50; value++) await stage.propose(value)
    await stage.converge()
    expect(installed).toHaveLength(1)
    expect(machine.restored).toEqual(installed)
    expect(machine.values).toHaveLength(50)
    expect(node.status().firstIndex).toBeGreaterThan(10)
    expect(lines.filter(({ message }) => message === 'Snapshot installed')).toHaveLength(1)
    const sending = stage.leader.lines.filter(({ message }) => message === 'Sending snapshot')
    expect(sending[0]?.fields).toMatchObject({ peer: id, index: installed[0]?.lastIncludedIndex })
  })

  it('is shown in state snapshot by the leader meanwhile', async () => {
    const stage = await new TransferStage().start()
    const id = await stage.leaveBehind()
    stage.meddle((message) => (message.type === 'installSnapshotResponse' ? null : undefined))
    await stage.startNode(id)
    await stage.clock.run(300)
    const peer = stage.leader.node.status().peers.find((each) => each.id === id)
    expect(peer?.state).toBe('snapshot')
    stage.network.heal()
    await stage.converge()
  })

  it('starts from that snapshot the next time', async () => {
    const stage = await new TransferStage().start()
    const id = await stage.leaveBehind()
    await stage.startNode(id)
    await stage.converge()
    await stage.stop(id)
    const { machine, installed } = await stage.startNode(id)
    await stage.converge()
    expect(machine.restored).toHaveLength(1)
    expect(installed).toEqual([])
  })

  it.each([
    { distance: 'near', latencyMs: 1, window: 1 },
    { distance: 'at some distance', latencyMs: 13, window: 2 },
    { distance: 'far', latencyMs: 40, window: WINDOW_CHUNKS },
  ])('has $window chunks under way to one that is $distance, one byte each here', async ({ latencyMs, window }) => {
    const stage = await new TransferStage({ everyEntries: 25 }).start()
    const id = await stage.leaveBehind()
    stage.network.latencyMs = latencyMs
    let answered = 0
    let most = 0
    stage.meddle((message) => {
      if (message.type === 'installSnapshotResponse') answered = Math.max(answered, message.offset)
      if (message.type === 'installSnapshot' && message.chunk.length > 0) {
        most = Math.max(most, message.offset + message.chunk.length - answered)
      }
      return undefined
    })
    await stage.startNode(id)
    await stage.converge()
    expect(most).toBe(window)
    for (const { chunk } of stage.chunksTo(id)) expect(chunk).toHaveLength(1)
  })
})

describe('a transfer', () => {
  it('goes on where it was when its messages were lost for a while', async () => {
    const stage = await new TransferStage({ everyEntries: 25 }).start()
    const id = await stage.leaveBehind()
    await stage.startNode(id)
    await stage.until(() => stage.chunksTo(id).length >= 10)
    const before = stage.chunksTo(id).length
    stage.meddle((message) => (message.type.startsWith('installSnapshot') ? null : undefined))
    await stage.clock.run(400)
    stage.network.heal()
    await stage.converge()
    const later = stage.chunksTo(id).slice(before)
    expect(Math.min(...later.map(({ offset }) => offset))).toBeGreaterThan(0)
    expect(new Set(stage.chunksTo(id).map(({ transfer }) => transfer)).size).toBe(1)
  })

  it('goes on where it is in chunks of another size, when that is changed', async () => {
    const stage = await new TransferStage({ everyEntries: 25 }).start()
    const id = await stage.leaveBehind(500)
    const { machine, installed } = await stage.startNode(id)
    const resize = async (chunks: number, snapshotChunkBytes: number) => {
      await stage.until(() => stage.chunksTo(id).length >= chunks)
      stage.leader.node.reconfigure({ limits: { snapshotChunkBytes } })
    }
    await resize(5, 200)
    await resize(7, 1)
    await stage.converge()
    expect(installed).toHaveLength(1)
    expect(machine.values).toHaveLength(500)
    const chunks = stage.chunksTo(id)
    expect(new Set(chunks.map(({ transfer }) => transfer)).size).toBe(1)
    const sizes = chunks.map(({ chunk }) => chunk.length)
    expect([sizes[0], Math.max(...sizes) > 1, sizes.at(-1)]).toEqual([1, true, 1])
    // Nothing came twice, and nothing was left out.
    let held = 0
    for (const { offset, chunk } of chunks) {
      expect(offset).toBe(held)
      held += chunk.length
    }
  })

  it('goes on where it was when the receiver was restarted', async () => {
    const stage = await new TransferStage({ everyEntries: 25 }).start()
    const id = await stage.leaveBehind()
    await stage.startNode(id)
    await stage.until(() => stage.chunksTo(id).length >= 10)
    const before = stage.chunksTo(id).length
    await stage.stop(id)
    const { machine, installed } = await stage.startNode(id)
    await stage.converge()
    expect(installed).toHaveLength(1)
    const later = stage.chunksTo(id).slice(before)
    expect(Math.min(...later.map(({ offset }) => offset))).toBeGreaterThanOrEqual(6)
    expect(machine.values).toHaveLength(30)
  })

  it('is begun anew by the next leader, and chunks of the first one that come late change nothing (H56)', async () => {
    const stage = await new TransferStage({ everyEntries: 25 }).start()
    const id = await stage.leaveBehind()
    const { installed } = await stage.startNode(id)
    await stage.until(() => stage.chunksTo(id).length >= 10)
    const first = stage.leader.id
    const late = stage.chunksTo(id).slice(0, 10)
    await stage.stop(first)
    await stage.until(() => [...stage.members.values()].some(({ node }) => node.isLeader))
    await stage.until(() => stage.chunksTo(id).some(({ term }) => term > (late[0]?.term ?? 0)))
    for (const chunk of late) stage.network.inject(first, id, chunk)
    await stage.converge()
    expect(installed).toHaveLength(1)
  })

  it('sends nothing twice to a disk that is slow, however often it asks meanwhile', async () => {
    const stage = await new TransferStage({ everyEntries: 25 }).start()
    const id = await stage.leaveBehind()
    const store = stage.snapshotStores.get(id)!
    const create = store.create.bind(store)
    store.create = async (...args) => {
      const sink = await create(...args)
      const write = sink.write.bind(sink)
      sink.write = async (chunk) => {
        await new Promise<void>((resolve) => void stage.clock.schedule(stage.clock.now() + 130, resolve))
        await write(chunk)
      }
      return sink
    }
    await stage.startNode(id)
    await stage.converge()
    const offsets = stage.chunksTo(id).map(({ offset }) => offset)
    expect(offsets).toEqual([...new Set(offsets)])
    const questions = stage.network.sent.filter(
      ({ message }) => message.type === 'installSnapshot' && message.chunk.length === 0,
    )
    expect(questions.length).toBeGreaterThan(3)
  })

  it('survives chunks that come twice and out of order', async () => {
    const stage = await new TransferStage().start()
    const id = await stage.leaveBehind()
    let count = 0
    stage.meddle((message, { from, to }) => {
      if (message.type !== 'installSnapshot') return undefined
      count += 1
      // Every third comes twice, the second time much later; every fifth is late.
      if (count % 3 === 0) stage.clock.schedule(stage.clock.now() + 9, () => stage.network.inject(from, to, message))
      if (count % 5 !== 0) return undefined
      stage.clock.schedule(stage.clock.now() + 4, () => stage.network.inject(from, to, message))
      return null
    })
    const { installed } = await stage.startNode(id)
    await stage.converge()
    expect(installed).toHaveLength(1)
  })

  it('that is not wanted any more lets the snapshot go', async () => {
    const stage = await new TransferStage({ everyEntries: 25 }).start()
    const id = await stage.leaveBehind()
    await stage.startNode(id)
    await stage.until(() => stage.chunksTo(id).length >= 3)
    stage.network.isolate(id)
    await stage.clock.run(400)
    const before = stage.chunksTo(id).length
    await stage.clock.run(1_000)
    expect(stage.chunksTo(id)).toHaveLength(before)
    stage.network.heal()
    await stage.converge()
  })
})

describe('a snapshot that was damaged', () => {
  it('on its way, in one chunk, is asked for again from there, and nothing else', async () => {
    const stage = await new TransferStage({ everyEntries: 25 }).start()
    const id = await stage.leaveBehind()
    let isDone = false
    stage.meddle((message) => {
      if (isDone || message.type !== 'installSnapshot' || message.offset !== 7) return undefined
      isDone = true
      return { ...message, chunk: message.chunk.map((byte) => byte ^ 1) }
    })
    const { lines, installed } = await stage.startNode(id)
    await stage.converge()
    expect(installed).toHaveLength(1)
    expect(lines.filter(({ message }) => message === 'Damaged chunk of a snapshot dropped')).toHaveLength(1)
    expect(new Set(stage.chunksTo(id).map(({ transfer }) => transfer)).size).toBe(1)
  })

  it('and fails its digest replaces nothing; the leader is told, and the next transfer begins anew (F30)', async () => {
    const stage = await new TransferStage({ everyEntries: 25 }).start()
    const id = await stage.leaveBehind()
    let isWrong = true
    stage.meddle((message) => {
      if (message.type !== 'installSnapshot' || !isWrong) return undefined
      return { ...message, digest: new Uint8Array(32) }
    })
    const { lines, installed, machine, node } = await stage.startNode(id)
    await stage.until(() => lines.some(({ message }) => message === 'Received snapshot dropped'))
    await stage.until(() =>
      stage.leader.lines.some(({ message }) => message.startsWith('Snapshot refused by the peer')),
    )
    const refused = stage.leader.lines.find(({ message }) => message.startsWith('Snapshot refused by the peer'))
    expect(refused).toMatchObject({ level: 'warn', fields: { peer: id, retryMs: expect.any(Number) } })
    expect(refused?.fields['retryMs']).toBeGreaterThan(0)
    expect(machine.restored).toEqual([])
    expect(node.status()).toMatchObject({ role: 'follower', snapshotIndex: 0 })
    expect(await stage.snapshotStores.get(id)?.latest()).toBeNull()
    isWrong = false
    await stage.converge()
    expect(installed).toHaveLength(1)
    expect(new Set(stage.chunksTo(id).map(({ transfer }) => transfer)).size).toBeGreaterThan(1)
  })

  it('at the leader is said by it, and it takes another one (F30)', async () => {
    const stage = await new TransferStage({ everyEntries: 25 }).start()
    const id = await stage.leaveBehind()
    const { leader } = stage
    const store = stage.snapshotStores.get(leader.id)!
    const [latest, create] = [store.latest.bind(store), store.create.bind(store)]
    let isDamaged = true
    store.latest = async () => {
      if (isDamaged) throw new RaftError('RAFT_CORRUPTION', 'a sector is gone')
      return latest()
    }
    store.create = async (...args) => {
      isDamaged = false
      return create(...args)
    }
    const taken = () => leader.lines.filter(({ message }) => message === 'Snapshot created').length
    const before = taken()
    await stage.startNode(id)
    await stage.converge()
    expect(leader.lines.filter(({ message }) => message === 'Snapshot not sent')).toHaveLength(1)
    expect(taken()).toBe(before + 1)
  })
})

describe('a receiver that crashes', () => {
  it.each(['between commit and reset', 'between reset and restore'])('%s begins behind the snapshot', async (when) => {
    const stage = await new TransferStage().start()
    const id = await stage.leaveBehind()
    const logStore = stage.logStores.get(id)!
    const write = logStore.write.bind(logStore)
    logStore.write = async (batch) => {
      if (batch.resetTo !== undefined && when === 'between commit and reset') throw new Error('power cut')
      await write(batch)
    }
    const { machine, node } = await stage.startNode(id)
    machine.restore = async () => {
      throw new Error('power cut')
    }
    await stage.until(() => node.status().role === 'failed')
    await stage.clock.run(10)
    logStore.write = write
    const restarted = await stage.startNode(id)
    await stage.converge()
    expect(restarted.machine.restored).toHaveLength(1)
    expect(restarted.installed).toEqual([])
  })
})

describe('what waits while a snapshot jumps past it', () => {
  it('a proposal of an earlier leadership is unknown (F16)', async () => {
    const stage = await new TransferStage().start()
    const { id, node } = stage.leader
    stage.network.isolate(id)
    const lost = node.propose(Uint8Array.of(99))
    const fate = lost.then(
      () => null,
      (error: unknown) => error,
    )
    await stage.clock.run(10)
    await stage.until(() => [...stage.members].some(([other, member]) => other !== id && member.node.isLeader))
    const [, next] = [...stage.members].find(([other, member]) => other !== id && member.node.isLeader)!
    for (let value = 1; value <= 30; value++) await stage.settled(next.node.propose(Uint8Array.of(value)))
    await stage.until(() => next.node.status().firstIndex > 10)
    stage.network.heal()
    expect(await stage.settled(fate)).toMatchObject({ code: 'RAFT_TIMEOUT', outcome: 'unknown' })
    await stage.converge()
    expect(stage.member(id).installed).toHaveLength(1)
  })

  it('a read runs when it is there, on the new state, and no query before', async () => {
    const stage = await new TransferStage().start()
    const id = await stage.leaveBehind()
    const { node, machine } = await stage.startNode(id)
    const restore = machine.restore.bind(machine)
    let isRestoring = false
    machine.restore = async (chunks, meta) => {
      isRestoring = true
      await new Promise<void>((resolve) => void stage.clock.schedule(stage.clock.now() + 50, resolve))
      await restore(chunks, meta)
      isRestoring = false
    }
    await stage.until(() => isRestoring)
    const seen: boolean[] = []
    const local = node.read(() => seen.push(isRestoring), { consistency: 'local' })
    const { value } = await stage.settled(node.read(() => machine.values.length))
    await stage.settled(local)
    expect(value).toBe(30)
    expect(seen).toEqual([false])
  })
})
