import fc from 'fast-check'
import { describe, expect, it, vi } from 'vitest'
import { Backoff } from '../../../src/transports/tcp/backoff.js'
import { Ledger } from '../../../src/transports/tcp/counters.js'
import { HalfOpen } from '../../../src/transports/tcp/half-open.js'
import { MAX_HALF_OPEN, MAX_HALF_OPEN_PER_ADDRESS } from '../../../src/transports/tcp/limits.js'
import { formatHostPort, parseHostPort, resolveOptions } from '../../../src/transports/tcp/options.js'

describe('options of TcpTransport', () => {
  it.each(['127.0.0.1:0', '127.8.9.10:7001', 'localhost:7001', '[::1]:7001', '[0:0:0:0:0:0:0:1]:7001'])(
    'takes %s as it is: only this machine reaches it',
    (listen) => {
      expect(resolveOptions({ listen }).isLoopback).toBe(true)
    },
  )

  it.each(['0.0.0.0:7001', '[::]:7001', '10.1.2.3:7001', 'db-1.example:7001', '128.0.0.1:7001', '[::ffff:10.0.0.1]:1'])(
    'refuses %s unless insecure is true',
    (listen) => {
      expect(() => resolveOptions({ listen })).toThrow(
        /listen \(.*\) is reachable from other machines .* insecure: true/,
      )
      expect(resolveOptions({ listen, insecure: true }).isLoopback).toBe(false)
    },
  )

  it.each(['', 'localhost', ':7001', 'localhost:', 'localhost:65536', 'a b:1', '::1:7001', '[::1]', '[zz]:1', 'h:-1'])(
    'refuses "%s" as no host:port',
    (listen) => {
      expect(() => resolveOptions({ listen })).toThrow(expect.objectContaining({ code: 'RAFT_INVALID_OPTION' }))
    },
  )

  it('bounds maxFrameBytes and maxQueuedBytes', () => {
    const listen = '127.0.0.1:0'
    const resolve = (maxFrameBytes: number, maxQueuedBytes?: number) => () =>
      resolveOptions({ listen, maxFrameBytes, maxQueuedBytes })
    expect(resolve(4095)).toThrow(/maxFrameBytes \(4095\)/)
    expect(resolve(4096)).not.toThrow()
    expect(resolve(16 * 1024 * 1024)).not.toThrow()
    expect(resolve(16 * 1024 * 1024 + 1)).toThrow(/maxFrameBytes \(16777217\)/)
    expect(resolve(8192, 8191)).toThrow(/maxQueuedBytes \(8191\) is not a whole number from maxFrameBytes \(8192\) on/)
    expect(resolve(8192, 8192)).not.toThrow()
  })

  it('are frozen', () => {
    expect(Object.isFrozen(resolveOptions({ listen: '127.0.0.1:0' }))).toBe(true)
  })

  it('give back every host:port as it was', () => {
    const host = fc.oneof(fc.ipV4(), fc.domain(), fc.constantFrom('localhost', '::1', 'fe80::1', 'node_1'))
    fc.assert(
      fc.property(host, fc.integer({ min: 0, max: 0xffff }), (name, port) => {
        expect(parseHostPort(formatHostPort({ host: name, port }))).toEqual({ host: name, port })
      }),
    )
  })
})

describe('Backoff', () => {
  it('doubles from 50 ms up to a second, jittered by half', () => {
    for (const [random, share] of [
      [0, 0.5],
      [0.999, 1],
    ] as const) {
      const backoff = new Backoff(() => random)
      const delays = Array.from({ length: 8 }, () => {
        backoff.failed(1000, 0)
        return backoff.retryAtMs - 1000
      })
      const expected = [50, 100, 200, 400, 800, 1000, 1000, 1000]
      delays.forEach((delay, place) => expect(delay / expected[place]!).toBeCloseTo(share, 2))
    }
  })

  it('begins anew after a connection that lived, not after one that was cut at once', () => {
    const backoff = new Backoff(() => 0)
    backoff.failed(0, 0)
    backoff.failed(0, 999)
    expect(backoff.retryAtMs).toBe(50)
    backoff.failed(0, 1000)
    expect(backoff.retryAtMs).toBe(0)
  })
})

describe('HalfOpen', () => {
  it('has a few places for one address and more in all', () => {
    const places = new HalfOpen()
    for (let count = 0; count < MAX_HALF_OPEN_PER_ADDRESS; count += 1) expect(places.admit('10.0.0.1')).toBe(true)
    expect(places.admit('10.0.0.1')).toBe(false)
    for (let count = MAX_HALF_OPEN_PER_ADDRESS; count < MAX_HALF_OPEN; count += 1) {
      expect(places.admit(`10.0.1.${count}`)).toBe(true)
    }
    expect(places.admit('10.0.2.1')).toBe(false)
    places.release('10.0.0.1')
    expect(places.admit('10.0.2.1')).toBe(true)
    expect(places.admit('10.0.2.2')).toBe(false)
  })

  it('keeps nothing of an address whose places are all given back', () => {
    const places = new HalfOpen()
    for (let round = 0; round < 1000; round += 1) {
      expect(places.admit('__proto__')).toBe(true)
      places.release('__proto__')
    }
  })
})

describe('Ledger', () => {
  it('warns of a kind once in ten seconds, and says how often it kept quiet', () => {
    vi.useFakeTimers({ toFake: ['performance'] })
    try {
      const warnings: string[] = []
      const ledger = new Ledger((warning) => void warnings.push(warning))
      ledger.note('rejectedFrames', 'first')
      ledger.note('rejectedFrames', 'second')
      ledger.note('rejectedHellos', 'of another kind')
      vi.advanceTimersByTime(9_999)
      ledger.note('rejectedFrames', 'third')
      vi.advanceTimersByTime(1)
      ledger.note('rejectedFrames', 'fourth')
      expect(warnings).toEqual(['first', 'of another kind', 'fourth (and 2 more like it)'])
      expect(ledger.counters).toMatchObject({ rejectedFrames: 4, rejectedHellos: 1, lateHellos: 0 })
    } finally {
      vi.useRealTimers()
    }
  })
})
