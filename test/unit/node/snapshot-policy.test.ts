// When entries and bytes are enough for a snapshot (F27): what is given counts as it is, what is assumed waits for a log that
// is as large as the last snapshot was.
import { describe, expect, it } from 'vitest'
import { isDueBySize, resolveSnapshotPolicy } from '../../../src/node/snapshot-policy.js'
import { SnapshotStage } from './snapshot-stage.js'

const MIB = 1024 * 1024

describe('a snapshot by entries and bytes', () => {
  it.each([
    { what: 'a small state, after 10,000 entries', since: { entries: 10_000, bytes: 0, snapshotBytes: 0 }, due: true },
    { what: 'and not before', since: { entries: 9_999, bytes: 0, snapshotBytes: 0 }, due: false },
    { what: 'after 64 MiB', since: { entries: 1, bytes: 64 * MIB, snapshotBytes: 0 }, due: true },
    { what: 'a state of 64 MiB', since: { entries: 10_000, bytes: 2 * MIB, snapshotBytes: 64 * MIB }, due: false },
    { what: 'its log is as large', since: { entries: 10, bytes: 64 * MIB, snapshotBytes: 64 * MIB }, due: true },
    {
      what: 'its log is nearly as large',
      since: { entries: 10, bytes: 64 * MIB, snapshotBytes: 65 * MIB },
      due: false,
    },
    { what: 'many small entries', since: { entries: 262_144, bytes: 0, snapshotBytes: 64 * MIB }, due: true },
    { what: 'not yet as many', since: { entries: 262_143, bytes: 0, snapshotBytes: 64 * MIB }, due: false },
  ])('of what is assumed: $what: $due', ({ since, due }) => {
    expect(isDueBySize(resolveSnapshotPolicy({}), since)).toBe(due)
  })

  it.each([
    { policy: { everyEntries: 10 }, since: { entries: 10, bytes: 0 }, due: true },
    { policy: { everyEntries: 10 }, since: { entries: 9, bytes: 64 * MIB }, due: false },
    { policy: { everyBytes: 100 }, since: { entries: 1, bytes: 100 }, due: true },
    { policy: { everyBytes: 100 }, since: { entries: 10_000, bytes: 99 }, due: false },
  ])('of what is given, whatever the size of the state: $policy after $since: $due', ({ policy, since, due }) => {
    expect(isDueBySize(resolveSnapshotPolicy(policy), { ...since, snapshotBytes: 1024 * MIB })).toBe(due)
  })
})

describe('a node with a large state', () => {
  const LARGE = 3 * MIB
  async function large(): Promise<SnapshotStage> {
    const stage = await new SnapshotStage({ snapshot: { trailingEntries: 0 } }).start()
    makeLarge(stage)
    return stage
  }
  function makeLarge({ machine }: SnapshotStage): void {
    machine.onSnapshot = async function* () {
      yield new Uint8Array(LARGE)
    }
    machine.restore = async (chunks) => {
      for await (const chunk of chunks) void chunk
    }
  }
  const propose = (stage: SnapshotStage, count: number) => {
    return stage.propose(...Array.from({ length: count }, () => 1))
  }

  it('takes no second snapshot before its log is as large as the first, across a restart too', async () => {
    const stage = await large()
    await propose(stage, 9_999)
    expect(stage.node.status().snapshotIndex).toBe(10_000)
    await propose(stage, 12_000)
    expect(stage.machine.snapshots).toHaveLength(1)
    await stage.node.stop()
    stage.make()
    makeLarge(stage)
    await stage.start()
    expect(stage.machine.snapshots).toHaveLength(0)
    await propose(stage, 300)
    expect(stage.machine.snapshots).toHaveLength(1)
    expect(stage.node.status().snapshotIndex).toBeGreaterThanOrEqual(10_000 + Math.ceil(LARGE / 257))
    await stage.node.stop()
  })
})
