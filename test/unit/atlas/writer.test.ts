// Which way a write takes into the log: as it is where this node leads, else in a session, with few of them for everybody.
import { RaftError } from 'helios-raft'
import { beforeEach, describe, expect, it } from 'vitest'
import { MAX_FORWARD_SESSIONS, MAX_KEPT_BYTES } from '../../../examples/atlas-kv/src/server/forward-sessions.js'
import { WRITE_MS, Writer } from '../../../examples/atlas-kv/src/server/writer.js'
import type { KvCommand, KvResult } from '../../../examples/atlas-kv/src/state-machine/command.js'
import { set } from './commands.js'

const INCR: KvCommand = { type: 'increment', key: 'n', by: 1n }
const GETSET: KvCommand = { ...set('k', 'v'), returnPrevious: true }
const unknown = (code: 'RAFT_TIMEOUT' | 'RAFT_SESSION_EXPIRED') => new RaftError(code, 'x', { outcome: 'unknown' })

/** A node and its sessions: each call answers what it is told to, and is noted. */
class FakeNode {
  isLeader = false
  /** `open 1`, `1: increment`, `close 1`, `increment` for one that was proposed as it is. */
  readonly log: string[] = []
  readonly timeouts: (number | undefined)[] = []
  /** Thrown by the next calls of that kind, one after the other. */
  readonly openErrors: unknown[] = []
  readonly sessionErrors: unknown[] = []
  readonly proposeErrors: unknown[] = []
  result: KvResult = 1
  onProposed = (): void => {}
  gate: Promise<void> = Promise.resolve()
  #opened = 0

  async proposeMany(commands: readonly KvCommand[]): Promise<unknown> {
    this.log.push(commands.map(({ type }) => type).join(' '))
    this.onProposed()
    return this.#answer(commands, this.proposeErrors)
  }

  async openSession({ timeoutMs }: { timeoutMs: number }): Promise<unknown> {
    this.#opened += 1
    const number = this.#opened
    this.log.push(`open ${number}`)
    this.timeouts.push(timeoutMs)
    await this.gate
    const error = this.openErrors.shift()
    if (error !== undefined) throw error
    return {
      proposeMany: async (commands: readonly KvCommand[], options: { timeoutMs: number }) => {
        this.log.push(`${number}: ${commands.map(({ type }) => type).join(' ')}`)
        this.timeouts.push(options.timeoutMs)
        await this.gate
        return this.#answer(commands, this.sessionErrors)
      },
      close: async () => {
        this.log.push(`close ${number}`)
      },
    }
  }

  #answer(commands: readonly KvCommand[], errors: unknown[]): unknown {
    const error = errors.shift()
    if (error !== undefined) throw error
    return commands.map((_, i) => ({ index: i + 1, term: 1, result: this.result }))
  }
}

