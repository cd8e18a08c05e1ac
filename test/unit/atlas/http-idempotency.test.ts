// PUT and DELETE with an Idempotency-Key: over a real node of one voter, whose sessions do the work.
import { MemoryNetwork, memoryStorage, RaftError, RaftNode } from 'helios-raft'
import type { Hono } from 'hono'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { createHttpApp } from '../../../examples/atlas-kv/src/http/http-app.js'
import { Writer } from '../../../examples/atlas-kv/src/server/writer.js'
import { kvCommandCodec } from '../../../examples/atlas-kv/src/state-machine/command-codec.js'
import type { KvCommand, KvResult } from '../../../examples/atlas-kv/src/state-machine/command.js'
import { KvStateMachine } from '../../../examples/atlas-kv/src/state-machine/kv-state-machine.js'
import { httpAppOf, SingleNode } from './single-node.js'

const machine = new KvStateMachine()
const node = new RaftNode<KvCommand, KvResult>({
  id: 'a',
  bootstrap: [{ id: 'a', address: 'a' }],
  stateMachine: machine,
  codec: kvCommandCodec,
  transport: new MemoryNetwork().transport('a'),
  electionTimeoutMs: 30,
  heartbeatIntervalMs: 10,
  ...memoryStorage(),
})
let app: Hono

beforeAll(async () => {
  await node.start()
  await node.ready()
  app = createHttpApp({
    ...{
      node,
      writer: new Writer({ node, now: () => 0 }),
      machine,
      admin: null as never,
      version: '0.1.0',
      readConsistency: 'linearizable',
    },
    ...{ address: { host: '127.0.0.1', port: 8080 }, commandBytes: 1024, report: () => {} },
  })
})
afterAll(() => node.stop({ transferMs: 0 }))

async function request(method: string, path: string, key: string, init: RequestInit = {}) {
  const headers = { Host: '127.0.0.1:8080', 'Idempotency-Key': key, ...(init.headers as Record<string, string>) }
  const response = await app.request(`http://127.0.0.1:8080${path}`, { ...init, method, headers })
  return { status: response.status, etag: response.headers.get('ETag'), body: (await response.json()) as any }
}
const put = (path: string, key: string, body: string, headers: Record<string, string> = {}) =>
  request('PUT', path, key, { body, headers })

describe('Idempotency-Key', () => {
  it('gives a PUT its first answer again, and writes nothing', async () => {
    const first = await put('/kv/a', 'key-1', '{"value":"1"}')
    expect(first).toMatchObject({ status: 201, body: { key: 'a', created: true } })
    const { index } = machine.state.get('a') ?? {}
    expect(first.body.index).toBe(index)
    await put('/kv/a', 'key-2', '{"value":"2"}')
    expect(await put('/kv/a', 'key-1', '{ "value": "1" }')).toEqual(first)
    expect(Buffer.from(machine.state.get('a')?.value ?? []).toString()).toBe('2')
  })

  it('gives a DELETE and a write under a condition their first answer again', async () => {
    await put('/kv/b', 'key-3', '{"value":"1"}')
    expect((await request('DELETE', '/kv/b', 'key-4')).body).toEqual({ deleted: true })
    expect((await request('DELETE', '/kv/b', 'key-4')).body).toEqual({ deleted: true })
    expect((await request('DELETE', '/kv/b', 'key-5')).body).toEqual({ deleted: false })
    const absent = { 'If-None-Match': '*' }
    expect((await put('/kv/b', 'key-6', '{"value":"1"}', absent)).status).toBe(201)
    expect((await put('/kv/b', 'key-7', '{"value":"1"}', absent)).status).toBe(412)
    await request('DELETE', '/kv/b', 'key-8')
    expect((await put('/kv/b', 'key-6', '{"value":"1"}', absent)).status).toBe(201)
    expect((await put('/kv/b', 'key-7', '{"value":"1"}', absent)).status).toBe(412)
    expect(machine.state.get('b')).toBeNull()
  })

  it('runs two copies that come at once only once', async () => {
    const copies = await Promise.all([1, 2, 3].map(() => put('/kv/c', 'key-9', '{"value":"1"}')))
    expect(copies.map(({ status }) => status)).toEqual([201, 201, 201])
    expect(new Set(copies.map(({ etag }) => etag)).size).toBe(1)
  })

  it.each([
    ['another value', 'PUT', '/kv/d', '{"value":"2"}', {}],
    ['a time to live', 'PUT', '/kv/d', '{"value":"1","ttl":"5m"}', {}],
    ['a condition', 'PUT', '/kv/d', '{"value":"1"}', { 'If-Match': '*' }],
    ['another key', 'PUT', '/kv/e', '{"value":"1"}', {}],
    ['another method', 'DELETE', '/kv/d', undefined, {}],
  ])('refuses the same Idempotency-Key with %s by 422', async (_, method, path, body, headers) => {
    expect((await put('/kv/d', 'key-10', '{"value":"1"}')).status).toBe(201)
    const answer = await request(method, path, 'key-10', { ...(body === undefined ? {} : { body }), headers })
    expect(answer).toMatchObject({ status: 422, body: { error: { code: 'IDEMPOTENCY_KEY_REUSED' } } })
    expect(machine.state.get('e')).toBeNull()
    expect(Buffer.from(machine.state.get('d')?.value ?? []).toString()).toBe('1')
  })

  it('keeps no value of before for a day', async () => {
    await put('/kv/f', 'key-11', JSON.stringify({ value: 'x'.repeat(500) }))
    await put('/kv/f', 'key-12', '{"value":"1"}')
    const session = await node.openSession({ id: 'http:key-12' })
    const repeated = await session.propose({ type: 'tick' }, { sequence: 1 })
    expect(repeated.result).toMatchObject({ result: 'OK' })
  })

  it.each(['', 'two words', 'a,b', 'ü', 'x'.repeat(101)])('refuses %j before anything is written', async (key) => {
    const { commitIndex } = node.status()
    const answer = await put('/kv/g', key, '{"value":"1"}')
    expect(answer).toMatchObject({ status: 400, body: { error: { code: 'BAD_REQUEST', outcome: 'rejected' } } })
    expect((await request('DELETE', '/kv/g', key)).status).toBe(400)
    expect(node.status().commitIndex).toBe(commitIndex)
  })

  it('takes a key of 100 characters', async () => {
    expect((await put('/kv/h', 'x'.repeat(100), '{"value":"1"}')).status).toBe(201)
  })

  it.each([
    [new RaftError('RAFT_SESSION_EXPIRED', 'over'), 409],
    [new RaftError('RAFT_SESSION_EXPIRED', 'over', { outcome: 'unknown' }), 504],
    [new RaftError('RAFT_OVERLOADED', 'the sessions take up their whole room'), 429],
  ])('answers %s with %i', async (error, status) => {
    const fake = new SingleNode()
    Object.assign(fake, { openSession: () => Promise.reject(error) })
    const headers = { Host: '127.0.0.1:8080', 'Idempotency-Key': 'k' }
    const answer = await httpAppOf(fake).request('http://127.0.0.1:8080/kv/a', { method: 'DELETE', headers })
    expect(answer.status).toBe(status)
  })
})
