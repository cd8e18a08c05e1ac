import { ManualClock } from 'helios-raft/testing'
import { describe, expect, it } from 'vitest'

describe('ManualClock', () => {
  it('fires timers in the order of their times, each at its own, and none before', () => {
    const clock = new ManualClock({ wallTime: 5_000 })
    const fired: string[] = []
    const timer = (name: string, atMs: number) => clock.schedule(atMs, () => void fired.push(`${name} ${clock.now()}`))
    timer('late', 20)
    timer('early', 10)
    timer('never', 15).cancel()
    clock.advance(9)
    expect(fired).toEqual([])
    clock.advance(11)
    expect(fired).toEqual(['early 10', 'late 20'])
    expect([clock.now(), clock.wallTime()]).toEqual([20, 5_020])
  })

  it('never fires a timer within the call that sets it, nor one that an earlier one cancels', () => {
    const clock = new ManualClock()
    const fired: number[] = []
    const second = clock.schedule(2, () => void fired.push(2))
    clock.schedule(1, () => {
      second.cancel()
      clock.schedule(1, () => void fired.push(3))
    })
    clock.advance(2)
    expect(fired).toEqual([])
    clock.advance(0)
    expect(fired).toEqual([3])
  })

  it('goes on until a promise settles, and says when nothing can settle it', async () => {
    const clock = new ManualClock()
    const waited = new Promise<string>((resolve) => clock.schedule(30_000, () => resolve('done')))
    expect(await clock.settle(waited)).toBe('done')
    expect(clock.now()).toBe(30_000)
    await expect(clock.settle(Promise.reject(new Error('no')))).rejects.toThrow('no')
    await expect(clock.settle(new Promise(() => {}))).rejects.toThrow(/still open after 30000 ms/)
    clock.schedule(clock.now() + 60_001, () => {})
    await expect(clock.settle(new Promise(() => {}))).rejects.toThrow(
      expect.objectContaining({ code: 'RAFT_TIMEOUT', outcome: 'unknown' }),
    )
    expect(() => clock.advance(-1)).toThrow(/advance\(-1\)/)
  })
})
