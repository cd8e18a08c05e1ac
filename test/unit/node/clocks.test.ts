import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import { MAX_DELAY_MS, systemClock, turnScheduler } from '../../../src/node/system-clock.js'
import { TickTimer } from '../../../src/node/tick-timer.js'
import { ManualClock } from './harness.js'

describe('systemClock', () => {
  beforeEach(
    () => void vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'performance', 'Date', 'setImmediate'] }),
  )
  afterEach(() => void vi.useRealTimers())

  test('fires once, at its time', () => {
    const fire = vi.fn()
    systemClock.schedule(systemClock.now() + 50, fire)
    vi.advanceTimersByTime(49)
    expect(fire).not.toHaveBeenCalled()
    vi.advanceTimersByTime(1_000)
    expect(fire).toHaveBeenCalledTimes(1)
  })

  test('waits for more than setTimeout can (H107)', () => {
    const fire = vi.fn()
    const timer = systemClock.schedule(systemClock.now() + MAX_DELAY_MS + 1_000, fire)
    vi.advanceTimersByTime(MAX_DELAY_MS + 999)
    expect(fire).not.toHaveBeenCalled()
    vi.advanceTimersByTime(1)
    expect(fire).toHaveBeenCalledTimes(1)
    timer.cancel()
  })

  test('never fires after it was cancelled, in its second step too', () => {
    const fire = vi.fn()
    const timer = systemClock.schedule(systemClock.now() + MAX_DELAY_MS + 1_000, fire)
    vi.advanceTimersByTime(MAX_DELAY_MS + 1)
    timer.cancel()
    vi.advanceTimersByTime(5_000)
    expect(fire).not.toHaveBeenCalled()
    expect(vi.getTimerCount()).toBe(0)
  })
})

describe('turnScheduler', () => {
  test('takes its turns from the clock that it is given, in order', async () => {
    const clock = new ManualClock()
    const order: number[] = []
    const schedule = turnScheduler(clock)
    schedule(() => order.push(1))
    clock.schedule(clock.now(), () => order.push(2))
    schedule(() => order.push(3))
    expect(order).toEqual([])
    await clock.run(0)
    expect(order).toEqual([1, 2, 3])
  })
})

describe('TickTimer', () => {
  const make = () => {
    const clock = new ManualClock(0)
    const ticks: number[] = []
    const timer = new TickTimer({
      clock,
      settings: { heartbeatIntervalMs: 100 },
      onTick: () => ticks.push(clock.now()),
    })
    return { clock, ticks, timer }
  }

  test('ticks at the deadline, and at a later or an earlier one when it moves', async () => {
    const { clock, ticks, timer } = make()
    timer.arm(100)
    timer.arm(200)
    await clock.run(150)
    expect(ticks).toEqual([])
    await clock.run(100)
    expect(ticks).toEqual([200])
    timer.arm(1_000)
    timer.arm(300)
    await clock.run(100)
    expect(ticks).toEqual([200, 300])
  })

  test('steps aside once when it is late, so that what arrived is heard first (H105)', async () => {
    const { clock, ticks, timer } = make()
    const order: string[] = []
    timer.arm(100)
    clock.jump(1_000)
    clock.schedule(clock.now(), () => order.push(`input, ${ticks.length} ticks before`))
    await clock.run(0)
    expect(order).toEqual(['input, 0 ticks before'])
    expect(ticks).toEqual([1_000])
  })

  test('does not step aside for a little lateness', async () => {
    const { clock, ticks, timer } = make()
    timer.arm(100)
    clock.jump(150)
    clock.schedule(clock.now(), () => ticks.push(-1))
    await clock.run(0)
    expect(ticks).toEqual([150, -1])
  })
})
