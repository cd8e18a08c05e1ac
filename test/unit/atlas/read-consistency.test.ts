// How fresh a connection's reads are: the server's level, what the connection asks for, and when that takes effect.
import { createConnection, type Socket } from 'node:net'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { RespServer } from '../../../examples/atlas-kv/src/resp/resp-server.js'
import type { RespSettings } from '../../../examples/atlas-kv/src/resp/session.js'
import { SingleNode } from './single-node.js'

describe('the read consistency of a connection', () => {
  let node: SingleNode
  let server: RespServer
  const sockets: Socket[] = []

  async function listen(readConsistency: RespSettings['readConsistency']): Promise<void> {
    server = new RespServer({
      node: node as never,
      writer: node.writer,
      machine: node.machine,
      admin: node.admin,
      readConsistency,
      followerWrites: 'forward',
      version: '0.1.0',
      logTime: () => node.wallTime(),
      now: () => 0,
      report: (error) => expect(error).toBeUndefined(),
    })
    await server.listen({ host: '127.0.0.1', port: 0 })
    server.serve()
  }

  /** Commands, one a line, in one packet; the answers of a client that has said all. */
  async function exchange(...lines: readonly string[]): Promise<string> {
    const socket = createConnection({ host: '127.0.0.1', port: server.port, allowHalfOpen: true })
    sockets.push(socket)
    socket.end(lines.map((line) => `${line}\n`).join(''))
    let text = ''
    for await (const chunk of socket) text += String(chunk)
    return text
  }

  beforeEach(() => {
    node = new SingleNode()
  })

  afterEach(async () => {
    for (const socket of sockets.splice(0)) socket.destroy()
    await server.close()
  })

  it("is the server's until READONLY, RAFT CONSISTENCY, READWRITE or RESET change it, in the order of the pipeline", async () => {
    await listen('linearizable')
    const commands = ['GET a', 'READONLY', 'GET a', 'GET b', 'RAFT CONSISTENCY lease', 'GET a', 'READWRITE', 'GET a']
    expect(await exchange(...commands, 'READONLY', 'RESET', 'GET a')).toBe(
      '$-1\r\n+OK\r\n$-1\r\n$-1\r\n+OK\r\n$-1\r\n+OK\r\n$-1\r\n+OK\r\n+RESET\r\n$-1\r\n',
    )
    expect(node.readOptions).toEqual([
      { consistency: 'linearizable' },
      { consistency: 'local', minIndex: 0 },
      { consistency: 'lease' },
      { consistency: 'linearizable' },
      { consistency: 'linearizable' },
    ])
  })

  it("lets a local read see the connection's own writes, and no other connection wait for them", async () => {
    await listen('local')
    await exchange('SET a 1', 'INCR a', 'GET a')
    await exchange('GET a')
    expect(node.readOptions).toEqual([
      { consistency: 'local', minIndex: 2 },
      { consistency: 'local', minIndex: 0 },
    ])
  })

  it('lets a connection be stricter than the server', async () => {
    await listen('local')
    await exchange('RAFT CONSISTENCY linearizable', 'GET a')
    expect(node.readOptions).toEqual([{ consistency: 'linearizable' }])
  })

  it('tells the level in force, in INFO that of the server, and marks a connection that reads what is there', async () => {
    await listen('lease')
    const asked = await exchange(
      'RAFT CONSISTENCY',
      'CLIENT INFO',
      'READONLY',
      'RAFT CONSISTENCY',
      'CLIENT INFO',
      'INFO raft',
    )
    expect(asked).toMatch(/^\$5\r\nlease\r\n.* flags=N .*\+OK\r\n\$5\r\nlocal\r\n.* flags=r /s)
    expect(asked).toContain('raft_read_consistency:lease\r\n')
  })

  it('is refused by name when there is no such level', async () => {
    await listen('linearizable')
    expect(
      await exchange('RAFT CONSISTENCY eventual', 'READONLY now', 'RAFT CONSISTENCY local x', 'RAFT CONSISTENCY'),
    ).toBe(
      "-ERR unknown consistency 'eventual': use linearizable, lease or local\r\n" +
        "-ERR wrong number of arguments for 'readonly' command\r\n" +
        "-ERR wrong number of arguments for 'raft|consistency' command: RAFT CONSISTENCY [linearizable|lease|local]\r\n" +
        '$12\r\nlinearizable\r\n',
    )
  })
})
