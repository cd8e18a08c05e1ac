import { consoleLogger } from 'helios-raft'
import { afterEach, describe, expect, test, vi } from 'vitest'
import { GuardedEmitter } from '../../../src/node/guarded-emitter.js'
import { LogThrottle } from '../../../src/node/log.js'
import { ManualClock, settle } from './harness.js'

class Emitter extends GuardedEmitter<{ said: [word: string] }> {
  readonly errors: unknown[] = []
  protected override onListenerError(error: unknown): void {
    this.errors.push(error)
  }
}

describe('GuardedEmitter', () => {
  test('calls every listener though one throws, and reports it (H100)', async () => {
    const emitter = new Emitter()
    const heard: string[] = []
    const failure = new Error('mine')
    emitter.on('said', () => {
      throw failure
    })
    emitter.once('said', (() => Promise.reject(failure)) as () => void)
    emitter.on('said', (word) => heard.push(word))
    expect(emitter.emit('said', 'hello')).toBe(true)
    await settle()
    expect([heard, emitter.errors]).toEqual([['hello'], [failure, failure]])
  })

  test('removes by the listener that was added, however it was added', () => {
    const emitter = new Emitter()
    const listener = vi.fn()
    emitter.on('said', listener).off('said', listener)
    emitter.once('said', listener).removeListener('said', listener)
    emitter.addListener('said', listener)
    expect(emitter.listeners('said')).toEqual([listener])
    emitter.off('said', listener)
    emitter.emit('said', 'hello')
    expect(listener).not.toHaveBeenCalled()
    expect(emitter.listenerCount('said')).toBe(0)
  })

  test('calls a listener that was added once one time, and one that was added twice two times', () => {
    const emitter = new Emitter()
    const once = vi.fn()
    const twice = vi.fn()
    emitter.once('said', once)
    emitter.on('said', twice).on('said', twice)
    emitter.emit('said', 'a')
    emitter.emit('said', 'b')
    expect([once.mock.calls.length, twice.mock.calls.length]).toEqual([1, 4])
  })
})

describe('consoleLogger', () => {
  afterEach(() => void vi.restoreAllMocks())

  test('writes a line per event from its level on, with fields, and escapes what could forge a line', () => {
    const out = vi.spyOn(console, 'log').mockImplementation(() => undefined)
    const err = vi.spyOn(console, 'error').mockImplementation(() => undefined)
    const logger = consoleLogger()
    logger.debug({}, 'not shown')
    logger.info({ term: 3, peer: 'b\n[ERROR] forged', list: [1] }, 'Became leader')
    logger.warn({}, 'Slow fsync')
    expect(out.mock.calls.length).toBe(1)
    expect(out.mock.calls[0]?.[0]).toMatch(
      /^\d{4}\/\d\d\/\d\d \d\d:\d\d:\d\d \[INFO\] raft: Became leader term=3 peer="b\\\\x0a\[ERROR\] forged" list=\[1\]$/,
    )
    expect(err.mock.calls[0]?.[0]).toMatch(/\[WARN\] raft: Slow fsync$/)
  })
})

describe('LogThrottle', () => {
  test('lets each kind through once in a while, and bounds the kinds that it remembers', () => {
    const clock = new ManualClock(0)
    const throttle = new LogThrottle(clock)
    expect([throttle.allows('a'), throttle.allows('a'), throttle.allows('b')]).toEqual([true, false, true])
    clock.jump(4_999)
    expect(throttle.allows('a')).toBe(false)
    clock.jump(1)
    expect(throttle.allows('a')).toBe(true)
    for (let kind = 0; kind < 256; kind++) throttle.allows(`kind ${kind}`)
    expect(throttle.allows('a')).toBe(true)
  })
})
