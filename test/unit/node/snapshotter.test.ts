// Snapshots of a node's own state (F27): when one is taken, what is in it, what happens meanwhile, and what a failure costs.
import { MemorySnapshotStore, type SnapshotMeta, type SnapshotSink } from 'helios-raft'
import { describe, expect, it } from 'vitest'
import { MAX_SNAPSHOT_CALLS } from '../../../src/node/snapshot-calls.js'
import { MAX_SNAPSHOT_RETRY_MS, SNAPSHOT_RETRY_MS } from '../../../src/node/snapshotter.js'
import { errorOf } from './harness.js'
import { ByteList, SnapshotStage } from './snapshot-stage.js'

const NEVER = { everyEntries: Number.POSITIVE_INFINITY, everyBytes: Number.POSITIVE_INFINITY, trailingEntries: 0 }

function gate(): { readonly opened: Promise<void>; readonly open: () => void } {
  let open = (): void => undefined
  const opened = new Promise<void>((resolve) => {
    open = resolve
  })
  return { opened, open: () => open() }
}

/** Fails where it is told to. */
class FailingStore extends MemorySnapshotStore {
  failsAt: 'create' | 'write' | 'commit' | null = null
  abortCount = 0

  override async create(meta: SnapshotMeta): Promise<SnapshotSink> {
    if (this.failsAt === 'create') throw new Error('no space')
    const sink = await super.create(meta)
    return {
      get writtenBytes() {
        return sink.writtenBytes
      },
      write: async (chunk) => {
        if (this.failsAt === 'write') throw new Error('no space')
        await sink.write(chunk)
      },
      commit: async () => {
        if (this.failsAt === 'commit') throw new Error('no space')
        return sink.commit()
      },
      abort: async () => {
        this.abortCount += 1
        await sink.abort()
      },
    }
  }
}