describe('Writer', () => {
  let node: FakeNode
  let writer: Writer
  let time: number

  beforeEach(() => {
    node = new FakeNode()
    time = 0
    writer = new Writer({ node: node as never, now: () => time })
  })

  it('proposes as it is where this node leads, and opens no session', async () => {
    node.isLeader = true
    await writer.write([INCR, GETSET, GETSET])
    expect(node.log).toEqual(['increment set set'])
    expect(writer.endsAppend(GETSET)).toBe(false)
  })

  it('goes through one session elsewhere, a pipeline as one call, again and again', async () => {
    expect(await writer.write([INCR, INCR])).toHaveLength(2)
    await writer.write([INCR])
    expect(node.log).toEqual(['open 1', '1: increment increment', '1: increment'])
  })

  it('passes on what the leader refused because it leads no more, within the same deadline', async () => {
    node.isLeader = true
    node.proposeErrors.push(new RaftError('RAFT_LEADERSHIP_LOST', 'x'))
    node.onProposed = () => {
      time += 10
    }
    await writer.write([INCR])
    expect(node.log).toEqual(['increment', 'open 1', '1: increment'])
    expect(node.timeouts).toEqual([WRITE_MS - 10, WRITE_MS - 10])
  })

  it.each([
    ['unknown', new RaftError('RAFT_LEADERSHIP_LOST', 'x', { outcome: 'unknown' })],
    ['final', new RaftError('RAFT_TOO_LARGE', 'x')],
  ])('does not repeat what a leader answered as %s', async (_, error) => {
    node.isLeader = true
    node.proposeErrors.push(error)
    await expect(writer.write([INCR])).rejects.toBe(error)
    expect(node.log).toEqual(['increment'])
  })

  it('gives each write at a time a session of its own up to the bound, then shares', async () => {
    let open = (): void => {}
    node.gate = new Promise((resolve) => (open = resolve))
    const writes = Array.from({ length: MAX_FORWARD_SESSIONS + 1 }, () => writer.write([INCR]))
    open()
    await Promise.all(writes)
    expect(node.log.filter((line) => line.startsWith('open'))).toHaveLength(MAX_FORWARD_SESSIONS)
    expect(node.log.filter((line) => line === '1: increment')).toHaveLength(2)
    expect(node.log.filter((line) => line === `${MAX_FORWARD_SESSIONS}: increment`)).toHaveLength(1)
  })

  it('gives a session up with a number in doubt, and tells the client', async () => {
    const error = unknown('RAFT_TIMEOUT')
    node.sessionErrors.push(error)
    await expect(writer.write([INCR])).rejects.toBe(error)
    await writer.write([INCR])
    expect(node.log).toEqual(['open 1', '1: increment', 'close 1', 'open 2', '2: increment'])
  })

  it('keeps a session in which nothing is in doubt', async () => {
    node.sessionErrors.push(new RaftError('RAFT_TIMEOUT', 'x'))
    await expect(writer.write([INCR])).rejects.toMatchObject({ outcome: 'rejected' })
    await writer.write([INCR])
    expect(node.log).toEqual(['open 1', '1: increment', '1: increment'])
  })

  it('opens another session where one was forgotten and nothing ran, and drops the unused ones, as old as that', async () => {
    await Promise.all([writer.write([INCR]), writer.write([INCR])])
    node.log.splice(0)
    node.sessionErrors.push(new RaftError('RAFT_SESSION_EXPIRED', 'x'))
    await writer.write([INCR])
    expect(node.log).toEqual(['1: increment', 'close 1', 'open 3', '3: increment'])
  })

  it('does not repeat what a forgotten session leaves in doubt', async () => {
    node.sessionErrors.push(unknown('RAFT_SESSION_EXPIRED'))
    await expect(writer.write([INCR])).rejects.toMatchObject({ outcome: 'unknown' })
    expect(node.log).toEqual(['open 1', '1: increment', 'close 1'])
  })

  it('says that nothing was written when the opening of a session is in doubt, and opens another one next time', async () => {
    node.openErrors.push(unknown('RAFT_TIMEOUT'))
    await expect(writer.write([INCR])).rejects.toMatchObject({ code: 'RAFT_TIMEOUT', outcome: 'rejected' })
    await writer.write([INCR])
    expect(node.log).toEqual(['open 1', 'open 2', '2: increment'])
  })

  it('goes without a session when all of them have no room', async () => {
    node.openErrors.push(new RaftError('RAFT_OVERLOADED', 'x'))
    await writer.write([INCR])
    node.sessionErrors.push(new RaftError('RAFT_OVERLOADED', 'x'))
    await writer.write([INCR])
    expect(node.log).toEqual(['open 1', 'increment', 'open 2', '2: increment', 'increment'])
  })

  it.each([
    [0, false],
    [1, true],
  ])('closes a session that would keep values of %i bytes beyond the bound: %s', async (beyond, isClosed) => {
    node.result = new Uint8Array(MAX_KEPT_BYTES + beyond)
    await writer.write([GETSET])
    await Promise.resolve()
    expect(node.log.includes('close 1')).toBe(isClosed)
  })

  it('ends an append with a write that answers with a value, and keeps two of them out of a session', async () => {
    expect(writer.endsAppend(GETSET)).toBe(true)
    expect(writer.endsAppend(set('k', 'v'))).toBe(false)
    await writer.write([INCR, GETSET])
    await writer.write([GETSET, INCR])
    expect(node.log).toEqual(['open 1', '1: increment set', 'set increment'])
  })
})
