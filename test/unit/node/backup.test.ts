// Backups that a node gives (F49): of which state, at whose pace, and what is left when one ends early.
import { RaftError, restoreBackup, memoryStorage } from 'helios-raft'
import { describe, expect, it } from 'vitest'
import { MAX_BACKUPS } from '../../../src/node/backups.js'
import { collect, joined, stageOf, stream, WatchedSnapshotStore } from './backup-stage.js'
import { bytes, errorOf, TestCluster } from './harness.js'
import { ByteList, SnapshotStage } from './snapshot-stage.js'

/** What a backup holds: the values of a ByteList. */
async function valuesIn(backup: Uint8Array): Promise<number[]> {
  const stores = memoryStorage()
  await restoreBackup({ ...stores, member: { id: 'x', address: 'x:1' }, backup: stream(backup) })
  return [...joined(await collect((await stores.snapshotStore.latest())!.read()))]
}

const iterate = (backup: AsyncIterable<Uint8Array>) => backup[Symbol.asyncIterator]()

/** Three nodes with a ByteList each. */
async function cluster(): Promise<TestCluster> {
  const ids = ['a', 'b', 'c']
  const perNode = Object.fromEntries(ids.map((id) => [id, { stateMachine: new ByteList() }]))
  return new TestCluster({ ids, perNode }).start()
}

async function watched(...values: number[]): Promise<{ stage: SnapshotStage; store: WatchedSnapshotStore }> {
  const store = new WatchedSnapshotStore()
  const stage = await new SnapshotStage({}, { snapshotStore: store }).start()
  await stage.propose(...values)
  return { stage, store }
}

describe('backup', () => {
  it('holds the state, and takes a snapshot only where none holds it', async () => {
    const stage = await stageOf(1, 2, 3)
    const first = joined(await stage.settled(collect(stage.node.backup())))
    expect(await valuesIn(first)).toEqual([1, 2, 3])
    expect(await stage.settled(collect(stage.node.backup())).then(joined)).toEqual(first)
    expect(stage.machine.snapshots).toHaveLength(1)
    await stage.propose(4)
    expect(await valuesIn(joined(await stage.settled(collect(stage.node.backup()))))).toEqual([1, 2, 3, 4])
    await stage.node.stop()
  })

  it('on a follower waits for what was acknowledged elsewhere before it began', async () => {
    const all = await cluster()
    const [follower, other] = all.followers
    all.network.isolate(follower!.id)
    await all.settled(all.leader.propose(bytes(5)))
    const backup = collect(follower!.backup())
    let isSettled = false
    void backup.then(() => void (isSettled = true))
    await all.clock.run(20)
    expect(isSettled).toBe(false)
    all.network.heal()
    expect(await valuesIn(joined(await all.settled(backup)))).toEqual([5])
    expect(await valuesIn(joined(await all.settled(collect(other!.backup()))))).toEqual([5])
    await all.stop()
  })

  it('is the state of its index, whatever is applied and snapshotted while it is read', async () => {
    const stage = await stageOf(1, 2)
    const backup = iterate(stage.node.backup())
    const pieces = [(await stage.settled(backup.next())).value!]
    await stage.propose(3)
    expect((await stage.settled(stage.node.takeSnapshot())).lastIncludedIndex).toBe(4)
    pieces.push(...(await collect({ [Symbol.asyncIterator]: () => backup })))
    expect(await valuesIn(joined(pieces))).toEqual([1, 2])
    await stage.node.stop()
  })

  it('reads the newer one when a snapshot is replaced in the moment before it is read', async () => {
    const { stage, store } = await watched(1)
    let left = 2
    store.onRead = () => {
      if (left-- > 0) throw new RaftError('RAFT_STALE', 'replaced')
    }
    expect(await valuesIn(joined(await stage.settled(collect(stage.node.backup()))))).toEqual([1])
    store.onRead = () => {
      throw new RaftError('RAFT_STALE', 'replaced')
    }
    expect(await stage.settled(errorOf(collect(stage.node.backup())))).toMatchObject({ code: 'RAFT_STALE' })
    expect(store.openReads).toBe(0)
    await stage.node.stop()
  })

  it('does nothing before the first chunk is asked for, and each loop makes one of its own', async () => {
    const stage = await stageOf(1)
    const { timerCount } = stage.clock
    const backup = stage.node.backup()
    await stage.clock.run(1)
    expect([stage.machine.snapshots.length, stage.clock.timerCount]).toEqual([0, timerCount])
    const pieces = await stage.settled(collect(backup))
    expect(await stage.settled(collect(backup))).toEqual(pieces)
    await stage.node.stop()
  })
})

