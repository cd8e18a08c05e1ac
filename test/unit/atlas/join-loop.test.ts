// --raft-join: whom it asks, over what, how often, and when it doesn't.
import { createServer as createHttpServer } from 'node:http'
import { type AddressInfo, createServer, type Server } from 'node:net'
import { afterEach, describe, expect, it } from 'vitest'
import { JoinLoop } from '../../../examples/atlas-kv/src/server/join-loop.js'

const JOINER = { id: 'node-4', address: '127.0.0.1:7003', addresses: { resp: '', http: '127.0.0.1:8380' } }
const servers: Server[] = []

afterEach(async () => {
  await Promise.all(servers.splice(0).map((server) => new Promise((resolve) => server.close(resolve))))
})

async function listen(server: Server): Promise<{ host: string; port: number }> {
  servers.push(server)
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  return { host: '127.0.0.1', port: (server.address() as AddressInfo).port }
}

/** Answers with these, one after the other. */
function httpMember(bodies: string[], answers: (readonly [status: number, body: object])[]): Server {
  return createHttpServer((request, response) => {
    let body = ''
    request.on('data', (chunk) => (body += String(chunk)))
    request.on('end', () => {
      bodies.push(`${request.method} ${request.url} ${body}`)
      const [status, answer] = answers.shift() ?? [500, {}]
      response.writeHead(status, { 'Content-Type': 'application/json', Connection: 'close' })
      response.end(JSON.stringify(answer))
    })
  })
}

function joinLoop(
  members: readonly { host: string; port: number }[],
  status: object | (() => object) = { configuration: { members: [] }, suffrage: 'none' },
) {
  const statusNow = () => (typeof status === 'function' ? status() : status) as never
  const lines: string[] = []
  const log = (fields: object, message: string): void => {
    lines.push(`${message} ${(fields as { reason?: string }).reason ?? ''}`.trim())
  }
  const logger = { debug: log, info: log, warn: log, error: log }
  const node = { status: statusNow }
  return { lines, loop: new JoinLoop({ node, members, joiner: JOINER, logger, settleMs: 0 }) }
}

const insideOnce = (isInside: boolean) => ({
  configuration: { members: isInside ? [{ id: 'node-4' }] : [] },
  suffrage: isInside ? 'voter' : 'none',
})

describe('JoinLoop', () => {
  it('says that the id is known with another store when it is a member of whom nothing comes, and asks again', async () => {
    const seen: string[] = []
    const answers = [
      [200, {}],
      [201, {}],
    ] as const
    const member = await listen(httpMember(seen, [...answers]))
    const { loop, lines } = joinLoop([member])
    await loop.run()
    expect(lines).toEqual([
      'Asking to join',
      'Is a member already: waiting for the cluster',
      expect.stringMatching(
        /^'node-4' is a member, but .* another store .* RAFT REMOVE node-4 .* joins by itself then$/,
      ),
      'Asking to join',
      'Joined the cluster',
    ])
  })

  it('has joined as soon as its cluster takes it for the member that it is told to be', async () => {
    const seen: string[] = []
    const member = await listen(httpMember(seen, [[200, {}]]))
    const { loop, lines } = joinLoop([member], () => insideOnce(seen.length > 0))
    await loop.run()
    expect(lines).toEqual(['Asking to join', 'Joined the cluster'])
  })

  it('hints at the Raft port where the connection is closed without an answer', async () => {
    const raft = await listen(createServer((socket) => socket.on('error', () => {}).once('data', () => socket.end())))
    const { loop, lines } = joinLoop([raft, await listen(httpMember([], [[201, {}]]))])
    await loop.run()
    expect(lines[1]).toMatch(/^Not joined yet it closed the connection \(\w+\): name the HTTP or RESP port of a member/)
  })

  it('asks over HTTP until it is a member, and says why it is not yet', async () => {
    const seen: string[] = []
    const busy = { error: { message: 'another change is under way' } }
    const member = await listen(
      httpMember(seen, [
        [409, busy],
        [201, {}],
      ]),
    )
    const { loop, lines } = joinLoop([member])
    await loop.run()
    const asked = `POST /admin/nodes {"id":"node-4","address":"127.0.0.1:7003","metadata":{"resp":"","http":"127.0.0.1:8380"}}`
    expect(seen).toEqual([asked, asked])
    expect(lines).toEqual([
      'Asking to join',
      'Not joined yet HTTP 409: another change is under way',
      'Asking to join',
      'Joined the cluster',
    ])
  })

  it('asks over RESP where that is what the member speaks', async () => {
    let seen = ''
    const member = await listen(
      createServer((socket) => {
        socket.on('error', () => {})
        socket.on('data', (data) => {
          const text = data.toString()
          if (!text.startsWith('*')) return socket.end("-ERR unknown command 'POST'\r\n")
          seen = text
          socket.write('+OK\r\n')
        })
      }),
    )
    const { loop, lines } = joinLoop([member], () => insideOnce(seen !== ''))
    await loop.run()
    expect(seen).toBe('*4\r\n$4\r\nRAFT\r\n$3\r\nADD\r\n$6\r\nnode-4\r\n$14\r\n127.0.0.1:7003\r\n')
    expect(lines).toEqual(['Asking to join', 'Joined the cluster'])
  })

  it('goes on to the next member when one does not answer', async () => {
    const gone = await listen(createServer())
    await new Promise((resolve) => servers.shift()?.close(resolve))
    const seen: string[] = []
    const member = await listen(httpMember(seen, [[201, {}]]))
    const { loop, lines } = joinLoop([gone, member])
    await loop.run()
    expect(seen).toHaveLength(1)
    expect(lines[1]).toMatch(/^Not joined yet no answer \(ECONNREFUSED\)/)
  })

  it.each([
    ['learner', 'Is a member already'],
    ['none', 'Was removed from its cluster: add it again with RAFT ADD'],
  ])('asks nobody where a membership is known: %s', async (suffrage, line) => {
    const { loop, lines } = joinLoop([{ host: '127.0.0.1', port: 1 }], {
      configuration: { members: [{ id: 'node-1' }] },
      suffrage,
    })
    await loop.run()
    expect(lines).toEqual([line])
  })

  it('ends at stop, also while it waits for an answer', async () => {
    let asked = (): void => {}
    const hasAsked = new Promise<void>((resolve) => (asked = resolve))
    const member = await listen(createHttpServer(() => asked()))
    const { loop } = joinLoop([member])
    const run = loop.run()
    await hasAsked
    loop.stop()
    await run
  })
})
