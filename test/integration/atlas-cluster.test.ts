// Three real processes, real clients, real disks: what a user does with them (atlas.md §7).
import { spawn, spawnSync } from 'node:child_process'
import { Redis } from 'ioredis'
import { createClient } from 'redis'
import { afterEach, describe, expect, it } from 'vitest'
import { RespClient } from '../../examples/atlas-kv/src/tools/resp-client.js'
import { AtlasCluster, cleanUp, poll } from './atlas-process.js'

const hasRedisTools = spawnSync('redis-cli', ['--version']).status === 0
if (!hasRedisTools) console.log('skipped in part: redis-cli is not installed (Debian: apt install redis-tools)')

const clients: { disconnect(): void }[] = []

function connect(cluster: AtlasCluster, id: string): Redis {
  const client = new Redis({ host: '127.0.0.1', port: cluster.node(id).resp, retryStrategy: () => 20 })
  client.on('error', () => {})
  clients.push(client)
  return client
}

async function run(command: string, args: readonly string[]): Promise<{ code: number | null; output: string }> {
  const child = spawn(command, args, { stdio: ['ignore', 'pipe', 'pipe'] })
  let output = ''
  for (const stream of [child.stdout, child.stderr]) stream.on('data', (chunk: Buffer) => (output += chunk.toString()))
  const code = await new Promise<number | null>((resolve) => child.once('close', resolve))
  return { code, output }
}

afterEach(async () => {
  for (const client of clients.splice(0)) client.disconnect()
  await cleanUp()
})

