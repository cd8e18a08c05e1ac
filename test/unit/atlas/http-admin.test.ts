// The routes of an operator over HTTP: members, transfer, snapshot (atlas.md §5).
import { createServer, type IncomingMessage, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { RaftError } from 'helios-raft'
import type { Hono } from 'hono'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { httpAppOf, SingleNode } from './single-node.js'

const servers: Server[] = []

describe('/admin', () => {
  let node: SingleNode
  let app: Hono

  beforeEach(() => {
    node = new SingleNode()
    app = httpAppOf(node)
  })

  afterEach(async () => {
    await Promise.all(servers.splice(0).map((server) => new Promise((resolve) => server.close(resolve))))
  })

  async function send(method: string, path: string, body?: string, headers: Record<string, string> = {}) {
    const init = { method, headers: { Host: '127.0.0.1:8080', ...headers }, ...(body === undefined ? {} : { body }) }
    const response = await app.request(`http://127.0.0.1:8080${path}`, init)
    return { status: response.status, headers: response.headers, body: (await response.json()) as any }
  }

  /** Makes this node a follower of a leader whose HTTP server answers like that. */
  async function follow(status: number, answer: object): Promise<{ request: IncomingMessage; body: string }[]> {
    const seen: { request: IncomingMessage; body: string }[] = []
    const server = createServer((request, response) => {
      let body = ''
      request.on('data', (chunk) => (body += String(chunk)))
      request.on('end', () => {
        seen.push({ request, body })
        response.writeHead(status, { 'Content-Type': 'application/json' }).end(JSON.stringify(answer))
      })
    })
    servers.push(server)
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
    const http = `127.0.0.1:${(server.address() as AddressInfo).port}`
    const leader = { id: 'node-2', address: '127.0.0.1:7001', suffrage: 'voter', metadata: { http } }
    node.changes = { role: 'follower', leader }
    return seen
  }

  it('lists the members, with what the leader knows of them', async () => {
    node.members = [
      { id: 'node-1', address: 'a:1', suffrage: 'voter', metadata: { http: 'a:80', resp: 'a:63' } },
      { id: 'node-2', address: 'b:1', suffrage: 'learner' },
    ]
    const { status, body } = await send('GET', '/admin/nodes')
    expect(status).toBe(200)
    expect(body).toMatchObject({ leader: 'node-1', term: 3, commitIndex: 8, seenBy: 'node-1' })
    expect(body.nodes).toEqual([
      {
        ...{ id: 'node-1', address: 'a:1', suffrage: 'voter', isLeader: true, http: 'a:80', resp: 'a:63' },
        ...{ change: null, matchIndex: 9, replication: null, lag: 0, lastContactMs: 0 },
      },
      {
        ...{ id: 'node-2', address: 'b:1', suffrage: 'learner', isLeader: false, http: null, resp: null },
        ...{ change: null, matchIndex: 6, replication: 'replicate', lag: 3, lastContactMs: 12 },
      },
    ])
  })

  it('says who comes and who goes in a joint change, and that their votes count', async () => {
    const [one, two, three, four] = [1, 2, 3, 4].map((n) => {
      return { id: `node-${n}`, address: `h:${n}`, suffrage: 'voter' as const }
    })
    const members = [one, { ...two, suffrage: 'learner' }, four, { id: 'node-5', address: 'h:5', suffrage: 'learner' }]
    node.changes = { configuration: { members, votersOutgoing: [one, two, three] } }
    const { body } = await send('GET', '/admin/nodes')
    expect(body.isJoint).toBe(true)
    const seen = body.nodes.map((each: any) => `${each.id} ${each.suffrage} ${each.change}`)
    expect(seen).toEqual([
      'node-1 voter null',
      'node-2 voter demoting',
      'node-4 voter joining',
      'node-5 learner null',
      'node-3 voter leaving',
    ])
    node.changes = { configuration: { members: [one, two], votersOutgoing: [] } }
    expect((await send('GET', '/admin/nodes')).body).toMatchObject({ isJoint: false, nodes: [{ change: null }, {}] })
  })

  it('shows on a follower what the leader sees, and what it knows itself when that does not answer', async () => {
    const seen = await follow(200, { nodes: ['as the leader sees them'] })
    expect((await send('GET', '/admin/nodes')).body).toEqual({ nodes: ['as the leader sees them'] })
    expect(seen[0]?.request.headers['x-forwarded-by']).toBe('node-1')
    const passedOn = await send('GET', '/admin/nodes', undefined, { 'X-Forwarded-By': 'node-3' })
    expect(passedOn.body).toMatchObject({ seenBy: 'node-1', nodes: [{ id: 'node-1' }, { id: 'node-2' }] })
    expect(seen).toHaveLength(1)
    await follow(500, {})
    expect((await send('GET', '/admin/nodes')).body).toMatchObject({ seenBy: 'node-1', leader: 'node-2' })
  })

  it('adds a node, and says so when it is there already', async () => {
    const node4 = '{"id":"node4","address":"localhost:8084"}'
    expect(await send('POST', '/admin/nodes', node4)).toMatchObject({ status: 201, body: { id: 'node4' } })
    expect((await send('POST', '/admin/nodes', node4)).status).toBe(200)
    const learner = '{"id":"node5","address":"[::1]:8085","suffrage":"learner","metadata":{"zone":"b"}}'
    expect(await send('POST', '/admin/nodes', learner)).toMatchObject({ status: 201, body: { suffrage: 'learner' } })
    expect(node.wishes[2]).toEqual([
      'add',
      { id: 'node5', address: '[::1]:8085', suffrage: 'learner', metadata: { zone: 'b' } },
    ])
  })

  it.each([
    '',
    '{',
    '[]',
    '{"id":"node4"}',
    '{"id":4,"address":"a:1"}',
    '{"id":"node4","address":"a"}',
    '{"id":"node4","address":":8084"}',
    '{"id":"node4","address":"0.0.0.0:8084"}',
    '{"id":"node4","address":"a:0"}',
    '{"id":"node4","address":"a:1","voter":true}',
    '{"id":"node4","address":"a:1","suffrage":"nonvoter"}',
    '{"id":"node4","address":"a:1","metadata":{"zone":7}}',
  ])('refuses to add %s', async (body) => {
    const answer = await send('POST', '/admin/nodes', body)
    expect(answer).toMatchObject({ status: 400, body: { error: { code: 'BAD_REQUEST', outcome: 'rejected' } } })
    expect(node.wishes).toEqual([])
  })

  it('promotes, demotes and removes a member, and says 404 of nobody', async () => {
    expect(await send('POST', '/admin/nodes/node-2/demote')).toMatchObject({
      status: 200,
      body: { suffrage: 'learner' },
    })
    expect(await send('POST', '/admin/nodes/node-2/promote')).toMatchObject({
      status: 200,
      body: { suffrage: 'voter' },
    })
    expect(await send('DELETE', '/admin/nodes/node-2')).toMatchObject({ status: 200, body: { removed: true } })
    for (const [method, path] of [
      ['DELETE', '/admin/nodes/node-2'],
      ['POST', '/admin/nodes/node-2/promote'],
      ['POST', '/admin/nodes/node-2/demote'],
    ] as const) {
      expect(await send(method, path), path).toMatchObject({ status: 404, body: { error: { code: 'NOT_FOUND' } } })
    }
    expect(node.wishes.map(([wish]) => wish)).toEqual(['demote', 'promote', 'remove'])
  })

  it('changes the address of a member, and removes one by force, where that is said', async () => {
    const moved = await send('PATCH', '/admin/nodes/node-2', '{"address":"localhost:8084"}')
    expect(moved).toMatchObject({ status: 200, body: { id: 'node-2', address: 'localhost:8084' } })
    expect((await send('PATCH', '/admin/nodes/node-9', '{"address":"localhost:8084"}')).status).toBe(404)
    for (const body of ['', '{', '{"address":7}', '{"address":"a:0"}', '{"id":"node-2","address":"a:1"}']) {
      expect(await send('PATCH', '/admin/nodes/node-2', body), body).toMatchObject({ status: 400 })
    }
    expect((await send('DELETE', '/admin/nodes/node-2?force=1')).status).toBe(400)
    expect((await send('DELETE', '/admin/nodes/node-2?force=true')).status).toBe(200)
    expect(node.wishes).toEqual([
      ['update', 'node-2', { address: 'localhost:8084' }],
      ['remove', 'node-2', 'force'],
    ])
  })

  it.each([
    ['RAFT_CONFIGURATION_PENDING', 'rejected', 409],
    ['RAFT_INVALID_CONFIGURATION', 'rejected', 409],
    ['RAFT_TIMEOUT', 'rejected', 503],
    ['RAFT_TIMEOUT', 'unknown', 504],
    ['RAFT_NOT_MEMBER', 'rejected', 503],
  ] as const)('answers %s, %s, of a change with %d', async (code, outcome, status) => {
    // More than are asked for while it is patient.
    node.refusals.push(...Array.from({ length: 100 }, () => new RaftError(code, 'why', { outcome })))
    expect(await send('DELETE', '/admin/nodes/node-2')).toMatchObject({ status, body: { error: { code, outcome } } })
  })

  it('waits for another change that is done in a moment', async () => {
    node.refusals.push(new RaftError('RAFT_CONFIGURATION_PENDING', 'why'))
    expect((await send('DELETE', '/admin/nodes/node-2')).status).toBe(200)
    expect(node.wishes).toHaveLength(2)
  })

  it('says that there is no leader before anything is asked for', async () => {
    node.error = new RaftError('RAFT_TIMEOUT', 'late')
    node.changes = { role: 'follower', leader: null, explanation: 'it waits for node-2' }
    const answer = await send('DELETE', '/admin/nodes/node-2')
    expect(answer).toMatchObject({ status: 503, body: { error: { code: 'RAFT_NO_LEADER', outcome: 'rejected' } } })
    expect(answer.body.error.message).toContain('it waits for node-2')
    expect(node.wishes).toEqual([])
  })

  it('takes a snapshot', async () => {
    expect(await send('POST', '/admin/snapshot')).toMatchObject({ status: 200, body: { index: 7, term: 3 } })
  })

  it('asks the leader to hand over, to a node that is named or to the best one', async () => {
    expect((await send('POST', '/admin/transfer', '{"to":"node-2"}')).status).toBe(200)
    expect((await send('POST', '/admin/transfer')).status).toBe(200)
    expect(node.wishes).toEqual([
      ['transfer', 'node-2'],
      ['transfer', undefined],
    ])
    for (const body of ['{', '[]', '7', '{"to":7}', '{"id":"node2"}']) {
      expect(await send('POST', '/admin/transfer', body), body).toMatchObject({ status: 400 })
    }
  })

  it('passes a transfer on to the leader, with its answer and its error, once', async () => {
    const seen = await follow(200, { leader: 'node-3' })
    expect(await send('POST', '/admin/transfer', '{"to":"node-3"}')).toMatchObject({ body: { leader: 'node-3' } })
    expect(seen[0]).toMatchObject({ body: '{"to":"node-3"}', request: { url: '/admin/transfer' } })
    await send('POST', '/admin/transfer', '', { 'X-Forwarded-By': 'node-2' })
    expect(node.wishes).toEqual([['transfer', undefined]])
    await follow(400, { error: { code: 'RAFT_INVALID_OPTION', message: 'no voter', outcome: 'rejected' } })
    expect(await send('POST', '/admin/transfer')).toMatchObject({
      status: 400,
      body: { error: { code: 'RAFT_INVALID_OPTION', message: 'no voter' } },
    })
  })

  it('names the leader where it can not pass a transfer on, and tells of one that does not answer', async () => {
    const leader = { id: 'node-2', address: '127.0.0.1:7001', suffrage: 'voter', metadata: { resp: '127.0.0.1:6380' } }
    node.changes = { role: 'follower', leader }
    const unreachable = await send('POST', '/admin/transfer')
    expect(unreachable).toMatchObject({ status: 503, body: { error: { code: 'RAFT_NOT_LEADER' } } })
    expect(unreachable.body.error.message).toContain("'node-2' at 127.0.0.1:6380")
    node.changes = { role: 'follower', leader: { ...leader, metadata: { http: '127.0.0.1:1' } } }
    expect(await send('POST', '/admin/transfer')).toMatchObject({
      status: 504,
      body: { error: { outcome: 'unknown' } },
    })
    node.changes = { role: 'follower', leader: null }
    expect(await send('POST', '/admin/transfer')).toMatchObject({ body: { error: { code: 'RAFT_NO_LEADER' } } })
  })

  it('shows the addresses of the members in the status, and refuses other methods', async () => {
    node.members = [{ id: '__proto__', address: 'a:1', suffrage: 'voter', metadata: { http: 'a:80' } }]
    const { body } = await send('GET', '/admin/status')
    expect(Object.entries(body.addresses)).toEqual([['__proto__', { resp: '', http: 'a:80' }]])
    for (const [method, path, allow] of [
      ['PUT', '/admin/nodes', 'GET, HEAD, POST'],
      ['GET', '/admin/nodes/node-1', 'DELETE, PATCH'],
      ['GET', '/admin/snapshot', 'POST'],
    ] as const) {
      const answer = await send(method, path)
      expect(answer.status).toBe(405)
      expect(answer.headers.get('Allow')).toBe(allow)
    }
  })
})
