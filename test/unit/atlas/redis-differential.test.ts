// Reply for reply against a real redis-server, for the commands that both have; skipped with a line where it is not
// installed. Remaining times may differ by the time that passes in between, everything else must be the same bytes.
import { type ChildProcess, spawn, spawnSync } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { createConnection, type Socket } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import * as fc from 'fast-check'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { CommandRunner } from './resp-commands.js'

const installed = spawnSync('redis-server', ['--version']).status === 0
if (!installed) console.log('skipped: redis-server is not installed (Debian: apt install redis-server)')

/** The end of the RESP2 reply that begins at `start`, or -1 when it isn't whole. */
function replyEnd(text: string, start: number): number {
  const line = text.indexOf('\r\n', start)
  if (line < 0) return -1
  const count = Number(text.slice(start + 1, line))
  let end = line + 2
  if (text[start] === '$' && count >= 0) end += count + 2
  if (text[start] === '*') for (let i = 0; i < count && end >= 0; i++) end = replyEnd(text, end)
  return end > text.length ? -1 : end
}

class Redis {
  #text = ''
  #waiting: (() => void) | null = null
  readonly socket: Socket

  constructor(socket: Socket) {
    this.socket = socket
    socket.on('data', (chunk: Buffer) => {
      this.#text += chunk.toString('latin1')
      this.#waiting?.()
    })
  }

  async send(args: readonly Buffer[]): Promise<string> {
    const parts = args.flatMap((arg) => [Buffer.from(`$${arg.length}\r\n`), arg, Buffer.from('\r\n')])
    this.socket.write(Buffer.concat([Buffer.from(`*${args.length}\r\n`), ...parts]))
    for (;;) {
      const end = this.#text === '' ? -1 : replyEnd(this.#text, 0)
      if (end >= 0) {
        const reply = this.#text.slice(0, end)
        this.#text = this.#text.slice(end)
        return reply
      }
      await new Promise<void>((resolve) => {
        this.#waiting = resolve
      })
    }
  }
}

const key = fc.constantFrom('a', 'b', 'c')
const number = fc.oneof(
  fc.integer({ min: -20, max: 20 }).map(String),
  fc.constantFrom(
    '9223372036854775807',
    '-9223372036854775808',
    '9223372036854775808',
    '01',
    '+1',
    '-0',
    '1.5',
    ' 1',
    '',
  ),
)
const value = fc.oneof(number, fc.string({ unit: 'binary-ascii', maxLength: 8 }), fc.constant('\u0000\r\n\u00ff'))
// Far enough away that no pause of the machine lets one pass, and spread so wide that no two are as near to each other
// as the two servers' clocks: GT and LT would see the difference.
const amount = (unit: number): fc.Arbitrary<string> =>
  fc.noBias(fc.integer({ min: 1_000 * unit, max: 1_000_000 * unit })).map(String)
const seconds = fc.oneof(amount(1), fc.constantFrom('0', '-1', 'x', '9223372036854775807', ''))
const milliseconds = fc.oneof(amount(1_000), fc.constantFrom('0', '-1', 'x', '9223372036854775807'))
const future = fc.constantFrom('4000000000', '4000000001')
const setOption = fc.oneof(
  fc.constantFrom(['NX'], ['xx'], ['GET'], ['KEEPTTL'], ['EX'], ['BAD']),
  seconds.map((time) => ['EX', time]),
  milliseconds.map((time) => ['px', time]),
  future.map((time) => ['EXAT', time]),
  future.map((time) => ['PXAT', `${time}000`]),
)
const expireOption = fc.constantFrom('NX', 'XX', 'gt', 'LT', 'BAD')
const word = (...names: string[]): fc.Arbitrary<string> => fc.constantFrom(...names)
const some = <T>(item: fc.Arbitrary<T>, maxLength: number): fc.Arbitrary<T[]> => fc.array(item, { maxLength })

