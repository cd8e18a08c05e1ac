import { RaftError } from 'helios-raft'
import { describe, expect, test } from 'vitest'
import { type EndReason, PendingCall, PendingCalls } from '../../../src/node/pending-call.js'
import { errorOf, ManualClock } from './harness.js'

class Call extends PendingCall<string> {
  endings = 0

  override endError(reason: EndReason): RaftError {
    return new RaftError('RAFT_TIMEOUT', reason)
  }

  protected override onSettled(): void {
    this.endings += 1
  }
}

const forever = Number.POSITIVE_INFINITY

describe('PendingCall', () => {
  test('settles once, by whatever comes first', async () => {
    const calls = new PendingCalls(new ManualClock())
    const call = new Call(calls, { signal: undefined, timeoutMs: 100 })
    call.resolve('value')
    call.resolve('another')
    call.reject(new Error('too late'))
    calls.endAll(undefined)
    expect(await call.promise).toBe('value')
    expect(call.endings).toBe(1)
  })

  test('ends at its deadline, not before, and never without one', async () => {
    const clock = new ManualClock(0)
    const calls = new PendingCalls(clock)
    const short = new Call(calls, { signal: undefined, timeoutMs: 100 })
    const long = new Call(calls, { signal: undefined, timeoutMs: 300 })
    const endless = new Call(calls, { signal: undefined, timeoutMs: forever })
    short.promise.catch(() => undefined)
    await clock.run(99)
    expect([short.isSettled, long.isSettled]).toEqual([false, false])
    await clock.run(11)
    expect([short.isSettled, long.isSettled]).toEqual([true, false])
    const ended = errorOf(long.promise)
    await clock.run(1e9)
    expect((await ended).message).toBe('timeout')
    expect(endless.isSettled).toBe(false)
    const stopped = errorOf(endless.promise)
    calls.endAll(undefined)
    expect((await stopped).message).toBe('stopped')
  })

  test('leaves neither listener nor timer behind, 100,000 calls on one signal later (H108)', async () => {
    const clock = new ManualClock()
    const calls = new PendingCalls(clock)
    const controller = new AbortController()
    let listeners = 0
    const { addEventListener, removeEventListener } = controller.signal
    controller.signal.addEventListener = (...args: Parameters<typeof addEventListener>) => {
      listeners += 1
      addEventListener.apply(controller.signal, args)
    }
    controller.signal.removeEventListener = (...args: Parameters<typeof removeEventListener>) => {
      listeners -= 1
      removeEventListener.apply(controller.signal, args)
    }
    for (let count = 0; count < 100_000; count++) {
      const call = new Call(calls, { signal: controller.signal, timeoutMs: 5_000 })
      if (count % 2 === 0) call.resolve('done')
      else {
        call.promise.catch(() => undefined)
        call.reject(new Error('done'))
      }
    }
    expect(listeners).toBe(0)
    expect(clock.timerCount).toBeLessThanOrEqual(1)
    await clock.run(6_000)
    expect(clock.timerCount).toBe(0)
  })

  test('shares one timer among all deadlines', () => {
    const clock = new ManualClock()
    const calls = new PendingCalls(clock)
    for (let count = 0; count < 100; count++) {
      new Call(calls, { signal: undefined, timeoutMs: 1_000 - count }).promise.catch(() => undefined)
    }
    expect(clock.timerCount).toBe(1)
    calls.endAll(undefined)
    expect(clock.timerCount).toBe(0)
  })
})
