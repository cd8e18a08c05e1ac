// WAIT: the counting of Redis over the voters of Raft, and its errors.
import { RaftError } from 'helios-raft'
import { beforeEach, describe, expect, it } from 'vitest'
import { CommandRunner, STATUS } from './resp-commands.js'

describe('WAIT', () => {
  let runner: CommandRunner
  let asked: unknown[][]

  function answer(held: number | Error, status: object = STATUS): void {
    runner = new CommandRunner(status)
    runner.replicas = async (...call) => {
      asked.push(call)
      if (held instanceof Error) throw held
      return held
    }
  }

  beforeEach(() => {
    asked = []
    answer(3)
  })

  it('asks for the last write of the connection, and counts the others', async () => {
    runner.session.lastWriteIndex = 41
    expect(await runner.ask('WAIT', '2', '500')).toBe(':2\r\n')
    expect(asked).toEqual([[41, 3, { timeoutMs: 500, signal: runner.client.closed }]])
  })

  it('says how many there are when the time is up', async () => {
    answer(2)
    expect(await runner.ask('WAIT', '9', '500')).toBe(':1\r\n')
    // This node's own disk may be the one that is late: never more than is true.
    answer(0)
    expect(await runner.ask('WAIT', '9', '500')).toBe(':0\r\n')
  })

  it('leaves nobody out where this node has no vote', async () => {
    answer(3, { ...STATUS, suffrage: 'learner' })
    expect(await runner.ask('WAIT', '3', '500')).toBe(':3\r\n')
    expect(asked[0]?.[1]).toBe(3)
  })

  it('tells before the first write who is there', async () => {
    expect(await runner.ask('WAIT', '0', '500')).toBe(':2\r\n')
    expect(asked[0]?.slice(0, 2)).toEqual([1, 1])
  })

  it('waits for ever with 0, until the client ends; but never for nobody', async () => {
    await runner.ask('WAIT', '1', '0')
    expect(asked[0]?.[2]).toEqual({ timeoutMs: Number.POSITIVE_INFINITY, signal: runner.client.ended })
    await runner.ask('WAIT', '0', '0')
    await runner.ask('WAIT', '-1', '0')
    expect(asked.slice(1)).toEqual(
      [1, 1].map((count) => [1, count, { timeoutMs: 1_000, signal: runner.client.closed }]),
    )
  })

  it('takes the largest numbers that Redis takes', async () => {
    expect(await runner.ask('WAIT', '9223372036854775807', '9223372036854775807')).toBe(':2\r\n')
    expect(asked[0]?.slice(0, 2)).toEqual([1, 1_000_001])
    expect(asked[0]?.[2]).toMatchObject({ timeoutMs: 2 ** 31 - 1 })
  })

  it.each([
    [['1'], "ERR wrong number of arguments for 'wait' command"],
    [['a', '0'], 'ERR value is not an integer or out of range'],
    [['1.5', '0'], 'ERR value is not an integer or out of range'],
    [['9223372036854775808', '0'], 'ERR value is not an integer or out of range'],
    [['0', 'a'], 'ERR timeout is not an integer or out of range'],
    [['0', '99999999999999999999'], 'ERR timeout is not an integer or out of range'],
    [['0', '-1'], 'ERR timeout is negative'],
  ])('refuses %j as Redis does', async (args, line) => {
    expect(await runner.ask('WAIT', ...args)).toBe(`-${line}\r\n`)
    expect(asked).toEqual([])
  })

  it.each([
    [new RaftError('RAFT_ABORTED', 'x'), 'UNBLOCKED the client has closed its side'],
    [new RaftError('RAFT_OVERLOADED', 'x'), 'BUSY too many clients wait for replicas'],
    [new RaftError('RAFT_STOPPED', 'x'), 'CLUSTERDOWN this node is shutting down'],
    [new Error('secret'), 'ERR internal error; see the log of this node'],
  ])('tells of %s', async (error, line) => {
    answer(error)
    expect(await runner.ask('WAIT', '1', '10')).toBe(`-${line}\r\n`)
  })
})