const arbCommand: fc.Arbitrary<string[]> = fc.oneof(
  fc.tuple(word('SET', 'set'), key, value, some(setOption, 2)).map(([name, k, v, o]) => [name, k, v, ...o.flat()]),
  fc.tuple(word('GET', 'INCR', 'DECR', 'TTL', 'PTTL', 'PERSIST'), key).map((args) => [...args]),
  fc.tuple(word('INCRBY', 'DECRBY'), key, number).map((args) => [...args]),
  fc.tuple(word('DEL', 'EXISTS', 'MGET'), some(key, 3)).map(([name, keys]) => [name, ...keys]),
  fc.tuple(word('MSET'), some(fc.oneof(key, value), 6)).map(([name, rest]) => [name, ...rest]),
  fc.tuple(word('EXPIRE'), key, seconds, some(expireOption, 2)).map(([n, k, t, o]) => [n, k, t, ...o]),
  fc.tuple(word('PEXPIRE'), key, milliseconds, some(expireOption, 2)).map(([n, k, t, o]) => [n, k, t, ...o]),
  fc.tuple(word('DBSIZE', 'FLUSHALL', 'FLUSHDB'), some(word('ASYNC', 'SYNC', 'BAD'), 2)).map(([n, o]) => [n, ...o]),
  fc
    .tuple(word('PING', 'ECHO', 'SELECT', 'GET', 'nonsense'), some(fc.oneof(value, word('0', '99', '-1')), 2))
    .map(([name, rest]) => [name, ...rest]),
  fc.constantFrom<string[]>(
    ['CLIENT', 'SETNAME'],
    ['CLIENT', 'GETNAME'],
    ['CLIENT', 'NOPE'],
    ['CONFIG', 'GET', 'save'],
    ['CLIENT'],
  ),
)

describe.skipIf(!installed)('against redis-server', () => {
  let directory: string
  let server: ChildProcess
  let redis: Redis

  beforeAll(async () => {
    directory = mkdtempSync(join(tmpdir(), 'atlas-differential-'))
    const socketPath = join(directory, 'redis.sock')
    server = spawn('redis-server', [
      '--port',
      '0',
      '--databases',
      '1',
      '--unixsocket',
      socketPath,
      '--save',
      '',
      '--dir',
      directory,
    ])
    await new Promise<void>((resolve, reject) => {
      let output = ''
      server.stdout?.on('data', (chunk: Buffer) => {
        output += chunk.toString()
        if (/ready to accept connections/i.test(output)) resolve()
      })
      server.once('exit', () => reject(new Error(`redis-server ended: ${output}`)))
    })
    const socket = createConnection(socketPath)
    await new Promise((resolve) => socket.once('connect', resolve))
    redis = new Redis(socket)
  })

  afterAll(async () => {
    redis?.socket.destroy()
    server.kill('SIGKILL')
    await new Promise((resolve) => server.once('close', resolve))
    rmSync(directory, { recursive: true })
  })

  /** Remaining times count on while the two servers are asked one after the other. */
  function expectSame(command: readonly string[], actual: string, expected: string): void {
    const isTime = /^p?ttl$/i.test(command[0] ?? '') && /^:\d/.test(expected) && /^:\d/.test(actual)
    if (!isTime) return expect(actual, JSON.stringify(command)).toBe(expected)
    const difference = Math.abs(Number(actual.slice(1)) - Number(expected.slice(1)))
    expect(difference, JSON.stringify(command)).toBeLessThan(/^p/i.test(command[0] ?? '') ? 30_000 : 30)
  }

  it('answers every sequence of commands with the same bytes', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(arbCommand, { minLength: 1, maxLength: 40 }), async (commands) => {
        const runner = new CommandRunner()
        runner.timestamp = Date.now()
        await redis.send([Buffer.from('FLUSHALL')])
        for (const command of commands) {
          const args = command.map((arg) => Buffer.from(arg, 'latin1'))
          const expected = await redis.send(args)
          expectSame(command, runner.run(args), expected)
        }
      }),
      { numRuns: 300 },
    )
  })
})
