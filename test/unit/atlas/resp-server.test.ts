// The RESP server on a real socket: pipelines, order, refusals, back-pressure, the ends of connections.
import { once } from 'node:events'
import { createConnection, type Socket } from 'node:net'
import { RaftError } from 'helios-raft'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { REPLY_BYTES } from '../../../examples/atlas-kv/src/resp/limits.js'
import { RespServer, type RespServerOptions } from '../../../examples/atlas-kv/src/resp/resp-server.js'
import { set } from './commands.js'
import { STATUS } from './resp-commands.js'
import { SingleNode } from './single-node.js'

class Client {
  text = ''
  closed = false
  readonly socket: Socket
  readonly #waiting = new Set<() => void>()

  constructor(socket: Socket) {
    this.socket = socket
    const wake = (): void => {
      for (const resolve of this.#waiting) resolve()
    }
    socket.on('data', (chunk: Buffer) => {
      this.text += chunk.toString('latin1')
      wake()
    })
    socket.on('error', () => {})
    for (const event of ['end', 'close']) {
      socket.on(event, () => {
        this.closed = true
        wake()
      })
    }
  }

  /** What the server says until `isDone`. */
  async until(isDone: (text: string) => boolean): Promise<string> {
    while (!isDone(this.text) && !this.closed) {
      await new Promise<void>((resolve) => this.#waiting.add(resolve))
    }
    return this.text
  }

  async exchange(request: string, end: string): Promise<string> {
    this.text = ''
    this.socket.write(request, 'latin1')
    return this.until((text) => text.endsWith(end))
  }
}

describe('RespServer', () => {
  let node: SingleNode
  let server: RespServer
  let reported: unknown[]
  const clients: Client[] = []

  async function listen(changes: Partial<RespServerOptions> = {}): Promise<void> {
    server = new RespServer({
      node: node as never,
      writer: node.writer,
      machine: node.machine,
      admin: node.admin,
      readConsistency: 'linearizable',
      followerWrites: 'forward',
      version: '0.1.0',
      logTime: () => node.wallTime(),
      now: () => 0,
      report: (error) => reported.push(error),
      ...changes,
    })
    await server.listen({ host: '127.0.0.1', port: 0 })
  }

  async function connect(): Promise<Client> {
    const socket = createConnection({ host: '127.0.0.1', port: server.port, allowHalfOpen: true })
    await once(socket, 'connect')
    const client = new Client(socket)
    clients.push(client)
    return client
  }

  beforeEach(() => {
    node = new SingleNode()
    reported = []
  })

  afterEach(async () => {
    for (const client of clients.splice(0)) client.socket.destroy()
    await server.close()
    expect(reported).toEqual([])
  })

  it('runs the writes of a pipeline as one append and its reads as one round, and answers in order', async () => {
    await listen()
    server.serve()
    const client = await connect()
    const request = 'SET a 1\nPING\nINCR a\nGET a\nECHO x\nMGET a b\nSET a 9\nGET a\nPING\n'
    expect(await client.exchange(request, '$1\r\n9\r\n+PONG\r\n')).toBe(
      '+OK\r\n+PONG\r\n:2\r\n$1\r\n2\r\n$1\r\nx\r\n*2\r\n$1\r\n2\r\n$-1\r\n+OK\r\n$1\r\n9\r\n+PONG\r\n',
    )
    expect(node.calls).toEqual([['set', 'increment'], 'read', ['set'], 'read'])
    expect(node.readOptions[0]).toEqual({ consistency: 'linearizable' })
  })

  it('does not begin a read before the write ahead of it is answered', async () => {
    await listen()
    server.serve()
    const client = await connect()
    let open = (): void => {}
    node.gate = new Promise((resolve) => {
      open = resolve
    })
    client.socket.write('SET a 1\nGET a\n')
    const other = await connect()
    expect(await other.exchange('PING\n', '\r\n')).toBe('+PONG\r\n')
    expect(node.calls).toEqual([['set']])
    open()
    expect(await client.until((text) => text.endsWith('$1\r\n1\r\n'))).toBe('+OK\r\n$1\r\n1\r\n')
  })

  it('answers commands that come while it is at work', async () => {
    await listen()
    server.serve()
    const client = await connect()
    let open = (): void => {}
    node.gate = new Promise((resolve) => {
      open = resolve
    })
    client.socket.write('SET a 1\n')
    client.socket.write('SET b 2\nGET b\nGET')
    const other = await connect()
    await other.exchange('PING\n', '\r\n')
    open()
    await client.until((text) => text.endsWith('$1\r\n2\r\n'))
    expect(await client.exchange(' a\n', '\r\n1\r\n')).toBe('$1\r\n1\r\n')
  })

  it('answers LOADING until the node serves, and connection commands all along', async () => {
    await listen()
    const client = await connect()
    expect(await client.exchange('GET a\nPING\n', 'PONG\r\n')).toMatch(/^-LOADING .*\r\n\+PONG\r\n$/)
    expect(await client.exchange('INFO persistence\n', 'every\r\n\r\n')).toContain('loading:1\r\n')
    server.serve()
    expect(await client.exchange('GET a\n', '\r\n')).toBe('$-1\r\n')
  })

  it.each([
    [new RaftError('RAFT_NO_LEADER', 'x'), '-CLUSTERDOWN No raft leader\r\n'],
    [new RaftError('RAFT_OVERLOADED', 'x'), '-BUSY proposal queue is full\r\n'],
    [new RaftError('RAFT_TIMEOUT', 'x', { outcome: 'unknown' }), /^-TIMEOUT .*outcome unknown\r\n$/],
    [new RaftError('RAFT_TIMEOUT', 'x'), /^-CLUSTERDOWN .*not applied\r\n$/],
    [
      new RaftError('RAFT_LEADERSHIP_LOST', 'x', { outcome: 'unknown' }),
      '-UNKNOWN leadership lost before commit; outcome unknown\r\n',
    ],
    [new RaftError('RAFT_STOPPED', 'x', { outcome: 'unknown' }), /^-UNKNOWN .*outcome unknown\r\n$/],
    [new RaftError('RAFT_STORAGE', 'x'), /^-CLUSTERDOWN RAFT_STORAGE; not applied/],
  ])('says what is known of a write that failed with %s (H36)', async (error, line) => {
    await listen()
    server.serve()
    const client = await connect()
    node.error = error
    const reply = await client.exchange('SET a 1\n', '\r\n')
    if (typeof line === 'string') expect(reply).toBe(line)
    else expect(reply).toMatch(line)
  })

  it('refuses or redirects writes on a follower when told to, and reads on', async () => {
    await listen({ followerWrites: 'reject' })
    server.serve()
    node.isLeader = false
    const client = await connect()
    expect(await client.exchange('SET a 1\nGET a\n', '$-1\r\n')).toBe(
      "-READONLY You can't write against a read only replica.\r\n$-1\r\n",
    )
    await server.close()
    await listen({ followerWrites: 'moved' })
    server.serve()
    const other = await connect()
    expect(await other.exchange('SET foo 1\n', '\r\n')).toMatch(/^-CLUSTERDOWN the RESP address of leader node-1/)
    node.leader = { ...STATUS.leader, metadata: { resp: '127.0.0.1:7777' } }
    expect(await other.exchange('SET foo 1\nGET foo\n', '$-1\r\n')).toBe('-MOVED 12182 127.0.0.1:7777\r\n$-1\r\n')
  })

  it("runs an operator's command in its turn, and what follows it afterwards", async () => {
    await listen()
    server.serve()
    const client = await connect()
    const reply = await client.exchange('SET a 1\nRAFT SNAPSHOT\nINCR a\nRAFT LEAVE\nGET a\n', '$1\r\n2\r\n')
    expect(reply).toBe("+OK\r\n:7\r\n:2\r\n-ERR unknown subcommand 'LEAVE'. Try RAFT HELP.\r\n$1\r\n2\r\n")
    expect(node.calls).toEqual([['set'], ['increment'], 'read'])
  })

  it('a command that is too large fails alone', async () => {
    await listen()
    server.serve()
    const client = await connect()
    const value = 'x'.repeat(1024 * 1024)
    const large = `*3\r\n$3\r\nSET\r\n$1\r\na\r\n$${value.length}\r\n${value}\r\n`
    const reply = await client.exchange(`SET b 1\n${large}GET b\n`, '$1\r\n1\r\n')
    expect(reply).toMatch(/^\+OK\r\n-ERR command of \d+ bytes is larger than the limit of 1048576\r\n\$1\r\n1\r\n$/)
  })

  it('answers what came before a protocol error, says why, and closes', async () => {
    await listen()
    server.serve()
    const client = await connect()
    const reply = await client.exchange('SET a 1\n*1\r\n$+1\r\n', 'never')
    expect(reply).toBe('+OK\r\n-ERR Protocol error: invalid bulk length\r\n')
    expect(client.closed).toBe(true)
  })

  it('QUIT answers and closes, and nothing behind it is run', async () => {
    await listen()
    server.serve()
    const client = await connect()
    expect(await client.exchange('QUIT\nSET a 1\n', 'never')).toBe('+OK\r\n')
    expect(node.calls.flat()).not.toContain('increment')
    expect(node.machine.state.size).toBe(0)
  })

  it('answers a client that has said all and closed its side', async () => {
    await listen()
    server.serve()
    const client = await connect()
    client.socket.end('SET a 1\nGET a\n')
    expect(await client.until(() => false)).toBe('+OK\r\n$1\r\n1\r\n')
  })

  it('ends a WAIT without end with its client, and answers any other', async () => {
    await listen()
    server.serve()
    let open = (): void => {}
    node.gate = new Promise((resolve) => {
      open = resolve
    })
    const clients = await Promise.all(
      ['WAIT 1 0\n', 'WAIT 1 1000\n'].map(async (line) => ({ line, client: await connect() })),
    )
    for (const { line, client } of clients) client.socket.write(line)
    while (node.replicaCalls.length < 2) await (await connect()).exchange('PING\n', '\r\n')
    for (const { client } of clients) client.socket.end()
    const [endless, other] = ['Infinity', '1000'].map(
      (ms) => node.replicaCalls.find(([, , { timeoutMs }]) => String(timeoutMs) === ms)?.[2].signal,
    )
    await new Promise((resolve) => endless?.addEventListener('abort', resolve))
    expect(other?.aborted).toBe(false)
    open()
    expect(await clients[1]?.client.until(() => false)).toBe(':1\r\n')
  })

  it('closing answers what was taken up and refuses nothing half', async () => {
    await listen()
    server.serve()
    const client = await connect()
    let open = (): void => {}
    node.gate = new Promise((resolve) => {
      open = resolve
    })
    client.socket.write('SET a 1\n')
    await (await connect()).exchange('PING\n', '\r\n')
    const closed = server.close()
    open()
    await closed
    expect(await client.until(() => false)).toBe('+OK\r\n')
  })

  it('runs nothing more for a client that does not read, and goes on when it does (H93)', async () => {
    await listen()
    server.serve()
    const client = await connect()
    const size = 512 * 1024
    node.machine.apply(set('big', 'x'.repeat(size)), { index: 1, term: 1, timestamp: 1 })
    client.socket.pause()
    // More than the buffers of both sockets hold, in batches of their own.
    const rounds = 200
    for (let i = 0; i < rounds; i++) client.socket.write('GET big\nINCR n\n')
    const other = await connect()
    let seen = -1
    for (let n = 0; n !== seen; ) {
      seen = n
      for (let i = 0; i < 50; i++) await other.exchange('PING\n', '\r\n')
      n = Number(/^\$\d+\r\n(\d+)/.exec(await other.exchange('GET n\n', '\r\n'))?.[1] ?? 0)
    }
    expect(seen).toBeLessThan(rounds)
    client.socket.resume()
    let received = 0
    client.socket.removeAllListeners('data')
    const expected = rounds * (size + `$${size}\r\n\r\n`.length)
    await new Promise<void>((resolve) => {
      client.socket.on('data', (chunk: Buffer) => {
        received += chunk.length
        if (received > expected - client.text.length) resolve()
      })
    })
    expect(await other.exchange('GET n\n', '200\r\n')).toContain('200')
  })

  it('ends a connection whose reply is beyond the bound, and only that one', async () => {
    await listen()
    server.serve()
    const size = 1024 * 1024 - 100
    node.machine.apply(set('big', 'x'.repeat(size)), { index: 1, term: 1, timestamp: 1 })
    const client = await connect()
    const keys = Math.ceil(REPLY_BYTES / size) + 1
    await client.exchange(`MGET${' big'.repeat(keys)}\n`, 'never')
    expect(client.closed).toBe(true)
    expect(client.text).toBe('')
    const other = await connect()
    expect(await other.exchange('PING\n', '\r\n')).toBe('+PONG\r\n')
  })
})