describe('a backup that ends early', () => {
  it.each([
    ['its deadline passes without a leader', { timeoutMs: 300 }, 'RAFT_NO_LEADER'],
    ['its signal is aborted', { signal: AbortSignal.abort() }, 'RAFT_ABORTED'],
    ['its options are wrong', { timeout: 1 } as object, 'RAFT_INVALID_OPTION'],
  ] as const)('tells why when %s, once', async (_name, options, code) => {
    const all = await cluster()
    const [follower] = all.followers
    all.network.isolate(...all.ids)
    await all.clock.run(1_000)
    const backup = iterate(follower!.backup(options))
    expect(await all.settled(errorOf(backup.next()))).toMatchObject({ code, outcome: 'rejected' })
    expect(await backup.next()).toEqual({ done: true, value: undefined })
    await all.stop()
  })

  it('is ended by its signal and by its deadline in the middle too, and lets the snapshot go', async () => {
    const { stage, store } = await watched(1, 2, 3)
    const abort = new AbortController()
    const aborted = iterate(stage.node.backup({ signal: abort.signal }))
    const late = iterate(stage.node.backup({ timeoutMs: 50 }))
    for (const backup of [aborted, late]) await stage.settled(backup.next())
    expect(store.openReads).toBe(2)
    abort.abort(new Error('enough'))
    await stage.clock.run(100)
    expect(store.openReads).toBe(0)
    const told = await errorOf(aborted.next())
    expect([told['code'], (told['cause'] as Error).message]).toEqual(['RAFT_ABORTED', 'enough'])
    expect(await errorOf(late.next())).toMatchObject({
      code: 'RAFT_TIMEOUT',
      message: expect.stringMatching(/last chunk/),
    })
    expect(await late.next()).toEqual({ done: true, value: undefined })
    await stage.node.stop()
  })

  it('is ended by return, also while a chunk is waited for', async () => {
    const { stage, store } = await watched(1, 2, 3)
    const loop = async (): Promise<void> => {
      for await (const piece of stage.node.backup()) {
        expect([piece.length > 0, store.openReads]).toEqual([true, 1])
        break
      }
    }
    await stage.settled(loop())
    await stage.clock.run(1)
    expect(store.openReads).toBe(0)
    let goOn = (): void => undefined
    store.onRead = () => new Promise((resolve) => (goOn = resolve))
    const waiting = iterate(stage.node.backup())
    const value = waiting.next()
    await stage.clock.run(5)
    expect(await waiting.return!()).toEqual({ done: true, value: undefined })
    expect(await value).toEqual({ done: true, value: undefined })
    goOn()
    await stage.clock.run(1)
    expect(store.openReads).toBe(0)
    await stage.node.stop()
  })

  it('is told that the node stops, which closes the store behind its read', async () => {
    const { stage, store } = await watched(1, 2, 3)
    const backup = iterate(stage.node.backup())
    await stage.settled(backup.next())
    const waiting = iterate(stage.node.backup())
    await stage.settled(waiting.next())
    await stage.node.stop()
    expect(store.openReadsAtClose).toBe(0)
    for (const ended of [backup, waiting]) expect(await errorOf(ended.next())).toMatchObject({ code: 'RAFT_STOPPED' })
    expect(await errorOf(collect(stage.node.backup()))).toMatchObject({ code: 'RAFT_STOPPED' })
  })

  it('tells of a damaged snapshot, and the next one is of another snapshot (F30)', async () => {
    const { stage, store } = await watched(1, 2, 3)
    let isDamaged = false
    store.onRead = () => {
      if (isDamaged) throw new RaftError('RAFT_CORRUPTION', 'rotten')
    }
    const backup = iterate(stage.node.backup())
    await stage.settled(backup.next())
    isDamaged = true
    let goOn = (): void => undefined
    const held = new Promise<void>((resolve) => (goOn = resolve))
    stage.machine.onChunk = () => held
    const ended = collect({ [Symbol.asyncIterator]: () => backup })
    expect(await stage.settled(errorOf(ended))).toMatchObject({ code: 'RAFT_CORRUPTION', message: 'rotten' })
    expect(stage.said('Backup failed')).toHaveLength(1)
    const next = collect(stage.node.backup())
    await stage.clock.run(5)
    // The other snapshot is on its way, and the one that is there is still damaged.
    isDamaged = false
    goOn()
    expect(await valuesIn(joined(await stage.settled(next)))).toEqual([1, 2, 3])
    expect(stage.machine.snapshots).toHaveLength(2)
    await stage.node.stop()
  })

  it('says what the store said, in an error with a code', async () => {
    const { stage, store } = await watched(1)
    store.onRead = () => {
      throw new Error('EIO')
    }
    expect(await stage.settled(errorOf(collect(stage.node.backup())))).toMatchObject({ code: 'RAFT_STORAGE' })
    expect(stage.node.status().role).toBe('leader')
    await stage.node.stop()
  })

  it('makes room for others: so many at once, and no more', async () => {
    const { stage } = await watched(1, 2)
    const running = Array.from({ length: MAX_BACKUPS }, () => iterate(stage.node.backup()))
    for (const backup of running) await stage.settled(backup.next())
    const refused = await errorOf(iterate(stage.node.backup()).next())
    expect(refused).toMatchObject({ code: 'RAFT_OVERLOADED', retryable: true })
    await running[0]!.return!()
    await stage.clock.run(1)
    expect((await stage.settled(iterate(stage.node.backup()).next())).done).toBe(false)
    await stage.node.stop()
  })
})
