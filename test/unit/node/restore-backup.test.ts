// A backup becomes the first member of a new cluster (F49): whole or not at all, whatever is damaged and wherever it dies.
import { MemoryLogStore, type MemorySnapshotStore, memoryStorage, restoreBackup, type RaftStorage } from 'helios-raft'
import { beforeAll, describe, expect, it } from 'vitest'
import { BackupEncoder } from '../../../src/codec/backup-format.js'
import { backupOf, CrashingLogStore, CrashingSnapshotStore, CrashPlan, joined, stream } from './backup-stage.js'
import { errorOf } from './harness.js'
import { SnapshotStage } from './snapshot-stage.js'

const member = { id: 'n', address: 'n:1', metadata: { zone: 'b' } }
type Stores = { readonly logStore: MemoryLogStore; readonly snapshotStore: MemorySnapshotStore }
const stores = (): Stores => memoryStorage() as Stores

let backup: Uint8Array
beforeAll(async () => {
  backup = await backupOf(7, 8, 9)
})

/** A node on restored stores, without a bootstrap list. */
const nodeOn = (held: Stores, options: object = {}) =>
  new SnapshotStage({ id: 'n', bootstrap: undefined, ...options }, held)

async function isUntouched({ logStore, snapshotStore }: RaftStorage): Promise<boolean> {
  const log = await logStore.open()
  await logStore.close()
  return log.identity === null && log.hardState.currentTerm === 0 && (await snapshotStore.latest()) === null
}

describe('restoreBackup', () => {
  it('makes one voter with the state, which serves at once and goes on from that position', async () => {
    const held = stores()
    const meta = await restoreBackup({ ...held, member, backup: stream(backup) })
    expect(meta).toMatchObject({ lastIncludedIndex: 4, lastIncludedTerm: 1, configurationIndex: 4 })
    expect(meta.lastIncludedTimestamp).toBeGreaterThan(1_700_000_000_000)
    expect(meta.configuration).toMatchObject({ members: [{ ...member, suffrage: 'voter' }], votersOutgoing: [] })
    const log = await held.logStore.open()
    expect(log).toMatchObject({
      firstIndex: 5,
      lastIndex: 4,
      previousTerm: 1,
      hardState: { currentTerm: 1, votedFor: null },
    })
    expect(log.identity).toMatchObject({ nodeId: 'n', bootCount: 0, storeId: meta.configuration.members[0]?.storeId })
    await held.logStore.close()
    const stage = await nodeOn(held).start()
    expect(stage.node.status()).toMatchObject({ role: 'leader', suffrage: 'voter', currentTerm: 2, snapshotIndex: 4 })
    expect(stage.machine.values).toEqual([7, 8, 9])
    await stage.propose(10)
    await stage.restart()
    expect(stage.machine.values).toEqual([7, 8, 9, 10])
    await stage.node.stop()
  })

  it('gives each restore a nonce and a store of its own, and the cluster id of the backup or the given one', async () => {
    const seen: { clusterId: string; nonce: string; storeId: string }[] = []
    for (const clusterId of [undefined, 'green']) {
      const held = stores()
      await restoreBackup({ ...held, member, backup: stream(backup), clusterId })
      seen.push((await held.logStore.open()).identity!)
    }
    const [own, given] = seen
    expect(own?.clusterId).toMatch(/^[0-9a-f]{16}$/)
    expect(given?.clusterId).toBe('green')
    for (const name of ['nonce', 'storeId'] as const) {
      expect(own?.[name]).toMatch(/^[0-9a-f]{32}$/)
      expect(own?.[name]).not.toBe(given?.[name])
    }
  })

  it('takes pieces of any size, and a state without a byte', async () => {
    for (const pieceBytes of [1, 2, 13, backup.length]) {
      const meta = await restoreBackup({ ...stores(), member, backup: stream(backup, pieceBytes) })
      expect(meta.lastIncludedIndex).toBe(4)
    }
    const held = stores()
    await restoreBackup({ ...held, member, backup: stream(await backupOf()) })
    expect((await held.snapshotStore.latest())?.sizeBytes).toBe(0)
  })

  it('goes with a bootstrap list in the options, which changes nothing', async () => {
    const held = stores()
    await restoreBackup({ ...held, member, backup: stream(backup) })
    const bootstrap = ['n', 'o'].map((id) => ({ id, address: `${id}:1` }))
    const stage = await nodeOn(held, { bootstrap }).start()
    expect(stage.node.status().configuration.members.map(({ id }) => id)).toEqual(['n'])
    expect(stage.machine.values).toEqual([7, 8, 9])
    await stage.node.stop()
  })
})

