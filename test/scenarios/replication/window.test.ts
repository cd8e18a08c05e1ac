// The window of messages that a leader has under way to a peer (F7; thesis §10.2.1): acknowledgements move it, heartbeats
// ask about it, the loss of a connection empties it.
import { describe, expect, it } from 'vitest'
import { acknowledge, becomeProbe, maySend, newProgress, type Progress, sentRange } from '../../../src/core/progress.js'
import { appendResponse, heartbeatResponse, type SoloCore } from '../../support/solo-core.js'
import { answerHeartbeat, progressOf, sentTo, streaming } from './leaders.js'

describe('the window of messages', () => {
  const WINDOW = 4
  const full = (): SoloCore => {
    const leader = streaming({ inflightMessages: WINDOW })
    for (let count = 0; count < WINDOW; count++) leader.propose(`${count}`)
    expect(sentTo(leader)).toEqual([
      [1, 2],
      [2, 3],
      [3, 4],
      [4, 5],
    ])
    return leader
  }

  it('gives each proposal a message of its own at once, while there is room', () => {
    const leader = streaming()
    for (let index = 2; index < 12; index++) {
      leader.propose('x')
      expect(sentTo(leader)).toEqual([[index - 1, index]])
      expect(progressOf(leader)?.nextIndex).toBe(index + 1)
    }
  })

  it('lets nothing out when it is full', () => {
    const leader = full()
    for (let count = 0; count < 10; count++) {
      leader.propose('more')
      expect(sentTo(leader)).toEqual([])
    }
    expect(progressOf(leader)?.inflight).toEqual([2, 3, 4, 5])
  })

  it('moves ahead by what is acknowledged, with an old answer by nothing', () => {
    const leader = full()
    for (const command of ['w', 'x', 'y', 'z']) leader.propose(command)
    leader.sent = []
    // One message is free: it takes all that waited, up to appendEntries.
    leader.acknowledge('b', 2)
    expect(sentTo(leader)).toEqual([[5, 6, 7, 8, 9]])
    for (const old of [1, 2]) leader.acknowledge('b', old)
    leader.propose('later')
    expect(sentTo(leader)).toEqual([])
    expect(progressOf(leader)?.inflight).toEqual([3, 4, 5, 9])
    // An answer in the middle of the window frees all before it.
    leader.acknowledge('b', 4)
    expect(sentTo(leader)).toEqual([[9, 10]])
    expect(progressOf(leader)?.inflight).toEqual([5, 9, 10])
  })

  it('is opened for one question by the answer to a heartbeat, once in an interval, and stays full', () => {
    const leader = full()
    leader.propose('waits')
    for (let beat = 0; beat < 3; beat++) {
      leader.tick(30)
      answerHeartbeat(leader, 'c')
      leader.sent = []
      for (let copy = 0; copy < 4; copy++) answerHeartbeat(leader)
      expect(sentTo(leader)).toEqual([[5]])
      expect(progressOf(leader)?.inflight).toEqual([2, 3, 4, 5])
    }
    // All of it had arrived: the answer to the question frees everything.
    leader.acknowledge('b', 5)
    expect(sentTo(leader)).toEqual([[5, 6]])
  })

  it('forgets what was under way when the peer is unreachable, and probes from what matches', () => {
    const leader = full()
    leader.acknowledge('b', 3)
    leader.peerStatus('b', 'closed')
    expect(progressOf(leader)).toMatchObject({ state: 'probe', matchIndex: 3, nextIndex: 4, inflight: [] })
  })
})

