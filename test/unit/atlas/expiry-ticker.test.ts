// Who lets log time pass when nobody writes, and how a remaining time is shown (atlas.md §4).
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { ExpiryTicker } from '../../../examples/atlas-kv/src/server/expiry-ticker.js'
import { LogClock } from '../../../examples/atlas-kv/src/server/log-clock.js'
import { set } from './commands.js'
import { SingleNode } from './single-node.js'

describe('ExpiryTicker', () => {
  let node: SingleNode
  let ticker: ExpiryTicker
  const ticks = (): number => node.calls.filter((call) => call !== 'read' && call.includes('tick')).length

  beforeEach(() => {
    vi.useFakeTimers({ now: 1_000_000 })
    node = new SingleNode()
    node.wallTime = () => Date.now()
    ticker = new ExpiryTicker({ node: node as never, machine: node.machine })
  })

  afterEach(() => {
    ticker.stop()
    expect(vi.getTimerCount()).toBe(0)
    vi.useRealTimers()
  })

  async function write(key: string, inMs: number | null): Promise<void> {
    await node.propose(set(key, 'v', { expiry: inMs === null ? null : { inMs } }))
    ticker.observe()
  }

  const pass = (ms: number): Promise<unknown> => vi.advanceTimersByTimeAsync(ms)

  it('proposes nothing while nothing is volatile', async () => {
    await write('a', null)
    await pass(5_000)
    expect(ticks()).toBe(0)
    expect(vi.getTimerCount()).toBe(0)
  })

  it('proposes one tick when a key is due, not before', async () => {
    await write('a', 500)
    await pass(499)
    expect(ticks()).toBe(0)
    await pass(10)
    expect(ticks()).toBe(1)
    expect(node.machine.state.size).toBe(0)
    await pass(1_000)
    expect(ticks()).toBe(1)
  })

  it('looks for the next key after each expiry, and at an earlier one that comes in between', async () => {
    await write('late', 1_000)
    await write('early', 200)
    await pass(300)
    expect([...node.machine.state.entries.keys()]).toEqual(['late'])
    await pass(800)
    expect(ticks()).toBe(2)
    expect(node.machine.state.size).toBe(0)
  })

  it('proposes nothing on a follower, and goes on where it becomes the leader', async () => {
    node.isLeader = false
    await write('a', 100)
    await pass(1_000)
    expect(ticks()).toBe(0)
    node.isLeader = true
    ticker.begin()
    await pass(1)
    expect(ticks()).toBe(1)
    expect(node.machine.state.size).toBe(0)
  })

  it('does not flood the log when a tick expires nothing because the clock of the leader went back', async () => {
    await write('a', 100)
    await pass(90)
    node.wallTime = () => 0
    const frozen = Date.now()
    for (let i = 0; i < 100; i++) await vi.advanceTimersByTimeAsync(10)
    expect(Date.now() - frozen).toBe(1_000)
    expect(ticks()).toBeLessThanOrEqual(1_000 / 50)
  })

  it('outlives failed proposals', async () => {
    await write('a', 100)
    node.error = new Error('no leader')
    await pass(300)
    expect(ticks()).toBeGreaterThan(1)
    node.error = null
    await pass(100)
    expect(node.machine.state.size).toBe(0)
  })
})

describe('LogClock', () => {
  it('goes on from the last entry, whatever the wall clock says', () => {
    let logTime = 5_000
    let now = 100.5
    const clock = new LogClock({ logTime: () => logTime, now: () => now })
    expect(clock.now()).toBe(5_000)
    now += 250
    expect(clock.now()).toBe(5_250)
    logTime = 6_000
    expect(clock.now()).toBe(6_000)
  })
})