describe('a damaged backup', () => {
  it('is refused whichever byte is flipped, with the place, and the stores are as before', async () => {
    const held = stores()
    for (let at = 0; at < backup.length; at++) {
      const damaged = backup.slice()
      damaged[at]! ^= 1 << (at % 8)
      const error = await errorOf(restoreBackup({ ...held, member, backup: stream(damaged, 64) }))
      expect(error, `byte ${at}`).toMatchObject({ code: at === 4 ? 'RAFT_VERSION' : 'RAFT_CORRUPTION' })
      const place = Number(/byte (\d+)/.exec(error.message)?.[1])
      expect(place, `byte ${at}: ${error.message}`).toBeLessThanOrEqual(at)
      expect(await isUntouched(held)).toBe(true)
    }
    expect((await restoreBackup({ ...held, member, backup: stream(backup) })).lastIncludedIndex).toBe(4)
  })

  it('is refused wherever it is cut, and when something follows', async () => {
    const held = stores()
    for (let length = 0; length < backup.length; length++) {
      const error = await errorOf(restoreBackup({ ...held, member, backup: stream(backup.subarray(0, length), 64) }))
      expect(error, `${length} bytes`).toMatchObject({
        code: 'RAFT_CORRUPTION',
        message: expect.stringMatching(/ends after/),
      })
    }
    const longer = joined([backup, Uint8Array.of(0)])
    const error = await errorOf(restoreBackup({ ...held, member, backup: stream(longer) }))
    expect(error.message).toMatch(new RegExp(`at byte ${backup.length}, record \\d+: more follows`))
    expect(await isUntouched(held)).toBe(true)
  })

  it('is refused when intact records are swapped, missing, repeated or of another backup', async () => {
    const meta = { lastIncludedIndex: 4, lastIncludedTerm: 1, lastIncludedTimestamp: 1, configurationIndex: 0 }
    const configuration = { members: [{ id: 'a', address: 'a:1', suffrage: 'voter' }], votersOutgoing: [] } as const
    const records = (...values: number[]): Uint8Array[] => {
      const encoder = new BackupEncoder()
      const begin = encoder.begin({ clusterId: '', meta: { ...meta, configuration } })
      const chunks = values.map((value) => encoder.chunk(Uint8Array.of(value)))
      return [begin, ...chunks, encoder.end()]
    }
    const [begin, one, two, end] = records(1, 2) as [Uint8Array, Uint8Array, Uint8Array, Uint8Array]
    const other = records(3, 2)
    const refusals: [RegExp, Uint8Array[]][] = [
      [/record 2 stands in its place/, [begin, two, one, end]],
      [/record 2 stands in its place/, [begin, two, end]],
      [/record 3 stands in its place/, [begin, one, end]],
      [/record 1 stands in its place/, [begin, one, one, two, end]],
      [/fails the SHA-256/, [begin, other[1]!, two, end]],
      [/1 chunks with 1 bytes came, and its trailer says 1 with 2/, [begin, one, trailerOf(meta, configuration)]],
    ]
    const held = stores()
    expect(await restoreBackup({ ...stores(), member, backup: stream(joined([begin, one, two, end])) })).toMatchObject({
      lastIncludedIndex: 4,
    })
    for (const [message, parts] of refusals) {
      const error = await errorOf(restoreBackup({ ...held, member, backup: stream(joined(parts)) }))
      expect(error).toMatchObject({ code: 'RAFT_CORRUPTION', message: expect.stringMatching(message) })
    }
    expect(await isUntouched(held)).toBe(true)
  })
})

/** The trailer of a backup with one chunk of two bytes. */
function trailerOf(meta: object, configuration: object): Uint8Array {
  const encoder = new BackupEncoder()
  encoder.begin({ clusterId: '', meta: { ...meta, configuration } as never })
  encoder.chunk(Uint8Array.of(1, 2))
  return encoder.end()
}

