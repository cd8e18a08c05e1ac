// A start over stores that hold a snapshot (F29, F30): state machine, log, log time and configuration go on from it, and
// what can't be true is refused.
import { MemoryLogStore, MemorySnapshotStore, type LogWrite, type SnapshotMeta, type StoredSnapshot } from 'helios-raft'
import { RaftError } from 'helios-raft'
import { describe, expect, it } from 'vitest'
import { errorOf } from './harness.js'
import { SNAPSHOT_RETRY_MS } from '../../../src/node/snapshotter.js'
import { SnapshotStage } from './snapshot-stage.js'

const NEVER = { everyEntries: Number.POSITIVE_INFINITY, everyBytes: Number.POSITIVE_INFINITY }
const ALL = { ...NEVER, trailingEntries: 0 }
const KEEP = { ...NEVER, trailingEntries: 1_000 }

const metaOf = (lastIncludedIndex: number, lastIncludedTerm: number): SnapshotMeta => ({
  lastIncludedIndex,
  lastIncludedTerm,
  lastIncludedTimestamp: 1_900_000_000_000,
  configuration: { members: [{ id: 'a', address: 'a:1', suffrage: 'voter' }], votersOutgoing: [] },
  configurationIndex: 0,
})

/** A snapshot as another node would have sent it. */
async function put(store: MemorySnapshotStore, meta: SnapshotMeta, ...values: number[]): Promise<void> {
  const sink = await store.create(meta)
  for (const value of values) await sink.write(Uint8Array.of(value))
  await sink.commit()
}

/** Notes what is written, and whether a write comes before the state machine was restored. */
class NotedLogStore extends MemoryLogStore {
  readonly writes: LogWrite[] = []

  override async write(batch: LogWrite): Promise<void> {
    this.writes.push(batch)
    await super.write(batch)
  }
}

/** Its latest snapshot is damaged, in its header or in its content. */
class DamagedStore extends MemorySnapshotStore {
  damage: 'none' | 'latest' | 'content' = 'none'

  override async latest(): Promise<StoredSnapshot | null> {
    const latest = await super.latest()
    const damaged = new RaftError('RAFT_CORRUPTION', 'the snapshot is damaged')
    if (this.damage === 'latest') throw damaged
    if (latest === null || this.damage === 'none') return latest
    const { meta, sizeBytes, digest } = latest
    async function* read(): AsyncGenerator<Uint8Array> {
      yield new Uint8Array(64).fill(99)
      throw damaged
    }
    return { meta, sizeBytes, digest, read }
  }
}