describe('a cluster of three processes', () => {
  it('gives ioredis and node-redis on every node what was just written on another', async () => {
    const cluster = await AtlasCluster.start()
    const all = cluster.nodes.map(({ id }) => connect(cluster, id))
    for (let i = 0; i < 300; i++) {
      const writer = all[i % 3]
      await writer?.set('key', `value-${i}`)
      const seen = await Promise.all(all.map((client) => client.get('key')))
      expect(seen).toEqual([`value-${i}`, `value-${i}`, `value-${i}`])
    }
    for (const { resp } of cluster.nodes) {
      const client = await createClient({ socket: { host: '127.0.0.1', port: resp } }).connect()
      expect(await client.get('key')).toBe('value-299')
      expect(await client.set('blob', Buffer.of(0, 13, 10, 255), { EX: 100 })).toBe('OK')
      expect(await client.ttl('blob')).toBeGreaterThan(90)
      expect(await client.incr(`counter-${resp}`)).toBe(1)
      expect(await client.mGet(['key', 'none'])).toEqual(['value-299', null])
      client.destroy()
    }
    const binary = await all[1]?.getBuffer('blob')
    expect(binary?.equals(Buffer.of(0, 13, 10, 255))).toBe(true)
  })

  it('answers a pipeline in order, its reads with its own writes, on a follower too', async () => {
    const cluster = await AtlasCluster.start()
    for (const { id } of cluster.nodes) {
      const pipeline = connect(cluster, id).pipeline()
      for (let i = 0; i < 50; i++)
        pipeline
          .set(`p-${i % 5}`, String(i))
          .incr('n')
          .get(`p-${i % 5}`)
      const replies = (await pipeline.exec()) ?? []
      expect(replies.every(([error]) => error === null)).toBe(true)
      expect(replies.filter((_, i) => i % 3 === 2).map(([, value]) => value)).toEqual(
        Array.from({ length: 50 }, (_, i) => String(i)),
      )
      const counts = replies.filter((_, i) => i % 3 === 1).map(([, value]) => value as number)
      expect(counts).toEqual(counts.map((_, i) => (counts[0] ?? 0) + i))
    }
    expect(await connect(cluster, 'node-1').get('n')).toBe('150')
  })

  it('expires a key on all nodes, though nobody writes', async () => {
    const cluster = await AtlasCluster.start()
    const all = cluster.nodes.map(({ id }) => connect(cluster, id))
    await all[0]?.set('short', 'v', 'PX', 200)
    for (const client of all) await poll(async () => (await client.dbsize()) === 0)
    expect(await Promise.all(all.map((client) => client.exists('short')))).toEqual([0, 0, 0])
    expect(await all[2]?.ttl('short')).toBe(-2)
  })

  it('keeps every acknowledged write when all three are killed at once', async () => {
    const cluster = await AtlasCluster.start()
    const acknowledged = new Map<string, string>()
    const writers = cluster.nodes.map(async ({ id }, n) => {
      const client = await RespClient.connect(cluster.node(id).resp)
      for (let i = 0; ; i++) {
        // A lost connection ends this writer: its last write is in doubt.
        const reply = await client.call('SET', `key-${n}-${i}`, `value-${i}`).catch(() => null)
        if (reply !== 'OK') return
        acknowledged.set(`key-${n}-${i}`, `value-${i}`)
      }
    })
    const idempotent = { method: 'PUT', body: '{"value":"1"}', headers: { 'Idempotency-Key': 'order-7' } }
    const put = (id: string): Promise<Response> =>
      fetch(`http://127.0.0.1:${cluster.node(id).http}/kv/once`, idempotent)
    const first = await (await put('node-1')).json()
    await poll(async () => acknowledged.size >= 300)
    const exits = await Promise.all(cluster.nodes.map(({ id }) => cluster.kill(id)))
    expect(exits.map(({ signal }) => signal)).toEqual(['SIGKILL', 'SIGKILL', 'SIGKILL'])
    await Promise.all(writers)
    cluster.startAll()
    await cluster.ready()
    const client = connect(cluster, 'node-2')
    await client.set('once', '2')
    const again = await put('node-3')
    expect([again.status, await again.json()]).toEqual([201, first])
    expect(await client.get('once')).toBe('2')
    const keys = [...acknowledged.keys()]
    for (let at = 0; at < keys.length; at += 500) {
      const part = keys.slice(at, at + 500)
      expect(await client.mget(part)).toEqual(part.map((key) => acknowledged.get(key)))
    }
  })

  it('goes on when the leader is killed, loses and doubles no acknowledged INCR, and takes the node back', async () => {
    const cluster = await AtlasCluster.start()
    const leader = await cluster.leader()
    const survivor = cluster.nodes.find(({ id }) => id !== leader)?.id ?? ''
    const client = connect(cluster, survivor)
    let acknowledged = 0
    let unknown = 0
    const count = async (target: number): Promise<void> => {
      while (acknowledged < target) {
        try {
          await client.incr('n')
          acknowledged += 1
        } catch (error) {
          if (/^(TIMEOUT|UNKNOWN) /.test((error as Error).message)) unknown += 1
          else expect((error as Error).message).toMatch(/^CLUSTERDOWN /)
        }
      }
    }
    await count(100)
    await Promise.all([cluster.kill(leader), count(200)])
    expect(await cluster.leader()).not.toBe(leader)
    const total = Number(await client.get('n'))
    expect(total).toBeGreaterThanOrEqual(acknowledged)
    expect(total).toBeLessThanOrEqual(acknowledged + unknown)
    cluster.startNode(leader)
    await cluster.ready()
    expect(await connect(cluster, leader).get('n')).toBe(String(total))
  })

  it('answers HTTP on every node, and says what it can not do without a quorum', async () => {
    const cluster = await AtlasCluster.start()
    const [one, two, three] = cluster.nodes.map(({ http }) => `http://127.0.0.1:${http}`)
    const put = await fetch(`${one}/kv/k`, { method: 'PUT', body: '{"value":"v","ttl":"5m"}' })
    expect(put.status).toBe(201)
    const index = put.headers.get('X-Raft-Index')
    const local = await fetch(`${two}/kv/k?consistency=local&min_index=${index}`)
    expect(await local.json()).toMatchObject({ key: 'k', value: 'v', index: Number(index) })
    expect(await (await fetch(`${three}/kv/k`)).json()).toMatchObject({ value: 'v' })
    await cluster.kill('node-1')
    await cluster.kill('node-2')
    const refused = await fetch(`${three}/kv/k`)
    expect(refused.status).toBe(503)
    expect(refused.headers.get('Retry-After')).toBe('1')
    expect(await refused.json()).toMatchObject({ error: { outcome: 'rejected' } })
    await poll(async () => (await fetch(`${three}/readyz`)).status === 503)
    expect((await fetch(`${three}/healthz`)).status).toBe(200)
  })

  it('SIGTERM ends each node with status 0, and the answers under way arrive', async () => {
    const cluster = await AtlasCluster.start()
    const client = connect(cluster, 'node-1')
    await client.set('a', '1')
    for (const { id } of cluster.nodes) {
      const process = cluster.processes.get(id)
      expect(await cluster.kill(id, 'SIGTERM')).toEqual({ code: 0, signal: null })
      expect(process?.stdout).toContain('Shutdown complete')
      expect(process?.stderr).toBe('')
    }
  })

  it('SIGTERM ends a node that waits for its quorum, and tells the client so', async () => {
    const cluster = await AtlasCluster.start()
    await cluster.kill('node-1')
    await cluster.kill('node-2')
    const { resp } = cluster.node('node-3')
    const observer = await RespClient.connect(resp)
    const client = await RespClient.connect(resp)
    const answer = client.call('SET', 'a', '1')
    // The only commands that this node has seen are those of the observer and that SET.
    for (let asked = 1, taken = false; !taken; asked++) {
      const stats = String(await observer.call('INFO', 'stats'))
      taken = stats.includes(`total_commands_processed:${asked + 1}\r\n`)
    }
    expect(await cluster.kill('node-3', 'SIGTERM')).toEqual({ code: 0, signal: null })
    expect(String(await answer)).toMatch(
      /^Error: (UNKNOWN .*outcome unknown|CLUSTERDOWN .*not applied|CLUSTERDOWN No raft leader)$/,
    )
  })

  it('redirects or refuses writes on followers when told to', async () => {
    const cluster = await AtlasCluster.start(['--follower-writes=moved'])
    const leader = await cluster.leader()
    const follower = cluster.nodes.find(({ id }) => id !== leader)?.id ?? ''
    const client = connect(cluster, follower)
    const moved = new RegExp(`^MOVED 12182 127\\.0\\.0\\.1:${cluster.node(leader).resp}$`)
    // Until the leader's address has arrived it says that it doesn't know it.
    await poll(async () => {
      const error = await client.set('foo', '1').catch((reason: Error) => reason)
      return error instanceof Error && moved.test(error.message)
    })
    expect(await connect(cluster, leader).set('foo', '1')).toBe('OK')
    expect(await client.get('foo')).toBe('1')
  })

  it.skipIf(!hasRedisTools)('serves redis-cli and redis-benchmark on every node', async () => {
    const cluster = await AtlasCluster.start()
    for (const { resp } of cluster.nodes) {
      const port = ['-p', String(resp)]
      expect((await run('redis-cli', [...port, 'SET', 'k', 'v'])).output).toBe('OK\n')
      expect((await run('redis-cli', [...port, '-3', 'GET', 'k'])).output).toBe('v\n')
      expect((await run('redis-cli', [...port, 'INFO'])).output).toContain('# Raft')
      const benchmark = ['-t', 'ping,set,get,incr,mset', '-P', '16', '-n', '2000', '-q']
      const { code, output } = await run('redis-benchmark', [...port, ...benchmark])
      expect(output).not.toMatch(/error/i)
      expect(code).toBe(0)
      expect(output.match(/requests per second/g)).toHaveLength(6)
    }
  })
})
