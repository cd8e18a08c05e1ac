// What a leader remembers of a peer: where it begins, and whether an acknowledgement is news.
import { describe, expect, it } from 'vitest'
import { acknowledge, newProgress, sentRange } from '../../../src/core/progress.js'

describe('the progress of a peer', () => {
  it('begins just after the last entry of the leader, with nothing known (figure 2)', () => {
    const { nextIndex, matchIndex, peerSentMs, peerBoot, contactAt } = newProgress(7, 3)
    expect({ nextIndex, matchIndex, peerSentMs, peerBoot, contactAt }).toEqual({
      nextIndex: 8,
      matchIndex: 0,
      peerSentMs: -1,
      peerBoot: 0,
      contactAt: null,
    })
  })

  it('calls an acknowledgement news only where matchIndex rises', () => {
    const progress = newProgress(7, 0)
    expect([5, 5, 4, 6].map((index) => acknowledge(progress, index))).toEqual([true, false, false, true])
    expect(progress.matchIndex).toBe(6)
  })

  it('takes no range that ends before the next entry', () => {
    const progress = newProgress(7, 0)
    acknowledge(progress, 7)
    expect(() => sentRange(progress, 7, false)).toThrow('range up to 7 begins at 8')
  })
})
