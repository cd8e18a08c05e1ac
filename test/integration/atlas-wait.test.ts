// WAIT, READONLY and reads by lease on real processes: who holds a write on disk, and what connections see (F20, F21, F47).
import { afterEach, describe, expect, it } from 'vitest'
import { RespClient } from '../../examples/atlas-kv/src/tools/resp-client.js'
import { AtlasCluster, cleanUp } from './atlas-process.js'

describe('a connection that asks for more or for less', () => {
  afterEach(cleanUp)

  it('waits for the other voters on every node, and is told how many there are', { timeout: 60_000 }, async () => {
    const cluster = await AtlasCluster.start()
    for (const { resp } of cluster.nodes) {
      const client = await RespClient.connect(resp)
      expect(await client.call('SET', 'k', String(resp))).toBe('OK')
      expect(await client.call('WAIT', '2', '0')).toBe(2)
      client.close()
    }
    const leader = await cluster.leader()
    const [survivor, killed] = cluster.nodes.map(({ id }) => id).filter((id) => id !== leader)
    await cluster.kill(killed ?? '')
    for (const id of [leader, survivor ?? '']) {
      const client = await RespClient.connect(cluster.node(id).resp)
      const replies = ['SET k 2', 'WAIT 2 300', 'WAIT 1 0', 'WAIT 0 0'].map((line) => client.call(...line.split(' ')))
      expect(await Promise.all(replies)).toEqual(['OK', 1, 1, 1])
      client.close()
    }
  })

  it('reads by lease on every node, by RESP and HTTP, and sees what was written before', {
    timeout: 60_000,
  }, async () => {
    const cluster = await AtlasCluster.start()
    const clients = await Promise.all(cluster.nodes.map(({ resp }) => RespClient.connect(resp)))
    for (const client of clients) expect(await client.call('RAFT', 'CONSISTENCY', 'lease')).toBe('OK')
    for (let i = 1; i <= 60; i++) {
      expect(await clients[i % 3]!.call('SET', 'k', String(i))).toBe('OK')
      for (const client of clients) expect(await client.call('GET', 'k')).toBe(String(i))
    }
    for (const { http } of cluster.nodes) {
      const answer = await fetch(`http://127.0.0.1:${http}/kv/k?consistency=lease`)
      expect(await answer.json()).toMatchObject({ value: '60' })
    }
    for (const client of clients) client.close()
  })

  it('sees its own writes by READONLY, also while nobody leads', { timeout: 60_000 }, async () => {
    const cluster = await AtlasCluster.start()
    const leader = await cluster.leader()
    const [follower = '', other = ''] = cluster.nodes.map(({ id }) => id).filter((id) => id !== leader)
    const client = await RespClient.connect(cluster.node(follower).resp)
    expect(await client.call('READONLY')).toBe('OK')
    for (let i = 1; i <= 100; i++) {
      expect(await Promise.all([client.call('INCR', 'n'), client.call('GET', 'n')])).toEqual([i, String(i)])
    }
    await Promise.all([leader, other].map((id) => cluster.kill(id)))
    expect(await client.call('GET', 'n')).toBe('100')
    expect(await client.call('RAFT', 'CONSISTENCY')).toBe('local')
    expect(await client.call('READWRITE')).toBe('OK')
    expect(String(await client.call('GET', 'n'))).toMatch(/^Error: CLUSTERDOWN /)
    client.close()
  })
})