describe('the window after a busy answer', () => {
  const WINDOW = 8
  const HEARTBEAT_MS = 30
  /** Busy at a time that is returned, and the range that began the window again is answered. */
  const busyOnce = (): SoloCore => {
    const leader = streaming({ inflightMessages: WINDOW, appendEntries: 1 })
    for (let count = 0; count < 40; count++) leader.propose(`${count}`)
    expect(sentTo(leader)).toHaveLength(WINDOW)
    leader.receive('b', appendResponse({ term: 1, outcome: 'busy', index: 1 }))
    return leader
  }
  const acknowledgeAll = (leader: SoloCore): void => {
    leader.acknowledge('b', (progressOf(leader)?.nextIndex ?? 0) - 1)
  }

  it('is one range, until a heartbeat interval later it is two, and then twice as many each time', () => {
    const leader = busyOnce()
    expect(sentTo(leader)).toEqual([])
    leader.tick(HEARTBEAT_MS)
    answerHeartbeat(leader)
    expect(sentTo(leader)).toEqual([[1, 2]])
    const widths: number[] = []
    leader.acknowledge('b', 2)
    widths.push(sentTo(leader).length)
    for (let interval = 0; interval < 3; interval++) {
      leader.tick(HEARTBEAT_MS)
      acknowledgeAll(leader)
      widths.push(sentTo(leader).length)
    }
    expect(widths).toEqual([2, 4, 8, 8])
  })

  it('is one range again after another', () => {
    const leader = busyOnce()
    leader.tick(HEARTBEAT_MS)
    answerHeartbeat(leader)
    leader.tick(HEARTBEAT_MS)
    leader.acknowledge('b', 2)
    expect(sentTo(leader)).toHaveLength(5)
    leader.receive('b', appendResponse({ term: 1, outcome: 'busy', index: 2 }))
    leader.receive('b', heartbeatResponse({ term: 1 }))
    leader.acknowledge('b', 2)
    expect(sentTo(leader)).toEqual([[2, 3]])
    leader.acknowledge('b', 3)
    expect(sentTo(leader)).toEqual([[3, 4]])
  })
})

describe('the wait after a busy answer', () => {
  const HEARTBEAT_MS = 30
  const busyAfter = (elapsedMs: number): SoloCore => {
    const leader = streaming({ appendEntries: 1 })
    leader.propose('1')
    leader.tick(elapsedMs)
    leader.sent = []
    leader.receive('b', appendResponse({ term: 1, outcome: 'busy', index: 1 }))
    return leader
  }

  it('ends with the answer to the next heartbeat, though that comes before a whole interval is over', () => {
    const leader = busyAfter(5)
    leader.tick(HEARTBEAT_MS - 4)
    answerHeartbeat(leader)
    expect(sentTo(leader)).toEqual([[1, 2]])
  })

  it('is at least half an interval, however many heartbeats reads cause', () => {
    const leader = busyAfter(0)
    for (let elapsed = 1; elapsed < HEARTBEAT_MS / 2; elapsed++) {
      leader.tick(1)
      leader.receive('b', heartbeatResponse({ term: 1 }))
    }
    expect(sentTo(leader)).toEqual([])
    leader.tick(1)
    leader.receive('b', heartbeatResponse({ term: 1 }))
    expect(sentTo(leader)).toEqual([[1, 2]])
  })
})

describe('what is in flight, as a list', () => {
  const hasRoom = (progress: Progress, inflightMessages: number): boolean => {
    return maySend(progress, 0, { inflightMessages, heartbeatIntervalMs: 30 })
  }
  const window = (size: number, ...lasts: readonly number[]) => {
    const progress = newProgress(0, 0)
    acknowledge(progress, 0)
    for (const last of lasts) {
      expect(hasRoom(progress, size)).toBe(true)
      sentRange(progress, last, false)
    }
    return progress
  }

  it('is full at its size, not before', () => {
    expect(hasRoom(window(3, 1, 2), 3)).toBe(true)
    expect(hasRoom(window(3, 1, 2, 3), 3)).toBe(false)
    expect(hasRoom(window(1, 9), 1)).toBe(false)
  })

  it.each([
    { acknowledged: 0, left: [2, 5, 7, 9] },
    { acknowledged: 1, left: [2, 5, 7, 9] },
    { acknowledged: 2, left: [5, 7, 9] },
    { acknowledged: 6, left: [7, 9] },
    { acknowledged: 7, left: [9] },
    { acknowledged: 9, left: [] },
    { acknowledged: 20, left: [] },
  ])('acknowledged up to $acknowledged is $left', ({ acknowledged, left }) => {
    const progress = window(4, 2, 5, 7, 9)
    acknowledge(progress, acknowledged)
    expect(progress.inflight).toEqual(left)
    expect(progress.nextIndex).toBe(Math.max(10, acknowledged + 1))
  })

  it('counts a range that joined the one before as one', () => {
    const progress = window(2, 3)
    sentRange(progress, 6, true)
    expect(progress.inflight).toEqual([6])
    expect(hasRoom(progress, 2)).toBe(true)
  })

  it('is empty after a return to probing, which never goes below what matches', () => {
    const progress = window(4, 2, 5)
    acknowledge(progress, 2)
    becomeProbe(progress, 1)
    expect(progress).toMatchObject({ state: 'probe', nextIndex: 3, inflight: [], probeSent: false })
  })
})
