// How a node ends: everything that it has begun, within a bound, whatever hangs (F4).
import type { RaftError } from 'helios-raft'
import { describe, expect, test } from 'vitest'
import { DEFAULTS } from '../../../src/node/options.js'
import { bytes, errorOf, settle } from './harness.js'
import { single } from './single-voter.js'

describe('stop', () => {
  test('is idempotent, and harmless before the start', async () => {
    const { node, logStore } = single()
    await Promise.all([node.stop(), node.stop()])
    expect(logStore.closeCount).toBe(0)
    expect(node.status().role).toBe('stopped')
  })

  test('during a start ends it, whichever wait it is in, and closes everything (H109)', async () => {
    for (let turns = 0; turns < 12; turns++) {
      const { node, logStore } = single()
      const starting = node.start().then(
        () => 'started',
        (error: RaftError) => error.code,
      )
      for (let turn = 0; turn < turns; turn++) await Promise.resolve()
      await node.stop()
      expect(['started', 'RAFT_STOPPED']).toContain(await starting)
      expect(logStore.isOpen).toBe(false)
      expect(node.status().role).toBe('stopped')
    }
  })

  test('lets the running write end before the transport and the stores are closed (H109)', async () => {
    const { node, clock, logStore, transport } = single()
    await node.start()
    await clock.run(0)
    logStore.isHeld = true
    const proposal = node.propose(bytes(1))
    proposal.catch(() => undefined)
    await clock.run(0)
    const stopping = node.stop()
    await settle()
    expect([transport.stopCount, logStore.closeCount]).toEqual([0, 0])
    logStore.release()
    await stopping
    expect([transport.stopCount, logStore.closeCount]).toEqual([1, 1])
    expect(logStore.entries.at(-1)?.data).toEqual(bytes(1))
    expect(await errorOf(proposal)).toMatchObject({ code: 'RAFT_STOPPED', outcome: 'unknown' })
  })

  test('waits no longer than two election timeouts for a start that hangs, which closes its stores when it goes on (F4)', async () => {
    const { node, clock, logStore, transport } = single()
    logStore.isHeld = true
    const starting = errorOf(node.start())
    await clock.run(0)
    let isStopped = false
    const stopping = node.stop().then(() => (isStopped = true))
    await clock.run(2 * DEFAULTS.electionTimeoutMs - 10)
    expect(isStopped).toBe(false)
    await clock.run(20)
    await stopping
    expect(node.status().role).toBe('stopped')
    expect([transport.stopCount, logStore.closeCount]).toEqual([0, 0])
    logStore.isHeld = false
    logStore.release()
    expect((await starting).code).toBe('RAFT_STOPPED')
    await clock.run(0)
    expect(logStore.closeCount).toBe(1)
    expect(clock.timerCount).toBe(0)
  })

  test('waits no longer than two election timeouts for a transport that hangs, and closes the stores without it', async () => {
    const { node, clock, logStore, transport } = single()
    await node.start()
    await clock.run(0)
    transport.stop = () => new Promise<void>(() => undefined)
    const stopping = node.stop()
    await clock.run(2 * DEFAULTS.electionTimeoutMs - 10)
    expect(logStore.closeCount).toBe(0)
    await clock.run(20)
    await stopping
    expect(logStore.closeCount).toBe(1)
    expect(clock.timerCount).toBe(0)
  })

  test('leaves no timer behind (H107)', async () => {
    const { node, clock } = single()
    await node.start()
    await clock.run(100)
    await node.stop()
    await clock.run(0)
    expect(clock.timerCount).toBe(0)
  })

  test('works through Symbol.asyncDispose', async () => {
    const { node } = single()
    await node.start()
    await node[Symbol.asyncDispose]()
    expect(node.status().role).toBe('stopped')
  })
})