describe('a restart', () => {
  it('restores the snapshot, then applies what is behind it and nothing else', async () => {
    const stage = await new SnapshotStage({ snapshot: ALL }).start()
    await stage.propose(1, 2)
    const meta = await stage.settled(stage.node.takeSnapshot())
    await stage.propose(3)
    await stage.restart()
    expect(stage.machine.restored).toEqual([meta])
    expect(stage.machine.values).toEqual([1, 2, 3])
    expect(stage.node.status()).toMatchObject({ firstIndex: 4, snapshotIndex: 3, lastApplied: 5 })
    await stage.propose(4)
    expect(stage.machine.values).toEqual([1, 2, 3, 4])
    await stage.node.stop()
  })

  it('skips what the trailing entries hold twice', async () => {
    const stage = await new SnapshotStage({ snapshot: KEEP }).start()
    await stage.propose(1, 2)
    await stage.settled(stage.node.takeSnapshot())
    await stage.restart()
    expect(stage.machine.values).toEqual([1, 2])
    expect(stage.node.status()).toMatchObject({ firstIndex: 1, snapshotIndex: 3 })
    await stage.node.stop()
  })

  it('serves from an empty log behind a snapshot, again and again', async () => {
    const stage = await new SnapshotStage({ snapshot: ALL }).start()
    await stage.propose(1, 2)
    await stage.settled(stage.node.takeSnapshot())
    for (let round = 0; round < 3; round++) await stage.restart()
    expect(stage.machine.values).toEqual([1, 2])
    await stage.propose(3)
    const taken = await stage.settled(stage.node.takeSnapshot())
    expect(taken.lastIncludedIndex).toBe(7)
    await stage.restart()
    expect(stage.machine.values).toEqual([1, 2, 3])
    await stage.node.stop()
  })

  it('answers takeSnapshot with the one that it began with while nothing else is applied', async () => {
    const stage = new SnapshotStage({ snapshot: ALL, bootstrap: undefined })
    await put(stage.snapshotStore, { ...metaOf(5, 0), configuration: twoVoters() }, 1)
    await stage.start()
    expect(await stage.settled(stage.node.takeSnapshot())).toMatchObject({ lastIncludedIndex: 5 })
    expect(stage.machine.snapshots).toEqual([])
    await stage.node.stop()
  })

  it('goes on in log time where the snapshot ends, whatever the wall clock says (F34, H127)', async () => {
    const stage = new SnapshotStage({ snapshot: ALL })
    await put(stage.snapshotStore, metaOf(5, 0), 1, 2)
    await stage.start()
    await stage.propose(3)
    const [noop, entry] = await stage.logStore.read(6, 7, 100)
    expect([noop?.timestamp, entry?.timestamp]).toEqual([1_900_000_000_000, 1_900_000_000_000])
    await stage.node.stop()
  })

  it('has the configuration of the snapshot, also without a bootstrap list', async () => {
    const stage = new SnapshotStage({ snapshot: ALL, bootstrap: undefined })
    await put(stage.snapshotStore, { ...metaOf(5, 0), configuration: twoVoters(), configurationIndex: 3 }, 1)
    const heard: unknown[] = []
    stage.node.on('configuration', (configuration, index) => heard.push([configuration, index]))
    await stage.start()
    expect(heard).toEqual([[twoVoters(), 3]])
    expect(stage.node.status().configuration).toEqual(twoVoters())
    await stage.node.stop()
  })
})

