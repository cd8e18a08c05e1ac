// The replicated state: log time, expiry, snapshots (atlas.md §4; H52, H60, H74, H127).
import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { KvCommand, KvResult } from '../../../examples/atlas-kv/src/state-machine/command.js'
import { KvStateMachine } from '../../../examples/atlas-kv/src/state-machine/kv-state-machine.js'
import { CHUNK_BYTES } from '../../../examples/atlas-kv/src/state-machine/snapshot-format.js'
import { applyAll, arbLog, chunksOf, META, set, snapshotBytes, textOf } from './commands.js'

function machineAt(): { machine: KvStateMachine; run(command: KvCommand, timestamp: number): KvResult } {
  const machine = new KvStateMachine()
  let index = 0
  return {
    machine,
    run: (command, timestamp) => machine.apply(command, { index: ++index, term: 1, timestamp }),
  }
}

describe('log time', () => {
  it('expires a key exactly when expireAt ≤ log time', () => {
    const { machine, run } = machineAt()
    run(set('k', 'v', { expiry: { inMs: 100 } }), 1_000)
    run({ type: 'tick' }, 1_099)
    expect(textOf(machine.state.get('k')?.value)).toBe('v')
    run({ type: 'tick' }, 1_100)
    expect(machine.state.get('k')).toBeNull()
    expect(machine.state.size).toBe(0)
    expect(machine.state.nextExpiry()).toBeNull()
  })

  it('is not turned back by a leader whose clock is an hour behind: nothing comes back (H74, H127)', () => {
    const { machine, run } = machineAt()
    const now = 10_000_000
    run(set('k', 'v', { expiry: { inMs: 50 } }), now)
    run({ type: 'tick' }, now + 60)
    expect(machine.state.get('k')).toBeNull()
    run({ type: 'tick' }, now - 3_600_000)
    run(set('other', 'v', { expiry: { inMs: 50 } }), now - 3_600_000)
    expect(machine.state.get('k')).toBeNull()
    expect(machine.state.logTime).toBe(now + 60)
    // Relative times count from log time, so the new key doesn't live an hour shorter or longer either.
    expect(machine.state.get('other')?.expireAt).toBe(now + 110)
  })

  it('gives the same bytes when a log is applied twice, whatever the local clock says (H74)', async () => {
    await fc.assert(
      fc.asyncProperty(arbLog, async (log) => {
        const first = await snapshotBytes(applyAll(log))
        const second = await snapshotBytes(applyAll(log))
        expect(second.equals(first)).toBe(true)
      }),
    )
  })

  it('keeps no key that is due, and counts the volatile ones', () => {
    fc.assert(
      fc.property(arbLog, (log) => {
        const { state } = applyAll(log)
        const expiries = [...state.entries.values()].map((entry) => entry.expireAt)
        for (const expireAt of expiries) expect(expireAt).toBeGreaterThan(state.logTime)
        const finite = expiries.filter(Number.isFinite)
        expect(state.volatileCount).toBe(finite.length)
        expect(state.nextExpiry()).toBe(finite.length === 0 ? null : Math.min(...finite))
      }),
    )
  })

  it('forgets replaced expiries: a key that is set again and again costs one place', () => {
    const { machine, run } = machineAt()
    for (let i = 0; i < 10_000; i++) run(set('k', 'v', { expiry: { inMs: 1_000_000 - i } }), 1_000)
    expect(machine.state.heapSize).toBeLessThanOrEqual(66)
  })
})