describe('takeSnapshot', () => {
  it('takes an iterator that answers without promises, as those of arrays do', async () => {
    const stage = await new SnapshotStage({ snapshot: { ...NEVER, everyEntries: 3 } }).start()
    const list = [Uint8Array.of(7), Uint8Array.of(8)]
    const chunks = { [Symbol.asyncIterator]: () => list[Symbol.iterator]() } as unknown as AsyncIterable<Uint8Array>
    stage.machine.onSnapshot = () => chunks
    await stage.propose(1, 2, 3)
    await stage.settled(stage.node.takeSnapshot())
    expect(await stage.content()).toEqual([7, 8])
    await stage.node.stop()
  })

  it('resolves when the snapshot is durable, with what it stands for', async () => {
    const stage = await new SnapshotStage({ snapshot: NEVER }).start()
    await stage.propose(1, 2, 3)
    const events: unknown[] = []
    stage.node.on('snapshot', (meta, origin) => events.push([meta, origin]))
    const taken = stage.node.takeSnapshot()
    const statusWhenTaken = taken.then(() => stage.node.status())
    const meta = await stage.settled(taken)
    expect(await statusWhenTaken).toMatchObject({ snapshotIndex: 4, firstIndex: 5, lastIndex: 4 })
    const stored = await stage.snapshotStore.latest()
    expect(stored?.meta).toEqual(meta)
    expect(await stage.content()).toEqual([1, 2, 3])
    expect(meta).toMatchObject({ lastIncludedIndex: 4, lastIncludedTerm: 1, configurationIndex: 0 })
    expect(meta.configuration.members.map((member) => member.id)).toEqual(['a'])
    const [last] = await stage.logStore.read(4, 4, 1)
    expect([last, meta.lastIncludedTimestamp > 0]).toEqual([undefined, true])
    expect(events).toEqual([[meta, 'local']])
    expect(stage.node.status()).toMatchObject({ snapshotIndex: 4, firstIndex: 5, lastIndex: 4 })
    await stage.node.stop()
  })

  it('answers with the one that holds everything already', async () => {
    const stage = await new SnapshotStage({ snapshot: NEVER }).start()
    await stage.propose(1)
    const first = await stage.settled(stage.node.takeSnapshot())
    expect(await stage.settled(stage.node.takeSnapshot())).toEqual(first)
    expect(stage.machine.snapshots).toHaveLength(1)
    await stage.node.stop()
  })

  it('waits for the one under way, and for another when more was applied since it began', async () => {
    const stage = await new SnapshotStage({ snapshot: NEVER }).start()
    await stage.propose(1)
    const { opened, open } = gate()
    stage.machine.onChunk = () => opened
    const first = stage.node.takeSnapshot()
    const same = stage.node.takeSnapshot()
    await stage.clock.run(1)
    await stage.propose(2)
    const later = stage.node.takeSnapshot()
    open()
    await stage.clock.run(5)
    expect((await first).lastIncludedIndex).toBe(2)
    expect((await same).lastIncludedIndex).toBe(2)
    expect((await later).lastIncludedIndex).toBe(3)
    expect(stage.machine.snapshots).toHaveLength(2)
    await stage.node.stop()
  })

  it('waits until something is applied, within its deadline', async () => {
    const stage = new SnapshotStage({ snapshot: NEVER, bootstrap: undefined })
    await stage.start()
    const call = errorOf(stage.node.takeSnapshot({ timeoutMs: 50 }))
    await stage.clock.run(100)
    expect(await call).toMatchObject({ code: 'RAFT_TIMEOUT' })
    const pending = errorOf(stage.node.takeSnapshot())
    await stage.node.stop()
    expect(await pending).toMatchObject({ code: 'RAFT_STOPPED' })
    expect(await errorOf(stage.node.takeSnapshot())).toMatchObject({ code: 'RAFT_STOPPED' })
  })

  it('takes as many calls as its bound, and no more', async () => {
    const stage = new SnapshotStage({ snapshot: NEVER, bootstrap: undefined })
    await stage.start()
    const calls = Array.from({ length: MAX_SNAPSHOT_CALLS }, () => errorOf(stage.node.takeSnapshot()))
    expect(await errorOf(stage.node.takeSnapshot())).toMatchObject({ code: 'RAFT_OVERLOADED' })
    await stage.node.stop()
    for (const error of await Promise.all(calls)) expect(error).toMatchObject({ code: 'RAFT_STOPPED' })
  })

  it('refuses options that it does not know, and a signal that was aborted before', async () => {
    const stage = await new SnapshotStage({ snapshot: NEVER }).start()
    const wrong = { deadline: 1 } as object
    expect(await errorOf(stage.node.takeSnapshot(wrong))).toMatchObject({ code: 'RAFT_INVALID_OPTION' })
    const aborted = stage.node.takeSnapshot({ signal: AbortSignal.abort() })
    expect(await errorOf(aborted)).toMatchObject({ code: 'RAFT_ABORTED' })
    await stage.node.stop()
  })
})

describe('a snapshot under way', () => {
  it('holds the state as of its first pull; apply goes on while its chunks are pulled (H52)', async () => {
    const stage = await new SnapshotStage({ snapshot: NEVER }).start()
    await stage.propose(1, 2)
    const { opened, open } = gate()
    stage.machine.onChunk = (at) => (at === 1 ? opened : undefined)
    const taken = stage.node.takeSnapshot()
    await stage.clock.run(1)
    await stage.propose(3)
    expect(stage.machine.values).toEqual([1, 2, 3])
    open()
    await stage.settled(taken)
    expect(await stage.content()).toEqual([1, 2])
    expect(stage.machine.snapshots).toHaveLength(1)
    await stage.node.stop()
  })

  it('keeps the next apply waiting until a checkpoint is taken, and pulls in the turn in which it is', async () => {
    const stage = await new SnapshotStage({ snapshot: NEVER }).start()
    await stage.propose(1)
    const { opened, open } = gate()
    stage.machine.onSnapshot = async (own) => {
      await opened
      return own()
    }
    const taken = stage.node.takeSnapshot()
    await stage.clock.run(5)
    const proposed = stage.node.propose(Uint8Array.of(2))
    await stage.clock.run(20)
    expect(stage.machine.values).toEqual([1])
    const read = await stage.settled(stage.node.read(() => stage.machine.values.length, { consistency: 'local' }))
    expect(read.value).toBe(1)
    open()
    await stage.clock.run(5)
    expect((await proposed).result).toBe(2)
    expect((await taken).lastIncludedIndex).toBe(2)
    expect(await stage.content()).toEqual([1])
    await stage.node.stop()
  })

  it('does not begin while an entry is being applied', async () => {
    class SlowList extends ByteList {
      gate = gate()
      override readonly apply = (command: Uint8Array): number => {
        this.values.push(-1)
        return this.gate.opened.then(() => {
          this.values.pop()
          return this.values.push(command[0] ?? 0)
        }) as unknown as number
      }
    }
    const machine = new SlowList()
    const stage = await new SnapshotStage({ snapshot: NEVER, stateMachine: machine }).start()
    void stage.node.propose(Uint8Array.of(7))
    await stage.clock.run(5)
    const taken = stage.node.takeSnapshot()
    await stage.clock.run(5)
    expect(machine.snapshots).toEqual([])
    machine.gate.open()
    await stage.clock.run(5)
    await taken
    expect(await stage.content()).toEqual([7])
    await stage.node.stop()
  })

  it('is given up by stop, which lets the iterator and the sink go and does not wait for the state machine', async () => {
    const store = new FailingStore()
    const stage = await new SnapshotStage({ snapshot: NEVER }, { snapshotStore: store }).start()
    await stage.propose(1)
    stage.machine.onChunk = () => new Promise(() => undefined)
    const taken = errorOf(stage.node.takeSnapshot())
    await stage.clock.run(5)
    await stage.node.stop()
    expect(await taken).toMatchObject({ code: 'RAFT_STOPPED' })
    expect(stage.machine.returnCount).toBe(1)
    expect(stage.machine.snapshots[0]?.signal.aborted).toBe(true)
    expect(store.abortCount).toBe(1)
    expect(await store.latest()).toBeNull()
    expect(stage.clock.timerCount).toBe(0)
  })
})

