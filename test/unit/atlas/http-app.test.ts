// The routes of HTTP: what is answered, with which status, in which shape (atlas.md §5, security.md §7).
import { RaftError } from 'helios-raft'
import type { Hono } from 'hono'
import { beforeEach, describe, expect, it } from 'vitest'
import { httpAppOf, SingleNode } from './single-node.js'

const LOCAL = 'http://127.0.0.1:8080'

describe('HTTP', () => {
  let node: SingleNode
  let app: Hono
  let reported: unknown[]

  beforeEach(() => {
    node = new SingleNode()
    reported = []
    app = httpAppOf(node, (error) => reported.push(error))
  })

  async function send(path: string, init: RequestInit = {}): Promise<{ status: number; headers: Headers; body: any }> {
    const headers = { Host: '127.0.0.1:8080', ...(init.headers as Record<string, string>) }
    const response = await app.request(`${LOCAL}${path}`, { ...init, headers })
    const text = await response.text()
    const isJson = (response.headers.get('Content-Type') ?? '').startsWith('application/json')
    return { status: response.status, headers: response.headers, body: isJson ? JSON.parse(text) : text }
  }
  const put = (path: string, body: string, headers: Record<string, string> = {}) =>
    send(path, { method: 'PUT', body, headers })

  it('writes, reads and deletes a key', async () => {
    const form = { 'Content-Type': 'application/x-www-form-urlencoded' }
    const created = await put('/kv/a%20key', '{"value":"grüße"}', form)
    expect(created).toMatchObject({ status: 201, body: { key: 'a key', index: 1, created: true } })
    expect(created.headers.get('ETag')).toBe('"1"')
    expect(created.headers.get('X-Raft-Index')).toBe('1')
    expect((await put('/kv/a%20key', '{"value":"2","ttl":"5m"}')).status).toBe(200)
    const read = await send('/kv/a%20key')
    expect(read.body).toEqual({ key: 'a key', value: '2', index: 2, expiresAt: new Date(1_300_000).toISOString() })
    expect(read.headers.get('ETag')).toBe('"2"')
    expect((await send('/kv/a%20key', { headers: { 'If-None-Match': '"2"' } })).status).toBe(304)
    expect((await send('/kv/a%20key', { method: 'DELETE' })).body).toEqual({ deleted: true })
    expect((await send('/kv/a%20key', { method: 'DELETE' })).body).toEqual({ deleted: false })
    expect((await send('/kv/a%20key')).status).toBe(404)
  })

  it('carries any bytes, and any key', async () => {
    const raw = { 'Content-Type': 'application/octet-stream' }
    await send('/kv/a%2Fb%00', { method: 'PUT', body: Uint8Array.of(0, 255, 10), headers: raw })
    expect(node.machine.state.get('a/b\u0000')?.value).toEqual(Uint8Array.of(0, 255, 10))
    expect((await send('/kv/a%2Fb%00')).body).toMatchObject({ key: 'a/b\u0000', value: 'AP8K', encoding: 'base64' })
    const response = await app.request(`${LOCAL}/kv/a%2Fb%00`, {
      headers: { Host: 'localhost', Accept: 'application/octet-stream' },
    })
    expect(new Uint8Array(await response.arrayBuffer())).toEqual(Uint8Array.of(0, 255, 10))
    await put('/kv/__proto__', '{"value":"1"}')
    expect((await send('/kv/__proto__')).body.value).toBe('1')
  })

  describe('GET /admin/backup', () => {
    const chunks = [Uint8Array.of(1, 2), Uint8Array.of(3)]
    let asked = 0
    let returned = 0
    let failure: { readonly at: number; readonly error: Error } | null

    beforeEach(() => {
      asked = 0
      returned = 0
      failure = null
      const next = async () => {
        if (failure?.at === asked) throw failure.error
        const value = chunks[asked++]
        return value === undefined ? { done: true, value } : { done: false, value }
      }
      const end = async () => {
        returned += 1
        return { done: true, value: undefined }
      }
      Object.assign(node, { backup: () => ({ [Symbol.asyncIterator]: () => ({ next, return: end }) }) })
    })
    const get = (method = 'GET') =>
      app.request(`${LOCAL}/admin/backup`, { method, headers: { Host: '127.0.0.1:8080' } })

    it('streams what the node gives, at the pace of the reader', async () => {
      const answer = await get()
      expect([answer.status, answer.headers.get('Content-Type')]).toEqual([200, 'application/octet-stream'])
      expect(asked).toBe(1)
      expect([...new Uint8Array(await answer.arrayBuffer())]).toEqual([1, 2, 3])
    })

    it('says what failed before the first byte, and breaks off behind it', async () => {
      failure = { at: 0, error: new RaftError('RAFT_NO_LEADER', 'nobody') }
      expect(await send('/admin/backup')).toMatchObject({ status: 503, body: { error: { code: 'RAFT_NO_LEADER' } } })
      failure = { at: 1, error: new RaftError('RAFT_STOPPED', 'stops') }
      const answer = await get()
      await expect(answer.arrayBuffer()).rejects.toThrow('stops')
    })

    it('lets the backup go when the reader does, and begins none for HEAD', async () => {
      await (await get()).body?.cancel()
      expect(returned).toBe(1)
      expect((await get('HEAD')).status).toBe(405)
      expect(asked).toBe(1)
    })
  })

  it('writes under conditions, and says 412 when they fail', async () => {
    const absent = { 'If-None-Match': '*' }
    expect((await put('/kv/a', '{"value":"1"}', absent)).status).toBe(201)
    expect((await put('/kv/a', '{"value":"2"}', absent)).status).toBe(412)
    expect((await put('/kv/a', '{"value":"3"}', { 'If-Match': '"1"' })).status).toBe(200)
    expect((await put('/kv/a', '{"value":"4"}', { 'If-Match': '"1"' })).status).toBe(412)
    expect((await send('/kv/a')).body.value).toBe('3')
  })

  it.each([
    ['/kv/%', 'PUT', '{"value":"1"}', 400],
    ['/kv/%ff', 'GET', undefined, 400],
    ['/kv/a', 'PUT', 'value', 400],
    ['/kv/a', 'PUT', '[1]', 400],
    ['/kv/a', 'PUT', '{"value":1}', 400],
    ['/kv/a', 'PUT', '{"value":"1","ttl":"soon"}', 400],
    ['/kv/a', 'PUT', '{"value":"1","tll":"5m"}', 400],
    ['/kv/a', 'PUT', JSON.stringify({ value: 'x'.repeat(1024) }), 413],
    ['/kv/a', 'PUT', 'x'.repeat(6 * 1024 + 1), 413],
    ['/kv/a?consistency=eventual', 'GET', undefined, 400],
    ['/kv/a?max_staleness=1s', 'GET', undefined, 400],
    ['/kv/a?consistency=lease&max_staleness=1s', 'GET', undefined, 400],
    ['/kv/a?consistency=local&max_staleness=1', 'GET', undefined, 400],
    ['/kv/a?min_index=-1', 'GET', undefined, 400],
    ['/kv/a?mim_index=1', 'GET', undefined, 400],
    ['/kv/a', 'POST', '{}', 405],
    ['/kv/', 'GET', undefined, 404],
    ['/healthz', 'DELETE', undefined, 405],
    ['/nothing', 'GET', undefined, 404],
  ])('refuses %s %s %s', async (path, method, body, status) => {
    const answer = await send(path, { method, ...(body === undefined ? {} : { body }) })
    expect(answer.status).toBe(status)
    expect(answer.body.error).toMatchObject({ outcome: 'rejected', leader: { id: 'node-1', http: null } })
    expect(answer.body.error.message).not.toBe('')
    if (status === 405) expect(answer.headers.get('Allow')).toContain('GET')
    expect(node.machine.state.size).toBe(0)
  })

  it('passes consistency, min_index and max_staleness on', async () => {
    await send('/kv/a?consistency=local&min_index=7&max_staleness=1s')
    await send('/kv/a?consistency=lease')
    await send('/kv/a')
    expect(node.readOptions).toEqual([
      { consistency: 'local', minIndex: 7, maxStalenessMs: 1_000 },
      { consistency: 'lease' },
      { consistency: 'linearizable' },
    ])
  })

  it.each([
    [new RaftError('RAFT_NO_LEADER', 'no leader'), 503, 'rejected'],
    [new RaftError('RAFT_STALE', 'stale'), 503, 'rejected'],
    [new RaftError('RAFT_NOT_MEMBER', 'not added yet'), 503, 'rejected'],
    [new RaftError('RAFT_OVERLOADED', 'full'), 429, 'rejected'],
    [new RaftError('RAFT_TOO_LARGE', 'large'), 413, 'rejected'],
    [new RaftError('RAFT_TIMEOUT', 'late', { outcome: 'unknown' }), 504, 'unknown'],
    [new RaftError('RAFT_STORAGE', 'disk'), 500, 'rejected'],
  ])('answers %s with %i', async (error, status, outcome) => {
    node.error = error
    node.leader = { id: 'node-1', address: '127.0.0.1:7000', suffrage: 'voter', metadata: { http: '127.0.0.1:8080' } }
    const answer = await put('/kv/a', '{"value":"1"}')
    expect(answer.status).toBe(status)
    expect(answer.body.error).toEqual({
      code: error.code,
      message: error.message,
      outcome,
      leader: { id: 'node-1', http: '127.0.0.1:8080' },
    })
    expect(answer.headers.get('Retry-After')).toBe(status === 503 || status === 429 ? '1' : null)
  })

  it('shows nothing of an unexpected error, and reports it', async () => {
    node.error = new Error('secret path')
    const answer = await send('/kv/a')
    expect(answer.status).toBe(500)
    expect(JSON.stringify(answer.body)).not.toContain('secret')
    expect(reported).toEqual([node.error])
  })

  it('answers probes and status', async () => {
    expect(await send('/healthz')).toMatchObject({ status: 200, body: { status: 'ok' } })
    expect(await send('/readyz')).toMatchObject({ status: 200, body: { status: 'ready' } })
    expect((await send('/admin/status')).body).toMatchObject({ id: 'node-1', role: 'leader', commitIndex: 8 })
    expect((await send('/version')).body).toMatchObject({ name: 'atlas-kv', version: '0.1.0' })
    node.changes = { ready: false, role: 'failed', explanation: 'the disk is gone' }
    expect((await send('/healthz')).status).toBe(503)
    expect(await send('/readyz?verbose')).toMatchObject({ status: 503, body: { explanation: 'the disk is gone' } })
  })

  it('refuses foreign names on loopback and pages of other origins', async () => {
    expect((await send('/kv/a', { headers: { Host: 'evil.example' } })).status).toBe(403)
    expect((await send('/kv/a', { headers: { Host: '127.0.0.1.evil.example:8080' } })).status).toBe(403)
    expect((await put('/kv/a', '{"value":"1"}', { Origin: 'http://evil.example' })).status).toBe(403)
    expect((await put('/kv/a', '{"value":"1"}', { Origin: 'http://127.0.0.1:8080' })).status).toBe(201)
    expect((await send('/kv/a', { headers: { Host: 'localhost' } })).status).toBe(200)
  })
})
