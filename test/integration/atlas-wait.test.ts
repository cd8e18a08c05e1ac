// WAIT and READONLY on real processes: who holds a write on disk, and what a relaxed connection sees of its own (F21, F47).
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