describe('the policy', () => {
  it('asks for a snapshot after so many entries, and keeps the trailing ones', async () => {
    const stage = await new SnapshotStage({ snapshot: { everyEntries: 4, trailingEntries: 2 } }).start()
    await stage.propose(1, 2)
    expect(stage.node.status().snapshotIndex).toBe(0)
    await stage.propose(3)
    expect(stage.node.status()).toMatchObject({ snapshotIndex: 4, firstIndex: 3 })
    expect((await stage.logStore.read(3, 9, 1_000)).map(({ index }) => index)).toEqual([3, 4])
    expect(await stage.logStore.read(2, 9, 1_000)).toEqual([])
    await stage.propose(4, 5, 6)
    expect(stage.node.status().snapshotIndex).toBe(4)
    await stage.propose(7)
    expect(stage.node.status()).toMatchObject({ snapshotIndex: 8, firstIndex: 7 })
    await stage.node.stop()
  })

  it('asks for one after so many bytes of payload', async () => {
    const stage = await new SnapshotStage({ snapshot: { ...NEVER, everyBytes: 3 } }).start()
    await stage.propose(1, 2)
    expect(stage.node.status().snapshotIndex).toBe(0)
    await stage.propose(3)
    expect(stage.node.status().snapshotIndex).toBe(4)
    await stage.node.stop()
  })

  it('asks for one after an interval that differs from time to time, if anything was applied', async () => {
    const stage = await new SnapshotStage({ snapshot: { ...NEVER, everyMs: 1_000 } }).start()
    const takenAt: number[] = []
    stage.node.on('snapshot', () => takenAt.push(stage.clock.now()))
    for (let round = 0; round < 8; round++) {
      await stage.propose(round)
      await stage.clock.run(1_250)
    }
    const gaps = takenAt.slice(1).map((at, place) => at - (takenAt[place] ?? 0))
    expect(takenAt.length).toBeGreaterThanOrEqual(7)
    for (const gap of gaps) expect(gap).toBeGreaterThanOrEqual(750)
    expect(new Set(gaps).size).toBeGreaterThan(3)
    const count = takenAt.length
    await stage.clock.run(10_000)
    expect(takenAt.length).toBeLessThanOrEqual(count + 1)
    await stage.node.stop()
  })

  it('keeps the whole log with infinitely many trailing entries', async () => {
    const stage = await new SnapshotStage({ snapshot: { everyEntries: 2, trailingEntries: Infinity } }).start()
    await stage.propose(1, 2, 3)
    expect(stage.node.status()).toMatchObject({ snapshotIndex: 4, firstIndex: 1 })
    await stage.node.stop()
  })
})