describe('reconciliation at a start (F29)', () => {
  it('resets a log that ends before the snapshot, in the write that raises the boot counter', async () => {
    const logStore = new NotedLogStore()
    const stage = await new SnapshotStage({ snapshot: KEEP }, { logStore }).start()
    await stage.propose(1, 2)
    await stage.node.stop()
    await put(stage.snapshotStore, metaOf(9, 1), 7, 8, 9)
    logStore.writes.length = 0
    stage.make()
    await stage.node.start()
    expect(logStore.writes).toMatchObject([{ resetTo: { index: 9, term: 1 }, identity: { bootCount: 2 } }])
    expect(stage.machine.values).toEqual([7, 8, 9])
    expect(stage.node.status()).toMatchObject({ firstIndex: 10, lastIndex: 9, commitIndex: 9, lastApplied: 9 })
    await stage.clock.run(10)
    await stage.propose(10)
    expect(stage.machine.values).toEqual([7, 8, 9, 10])
    await stage.node.stop()
  })

  it('resets a log that holds another entry where the snapshot ends', async () => {
    const logStore = new MemoryLogStore()
    await logStore.open()
    const data = Uint8Array.of(5)
    const entries = [1, 2, 3].map((index) => ({ index, term: 1, type: 'command' as const, timestamp: 1, data }))
    await logStore.write({ hardState: { currentTerm: 2, votedFor: null }, entries })
    await logStore.close()
    const stage = new SnapshotStage({ snapshot: KEEP }, { logStore })
    await put(stage.snapshotStore, metaOf(2, 2), 7)
    await stage.start()
    expect(stage.machine.values).toEqual([7])
    expect(stage.node.status()).toMatchObject({ firstIndex: 3, lastIndex: 3, currentTerm: 3 })
    await stage.node.stop()
  })

  it('keeps a log that holds the last entry of the snapshot, and what is behind it', async () => {
    const logStore = new NotedLogStore()
    const stage = await new SnapshotStage({ snapshot: KEEP }, { logStore }).start()
    await stage.propose(1, 2, 3)
    await stage.node.stop()
    await put(stage.snapshotStore, metaOf(3, 1), 7)
    logStore.writes.length = 0
    stage.make()
    await stage.node.start()
    expect(logStore.writes.some(({ resetTo }) => resetTo !== undefined)).toBe(false)
    await stage.clock.run(10)
    expect(stage.machine.values).toEqual([7, 3])
    await stage.node.stop()
  })

  it.each(['none', 'an older one'])('refuses a log that begins behind the latest snapshot: %s', async (which) => {
    const stage = await new SnapshotStage({ snapshot: ALL }).start()
    await stage.propose(1, 2)
    await stage.settled(stage.node.takeSnapshot())
    await stage.node.stop()
    const snapshotStore = new MemorySnapshotStore()
    if (which !== 'none') await put(snapshotStore, metaOf(2, 1), 1)
    const again = new SnapshotStage({}, { logStore: stage.logStore, snapshotStore })
    const error = await errorOf(again.node.start())
    expect(error).toMatchObject({ code: 'RAFT_CORRUPTION' })
    expect(error.message).toContain('the log begins at index 4')
    expect(again.machine.restored).toEqual([])
  })

  it('refuses a snapshot of a term that the log store never heard of', async () => {
    const stage = await new SnapshotStage().start()
    await stage.propose(1)
    await stage.node.stop()
    await put(stage.snapshotStore, metaOf(9, 4), 1)
    stage.make()
    expect(await errorOf(stage.node.start())).toMatchObject({ code: 'RAFT_CORRUPTION' })
  })
})

