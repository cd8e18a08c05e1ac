// The state machine of the example of locks with fencing tokens, and the storage that looks at them.
import fc from 'fast-check'
import { testStateMachine } from 'helios-raft/testing'
import { describe, expect, it, test } from 'vitest'
import { type Answer, type Command, Locks, MAX_LOCKS } from '../../../examples/lock/src/locks.js'
import { Storage } from '../../../examples/lock/src/storage.js'

const START = 1_000

const acquire = (owner: string, lock = 'report'): Command => ({ type: 'acquire', lock, owner, ttlMs: 100 })
const renew = (token: number): Command => ({ type: 'renew', lock: 'report', token, ttlMs: 100 })
const release = (token: number): Command => ({ type: 'release', lock: 'report', token })

/** Applies commands, each at an index of its own, at the log times given. */
function locks(): { readonly machine: Locks; readonly at: (timestamp: number, command: Command) => Answer } {
  const machine = new Locks()
  let index = 0
  return { machine, at: (timestamp, command) => machine.apply(command, { index: (index += 1), term: 1, timestamp }) }
}

describe('Locks', () => {
  const lock = fc.constantFrom('a', 'b')
  const ttlMs = fc.integer({ min: 0, max: 10_000 })
  const token = fc.integer({ min: 1, max: 10 })
  const plain = { noNullPrototype: true }
  const command: fc.Arbitrary<Command> = fc.oneof(
    fc.record({ type: fc.constant('acquire' as const), lock, owner: fc.constantFrom('ann', 'bob'), ttlMs }, plain),
    fc.record({ type: fc.constant('renew' as const), lock, token, ttlMs }, plain),
    fc.record({ type: fc.constant('release' as const), lock, token }, plain),
  )
  void testStateMachine(() => new Locks(), { command, numRuns: 50 }, test)

  it('gives a free lock to one owner, with the index of its entry, until its time is over', () => {
    const { at } = locks()
    expect(at(START, acquire('ann'))).toEqual({ type: 'held', token: 1, untilMs: START + 100 })
    const taken = { type: 'taken', owner: 'ann', untilMs: START + 100 }
    expect(at(START + 99, acquire('bob'))).toEqual(taken)
    expect(at(START + 99, acquire('ann'))).toEqual(taken)
    expect(at(START + 100, acquire('bob'))).toEqual({ type: 'held', token: 4, untilMs: START + 200 })
  })

  it('renews under the same token, and only while it is held', () => {
    const { at } = locks()
    at(START, acquire('ann'))
    expect(at(START + 99, renew(1))).toEqual({ type: 'held', token: 1, untilMs: START + 199 })
    expect(at(START + 150, acquire('bob'))).toMatchObject({ type: 'taken' })
    expect(at(START + 199, renew(1))).toEqual({ type: 'lost' })
    expect(at(START + 199, acquire('bob'))).toMatchObject({ type: 'held', token: 5 })
    expect(at(START + 199, renew(1))).toEqual({ type: 'lost' })
  })

  it('is released by who holds it, not by who held it', () => {
    const { at } = locks()
    at(START, acquire('ann'))
    at(START + 100, acquire('bob'))
    expect(at(START + 101, release(1))).toEqual({ type: 'lost' })
    expect(at(START + 101, acquire('ann'))).toMatchObject({ type: 'taken', owner: 'bob' })
    expect(at(START + 101, release(2))).toEqual({ type: 'free' })
    expect(at(START + 101, acquire('ann'))).toMatchObject({ type: 'held', token: 6 })
  })

  it('holds up to the bound, and forgets what ended', () => {
    const { at, machine } = locks()
    const answers = Array.from({ length: MAX_LOCKS }, (_, n) =>
      at(START + (n === 0 ? 0 : 1), acquire('ann', String(n))),
    )
    expect(answers.every(({ type }) => type === 'held')).toBe(true)
    expect(at(START + 99, acquire('bob'))).toEqual({ type: 'full' })
    expect(at(START + 100, acquire('bob'))).toMatchObject({ type: 'held' })
    expect(machine.held.size).toBe(MAX_LOCKS)
    at(START + 1_000, release(1))
    expect(machine.held.size).toBe(0)
  })
})

describe('Storage', () => {
  it('refuses a token that is older than the newest that it saw, and takes the same one again', () => {
    const storage = new Storage()
    const taken = [3, 3, 7, 3, 6, 7].map((token, at) => storage.write({ token, value: `write ${at}` }))
    expect(taken).toEqual([true, true, true, false, false, true])
    expect(storage.value).toBe('write 5')
  })
})
