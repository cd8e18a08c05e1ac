import { describe, expect, it } from 'vitest'
import { MAX_HELD, ProcessGate } from '../../../src/testing/process-gate.js'
import { MAX_SCHEDULED, runTurns, Timeline } from '../../../src/testing/timeline.js'
import { VirtualClock } from '../../../src/testing/virtual-clock.js'

const runAll = (timeline: Timeline): void => {
  while (timeline.step(Number.POSITIVE_INFINITY));
}

describe('Timeline', () => {
  it('runs events by time, and those of one time in the order of the calls', () => {
    const timeline = new Timeline()
    const seen: string[] = []
    const times = [5, 1, 3, 1, 4, 3, 2, 5, 1]
    times.forEach((atMs, at) => timeline.schedule(atMs, () => seen.push(`${atMs}:${at}`)))
    runAll(timeline)
    expect(seen).toEqual(['1:1', '1:3', '1:8', '2:6', '3:2', '3:5', '4:4', '5:0', '5:7'])
    expect(timeline.nowMs).toBe(5)
  })

  it('runs nothing that was cancelled, and nothing beyond the limit', () => {
    const timeline = new Timeline()
    const seen: number[] = []
    const cancelled = timeline.schedule(1, () => seen.push(1))
    timeline.schedule(2, () => seen.push(2))
    timeline.schedule(9, () => seen.push(9))
    cancelled.cancel()
    expect(timeline.nextAtMs).toBe(2)
    expect(timeline.step(5)).toBe(true)
    expect(timeline.step(5)).toBe(false)
    expect(timeline.nowMs).toBe(5)
    expect(seen).toEqual([2])
  })

  it('never runs an event within the call that made it, nor in the past, and Infinity never', () => {
    const timeline = new Timeline()
    const seen: string[] = []
    timeline.schedule(3, () => {
      timeline.schedule(1, () => seen.push(`late at ${timeline.nowMs}`))
      seen.push('made')
    })
    timeline.schedule(Number.POSITIVE_INFINITY, () => seen.push('never'))
    runAll(timeline)
    expect(seen).toEqual(['made', 'late at 3'])
    expect(() => timeline.schedule(Number.NaN, () => {})).toThrow(/NaN/)
  })

  it('takes as many events as its bound, and not one more', () => {
    const timeline = new Timeline()
    for (let at = 0; at < MAX_SCHEDULED; at++) timeline.schedule(at, () => {})
    expect(() => timeline.schedule(1, () => {})).toThrow(/1000000 events/)
  })

  it('lets every promise settle between two turns', async () => {
    const seen: string[] = []
    let turn = 0
    await runTurns(() => {
      turn += 1
      seen.push(`turn ${turn}`)
      void (async () => {
        for (let hop = 0; hop < 50; hop++) await Promise.resolve()
        seen.push(`settled ${turn}`)
      })()
      return turn < 2
    })
    expect(seen.slice(0, 3)).toEqual(['turn 1', 'settled 1', 'turn 2'])
  })
})

describe('VirtualClock', () => {
  const create = (rate: number): { timeline: Timeline; gate: ProcessGate; clock: VirtualClock } => {
    const timeline = new Timeline()
    const gate = new ProcessGate(timeline)
    return { timeline, gate, clock: new VirtualClock({ timeline, gate, startsAtMs: 1_000, rate, skewMs: 25 }) }
  }

  it('takes every timer that waits along when its rate changes', () => {
    const { timeline, clock } = create(0.95)
    const fired: number[] = []
    const note = (): void => void fired.push(clock.now())
    clock.schedule(clock.now() + 10_000, note)
    const cancelled = clock.schedule(clock.now() + 5_000, note)
    timeline.schedule(100, () => clock.setRate(1.05))
    timeline.schedule(200, () => cancelled.cancel())
    timeline.schedule(4_000, () => clock.setRate(0.96))
    runAll(timeline)
    expect(fired).toHaveLength(1)
    expect(fired[0]).toBeGreaterThanOrEqual(11_000)
    expect(fired[0]).toBeLessThan(11_001)
  })

  it.each([0.95, 1, 1.07])('fires at its own time and never early, at rate %d', (rate) => {
    const { timeline, clock } = create(rate)
    const lateness: number[] = []
    for (let at = 0; at < 500; at++) {
      const dueMs = 1_000 + at * 0.37
      clock.schedule(dueMs, () => lateness.push(clock.now() - dueMs))
    }
    runAll(timeline)
    expect(lateness).toHaveLength(500)
    expect(Math.min(...lateness)).toBeGreaterThanOrEqual(0)
    expect(Math.max(...lateness)).toBeLessThan(0.01)
  })

  it('runs what is due now in the order of the calls, behind nothing that comes later', () => {
    const { timeline, clock } = create(1.03)
    const seen: string[] = []
    timeline.schedule(7.3, () => {
      clock.schedule(clock.now(), () => seen.push('one'))
      clock.schedule(0, () => seen.push('two'))
    })
    timeline.schedule(7.300001, () => seen.push('three'))
    runAll(timeline)
    expect(seen).toEqual(['one', 'two', 'three'])
  })

  it('has a wall clock that is wrong by its skew', () => {
    const { timeline, clock } = create(1)
    const before = clock.wallTime()
    timeline.step(100)
    expect(clock.wallTime() - before).toBe(100)
  })

  it('has no timer left when the process is dead', () => {
    const { timeline, gate, clock } = create(1)
    const seen: number[] = []
    clock.schedule(1_010, () => seen.push(1))
    gate.kill()
    runAll(timeline)
    expect(seen).toEqual([])
  })

  it('fires nothing that was cancelled while the process was paused', () => {
    const { timeline, gate, clock } = create(1)
    const seen: string[] = []
    const timer = clock.schedule(1_010, () => seen.push('cancelled'))
    clock.schedule(1_020, () => seen.push('late'))
    gate.pause()
    timeline.schedule(30, () => {
      timer.cancel()
      gate.resume(true)
    })
    runAll(timeline)
    expect(seen).toEqual(['late'])
  })
})

describe('ProcessGate', () => {
  it('gives a woken process all its late timers before what lies in the sockets, or all in order', () => {
    for (const timersFirst of [true, false]) {
      const timeline = new Timeline()
      const gate = new ProcessGate(timeline)
      const seen: string[] = []
      gate.pause()
      gate.enter('message', () => seen.push('message'))
      gate.enter('timer', () => seen.push('timer'))
      expect(seen).toEqual([])
      gate.resume(timersFirst)
      runAll(timeline)
      expect(seen).toEqual(timersFirst ? ['timer', 'message'] : ['message', 'timer'])
    }
  })

  it('gives nothing to a process that died while it slept, or between waking and the event', () => {
    const timeline = new Timeline()
    const gate = new ProcessGate(timeline)
    const seen: string[] = []
    gate.pause()
    gate.enter('message', () => {
      seen.push('first')
      gate.kill()
    })
    gate.enter('message', () => seen.push('second'))
    gate.resume(false)
    runAll(timeline)
    expect(seen).toEqual(['first'])
    expect(gate.isDead).toBe(true)
  })

  it('holds as much as its bound, and not one more', () => {
    const gate = new ProcessGate(new Timeline())
    gate.pause()
    for (let at = 0; at < MAX_HELD; at++) gate.enter('message', () => {})
    expect(() => gate.enter('message', () => {})).toThrow(/100000 entries/)
  })
})