describe('a damaged snapshot', () => {
  it.each(['latest', 'content'] as const)('(%s) stops a start whose log begins behind it', async (damage) => {
    const snapshotStore = new DamagedStore()
    const stage = await new SnapshotStage({ snapshot: ALL }, { snapshotStore }).start()
    await stage.propose(1, 2)
    await stage.settled(stage.node.takeSnapshot())
    await stage.node.stop()
    snapshotStore.damage = damage
    stage.make()
    expect(await errorOf(stage.node.start())).toMatchObject({ code: 'RAFT_CORRUPTION' })
    expect(stage.machine.values).toEqual([])
  })

  it.each(['latest', 'content'] as const)(
    '(%s) is replaced by the whole log where there is one (F30)',
    async (damage) => {
      const snapshotStore = new DamagedStore()
      const stage = await new SnapshotStage({ snapshot: KEEP }, { snapshotStore }).start()
      await stage.propose(1, 2)
      await stage.settled(stage.node.takeSnapshot())
      snapshotStore.damage = damage
      await stage.restart()
      expect(stage.machine.values).toEqual([1, 2])
      expect(stage.said('Snapshot damaged, replaying the whole log')).toHaveLength(1)
      snapshotStore.damage = 'none'
      const meta = await stage.settled(stage.node.takeSnapshot())
      expect(meta.lastIncludedIndex).toBe(4)
      await stage.node.stop()
    },
  )

  it.each(['latest', 'content'] as const)(
    '(%s) keeps the log until a newer one is there, whatever is taken while the log is replayed (H53, H60)',
    async (damage) => {
      const snapshotStore = new DamagedStore()
      const logStore = new MemoryLogStore()
      const stage = await new SnapshotStage({ snapshot: KEEP }, { snapshotStore, logStore }).start()
      await stage.propose(1, 2, 3, 4, 5, 6)
      const damaged = await stage.settled(stage.node.takeSnapshot())
      await stage.node.stop()
      snapshotStore.damage = damage
      const eager = new SnapshotStage(
        { snapshot: { everyEntries: 2, trailingEntries: 0 } },
        { snapshotStore, logStore },
      )
      const taken: number[] = []
      eager.node.on('snapshot', ({ lastIncludedIndex }) => taken.push(lastIncludedIndex))
      await eager.start()
      expect(eager.machine.values).toEqual([1, 2, 3, 4, 5, 6])
      expect(eager.machine.snapshots[0]?.index).toBeLessThan(damaged.lastIncludedIndex)
      expect(eager.said('Snapshot failed').length).toBeGreaterThan(0)
      expect(eager.node.status()).toMatchObject({ firstIndex: 1, snapshotIndex: 0 })
      await eager.clock.run(SNAPSHOT_RETRY_MS)
      snapshotStore.damage = 'none'
      await eager.propose(7, 8)
      await eager.clock.run(3 * SNAPSHOT_RETRY_MS)
      expect(taken.length).toBeGreaterThan(0)
      expect(Math.min(...taken)).toBeGreaterThan(damaged.lastIncludedIndex)
      expect(eager.node.status().firstIndex).toBeGreaterThan(damaged.lastIncludedIndex)
      await eager.node.stop()
    },
  )

  it('is told from a state machine that can not restore', async () => {
    const stage = await new SnapshotStage({ snapshot: KEEP }).start()
    await stage.propose(1)
    await stage.settled(stage.node.takeSnapshot())
    await stage.node.stop()
    stage.make()
    stage.machine.restore = () => Promise.reject(new Error('too old'))
    const error = await errorOf(stage.node.start())
    expect(error).toMatchObject({ code: 'RAFT_STATE_MACHINE' })
    expect(error.message).toContain('too old')
    stage.make()
    await stage.start()
    expect(stage.machine.values).toEqual([1])
    await stage.node.stop()
  })

  it('is not taken for whole by a state machine that swallows the failure', async () => {
    const snapshotStore = new DamagedStore()
    const stage = await new SnapshotStage({ snapshot: KEEP }, { snapshotStore }).start()
    await stage.propose(1)
    await stage.settled(stage.node.takeSnapshot())
    await stage.node.stop()
    snapshotStore.damage = 'content'
    stage.make()
    const { machine } = stage
    machine.restore = async (chunks) => {
      try {
        for await (const chunk of chunks) machine.values.push(...chunk)
      } catch {
        // As if that were the end.
      }
    }
    expect(await errorOf(stage.node.start())).toMatchObject({ code: 'RAFT_STATE_MACHINE' })
  })

  it('is not taken for sound by a state machine that does not read to its end', async () => {
    const snapshotStore = new DamagedStore()
    const stage = await new SnapshotStage({ snapshot: KEEP }, { snapshotStore }).start()
    await stage.propose(1)
    await stage.settled(stage.node.takeSnapshot())
    await stage.node.stop()
    snapshotStore.damage = 'content'
    const startReading = async (breaksOff: boolean) => {
      stage.make()
      const { machine } = stage
      machine.restore = async (chunks) => {
        const iterator = chunks[Symbol.asyncIterator]()
        machine.values.push(...((await iterator.next()).value as Uint8Array))
        if (breaksOff) await iterator.return?.()
      }
      return errorOf(stage.node.start())
    }
    for (const breaksOff of [true, false]) {
      const error = await startReading(breaksOff)
      expect(error).toMatchObject({ code: 'RAFT_STATE_MACHINE', cause: { code: 'RAFT_CORRUPTION' } })
      expect(error.message).toContain('did not read to the end of one that is damaged')
    }
    snapshotStore.damage = 'none'
    await stage.restart()
    expect(stage.machine.values).toEqual([1])
    await stage.node.stop()
  })
})

function twoVoters(): SnapshotMeta['configuration'] {
  const members = ['a', 'b'].map((id) => ({ id, address: `${id}:1`, suffrage: 'voter' as const }))
  return { members, votersOutgoing: [] }
}