describe('a restore that is interrupted', () => {
  it('leaves stores that take the backup again, or complete ones, wherever it dies', async () => {
    const whole = new CrashPlan()
    await restoreBackup({ ...crashing(whole), member, backup: stream(backup) })
    const steps = ['chunk', 'log hardState identity', 'commit', 'log resetTo']
    expect(whole.done).toEqual(steps)
    const outcomes: string[] = []
    for (let step = 0; step < 2 * steps.length; step++) {
      const plan = new CrashPlan()
      plan.diesAt = step
      const held = crashing(plan)
      expect(await errorOf(restoreBackup({ ...held, member, backup: stream(backup) }))).toMatchObject({
        message: 'died',
      })
      plan.diesAt = Number.POSITIVE_INFINITY
      const snapshot = await held.snapshotStore.latest()
      if (snapshot === null) await restoreBackup({ ...held, member, backup: stream(backup) })
      const again = await errorOf(restoreBackup({ ...held, member, backup: stream(backup) }))
      expect(again).toMatchObject({ code: 'RAFT_IDENTITY', message: expect.stringMatching(/restored here already/) })
      const stage = await nodeOn(held).start()
      expect(stage.machine.values).toEqual([7, 8, 9])
      await stage.node.stop()
      outcomes.push(snapshot === null ? 'empty' : 'complete')
    }
    expect(outcomes.join(' ')).toBe(`${'empty '.repeat(5)}complete complete complete`)
  })

  it('is told to a node that is started too early, which changes nothing', async () => {
    const plan = new CrashPlan()
    plan.diesAt = 4
    const held = crashing(plan)
    await errorOf(restoreBackup({ ...held, member, backup: stream(backup) }))
    plan.diesAt = Number.POSITIVE_INFINITY
    for (const bootstrap of [undefined, [{ id: 'n', address: 'n:1' }]]) {
      const error = await errorOf(nodeOn(held, { bootstrap }).start())
      expect(error).toMatchObject({ code: 'RAFT_IDENTITY', message: expect.stringMatching(/interrupted/) })
    }
    expect((await restoreBackup({ ...held, member, backup: stream(backup) })).lastIncludedIndex).toBe(4)
  })

  it('lets the stream go, and tells what the stream threw', async () => {
    let isReturned = false
    async function* broken(): AsyncGenerator<Uint8Array> {
      try {
        yield backup.subarray(0, 60)
        throw new Error('the line is down')
      } finally {
        isReturned = true
      }
    }
    const held = stores()
    expect(await errorOf(restoreBackup({ ...held, member, backup: broken() }))).toMatchObject({
      message: 'the line is down',
    })
    expect([isReturned, await isUntouched(held)]).toEqual([true, true])
  })
})

function crashing(plan: CrashPlan): Stores {
  return { logStore: new CrashingLogStore(plan), snapshotStore: new CrashingSnapshotStore(plan) }
}

describe('what is no empty store, and no option', () => {
  it('a store of a node is refused and left as it was, also when nothing was ever written', async () => {
    const held = stores()
    const used = await new SnapshotStage({ bootstrap: undefined }, held).start()
    await used.node.stop()
    const error = await errorOf(restoreBackup({ ...held, member, backup: stream(backup) }))
    expect(error).toMatchObject({ code: 'RAFT_IDENTITY', message: expect.stringMatching(/belongs to node 'a'/) })
    const log = await held.logStore.open()
    expect(log.identity).toMatchObject({ nodeId: 'a', bootCount: 1 })
  })

  it('a snapshot without a log is refused', async () => {
    const held = stores()
    await restoreBackup({ ...held, member, backup: stream(backup) })
    const error = await errorOf(
      restoreBackup({ ...held, logStore: new MemoryLogStore(), member, backup: stream(backup) }),
    )
    expect(error).toMatchObject({ code: 'RAFT_IDENTITY', message: expect.stringMatching(/snapshot of index 4: give/) })
  })

  it.each([
    [{ member: undefined }, /restoreBackup has undefined where a member/],
    [{ member: { id: 'a b', address: 'n:1' } }, /'a b' is not a node id/],
    [{ member: { id: 'n', address: '' } }, /the address of 'n' is ''/],
    [{ member: { ...member, suffrage: 'learner' } }, /must be a voter/],
    [{ backup: new Uint8Array(3) }, /no async iterable/],
    [{ clusterId: 'a b' }, /clusterId is 'a b'/],
    [{ logStore: undefined }, /logStore is missing/],
    [{ snapshotStore: undefined }, /snapshotStore is missing/],
    [{ directory: 'x' }, /no option of restoreBackup 'directory'/],
  ])('refuses %j before it opens anything', async (wrong, message) => {
    const held = stores()
    const error = await errorOf(restoreBackup({ ...held, member, backup: stream(backup), ...wrong } as never))
    expect(error).toMatchObject({ code: 'RAFT_INVALID_OPTION', message: expect.stringMatching(message) })
    expect(await isUntouched(held)).toBe(true)
  })

  it('refuses a stream of something else', async () => {
    async function* texts(): AsyncGenerator<never> {
      yield 'HRBK' as never
    }
    expect(await errorOf(restoreBackup({ ...stores(), member, backup: texts() }))).toMatchObject({
      code: 'RAFT_INVALID_OPTION',
      message: 'backup gave a string: give a stream of Uint8Array',
    })
  })
})
