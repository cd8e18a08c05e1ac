import { describe, expect, test } from 'vitest'
import { LogRetention, MAX_BYTES_KEPT_FOR_PEERS as MOST } from '../../../src/node/log-retention.js'

const taken = (lastIncludedIndex: number, appliedBytes: number, sizeBytes = 0) => {
  return { lastIncludedIndex, appliedBytes, sizeBytes }
}

describe('LogRetention', () => {
  test('keeps the trailing entries of the policy', () => {
    const retention = new LogRetention({ snapshot: { trailingEntries: 10 } })
    expect(retention.onTaken(taken(4, 1))).toEqual({ lastIncludedIndex: 4, compactableIndex: 0, expendableIndex: 0 })
    expect(retention.onTaken(taken(25, 2))).toMatchObject({ compactableIndex: 15 })
    const all = new LogRetention({ snapshot: { trailingEntries: Number.POSITIVE_INFINITY } })
    expect(all.onTaken(taken(25, 2))).toMatchObject({ compactableIndex: 0 })
  })

  test.each([-1, 0, 1])('gives up for peers what lies the most bytes behind, and %i', (beyond) => {
    const retention = new LogRetention({ snapshot: { trailingEntries: 0 } })
    retention.onTaken(taken(10, 5))
    retention.onTaken(taken(20, 5 + MOST / 2))
    expect(retention.onTaken(taken(30, 5 + MOST + beyond))).toMatchObject({ expendableIndex: beyond < 0 ? 0 : 10 })
    expect(retention.onTaken(taken(40, 5 + MOST * 1.5))).toMatchObject({ expendableIndex: 20 })
    expect(retention.onTaken(taken(50, 5 + MOST * 4))).toMatchObject({ expendableIndex: 40 })
  })

  test('keeps as much as the snapshot has where that is more', () => {
    const retention = new LogRetention({ snapshot: { trailingEntries: 0 } })
    retention.onTaken(taken(10, 0))
    expect(retention.onTaken(taken(20, MOST, MOST + 1))).toMatchObject({ expendableIndex: 0 })
    expect(retention.onTaken(taken(30, MOST + 1, MOST + 1))).toMatchObject({ expendableIndex: 10 })
  })

  test('remembers few places, however often snapshots are taken', () => {
    const retention = new LogRetention({ snapshot: { trailingEntries: 0 } })
    let expendable = 0
    for (let index = 1; index <= 10_000; index++) {
      expendable = retention.onTaken(taken(index, (index * MOST) / 1_000)).expendableIndex ?? 0
      // The newest place that is far enough behind, to a 64th of the most.
      if (index > 1_050) expect(index - expendable).toBeLessThan(1_000 + 1_000 / 32)
      if (expendable > 0) expect(index - expendable).toBeGreaterThanOrEqual(1_000)
    }
    expect(expendable).toBeGreaterThan(8_900)
  })
})