describe('commands', () => {
  it('SET obeys its condition and answers with the value before when asked', () => {
    const { machine, run } = machineAt()
    expect(run(set('k', '1', { condition: 'present' }), 1)).toBeNull()
    expect(run(set('k', '1', { condition: 'absent' }), 1)).toBe('OK')
    expect(run(set('k', '2', { condition: 'absent' }), 1)).toBeNull()
    expect(textOf(run(set('k', '3', { returnPrevious: true }), 1) as Uint8Array)).toBe('1')
    const index = machine.state.get('k')?.index ?? 0
    expect(run(set('k', '4', { condition: { index: index - 1 } }), 1)).toBeNull()
    expect(run(set('k', '4', { condition: { index } }), 1)).toBe('OK')
  })

  it('a plain SET removes an expiry, KEEPTTL, INCR and a refused SET leave it', () => {
    const { machine, run } = machineAt()
    run(set('k', '1', { expiry: { inMs: 100 } }), 1_000)
    run(set('k', '2', { expiry: 'keep' }), 1_000)
    run({ type: 'increment', key: 'k', by: 1n }, 1_000)
    run(set('k', '9', { condition: 'absent' }), 1_000)
    expect(machine.state.get('k')?.expireAt).toBe(1_100)
    expect(textOf(machine.state.get('k')?.value)).toBe('3')
    run(set('k', '4'), 1_000)
    expect(machine.state.get('k')?.expireAt).toBe(Number.POSITIVE_INFINITY)
  })

  it('an expiry of zero or in the past removes the key at once', () => {
    for (const time of [{ inMs: 0 }, { inMs: -1 }, { atMs: 1_000 }, { atMs: 0 }]) {
      const { machine, run } = machineAt()
      run(set('k', '1'), 1_000)
      expect(run({ type: 'expire', key: 'k', time, condition: 'always' }, 1_000)).toBe(1)
      expect(machine.state.get('k')).toBeNull()
      expect(machine.state.size).toBe(0)
    }
  })

  it('INCR is exact to 64 bits and refuses to overflow', () => {
    const { run } = machineAt()
    run(set('k', '9223372036854775806'), 1)
    expect(run({ type: 'increment', key: 'k', by: 1n }, 1)).toBe(9_223_372_036_854_775_807n)
    expect(run({ type: 'increment', key: 'k', by: 1n }, 1)).toEqual({ failure: 'overflow' })
    for (const text of ['', ' 1', '01', '+1', '-0', '1.0', '9223372036854775808', 'x']) {
      run(set('k', text), 1)
      expect(run({ type: 'increment', key: 'k', by: 1n }, 1), text).toEqual({ failure: 'notInteger' })
    }
  })

  it('takes names of Object.prototype for keys like others (H103)', () => {
    const { machine, run } = machineAt()
    expect(machine.state.get('__proto__')).toBeNull()
    run(set('__proto__', '1'), 1)
    expect(run({ type: 'delete', keys: ['__proto__', 'constructor'] }, 1)).toBe(1)
  })
})

describe('snapshot and restore', () => {
  it('restores at any cut to what applying the whole log gives', async () => {
    await fc.assert(
      fc.asyncProperty(arbLog, fc.nat(60), fc.integer({ min: 1, max: 700 }), async (log, at, chunkSize) => {
        const cut = Math.min(at, log.length)
        const content = await snapshotBytes(applyAll(log.slice(0, cut)))
        const restored = new KvStateMachine()
        await restored.restore(chunksOf(content, chunkSize), META)
        applyAll(log.slice(cut), restored, cut + 1)
        expect((await snapshotBytes(restored)).equals(await snapshotBytes(applyAll(log)))).toBe(true)
      }),
      { numRuns: 50 },
    )
  })

  it('is not disturbed by what is applied while it is read (H52)', async () => {
    const { machine, run } = machineAt()
    for (let i = 0; i < 5_000; i++) run(set(`key-${i}`, 'x'.repeat(100)), 1)
    const before = await snapshotBytes(machine)
    const chunks: Uint8Array[] = []
    let n = 0
    for await (const chunk of machine.snapshot({ index: 1, term: 1, signal: new AbortController().signal })) {
      expect(chunk.length).toBeLessThanOrEqual(CHUNK_BYTES)
      chunks.push(chunk)
      for (let i = 0; i < 100; i++) run(set(`key-${n++}`, 'changed'), 1)
      run({ type: 'delete', keys: [`key-${4_000 + n}`] }, 1)
    }
    expect(Buffer.concat(chunks).equals(before)).toBe(true)
    expect(chunks.length).toBeGreaterThan(5)
  })

  it('refuses a stream that is damaged, cut or continued, and keeps the old state whole (H60)', async () => {
    const source = machineAt()
    for (let i = 0; i < 20; i++) source.run(set(`key-${i}`, `value-${i}`), 1_000)
    const content = await snapshotBytes(source.machine)
    const target = machineAt()
    target.run(set('old', 'state'), 1)
    const before = await snapshotBytes(target.machine)
    const damaged = [
      ...Array.from(content.keys(), (at) => {
        const copy = Buffer.from(content)
        copy[at] = (copy[at] ?? 0) ^ 0x41
        return copy
      }),
      ...Array.from(content.keys(), (length) => content.subarray(0, length)),
      Buffer.concat([content, Buffer.of(0)]),
      Buffer.concat([content, content]),
    ]
    for (const stream of damaged) {
      await expect(target.machine.restore(chunksOf(stream, 97), META)).rejects.toMatchObject({
        code: 'RAFT_CORRUPTION',
      })
    }
    expect((await snapshotBytes(target.machine)).equals(before)).toBe(true)
    await target.machine.restore(chunksOf(content, 97), META)
    expect((await snapshotBytes(target.machine)).equals(content)).toBe(true)
  })

  it('stops when it is given up', async () => {
    const { machine, run } = machineAt()
    for (let i = 0; i < 3; i++) run(set(`key-${i}`, 'x'.repeat(CHUNK_BYTES)), 1)
    const ended = new AbortController()
    const iterator = machine.snapshot({ index: 1, term: 1, signal: ended.signal })[Symbol.asyncIterator]()
    await iterator.next()
    ended.abort(new Error('given up'))
    await expect(iterator.next()).rejects.toThrow('given up')
  })
})