describe('a snapshot that fails', () => {
  const cases: [string, (stage: SnapshotStage, store: FailingStore) => void, string][] = [
    ['snapshot() throws', ({ machine }) => (machine.onSnapshot = () => raise('broken')), 'RAFT_STATE_MACHINE'],
    [
      'snapshot() rejects',
      ({ machine }) => (machine.onSnapshot = () => Promise.reject(new Error('x'))),
      'RAFT_STATE_MACHINE',
    ],
    ['snapshot() gives no iterable', ({ machine }) => (machine.onSnapshot = () => 7 as never), 'RAFT_STATE_MACHINE'],
    [
      'a chunk throws',
      ({ machine }) => (machine.onChunk = (at) => (at === 1 ? raise('broken') : undefined)),
      'RAFT_STATE_MACHINE',
    ],
    ['a chunk is no bytes', ({ machine }) => (machine.onSnapshot = () => texts()), 'RAFT_STATE_MACHINE'],
    ['the sink is refused', (_, store) => (store.failsAt = 'create'), 'RAFT_STORAGE'],
    ['a write fails', (_, store) => (store.failsAt = 'write'), 'RAFT_STORAGE'],
    ['the commit fails', (_, store) => (store.failsAt = 'commit'), 'RAFT_STORAGE'],
  ]

  it.each(cases)('because %s: is warned of, forgets nothing, and stops nobody', async (_, breakIt, code) => {
    const store = new FailingStore()
    const stage = await new SnapshotStage({ snapshot: NEVER }, { snapshotStore: store }).start()
    await stage.propose(1, 2)
    breakIt(stage, store)
    const failed = errorOf(stage.node.takeSnapshot())
    await stage.clock.run(5)
    expect(await failed).toMatchObject({ code, outcome: 'rejected' })
    expect(stage.said('Snapshot failed')).toMatchObject([
      { level: 'warn', fields: { code, retryMs: SNAPSHOT_RETRY_MS } },
    ])
    expect(stage.node.status()).toMatchObject({ snapshotIndex: 0, firstIndex: 1, role: 'leader' })
    await stage.propose(3)
    stage.machine.onSnapshot = null
    stage.machine.onChunk = () => undefined
    store.failsAt = null
    const again = stage.node.takeSnapshot()
    await stage.clock.run(5)
    expect((await again).lastIncludedIndex).toBe(4)
    expect(await stage.content()).toEqual([1, 2, 3])
    await stage.node.stop()
  })

  it('is tried again later and later, as the policy asks', async () => {
    const stage = await new SnapshotStage({ snapshot: { ...NEVER, everyEntries: 2 } }).start()
    stage.machine.onSnapshot = () => raise('broken')
    await stage.propose(1)
    expect(stage.machine.snapshots).toHaveLength(1)
    await stage.propose(2, 3)
    await stage.clock.run(SNAPSHOT_RETRY_MS - 100)
    expect(stage.machine.snapshots).toHaveLength(1)
    await stage.clock.run(200)
    expect(stage.machine.snapshots).toHaveLength(2)
    await stage.clock.run(2 * SNAPSHOT_RETRY_MS - 300)
    expect(stage.machine.snapshots).toHaveLength(2)
    await stage.clock.run(400)
    expect(stage.machine.snapshots).toHaveLength(3)
    await stage.clock.run(20 * MAX_SNAPSHOT_RETRY_MS)
    const { length } = stage.machine.snapshots
    await stage.clock.run(MAX_SNAPSHOT_RETRY_MS)
    expect(stage.machine.snapshots.length - length).toBe(1)
    stage.machine.onSnapshot = null
    await stage.clock.run(MAX_SNAPSHOT_RETRY_MS)
    expect(stage.node.status().snapshotIndex).toBe(4)
    await stage.node.stop()
  })

  it('calls return on the iterator that it gives up', async () => {
    const store = new FailingStore()
    const stage = await new SnapshotStage({ snapshot: NEVER }, { snapshotStore: store }).start()
    await stage.propose(1, 2)
    store.failsAt = 'write'
    const failed = errorOf(stage.node.takeSnapshot())
    await stage.clock.run(5)
    await failed
    expect([stage.machine.returnCount, store.abortCount]).toEqual([1, 1])
    await stage.node.stop()
  })
})

function raise(text: string): never {
  throw new Error(text)
}

async function* texts(): AsyncGenerator<Uint8Array> {
  yield 'text' as unknown as Uint8Array
}
